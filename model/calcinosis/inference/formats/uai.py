"""UAI network files, read and written here because pgmpy's reader loses the order of parents.

The format (UAI 2008 competition, network type BAYES) has numbers instead of names: the number of variables, their
numbers of states, then for each variable its family with the child last, then for each family the table with the
child's states varying fastest. pgmpy writes the child's states varying slowest; the sums show which order a file has.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calcinosis.inference.network import Array, Network, NetworkError
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import ROW_SUM_TOLERANCE, State, Variable


def uai_names(network: Network) -> dict[str, str]:
    """The name of each variable in a UAI file: var_0, var_1, … in the order of the network."""
    return {name: f"var_{position}" for position, name in enumerate(network.variables)}


def write_uai(network: Network) -> str:
    """The text of a UAI file, with all digits of the probabilities."""
    place = {name: position for position, name in enumerate(network.variables)}
    families = [[*network.parents[name], name] for name in place]
    lines = ["BAYES", str(len(place)), " ".join(str(len(v.states)) for v in network.variables.values())]
    lines += [str(len(place))]
    lines += [" ".join(map(str, [len(family), *(place[v] for v in family)])) for family in families]
    for name in place:
        values = network.tables[name].ravel().tolist()
        lines += ["", str(len(values)), " ".join(map(repr, values))]
    return "\n".join([*lines, ""])


def read_uai(text: str, target: str) -> Network:
    """The network in the text of a UAI file; its variables are var_0, var_1, …, their states '0', '1', …

    Raises:
        NetworkError: if the text is not a UAI file of type BAYES, or a table is not a probability distribution.
    """
    words = iter(text.split())
    if next(words, "") != "BAYES":
        raise NetworkError("a UAI file of a Bayesian network begins with BAYES")
    try:
        sizes = _whole(words, _number(words))
        families = [_whole(words, _number(words)) for _ in range(_number(words))]
        tables = [[float(next(words)) for _ in range(_number(words))] for _ in families]
        if next(words, None) is not None:
            raise NetworkError("the file goes on after the last table")
        return _network(sizes, families, tables, target)
    except StopIteration:
        raise NetworkError("the file ends before the last table") from None
    except (ValueError, IndexError) as error:
        raise NetworkError(str(error)) from None


def _network(sizes: list[int], families: list[list[int]], tables: list[list[float]], target: str) -> Network:
    names = [f"var_{position}" for position in range(len(sizes))]
    if sorted(family[-1] for family in families) != list(range(len(sizes))):
        raise NetworkError("each variable must be the last of exactly one family")
    parents: dict[str, tuple[str, ...]] = {}
    arrays: dict[str, Array] = {}
    for family, values in sorted(zip(families, tables, strict=True), key=lambda pair: pair[0][-1]):
        child = names[family[-1]]
        parents[child] = tuple(names[v] for v in family[:-1])
        arrays[child] = _table(np.array(values), [sizes[v] for v in family])
    variables = {
        name: Variable(name, tuple(State(str(s), str(s)) for s in range(size)), label=name)
        for name, size in zip(names, sizes, strict=True)
    }
    return Network(target, FrozenMap(variables), FrozenMap(parents), arrays)


def _table(values: Array, shape: list[int]) -> Array:
    fastest = values.reshape(shape)
    if np.allclose(fastest.sum(axis=-1), 1, rtol=0, atol=ROW_SUM_TOLERANCE):
        return fastest
    return np.moveaxis(values.reshape([shape[-1], *shape[:-1]]), 0, -1)


def _number(words: Iterator[str]) -> int:
    return int(next(words))


def _whole(words: Iterator[str], count: int) -> list[int]:
    return [_number(words) for _ in range(count)]
