"""A circle of arrows is found wherever there is one, and so is what no arrow connects; networkx agrees."""

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcinosis.knowledge.read_tables import check_structure, connected, find_cycle

NAMES = "abcdefg"
GRAPHS = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=3)).map(
    lambda drawn: {name: sorted(drawn.get(name, ())) for name in NAMES}
)


def arrows(parents):
    """The graph for networkx: an arrow from each parent to its child."""
    graph = nx.DiGraph()
    graph.add_nodes_from(parents)
    graph.add_edges_from((parent, child) for child, names in parents.items() for parent in names)
    return graph


@given(GRAPHS)
def test_a_cycle_is_real_and_none_is_missed(parents):
    graph, cycle = arrows(parents), find_cycle(parents)
    assert (cycle is None) == nx.is_directed_acyclic_graph(graph)
    if cycle is not None:
        assert cycle[0] == cycle[-1] == min(cycle)
        assert len(set(cycle)) == len(cycle) - 1
        assert all(graph.has_edge(above, below) for above, below in pairwise(cycle))


@given(GRAPHS, st.randoms())
def test_the_same_cycle_is_found_in_any_order(parents, chance):
    names = list(parents)
    chance.shuffle(names)
    shuffled = {name: chance.sample(parents[name], len(parents[name])) for name in names}
    assert find_cycle(shuffled) == find_cycle(parents)


@given(GRAPHS, st.sampled_from(NAMES))
def test_connected_is_joined_in_either_direction(parents, start):
    assert connected(parents, start) == nx.node_connected_component(arrows(parents).to_undirected(), start)


@given(GRAPHS)
def test_a_sound_graph_has_no_problem_and_an_unsound_one_has_each(parents):
    problems = []
    check_structure(parents, "a", problems)
    alone = set(NAMES) - nx.node_connected_component(arrows(parents).to_undirected(), "a")
    circles = [problem for problem in problems if problem.what == "the arrows form a cycle"]
    assert len(circles) == (not nx.is_directed_acyclic_graph(arrows(parents)))
    assert {problem.value for problem in problems if problem not in circles} == alone
    assert {problem.file for problem in problems if problem not in circles} == {f"tables/{name}.csv" for name in alone}


@given(GRAPHS.map(lambda parents: parents | {"a": ["c"], "b": ["a"], "c": [*parents["c"], "b"]}))
def test_a_circle_is_told_in_the_direction_of_its_arrows_at_one_of_its_columns(parents):
    problems = []
    check_structure(parents, "a", problems)
    (circle,) = (problem for problem in problems if problem.what == "the arrows form a cycle")
    assert all(above in parents[below] for above, below in pairwise(circle.value.split(" → ")))
    assert circle.column in parents[circle.file.removeprefix("tables/").removesuffix(".csv")]


@pytest.mark.parametrize(
    ("parents", "cycle"),
    [
        ({}, None),
        ({"a": []}, None),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["c"], "b": ["a"], "c": ["b"]}, ["a", "b", "c", "a"]),  # a → b → c → a
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, None),
    ],
)
def test_a_few_graphs_by_hand(parents, cycle):
    assert find_cycle(parents) == cycle
