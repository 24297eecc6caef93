#!/usr/bin/env python3
"""The table of runs of `replay.py`: `table.py FOLDER/*.json`. Medians over the runs of a side; times in
milliseconds.

Verdicts of `--judge` are taken where they are there: only what adds no fault to the file counts for
times and matches.
"""

import json
import math
import pathlib
import re
import statistics
import sys

NAMES = {"neovim": "agent, as Neovim", "vscode": "agent, as VS Code", "rival": "llama.vim"}


def main():
    runs = {}
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        if not path.name.endswith(".verdicts.json"):
            run = json.loads(path.read_text())
            runs.setdefault((run["model"], run["side"]), []).append(figures(run, path))
    for model in sorted({model for model, _ in runs}):
        sides = [side for side in NAMES if (model, side) in runs]
        print(f"\n{model}\n\n| | {' | '.join(NAMES[side] for side in sides)} |")
        print("|---" * (len(sides) + 1) + "|")
        for row in runs[model, sides[0]][0]:
            cells = [cell([run[row] for run in runs[model, side]]) for side in sides]
            print(f"| {row} | {' | '.join(cells)} |")


def cell(values):
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    value = statistics.median(values)
    spread = f" ({min(values):.4g} … {max(values):.4g})" if len(values) > 1 and min(values) != max(values) else ""
    return f"{value:.4g}{spread}"


def figures(run, path):
    log = run["log"]
    beside = path.with_suffix(".verdicts.json")
    verdicts = json.loads(beside.read_text()) if beside.exists() else [None] * len(log)
    shown = [(entry, verdict) for entry, verdict in zip(log, verdicts) if entry.get("text")]
    worse = [entry for entry, verdict in shown if verdict and verdict[1] > verdict[0]]
    passed = [entry for entry, verdict in shown if not verdict or verdict[1] <= verdict[0]]
    rival = run["side"] == "rival"
    asked = [entry for entry in log if entry.get("request") == "first"] if rival else [e for e in log if "request" not in e]
    # What llama.vim shows from its own cache was no request; `agent` keeps its cache itself.
    waited = [entry for entry in passed if not rival or entry["source"] == "request"]
    judged = [entry for entry in passed if entry["typed"]]
    exact = [head(entry["text"]) == head(entry["typed"]) for entry in judged]
    agreed = [common(entry["text"], entry["typed"]) for entry in judged]
    crossed = [entry.get("behind_ms") or 0.0 for entry in passed]
    of = lambda entries, cold: [entry["ms"] for entry in entries if entry["cold"] == cold]
    full = [entry for entry in asked if (not entry["empty"] if rival else entry.get("text"))]
    return {
        "edits typed": run["steps"],
        "minutes": run["minutes"],
        "requests": len(asked),
        "answered with text, share of requests": len(full) / max(1, len(asked)),
        "the same, shown for the text asked about and sound": len(waited) / max(1, len(asked)),
        "given up or superseded, share": sum(bool(entry.get("error")) for entry in asked) / max(1, len(asked)),
        "tokens read for an answer, p50": percentile([e["read"] for e in log if e.get("read") is not None], 50),
        "tokens written for an answer, p50": percentile([e["written"] for e in log if e.get("written") is not None], 50),
        "speculative requests": run["requests"]["speculative"] if rival else None,
        "characters of a suggestion, mean": mean([len(entry["text"]) for entry in passed]),
        "edits after which something was shown, share": len({e["step"] for e in passed}) / run["steps"],
        "shown": len(shown),
        "of these, would add a fault to the file": len(worse),
        "request to answer, p50": percentile([entry["ms"] for entry in waited], 50),
        "request to answer, p95": percentile([entry["ms"] for entry in waited], 95),
        "the same, empty answers too, p50": percentile([e["ms"] for e in asked if not (e.get("error") or e.get("failed"))], 50),
        "the same, empty answers too, p95": percentile([e["ms"] for e in asked if not (e.get("error") or e.get("failed"))], 95),
        "cold, number": len(of(waited, True)),
        "cold, p50": percentile(of(waited, True), 50),
        "cold, p95": percentile(of(waited, True), 95),
        "warm, number": len(of(waited, False)),
        "warm, p50": percentile(of(waited, False), 50),
        "warm, p95": percentile(of(waited, False), 95),
        "key to shown, its caches too, p50": percentile([entry["key_ms"] for entry in passed], 50),
        "key to shown, its caches too, p95": percentile([entry["key_ms"] for entry in passed], 95),
        "something was typed there": len(judged),
        "first line as then typed, share": mean(exact),
        "all of it as then typed, share": mean([e["typed"].startswith(e["text"].rstrip()) for e in judged]),
        "characters right from the start, mean": mean(agreed),
        "longer than 3 characters right, share": mean([count > 3 for count in agreed]),
        # An answer may meet a change on its way: it was written before the server could read that.
        "answers that met a change on their way": sum(behind > 0 for behind in crossed),
        "of these, for a text that the server had known to be past for 10 ms": sum(behind > 10 for behind in crossed),
        "answers for a text that the editor had not yet told to be past": sum(
            bool(e.get("editor_behind")) and not e.get("behind_ms") for e in passed
        ),
        "latest key, ms": run["latest_key_ms"],
        "CPU seconds per minute": run["cpu_per_minute"],
        "CPU seconds per minute at rest": run["idle_cpu_per_minute"],
        "text at the end as in the trace": run["same_text"],
        "load average": run["load"],
    }


def head(text):
    """Up to the end of the first line that is not blank."""
    return re.match(r"\s*[^\n]*", text).group().rstrip()


def common(one, other):
    count = 0
    for a, b in zip(one, other):
        if a != b:
            break
        count += 1
    return count


def mean(values):
    return statistics.mean(map(float, values)) if values else None


def percentile(values, percent):
    """The smallest value that so many in a hundred do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)] if values else None


if __name__ == "__main__":
    main()
