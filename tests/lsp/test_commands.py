"""Code actions and the commands behind them: answered at once, worked off in the background."""

import asyncio
import os
import pathlib
import stat
import time
import urllib.parse

import pytest
from editor import as_json
from lsprotocol import types

pytestmark = pytest.mark.parametrize("kind", ["neovim", "vscode"])

CHAT = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
CODE = '''def total(prices):
    result = 0
    for price in prices:
        result += price
    return result
'''
SLOW = " ".join(["word"] * 600)


@pytest.fixture
def start(open_editor, project, script):
    """Opens an editor on CODE (or `text`)."""

    async def run(kind, *rules, text=CODE, name="cart.py", chat=CHAT, delay_ms=0, **options):
        path = project / name
        path.write_bytes(text.encode())
        editor = await open_editor(kind, script(*rules, chat_template=chat, delay_ms=delay_ms), **options)
        await editor.ready()
        editor.open(path.as_uri(), text)
        return editor, path.as_uri()

    return run


async def test_the_actions_of_a_function_come_at_once_and_without_the_model(kind, start):
    editor, uri = await start(kind, ("", SLOW), delay_ms=100)
    started = time.monotonic()
    actions = await editor.actions(uri, CODE.index("result"))
    assert time.monotonic() - started < 2
    titles = [action.title for action in actions]
    assert titles == ["Explain `total`", "Write doc comment for `total`", "Generate tests for `total`", "Rewrite `total`…"]
    assert all(as_json(action.command.arguments[0])["version"] == 1 for action in actions)


async def test_a_model_that_follows_no_instructions_cannot_rewrite(kind, start):
    editor, uri = await start(kind, ("", "x"), chat=None)
    rewrite = (await editor.actions(uri, 4))[-1]
    assert rewrite.title.startswith("Rewrite")
    assert "instruct" in rewrite.disabled.reason


async def test_a_diagnostic_gets_a_fix(kind, start):
    editor, uri = await start(kind, text="import os\n\n\nx = 1\n")
    diagnostic = types.Diagnostic(range=editor.range(uri, 0, 9), message="`os` imported but unused\nhelp: remove it")
    fix, *_ = await editor.actions(uri, 0, 9, [diagnostic])
    assert fix.title == "Fix: `os` imported but unused"
    assert fix.kind == "quickfix"
    assert list(fix.diagnostics) == [diagnostic]


async def test_explain_shows_a_private_document(kind, start):
    editor, uri = await start(kind, ("", "Adds up all prices and returns the sum."))
    assert await editor.run_action(await editor.actions(uri, 4), "Explain") is None
    [shown] = await editor.until("the document", lambda: editor.client.shown_documents)
    path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(shown.uri).path))
    assert path.suffix == ".md"
    assert shown.take_focus
    assert "total" in path.read_text()
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await editor.until("the end", lambda: [kinds for kinds in editor.progress().values() if kinds[-1:] == ["end"]])
    [kinds] = editor.progress().values()
    assert kinds[0] == "begin"
    await editor.end()
    assert not path.exists(), "what was shown is gone with the session"


async def test_a_doc_comment_is_written_where_it_belongs_in_any_encoding(kind, start):
    text = "# a😀ß\r\n" + CODE.replace("\n", "\r\n")
    editor, uri = await start(kind, ("", "Add up all prices."), text=text, name="a b ü.py")
    await editor.run_action(await editor.actions(uri, text.index("total")), "Write doc")
    await editor.until("the edit", lambda: editor.edits or editor.said())
    assert editor.edits, editor.said()
    [edit] = editor.edits
    [change] = edit.document_changes
    assert change.text_document.version == 1
    after = editor.text(uri)
    assert '"""' in after
    assert after.startswith("# a😀ß\r\ndef total(prices):\r\n")
    without = [line for line in after.splitlines() if line in text.splitlines()]
    assert without == text.splitlines(), "nothing but the comment is new"


async def test_a_document_that_moved_on_is_left_alone(kind, start):
    editor, uri = await start(kind, ("", "Add up all prices."), delay_ms=300)
    await editor.run_action(await editor.actions(uri, 4), "Write doc")
    await asyncio.sleep(0.2)
    editor.replace(uri, 0, 0, "x = 1\n")
    await editor.until("a word about it", lambda: [m for m in editor.said() if "changed meanwhile" in m])
    assert editor.edits == []
    assert editor.text(uri) == "x = 1\n" + CODE


async def test_an_action_offered_for_an_older_version_is_refused(kind, start):
    editor, uri = await start(kind, ("", "Add up all prices."))
    actions = await editor.actions(uri, 4)
    editor.replace(uri, 0, 0, "x = 1\n")
    await editor.run_action(actions, "Write doc")
    await editor.until("a word about it", lambda: [m for m in editor.said() if "run it again" in m])
    assert editor.edits == []


async def test_an_editor_that_refuses_the_edit_is_believed(kind, start):
    editor, uri = await start(kind, ("", "Add up all prices."))
    editor.refuse_edits = True
    await editor.run_action(await editor.actions(uri, 4), "Write doc")
    await editor.until("a word about it", lambda: [m for m in editor.said() if "read-only buffer" in m])


async def test_work_is_cancelled_from_its_progress(kind, start):
    editor, uri = await start(kind, ("", SLOW), delay_ms=100)
    await editor.run_action(await editor.actions(uri, 4), "Write doc")
    reports = editor.client.progress_reports
    [token] = await editor.until("progress", lambda: [t for t, kinds in editor.progress().items() if kinds])
    assert reports[token][0].cancellable
    started = time.monotonic()
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=token))
    await editor.until("the end", lambda: editor.progress()[token][-1] == "end")
    assert time.monotonic() - started < 2
    assert editor.edits == []


async def test_work_goes_on_when_its_document_is_closed_but_changes_nothing_stale(kind, start):
    editor, uri = await start(kind, ("", "Add up all prices."), delay_ms=200)
    await editor.run_action(await editor.actions(uri, 4), "Write doc")
    await asyncio.sleep(0.1)
    path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(uri).path))
    path.write_text("something = 'else'\n")
    editor.close(uri)
    await editor.until("a word about it", lambda: [m for m in editor.said() if "changed meanwhile" in m])
    assert editor.edits == []


@pytest.mark.parametrize("command", ["agent.fix", "agent.test", "agent.rewrite"])
async def test_nothing_of_an_untrusted_project_is_executed(kind, command, start, project):
    (project / "conftest.py").write_text(f"open({str(project / 'ran')!r}, 'w')\n")
    editor, uri = await start(kind, ("", "x"))
    assert await editor.run(command, uri=uri, instruction="do it") is None
    [message] = await editor.until("the refusal", editor.said)
    assert "not trusted" in message and f"agent trust {project}" in message
    assert editor.edits == []
    assert not (project / "ran").exists()


async def test_an_editor_vouches_for_its_own_folders_only(kind, start, tmp_path):
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    editor, uri = await start(kind, ("", "x"), name=other / "cart.py", trusted=True)
    assert await editor.run("agent.fix", uri=uri) is None
    [message] = await editor.until("the refusal", editor.said)
    assert "not trusted" in message and str(other) in message


async def test_rewrite_without_an_instruction_says_what_is_missing(kind, start):
    editor, uri = await start(kind, ("", "x"), trusted=True)
    await editor.run_action(await editor.actions(uri, 4), "Rewrite")
    await editor.until("a word about it", lambda: [m for m in editor.said() if "instruction" in m])


async def test_rewrite_replaces_the_function_and_nothing_else(kind, start):
    answer = "```python\ndef total(prices):\n    return sum(prices)\n```"
    editor, uri = await start(kind, ("", answer), text=CODE + "\n\nx = 1\n", trusted=True)
    await editor.run("agent.rewrite", uri=uri, range=position(0, 4), instruction="use sum")
    await editor.until("the edit", lambda: editor.edits or editor.said())
    assert editor.edits, editor.said()
    assert editor.text(uri) == "def total(prices):\n    return sum(prices)\n\n\nx = 1\n"


async def test_what_cannot_be_verified_is_said_and_changes_nothing(kind, start):
    answer = "```python\ndef total(prices:\n    return (\n```"
    editor, uri = await start(kind, ("", answer), trusted=True)
    await editor.run("agent.rewrite", uri=uri, range=position(0, 4), instruction="break it")
    await editor.until("a word about it", editor.said)
    assert editor.edits == []
    assert editor.text(uri) == CODE


async def test_a_file_that_is_not_saved_is_not_executed(kind, start):
    editor, _ = await start(kind, ("", "x"), trusted=True)
    editor.open("untitled:Untitled-1", "def f(): pass\n")
    await editor.run("agent.test", uri="untitled:Untitled-1")
    await editor.until("a word about it", lambda: [m for m in editor.said() if "save the file" in m])


async def test_a_document_that_is_not_open_is_refused(kind, start, project):
    editor, _ = await start(kind, ("", "x"))
    await editor.run("agent.explain", uri=(project / "other.py").as_uri())
    await editor.until("a word about it", lambda: [m for m in editor.said() if "not open" in m])


async def test_a_fix_repairs_the_file_in_a_trusted_project(kind, start):
    broken = "def area(width, height):\n    return width * height)\n"
    mended = ("width * height", "def area(width, height):\n    return width * height\n")
    editor, uri = await start(kind, mended, text=broken, trusted=True)
    diagnostic = types.Diagnostic(range=editor.range(uri, broken.index(")\n", 30), len(broken) - 1), message="unmatched ')'")
    await editor.run_action(await editor.actions(uri, 30, None, [diagnostic]), "Fix")
    await editor.until("the edit", lambda: editor.edits or editor.said())
    assert editor.edits, editor.said()
    assert editor.text(uri) == broken.replace("height)\n", "height\n")
    await editor.until("a word about it", editor.said)


async def test_tests_are_written_to_a_file_of_their_own_in_a_trusted_project(kind, start, project):
    editor, uri = await start(kind, ("", "x"), trusted=True)
    await editor.run_action(await editor.actions(uri, 4), "Generate tests")
    await editor.until("the edit", lambda: editor.edits or editor.said())
    assert editor.edits, editor.said()
    [written] = [other for other in editor.documents if other != uri]
    assert "import total" in editor.text(written)
    assert editor.text(uri) == CODE
    created = editor.edits[0].document_changes[0]
    assert isinstance(created, types.CreateFile) and created.uri == written


def position(line, character):
    at = {"line": line, "character": character}
    return {"start": at, "end": at}
