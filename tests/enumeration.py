"""A full enumeration of the joint, the dozen lines that every engine must agree with, and findings of every kind."""

import numpy as np
from hypothesis import strategies as st


def enumerate_joint(network, findings):
    """The joint weight of every combination of states and the findings, one axis per variable in order.

    `findings` has per variable a list of results, each a likelihood per state. A repeatable variable's axis is one
    more result; the results seen are weighed by what its parents say of each.
    """
    names = list(network.variables)

    def over_all_axes(family, values):
        aligned = values.transpose(np.argsort([names.index(v) for v in family]))
        return aligned.reshape([len(network.variables[v].states) if v in family else 1 for v in names])

    joint = np.ones([len(variable.states) for variable in network.variables.values()])
    for name, variable in network.variables.items():
        parents, table = network.parents[name], network.tables[name]
        joint = joint * over_all_axes((*parents, name), table)
        for likelihood in findings.get(name, []):
            family, seen = (parents, table @ likelihood) if variable.repeatable else ((name,), np.array(likelihood))
            joint = joint * over_all_axes(family, seen)
    return joint


@st.composite
def one_result(draw, states):
    """One result in the grammar of Python, and its likelihood by state."""
    kind = draw(st.sampled_from(["state", "either of", "likelihoods"]))
    if kind == "state":
        state = draw(st.sampled_from(states))
        return state, [float(s == state) for s in states]
    if kind == "either of":
        some = draw(st.sets(st.sampled_from(states), min_size=1))
        return some, [float(s in some) for s in states]
    numbers = draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0]), min_size=len(states), max_size=len(states)))
    numbers[draw(st.integers(0, len(states) - 1))] = 0.7  # one of them must be possible
    return dict(zip(states, numbers, strict=True)), numbers


@st.composite
def random_findings(draw, network):
    """Findings of any kind on any of the variables, and what the oracle needs of them."""
    values, likelihoods = {}, {}
    for name, variable in network.variables.items():
        if draw(st.booleans()):
            most = 4 if variable.repeatable else 1
            results = draw(st.lists(one_result(variable.state_names), min_size=1, max_size=most))
            values[name] = [value for value, _ in results] if variable.repeatable else results[0][0]
            likelihoods[name] = [likelihood for _, likelihood in results]
    return values, likelihoods
