-- The editor as the README of editors/neovim sets it up, with the program and the options of the test.
local here = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h')
vim.opt.runtimepath:append(vim.fn.fnamemodify(here .. '/../../editors/neovim', ':p'))
vim.lsp.config('agent', {
  cmd = { vim.env.AGENT_BIN, 'lsp' },
  cmd_env = { HOME = vim.env.E2E_HOME },
  settings = { agent = vim.json.decode(vim.env.E2E_SETTINGS) },
})
vim.lsp.enable('agent')
vim.lsp.inline_completion.enable(true)
vim.keymap.set('i', '<Tab>', function()
  if not vim.lsp.inline_completion.get() then return '<Tab>' end
end, { expr = true })
vim.ui.input = function(_, answered) answered('use sum') end
vim.keymap.set('i', '<M-Right>', function() require('agent').accept_word() end)
vim.keymap.set('i', '<M-Down>', function() require('agent').accept_line() end)
vim.keymap.set('i', '<M-Space>', function() require('agent').suggest() end)
vim.ui.select = function(items, _, chosen) chosen(items[1]) end
