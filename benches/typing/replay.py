#!/usr/bin/env python3
"""Types a recorded editing trace at a human pace into `agent lsp` and into llama.vim with llama.cpp's
server, in turns, in real time.

  replay.py --trace FILE.json.gz --agent target/release/agent --server llama-server --output FOLDER

writes one file for each run into FOLDER; `table.py` makes the table of them, after
`cargo bench --bench typing -- --trace FILE.json --judge FOLDER/*.json` has parsed what was shown. Needs
nothing beside Python. Nothing else should run meanwhile: a run takes as long as the typing.
"""

import argparse
import asyncio
import json
import os
import pathlib
import shutil
import tempfile

import ours
import recording
import rival

TOP = pathlib.Path(__file__).resolve().parents[2]
# llama-server: what fits into the built-in model's 384 tokens with an answer of 128, and what llama.cpp's
# own settings for llama.vim say.
SMALL = ["-c", "0", "-b", "256", "-ub", "256", "-n", "128"]
LARGE = ["-c", "0", "-b", "1024", "-ub", "1024", "--cache-reuse", "256"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trace", required=True, help="a sequential trace of josephg/editing-traces")
    parser.add_argument("--name", default="src/skiplist.rs", help="the file's name in its project")
    parser.add_argument("--language", default="rust", help="what editors call its language")
    parser.add_argument("--start", type=int, nargs="+", default=[9000], help="edits that were made before; several take turns")
    parser.add_argument("--minutes", type=float, default=4.0, help="how long to type")
    parser.add_argument("--seed", type=int, default=1, help="of the pace")
    parser.add_argument("--runs", default="neovim,rival,vscode,rival", help="what is measured, in order")
    parser.add_argument("--agent", default=str(TOP / "target/release/agent"))
    parser.add_argument("--server", help="llama.cpp's llama-server")
    parser.add_argument("--model", default="builtin", help="`builtin` or a GGUF file, for both")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--options", default="{}", help="more options for `agent`, as JSON")
    parser.add_argument("--arguments", help="for llama-server instead of the usual ones")
    parser.add_argument("--predict", type=int, default=rival.N_PREDICT, help="tokens that llama.vim asks for at most")
    parser.add_argument("--port", type=int, default=8012)
    parser.add_argument("--output", required=True, help="folder for the results")
    return parser.parse_args()


def main():
    options = arguments()
    rival.N_PREDICT = options.predict
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    for number, side in enumerate(options.runs.split(",")):
        start = options.start[number // 2 % len(options.start)]
        text, steps = recording.window(options.trace, start, options.minutes, options.seed)
        # Short, so that a path says nothing of the machine.
        with tempfile.TemporaryDirectory(prefix="typing") as scratch:
            log, figures = asyncio.run(one(side, options, text, steps, pathlib.Path(scratch), output))
        for step in steps:
            text = recording.apply(text, step.patches)
        figures["same_text"] = figures.pop("text") == text
        for entry in log:
            if "text" in entry:
                typed, left = recording.typed_after(steps, entry["step"] + 1, entry["cursor"])
                entry |= {"typed": typed, "left": left}
        names = [path.name for path in output.glob("*.json") if "verdicts" not in path.name]
        result = {"side": side, "first": start, "model": pathlib.Path(options.model).stem, **figures, "log": log}
        path = output / f"{len(names):02}-{side}.json"
        path.write_text(json.dumps(result, indent=0))
        print(path, {key: value for key, value in figures.items() if key != "messages"}, flush=True)


async def one(side, options, text, steps, scratch, output):
    """One run."""
    if side == "rival":
        model = str(TOP / "models/builtin.gguf") if options.model == "builtin" else options.model
        usual = SMALL if options.model == "builtin" else LARGE
        more = options.arguments.split() if options.arguments else usual
        threads = ["-t", str(options.threads), "-tb", str(options.threads), "-np", "1"]
        report = str(output / "llama-server.log")
        program = shutil.which(options.server) or os.path.abspath(options.server)
        return await rival.run(program, model, [*threads, *more], options.port, options.name, text, steps, report)
    settings = {"model": options.model, "threads": options.threads, **json.loads(options.options)}
    kind = {"neovim": ours.Neovim, "vscode": ours.Code}[side]
    home = scratch / "home"
    home.mkdir()
    program = os.path.abspath(options.agent)
    return await ours.run(kind, program, settings, options.name, options.language, text, steps, scratch / "project", home)


if __name__ == "__main__":
    main()
