"""How each peer is asked: in the fastest way its API allows, found by trying.

A *form* is one way of asking: `ready` turns a dict of findings into what the peer is given, `answer` turns that into
the probabilities of the target. All stand on the very tables our engine has: the networks are made in memory, since
reading a BIF with pyAgrum keeps single precision. `fastest` times all forms on a few patients and takes the one with
the least time, engine built beforehand. For a single query `ready` is timed too, for it is part of the way from a
Python dict to probabilities; for a batch it is not: the peers get their rows in the form they like best.

pyAgrum is asked for one target only (`addTarget`), which saves it two thirds of its time. Tried are its three exact
engines, one thread and all, and four ways of giving findings: names and labels, numbers, one `addEvidence` after
another, and `chgEvidence` where the same variables are observed as in the patient before, so that it keeps its join
tree; that is what makes complete rows faster. No faster, so not among the forms: likelihoods of 1 for what is missing,
so that the join tree always stays; other searches for relevant tensors; keeping barren nodes; a new engine per patient.
Its classifier (`skbn`) needs the whole Markov blanket observed, which the hidden variables rule out.

pgmpy's VariableElimination is built once. Tried are contraction in greedy order (its default), its four heuristics of
elimination, an order found beforehand, and the same tables as a Markov network, which saves it the pruning. Not tried:
BeliefPropagation, a hundred times slower; `elimination_order=None`, whose order is random and may need factors over
all variables. Its own call for many rows, `predict_probability`, stands in batches.py: it fails on missing cells.
"""

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from race import race, turns

from calcinosis.inference.pgmpy_bridge import to_pgmpy

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pgmpy.inference
    import pyagrum
    from pgmpy.global_vars import config
    from pgmpy.inference.EliminationOrder import MinFill

logging.getLogger("pgmpy").setLevel(logging.ERROR)
config.set_show_progress(False)

NAMES = ("pyAgrum", "pgmpy")


@dataclass(frozen=True)
class Form:
    """One way of asking a peer."""

    name: str
    ready: Callable[[dict[str, str]], Any]
    answer: Callable[[Any], list[float]]

    def __call__(self, findings):
        return self.answer(self.ready(findings))


def to_pyagrum(network):
    """The same tables as a pyAgrum network, in doubles."""
    net = pyagrum.BayesNet()
    fill(net, network, net.add)
    return net


def fill(net, network, add):
    """Gives a graph of pyAgrum's, with its call to add a variable, the same tables."""
    for name, variable in network.variables.items():
        add(pyagrum.LabelizedVariable(name, name, list(variable.state_names)))
    for name, parents in network.parents.items():
        for parent in parents:
            net.addArc(parent, name)
    for name, parents in network.parents.items():
        axes = [[*parents, name].index(axis) for axis in reversed(net.cpt(name).names)]
        net.cpt(name)[:] = np.ascontiguousarray(network.tables[name].transpose(axes))


def pyagrum_forms(network):
    """The makers of pyAgrum's forms by name."""
    net = to_pyagrum(network)
    target = net.idFromName(network.target)
    number = {
        (name, state): (net.idFromName(name), i)
        for name, variable in network.variables.items()
        for i, state in enumerate(variable.state_names)
    }

    def numbers(findings):
        return dict([number[finding] for finding in findings.items()])

    def make(name, engine, threads, ready, way):
        inference = engine(net)
        inference.eraseAllTargets()
        inference.addTarget(target)
        inference.setNumberOfThreads(threads)
        return Form(name, ready, way(inference, target))

    forms = {}
    for engine in (pyagrum.LazyPropagation, pyagrum.VariableElimination, pyagrum.ShaferShenoyInference):
        for threads, words in ((1, "one thread"), (0, "all threads")):
            for way, ready in ((_set, dict), (_set, numbers), (_add, numbers), (_change, numbers)):
                given = "names" if ready is dict else "numbers"
                name = f"{engine.__name__}, {words}, {way.__doc__} by {given}"
                forms[name] = partial(make, name, engine, threads, ready, way)
    return forms


def _set(inference, target):
    """setEvidence"""

    def answer(given):
        inference.setEvidence(given)
        inference.makeInference()
        return inference.posterior(target).tolist()

    return answer


def _add(inference, target):
    """addEvidence"""

    def answer(given):
        inference.eraseAllEvidence()
        for variable, state in given.items():
            inference.addEvidence(variable, state)
        inference.makeInference()
        return inference.posterior(target).tolist()

    return answer


def _change(inference, target):
    """chgEvidence"""
    before = {}

    def answer(given):
        nonlocal before
        if before and given.keys() == before.keys():
            for variable, state in given.items():
                inference.chgEvidence(variable, state)
        else:
            inference.setEvidence(given)
        before = given
        inference.makeInference()
        return inference.posterior(target).tolist()

    return answer


def pgmpy_forms(network):
    """The makers of pgmpy's forms by name."""
    net = to_pgmpy(network)
    engine = pgmpy.inference.VariableElimination(net)
    flat = pgmpy.inference.VariableElimination(net.to_markov_model())
    target = network.target
    found = list(MinFill(net).get_elimination_order(nodes=set(net.nodes) - {target}, show_progress=False))

    def ordered(order):
        return lambda given: engine.query(
            [target], evidence=given, elimination_order=order, show_progress=False
        ).values.tolist()

    def beforehand(given):
        return ordered([name for name in found if name not in given])(given)

    def markov(given):
        weights = flat.query([target], evidence=given, elimination_order="greedy", show_progress=False).values
        return (weights / weights.sum()).tolist()

    heuristics = ("greedy", "MinFill", "MinNeighbors", "MinWeight", "WeightedMinFill")
    answers = {f"VariableElimination, {order}": ordered(order) for order in heuristics}
    answers["VariableElimination, order found beforehand"] = beforehand
    answers["VariableElimination on the Markov network, greedy"] = markov
    return {name: partial(Form, name, dict, answer) for name, answer in answers.items()}


FORMS = {"pyAgrum": pyagrum_forms, "pgmpy": pgmpy_forms}
PLAIN = {"pyAgrum": "LazyPropagation, one thread, setEvidence by numbers", "pgmpy": "VariableElimination, greedy"}
"""The form of each peer that its manual teaches, which many rows are compared with."""


def fastest(makers, patients, whole):
    """The form that takes the least time on these patients; with `whole` its `ready` is timed too.

    Of three rounds the best counts; who is twice as slow as the fastest is not asked again.
    """
    forms = {name: make() for name, make in makers.items()}
    entrants = {
        name: turns(form, patients, len(patients))
        if whole
        else turns(form.answer, list(map(form.ready, patients)), len(patients))
        for name, form in forms.items()
    }
    best = dict.fromkeys(forms, float("inf"))
    for _ in range(3):
        for name, times in race(entrants, 1).items():
            best[name] = min(best[name], times[0])
        entrants = {name: entrant for name, entrant in entrants.items() if best[name] < 2 * min(best.values())}
    return forms[min(best, key=best.__getitem__)]
