"""Explanations for clients that cannot be shown a document."""


def test_an_explanation_is_told_and_then_stands_in_the_hover(wire, script, project):
    server = wire()
    model = script(("", "Adds up."))
    offered = server.initialize({}, initializationOptions={"model": model})
    assert offered["hoverProvider"]
    uri = (project / "a.py").as_uri()
    server.open(uri, "def total(prices):\n    return sum(prices)\n")
    place = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 6}}
    assert server.request("textDocument/hover", place)["result"] is None
    argument = {"uri": uri, "range": {"start": place["position"], "end": place["position"]}}
    done = server.request("workspace/executeCommand", {"command": "agent.explain", "arguments": [argument]})
    assert done["result"] is None
    server.sent("window/showMessage")
    hover = server.request("textDocument/hover", place)["result"]
    assert "total" in hover["contents"]["value"]
    change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "def other(): pass\n"}]}
    server.notify("textDocument/didChange", change)
    assert server.request("textDocument/hover", place)["result"] is None
