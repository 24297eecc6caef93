"""Starting, ending, and everything a client may get wrong in between."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

INLINE = "textDocument/inlineCompletion"
SLOW = " ".join(["word"] * 600)


@pytest.fixture
def slow(script):
    """A model that needs a minute for an answer."""
    return script(("", SLOW), delay_ms=100)


def code(answer):
    return answer.get("error", {}).get("code")


def test_exit_ends_the_program_while_its_input_is_open(wire):
    server = wire()
    server.initialize()
    assert server.request("shutdown")["result"] is None
    started = time.monotonic()
    server.notify("exit")
    assert server.wait(5) == 0
    assert time.monotonic() - started < 2


def test_shutdown_and_exit_sent_together_are_both_served(wire):
    server = wire()
    server.initialize()
    identity = server.start("shutdown")
    server.notify("exit")
    assert server.answer(identity)["result"] is None
    assert server.wait(5) == 0


def test_exit_without_shutdown_is_an_error(wire):
    server = wire()
    server.initialize()
    server.notify("exit")
    assert server.wait(5) == 1


def test_exit_before_initialize(wire):
    server = wire()
    server.notify("exit")
    assert server.wait(5) == 1


@pytest.mark.parametrize("rest", [b"", b"Content-Le", b"Content-Length: 99\r\n\r\n{"])
def test_the_end_of_input_ends_the_program(wire, rest):
    server = wire()
    server.initialize()
    server.send_bytes(rest)
    server.process.stdin.close()
    assert server.wait(5) == 1


def test_exit_does_not_wait_for_work_in_hand(wire, slow):
    server = wire()
    server.initialize(initializationOptions={"model": slow})
    server.open(server.uri("x.py"), "def f():\n    ")
    server.start(INLINE, server.inline_params(server.uri("x.py"), 1, 4))
    server.request("shutdown")
    server.notify("exit")
    assert server.wait(5) == 0


def test_a_dead_parent_ends_the_program_though_its_input_is_open(wire):
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    server = wire()
    server.initialize(processId=parent.pid)
    time.sleep(0.5)
    assert server.process.poll() is None
    parent.kill()
    parent.wait()
    assert server.wait(8) == 1


def test_a_dead_parent_leaves_no_explanation_behind(wire, script, project, environment):
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    server = wire()
    model = script(("", "Adds up."))
    capabilities = {"window": {"showDocument": {"support": True}}}
    server.initialize(capabilities, processId=parent.pid, initializationOptions={"model": model})
    uri = (project / "a.py").as_uri()
    server.open(uri, "def total(prices):\n    return sum(prices)\n")
    place = {"line": 1, "character": 6}
    argument = {"uri": uri, "range": {"start": place, "end": place}}
    server.request("workspace/executeCommand", {"command": "agent.explain", "arguments": [argument]})
    server.sent("window/showDocument")
    runtime = pathlib.Path(environment["XDG_RUNTIME_DIR"])
    assert list(runtime.rglob("*.md"))
    parent.kill()
    parent.wait()
    assert server.wait(8) == 1
    assert not list(runtime.iterdir())


def test_a_client_that_no_longer_reads_leaves_no_server(agent, environment):
    reading, writing = os.pipe()
    server = subprocess.Popen([agent, "lsp"], env=environment, stdin=subprocess.PIPE, stdout=writing)
    os.close(writing)
    os.close(reading)
    body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
    server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    server.stdin.flush()
    try:
        assert server.wait(5) == 1
    finally:
        server.kill()
        server.wait()
        server.stdin.close()


def test_nothing_is_served_before_initialize(wire):
    server = wire()
    server.open(server.uri("x.py"), "x = 1\n")
    assert code(server.request("textDocument/hover", {})) == -32002
    assert code(server.request("shutdown")) == -32002
    server.initialize()
    assert server.request("agent/status")["result"]["openDocuments"] == 0


def test_a_malformed_initialize_is_refused_and_a_second_one_too(wire):
    server = wire()
    for params in (None, [], {"capabilities": 3}, "x"):
        assert code(server.request("initialize", params)) == -32602
    server.initialize()
    assert code(server.request("initialize", {"capabilities": {}})) == -32600


def test_capabilities_newer_than_this_server_do_no_harm(wire):
    server = wire()
    server.initialize(
        {
            "workspace": {"workspaceEdit": {"failureHandling": "magic", "resourceOperations": ["conjure"]}},
            "textDocument": {"semanticTokens": {"formats": ["spiral"]}, "hover": 7},
        },
        trace="everything",
    )
    assert "result" in server.request("agent/status")


def test_requests_after_shutdown_are_refused_and_answered(wire):
    server = wire()
    server.initialize()
    server.request("shutdown")
    server.open(server.uri("x.py"), "x")
    for method in ("textDocument/hover", INLINE, "agent/status", "shutdown", "initialize"):
        assert code(server.request(method, {"capabilities": {}})) in (-32600, -32602)


def test_shutdown_answers_what_is_in_flight(wire, slow):
    server = wire()
    server.initialize(initializationOptions={"model": slow})
    server.open(server.uri("x.py"), "def f():\n    ")
    asked = server.start(INLINE, server.inline_params(server.uri("x.py"), 1, 4))
    time.sleep(0.3)
    server.request("shutdown")
    assert code(server.answer(asked, 5)) == -32801


def test_unknown_methods_are_refused_and_unknown_notifications_ignored(wire):
    server = wire()
    server.initialize()
    for method in ("textDocument/nothing", "$/nothing", ""):
        assert code(server.request(method, {})) == -32601
    server.notify("textDocument/nothing", {})
    server.notify("$/nothing", {})
    server.notify("textDocument/willSave", {})
    server.notify("$/setTrace", {"value": "verbose"})
    assert "result" in server.request("agent/status")


def test_malformed_parameters_are_refused(wire):
    server = wire()
    server.initialize()
    for method in (INLINE, "textDocument/codeAction", "textDocument/hover", "workspace/executeCommand"):
        for params in (None, {}, [], "x", {"textDocument": {"uri": "not a uri"}, "position": {"line": -1}}):
            assert code(server.request(method, params)) == -32602, (method, params)
    assert code(server.request("workspace/executeCommand", {"command": "rm"})) == -32602
    assert code(server.request("workspace/executeCommand", {"command": "agent.explain", "arguments": [3]})) == -32602


def test_malformed_notifications_do_no_harm(wire):
    server = wire()
    server.initialize()
    for method in (
        "textDocument/didOpen",
        "textDocument/didChange",
        "textDocument/didClose",
        "textDocument/didSave",
        "$/cancelRequest",
        "window/workDoneProgress/cancel",
        "workspace/didChangeConfiguration",
        "workspace/didChangeWorkspaceFolders",
    ):
        for params in (None, {}, 3, {"textDocument": {"uri": 3}}):
            server.notify(method, params)
    # A request by the name of a notification has an answer all the same.
    assert code(server.request("textDocument/didOpen", {})) == -32600
    assert server.request("agent/status")["result"]["openDocuments"] == 0


def test_what_is_no_message_is_answered_and_the_next_one_served(wire):
    server = wire()
    server.initialize()
    for body in (b"{", b"\xff\xfe", b"[]", b"3", b'{"jsonrpc":"2.0"}', b"[" * 5000, b'{"jsonrpc":"2.0","method":3,"id":77}'):
        server.send_body(body)
        server.answers.pop(None, None)
        wanted = 77 if b"77" in body else None
        assert code(server.answer(wanted)) in (-32700, -32600)
    server.answers.pop(None, None)
    server.send_bytes(b"Something: else\r\n\r\n")
    assert code(server.answer(None)) == -32700
    assert "result" in server.request("agent/status")


def test_a_panic_in_a_handler_is_answered_and_the_next_request_served(wire):
    server = wire()
    server.initialize()
    answer = server.request("agent/panic")
    if code(answer) == -32601:
        pytest.skip("a release build has no method that panics")
    assert code(answer) == -32603
    assert "result" in server.request("agent/status")


def test_every_request_of_a_storm_has_exactly_one_answer(wire, slow):
    server = wire()
    server.initialize(initializationOptions={"model": slow})
    uris = [server.uri(f"{n}.py") for n in range(10)]
    for uri in uris:
        server.open(uri, "def f():\n    ")
    asked = [server.start(INLINE, server.inline_params(uri, 1, 4)) for uri in uris for _ in range(5)]
    asked += [server.start("textDocument/nothing") for _ in range(20)]
    for identity in asked[::2]:
        server.notify("$/cancelRequest", {"id": identity})
    for uri in uris:
        server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    for identity in asked:
        assert code(server.answer(identity, 5)) in (-32800, -32801, -32601)
    server.drain()


def test_logs_hold_no_text_of_the_user(wire, script):
    server = wire(AGENT_LOG="trace")
    server.initialize(initializationOptions={"model": script(("", "answer_secret")), "log": "trace"})
    uri = server.uri("x.py")
    server.open(uri, "password = 'text_secret'\n")
    server.request(INLINE, server.inline_params(uri, 1, 0))
    server.send_body(b'{"jsonrpc":"2.0","id":5,"method":"x","params":{"body_secret')
    server.request("shutdown")
    server.notify("exit")
    server.wait(5)
    time.sleep(0.2)
    assert b"_secret" not in server.errors, server.errors


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_standard_output_holds_nothing_but_the_protocol(wire):
    server = wire(RUST_BACKTRACE="1")
    server.initialize()
    server.request("agent/panic")
    server.drain()
    assert all(message["jsonrpc"] == "2.0" for message in server.received)


def test_a_client_that_never_answers_is_served_all_the_same(wire, script):
    server = wire()
    server.reply = False
    capabilities = {"workspace": {"configuration": True}, "window": {"workDoneProgress": True}}
    server.initialize(capabilities, initializationOptions={"model": script(("", "1"))})
    uri = server.uri("x.py")
    server.open(uri, "x = ")
    server.sent("workspace/configuration")
    argument = {"uri": uri}
    assert server.request("workspace/executeCommand", {"command": "agent.explain", "arguments": [argument]})["result"] is None
    [item] = server.request(INLINE, server.inline_params(uri, 0, 4))["result"]
    assert item["insertText"] == "1"


def test_a_large_document_with_many_edits_is_served(wire, script):
    server = wire()
    server.initialize(initializationOptions={"model": script(("", "1"))})
    uri = server.uri("x.py")
    server.open(uri, "name = 'value'  # a😀ß\n" * 10_000 + "x = ")
    for version in range(2, 12):
        place = {"line": version * 500, "character": 0}
        change = {"range": {"start": place, "end": place}, "text": "# new\n"}
        document = {"uri": uri, "version": version}
        server.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
    [item] = server.request(INLINE, server.inline_params(uri, 10_010, 4), timeout=60)["result"]
    assert item["insertText"] == "1"


def test_files_changed_by_other_programs_are_indexed(wire, script, project):
    server = wire()
    capabilities = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    (project / "a.py").write_text("def first(): pass\n")
    server.initialize(capabilities, rootUri=project.as_uri(), initializationOptions={"model": script(("", "1"))})
    server.open((project / "a.py").as_uri(), "def first(): pass\n")
    [registration] = server.sent("client/registerCapability")["params"]["registrations"]
    patterns = [watcher["globPattern"] for watcher in registration["registerOptions"]["watchers"]]
    assert any("py" in pattern for pattern in patterns), patterns
    assert any(pattern.endswith("agent.toml") for pattern in patterns), patterns
    assert any(".git/HEAD" in pattern for pattern in patterns), patterns

    def indexed(count):
        for _ in range(200):
            if server.request("agent/status")["result"]["indexedFiles"] == count:
                return True
            time.sleep(0.05)
        return False

    assert indexed(1)
    (project / "b.py").write_text("def second(): pass\n")
    created = {"uri": (project / "b.py").as_uri(), "type": 1}
    server.notify("workspace/didChangeWatchedFiles", {"changes": [created]})
    assert indexed(2)
    (project / "b.py").unlink()
    server.notify("workspace/didChangeWatchedFiles", {"changes": [created | {"type": 3}]})
    assert indexed(1)


def test_who_asks_for_it_is_told_how_the_server_is(wire, script, project):
    for number in range(40):
        (project / f"m{number}.py").write_text(f"def name{number}(): pass\n")
    server = wire()
    server.initialize(
        {"experimental": {"agentStatus": True}},
        rootUri=project.as_uri(),
        initializationOptions={"model": script(("", "1"))},
    )
    uri = (project / "a.py").as_uri()
    server.open(uri, "x = ")

    def told(what):
        for _ in range(200):
            server.drain(0.05)
            statuses = [message["params"] for message in server.received if message.get("method") == "agent/status"]
            if statuses and what(statuses[-1]):
                return statuses
        raise AssertionError(f"not told: {statuses[-3:]}")

    told(lambda status: status["modelState"] == "ready" and status["indexedFiles"] >= 40)
    server.request(INLINE, server.inline_params(uri, 0, 4))
    statuses = told(lambda status: "lastLatencyMs" in status)
    assert all(one != other for one, other in zip(statuses, statuses[1:])), "told only what is new"


def test_beside_other_ghost_text_only_who_asks_by_hand_is_answered(wire, script):
    server = wire()
    options = {"model": script(("", "1")), "complete": {"give_way": ["copilot"]}}
    server.initialize(initializationOptions=options)
    uri = server.uri("x.py")
    server.open(uri, "x = ")

    def suggested(kind):
        params = server.inline_params(uri, 0, 4) | {"context": {"triggerKind": kind}}
        return len(server.request(INLINE, params)["result"])

    assert suggested(2) == 1
    server.notify("agent/otherSuggestions", {"active": ["Copilot"]})
    assert (suggested(2), suggested(1)) == (0, 1)
    assert "Copilot" in server.request("agent/status")["result"]["silent"]
    server.notify("agent/otherSuggestions", {"active": []})
    assert suggested(2) == 1


def test_what_becomes_of_suggestions_is_counted_unless_that_is_switched_off(wire, script, agent, environment):
    def session(**options):
        server = wire()
        server.initialize(
            initializationOptions={"model": script(("", "value + 1")), "complete": {"ahead": False}, **options}
        )
        uri = server.uri("x.py")
        server.open(uri, "x = ")
        assert server.request(INLINE, server.inline_params(uri, 0, 4))["result"]
        place = {"line": 0, "character": 4}
        change = {"range": {"start": place, "end": place}, "text": "value + 1"}
        document = {"uri": uri, "version": 2}
        server.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        server.request("shutdown")
        server.notify("exit")
        assert server.process.wait(20) == 0

    def total():
        printed = subprocess.run([agent, "stats", "--json"], env=environment, capture_output=True, check=True)
        return json.loads(printed.stdout)["total"]

    session(stats=False)
    assert total()["shown"] == 0
    session()
    counted = total()
    assert (counted["shown"], counted["accepted_whole"], counted["accepted_characters"]) == (1, 1, 9)
    assert counted["candidates"] == 1
    session()
    assert total()["shown"] == 2
