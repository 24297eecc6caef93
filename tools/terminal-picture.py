#!/usr/bin/env python3
"""Draws what a command printed as an SVG picture of a terminal.

Usage: COMMAND 2>&1 | tools/terminal-picture.py TITLE > picture.svg
"""

import html
import sys

WIDTH, LINE, LEFT, TOP, CHARACTER = 110, 17, 14, 44, 7.83


def colour(line):
    text = line.strip()
    body = text.lstrip("│ ")
    if text.startswith("──"):
        return "#7aa2f7"
    if text.startswith("│") and body.startswith("+"):
        return "#9ece6a"
    if text.startswith("│") and body.startswith("-"):
        return "#f7768e"
    if text.startswith("$"):
        return "#e0af68"
    return "#c0caf5"


def main():
    title = sys.argv[1]
    lines = [line.expandtabs(4) for line in sys.stdin.read().splitlines()]
    lines = [line if len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines]
    width, height = int(2 * LEFT + WIDTH * CHARACTER), TOP + LINE * len(lines) + 12
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">')
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#1a1b26"/>')
    for x, fill in ((18, "#f7768e"), (36, "#e0af68"), (54, "#9ece6a")):
        print(f'<circle cx="{x}" cy="16" r="5.5" fill="{fill}"/>')
    print(f'<text x="{width / 2}" y="20" fill="#787c99" font-family="sans-serif" font-size="12" text-anchor="middle">{html.escape(title)}</text>')
    print('<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13" xml:space="preserve">')
    for number, line in enumerate(lines):
        print(f'<text x="{LEFT}" y="{TOP + LINE * number}" fill="{colour(line)}">{html.escape(line)}</text>')
    print("</g>\n</svg>")


if __name__ == "__main__":
    main()
