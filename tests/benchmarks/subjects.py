"""The networks that are asked: ours, two published ones from the files that pgmpy ships, and random ones."""

from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import calcinosis as cc
from calcinosis.inference.network import Network
from calcinosis.knowledge.folder import shipped_folder
from calcinosis.knowledge.records import State, Variable

PUBLISHED = {"ALARM": ("alarm", "HYPOVOLEMIA"), "HEPAR II": ("hepar2", "carcinoma")}
"""The file of each, and a disease in the middle of the network to ask for."""


@cache
def shipped():
    """The model of the shipped priors."""
    return cc.load(shipped_folder())


@cache
def published(name):
    """The model of a published network."""
    file, target = PUBLISHED[name]
    root = Path(find_spec("pgmpy").submodule_search_locations[0])
    return cc.Model.from_file(root / "utils" / "example_models" / f"{file}.bif.gz", target=target)


def asking_for(model, target):
    """The model of the same network for another target."""
    return cc.Model(replace(model.network, target=target))


def targets(name, effort):
    """Random variables of a published network to ask for."""
    names = list(published(name).variables)
    return [str(target) for target in np.random.default_rng(2).choice(names, effort.targets, replace=False)]


@cache
def random_model(nodes):
    """The model of a random network of treewidth 3 at most: every node's parents stand together in a clique of three.

    Variables have two to four states; the target is the node in the middle.
    """
    rng = np.random.default_rng(nodes)
    names = [f"node_{i}" for i in range(nodes)]
    sizes = rng.integers(2, 5, nodes)
    cliques = [[0, 1, 2]]
    parents = {names[i]: tuple(names[:i]) for i in range(3)}
    for i in range(3, nodes):
        clique = cliques[rng.integers(len(cliques))]
        parents[names[i]] = tuple(names[p] for p in rng.permutation(clique)[: rng.integers(1, 4)])
        cliques += [[*(p for p in clique if p != left), i] for left in clique]
    variables = {
        name: Variable(name, tuple(State(f"s{k}", f"s{k}") for k in range(size)), label=name)
        for name, size in zip(names, sizes.tolist(), strict=True)
    }
    tables = {
        name: rng.dirichlet(np.ones(len(variables[name].states)), [len(variables[p].states) for p in parents[name]])
        for name in names
    }
    return cc.Model(Network(names[nodes // 2], variables, parents, tables))
