"""llama.cpp's `llama-server`, used as llama.vim uses it.

The client is what `autoload/llama.vim` of 2026-01-31 does while somebody inserts text, with its default
settings: context by lines, ring of chunks, cache of answers with what was typed through them, one
request at a time that is not cancelled, tried again every 100 ms, and a speculative one for the text
with the hint accepted. The time that its own code (Vim script, and `curl` for each request) takes is not
there, which is in its favour.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import time
import urllib.request

import ours
import recording

N_PREFIX, N_SUFFIX, N_PREDICT = 256, 64, 128
T_MAX_PROMPT_MS, T_MAX_PREDICT_MS, T_FIRST_PREDICT_MS = 500, 1000, 250
MAX_LINE_SUFFIX, MAX_CACHE_KEYS, TYPED_THROUGH = 8, 250, 128
RING_CHUNKS, CHUNK_SIZE, RING_SCOPE, RING_UPDATE, RING_QUEUE = 16, 64, 1024, 1.0, 16
RETRY = 0.100
# Stands for the cursor in a key of the cache.
HERE = "\0"


class LlamaVim:
    """An editor with the plugin; `typed` is called for every step of the trace."""

    def __init__(self, port, name, text, log):
        self.port, self.name, self.log = port, name, log
        self.text, self.lines = text, text.split("\n")
        self.row = self.column = 0
        self.offset = 0
        self.cache = {}
        self.job = self.timer = None
        self.shown, self.data = False, None
        self.ring, self.queue = [], []
        self.picked = -9999
        self.indent_last = -1
        self.random = random.Random(1)
        self.tasks = set()
        self.cold, self.changed, self.step = True, 0.0, 0
        self.moved_at = time.perf_counter()
        self.requests = {"first": 0, "speculative": 0, "warm": 0}
        # Entering the buffer.
        asyncio.get_running_loop().call_later(0.1, lambda: self.pick(self.around(), True))
        self.updates = asyncio.create_task(self.update_ring())

    # The editor

    def typed(self, position, step, moved):
        self.cold |= moved
        self.step, self.changed = position, time.perf_counter()
        self.text = recording.apply(self.text, step.patches)
        self.lines = self.text.split("\n")
        self.offset = step.cursor
        self.row = self.text.count("\n", 0, step.cursor)
        self.column = step.cursor - (self.text.rfind("\n", 0, step.cursor) + 1)
        # Both handlers of CursorMovedI, in order.
        self.on_move()
        self.fim(None, [], True)

    async def settle(self):
        self.updates.cancel()
        await asyncio.wait(self.tasks, timeout=20) if self.tasks else None

    def get(self, first, last):
        """Lines from `first` to `last`, both included, counted from 0, as far as there are any."""
        return self.lines[max(0, first) : max(0, last + 1)]

    # The ring of chunks

    def around(self):
        return self.get(self.row - CHUNK_SIZE // 2, self.row + CHUNK_SIZE // 2)

    def part(self, text):
        start = self.random.randint(0, max(0, len(text) - CHUNK_SIZE // 2))
        return text[start : min(start + CHUNK_SIZE // 2, len(text)) + 1]

    def pick(self, text, evict):
        if len(text) < 3:
            return
        chunk = text if len(text) + 1 < CHUNK_SIZE else self.part(text)
        if chunk in self.ring or chunk in self.queue:
            return
        for chunks in (self.queue, self.ring):
            # The first one is never looked at.
            for index in range(len(chunks) - 1, 0, -1):
                if similarity(chunks[index], chunk) > 0.9:
                    if not evict:
                        return
                    del chunks[index]
        if len(self.queue) == RING_QUEUE:
            del self.queue[0]
        self.queue.append(chunk)

    def extra(self):
        return [{"text": "\n".join(chunk) + "\n", "filename": self.name} for chunk in self.ring]

    async def update_ring(self):
        while True:
            await asyncio.sleep(RING_UPDATE)
            if time.perf_counter() - self.moved_at < 3.0 or not self.queue:
                continue
            if len(self.ring) == RING_CHUNKS:
                del self.ring[0]
            self.ring.append(self.queue.pop(0))
            request = {
                "id_slot": 0,
                "input_prefix": "",
                "input_suffix": "",
                "input_extra": self.extra(),
                "prompt": "",
                "n_predict": 0,
                "temperature": 0.0,
                "samplers": [],
                "stream": False,
                "cache_prompt": True,
                "t_max_prompt_ms": 1,
                "t_max_predict_ms": 1,
                "response_fields": [""],
            }
            self.requests["warm"] += 1
            self.start(self.post(request))

    # Filling in

    def context(self, row, column, accepted):
        """Prefix, middle, suffix, indentation and the rest of the line; `accepted`: lines of a hint taken as accepted."""
        line = self.lines[row]
        after = self.get(row + 1, row + N_SUFFIX)
        if not accepted:
            before, head, tail = self.get(row - N_PREFIX, row - 1), line[:column], line[column:]
            blank = not line.strip()
            indent = 0 if blank else len(line) - len(line.lstrip(" \t"))
            if blank:
                head = tail = ""
        else:
            before = self.get(row - N_PREFIX + len(accepted) - 1, row - 1)
            head, tail = (line + accepted[0] if len(accepted) == 1 else accepted[-1]), ""
            if len(accepted) > 1:
                before = [*before, line + accepted[0], *accepted[1:-1]]
            indent = self.indent_last
        return "\n".join(before) + "\n", head, f"{tail}\n" + "\n".join(after) + "\n", indent, tail

    def fim(self, place, accepted, use_cache):
        """Asks for the text at `place`, or at the cursor where that is by then."""
        if self.job:
            if self.timer:
                self.timer.cancel()
            self.timer = asyncio.get_running_loop().call_later(RETRY, self.again, place, accepted, use_cache)
            return
        row, column = place or (self.row, self.column)
        if row >= len(self.lines):
            return
        prefix, middle, suffix, indent, tail = self.context(row, column, accepted)
        if len(tail.encode()) > MAX_LINE_SUFFIX:
            return
        keys, shorter = [prefix + middle + HERE + suffix], prefix
        for _ in range(3):
            shorter = shorter.partition("\n")[2]
            if not shorter:
                break
            keys.append(shorter + middle + HERE + suffix)
        if use_cache and any(self.cached(key) is not None for key in keys):
            return
        self.indent_last = indent
        chunk = self.part(self.around())
        for index in range(len(self.ring) - 1, 0, -1):
            if similarity(self.ring[index], chunk) > 0.5:
                del self.ring[index]
        request = {
            "id_slot": 0,
            "input_prefix": prefix,
            "input_suffix": suffix,
            "input_extra": self.extra(),
            "prompt": middle,
            "n_predict": N_PREDICT,
            "stop": [],
            "n_indent": indent,
            "top_k": 40,
            "top_p": 0.90,
            "samplers": ["top_k", "top_p", "infill"],
            "stream": False,
            "cache_prompt": True,
            "t_max_prompt_ms": T_MAX_PROMPT_MS,
            "t_max_predict_ms": T_MAX_PREDICT_MS if accepted else T_FIRST_PREDICT_MS,
            "response_fields": ["content", "timings/prompt_n", "timings/predicted_n", "truncated"],
        }
        self.requests["speculative" if accepted else "first"] += 1
        self.job = self.start(self.complete(request, keys, bool(accepted), self.changed))
        if abs(row - self.picked) > 32:
            self.pick(self.get(row - RING_SCOPE, max(0, row - N_PREFIX)), False)
            self.pick(self.get(min(len(self.lines) - 1, row + N_SUFFIX), row + N_SUFFIX + CHUNK_SIZE), False)
            self.picked = row

    def again(self, place, accepted, use_cache):
        self.timer = None
        self.fim(place, accepted, use_cache)

    async def complete(self, request, keys, speculative, changed):
        asked, step, cursor = time.perf_counter(), self.step, self.offset
        response = await self.post(request)
        when = time.perf_counter()
        self.log.append(
            {
                "request": "speculative" if speculative else "first",
                "step": step,
                "cursor": cursor,
                "ms": (when - asked) * 1e3,
                "read": response.get("timings/prompt_n"),
                "written": response.get("timings/predicted_n"),
                "empty": not response.get("content", "").strip(),
                "moved": self.changed > changed,
                "cold": self.cold,
                "failed": response.get("error"),
            }
        )
        if response.get("content"):
            for key in keys:
                self.keep(key, response["content"])
            if not self.shown or not self.data["acceptable"]:
                came = None if speculative else {"ms": (when - asked) * 1e3, "asked": changed}
                self.try_hint(came)
        # The job's end comes after its output.
        self.job = None

    # The cache

    def keep(self, key, content):
        if len(self.cache) > MAX_CACHE_KEYS - 1:
            del self.cache[next(iter(self.cache))]
        self.cache.pop(key, None)
        self.cache[key] = content

    def cached(self, key):
        content = self.cache.get(key)
        if content is not None:
            del self.cache[key]
            self.cache[key] = content
        return content

    # Showing

    def on_move(self):
        self.moved_at = time.perf_counter()
        self.shown = False
        self.try_hint(None)

    def try_hint(self, came):
        """Shows what the cache has for the cursor; `came`: the request that just put it there."""
        start = time.perf_counter()
        prefix, middle, suffix, _, _ = self.context(self.row, self.column, [])
        content = self.cached(prefix + middle + HERE + suffix)
        through = content is None
        if through:
            typed, best = prefix + middle, 0
            for back in range(min(TYPED_THROUGH, len(typed) - 1)):
                earlier = self.cached(typed[: -(1 + back)] + HERE + suffix)
                if earlier and earlier.startswith(typed[-(1 + back) :]) and len(earlier) - back - 1 > best:
                    content, best = earlier[back + 1 :], len(earlier) - back - 1
        if content is None:
            return
        hint = self.render(content)
        if hint:
            now = time.perf_counter()
            fresh = came is not None and not through and came["asked"] == self.changed
            self.log.append(
                hint
                | {
                    "step": self.step,
                    "cursor": self.offset,
                    "source": "request" if fresh else "cache",
                    "ms": came["ms"] + (now - start) * 1e3 if fresh else (now - start) * 1e3,
                    "key_ms": (now - self.changed) * 1e3,
                    "cold": self.cold,
                }
            )
            self.cold = False
        self.fim((self.row, self.column), self.data["content"], True)

    def render(self, text):
        """Works out the hint; what it would do if there is one to accept."""
        content = text.split("\n")
        while content and content[-1] == "":
            content.pop()
        acceptable = bool(content)
        content = content or [""]
        line = self.lines[self.row]
        start = end = self.offset
        before = ""
        if not line.strip():
            lead = min(len(content[0]) - len(content[0].lstrip(" \t")), len(line))
            start, end = self.offset - self.column, self.offset - self.column + len(line)
            line, content[0] = content[0][:lead], content[0][lead:]
            before = line[: self.column]
        head, tail = line[: self.column], line[self.column :]
        if len(content) > 1 and content[0] == "" and content[1:] == self.get(self.row + 1, self.row + len(content) - 1):
            content = [""]
        if len(content) == 1 and content[0] == tail:
            content = [""]
        below = self.row + 1
        while below < len(self.lines) - 1 and not self.lines[below].strip():
            below += 1
        if below < len(self.lines) and head + content[0] == self.lines[below]:
            following = self.get(below + 1, below + len(content) - 1)
            if len(content) == 1:
                content = [""]
            elif len(content) == 2 and (following or [""])[0].startswith(content[-1]):
                content = [""]
            elif len(content) > 2 and content[1:] == following:
                content = [""]
        inserted = "\n".join(content)
        content = [*content[:-1], content[-1] + tail]
        self.shown = True
        acceptable = acceptable and bool("\n".join(content).strip())
        self.data = {"content": content, "acceptable": acceptable}
        if not acceptable or not inserted.strip():
            return None
        return {"replaces": [start, end], "insert": before + inserted, "text": inserted}

    # The server

    def start(self, work):
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def post(self, request):
        """One request on a connection of its own, as `curl` makes it."""
        body = json.dumps(request).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        head = f"POST /infill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return json.loads(answer.partition(b"\r\n\r\n")[2])


def similarity(one, other):
    """Of two chunks: 0 for nothing in common, 1 for the same."""
    first, second = (re.findall(r"[A-Za-z0-9_]+", "\n".join(chunk)) for chunk in (one, other))
    known = set(first)
    if not first and not second:
        return 1.0
    return 2.0 * sum(word in known for word in second) / (len(first) + len(second))


async def run(program, model, arguments, port, name, text, steps, report):
    """Types `steps` with the plugin; the hints and the CPU's figures."""
    environment = dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(program))
    with open(report, "w", encoding="utf-8") as output:
        child = await asyncio.create_subprocess_exec(
            program, "-m", model, "--host", "127.0.0.1", "--port", str(port), *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, env=environment,
        )  # fmt: skip
    try:
        for _ in range(1200):
            await asyncio.sleep(0.1)
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                    if answer.status == 200:
                        break
            assert child.returncode is None, f"llama-server ended; see {report}"
        log = []
        editor = LlamaVim(port, name, text, log)
        figures = await ours.type_steps(editor, steps, child.pid)
        await editor.settle()
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()
    return log, figures | {"name": "llama.vim", "requests": editor.requests, "text": editor.text}
