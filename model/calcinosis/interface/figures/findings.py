"""The figures of a patient's findings: why, step by step, and what if.

Each takes one result and draws it on axes of its own, in colour and in grey.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.explain.explanation import Explanation
from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.whatif.sweep import WhatIf
from calcinosis.analysis.whatif.trajectory import Trajectory
from calcinosis.inference.findings.reader import FindingsError, read_findings
from calcinosis.inference.numbers import EVEN, exact_percent, odds_factor, percent, times
from calcinosis.inference.phrases import capitalised, counted, listed, phrase, uncapitalised
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.figures.style import (
    COLOURS,
    DARK,
    HATCHES,
    INK,
    LIGHT,
    LINES,
    WORDS,
    bare,
    beside,
    brackets,
    footed,
    new_axes,
    shade,
    titled,
    wrapped,
)
from calcinosis.interface.words.posterior import ranges_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOR, AGAINST = COLOURS[0], COLOURS[1]
"""Evidence for a hypothesis is dark, evidence against it light and hatched."""

MARKERS = "osD^vPX*"
"""The markers of the states of the target, by their position."""


def posterior(result: Posterior, ax: Axes | None = None) -> Axes:
    """One bar per state, in order, on a fixed scale from 0 to 100%, with the interval of each as a line."""
    ax = ax or new_axes(7.0, 0.5 * len(result) + 1.4)
    names = [result.labels[state] for state in result]
    values = [100 * p for p in result.probabilities_of.values()]
    colours = [DARK if state == result.leading else LIGHT for state in result]
    ax.barh(names, values, color=colours, height=0.65)
    ranges = ranges_of(result)
    places, what = values, "posterior probability (%)"
    if result.drawn is not None:
        lower, upper = (100 * np.array(limits) for limits in (result.drawn.lower, result.drawn.upper))
        ax.hlines(range(len(names)), lower, upper, color=INK, linewidth=1.6)
        for limit in (lower, upper):
            ax.plot(limit, range(len(names)), "|", color=INK, markersize=7, markeredgewidth=1.6)
        places = [max(pair) for pair in zip(values, upper, strict=True)]
        what += f", line: {exact_percent(result.drawn.mass)} credible interval"
    for row, (place, state) in enumerate(zip(places, result, strict=True)):
        text = f"{percent(result[state])}\N{EM SPACE}{ranges[state]}".rstrip()
        ax.annotate(text, (place, row), xytext=(6, 0), textcoords="offset points", va="center")
    ax.set(xlim=(0, 112 if result.drawn is None else 134), xticks=range(0, 101, 20), ylim=(len(names) - 0.5, -0.5))
    footed(ax, what)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def waterfall(result: Explanation, most: int = 14, ax: Axes | None = None) -> Axes:
    """How the odds come about, finding by finding, from where they began to where they ended.

    Findings beyond the `most` telling ones are one bar. At the right: the groups of the findings.
    """
    from matplotlib.patches import Patch

    one, other = _sides(result)
    bars = _bars(result, most)
    ends = result.before + np.cumsum([0.0, *(nats for _, _, nats in bars)])
    ax = ax or new_axes(10.5, 0.38 * len(bars) + 2.6)
    for y, (_, _, nats) in enumerate(bars, 1):
        look: dict[str, Any] = {"color": FOR} if nats >= 0 else {"color": AGAINST, "hatch": "//", "edgecolor": "white"}
        ax.barh(y, nats, left=ends[y - 1], height=0.62, linewidth=0, **look)
        ax.annotate(
            odds_factor(nats), (ends[y], y), xytext=(5 if nats >= 0 else -5, 0),
            textcoords="offset points", ha="left" if nats >= 0 else "right", va="center", fontsize=8,
        )  # fmt: skip
    last = len(bars) + 1
    for y, x in enumerate(ends):
        ax.plot([x, x], [y, y + 1], color=INK, linewidth=0.8)
    ax.plot([result.before, result.after], [0, last], "D", color="white", markeredgecolor=INK, markersize=7, zorder=4)
    ax.axvline(0.0, color=INK, linewidth=0.8, linestyle=":")
    known = "the background alone" if len(result.background) else "nothing known"
    words = [f"with {known}: {_odds(result.before, one, other)}", *(words for _, words, _ in bars)]
    words.append(f"with {'all findings' if bars else 'no more result'}: {_odds(result.after, one, other)}")
    ax.set_yticks(range(last + 1), [wrapped(text) for text in words], fontsize=8)
    for place in (0, last):
        ax.get_yticklabels()[place].set_fontweight("bold")
    brackets(ax, ["", *(group for group, _, _ in bars), ""])
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = max(0.13 * (high - low), 0.3)
    ax.set(xlim=(low - room, high + room), ylim=(last + 0.6, -0.6))
    _odds_axis(ax, f"{capitalised(one)} is so many times as probable as {other}")
    handles = [
        Patch(facecolor=FOR, label=f"evidence for {one}"),
        Patch(facecolor=AGAINST, hatch="//", edgecolor="white", label="evidence against it"),
    ]
    titled(ax, f"Why {one} rather than {'the others' if _all(result) else other}", handles)
    return ax


def trajectory(result: Trajectory, ax: Axes | None = None) -> Axes:
    """The probability of every state, from top to bottom, as one finding after the other becomes known.

    The bands are the intervals of the state that leads at the end and of the other that led longest.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    first, last = result.steps[0], result.steps[-1]
    states = list(last)
    rows = lines_of(result.frame[result.frame["state"] == states[0]])
    ax = ax or new_axes(10.5, 0.36 * len(rows) + 2.6)
    handles: list[Any] = []
    for i, state in enumerate(states):
        look: dict[str, Any] = {"color": COLOURS[i % 8], "linestyle": LINES[i % 8], "marker": MARKERS[i % 8]}
        line = result.frame[result.frame["state"] == state]
        ax.plot(100 * line["probability"], line["step"], linewidth=1.8, markersize=5, zorder=3, **look)
        words = f"{last.labels[state]}: {percent(first[state])}"
        words += f" → {percent(last[state])}" if len(rows) > 1 else ""
        handles.append(Line2D([], [], linewidth=1.8, markersize=5, label=words, **look))
    if "lower" in result.frame:
        for state in banded(result):
            place = states.index(state)
            line = result.frame[result.frame["state"] == state]
            steps = line["step"].to_numpy(dtype=float)
            # a single step has its band too
            steps, again = (steps, 1) if len(steps) > 1 else (np.array([-0.25, 0.25]), 2)
            band: dict[str, Any] = {"color": COLOURS[place % 8], "alpha": 0.16, "linewidth": 0}
            lower, upper = (np.repeat(100 * line[name].to_numpy(), again) for name in ("lower", "upper"))
            ax.fill_betweenx(steps, lower, upper, hatch=HATCHES[place % 8] or None, **band)
            label = f"interval of {last.labels[state]}"
            handles.append(Patch(label=label, hatch=HATCHES[place % 8] or None, **band))
    ax.set_yticks(range(len(rows)), [wrapped(row.finding or "with nothing known") for row in rows], fontsize=8)
    brackets(ax, [row.group for row in rows])
    ax.set(xlim=(-2, 102), xticks=range(0, 101, 20), ylim=(len(rows) - 0.4, -0.6))
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    bare(ax)
    titled(ax, "How the probabilities moved, finding by finding", handles)
    footed(ax, "probability (%), each row with the findings above it and its own")
    return ax


def banded(result: Trajectory) -> list[str]:
    """The states whose intervals are shown: the one that leads at the end, and the other that led longest, if any."""
    last = result.steps[-1].leading
    others = Counter(step.leading for step in result.steps if step.leading != last)
    return [last, *(state for state, _ in others.most_common(1))]


def what_if(result: WhatIf, most: int = 30, ax: Axes | None = None) -> Axes:
    """The probability of every state after single changes of the findings, those that move most, in their order.

    The most probable state is framed. On the right: the state that then ranks first, and the probability of the result.

    Raises:
        QuestionError: for pairs of changes, which no map of single ones shows.
    """
    from matplotlib.patches import Rectangle

    if "variable" not in result.frame:
        raise QuestionError("this map shows single changes, as those of `sweep`: see the frame of pairs")
    posterior = result.posterior
    states = list(posterior)
    frame = result.frame.sort_values("moved", ascending=False, kind="stable").head(most).sort_index()
    rows = lines_of(frame)
    values = [list(posterior.probabilities_of.values()), *frame[states].to_numpy().tolist()]
    ax = ax or new_axes(1.02 * len(states) + 6.2, 0.3 * len(values) + 2.0)
    for y, row in enumerate(values):
        lead = int(np.argmax(row))
        for x, value in enumerate(row):
            colour, ink = shade(value)
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=0.8))
            weight = "bold" if x == lead else "normal"
            ax.text(x, y, percent(value), color=ink, ha="center", va="center", fontsize=8, fontweight=weight)
        ax.add_patch(Rectangle((lead - 0.47, y - 0.44), 0.94, 0.88, fill=False, edgecolor=INK, linewidth=1.9, zorder=3))
    for y, change in enumerate(rows, 1):
        if change.flips:
            told = "" if change.kind == "removed" else f" ({percent(change.chance)} probable)"
            beside(ax, y, f"◆ {posterior.labels[change.leading]} leads{told}")
    names = [row.variable for row in rows]
    for y, (name, before) in enumerate(zip(names, ["", *names[:-1]], strict=True)):
        if name != before:
            ax.plot([-0.5, len(states) - 0.5], [y + 0.5] * 2, color=INK, linewidth=1.6 if y == 0 else 0.6)
    words = [wrapped(_change(posterior, row.variable, row.value)) for row in rows]
    ax.set_yticks(range(len(values)), ["as it is", *words], fontsize=7.5, linespacing=0.95)
    ax.set_xticks(range(len(states)), [wrapped(posterior.labels[state], 14) for state in states], fontsize=8)
    ax.xaxis.tick_top()
    ax.set(xlim=(-0.5, len(states) - 0.5), ylim=(len(values) - 0.45, -0.55))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title("What if one finding were another, or were known too", fontsize=11, loc="left", pad=10)
    every = len(result.frame)
    shown = f"those {len(rows)} of {every} changes that move most; " if len(rows) < every else ""
    footed(ax, f"{shown}frame: leads; ◆: another leads than now, and how probable it is that just this is result")
    return ax


def _all(result: Explanation) -> bool:
    """Whether the alternative is all other states, and there are several."""
    return result.hypothesis.against_all and len(result.hypothesis.against) > 1


def _sides(result: Explanation) -> tuple[str, str]:
    """The hypothesis and what it is held against, in words."""
    labels = result.posterior.labels
    one, other = (
        listed((labels[s] for s in states), "or") for states in (result.hypothesis.chosen, result.hypothesis.against)
    )
    return one, "all others together" if _all(result) else other


def _bars(result: Explanation, most: int) -> list[tuple[str, str, float]]:
    """Group, words and nats of each bar; the weakest findings together, if there are more than one too many."""
    frame = result.frame
    if len(frame) <= most + 1:
        most = len(frame)
    named = set(frame["contribution"].abs().sort_values(ascending=False, kind="stable").index[:most])
    bars = [(line.group, line.finding, float(line.contribution)) for line in lines_of(frame.loc[sorted(named)])]
    rest = frame.drop(index=list(named))["contribution"]
    return [*bars, ("", f"{counted(len(rest))} other findings", float(rest.sum()))] if len(rest) else bars


def _odds(nats: float, one: str, other: str) -> str:
    """Which of two is more probable, and how many times."""
    if abs(nats) < EVEN:
        return "both about equally probable"
    return f"{one if nats > 0 else other} {times(abs(nats))} times as probable"


def _odds_axis(ax: Axes, what: str) -> None:
    """Round odds below the axes, each with its logarithm: the scale is in nats."""
    factors = _round_odds(*ax.get_xlim())
    nats = [math.log(factor) for factor in factors]
    words = [f"{_tick(factor)}\n({nat:.1f})".replace("-", "−") for factor, nat in zip(factors, nats, strict=True)]
    ax.set_xticks(nats, words, fontsize=8)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    bare(ax)
    footed(ax, wrapped(f"{what} (in brackets: log-odds in nats)", 2 * WORDS))


def _round_odds(low: float, high: float) -> list[float]:
    """Round odds that stand well apart on an axis from and to these logarithms, around 0.

    >>> _round_odds(-1.0, 3.0)
    [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    """
    decades = (high - low) / math.log(10)
    apart = max(1, math.ceil(decades / 7))
    numbers = (1, 2, 5) if decades > 0.9 else (1, 1.2, 1.5, 2, 3, 5, 7)
    powers = range(math.floor(max(high, -low) / math.log(10) / apart) + 1)
    large = [number * 10.0 ** (power * apart) for power in powers for number in (numbers if decades < 2.5 else (1,))]
    every = sorted({*large, *(1 / factor for factor in large)})
    return [factor for factor in every if low <= math.log(factor) <= high]


def _tick(factor: float) -> str:
    """Odds as a whole number, or as one over it.

    >>> _tick(0.001), _tick(1.5), _tick(1e-12)
    ('1/1,000', '1.5', '1/10¹²')
    """
    large = max(factor, 1 / factor)
    power = str(round(math.log10(large))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    words = f"10{power}" if large > 999_999 else f"{large:,.1f}".removesuffix(".0")
    return words if factor >= 1 else f"1/{words}"


def _change(posterior: Posterior, name: str, value: str) -> str:
    """A change in the words of a sentence; as it would be given, where the words are not known."""
    if posterior.fitting is None:
        return f"{name} ({value})"
    variable = posterior.fitting.network.variables[name]
    label = uncapitalised(variable.label)
    if value == "unknown":
        return f"{label} (not known)"
    try:
        return phrase(variable, read_findings({name: value}, {name: variable})[name])
    except FindingsError:
        return f"{label} ({value})"
