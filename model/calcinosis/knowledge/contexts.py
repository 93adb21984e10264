"""Contexts: the combinations of parent states that a row of a table covers, and the cells that name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from calcinosis.knowledge.problem import choose_from

ANY, OR = "any", "/"
"""The parent cell for all states, and the separator of several (`dystrophic/metastatic`)."""

Context = tuple[str, ...]
"""One state per parent, in the order of the table's parents."""


class CellFault(ValueError):  # noqa: N818 - as NotANumber
    """An invalid parent cell: what is wrong with it, and the `fix`."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


def states_in(cell: str, states: Sequence[str]) -> tuple[str, ...]:
    """The states that a parent cell names, in the variable's order.

    Raises:
        CellFault: if the cell is invalid.

    >>> states_in("metastatic/dystrophic", ["dystrophic", "metastatic", "idiopathic"])
    ('dystrophic', 'metastatic')
    """
    if cell in states and OR not in cell:
        return (cell,)
    words = [word.strip() for word in cell.split(OR)]
    if words == [ANY] and ANY not in states:
        return tuple(states)
    if ANY in words and ANY not in states:
        raise CellFault(f"'{ANY}' next to a state", f"write '{ANY}' alone, or remove it")
    if words == [""]:
        raise CellFault("the cell is empty", _choose("", states))
    if "" in words:
        raise CellFault("an empty name in a list of states", f"remove the extra '{OR}'")
    doubled = [word for i, word in enumerate(words) if word in words[:i]]
    if doubled:
        raise CellFault(f"'{doubled[0]}' twice in a list of states", "name it once")
    unknown = [word for word in words if word not in states]
    if unknown:
        raise CellFault(f"no state '{unknown[0]}'", _choose(unknown[0], states))
    return tuple(state for state in states if state in words)


def _choose(word: str, states: Sequence[str]) -> str:
    """The fix for a cell: the allowed states, and how to join several."""
    if len(states) < 2:
        return choose_from(word, states)
    return f"{choose_from(word, [*states, ANY])}; join several with '{OR}'"


def cell_of(chosen: Iterable[str], states: Sequence[str]) -> str:
    """The cell for a set of states; `any` for all.

    >>> cell_of(["no", "yes"], ["no", "yes"]), cell_of(["yes"], ["no", "yes"])
    ('any', 'yes')
    """
    named = set(chosen)
    if len(states) > 1 and named >= set(states):
        return ANY
    return OR.join(state for state in states if state in named)


def contexts_of(given: Sequence[str], states: Sequence[Sequence[str]]) -> Iterator[Context]:
    """The contexts that the parent cells of a row name; `states` has the states of each parent."""
    return product(*(states_in(cell, names) for cell, names in zip(given, states, strict=True)))


def grouped(contexts: Iterable[Context], states: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Rows of parent cells that cover exactly these contexts, each once, merged greedily parent by parent.

    >>> grouped([("a", "no"), ("a", "yes"), ("b", "yes")], [["a", "b", "c"], ["no", "yes"]])
    [('a', 'any'), ('b', 'yes')]
    """
    rows: list[tuple[frozenset[str], ...]] = [tuple(frozenset({s}) for s in context) for context in contexts]
    for place in reversed(range(len(states))):
        alike: dict[tuple[frozenset[str], ...], frozenset[str]] = {}
        for row in rows:
            others = row[:place] + row[place + 1 :]
            alike[others] = alike.get(others, frozenset()) | row[place]
        rows = [(*others[:place], chosen, *others[place:]) for others, chosen in alike.items()]
    return [tuple(cell_of(chosen, names) for chosen, names in zip(row, states, strict=True)) for row in rows]
