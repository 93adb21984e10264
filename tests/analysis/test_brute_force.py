"""Every sensitivity function of the tables is what perturbing, normalising and asking again gives, on every case.

The other way round is independent: the changed row goes into a new network, which is compiled from the start, and the
engine, which knows nothing of derivatives, answers all published patients at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.analysis.covariation import SCHEMES
from calcinosis.knowledge.folder import shipped_folder

MODEL = cc.load(shipped_folder())
CASES = cc.cases(shipped_folder())
TABLES = sorted(MODEL.network.tables, key=lambda name: -MODEL.network.tables[name].size)


def known(case):
    """What is known of a published patient."""
    return {name: value for name, value in CASES.loc[case].items() if name in MODEL.names and value}


@pytest.fixture(scope="module")
def functions():
    """The functions of every entry for every case, with one scheme after the other."""
    schemes = {case: SCHEMES[i % len(SCHEMES)] for i, case in enumerate(CASES.index)}
    return {case: cc.one_way(MODEL, known(case), scheme=scheme) for case, scheme in schemes.items()}


@pytest.mark.parametrize("table", TABLES)
def test_every_entry_of_a_table_on_every_published_case(table, functions, figure):
    network, worst = MODEL.network, 0.0
    states = network.tables[table].shape[-1]
    random = np.random.default_rng(len(table))
    for entry in (entry for entry in MODEL.entries if entry.variable == table):
        for scheme in SCHEMES:
            cases = [case for case, found in functions.items() if found.scheme == scheme]
            own = {case: functions[case].function(entry) for case in cases}
            knots = own[cases[0]].knots
            x = random.uniform(knots[0], knots[2])
            changed = network.tables[table].reshape(-1, states).copy()
            changed[entry.row] = own[cases[0]].row(x)
            tables = {**network.tables, table: changed.reshape(network.tables[table].shape)}
            model = cc.Model(replace(network, tables=tables))
            asked = model.posteriors(CASES.loc[cases])
            expected = asked[list(model.states)].to_numpy()
            got = np.array([own[case](x) for case in cases])
            possible = (asked["status"] == "ok").to_numpy()
            assert np.isnan(got[~possible]).all()
            if possible.any():
                worst = max(worst, float(np.abs(got - expected)[possible].max()))
    figure(f"sensitivity functions of {table}, {network.tables[table].size} entries, 59 cases: within {worst:.1e}")
    assert worst < 1e-10
