"""The posterior of every variable: a second pass, down the tree of cliques, after the engine's pass up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calcinosis.inference.engine.engine import Engine, Message, scaled
from calcinosis.inference.engine.junction_tree import Places
from calcinosis.inference.findings.encoding import Coded
from calcinosis.inference.network import Array


def posterior_marginals(engine: Engine, coded: Coded) -> dict[str, Array]:
    """Per variable the posterior given all findings, axes `(patients, states)`.

    For a repeatable variable it is the predictive distribution of one further result. The evidence must be possible.
    """
    messages: list[Message] = []
    for i, clique in enumerate(engine.cliques):
        messages.append(engine.passed_on(i, coded, [messages[child] for child in clique.children]))
    above: list[Array] = [np.ones((1, clique.runs[1])) for clique in engine.cliques]
    posteriors: dict[str, Array] = {}
    for i in range(len(engine.cliques) - 1, -1, -1):
        clique = engine.cliques[i]
        if clique.repeatable:
            # its own results are in the message; what is asked for is the result of one measurement more
            weighted = clique.weights * (above[i] * messages[i][0])[:, clique.onto]
        else:
            weighted = engine.observed(clique, coded) * above[i][:, clique.onto]
        inside = [messages[child][0][:, into] for child, into in zip(clique.children, clique.into, strict=True)]
        product = _joined(weighted, inside)
        for name in clique.variables:
            weights = _gathered(product, clique.states[name], engine.sizes[name])
            posteriors[name] = weights / weights.sum(axis=1, keepdims=True)
        for k, (child, into) in enumerate(zip(clique.children, clique.into, strict=True)):
            rest = _joined(weighted, inside[:k] + inside[k + 1 :])
            above[child] = scaled(_gathered(rest, into, engine.cliques[child].runs[1]))[0]
    return posteriors


def _joined(product: Array, messages: Sequence[Array]) -> Array:
    """The product of a clique's own weights with messages, scaled."""
    for message in messages:
        product = scaled(product * message)[0]
    return product


def _gathered(entries: Array, into: Places, states: int) -> Array:
    """Entries summed by the state that each belongs to, axes `(patients, states)`."""
    total = np.zeros((states, len(entries)))
    np.add.at(total, into, entries.T)
    return total.T
