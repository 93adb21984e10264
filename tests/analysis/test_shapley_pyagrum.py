"""pyAgrum's conditional Shapley values as an independent opinion, on the shipped network."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.knowledge.folder import shipped_folder

FINDINGS = 7
"""How many findings are explained at a time: pyAgrum asks 2^7 queries for each state."""


@pytest.fixture(scope="module")
def model():
    return cc.load(shipped_folder())


@pytest.fixture(scope="module")
def peer(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns; with warnings as errors its C++ part ends the process
        import pyagrum
        import pyagrum.explain
    network = model.network
    net = pyagrum.BayesNet()
    for name, variable in network.variables.items():
        net.add(pyagrum.LabelizedVariable(name, name, list(variable.state_names)))
    for name, parents in network.parents.items():
        for parent in parents:
            net.addArc(parent, name)
    for name, parents in network.parents.items():
        axes = [[*parents, name].index(axis) for axis in reversed(net.cpt(name).names)]
        net.cpt(name)[:] = np.ascontiguousarray(network.tables[name].transpose(axes))
    return pyagrum.explain.ConditionalShapValues(net, model.target, logit=True)


@pytest.mark.filterwarnings("ignore")  # its own, of pandas
@pytest.mark.parametrize("case", ["jones2023", "calci_012", "meta_018", "idio_025", "iatro_019"])
def test_the_contributions_are_those_of_pyagrum(model, peer, case):
    known = [(name, value) for name, value in cc.cases().loc[case].items() if name in model.names and value]
    single = dict([(name, value) for name, value in known if not set(value) & set(",/:")][:FINDINGS])
    theirs = peer.compute(single)
    for number, state in enumerate(model.states):
        frame = cc.explain(model, single, state=state).frame
        for name, contribution in zip(frame["variable"], frame["contribution"], strict=True):
            assert contribution == pytest.approx(theirs[number][name], abs=1e-10), (state, name)
