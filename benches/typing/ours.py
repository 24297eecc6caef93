"""`agent lsp`, used as Neovim 0.12 and as Visual Studio Code use it.

What each editor does is in the sources and recordings of those versions:

- Neovim tells of changes at most every 150 ms, and before each request; it asks 200 ms after the last
  key, cancels nothing while inserting, and shows whatever comes back.
- Visual Studio Code tells of every key, asks about 20 ms after it, and cancels the request before.
"""

import asyncio
import json
import os
import pathlib
import time

import process
import recording

TOP = pathlib.Path(__file__).resolve().parents[2]
CONTENT_MODIFIED, CANCELLED, SERVER_CANCELLED = -32801, -32800, -32802


class Server:
    """The program behind pipes, speaking JSON-RPC."""

    def __init__(self, child):
        self.child = child
        self.waiting = {}
        self.last = 0
        self.messages = []

    @classmethod
    async def start(cls, command, home, folder):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "AGENT_ISA") if name in os.environ}
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
            env=kept | {"HOME": str(home)},
            limit=1 << 24,
        )
        server = cls(child)
        server.reader = asyncio.create_task(server.read())
        return server

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode()
        self.child.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def request(self, method, params):
        """Sends a request; its number, and what its answer will come to: (result, error, time)."""
        self.last += 1
        answer = self.waiting[self.last] = asyncio.get_running_loop().create_future()
        self.send({"id": self.last, "method": method, "params": params})
        return self.last, answer

    async def read(self):
        stream = self.child.stdout
        while True:
            length = 0
            while (line := await stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if line == b"":
                break
            message = json.loads(await stream.readexactly(length))
            if "method" in message:
                if "id" in message:
                    asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else None
                    self.send({"id": message["id"], "result": asked and [None] * len(asked)})
                elif message["method"] in ("window/showMessage", "window/logMessage"):
                    self.messages.append(message["params"]["message"])
            elif (answer := self.waiting.pop(message["id"], None)) and not answer.done():
                answer.set_result((message.get("result"), message.get("error"), time.perf_counter()))
        for answer in self.waiting.values():
            if not answer.done():
                answer.set_exception(RuntimeError("the server ended"))

    async def end(self):
        _, answer = self.request("shutdown", None)
        await asyncio.wait_for(answer, 10)
        self.notify("exit", None)
        self.child.stdin.close()
        await asyncio.wait_for(self.child.wait(), 10)
        await self.reader


class Editor:
    """What both editors do; `typed` is called for every step of the trace."""

    def __init__(self, server, uri, text, encoding, log):
        self.server, self.uri, self.text, self.log = server, uri, text, log
        self.encoding = encoding
        self.version = 1
        # When the server was last told of a change, and the editor last changed.
        self.told = self.changed = 0.0
        self.cold = True
        self.open = set()
        self.tasks = set()

    async def settle(self):
        """Waits for what is under way."""
        await asyncio.wait(self.tasks, timeout=20) if self.tasks else None

    def position(self, offset):
        start = self.text.rfind("\n", 0, offset) + 1
        line = self.text[start:offset]
        units = len(line.encode()) if self.encoding == "utf-8" else len(line.encode("utf-16-le")) // 2
        return {"line": self.text.count("\n", 0, offset), "character": units}

    def offset(self, position):
        start = 0
        for _ in range(position["line"]):
            start = self.text.index("\n", start) + 1
        units, line = 0, self.text[start:].partition("\n")[0]
        for index, character in enumerate(line):
            if units >= position["character"]:
                return start + index
            units += len(character.encode()) if self.encoding == "utf-8" else len(character.encode("utf-16-le")) // 2
        return start + len(line)

    def change(self, patches):
        """Applies patches; they as the protocol has them."""
        events = []
        for at, deleted, inserted in patches:
            reach = {"start": self.position(at), "end": self.position(at + deleted)}
            events.append({"range": reach, "text": inserted})
            self.text = recording.apply(self.text, [(at, deleted, inserted)])
        self.version += 1
        self.changed = time.perf_counter()
        return events

    def tell(self, events):
        self.told = time.perf_counter()
        document = {"uri": self.uri, "version": self.version}
        self.server.notify("textDocument/didChange", {"textDocument": document, "contentChanges": events})

    def ask(self, position, cursor):
        """Asks for a suggestion after step `position`; the request's number."""
        params = {
            "textDocument": {"uri": self.uri},
            "position": self.position(cursor),
            "context": {"triggerKind": 2},
        }
        asked = time.perf_counter()
        number, answer = self.server.request("textDocument/inlineCompletion", params)
        self.open.add(number)
        # The text as asked about; a Python string is not copied.
        task = asyncio.create_task(self.answered(number, answer, asked, position, cursor, self.text, self.changed))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return number

    async def answered(self, number, answer, asked, position, cursor, text, changed):
        result, error, when = await answer
        self.open.discard(number)
        entry = {
            "step": position,
            "cursor": cursor,
            "ms": (when - asked) * 1e3,
            "key_ms": (when - changed) * 1e3,
            "cold": self.cold,
            "error": error and error["code"],
        }
        if error is None:
            self.cold = False
            # An answer that was sent before the server could know of a change is not its fault; how long
            # the change had been on its way says which it was.
            entry["behind_ms"] = (when - self.told) * 1e3 if self.told > asked else None
            entry["editor_behind"] = self.changed > changed
            items = (result.get("items") if isinstance(result, dict) else result) or []
            if items:
                entry |= self.effect(items[0], cursor, text)
        elif error["code"] not in (CONTENT_MODIFIED, CANCELLED, SERVER_CANCELLED):
            entry["message"] = error["message"]
        self.log.append(entry)

    def effect(self, item, cursor, text):
        """What accepting an item would do, in offsets of `text`, and what it would add at the cursor."""
        held, self.text = self.text, text
        start, end = self.offset(item["range"]["start"]), self.offset(item["range"]["end"])
        self.text = held
        insert = item["insertText"] if isinstance(item["insertText"], str) else item["insertText"]["value"]
        shown = insert.removeprefix(text[start:cursor]).removesuffix(text[cursor:end])
        return {"replaces": [start, end], "insert": insert, "text": shown}


class Neovim(Editor):
    """As Neovim 0.12."""

    NAME, CLIENT, LIMIT, WAIT = "Neovim", "neovim", 0.150, 0.200

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.pending, self.flush_timer, self.timer = [], None, None
        self.flushed = None

    def typed(self, position, step, moved):
        self.cold |= moved
        self.pending += self.change(step.patches)
        loop = asyncio.get_running_loop()
        if self.flush_timer:
            self.flush_timer.cancel()
        since = self.LIMIT if self.flushed is None else self.LIMIT - (time.perf_counter() - self.flushed)
        if since <= 0:
            self.flush()
        else:
            self.flush_timer = loop.call_later(since, self.flush)
        if self.timer:
            self.timer.cancel()
        self.timer = loop.call_later(self.WAIT, self.due, position, step.cursor)

    def flush(self):
        if self.flush_timer:
            self.flush_timer.cancel()
        if self.pending:
            self.flushed = time.perf_counter()
            events, self.pending = self.pending, []
            self.tell(events)

    def due(self, position, cursor):
        self.flush()
        self.ask(position, cursor)


class Code(Editor):
    """As Visual Studio Code."""

    NAME, CLIENT, WAIT = "VS Code", "vscode", 0.020

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.timer = self.asked = None

    def typed(self, position, step, moved):
        self.cold |= moved
        self.tell(self.change(step.patches))
        if self.timer:
            self.timer.cancel()
        if self.asked in self.open:
            self.server.notify("$/cancelRequest", {"id": self.asked})
        self.timer = asyncio.get_running_loop().call_later(self.WAIT, self.due, position, step.cursor)

    def due(self, position, cursor):
        self.asked = self.ask(position, cursor)


async def run(kind, program, options, name, language, text, steps, folder, home):
    """Types `steps` in one editor; the answers and the CPU's figures."""
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    client = json.loads((TOP / f"tests/lsp/clients/{kind.CLIENT}.json").read_text())
    server = await Server.start([program, "lsp"], home, folder)
    uri = path.as_uri()
    _, answer = server.request(
        "initialize",
        client
        | {
            "processId": os.getpid(),
            "rootUri": folder.as_uri(),
            "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}],
            "initializationOptions": options,
        },
    )
    result, error, _ = await asyncio.wait_for(answer, 60)
    assert not error, error
    encoding = result["capabilities"].get("positionEncoding", "utf-16")
    server.notify("initialized", {})
    document = {"uri": uri, "languageId": language, "version": 1, "text": text}
    server.notify("textDocument/didOpen", {"textDocument": document})
    for _ in range(1200):
        _, answer = server.request("agent/status", None)
        status, error, _ = await asyncio.wait_for(answer, 60)
        if error or status["modelState"] != "loading":
            break
        await asyncio.sleep(0.1)
    assert not error and status["modelState"] == "ready", error or status
    log = []
    editor = kind(server, uri, text, encoding, log)
    try:
        figures = await type_steps(editor, steps, server.child.pid)
        await editor.settle()
    finally:
        await server.end()
    figures |= {"name": f"agent as {kind.NAME}", "encoding": encoding, "messages": server.messages[-20:], "text": editor.text}
    return log, figures


async def type_steps(editor, steps, pid):
    """Types in real time; CPU seconds before, during and after."""
    idle = 10.0
    await asyncio.sleep(3.0)
    at_rest = process.cpu_seconds(pid)
    await asyncio.sleep(idle)
    begin, start = process.cpu_seconds(pid), time.perf_counter()
    latest, before = 0.0, None
    for position, step in enumerate(steps):
        wait = start + step.time - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        latest = max(latest, time.perf_counter() - start - step.time)
        editor.typed(position, step, before is None or far(editor.text, before, step))
        before = step
    await asyncio.sleep(2.0)
    minutes = (time.perf_counter() - start) / 60
    end = process.cpu_seconds(pid)
    return {
        "idle_cpu_per_minute": (begin - at_rest) / idle * 60,
        "cpu_per_minute": (end - begin) / minutes,
        "minutes": minutes,
        "steps": len(steps),
        "latest_key_ms": latest * 1e3,
        "load": process.load(),
    }


def far(text, before, step):
    """Whether a step is at another place than the one before: more than a line away."""
    low, high = sorted((before.cursor, step.patches[-1][0]))
    return text.count("\n", low, high) > 1
