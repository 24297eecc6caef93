"""What a small till has in stock."""


def missing(stock, wanted):
    found = []
    for name, count in wanted.items()
        if stock.get(name, 0) < count:
            found.append(name)
    return found
