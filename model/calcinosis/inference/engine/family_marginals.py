"""The posterior of every family: the probability of each cell of each table, for each patient.

It takes an upward and a downward pass through the junction tree, as for single variables; a family is read off the
clique that its table is assigned to. `calcinosis.inference.engine.expected_counts` sums the same over patients.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.junction_tree import Clique
from calcinosis.inference.engine.scaling import Message, scaled
from calcinosis.inference.findings.encoding import Coded
from calcinosis.inference.network import Array, Network


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
    # upward pass
    messages: list[Message] = []
    for i, clique in enumerate(engine.cliques):
        messages.append(engine.passed_on(i, coded, [messages[child] for child in clique.children]))
    # downward pass: `above` is the message from the parent clique
    above: list[Array] = [np.ones((1, clique.runs[1])) for clique in engine.cliques]
    families = families_of(engine, network)
    for i in range(len(engine.cliques) - 1, -1, -1):
        clique = engine.cliques[i]
        if clique.repeatable:
            name = clique.variables[0]
            posterior = messages[i][0] * above[i]
            posterior = posterior / posterior.sum(axis=1, keepdims=True)
            yield name, _gathered(_results(engine, clique, coded, posterior), network, name, clique)
            continue
        weighted = scaled(engine.observed(clique, coded) * above[i][:, clique.onto])[0]
        inside = [messages[child][0][:, into] for child, into in zip(clique.children, clique.into, strict=True)]
        # product of all other messages by prefix and suffix products; no division, since a message may be 0
        before = [weighted]
        for message in inside:
            before.append(scaled(before[-1] * message)[0])
        after = np.ones((1, 1))
        for k in range(len(inside) - 1, -1, -1):
            child = clique.children[k]
            rest = scaled(before[k] * after)[0]
            onto = clique.into[k][:, None] == np.arange(engine.cliques[child].runs[1])
            above[child] = scaled(rest @ onto)[0]
            after = scaled(after * inside[k])[0]
        posterior = before[-1] / before[-1].sum(axis=1, keepdims=True)
        for name in families[i]:
            yield name, _gathered(posterior, network, name, clique)


def families_of(engine: Engine, network: Network) -> tuple[tuple[str, ...], ...]:
    """For each clique, the variables whose tables are assigned to it, where the first of the family is summed out."""
    home = {name: i for i, clique in enumerate(engine.cliques) for name in clique.variables}
    families: list[list[str]] = [[] for _ in engine.cliques]
    for name in network.variables:
        families[min(home[v] for v in (*network.parents[name], name))].append(name)
    return tuple(map(tuple, families))


def _results(engine: Engine, clique: Clique, coded: Coded, posterior: Array) -> Array:
    """The posterior of a repeatable variable's entries, summed over the results of each patient."""
    name = clique.variables[0]
    counts = np.zeros((max(coded.patients, len(posterior)), len(clique.weights)))
    if name not in coded.codes:
        return counts
    findings = [*engine.base[name], *coded.further.get(name, ())]
    posterior = np.broadcast_to(posterior, (coded.patients, posterior.shape[1]))
    for code in np.unique(coded.codes[name]).tolist():
        who = np.flatnonzero(coded.codes[name] == code)
        for result in findings[code]:
            joint = (clique.weights * np.array(result)[clique.states[name]])[None]
            total = clique.summed(joint)
            share = np.divide(joint, total[:, clique.onto], out=np.zeros_like(joint), where=joint > 0)
            counts[who] += posterior[who][:, clique.onto] * share
    return counts


def _gathered(entries: Array, network: Network, name: str, clique: Clique) -> Array:
    """Entries of a clique summed by cell of the table."""
    rows = network.rows(name)
    gathered = np.zeros((rows.size, len(entries)))
    np.add.at(gathered, network.cells(name, clique.states), entries.T)
    return gathered.T.reshape(len(entries), *rows.shape)
