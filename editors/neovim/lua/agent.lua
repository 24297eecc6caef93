-- Taking over a part of the ghost text that is shown: its first word, its first line. What is left
-- is shown again by the server at once.

local M = {}

--- Puts what `part` finds at the start of the shown suggestion at the cursor.
---@param part fun(text: string): string?
---@return boolean whether there was a suggestion
local function accept(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      -- Items of this server begin at the cursor and have no snippets.
      local text = item.insert_text
      if type(text) == 'string' then
        vim.api.nvim_put(vim.split(part(text) or text, '\n'), 'c', false, true)
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

return M
