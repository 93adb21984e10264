"""The shortest active trail from a finding to the target: the path along which it informs the target.

A trail may follow arrows in either direction. It is blocked by an observed variable, and by a collider unless there is
evidence on the collider or on one of its descendants (d-separation: Pearl, Probabilistic Reasoning in Intelligent
Systems, 1988). The search is breadth first (Koller and Friedman, Probabilistic Graphical Models, 2009, algorithm 3.1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.network import Network

TrailStep = tuple[str, bool]
"""A variable on a trail, and whether the trail reached it from a child, against the arrow."""


def trail(network: Network, evidence: Evidence, variable: str) -> tuple[str, ...]:
    """The variables on the shortest active trail from an observed one to the target, both included; empty if none.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> trail(model.network, model.read(autoantibodies="positive"), "autoantibodies")
    ('autoantibodies', 'connective_tissue_disease', 'form', 'subtype')
    """
    others = [finding for finding in evidence if finding.variable != variable]
    observed = {finding.variable for finding in others if _certain(finding)}
    opened = _with_ancestors((finding.variable for finding in others), network.parents)
    children: dict[str, list[str]] = {name: [] for name in network.parents}
    for child, parents in network.parents.items():
        for parent in parents:
            children[parent].append(child)
    start: TrailStep = (variable, True)
    before: dict[TrailStep, TrailStep | None] = {start: None}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        name, from_child = here
        if name == network.target:
            return _path(here, before)
        steps: list[TrailStep] = []
        if name not in observed:
            steps += [(child, False) for child in children[name]]
        # a collider, reached along the arrow, is open if it or a descendant has evidence
        if (name not in observed) if from_child else (name in opened):
            steps += [(parent, True) for parent in network.parents[name]]
        for step in steps:
            if step not in before:
                before[step] = here
                queue.append(step)
    return ()


def _certain(finding: Finding) -> bool:
    """Whether only one state is possible."""
    return any(sum(value > 0 for value in likelihoods) == 1 for likelihoods in finding.likelihoods)


def _with_ancestors(names: Iterable[str], parents: Mapping[str, Sequence[str]]) -> set[str]:
    closure: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in closure:
            closure.add(name)
            waiting += parents[name]
    return closure


def _path(last: TrailStep, before: Mapping[TrailStep, TrailStep | None]) -> tuple[str, ...]:
    names = []
    here: TrailStep | None = last
    while here is not None:
        names.append(here[0])
        here = before[here]
    return tuple(reversed(names))
