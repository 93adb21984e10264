"""The figures of a patient's findings: why, step by step, what if, which test next, and the same test again.

Each takes one result and draws it on axes of its own, in colour and in grey, in the style of
`calcinosis.interface.figures`.
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.explanation import Explanation
from calcinosis.analysis.next_test import NextTest
from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.plan import Plan
from calcinosis.analysis.trajectory import Trajectory
from calcinosis.analysis.what_if import WhatIf
from calcinosis.inference.findings import FindingsError, read_findings
from calcinosis.inference.phrases import capitalised, counted, listed, phrase, uncapitalised
from calcinosis.inference.posterior import Posterior, percent, percents
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.figures import COLOURS, DARK, HATCHES, INK, LIGHT, LINES, footed, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOR, AGAINST = COLOURS[0], COLOURS[1]
"""What speaks for a hypothesis is dark, what speaks against it light and hatched."""

MARKERS = "osD^vPX*"
"""The markers of the states of the target, by their position."""

WORDS, NARROW, TITLE = 46, 17, 80
"""How many characters stand on one line: of a label beside the axes, of one in a column, of a title."""

EVEN = math.log(1.05)
"""Odds nearer to 1 than this are called equal."""


def waterfall(found: Explanation, most: int = 14, ax: Axes | None = None) -> Axes:
    """How the odds come about, finding by finding, from where they began to where they ended.

    Findings beyond the `most` telling ones are one bar. At the right: the groups of the findings.
    """
    from matplotlib.patches import Patch

    one, other = _sides(found)
    bars = _bars(found, most)
    ends = found.before + np.cumsum([0.0, *(nats for _, _, nats in bars)])
    ax = ax or new_axes(10.5, 0.38 * len(bars) + 2.6)
    for y, (_, _, nats) in enumerate(bars, 1):
        look: dict[str, Any] = {"color": FOR} if nats >= 0 else {"color": AGAINST, "hatch": "//", "edgecolor": "white"}
        ax.barh(y, nats, left=ends[y - 1], height=0.62, linewidth=0, **look)
        ax.annotate(
            f"×{_number(nats)}", (ends[y], y), xytext=(5 if nats >= 0 else -5, 0),
            textcoords="offset points", ha="left" if nats >= 0 else "right", va="center", fontsize=8,
        )  # fmt: skip
    last = len(bars) + 1
    for y, x in enumerate(ends):
        ax.plot([x, x], [y, y + 1], color=INK, linewidth=0.8)
    ax.plot([found.before, found.after], [0, last], "D", color="white", markeredgecolor=INK, markersize=7, zorder=4)
    ax.axvline(0.0, color=INK, linewidth=0.8, linestyle=":")
    known = "the background alone" if len(found.background) else "nothing known"
    words = [f"with {known}: {_odds(found.before, one, other)}", *(own for _, own, _ in bars)]
    words.append(f"with {'all findings' if bars else 'no more found'}: {_odds(found.after, one, other)}")
    ax.set_yticks(range(last + 1), [_wrapped(own) for own in words], fontsize=8)
    for place in (0, last):
        ax.get_yticklabels()[place].set_fontweight("bold")
    _brackets(ax, ["", *(group for group, _, _ in bars), ""])
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = max(0.13 * (high - low), 0.3)
    ax.set(xlim=(low - room, high + room), ylim=(last + 0.6, -0.6))
    _odds_axis(ax, f"{capitalised(one)} is so many times as probable as {other}")
    handles = [
        Patch(facecolor=FOR, label=f"speaks for {one}"),
        Patch(facecolor=AGAINST, hatch="//", edgecolor="white", label="speaks against it"),
    ]
    _titled(ax, f"Why {one} rather than {'the others' if _all(found) else other}", handles)
    return ax


def trajectory(found: Trajectory, ax: Axes | None = None) -> Axes:
    """The probability of every state, from top to bottom, as one finding after the other becomes known.

    The bands are the intervals of the state that leads at the end and of the other that led longest.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    first, last = found.steps[0], found.steps[-1]
    states = list(last)
    rows = lines_of(found.frame[found.frame["state"] == states[0]])
    ax = ax or new_axes(10.5, 0.36 * len(rows) + 2.6)
    handles: list[Any] = []
    for i, state in enumerate(states):
        look: dict[str, Any] = {"color": COLOURS[i % 8], "linestyle": LINES[i % 8], "marker": MARKERS[i % 8]}
        own = found.frame[found.frame["state"] == state]
        ax.plot(100 * own["probability"], own["step"], linewidth=1.8, markersize=5, zorder=3, **look)
        words = f"{last.labels[state]}: {percent(first[state])}"
        words += f" → {percent(last[state])}" if len(rows) > 1 else ""
        handles.append(Line2D([], [], linewidth=1.8, markersize=5, label=words, **look))
    if "lower" in found.frame:
        for state in banded(found):
            place = states.index(state)
            own = found.frame[found.frame["state"] == state]
            steps = own["step"].to_numpy(dtype=float)
            # a single step has its band too
            steps, again = (steps, 1) if len(steps) > 1 else (np.array([-0.25, 0.25]), 2)
            shade: dict[str, Any] = {"color": COLOURS[place % 8], "alpha": 0.16, "linewidth": 0}
            lower, upper = (np.repeat(100 * own[name].to_numpy(), again) for name in ("lower", "upper"))
            ax.fill_betweenx(steps, lower, upper, hatch=HATCHES[place % 8] or None, **shade)
            label = f"interval of {last.labels[state]}"
            handles.append(Patch(label=label, hatch=HATCHES[place % 8] or None, **shade))
    ax.set_yticks(range(len(rows)), [_wrapped(row.finding or "with nothing known") for row in rows], fontsize=8)
    _brackets(ax, [row.group for row in rows])
    ax.set(xlim=(-2, 102), xticks=range(0, 101, 20), ylim=(len(rows) - 0.4, -0.6))
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    _bare(ax)
    _titled(ax, "How the probabilities moved, finding by finding", handles)
    footed(ax, "probability (%), each row with the findings above it and its own")
    return ax


def banded(found: Trajectory) -> list[str]:
    """The states whose intervals are shown: the one that leads at the end, and the other that led longest, if any."""
    last = found.steps[-1].leading
    others = Counter(step.leading for step in found.steps if step.leading != last)
    return [last, *(state for state, _ in others.most_common(1))]


def what_if_map(found: WhatIf, most: int = 30, ax: Axes | None = None) -> Axes:
    """The probability of every state after single changes of the findings, those that move most, in their order.

    The leading state is framed. At the right: which other state comes to lead, and how probably just this is found.

    Raises:
        QuestionError: for pairs of changes, which no map of single ones shows.
    """
    from matplotlib.patches import Rectangle

    if "variable" not in found.frame:
        raise QuestionError("this map shows single changes, as those of `sweep`: see the frame of pairs")
    posterior = found.posterior
    states = list(posterior)
    frame = found.frame.sort_values("moved", ascending=False, kind="stable").head(most).sort_index()
    rows = lines_of(frame)
    values = [list(posterior.probabilities_of.values()), *frame[states].to_numpy().tolist()]
    ax = ax or new_axes(1.02 * len(states) + 6.2, 0.3 * len(values) + 2.0)
    for y, row in enumerate(values):
        lead = int(np.argmax(row))
        for x, value in enumerate(row):
            shade, ink = _shade(value)
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=shade, edgecolor="white", linewidth=0.8))
            weight = "bold" if x == lead else "normal"
            ax.text(x, y, percent(value), color=ink, ha="center", va="center", fontsize=8, fontweight=weight)
        ax.add_patch(Rectangle((lead - 0.47, y - 0.44), 0.94, 0.88, fill=False, edgecolor=INK, linewidth=1.9, zorder=3))
    for y, change in enumerate(rows, 1):
        if change.flips:
            told = "" if change.kind == "removed" else f" ({percent(change.chance)} probable)"
            _beside(ax, y, f"◆ {posterior.labels[change.leading]} leads{told}")
    names = [row.variable for row in rows]
    for y, (name, before) in enumerate(zip(names, ["", *names[:-1]], strict=True)):
        if name != before:
            ax.plot([-0.5, len(states) - 0.5], [y + 0.5] * 2, color=INK, linewidth=1.6 if y == 0 else 0.6)
    words = [_wrapped(_change(posterior, row.variable, row.value)) for row in rows]
    ax.set_yticks(range(len(values)), ["as it is", *words], fontsize=7.5, linespacing=0.95)
    ax.set_xticks(range(len(states)), [_wrapped(posterior.labels[state], 14) for state in states], fontsize=8)
    ax.xaxis.tick_top()
    ax.set(xlim=(-0.5, len(states) - 0.5), ylim=(len(values) - 0.45, -0.55))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title("What if one finding were another, or were known too", fontsize=11, loc="left", pad=10)
    every = len(found.frame)
    shown = f"those {len(rows)} of {every} changes that move most; " if len(rows) < every else ""
    footed(ax, f"{shown}frame: leads; ◆: another leads than now, and how probable it is that just this is found")
    return ax


def next_test_bars(found: NextTest, most: int = 10, ax: Axes | None = None) -> Axes:
    """How much each test would tell on average, alone and with the best test after it, the best test on top.

    At the right: how probably the leading state is the true one, now and then, and the price where it is known.
    """
    rows = lines_of(found.frame.head(most))
    ax = ax or new_axes(10.5, 0.46 * max(len(rows), 1) + 2.1)
    now = found.posterior[found.posterior.leading]
    for y, row in enumerate(rows):
        label = (None, None) if y else ("the test alone", "what the best second test adds")
        ax.barh(y, row.information, height=0.6, color=DARK, label=label[0])
        ax.barh(
            y, row.in_two - row.information, left=row.information, height=0.6, color=LIGHT, hatch="///",
            edgecolor="white", linewidth=0, label=label[1],
        )  # fmt: skip
        price = f"\n{_price(row.cost, row.harm, row.days)}" if "cost" in found.frame else ""
        _beside(ax, y, f"right: {percent(now)} → {percent(row.right)}{price}")
    ax.set_yticks(range(len(rows)), [_wrapped(row.label, 40) for row in rows], fontsize=8.5)
    widest = max([row.in_two for row in rows], default=0.0)
    ax.set(xlim=(0, 1.05 * widest or 1.0), ylim=(max(len(rows), 1) - 0.4, -0.6))
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= ax.get_xlim()[1]])
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    _bare(ax)
    if rows:
        _titled(ax, "What the next test would tell", ax.get_legend_handles_labels()[0])
    else:
        ax.set_title("Nothing is left to be tested", fontsize=11, loc="left")
    footed(ax, "expected information (nats); right: how probably the leading state is the true one")
    return ax


def plan_tree(found: Plan, most: int = 8, ax: Axes | None = None) -> Axes:
    """What further results of a test would make of the probability of a state, as a tree from left to right.

    Along the top the results are negative, one after the other, for at most so many steps; from each a branch goes off
    to every other result. On the edges stands how probable the next result is, at the far right the limit.
    """
    steps = [step for step in lines_of(found.frame[["step", "result", "chance", "below"]]) if step.step <= most]
    values = found.frame[found.state].to_list()
    last = max(step.step for step in steps)
    others = [state for state in found.variable.state_names if state != found.negative]
    ax = ax or new_axes(max(1.3 * (last + 2) + 1.6, 8.0), 1.0 * (1 + len(others)) + 2.0)
    ranges = _ranges(found)
    reached = {step.step: step.chance for step in steps if step.result in ("", found.negative)}
    for place, step in enumerate(steps):
        y = others.index(step.result) + 1 if step.result in others else 0
        if step.step:
            before = reached[step.step - 1]
            _edge(ax, step.step, y, percent(step.chance / before) if before > 0 else "–")
        _box(ax, step.step, y, values[place], ranges[place], bold=step.below)
    if found.enough is not None and found.enough <= last:
        told = f"below {percent(found.threshold)}"
        ax.text(found.enough, 0.36, f"▲ {told}", ha="center", va="top", fontsize=8, fontweight="bold")
    _limit(ax, found, last)
    labels = [_label_of(found, state) for state in (found.negative, *others)]
    ax.set_yticks(range(len(labels)), [_wrapped(label, NARROW) for label in labels], fontsize=8.5)
    heads = ["now", *(f"{step} more\n{percent(reached[step])}" for step in range(1, last + 1)), "any number"]
    ax.set_xticks(range(last + 2), heads, fontsize=8.5)
    ax.xaxis.tick_top()
    ax.set(xlim=(-0.45, last + 1.45), ylim=(len(others) + 0.42, -0.4))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    label = found.posterior.labels[found.state]
    test = uncapitalised(found.variable.label or found.variable.name)
    ax.set_title(f"{capitalised(label)} after further results: {test}", fontsize=11, loc="left", pad=10)
    interval = ", with its interval" if any(ranges) else ""
    footed(
        ax,
        f"boxes: probability of {label}{interval}; bold frame: below {percent(found.threshold)}\n"
        "on the edges: how probable the next result is; at the top: that all so far are as in the first row",
    )
    return ax


def _all(found: Explanation) -> bool:
    """Whether the hypothesis is held against several states that are all there are."""
    return found.hypothesis.against_all and len(found.hypothesis.against) > 1


def _sides(found: Explanation) -> tuple[str, str]:
    """The hypothesis and what it is held against, in words."""
    labels = found.posterior.labels
    one, other = (listed((labels[s] for s in own), "or") for own in (found.hypothesis.chosen, found.hypothesis.against))
    return one, "all others together" if _all(found) else other


def _bars(found: Explanation, most: int) -> list[tuple[str, str, float]]:
    """Group, words and nats of each bar; the weakest findings together, if there are more than one too many."""
    frame = found.frame
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
    return f"{one if nats > 0 else other} {_number(abs(nats))} times as probable"


def _number(nats: float) -> str:
    """A factor in two digits, from its logarithm; a very small one as a fraction, one beyond a million in words.

    >>> [_number(math.log(factor)) for factor in (6.008, 0.2498, 1.04, 0.0011, 53210.0)]
    ['6', '0.25', '1.04', '1/910', '53,000']
    >>> _number(700.0), _number(-700.0)
    ('over a million', 'under 1/million')
    """
    if abs(nats) > math.log(1e6):
        return "over a million" if nats > 0 else "under 1/million"
    factor = math.exp(nats)
    if factor < 0.01:
        return f"1/{_number(-nats)}"
    digits = 2 if abs(nats) < EVEN else 1 - math.floor(math.log10(factor))
    words = f"{round(factor, digits):,.{max(digits, 0)}f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def _odds_axis(ax: Axes, what: str) -> None:
    """Round odds below the axes, each with its logarithm: the scale is in nats."""
    factors = _round_odds(*ax.get_xlim())
    nats = [math.log(factor) for factor in factors]
    words = [f"{_tick(factor)}\n({own:.1f})".replace("-", "−") for factor, own in zip(factors, nats, strict=True)]
    ax.set_xticks(nats, words, fontsize=8)
    ax.grid(axis="x", color="#dddddd", linewidth=0.7)
    ax.set_axisbelow(True)
    _bare(ax)
    footed(ax, _wrapped(f"{what} (in brackets: log-odds in nats)", 2 * WORDS))


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
    label = uncapitalised(variable.label or name)
    if value == "unknown":
        return f"{label} (not known)"
    try:
        return phrase(variable, read_findings({name: value}, {name: variable})[name])
    except FindingsError:
        return f"{label} ({value})"


def _price(cost: float, harm: float, days: float) -> str:
    """What a test costs, how often it harms, how long it takes."""
    told = [f"${cost:,.0f}" if cost > 0 else "no cost"]
    told.append(f"complication {percent(harm)}" if harm > 0 else "no harm")
    told.append(f"{days:g} {'day' if days == 1 else 'days'}" if days > 0 else "at once")
    return ", ".join(told)


def _ranges(found: Plan) -> list[str]:
    """Per line of a plan the interval in words; empty words where there is none."""
    if "lower" not in found.frame:
        return [""] * len(found.frame)
    return [percents(*pair) for pair in zip(found.frame["lower"], found.frame["upper"], strict=True)]


def _label_of(found: Plan, name: str) -> str:
    return next(state.label or state.name for state in found.variable.states if state.name == name)


def _box(ax: Axes, x: float, y: float, value: float, interval: str, bold: bool = False, line: str = "-") -> None:
    from matplotlib.patches import FancyBboxPatch

    shade, ink = _shade(value)
    ax.add_patch(
        FancyBboxPatch(
            (x - 0.27, y - 0.2), 0.54, 0.4, boxstyle="round,pad=0,rounding_size=0.05", facecolor=shade,
            edgecolor=INK, linewidth=2.6 if bold else 0.9, linestyle=line, zorder=3,
        )
    )  # fmt: skip
    low = 0.08 if interval else 0.0
    ax.text(x, y - low, percent(value), color=ink, ha="center", va="center", fontsize=10, fontweight="bold", zorder=4)
    if interval:
        ax.text(x, y + 0.1, interval, color=ink, ha="center", va="center", fontsize=7, zorder=4)


def _edge(ax: Axes, step: int, y: int, words: str) -> None:
    """From the box of the step before to this one, with its chance on it."""
    path = [(step - 0.73, 0), (step - 0.27, 0)] if y == 0 else [(step - 0.5, 0), (step - 0.5, y), (step - 0.27, y)]
    ax.plot(*zip(*path, strict=True), color=INK, linewidth=1.1, zorder=1)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    place = (step - 0.5, -0.08) if y == 0 else (step - 0.5, y - 0.5)
    ax.text(*place, words, ha="center", va="bottom" if y == 0 else "center", fontsize=8, bbox=box if y else None)


def _limit(ax: Axes, found: Plan, last: int) -> None:
    """What any number of negative results comes to, as a dashed box behind the last step."""
    ax.plot([last + 0.27, last + 0.73], [0, 0], color=INK, linewidth=1.1, linestyle="--", zorder=1)
    _box(ax, last + 1, 0, found.limit, "", found.limit < found.threshold, "--")
    if found.enough is not None and found.enough > last:
        told = f"below {percent(found.threshold)}\nafter {found.enough}"
        ax.text(last + 1, 0.28, told, ha="center", va="top", fontsize=8, fontweight="bold")


def _shade(value: float) -> tuple[tuple[float, float, float], str]:
    """The darker the more probable, and the ink that is read on it."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - value * (1 - part) for part in to_rgb(DARK))
    return (red, green, blue), "white" if value > 0.77 else INK


def _brackets(ax: Axes, groups: Sequence[str]) -> None:
    """The groups of the rows at the right of the axes, each over its own."""
    y = 0
    for group, own in groupby(groups):
        count = len(list(own))
        if group:
            place = ax.get_yaxis_transform()
            ax.plot([1.01] * 2, [y - 0.35, y + count - 0.65], color="#888888", transform=place, clip_on=False)
            _beside(ax, y + (count - 1) / 2, group)
        y += count


def _beside(ax: Axes, y: float, words: str) -> None:
    """Words at the right of the axes."""
    ax.annotate(words, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, linespacing=1.2)


def _titled(ax: Axes, title: str, handles: Sequence[Any]) -> None:
    """A title with the legend between it and the axes."""
    rows, title = -(-len(handles) // 2), _wrapped(title, TITLE)
    ax.legend(handles=handles, ncols=2, fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    ax.set_title(title, fontsize=11, loc="left", pad=12 + 15 * rows)


def _bare(ax: Axes) -> None:
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _wrapped(words: str, width: int = WORDS) -> str:
    return "\n".join(textwrap.wrap(words, width, break_on_hyphens=False))
