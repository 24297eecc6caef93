"""Ghost text: where it goes, in every encoding, and where there is none."""

import asyncio

import pytest
from lsprotocol import types

pytestmark = pytest.mark.parametrize("kind", ["neovim", "vscode"])


async def start(open_editor, kind, model, project, text, *, name="a.py", **options):
    editor = await open_editor(kind, model, **options)
    await editor.ready()
    uri = (project / name).as_uri()
    editor.open(uri, text.replace("ˇ", ""))
    return editor, uri, text.index("ˇ")


async def test_the_encoding_fits_the_client(kind, open_editor, script):
    editor = await open_editor(kind, script())
    assert editor.encoding == {"neovim": "utf-8", "vscode": "utf-16"}[kind]
    assert editor.capabilities.inline_completion_provider
    assert editor.capabilities.completion_provider is None


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_columns_are_right_after_emoji_and_with_any_line_end(kind, ending, open_editor, project, script):
    text = 'greeting = "a😀ß"\nprint("a😀ß", ˇ)\nlast = 1\n'.replace("\n", ending)
    model = script(("", "greeting"))
    editor, uri, offset = await start(open_editor, kind, model, project, text)
    [item] = await editor.inline(uri, offset)
    editor.accept(uri, item)
    assert editor.text(uri) == text.replace("ˇ", "greeting")


async def test_a_suggestion_of_several_lines_has_a_range_of_one_line(kind, open_editor, project, script):
    model = script(("", "if a:\n        return a\n    return 1"))
    editor, uri, offset = await start(open_editor, kind, model, project, "def first(a):\n    ˇ\n\n\nx = 1\n")
    [item] = await editor.inline(uri, offset)
    assert item.range.start.line == item.range.end.line
    editor.accept(uri, item)
    assert editor.text(uri) == "def first(a):\n    if a:\n        return a\n    return 1\n\n\nx = 1\n"


async def test_the_selected_popup_item_is_gone_on_from(kind, open_editor, project, script):
    model = script(("length", "(0)"))
    editor, uri, offset = await start(open_editor, kind, model, project, "value = 'abc'.leˇ\n")
    selected = types.SelectedCompletionInfo(range=editor.range(uri, offset - 2, offset), text="length")
    [item] = await editor.inline(uri, offset, selected=selected)
    assert item.insert_text == "length(0)"
    editor.accept(uri, item)
    assert editor.text(uri) == "value = 'abc'.length(0)\n"


async def test_who_asks_by_hand_may_choose(kind, open_editor, project, script):
    model = script(("", ["one", "two", "three"]))
    editor, uri, offset = await start(open_editor, kind, model, project, "value = ˇ\n")
    assert len(await editor.inline(uri, offset)) == 1
    invoked = types.InlineCompletionTriggerKind.Invoked
    assert len(await editor.inline(uri, offset, kind=invoked)) == 3


async def test_scratch_text_and_secrets_get_no_suggestions(kind, open_editor, project, script):
    (project / ".env").write_text("KEY=")
    (project / "plain.txt").symlink_to(".env")
    editor = await open_editor(kind, script(("", "word")))
    await editor.ready()
    for uri, language in (
        ("untitled:Untitled-1", "plaintext"),
        ((project / "plain.txt").as_uri(), "plaintext"),
        ((project / ".env").as_uri(), "plaintext"),
        ((project / "server.pem").as_uri(), "plaintext"),
    ):
        editor.open(uri, "KEY=", language)
        assert await editor.inline(uri, 4) == [], uri
        assert await editor.actions(uri, 0) == [], uri


async def test_unsaved_code_and_languages_without_a_grammar_get_suggestions(kind, open_editor, project, script):
    editor = await open_editor(kind, script(("", "word")))
    await editor.ready()
    for uri, language in (("untitled:Untitled-1", "python"), ((project / "a.lua").as_uri(), "lua")):
        editor.open(uri, "value = ", language)
        assert [item.insert_text for item in await editor.inline(uri, 8)] == ["word"], uri


async def test_completion_can_be_switched_off_while_running(kind, open_editor, project, script):
    model = script(("", "word"))
    editor, uri, offset = await start(open_editor, kind, model, project, "value = ˇ", complete={"enabled": False})
    assert await editor.inline(uri, offset) == []
    editor.client.set_configuration({"complete": {"enabled": True}}, section="agent")
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    for _ in range(200):
        if await editor.inline(uri, offset):
            break
    assert [item.insert_text for item in await editor.inline(uri, offset)] == ["word"]


async def test_what_is_wrong_in_the_settings_is_told_once_and_the_rest_is_used(kind, open_editor, project, script):
    model = script(("", "word"))
    editor, uri, offset = await start(
        open_editor, kind, model, project, "value = ˇ", complete={"max_tokens": "many", "candidates": 2}, sede=3
    )
    assert [item.insert_text for item in await editor.inline(uri, offset)] == ["word"]
    said = [message for message in editor.said() if "max_tokens" in message or "sede" in message]
    assert len(said) == 2, editor.said()


async def test_a_model_that_is_not_there_is_told_and_nothing_hangs(kind, open_editor, project):
    editor = await open_editor(kind, "/nowhere/model.gguf")
    uri = (project / "a.py").as_uri()
    editor.open(uri, "value = ")
    assert await editor.inline(uri, 8) == []
    await editor.until("the reason", lambda: [m for m in editor.said() if "/nowhere/model.gguf" in m])
    assert (await editor.status())["modelState"] == "failed"


async def test_what_is_typed_of_a_suggestion_is_taken_off_and_comes_back_when_deleted(
    kind, open_editor, project, script
):
    model = script(("value = to", "wrong"), ("", "total + first"))
    editor, uri, offset = await start(open_editor, kind, model, project, "value = ˇ\n")

    async def left(at):
        [item] = await editor.inline(uri, at)
        return item.insert_text

    assert await left(offset) == "total + first"
    editor.replace(uri, offset, offset, "t")
    assert await left(offset + 1) == "otal + first"
    editor.replace(uri, offset + 1, offset + 1, "otal")
    assert await left(offset + 5) == " + first"
    editor.replace(uri, offset + 2, offset + 5, "")
    assert await left(offset + 2) == "tal + first"
    editor.replace(uri, 0, 0, "# above\n")
    assert await left(offset + 10) == "wrong", "another place"


async def test_a_suggestion_in_the_making_is_waited_for_by_who_types_what_it_says(kind, open_editor, project, script):
    # One word takes a while; the model would say something else at the later place.
    model = script(("value = t", "wrong"), ("", "total + first"), delay_ms=400)
    editor, uri, offset = await start(open_editor, kind, model, project, "value = ˇ\n")
    first = asyncio.ensure_future(editor.inline(uri, offset))
    await asyncio.sleep(0.5)
    editor.replace(uri, offset, offset, "t")
    [item] = await editor.inline(uri, offset + 1)
    assert item.insert_text == "otal + first"
    with pytest.raises(Exception, match="Content modified"):
        await first


async def test_a_model_that_says_something_else_than_was_typed_is_not_waited_for(kind, open_editor, project, script):
    # The first answer takes a minute from when it contradicts what is typed; the next comes at once.
    slow = " ".join(["other"] * 300)
    model = script(("value = x", "1"), ("", slow), delay_ms=200)
    editor, uri, offset = await start(open_editor, kind, model, project, "value = ˇ\n", complete={"limit_ms": 60000})
    first = asyncio.ensure_future(editor.inline(uri, offset))
    await asyncio.sleep(0.15)
    editor.replace(uri, offset, offset, "x")
    assert await editor.inline(uri, offset + 1) is not None
    with pytest.raises(Exception, match="Content modified"):
        await first


async def test_who_asks_again_where_there_was_no_time_may_get_more(kind, open_editor, project, script):
    model = script(("", "one + two + three + four + five"), delay_ms=150)
    options = {"complete": {"limit_ms": 700, "ahead": False}}
    editor, uri, offset = await start(open_editor, kind, model, project, "value = ˇ\n", **options)
    [first] = await editor.inline(uri, offset) or [None]
    assert first is None or "five" not in first.insert_text
    [whole] = await editor.inline(uri, offset, kind=types.InlineCompletionTriggerKind.Invoked)
    assert whole.insert_text.endswith("five")
