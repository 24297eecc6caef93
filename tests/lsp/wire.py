"""Raw JSON-RPC over a server's pipes, for what no well-behaved editor does."""

import json
import queue
import subprocess
import threading


class Wire:
    """One server process."""

    def __init__(self, command, env, folder):
        self.folder = folder
        self.process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.reply = True
        self.answers = {}
        self.received = []
        self.errors = b""
        self._inbox = queue.Queue()
        self._next = 1
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def send_bytes(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send_body(self, body):
        self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def send(self, **message):
        self.send_body(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def notify(self, method, params=None):
        self.send(method=method, params=params)

    def start(self, method, params=None):
        """Sends a request; returns its id."""
        identity = self._next
        self._next += 1
        self.send(id=identity, method=method, params=params)
        return identity

    def answer(self, identity, timeout=10):
        """The answer to a request."""
        while identity not in self.answers:
            self._take(timeout)
        return self.answers[identity]

    def request(self, method, params=None, timeout=10):
        return self.answer(self.start(method, params), timeout)

    def drain(self, seconds=0.3):
        """Takes whatever comes within some time of silence."""
        while True:
            try:
                self._take(seconds)
            except TimeoutError:
                return

    def sent(self, method, timeout=10):
        """The first message of that method that the server sends."""
        while True:
            for message in self.received:
                if message.get("method") == method:
                    return message
            self._take(timeout)

    def uri(self, name):
        """A file of a folder of the test's own: what lies around a file is read."""
        return (self.folder / name).as_uri()

    def initialize(self, capabilities=None, **more):
        # A slow machine is no reason for an answer to be missing.
        options = more.get("initializationOptions")
        if isinstance(options, dict):
            patient = {"limit_ms": 60000} | options.get("complete", {})
            more["initializationOptions"] = options | {"complete": patient}
        answer = self.request("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **more})
        self.notify("initialized", {})
        return answer["result"]["capabilities"]

    def open(self, uri, text, language="python", version=1):
        document = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def inline_params(self, uri, line, character):
        return {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 2},
        }

    def wait(self, timeout):
        """The exit code."""
        return self.process.wait(timeout)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stdin.close()

    def _take(self, timeout):
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no message; stderr: {self.errors.decode()}") from None
        if message is None:
            raise EOFError(f"the server closed its output; stderr: {self.errors.decode()}")
        self.received.append(message)
        if "method" not in message:
            identity = message.get("id")
            assert identity is None or identity not in self.answers, f"a second answer to {identity}"
            self.answers[identity] = message
        elif "id" in message and self.reply:
            self.send(id=message["id"], result=None)

    def _read(self):
        out = self.process.stdout
        while True:
            length = None
            while (line := out.readline().strip()):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if length is None:
                self._inbox.put(None)
                return
            self._inbox.put(json.loads(out.read(length)))

    def _read_errors(self):
        while chunk := self.process.stderr.read1(65536):
            self.errors += chunk
