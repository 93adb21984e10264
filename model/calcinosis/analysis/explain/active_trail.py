"""The way a finding takes to the target: the shortest trail of arrows along which it can tell something of it.

A trail may run along arrows and against them, but not through what is known, and through a variable that two arrows of
the trail run into only if something is known of it or of what it leads to (d-separation: Pearl, Probabilistic Reasoning
in Intelligent Systems, 1988; found breadth first as by Koller and Friedman, Probabilistic Graphical Models, 2009,
algorithm 3.1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.network import Network

Step = tuple[str, bool]
"""A variable on a trail, and whether the trail came to it against an arrow, from a child."""


def trail(network: Network, evidence: Evidence, variable: str) -> tuple[str, ...]:
    """The variables on the shortest way from one that was found to the target, both included; empty if there is none.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> trail(model.network, model.read(autoantibodies="positive"), "autoantibodies")
    ('autoantibodies', 'connective_tissue_disease', 'form', 'subtype')
    """
    others = [finding for finding in evidence if finding.variable != variable]
    known = {finding.variable for finding in others if _certain(finding)}
    told = _with_ancestors((finding.variable for finding in others), network.parents)
    children: dict[str, list[str]] = {name: [] for name in network.parents}
    for child, parents in network.parents.items():
        for parent in parents:
            children[parent].append(child)
    start: Step = (variable, True)
    before: dict[Step, Step | None] = {start: None}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        name, from_child = here
        if name == network.target:
            return _walked(here, before)
        steps: list[Step] = []
        if name not in known:
            steps += [(child, False) for child in children[name]]
        if (name not in known) if from_child else (name in told):
            steps += [(parent, True) for parent in network.parents[name]]
        for step in steps:
            if step not in before:
                before[step] = here
                waiting.append(step)
    return ()


def _certain(finding: Finding) -> bool:
    """Whether only one state is left."""
    return any(sum(own > 0 for own in likelihoods) == 1 for likelihoods in finding.likelihoods)


def _with_ancestors(names: Iterable[str], parents: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += parents[name]
    return found


def _walked(last: Step, before: Mapping[Step, Step | None]) -> tuple[str, ...]:
    names = []
    here: Step | None = last
    while here is not None:
        names.append(here[0])
        here = before[here]
    return tuple(reversed(names))
