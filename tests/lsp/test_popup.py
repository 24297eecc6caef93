"""Plain completion, for clients without ghost text (Helix)."""

HELIX = {
    "general": {"positionEncodings": ["utf-8", "utf-32", "utf-16"]},
    "textDocument": {"completion": {"completionItem": {"insertReplaceSupport": True}}},
    "window": {"showDocument": {"support": True}},
}


def test_the_popup_holds_the_suggestion_and_replaces_the_word(wire, script, project):
    server = wire()
    offered = server.initialize(HELIX, initializationOptions={"model": script(("", "al(prices)\n"))})
    assert offered["positionEncoding"] == "utf-8"
    assert offered["completionProvider"]["triggerCharacters"] == []
    uri = (project / "a.py").as_uri()
    server.open(uri, "ß = 1\nx = tot")
    position = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 7}}
    answer = server.request("textDocument/completion", position)["result"]
    assert answer["isIncomplete"]
    [item] = answer["items"]
    assert item["textEdit"]["newText"] == "total(prices)"
    assert item["textEdit"]["range"] == {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 7}}
    assert item["filterText"] == "tot"
    assert "total(prices)" in item["documentation"]["value"]


def test_a_client_with_ghost_text_gets_no_popup_items(wire, script, project):
    server = wire()
    ghost = {"textDocument": {"inlineCompletion": {}}}
    offered = server.initialize(ghost, initializationOptions={"model": script(("", "x"))})
    assert "completionProvider" not in offered
    uri = (project / "a.py").as_uri()
    server.open(uri, "value = ")
    position = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 8}}
    assert server.request("textDocument/completion", position)["result"] is None
