"""Patients drawn at random from a network, so that what is found of one is possible."""

from graphlib import TopologicalSorter


def true_states(network, rng):
    """The state of every variable, by number, drawn from its table under those of its parents."""
    truth = {}
    for name in TopologicalSorter(network.parents).static_order():
        row = network.tables[name][tuple(truth[parent] for parent in network.parents[name])]
        truth[name] = int(rng.choice(len(row), p=row))
    return truth
