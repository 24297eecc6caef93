"""What the tests share: the program, a project of its own for each test, editors."""

import json
import os
import pathlib

import pytest
import pytest_asyncio
from editor import Editor
from wire import Wire

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def agent():
    """The program under test."""
    program = pathlib.Path(os.environ.get("AGENT_BIN", TOP / "target/debug/agent")).resolve()
    assert program.exists(), f"{program}: not there; run cargo build first"
    return str(program)


@pytest.fixture
def project(tmp_path):
    """An empty project, in a folder with a space and a letter beyond ASCII."""
    root = tmp_path / "ein Prøjekt"
    (root / ".git").mkdir(parents=True)
    return root


@pytest.fixture
def environment(tmp_path):
    """An environment in which nothing of the user's is found."""
    home = tmp_path / "home"
    runtime = tmp_path / "run"
    home.mkdir()
    runtime.mkdir()
    kept = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "LLVM_PROFILE_FILE")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    real = pathlib.Path.home()
    env.setdefault("CARGO_HOME", str(real / ".cargo"))
    env.setdefault("RUSTUP_HOME", str(real / ".rustup"))
    return env | {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}


@pytest.fixture
def script(tmp_path):
    """Writes canned answers; returns the model's name."""
    count = 0

    def write(*rules, **more):
        nonlocal count
        count += 1
        path = tmp_path / f"answers{count}.json"
        listed = [{"when": when, "answers": [answer] if isinstance(answer, str) else answer} for when, answer in rules]
        path.write_text(json.dumps({"rules": listed, **more}))
        return f"scripted:{path}"

    return write


@pytest_asyncio.fixture
async def open_editor(agent, project, environment):
    """Starts editors; ends them with the test."""
    editors = []

    async def start(kind, model, *, configuration=None, **options):
        # A slow machine is no reason for an answer to be missing.
        options["complete"] = {"limit_ms": 60000} | options.get("complete", {})
        editor = await Editor.start(
            kind, [agent, "lsp"], environment, project, {"model": model, **options}, configuration
        )
        editors.append(editor)
        return editor

    yield start
    for editor in editors:
        await editor.end()


@pytest.fixture
def wire(agent, environment, tmp_path):
    """Starts servers spoken to in raw JSON-RPC; kills them with the test."""
    wires = []
    folder = tmp_path / "plain"
    folder.mkdir()

    def start(**env):
        wire = Wire([agent, "lsp"], environment | env, folder)
        wires.append(wire)
        return wire

    yield start
    for opened in wires:
        opened.kill()
