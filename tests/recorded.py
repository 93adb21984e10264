"""Models of records with random rates, and the joint of the same with a node for each mention, built by hand."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

import calcinosis as cc
from calcinosis.knowledge.contexts import cell_of
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import Priors, Row, Source, State, Table, Variable


def priors_of(network, rates, weight=10.0, kind="letter"):
    """The priors of a network, with how often a letter mentions each state: {variable: a rate by state}.

    States with equal rates share a row.
    """
    tables = {
        name: Table(name, network.parents[name], _rows(network, name, weight), tuple(range(table[..., 0].size)))
        for name, table in network.tables.items()
    }
    reporting = {}
    for name, own in rates.items():
        states = network.variables[name].state_names
        distinct = list(dict.fromkeys(own))
        rows = tuple(
            Row(
                (cell_of([s for s, other in zip(states, own, strict=True) if other == rate], states),),
                (1 - rate, rate),
                weight,
                ("cohort",),
            )
            for rate in distinct
        )
        reporting[name] = Table(f"mentioned:{name}", (name,), rows, tuple(distinct.index(rate) for rate in own))
    return Priors(
        "",
        network.target,
        FrozenMap(network.variables),
        FrozenMap(tables),
        FrozenMap({"cohort": Source("cohort", "cohort", "The authors, A cohort")}),
        network.corrections,
        (),
        reporting=FrozenMap({kind: FrozenMap(reporting)} if rates else {}),
    )


def _rows(network, name, weight):
    states = [network.variables[parent].state_names for parent in network.parents[name]]
    table = network.tables[name]
    return tuple(
        Row(tuple(s[i] for s, i in zip(states, at, strict=True)), tuple(table[at].tolist()), weight, ("cohort",))
        for at in np.ndindex(table.shape[:-1])
    )


def with_nodes(network, rates):
    """The network with a node `M_x` for each variable x that has rates, added by hand."""
    nodes = {name: f"M_{name}" for name in rates}
    said = (State("silent", ""), State("said", ""))
    return replace(
        network,
        variables={**network.variables, **{node: Variable(node, said) for node in nodes.values()}},
        parents={**network.parents, **{node: (name,) for name, node in nodes.items()}},
        tables={
            **network.tables,
            **{node: np.array([[1 - rate, rate] for rate in rates[name]]) for name, node in nodes.items()},
        },
        weights={},
        contexts={},
    )


@st.composite
def random_rates(draw, network, most=3):
    """Rates for a few variables that silence can be about, some of their states sharing a rate."""
    free = [n for n, v in network.variables.items() if n != network.target and not v.repeatable]
    names = draw(st.lists(st.sampled_from(free), unique=True, max_size=most)) if free else []
    rate = st.sampled_from([0.001, 0.03, 0.2, 0.5, 0.9, 0.97])
    return {name: tuple(draw(rate) for _ in network.variables[name].states) for name in names}


def silences(network, rates, given):
    """The evidence on the nodes of `with_nodes`: silence on what is not among the keys of `given`."""
    return {f"M_{name}": [[1.0, 0.0]] for name in rates if name not in given}


def small(build, rates=None, weight=20.0):
    """A small clinic in which silence matters, as the model of a letter: a rare cause, seldom denied."""
    tables = {
        "disease": ("benign grave", "", [0.7, 0.3]),
        "cause": ("no yes", "disease", [[0.9, 0.1], [0.3, 0.7]]),
        "pain": (
            "none some severe",
            "disease cause",
            [[0.6, 0.3, 0.1], [0.4, 0.4, 0.2], [0.2, 0.3, 0.5], [0.1, 0.2, 0.7]],
        ),
        "fever": ("no yes", "cause", [[0.8, 0.2], [0.4, 0.6]]),
        "swab": ("negative positive", "disease", [[0.9, 0.1], [0.4, 0.6]]),
    }
    rates = {"cause": (0.05, 0.9), "pain": (0.3, 0.8, 0.8), "fever": (0.5, 0.7)} if rates is None else rates
    return cc.Model.from_priors(priors_of(build("disease", tables), rates, weight))
