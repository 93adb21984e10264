"""Checks of the graph that the table headers define: no cycle, and every variable connected to the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from calcinosis.knowledge.problem import Problem


def find_cycle(parents: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The variables of a cycle in the direction of its arrows, the first repeated at the end; None if acyclic.

    >>> find_cycle({"a": ["b"], "b": ["a"]})
    ['a', 'b', 'a']
    """
    graph = {name: sorted(parents[name]) for name in sorted(parents)}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1][:-1]  # from parent to child, as graphlib walks from predecessors
        start = cycle.index(min(cycle))
        return [*cycle[start:], *cycle[:start], cycle[start]]
    return None


def connected(parents: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """The variables connected to `start` by arrows in any direction."""
    neighbours: dict[str, set[str]] = {name: set() for name in parents}
    for child, names in parents.items():
        for name in names:
            neighbours[child].add(name)
            neighbours[name].add(child)
    reached, new = {start}, [start]
    while new:
        fresh = neighbours[new.pop()] - reached
        reached |= fresh
        new.extend(fresh)
    return reached


def check_structure(parents: Mapping[str, Sequence[str]], target: str, problems: list[Problem]) -> None:
    """Report a cycle, and variables that are not connected to the outcome."""
    cycle = find_cycle(parents)
    if cycle is not None:
        file = f"tables/{cycle[1]}.csv"
        path = " → ".join(cycle)
        problems.append(Problem(file, 1, cycle[0], path, "the arrows form a cycle", "remove one of these arrows"))
    reached = connected(parents, target)
    for name in parents:
        if name not in reached:
            what = f"no arrow connects {name} with {target}"
            fix = "give its table a parent column, or make it a parent"
            problems.append(Problem(f"tables/{name}.csv", 1, "", name, what, fix))
