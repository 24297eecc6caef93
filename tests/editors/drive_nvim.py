#!/usr/bin/env python3
"""Drives Neovim with typed keys: ghost text appears and is accepted, code actions apply.

Once with canned answers, where every result is known, and once with the built-in model, where only
the behaviour is. Environment: NVIM, AGENT_BIN, E2E_BASE.
"""

import json
import os
import pathlib
import sys
import tempfile
import time

import pynvim

HERE = pathlib.Path(__file__).resolve().parent
BASE = pathlib.Path(os.environ["E2E_BASE"])
CODE = "def total(prices):\n    result = 0\n    for price in prices:\n        result += price\n    return result\n"
CHAT = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
GHOST = """
local shown = {}
for name, space in pairs(vim.api.nvim_get_namespaces()) do
  if name:find('inline_completion') then
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })) do
      for _, chunk in ipairs(mark[4].virt_text or {}) do shown[#shown + 1] = chunk[1] end
      for _, line in ipairs(mark[4].virt_lines or {}) do
        shown[#shown + 1] = '\\n'
        for _, chunk in ipairs(line) do shown[#shown + 1] = chunk[1] end
      end
    end
  end
end
return table.concat(shown)
"""
STATUS = """
local client = vim.lsp.get_clients({ bufnr = 0, name = 'agent' })[1]
local answer = client and client.initialized and client:request_sync('agent/status', vim.NIL, 2000, 0)
return answer and answer.result and answer.result.modelState == 'ready'
"""


class Neovim:
    """One editor on one file."""

    def __init__(self, folder, settings):
        self.failures = 0
        (folder / ".git").mkdir(parents=True)
        (folder / "home").mkdir()
        self.file = folder / "cart.py"
        self.file.write_text("# a😀ß\n" + CODE)
        # A slow machine is no reason for a suggestion to be missing.
        os.environ["E2E_SETTINGS"] = json.dumps({"complete": {"limit_ms": 60000}, **settings})
        os.environ["E2E_HOME"] = str(folder / "home")
        arguments = ["--embed", "--headless", "--clean", "-u", str(HERE / "init.lua"), str(self.file)]
        self.nvim = pynvim.attach("child", argv=[os.environ["NVIM"], *arguments])

    def check(self, what, happened, seconds=30):
        """Waits until `happened()` is true."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            try:
                if result := happened():
                    print(f"PASS {what}: {(time.monotonic() - started) * 1000:.0f} ms")
                    return result
            except pynvim.NvimError:
                pass
            time.sleep(0.02)
        print(f"FAIL {what}; text: {self.text()!r}; messages: {self.nvim.command_output('messages')!r}")
        self.failures += 1
        return None

    def text(self):
        return "\n".join(self.nvim.current.buffer[:])

    def action(self, title):
        lua = """
            local title = ...
            vim.lsp.buf.code_action({ apply = true, filter = function(a) return vim.startswith(a.title, title) end })
        """
        self.nvim.exec_lua(lua, title)

    def ready(self):
        self.check("server ready", lambda: self.nvim.exec_lua(STATUS), 60)

    def quit(self):
        process = self.nvim.exec_lua("return vim.lsp.get_clients({ name = 'agent' })[1].rpc.is_closing() == false")
        self.check("server lives", lambda: process)
        try:
            self.nvim.command("qa!")
        except (OSError, EOFError):
            pass
        self.nvim.close()


def canned(folder):
    """Every result known."""
    rules = [
        ("value = g(", "\n    first,\n"),
        ("by_hand", "price + 1"),
        ("use sum", "```python\ndef total(prices):\n    return sum(prices)\n```"),
        ("discount", "price * (1 - discount)"),
        ("", "Add up all prices."),
    ]
    script = folder / "answers.json"
    listed = [{"when": when, "answers": [answer]} for when, answer in rules]
    script.write_text(json.dumps({"rules": listed, "chat_template": CHAT}))
    editor = Neovim(folder / "canned", {"model": f"scripted:{script}", "trusted": True})
    nvim = editor.nvim
    editor.ready()

    nvim.input("Go<CR><CR>def reduced(price, discount):  # 😀ß<CR>return ")
    editor.check("ghost text", lambda: "price * (1 - discount)" in nvim.exec_lua(GHOST))
    nvim.input("<M-Right>")
    editor.check("a word accepted", lambda: editor.text().endswith("    return price"))
    editor.check("the rest is shown", lambda: nvim.exec_lua(GHOST) == " * (1 - discount)")
    nvim.input("<M-Right>")
    editor.check("a mark accepted", lambda: editor.text().endswith("    return price *"))
    editor.check("the rest is shown again", lambda: nvim.exec_lua(GHOST) == " (1 - discount)")
    nvim.input("<Tab>")
    editor.check("accepted", lambda: "    return price * (1 - discount)" in editor.text())
    nvim.input("<CR>by_hand = ")
    nvim.input("<M-Space>")
    editor.check("asked by hand", lambda: "by_hand = price + 1" in editor.text())
    nvim.input("<Esc>dd")
    nvim.input("ovalue = g()<Left>")
    editor.check("ghost text on the next line", lambda: "first," in nvim.exec_lua(GHOST))
    nvim.input("<M-Down>")
    editor.check("a line accepted", lambda: editor.text().endswith("value = g(\n    first,)"))
    nvim.input("<Esc>")
    nvim.command("$-1,$d")
    nvim.input("2G2l")

    editor.action("Rewrite")
    editor.check("rewritten", lambda: "    return sum(prices)" in editor.text() and "result += price" not in editor.text())

    nvim.command("2")
    editor.action("Write doc")
    editor.check("doc comment", lambda: "Add up all prices." in editor.text())
    editor.check("the rest stays", lambda: "    return sum(prices)\n\n\ndef reduced" in editor.text())

    nvim.command("2")
    nvim.exec_lua("vim.cmd('silent! write')")
    editor.action("Explain")
    editor.check("explanation opens", lambda: nvim.current.buffer.name.endswith(".md") and "total" in editor.text())
    editor.quit()
    return editor.failures


def built_in(folder):
    """The model that comes with the program: what it says is not ours to know, that it works is."""
    editor = Neovim(folder / "built-in", {})
    nvim = editor.nvim
    editor.ready()
    nvim.input("Go<CR><CR>def average(prices):<CR>return ")
    if editor.check("ghost text of the built-in model", lambda: nvim.exec_lua(GHOST), 60):
        before = editor.text()
        nvim.input("<Tab>")
        editor.check("accepted", lambda: len(editor.text()) > len(before))
    nvim.input("<Esc>2G")
    editor.action("Explain")
    editor.check("explanation opens", lambda: nvim.current.buffer.name.endswith(".md") and "total" in editor.text(), 60)
    editor.quit()
    return editor.failures


def main():
    BASE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BASE, prefix="work-") as folder:
        failures = canned(pathlib.Path(folder)) + built_in(pathlib.Path(folder))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
