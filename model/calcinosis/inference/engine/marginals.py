"""The posterior of every variable, by an upward and a downward pass through the junction tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.junction_tree import Places
from calcinosis.inference.engine.scaling import Message, scaled
from calcinosis.inference.findings.encoding import Coded
from calcinosis.inference.network import Array


def posterior_marginals(engine: Engine, coded: Coded) -> dict[str, Array]:
    """For each variable, the posterior given all findings, axes `(patients, states)`.

    For a repeatable variable it is the predictive distribution of one further result. The evidence must be possible.
    """
    # upward pass
    messages: list[Message] = []
    for i, clique in enumerate(engine.cliques):
        messages.append(engine.passed_on(i, coded, [messages[child] for child in clique.children]))
    # downward pass: `above` is the message from the parent clique
    above: list[Array] = [np.ones((1, clique.runs[1])) for clique in engine.cliques]
    posteriors: dict[str, Array] = {}
    for i in range(len(engine.cliques) - 1, -1, -1):
        clique = engine.cliques[i]
        if clique.repeatable:
            # the observed results are in the message; predict one further result
            weighted = clique.weights * (above[i] * messages[i][0])[:, clique.onto]
        else:
            weighted = engine.observed(clique, coded) * above[i][:, clique.onto]
        inside = [messages[child][0][:, into] for child, into in zip(clique.children, clique.into, strict=True)]
        product = _joined(weighted, inside)
        for name in clique.variables:  # marginalise the clique
            weights = _gathered(product, clique.states[name], engine.sizes[name])
            posteriors[name] = weights / weights.sum(axis=1, keepdims=True)
        # to each child: the product of everything but its own message
        for k, (child, into) in enumerate(zip(clique.children, clique.into, strict=True)):
            rest = _joined(weighted, inside[:k] + inside[k + 1 :])
            above[child] = scaled(_gathered(rest, into, engine.cliques[child].runs[1]))[0]
    return posteriors


def _joined(product: Array, messages: Sequence[Array]) -> Array:
    """The scaled product of a clique's weights and messages."""
    for message in messages:
        product = scaled(product * message)[0]
    return product


def _gathered(entries: Array, into: Places, states: int) -> Array:
    """Entries summed by state, axes `(patients, states)`."""
    total = np.zeros((states, len(entries)))
    np.add.at(total, into, entries.T)
    return total.T
