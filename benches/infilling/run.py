#!/usr/bin/env python3
"""HumanEval-infilling, single line: what passes the tests with and without passes and gate.

    python3 benches/infilling/run.py --data HumanEval-SingleLineInfilling.jsonl.gz --agent PROGRAM
        [--model MODEL] [--count N] [--seed N]

The data is that of openai/human-eval-infilling. The line is left empty and `agent complete` is asked
at its start; what it answers is put there and the problem's tests are run in a process of their own,
without a network (`unshare -rn`), with limits on time and memory.
"""

import argparse
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SCHEMA = json.loads((Path(__file__).parents[2] / "editors/options.schema.json").read_text())
PASSES = SCHEMA["properties"]["complete"]["properties"]["passes_off"]["items"]["enum"]
SECONDS = 5
MEMORY = 1 << 30


def configured(folder, off):
    """The environment of a user who has switched these passes off."""
    home = folder / ("off" if off else "on")
    (home / "agent").mkdir(parents=True)
    names = ", ".join(f'"{name}"' for name in off)
    (home / "agent" / "agent.toml").write_text(f"[complete]\npasses_off = [{names}]\n")
    return os.environ | {"XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(folder / "cache")}


def answer(options, folder, environment, problem):
    """What the program suggests for the missing line; empty where nothing."""
    file = folder / "work" / "solution.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(problem["prompt"] + "\n" + problem["suffix"])
    line = problem["prompt"].count("\n") + 1
    command = [options.agent, "complete", "--json", "--seed", str(options.seed), f"{file}:{line}:1"]
    if options.model:
        command += ["--model", options.model]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, cwd=file.parent
    )
    if not done.stdout.strip():
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    candidates = json.loads(done.stdout)["candidates"]
    return candidates[0]["text"] if candidates else ""


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def passes(folder, problem, text):
    """Whether the problem's tests pass with `text` as the missing line."""
    program = "\n".join([
        problem["prompt"] + text,
        problem["suffix"],
        problem["test"],
        f"check({problem['entry_point']})",
    ])
    file = folder / "check.py"
    file.write_text(program)
    command = ["unshare", "-rn", sys.executable, "-I", str(file)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=2 * SECONDS,
            preexec_fn=limit,
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def parses(problem, text):
    try:
        compile(problem["prompt"] + text + "\n" + problem["suffix"], "solution", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--agent", required=True)
    parser.add_argument("--model")
    parser.add_argument("--count", type=int, help="problems, drawn at random (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.agent = str(Path(options.agent).resolve())
    with gzip.open(options.data, "rt") as lines:
        problems = [json.loads(line) for line in lines]
    if options.count:
        problems = random.Random(options.seed).sample(problems, options.count)
    if subprocess.run(["unshare", "-rn", "true"]).returncode != 0:
        raise SystemExit("`unshare -rn` is not allowed here: the tests would have a network")
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        plain, gated = configured(folder, PASSES), configured(folder, [])
        solved = sum(passes(folder, p, p["canonical_solution"]) for p in problems)
        for problem in problems:
            raw = answer(options, folder, plain, problem)
            texts = {
                "as the model said it": raw,
                "up to its first line break": raw.lstrip("\n").split("\n")[0],
                "passes and gate": answer(options, folder, gated, problem),
            }
            for name, text in texts.items():
                row = rows.setdefault(name, {"shown": 0, "parses": 0, "passed": 0})
                row["shown"] += bool(text.strip())
                row["parses"] += bool(text.strip()) and parses(problem, text)
                row["passed"] += passes(folder, problem, text)
        empty = sum(passes(folder, problem, "") for problem in problems)
    count = len(problems)
    print(f"{count} problems; with the missing line {solved} pass, with nothing in its place {empty}")
    print("\n| | shown | parse | pass the tests |\n|---|---|---|---|")
    for name, row in rows.items():
        share = 100 * row["passed"] / count
        print(f"| {name} | {row['shown']} | {row['parses']} | {row['passed']} = {share:.1f} % |")


if __name__ == "__main__":
    main()
