"""A program being measured: what it and those it started spent of the CPU."""

import os

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """CPU seconds of a process and its descendants, those that ended and were waited for included."""
    children, spent = {}, {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                # The name in brackets may hold anything.
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(name))
        spent[int(name)] = sum(map(int, fields[11:15]))
    total, open_ones = 0, [pid]
    while open_ones:
        one = open_ones.pop()
        total += spent.get(one, 0)
        open_ones += children.get(one, [])
    return total / TICKS


def load():
    """The load average of the last minute."""
    with open("/proc/loadavg", encoding="ascii") as file:
        return float(file.read().split()[0])
