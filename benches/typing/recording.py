"""An editing trace as the steps of somebody typing, with a time for each.

Reads the sequential traces of josephg/editing-traces: transactions of patches
`[position, deleted, inserted]`, in code points, one after the other. A transaction is one step; what a
paste, a multiple cursor or a formatter did stays one step of several patches.
"""

import dataclasses
import datetime
import gzip
import json
import math
import random

# Seconds between two keys of a burst: median and spread (of the logarithm).
KEY, KEY_SPREAD = 0.165, 0.40
# How much longer the key after one of these takes.
AFTER_WORD, AFTER_LINE = 1.5, 2.5
# Seconds before the first deletion, between two deletions, before typing at another place.
NOTICED, NOTICED_SPREAD = 0.45, 0.40
ERASING, ERASING_SPREAD = 0.12, 0.30
MOVED, MOVED_SPREAD = 1.4, 0.50
# The trace's own pause is kept where it tells of one (its clock counts whole seconds), up to this long.
PAUSE, LONGEST_PAUSE = 2, 5.0
# Where the trace has no times: how often somebody thinks at the end of a word, and how long.
THINKS, THOUGHT, THOUGHT_SPREAD = 0.03, 2.5, 0.40


@dataclasses.dataclass
class Step:
    """One change of the document."""

    # Index of the transaction in the trace.
    index: int
    patches: list
    # Seconds since the first step, and the cursor afterwards.
    time: float = 0.0
    cursor: int = 0
    # `key`, `line`, `erase`, `word` (several characters at once) or `bulk` (several places).
    kind: str = "key"


def read(path):
    """The trace in a file: steps without times, the trace's clock in seconds, the text at the end."""
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        trace = json.load(file)
    assert trace["startContent"] == "", "a trace starts with an empty document"
    steps, clock = [], []
    for index, transaction in enumerate(trace["txns"]):
        patches = [(at, deleted, inserted) for at, deleted, inserted in transaction["patches"]]
        steps.append(Step(index, patches, cursor=patches[-1][0] + len(patches[-1][2]), kind=kind(patches)))
        moment = transaction.get("time") or transaction.get("timestamp") or "1970-01-01T00:00:00Z"
        clock.append(datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp())
    return steps, clock, trace["endContent"]


def kind(patches):
    """What a person did to make these changes."""
    if len(patches) > 1:
        return "bulk"
    _, deleted, inserted = patches[0]
    if deleted and not inserted:
        return "erase"
    if inserted.startswith("\n") and not inserted.strip() and not deleted:
        return "line"
    return "key" if len(inserted) == 1 and not deleted else "word"


def apply(text, patches):
    """The text after the patches of one step."""
    for at, deleted, inserted in patches:
        text = text[:at] + inserted + text[at + deleted :]
    return text


def window(path, start, minutes, seed):
    """The text before step `start`, and the steps from there that fit in so many minutes of typing."""
    steps, clock, _ = read(path)
    text = ""
    for step in steps[:start]:
        text = apply(text, step.patches)
    # A trace without times says that every step happened at once.
    timed = clock[-1] > clock[0]
    chance = random.Random(seed)
    taken, time = [], 1.0
    for index in range(start, len(steps)):
        step = steps[index]
        if taken:
            time += gap(steps[index - 1], step, clock[index] - clock[index - 1], timed, chance)
        if time > minutes * 60:
            break
        step.time = time
        taken.append(step)
    return text, taken


def gap(before, step, recorded, timed, chance):
    """Seconds between two steps, at a human pace."""
    if recorded >= PAUSE:
        return min(recorded, LONGEST_PAUSE) - chance.random()
    if moved(before, step):
        return spread(chance, MOVED, MOVED_SPREAD)
    if step.kind == "erase":
        again = before.kind == "erase"
        return spread(chance, ERASING, ERASING_SPREAD) if again else spread(chance, NOTICED, NOTICED_SPREAD)
    last = before.patches[-1][2][-1:]
    slower = AFTER_LINE if before.kind == "line" else 1.0 if last.isalnum() or last == "_" else AFTER_WORD
    if not timed and slower > 1.0 and chance.random() < THINKS:
        return spread(chance, THOUGHT, THOUGHT_SPREAD)
    return max(0.03, spread(chance, KEY * slower, KEY_SPREAD))


def moved(before, step):
    """Whether the cursor was taken elsewhere between two steps."""
    at, deleted, _ = step.patches[-1]
    return not (at <= before.cursor <= at + max(deleted, 1))


def spread(chance, median, sigma):
    return median * math.exp(chance.gauss(0.0, sigma))


def typed_after(steps, position, offset, most=400):
    """What came to stand behind `offset` by typing on there, from step `position` of `steps` on, until
    something else was changed; and whether anything else was."""
    region = ""
    for step in steps[position : position + most]:
        for at, deleted, inserted in step.patches:
            if at < offset or at + deleted > offset + len(region):
                return region, True
            region = region[: at - offset] + inserted + region[at - offset + deleted :]
    return region, False
