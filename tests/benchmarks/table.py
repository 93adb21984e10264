"""The figures as a table in plain text."""

from race import OURS

PEERS = ("pyAgrum", "pgmpy")


def table(section):
    """A section of the run: its title, its lines, how the peers were asked, notes."""
    if "parts" in section:
        return "\n\n".join(map(table, section["parts"]))
    lines = section["lines"]
    if lines and "differences" in lines[0]:
        cells = _differences(lines)
    elif lines:
        cells = _times(lines, section.get("rates", False))
    else:
        cells = []
    told = [section["title"], *_aligned(cells), *section.get("notes", [])]
    told += [f"asked: {who}: {form}" for who, form in section.get("asked", {}).items()]
    return "\n  ".join(told)


def _differences(lines):
    names = list(dict.fromkeys(name for line in lines for name in line["differences"]))
    rows = [[_power(line["differences"].get(name)) for name in names] for line in lines]
    return [["", *names], *([line["question"], *row] for line, row in zip(lines, rows, strict=True))]


def _times(lines, rates):
    peers = [name for name in PEERS if any(name in line["seconds"] for line in lines)]
    shown = _rate if rates else _time
    cells = [["", OURS, *peers, *(f"× {name}" for name in peers)]]
    for line in lines:
        times = [shown(line["seconds"].get(name)) for name in (OURS, *peers)]
        cells += [[line["question"], *times, *(_ratio(line["ratios"].get(name)) for name in peers)]]
    return cells


def _aligned(cells):
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    return ["  ".join([row[0].ljust(widths[0]), *padded[1:]]) for row, padded in zip(cells, rows, strict=True)]


def _power(difference):
    return "" if difference is None else f"{difference:.1e}"


def _time(seconds):
    if seconds is None:
        return ""
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def _rate(seconds):
    if seconds is None:
        return ""
    return f"{1 / seconds:,.0f}/s"


def _ratio(ratio):
    if ratio is None:
        return ""
    digits = 0 if ratio["median"] >= 10 else 1
    return " ".join([f"{ratio['median']:,.{digits}f}", f"({ratio['min']:,.{digits}f}–{ratio['max']:,.{digits}f})"])
