"""Contexts: lists of states are read and written back, and groups of contexts are told without loss."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcinosis.knowledge.contexts import CellFault, cell_of, contexts_of, grouped, states_in

SIZES = st.lists(st.integers(1, 4), min_size=0, max_size=4)


def named(sizes):
    """The states of parents with so many states each."""
    return [[f"{letter}{i}" for i in range(size)] for letter, size in zip("abcd", sizes, strict=False)]


@given(data=st.data(), sizes=SIZES)
def test_grouped_cells_name_each_context_once_and_no_other(data, sizes):
    states = named(sizes)
    every = list(product(*states))
    chosen = data.draw(st.lists(st.sampled_from(every), unique=True))
    rows = grouped(chosen, states)
    covered = [context for row in rows for context in contexts_of(row, states)]
    assert len(covered) == len(set(covered))
    assert set(covered) == set(chosen)
    assert len(rows) <= len(chosen)


@given(sizes=SIZES)
def test_all_contexts_are_one_row(sizes):
    states = named(sizes)
    every = list(product(*states))
    assert len(grouped(every, states)) == 1


def test_no_contexts_are_no_rows():
    assert grouped([], [["a", "b"]]) == []


@given(data=st.data(), size=st.integers(1, 5))
def test_a_cell_is_read_as_it_was_written(data, size):
    states = [f"s{i}" for i in range(size)]
    chosen = data.draw(st.sets(st.sampled_from(states), min_size=1))
    cell = cell_of(chosen, states)
    assert set(states_in(cell, states)) == chosen
    assert cell_of(states_in(cell, states), states) == cell
    assert (cell == "any") == (len(chosen) == size > 1)


@given(order=st.permutations(["a", "b", "c"]), spaces=st.sampled_from(["/", " / ", "/ "]))
def test_a_list_may_be_in_any_order_and_is_told_in_that_of_the_states(order, spaces):
    assert states_in(spaces.join(order), ["a", "b", "c", "d"]) == ("a", "b", "c")
    assert cell_of(order, ["a", "b", "c", "d"]) == "a/b/c"
    assert cell_of(order, ["a", "b", "c"]) == "any"


def test_a_state_that_is_called_any_is_a_state():
    assert states_in("any", ["any", "none"]) == ("any",)
    assert states_in("any/none", ["any", "none"]) == ("any", "none")


@pytest.mark.parametrize(
    ("cell", "what", "fix"),
    [
        ("", "the cell is empty", "write one of: flu, cold, any; join several with '/'"),
        ("flu/", "an empty name in a list of states", "remove the extra '/'"),
        ("/", "an empty name in a list of states", "remove the extra '/'"),
        ("flu/any", "'any' next to a state", "write 'any' alone, or remove it"),
        ("flu/cold/flu", "'flu' twice in a list of states", "name it once"),
        ("flu/colt", "no state 'colt'", "did you mean 'cold'? One of: flu, cold, any; join several with '/'"),
    ],
)
def test_a_cell_that_names_no_states_is_told_with_one_fix(cell, what, fix):
    with pytest.raises(CellFault) as caught:
        states_in(cell, ["flu", "cold"])
    assert (str(caught.value), caught.value.fix) == (what, fix)


def test_a_parent_of_one_state_needs_no_word_for_several():
    with pytest.raises(CellFault) as caught:
        states_in("two", ["one"])
    assert caught.value.fix == "write one of: one"
