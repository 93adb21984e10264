"""Patients drawn at random from a network, so that what is found of one is possible."""

from graphlib import TopologicalSorter

from hypothesis import strategies as st


def true_states(network, rng):
    """The state of every variable, by number, drawn from its table under those of its parents."""
    truth = {}
    for name in TopologicalSorter(network.parents).static_order():
        row = network.tables[name][tuple(truth[parent] for parent in network.parents[name])]
        truth[name] = int(rng.choice(len(row), p=row))
    return truth


def findings_of_every_kind(draw, network, truth):
    """What might be found of a patient's variables, some of them: a state, either of two, likelihoods; or several."""
    findings = {}
    for name in draw(st.lists(st.sampled_from(sorted(network.variables)), unique=True)):
        states = network.variables[name].state_names
        state = states[truth[name]]
        either = {state, draw(st.sampled_from(states))}
        likelihoods = {s: draw(st.sampled_from([0.1, 0.5, 1.0, 3.0])) for s in states}
        value = draw(st.sampled_from([state, either, likelihoods]))
        findings[name] = [value] * draw(st.integers(1, 3)) if network.variables[name].repeatable else value
    return findings
