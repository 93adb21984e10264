"""Importance sampling by gamma draws of every row, without any of the engine's code: the oracle of the intervals."""

import numpy as np

CHUNK = 2_000
"""How many draws are multiplied at a time, so that they stay in the cache."""


def weighted_posteriors(network, patients, draws, seed, chunk=CHUNK):
    """Per patient the posterior in each draw of the tables, axes `(states, draws)`, and the weight of each draw.

    Each row is drawn once, whichever contexts it holds in: gamma variates divided by their sum. A draw weighs what the
    findings are worth in it; the weights sum to 1.
    """
    rng = np.random.default_rng(seed)
    plans = [_plan(network, evidence) for evidence in patients]
    weights = [np.empty((len(network.variables[network.target].states), draws)) for _ in patients]
    needed = sorted({name for operands, _ in plans for name, *_ in operands})
    for first in range(0, draws, chunk):
        here = slice(first, min(first + chunk, draws))
        drawn = {name: _draw(network, name, here.stop - first, rng) for name in needed}
        for plan, found in zip(plans, weights, strict=True):
            found[:, here] = _eliminated(plan, drawn)
    totals = [found.sum(axis=0) for found in weights]
    return [
        (found / np.where(total > 0, total, 1), total / total.sum())
        for found, total in zip(weights, totals, strict=True)
    ]


def _draw(network, name, draws, rng):
    """A table, drawn: axes `(*parents, states, draws)`."""
    first = np.unique(network.contexts[name], return_index=True)[1]
    rows = network.tables[name].reshape(-1, network.tables[name].shape[-1])[first]
    gammas = rng.standard_gamma((rows * network.weights[name][:, None])[..., None], size=(*rows.shape, draws))
    return (gammas / gammas.sum(axis=1, keepdims=True))[network.contexts[name]]


def _plan(network, evidence):
    """The tables that bear on the target, each with its family and the likelihoods of its own results; what is left."""
    results = {finding.variable: finding.likelihoods for finding in evidence}
    needed, open_ = set(), [network.target, *results]
    while open_:
        name = open_.pop()
        if name not in needed:
            needed.add(name)
            open_ += network.parents[name]
    operands = [(name, (*network.parents[name], name), results.get(name, ())) for name in sorted(needed)]
    return operands, network.target


def _eliminated(plan, drawn):
    """The joint weight of each state of the target and the findings: axes `(states, draws)`."""
    operands, target = plan
    factors = []
    inner = {v for _, family, _ in operands for v in family[:-1]} | {target}
    for name, family, results in operands:
        table = drawn[name]
        if name not in inner:  # a leaf: each result of it is one more factor over its parents
            factor = np.ones(1)
            for likelihood in results:
                factor = factor * np.tensordot(np.array(likelihood) / max(likelihood), table, axes=(0, table.ndim - 2))
            factors.append((family[:-1], factor))
            continue
        for likelihood in results:
            table = table * (np.array(likelihood) / max(likelihood))[:, None]
        factors.append((family, table))
    while len(factors) > 1 or factors[0][0] != (target,):
        rest = {v for family, _ in factors for v in family} - {target}
        sizes = {v: len({w for family, _ in factors if v in family for w in family}) for v in sorted(rest)}
        chosen = min(sizes, key=sizes.get, default=None)
        mine = [pair for pair in factors if chosen is None or chosen in pair[0]]
        family = tuple(sorted({w for own, _ in mine for w in own}))
        product = np.ones(1)
        for own, factor in mine:
            aligned = factor.transpose([*np.argsort([family.index(v) for v in own]), len(own)])
            shape = [factor.shape[own.index(v)] if v in own else 1 for v in family]
            product = product * aligned.reshape([*shape, factor.shape[-1]])
        total = product if chosen is None else product.sum(axis=family.index(chosen))
        factors = [pair for pair in factors if all(pair is not own for own in mine)]
        factors.append((tuple(v for v in family if v != chosen), total))
    return factors[0][1]


def weighted_quantiles(values, weights, at):
    """The smallest value of each row at which the weights reach each share: axes `(at, rows)`."""
    found = np.empty((len(at), len(values)))
    for i, row in enumerate(values):
        order = np.argsort(row)
        reached = np.cumsum(weights[order])
        found[:, i] = row[order][np.minimum(np.searchsorted(reached, at), len(row) - 1)]
    return found
