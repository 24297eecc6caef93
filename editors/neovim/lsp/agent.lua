-- Configuration of the language server for Neovim 0.12 and later. Put this folder on 'runtimepath'
-- and call vim.lsp.enable('agent'); see README.md.

--- Asks what to do, then runs agent.rewrite with it.
local function rewrite(command, context)
  local argument = command.arguments[1]
  if argument.instruction then
    return nil
  end
  vim.ui.input({ prompt = 'Rewrite: ' }, function(instruction)
    if instruction and instruction ~= '' then
      local client = assert(vim.lsp.get_client_by_id(context.client_id))
      argument.instruction = instruction
      client:request('workspace/executeCommand', { command = 'agent.rewrite', arguments = { argument } })
    end
  end)
end

return {
  cmd = { 'agent', 'lsp' },
  filetypes = {
    'c', 'cpp', 'cuda', 'go', 'java', 'javascript', 'javascriptreact', 'python', 'rust', 'typescript', 'typescriptreact',
  },
  root_markers = {
    { 'agent.toml', 'Cargo.toml', 'pyproject.toml', 'setup.py' },
    '.git',
    { 'go.mod', 'package.json', 'pom.xml', 'build.gradle', 'CMakeLists.txt' },
  },
  workspace_required = false,
  commands = { ['agent.rewrite'] = rewrite },
  settings = { agent = vim.empty_dict() },
}
