"""The view 'network': the probability of each state of each variable, and the way of the strongest finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from calcinosis.analysis.explain.active_trail import trail
from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.numbers import percent, times
from calcinosis.inference.phrases import capitalised, listed, uncapitalised
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.network_layout import LINE, TITLE, WIDTH, Arrow, layout
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.records import GROUPS, Variable

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation

LARGEST = 120
"""Of how many variables a picture is drawn at most: more could not be read."""

MARGIN = 8
"""How far what a box holds stands from its sides, in pixels."""

BAR = WIDTH - 2 * MARGIN - 44
"""How wide a bar is at a probability of 1: the percentage stands beside it."""

LONGEST_NAME, LONGEST_STATE = 33, 28
"""How many letters of a name fit into a box; the whole is read where the pointer rests."""

MARKS = {"entered": "✓", "ruled out": "–"}
"""What stands for a state that was found, and for the others then, in place of a percentage."""


class StateLine(NamedTuple):
    """A state in its box: its label, whole and as it fits; its probability in words and as a bar; where it stands."""

    label: str
    short: str
    words: str
    mark: str
    probability: float
    bar: float
    y: float


class Node(NamedTuple):
    """What a box shows: its label, whole and as it fits, what was entered, and its states."""

    label: str
    short: str
    group: str
    entered: bool
    more: str
    states: tuple[StateLine, ...]

    @property
    def leading(self) -> str:
        """The leading state in words."""
        first = max(self.states, key=attrgetter("probability"))
        entered = ", entered" if self.entered and first.words != "entered" else ""
        return f"{self.label}{self.more}: {first.label} {first.words}{entered}"

    @property
    def title(self) -> str:
        """All states in words."""
        return f"{self.label}{self.more}: {', '.join(f'{own.label} {own.words}' for own in self.states)}"


class Way(NamedTuple):
    """The finding that says most, in a sentence, and the variables on its way to the target; or why there is none."""

    names: tuple[str, ...] = ()
    sentence: str = ""
    refused: str = ""


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows."""
    variables = situation.model.variables
    found, way = nodes(situation), strongest(situation)
    return {
        "nodes": found,
        "way": way,
        "groups": [group for group in GROUPS if any(own.group == group for own in variables.values())],
        "picture": _picture(situation, found, way) if len(variables) <= LARGEST else None,
    }


def nodes(situation: Situation) -> dict[str, Node]:
    """By variable what its box shows."""
    probabilities = iter(situation.model.marginals(situation.evidence)["probability"].to_list())
    return {
        name: _node(variable, situation.evidence.get(name), probabilities)
        for name, variable in situation.model.variables.items()
    }


def _node(variable: Variable, finding: Finding | None, probabilities: Iterator[float]) -> Node:
    certain = finding is not None and not variable.repeatable and _certain(finding)
    states = []
    for place, state in enumerate(variable.states):
        probability = next(probabilities)
        words = ("entered" if probability > 0.5 else "ruled out") if certain else percent(probability)
        label, y = state.label or state.name, TITLE + LINE * place
        short, mark = _short(label, LONGEST_STATE), MARKS.get(words, words)
        states.append(StateLine(label, short, words, mark, probability, round(BAR * probability, 1), y))
    label = variable.label or variable.name
    group = variable.group if variable.group in GROUPS else ""
    more = ", one more result" if variable.repeatable and finding is not None else ""
    return Node(label, _short(label, LONGEST_NAME), group, finding is not None, more, tuple(states))


def _certain(finding: Finding) -> bool:
    """Whether one state was found, and no doubt is left."""
    return len(finding.likelihoods) == 1 and sum(own > 0 for own in finding.likelihoods[0]) == 1


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _picture(situation: Situation, found: Mapping[str, Node], way: Way) -> dict[str, Any]:
    """The picture, with what each box shows; what lies on the way of the strongest finding is marked."""
    drawn = layout(situation.shipped.network)  # an edited row moves no box
    steps = {frozenset(step) for step in pairwise(way.names)}

    def strong(arrow: Arrow) -> bool:
        return {arrow.parent, arrow.child} in steps

    return {
        "width": drawn.width,
        "height": drawn.height,
        "headings": drawn.headings,
        # what is marked lies above the others
        "arrows": [(arrow, strong(arrow)) for arrow in sorted(drawn.arrows, key=strong)],
        "boxes": [(box, found[box.name], box.name in way.names) for box in drawn.boxes],
        "box": WIDTH,
        "margin": MARGIN,
        "bar": BAR,
    }


def strongest(situation: Situation) -> Way:
    """The way of the finding that says most for or against what the page explains."""
    why = situation.explanation
    if isinstance(why, QuestionError):
        return Way(refused=f"No strongest argument: {why}.")
    contributions = why.frame["contribution"].to_list()
    place = max(range(len(contributions)), key=lambda own: abs(contributions[own]), default=None)
    if place is None or not contributions[place]:
        return Way()
    name, finding = why.frame["variable"].to_list()[place], why.frame["finding"].to_list()[place]
    names = trail(situation.model.network, situation.evidence, name)
    labels = [situation.model.variables[own].label or own for own in names[1:-1]]
    by_way = f", by way of {listed(map(uncapitalised, labels))}" if labels else ", directly" if names else ""
    speaks = _speaks(situation, why, contributions[place])
    return Way(names, f"{capitalised(finding)}: {speaks}{by_way}.")


def _speaks(situation: Situation, why: Explanation, contribution: float) -> str:
    """For what a finding speaks or against what, and how much."""
    chosen = listed(map(situation.label, why.hypothesis.chosen), "or")
    against = listed(map(situation.label, why.hypothesis.against), "or")
    over = "" if why.hypothesis.against_all else f" rather than {against}"
    if contribution > 0:
        return f"for {chosen}{over}, whose odds it multiplies by {times(contribution)}"
    return f"against {chosen}{over}, whose odds it divides by {times(-contribution)}"
