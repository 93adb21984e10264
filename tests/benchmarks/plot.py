"""The figures as a picture for the README: rows per second by number of rows, and the time of one query."""

import matplotlib as mpl
from matplotlib.figure import Figure
from race import OURS

COLOURS = {OURS: "#1f5f8b", "pyAgrum": "#b5651d", "pgmpy": "#6b6b6b"}
"""Each dark enough to be read on the white that the picture brings along, in light and dark pages."""


def draw(figures, path):
    """Write the picture; the same figures give the same bytes."""
    style = {"svg.hashsalt": "calcinosis", "svg.fonttype": "none", "font.size": 10, "axes.axisbelow": True}
    with mpl.rc_context(style):
        figure = Figure(figsize=(10, 3.6), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
        _rates(left, figures)
        _queries(right, figures)
        for axes in (left, right):
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _rates(axes, figures):
    lines = figures["growth"]["parts"][0]["lines"]
    rows = [line["rows"] for line in lines]
    rates = [1 / line["seconds"][OURS] for line in lines]
    axes.loglog(rows, rates, color=COLOURS[OURS], marker="o", linewidth=2)
    _label(axes, rows[-1], rates[-1], OURS)
    half = next(line for line in figures["batches"]["lines"] if line["question"] == "half missing")
    for peer in ("pyAgrum", "pgmpy"):
        rate = 1 / half["seconds"][peer]
        axes.axhline(rate, color=COLOURS[peer], linestyle="--", linewidth=1.5)
        _label(axes, rows[-1], rate, peer)
    axes.set(xlabel="rows, half of the cells missing (dashed: measured on a few hundred)", ylim=(100, 10**8))
    axes.set_title("rows per second", loc="left", fontsize=11)
    axes.grid(axis="y", color="#e3e3e3")


def _label(axes, x, y, name):
    words, above = f"{name}  {_short(y)}/s", name != "pgmpy"  # the slowest below its line, clear of the next
    axes.annotate(words, (x, y), (0, 6 if above else -14), textcoords="offset points", ha="right", color=COLOURS[name])


def _queries(axes, figures):
    bare, rich = figures["queries"]["lines"]
    bars = [
        (OURS, bare["seconds"][OURS], OURS),
        (f"{OURS},\nrich object", rich["seconds"][OURS], OURS),
        *((peer, bare["seconds"][peer], peer) for peer in ("pyAgrum", "pgmpy")),
    ]
    micros = [seconds * 1e6 for _, seconds, _ in bars]
    drawn = axes.barh([name for name, _, _ in bars], micros, color=[COLOURS[who] for _, _, who in bars], height=0.6)
    axes.bar_label(drawn, [f"{value:,.0f} µs" for value in micros], padding=4)
    axes.set(xscale="log", xlim=(1, max(micros) * 8), ylim=(len(bars) - 0.5, -0.5), xlabel="microseconds")
    axes.set_title("one patient, ten findings", loc="left", fontsize=11)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="minor", length=0)
    axes.grid(axis="x", color="#e3e3e3")


def _short(rate):
    """A rate in two digits: 12 million, 2,300."""
    if rate >= 1e6:
        return f"{rate / 1e6:.0f} million"
    return f"{float(f'{rate:.2g}'):,.0f}"
