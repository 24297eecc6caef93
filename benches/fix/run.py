#!/usr/bin/env python3
"""How many files that do not compile `agent fix` repairs, and whether what it calls verified is.

    benches/fix/run.py SET --repository FOLDER --agent PROGRAM [--held-out] [--most N] [--seconds N] [--output FILE]

SET is `fixed` or `codes` (see cases.py). Each case is a package of its own; what `fix` says is checked by another run of
the compiler on the file it wrote. Work on the cases that are not held out; run the others once, at the end.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import cases


def attempt(case, program, seconds):
    """What came of one case."""
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        (top / "src").mkdir()
        (top / "home").mkdir()
        main = "main.rs" if "fn main" in case.broken else "lib.rs"
        file = top / "src" / main
        file.write_text(case.broken)
        (top / "Cargo.toml").write_text(f'[package]\nname = "case"\nversion = "0.1.0"\nedition = "{case.edition}"\n')
        home = {"XDG_CACHE_HOME": str(top / "home"), "XDG_CONFIG_HOME": str(top / "home"), "XDG_STATE_HOME": str(top / "home")}
        started = time.monotonic()
        command = [program, "fix", str(file), "--apply", "--json", "--model", "builtin"]
        try:
            done = subprocess.run(command, env={**os.environ, **home}, capture_output=True, text=True, timeout=seconds, cwd=top)
            status = done.returncode
            said = json.loads(done.stdout) if done.stdout.startswith("{") else {"error": done.stderr[-500:]}
        except subprocess.TimeoutExpired:
            status, said = None, {"error": "out of time"}
        taken = time.monotonic() - started
        after = file.read_text()
        scratch = top / "check"
        scratch.mkdir()
        compiles = not cases.errors(after, case.edition, str(scratch))
        return {
            "name": case.name,
            "status": status,
            "seconds": round(taken, 2),
            "changed": after != case.broken,
            "compiles": compiles,
            "solved": status == 0 and compiles,
            "false_success": status == 0 and not compiles,
            "changed_without_proof": status != 0 and after != case.broken,
            "as_reference": after.split() == case.repaired.split(),
            "said": said.get("message") or said.get("error"),
            "after": after,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=["fixed", "codes"])
    parser.add_argument("--repository", required=True)
    parser.add_argument("--agent", required=True)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--most", type=int)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    found = getattr(cases, options.set)(cases.Repository(options.repository))
    results = []
    for case in cases.sound(case for case in found if case.held_out == options.held_out):
        if options.most and len(results) == options.most:
            break
        results.append(attempt(case, options.agent, options.seconds))
        print("+" if results[-1]["solved"] else "-", end="", flush=True)
    print()
    total = len(results) or 1
    for what in ("solved", "as_reference", "false_success", "changed_without_proof"):
        number = sum(result[what] for result in results)
        print(f"{what.replace('_', ' ')}: {number} of {len(results)} ({number / total:.1%})")
    print(f"seconds, median: {statistics.median([result['seconds'] for result in results] or [0])}")
    if options.output:
        options.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
