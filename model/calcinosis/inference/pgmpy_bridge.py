"""Conversion from and to pgmpy, and the file formats that it reads and writes.

pgmpy takes seconds to import, so only this module imports it, inside the functions that need it. Its readers and checks
accept some errors (a column that sums to 0.995, cells that are NaN); `Network` does not.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.network import Array, Network, NetworkError
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import State, Variable
from calcinosis.knowledge.sheet import read_regular

if TYPE_CHECKING:
    from pgmpy.models import DiscreteBayesianNetwork

FORMATS = (".bif", ".xmlbif", ".xdsl", ".net")
"""The extensions of the network files that pgmpy reads and writes without losing names."""

READ_BACK_TOLERANCE = 1e-8
"""The tolerance of probabilities that are read back: pgmpy writes NET with eight decimals."""


def from_pgmpy(network: DiscreteBayesianNetwork, target: str) -> Network:
    """The network of a pgmpy object.

    Raises:
        NetworkError: if a node has no table, or a table is not a conditional probability distribution.
    """
    nodes = sorted(map(str, network.nodes))
    by_name = {str(node): node for node in network.nodes}
    states: dict[str, tuple[str, ...]] = {}
    parents: dict[str, tuple[str, ...]] = {}
    tables: dict[str, Array] = {}
    for name in nodes:
        cpd = network.get_cpds(by_name[name])
        if cpd is None:
            raise NetworkError(f"{name} has no table")
        states[name] = tuple(map(str, cpd.state_names[by_name[name]]))
        parents[name] = tuple(map(str, cpd.variables[1:]))
        arrows = {str(node) for node in network.get_parents(by_name[name])}
        if arrows != set(parents[name]):
            raise NetworkError(
                f"the table of {name} has the parents {sorted(parents[name])}, its arrows {sorted(arrows)}"
            )
    for name in nodes:
        cpd = network.get_cpds(by_name[name])
        for parent in parents[name]:
            if tuple(map(str, cpd.state_names[by_name[parent]])) != states[parent]:
                raise NetworkError(f"the table of {name} names the states of {parent} otherwise than {parent} does")
        values = np.asarray(cpd.values, dtype=np.float64)
        tables[name] = np.moveaxis(values, 0, -1)
    if target not in states:
        raise NetworkError(f"no variable {target!r}: {choose_from(target, nodes)}")
    variables = {name: Variable(name, tuple(State(s, s) for s in states[name]), label=name) for name in nodes}
    return Network(target, FrozenMap(variables), FrozenMap(parents), tables)


def to_pgmpy(network: Network) -> DiscreteBayesianNetwork:
    """A pgmpy object with the same variables, states, arrows and tables."""
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    with _quiet():
        answer = DiscreteBayesianNetwork([(p, name) for name, parents in network.parents.items() for p in parents])
        answer.add_nodes_from([name for name in network.variables if name not in answer])
        for name, variable in network.variables.items():
            parents = network.parents[name]
            table = network.tables[name]
            names = {v: list(network.variables[v].state_names) for v in (name, *parents)}
            values = table.reshape(-1, len(variable.states)).T
            cards = [len(network.variables[p].states) for p in parents]
            answer.add_cpds(
                TabularCPD(name, len(variable.states), values, list(parents) or None, cards or None, state_names=names)
            )
    return answer


def read_file(path: str | os.PathLike[str], target: str) -> Network:
    """The network in a file of one of FORMATS (XMLBIF also as .xml), gzipped or not.

    Raises:
        NetworkError: if there is no such file, it is of another format, or it cannot be read as a network.
    """
    where = Path(path)
    packed = where.suffix == ".gz"
    ending = Path(where.stem if packed else where.name).suffix.lower()
    ending = ".xmlbif" if ending == ".xml" else ending
    if ending not in FORMATS:
        raise NetworkError(f"{where}: a network file ends in one of {', '.join(FORMATS)}")
    try:
        data = read_regular(where)
        text = (gzip.decompress(data) if packed else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise NetworkError(f"{where} cannot be read: {error}") from None
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        plain = Path(scratch) / f"network{ending}"
        plain.write_text(text, encoding="utf-8")
        try:
            network = _readers()[ending](str(plain))
        except Exception as error:
            raise NetworkError(f"{where} cannot be read as {ending[1:].upper()}: {error}") from error
        if not network.nodes:
            raise NetworkError(f"{where} cannot be read as {ending[1:].upper()}: there is no variable in it")
    return from_pgmpy(network, target)


def as_file(network: Network, ending: str) -> bytes:
    """The content of a network file in one of FORMATS, verified by reading it back.

    Raises:
        NetworkError: if the format is unknown, or the network that is read back differs.
    """
    if ending not in FORMATS:
        raise NetworkError(f"no format '{ending}': it must be one of {', '.join(FORMATS)}")
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        path = Path(scratch) / f"network{ending}"
        _writers()[ending](to_pgmpy(network), str(path))
        fix = f"{ending} cannot hold this network: give states plain names, or choose another format"
        try:
            again = read_file(path, network.target)
        except NetworkError:
            raise NetworkError(f"{fix} (it cannot be read back)") from None
        for name, variable in network.variables.items():
            if name not in again.variables or again.variables[name].state_names != variable.state_names:
                raise NetworkError(f"{fix} ({name} or its states lost their names)")
        difference = largest_difference(network, again)
        if difference > READ_BACK_TOLERANCE:
            raise NetworkError(f"{fix} (what was read back differs by up to {difference:.3g})")
        return path.read_bytes()


def largest_difference(network: Network, other: Network) -> float:
    """The largest difference between the probabilities of two networks; infinite if their structures differ."""
    worst = 0.0
    for name, parents in network.parents.items():
        if name not in other.variables or sorted(other.parents[name]) != sorted(parents):
            return float("inf")
        order = [other.parents[name].index(parent) for parent in parents]
        table = other.tables[name].transpose([*order, len(order)])
        if table.shape != network.tables[name].shape:
            return float("inf")
        worst = max(worst, float(np.abs(table - network.tables[name]).max()))
    return worst


def _readers() -> dict[str, Callable[[str], Any]]:
    from pgmpy import readwrite as rw

    return {
        ".bif": lambda path: rw.BIFReader(path).get_model(),
        ".xmlbif": lambda path: rw.XMLBIFReader(path).get_model(),
        ".xdsl": lambda path: rw.XDSLReader(path).get_model(),
        ".net": lambda path: rw.NETReader(path).get_model(),
    }


def _writers() -> dict[str, Callable[[Any, str], Any]]:
    from pgmpy import readwrite as rw

    return {
        ".bif": lambda model, path: rw.BIFWriter(model).write(filename=path),
        ".xmlbif": lambda model, path: rw.XMLBIFWriter(model).write(path),
        ".xdsl": lambda model, path: rw.XDSLWriter(model).write(path),
        ".net": lambda model, path: rw.NETWriter(model).write(path),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress pgmpy's warnings and log messages."""
    import logging

    logger = logging.getLogger("pgmpy")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
