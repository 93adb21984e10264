"""The grammar on anything at all: it is read as what it says, or refused with its fix, and never otherwise."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc

STATES = ["a/b", "x:y", "p,q", "a", "plain"]


@pytest.fixture(scope="session")
def signs(build):
    """A repeatable variable whose states hold the signs of the grammar."""
    tables = {"kind": ("s t", "", [0.5, 0.5]), "seen": (" ".join(STATES), "kind", [[0.2] * 5] * 2)}
    return cc.Model(build("kind", tables, repeatable=["seen"]))


some_states = st.lists(st.sampled_from(STATES), min_size=1, unique=True)


@examples(60)
@given(states=some_states, gap=st.sampled_from(["", " "]))
def test_states_joined_by_a_slash_are_either_of(signs, states, gap):
    text = f"{gap}/{gap}".join(states)
    assert signs.read(seen=text)["seen"].likelihoods == signs.read(seen=set(states))["seen"].likelihoods


@examples(60)
@given(results=st.lists(some_states, min_size=1, max_size=5), gap=st.sampled_from(["", " "]))
def test_results_joined_by_a_comma_are_repeated(signs, results, gap):
    text = f"{gap},{gap}".join("/".join(states) for states in results)
    apart = signs.read(seen=[set(states) for states in results])
    assert signs.read(seen=text)["seen"].likelihoods == apart["seen"].likelihoods


@examples(60)
@given(states=some_states, numbers=st.lists(st.floats(0.001, 10), min_size=5, max_size=5))
def test_states_with_numbers_are_likelihoods(signs, states, numbers):
    given = dict(zip(states, numbers, strict=False))
    text = ",".join(f"{state}:{number}" for state, number in given.items())
    assert signs.read(seen=text)["seen"].likelihoods == (tuple(given.get(state, 0.0) for state in STATES),)


def understood_or_refused(model, name, value):
    """Read a value; what comes out must be evidence of finite likelihoods, not all 0."""
    with suppress(cc.errors.FindingsError):
        for finding in model.read({name: value}):
            assert finding.variable == name
            for likelihood in finding.likelihoods:
                assert len(likelihood) == len(model.variables[name].states)
                assert all(math.isfinite(number) and number >= 0 for number in likelihood)
                assert any(likelihood)


words = st.sampled_from(["none", "severe", "low", "high", "absent", "unknown", "9.1", "10.5", "2,5", "mg/dL", "mmol/L"])
pieces = words | st.sampled_from([*"/,: .%<>-+e'", "1", "", "  ", "\u00a0", "NaN", "True"])
names = st.sampled_from(["pain", "warfarin", "biopsy", "calcium", "albumin"])


@examples(200)
@given(name=names, parts=st.lists(pieces, max_size=8), anything=st.text(max_size=5))
def test_any_text_is_understood_or_refused(clinic, name, parts, anything):
    understood_or_refused(clinic, name, "".join([*parts, anything]))
    understood_or_refused(clinic, name, "".join(parts))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | pieces | st.binary(max_size=2) | st.complex_numbers()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(words | st.booleans() | st.integers(), max_size=3)
        | st.dictionaries(words | st.booleans() | st.none() | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@examples(200)
@given(name=names, value=values)
def test_any_value_is_understood_or_refused(clinic, name, value):
    understood_or_refused(clinic, name, value)


@pytest.mark.parametrize("value", [10**400, {"none": 10**400}, [10**400], {10**400: 1.0}, {10**400}], ids=type)
def test_a_number_too_large_for_a_float_is_refused(clinic, value):
    with pytest.raises(cc.errors.FindingsError):
        clinic.read(pain=value)
