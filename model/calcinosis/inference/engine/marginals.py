"""The posteriors of variables and of families, by an upward and a downward pass through the junction tree.

A family, a variable with its parents, is read off the clique that its table is assigned to.
`calcinosis.inference.engine.expected_counts` sums the same over patients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.junction_tree import Clique
from calcinosis.inference.engine.messages import scaled
from calcinosis.inference.findings.encoding import Coded, Codes
from calcinosis.inference.network import Array, Network


def posterior_marginals(engine: Engine, coded: Coded) -> dict[str, Array]:
    """For each variable, the posterior given all findings, axes `(patients, states)`.

    For a repeatable variable it is the predictive distribution of one further result. The evidence must be possible.
    """
    posteriors: dict[str, Array] = {}
    for clique, joint in _joints(engine, coded):
        entries = clique.weights * joint[:, clique.onto] if clique.repeatable else joint
        for name in clique.variables:
            weights = _gathered(entries, clique.states[name], engine.sizes[name])
            posteriors[name] = weights / weights.sum(axis=1, keepdims=True)
    return posteriors


def family_posteriors(engine: Engine, network: Network, coded: Coded) -> Iterator[tuple[str, Array]]:
    """Each variable with the posterior of its table's cells, axes `(patients, rows, states)` as in `Network.rows`.

    A patient's cells sum to 1; for a repeatable variable, to the number of results. The evidence must be possible.

    >>> import calcinosis as cc
    >>> from calcinosis.inference.findings.encoding import encode
    >>> model = cc.load()
    >>> patient = encode(model.engine.base, [model.read(subtype="idiopathic", pain="none")])
    >>> cells = dict(family_posteriors(model.engine, model.network, patient))
    >>> cells["pain"].shape, round(float(cells["pain"].sum()), 12)
    ((1, 7, 3), 1.0)
    """
    for clique, joint in _joints(engine, coded):
        posterior = joint / joint.sum(axis=1, keepdims=True)
        entries = _of_results(engine, clique, coded, posterior) if clique.repeatable else posterior
        for name in clique.families:
            rows = network.rows(name)
            cells = _gathered(entries, network.cells(name, clique.states), rows.size)
            yield name, cells.reshape(len(entries), *rows.shape)


def _joints(engine: Engine, coded: Coded) -> Iterator[tuple[Clique, Array]]:
    """Each clique with the joint weights of its entries and the evidence, up to a factor per patient.

    For a repeatable variable, whose results are in its message, they are those of the states of the message.
    """
    messages = engine.messages(coded)
    # downward pass: `above` is the message from the parent clique
    above: list[Array] = [np.ones((1, clique.runs[1])) for clique in engine.cliques]
    for i in range(len(engine.cliques) - 1, -1, -1):
        clique = engine.cliques[i]
        if clique.repeatable:
            yield clique, above[i] * messages[i][0]
            continue
        inside = [messages[child][0][:, into] for child, into in zip(clique.children, clique.into, strict=True)]
        product = engine.observed(clique, coded) * above[i][:, clique.onto]
        # to each child: the product of everything but its own message; no division, since a message may be 0
        for k, (child, into) in enumerate(zip(clique.children, clique.into, strict=True)):
            rest = _product(product, inside[k + 1 :])
            above[child] = scaled(_gathered(rest, into, engine.cliques[child].runs[1]))[0]
            product = _product(product, inside[k : k + 1])
        yield clique, product


def _product(product: Array, messages: Sequence[Array]) -> Array:
    for message in messages:
        product = scaled(product * message)[0]
    return product


def _gathered(entries: Array, into: Codes, states: int) -> Array:
    """Entries summed by state, axes `(patients, states)`."""
    total = np.zeros((states, len(entries)))
    np.add.at(total, into, entries.T)
    return total.T


def _of_results(engine: Engine, clique: Clique, coded: Coded, posterior: Array) -> Array:
    """The posterior of a repeatable variable's entries, summed over the results of each patient."""
    name = clique.variables[0]
    counts = np.zeros((max(coded.patients, len(posterior)), len(clique.weights)))
    if name not in coded.codes:
        return counts
    findings = engine.findings(name, coded)
    posterior = np.broadcast_to(posterior, (coded.patients, posterior.shape[1]))
    for code in np.unique(coded.codes[name]).tolist():
        who = np.flatnonzero(coded.codes[name] == code)
        for result in findings[code]:
            joint = (clique.weights * np.array(result)[clique.states[name]])[None]
            total = clique.summed(joint)
            share = np.divide(joint, total[:, clique.onto], out=np.zeros_like(joint), where=joint > 0)
            counts[who] += posterior[who][:, clique.onto] * share
    return counts
