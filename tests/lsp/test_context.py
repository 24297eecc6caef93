"""What a suggestion is asked with, shown to the editor; what stays of it; where there is none."""

import asyncio

import pytest
from editor import PATIENCE, as_json
from lsprotocol import types
from pygls.exceptions import JsonRpcException

pytestmark = pytest.mark.parametrize("kind", ["neovim"])


async def context(editor, uri, offset):
    position = editor.position(uri, offset)
    params = {"textDocument": {"uri": uri}, "position": {"line": position.line, "character": position.character}}
    return as_json(await asyncio.wait_for(editor.client.protocol.send_request_async("agent/context", params), PATIENCE))


async def start(open_editor, script, project, text, **options):
    editor = await open_editor("neovim", script(("", "word")), **options)
    await editor.ready()
    uri = (project / "a.py").as_uri()
    editor.open(uri, text.replace("ˇ", ""))
    return editor, uri, text.index("ˇ")


def kinds(answer):
    return [part["kind"] for part in answer["parts"]]


async def test_the_parts_of_a_prompt_are_shown_and_what_is_typed_comes_last(kind, open_editor, project, script):
    (project / "item.py").write_text("class Item:\n    price: int\n")
    editor, uri, offset = await start(open_editor, script, project, "from item import Item\n\nx = ˇ\ny = 2\n")
    for _ in range(200):
        first = await context(editor, uri, offset)
        if any(part["path"] == "item.py" for part in first["parts"]):
            break
    assert first["reuse"].startswith(("new:", "kept")), first
    assert kinds(first)[0] == "repository" and kinds(first)[-3:] == ["prefix", "suffix", "typed"]
    assert first["parts"][-1]["text"] == "x = " and first["parts"][-1]["startLine"] == 3
    assert first["tokens"] <= first["budget"] and first["buildMs"] > 0
    editor.replace(uri, offset, offset, "Item(\n    ")
    second = await context(editor, uri, offset + len("Item(\n    "))
    assert second["reuse"].startswith("kept"), second
    assert second["parts"][:-1] == first["parts"][:-1]
    assert second["prompt"].startswith(first["prompt"])
    editor.replace(uri, 0, 0, "import os\n")
    third = await context(editor, uri, offset + len("import os\nItem(\n    "))
    assert third["reuse"].startswith("new:"), third


async def test_a_file_that_is_excluded_meanwhile_leaves_the_prompt_that_is_typed_on(kind, open_editor, project, script):
    (project / "item.py").write_text("class Item:\n    price: int\n")
    editor, uri, offset = await start(open_editor, script, project, "from item import Item\n\nx = ˇ\ny = 2\n")
    for _ in range(200):
        if "price" in (await context(editor, uri, offset))["prompt"]:
            break
    else:
        pytest.fail("the file was never shown")
    settings = types.DidChangeConfigurationParams(settings={"agent": {"exclude": ["item.py"]}})
    editor.client.workspace_did_change_configuration(settings)
    editor.replace(uri, offset, offset, "I")
    after = await context(editor, uri, offset + 1)
    assert "price" not in after["prompt"], after


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"exclude": ["a.*"]}, "excluded by `a.*`"),
        ({"complete": {"languages": ["rust"]}}, "switched off for python"),
        ({"complete": {"enabled": False}}, "complete.enabled"),
    ],
)
async def test_where_there_is_no_suggestion_the_answer_says_why(kind, open_editor, project, script, options, reason):
    editor, uri, offset = await start(open_editor, script, project, "value = ˇ\n", **options)
    assert await editor.inline(uri, offset) == []
    with pytest.raises(JsonRpcException, match=reason):
        await context(editor, uri, offset)


async def test_a_language_without_a_grammar_is_switched_off_by_the_editors_name(kind, open_editor, project, script):
    editor = await open_editor("neovim", script(("", "word")), complete={"languages": ["!markdown"]})
    await editor.ready()
    for name, language, texts in (("a.md", "markdown", []), ("a.lua", "lua", ["word"])):
        uri = (project / name).as_uri()
        editor.open(uri, "value = ", language)
        assert [item.insert_text for item in await editor.inline(uri, 8)] == texts, name


async def test_excluded_files_are_in_no_prompt(kind, open_editor, project, script):
    (project / "agent.toml").write_text('exclude = ["secret/"]\n')
    (project / "secret").mkdir()
    (project / "secret" / "plan.py").write_text("class Plan:\n    pass\n")
    (project / "item.py").write_text("class Item:\n    price: int\n")
    text = "from secret.plan import Plan\nfrom item import Item\nx = ˇ\n"
    editor, uri, offset = await start(open_editor, script, project, text)
    for _ in range(200):
        answer = await context(editor, uri, offset)
        if any(part["path"] == "item.py" for part in answer["parts"]):
            break
    assert "class Plan" not in answer["prompt"] and "class Item" in answer["prompt"]


async def test_each_folder_has_options_of_its_own_and_changes_of_them_are_seen(
    kind, open_editor, project, script, tmp_path
):
    other = tmp_path / "other"
    other.mkdir()
    (other / "agent.toml").write_text("[complete]\nenabled = false\n")
    editor = await open_editor("neovim", script(("", "word")))
    await editor.ready()
    folder = types.WorkspaceFolder(uri=other.as_uri(), name="other")
    editor.client.workspace_did_change_workspace_folders(
        types.DidChangeWorkspaceFoldersParams(event=types.WorkspaceFoldersChangeEvent(added=[folder], removed=[]))
    )
    uris = [(folder / "b.py").as_uri() for folder in (project, other)]
    for uri in uris:
        editor.open(uri, "value = ")
    assert [len(await editor.inline(uri, 8)) for uri in uris] == [1, 0]
    (other / "agent.toml").write_text("sede = 1\n")
    changed = types.FileEvent(uri=(other / "agent.toml").as_uri(), type=types.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=[changed]))
    assert [len(await editor.inline(uri, 8)) for uri in uris] == [1, 1]
    await editor.until("what is wrong in it", lambda: [m for m in editor.said() if "unknown option sede" in m])
