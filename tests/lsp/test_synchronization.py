"""Edits, requests and cancellation in wire order, as Neovim and VS Code send them."""

import asyncio
import time

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

pytestmark = pytest.mark.parametrize("kind", ["neovim", "vscode"])
SLOW = " ".join(["word"] * 600)


def uri_of(project, name):
    return (project / name).as_uri()


def ask(editor, uri, offset):
    """Sends a request for a suggestion; returns its id and its future."""
    identity = f"asked-{uri}-{time.monotonic()}"
    params = editor.inline_params(uri, offset)
    future = editor.client.protocol.send_request(types.TEXT_DOCUMENT_INLINE_COMPLETION, params, msg_id=identity)
    return identity, asyncio.wrap_future(future)


async def error_of(future, patience=5):
    with pytest.raises(JsonRpcException) as caught:
        await asyncio.wait_for(future, patience)
    return caught.value.code


async def test_four_slow_requests_hold_up_nothing(kind, open_editor, project, script):
    editor = await open_editor(kind, script(("quick_place", "return 7"), ("", SLOW), delay_ms=100))
    await editor.ready()
    slow = []
    for number in range(4):
        uri = uri_of(project, f"slow{number}.py")
        editor.open(uri, "def slow():\n    ")
        slow.append(ask(editor, uri, 16))
    quick = uri_of(project, "quick.py")
    editor.open(quick, "def before():\n    pass\n")
    await asyncio.sleep(0.3)
    started = time.monotonic()
    editor.replace(quick, 4, 10, "quick_place")
    titles = [action.title for action in await editor.actions(quick, 6)]
    assert "Explain `quick_place`" in titles, "the change came before the request"
    assert time.monotonic() - started < 2
    assert not any(future.done() for _, future in slow)
    for identity, _ in slow:
        editor.client.cancel_request(types.CancelParams(id=identity))
    for _, future in slow:
        assert await error_of(future, 2) == -32800
    assert time.monotonic() - started < 3
    editor.replace(quick, len(editor.text(quick)), len(editor.text(quick)), "\n\ndef more():\n    ")
    items = await editor.inline(quick, len(editor.text(quick)))
    assert [item.insert_text for item in items] == ["return 7"]


async def test_a_change_ends_the_request_it_overtakes(kind, open_editor, project, script):
    editor = await open_editor(kind, script(("", SLOW), delay_ms=100))
    uri = uri_of(project, "a.py")
    editor.open(uri, "def f():\n    ")
    _, first = ask(editor, uri, 13)
    await asyncio.sleep(0.2)
    editor.replace(uri, 13, 13, "r")
    assert await error_of(first, 2) == -32801
    _, second = ask(editor, uri, 14)
    _, third = ask(editor, uri, 14)
    assert await error_of(second, 2) == -32801, "a newer request wins"
    assert not third.done()


async def test_a_document_closed_during_generation(kind, open_editor, project, script):
    editor = await open_editor(kind, script(("", SLOW), delay_ms=100))
    await editor.ready()
    uri = uri_of(project, "a.py")
    editor.open(uri, "def f():\n    ")
    _, asked = ask(editor, uri, 13)
    await asyncio.sleep(0.2)
    editor.close(uri)
    assert await error_of(asked, 2) == -32801
    assert (await editor.status())["openDocuments"] == 0


async def test_a_burst_of_changes_is_seen_whole(kind, open_editor, project, script):
    editor = await open_editor(kind, script(("a😀ß_199 = 199\n", "1"), ("", "wrong")))
    await editor.ready()
    uri = uri_of(project, "a.py")
    editor.open(uri, "")
    for number in range(200):
        end = len(editor.text(uri))
        editor.replace(uri, end, end, f"a😀ß_{number} = {number}\r\n" if number % 2 else f"# {number}\n")
    # Undoes the line ends of every second line from the front, over and over beyond ASCII.
    while (at := editor.text(uri).find("\r\n")) >= 0:
        editor.replace(uri, at, at + 2, "\n")
    end = len(editor.text(uri))
    editor.replace(uri, end, end, "last = ")
    items = await editor.inline(uri, len(editor.text(uri)))
    assert [item.insert_text for item in items] == ["1"]


async def test_a_change_out_of_step_drops_the_document_until_it_is_opened_again(kind, open_editor, project, script):
    editor = await open_editor(kind, script(("", "1")))
    await editor.ready()
    uri = uri_of(project, "a.py")
    editor.open(uri, "x = ")
    editor.documents[uri][0] = -5
    editor.replace(uri, 0, 1, "y")
    assert await editor.inline(uri, 4) == []
    editor.open(uri, "x = ")
    assert [item.insert_text for item in await editor.inline(uri, 4)] == ["1"]
