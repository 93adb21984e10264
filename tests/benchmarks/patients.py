"""Random patients: drawn from the network itself, so that their findings are possible, and then partly forgotten.

A patient is a column of codes per variable, the state's number or -1 for not observed. From these are made the forms
that the engines like: dicts of findings, or a DataFrame of category columns.
"""

import numpy as np
import pandas as pd

BLOCK = 2**16
"""How many patients are drawn at a time, so that drawing needs little memory."""


def observable(network):
    """The variables that can be found in a patient: all but the target and what is hidden."""
    return [name for name, v in network.variables.items() if name != network.target and v.group != "hidden"]


def draw(network, patients, rng):
    """Complete patients by forward sampling: {variable: codes}, in which the target and hidden variables are drawn too
    but left out."""
    cumulated = {name: np.cumsum(table, axis=-1) for name, table in network.tables.items()}
    codes = {name: np.empty(patients, dtype=np.int8) for name in network.variables}
    order = _parents_first(network.parents)
    for first in range(0, patients, BLOCK):
        here = slice(first, min(first + BLOCK, patients))
        for name in order:
            rows = cumulated[name][tuple(codes[parent][here] for parent in network.parents[name])]
            chance = rng.random((here.stop - here.start, 1)) * rows[..., -1:]
            codes[name][here] = (chance >= rows).sum(axis=1)
    return {name: codes[name] for name in observable(network)}


def forget(codes, rng, share=0.5):
    """The same patients with that share of their cells missing, each cell by itself."""
    return {
        name: np.where(rng.random(len(found), dtype=np.float32) < share, np.int8(-1), found)
        for name, found in codes.items()
    }


def keep(codes, findings, rng):
    """The same patients with only so many findings each, drawn anew for every patient."""
    patients = len(next(iter(codes.values())))
    rank = rng.random((patients, len(codes))).argsort(axis=1).argsort(axis=1)
    return {name: np.where(rank[:, i] < findings, found, np.int8(-1)) for i, (name, found) in enumerate(codes.items())}


def as_dicts(network, codes):
    """One dict of findings per patient, {variable: state}, as a user would write it."""
    names = {name: network.variables[name].state_names for name in codes}
    rows = zip(*(found.tolist() for found in codes.values()), strict=True)
    return [{name: names[name][code] for name, code in zip(codes, row, strict=True) if code >= 0} for row in rows]


def as_frame(network, codes):
    """A DataFrame with a category column per variable, NaN where nothing was observed."""
    return pd.DataFrame(
        {
            name: pd.Categorical.from_codes(found, list(network.variables[name].state_names))
            for name, found in codes.items()
        }
    )


def few(network, patients, findings, rng):
    """Different random patients with so many random findings each, as dicts."""
    return as_dicts(network, keep(draw(network, patients, rng), findings, rng))


def _parents_first(parents):
    order = []
    while len(order) < len(parents):
        order += [name for name in parents if name not in order and set(parents[name]) <= set(order)]
    return order
