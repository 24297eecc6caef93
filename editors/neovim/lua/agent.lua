-- What Neovim's own inline completion cannot do: take over a part of the ghost text that is shown, and
-- ask for suggestions by hand. What is left of a part is shown again by the server at once.

local M = {}

--- What stands behind the cursor on its line.
local function rest_of_line()
  local column = vim.api.nvim_win_get_cursor(0)[2]
  return vim.api.nvim_get_current_line():sub(column + 1)
end

--- The text that an item adds at the cursor: items of this server begin there and have no snippets;
--- one of several lines ends with what stands behind the cursor.
---@return string?
local function added(insert_text)
  if type(insert_text) ~= 'string' then
    return nil
  end
  local rest = rest_of_line()
  if insert_text:find('\n') and rest ~= '' and vim.endswith(insert_text, rest) then
    return insert_text:sub(1, #insert_text - #rest)
  end
  return insert_text
end

local function put(text)
  vim.api.nvim_put(vim.split(text, '\n'), 'c', false, true)
end

--- Puts what `part` finds at the start of the shown suggestion at the cursor.
---@param part fun(text: string): string?
---@return boolean whether there was a suggestion
local function accept(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local text = added(item.insert_text)
      if text then
        put(part(text) or text)
      end
    end,
  })
end

--- Accepts the next word: an identifier, or what stands up to one, with the white space before it.
function M.accept_word()
  return accept(function(text)
    return text:match('^%s*[%w_\128-\255]+') or text:match('^%s*[^%w_%s\128-\255]+')
  end)
end

--- Accepts the next line.
function M.accept_line()
  return accept(function(text)
    return text:match('^%s*[^\n]+')
  end)
end

--- Asks by hand, which allows for more and longer suggestions than typing does, and puts the one
--- that is chosen at the cursor.
function M.suggest()
  local client = vim.lsp.get_clients({ bufnr = 0, name = 'agent' })[1]
  if not client then
    return vim.notify('agent does not serve this buffer', vim.log.levels.WARN)
  end
  local asked = vim.api.nvim_win_get_cursor(0)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = 1 }
  client:request('textDocument/inlineCompletion', params, function(failed, answer)
    local items = answer and (answer.items or answer) or {}
    if failed or #items == 0 then
      return vim.notify(failed and failed.message or 'nothing to suggest here')
    end
    vim.ui.select(items, {
      prompt = 'Suggestions',
      format_item = function(item)
        return (added(item.insertText) or ''):gsub('\n', '⏎ ')
      end,
    }, function(item)
      local text = item and added(item.insertText)
      if text and vim.deep_equal(asked, vim.api.nvim_win_get_cursor(0)) then
        put(text)
      end
    end)
  end)
end

return M
