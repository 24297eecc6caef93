"""Receipts of a small till. Prices are in cents."""


def format_price(cents):
    if cents < 0:
        raise ValueError("a price below nothing")
    return f"{cents // 100}.{cents % 100:02}"


def receipt(items):
    lines = []
    for name, cents in items:
        lines.append(f"{name:<20}{format_price(cents):>8}")
    return "\n".join(lines)
