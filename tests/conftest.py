"""What tests of several floors share: the shipped model, networks printed or drawn at random, and measured figures.

Figures that tests measure are printed at the end of the run, whichever process measured them.
"""

import os

import numpy as np
import properties  # noqa: F401 - loads the hypothesis profile
import pytest
from hypothesis import strategies as st

import calcinosis as cc
from calcinosis.inference.network import Network
from calcinosis.knowledge.folder import shipped_folder
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import State, Variable

# Each core has its own worker, so threads of numpy would only wait for each other. Workers inherit the environment.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture
def figure(record_property):
    """A function that keeps a line of measured figures for the end of the run."""
    return lambda line: record_property("figure", line)


def pytest_terminal_summary(terminalreporter):
    lines = [
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == "figure" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)


def _variable(name, states, *, repeatable=False, units=None, bands=None):
    records = tuple(State(s, s, band=b) for s, b in zip(states, bands or [None] * len(states), strict=True))
    units = FrozenMap(units or {})
    return Variable(name, records, label=name, repeatable=repeatable, unit=next(iter(units), ""), units=units)


def _network(target, tables, repeatable=()):
    """A network from {name: (states, parents, rows)}; words are cut at spaces, rows in the order of parent states."""
    split = {name: (states.split(), tuple(parents.split()), rows) for name, (states, parents, rows) in tables.items()}
    return Network(
        target,
        {name: _variable(name, states, repeatable=name in repeatable) for name, (states, _, _) in split.items()},
        {name: parents for name, (_, parents, _) in split.items()},
        {
            name: np.reshape(rows, [*(len(split[p][0]) for p in parents), len(states)])
            for name, (states, parents, rows) in split.items()
        },
    )


@pytest.fixture(scope="session")
def variable():
    """A function that makes a variable of the states given."""
    return _variable


@pytest.fixture(scope="session")
def build():
    """A function that makes a network from its printed tables."""
    return _network


@pytest.fixture(scope="session")
def shipped():
    """The model of the shipped priors."""
    return cc.load(shipped_folder())


def _contexts(rng, shape, merged):
    """The number of the row of each context: states of parents split in two, again and again, until a share is kept."""
    contexts, rows = np.empty(shape, dtype=np.intp), 0
    boxes = [[np.arange(size) for size in shape]]
    while boxes:
        box = boxes.pop()
        wide = [axis for axis, own in enumerate(box) if len(own) > 1]
        if not wide or rng.random() < merged:
            contexts[np.ix_(*box)] = rows
            rows += 1
            continue
        axis = rng.choice(wide)
        own = rng.permutation(box[axis])
        cut = rng.integers(1, len(own))
        boxes += [[*box[:axis], np.sort(part), *box[axis + 1 :]] for part in (own[:cut], own[cut:])]
    return contexts


@st.composite
def _networks(draw):
    """Networks of 2 to 7 variables of 2 to 4 states, in any order, of one piece or several, some cells 0.

    Leaves other than the target may be repeatable. Rows may hold in several contexts, and be in any order.
    """
    names = draw(st.permutations("abcdefg"[: draw(st.integers(2, 7))]))
    sizes = {name: draw(st.integers(2, 4)) for name in names}
    parents = {
        name: tuple(draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=3))) if i else ()
        for i, name in enumerate(names)
    }
    target = draw(st.sampled_from(names))
    inner = {target}.union(*parents.values())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    zeros = draw(st.sampled_from([0.0, 0.2, 0.6]))
    merged = draw(st.sampled_from([None, 0.0, 0.3, 0.6]))
    tables, contexts = {}, {}
    for name in names:
        shape = [sizes[v] for v in parents[name]]
        own = np.arange(np.prod(shape, dtype=int)).reshape(shape) if merged is None else _contexts(rng, shape, merged)
        shape = [own.max() + 1, sizes[name]]
        weights = rng.random(shape) * (rng.random(shape) >= zeros)
        weights[..., rng.integers(sizes[name])] += 0.01  # no row of zeros only
        tables[name] = (weights / weights.sum(axis=-1, keepdims=True))[own]
        contexts[name] = own
    variables = {
        name: _variable(name, "stuv"[: sizes[name]], repeatable=name not in inner and draw(st.booleans()))
        for name in draw(st.permutations(names))
    }
    return Network(target, variables, parents, tables, contexts=contexts)


@pytest.fixture(scope="session")
def contexts():
    """A function that merges contexts of a shape into rows at random."""
    return _contexts


@pytest.fixture(scope="session")
def networks():
    """The hypothesis strategy for random networks."""
    return _networks()
