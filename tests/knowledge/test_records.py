"""The records: a number finds its one band, a table is the same as frame and as array, nothing can be changed."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcinosis.knowledge.contexts import contexts_of
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import Band, State, Variable, sums_to_one


@pytest.fixture
def priors(tiny):
    return read_priors(tiny)


@st.composite
def scales(draw):
    """A variable with bands that join, in any order of states, and its cuts from the bottom to the top."""
    cuts = sorted(draw(st.lists(st.integers(-50, 50), min_size=3, max_size=6, unique=True)))
    above = [False, *draw(st.lists(st.booleans(), min_size=len(cuts) - 2, max_size=len(cuts) - 2))]
    bands = [Band(cuts[i], cuts[i + 1], above[i]) for i in range(len(cuts) - 1)]
    states = [State(f"s{i}", "", "", band) for i, band in enumerate(bands)]
    return Variable("v", tuple(draw(st.permutations(states)))), cuts


@given(scales(), st.floats(-60, 60) | st.integers(-50, 50))
def test_a_number_on_the_scale_lies_in_exactly_one_band(scale, value):
    variable, cuts = scale
    bands = sorted((state.band for state in variable.states), key=lambda band: band.lower)
    inside = []
    for band, after in zip(bands, [*bands[1:], None], strict=True):
        begun = value > band.lower or (value == band.lower and not band.above)
        last = value <= band.upper if after is None or after.above else value < band.upper
        inside += [band] if begun and last else []
    found = variable.state_of(value)
    assert inside == ([found.band] if found else [])
    assert (found is not None) == (cuts[0] <= value <= cuts[-1])


@pytest.mark.parametrize(
    ("value", "state"),
    [(34.9, None), (35, "no"), (37.999, "no"), (38, "yes"), (43, "yes"), (43.001, None), (float("nan"), None)],
)
def test_a_limit_belongs_to_the_band_above_it(priors, value, state):
    found = priors.variables["fever"].state_of(value)
    assert (found.name if found else None) == state


def test_a_limit_with_a_sign_belongs_to_the_band_below_it(tiny, edit):
    edit(tiny / "states.csv", "yes,,38,43", "yes,,>38,43")
    fever = read_priors(tiny).variables["fever"]
    assert [fever.state_of(value).name for value in (38, 38.0001)] == ["no", "yes"]


def test_a_variable_without_bands_has_no_place_for_a_number(priors):
    assert priors.variables["swab"].state_of(1) is None
    assert [variable.numeric for variable in priors.variables.values()] == [False, True, False]
    assert not Variable("empty", ()).numeric


def test_units_begin_with_the_variable_s_own(priors):
    assert dict(priors.variables["fever"].units) == {"C": 1.0, "mC": 0.001}
    assert list(priors.variables["fever"].units) == ["C", "mC"]
    assert dict(priors.variables["swab"].units) == {}
    assert dict(priors.corrections[0].units) == {"h": 1.0}


def test_variables_stand_in_the_order_of_their_groups(priors, tiny, edit):
    assert list(priors.variables) == ["disease", "fever", "swab"]
    edit(tiny / "variables.csv", "swab,Swab,laboratory", "swab,Swab,history")
    assert list(read_priors(tiny).variables) == ["disease", "swab", "fever"]


def test_a_frame_is_the_table_as_it_stands_in_its_file(priors):
    assert priors.table("swab").to_csv(index=False) == (
        "disease,negative,positive,weight,source,note\nflu,0.3,0.7,20.0,smith2020,\ncold,0.95,0.05,20.0,smith2020,\n"
    )


def test_an_array_has_an_axis_for_each_parent_and_one_for_the_states(still):
    priors = read_priors(still)
    for name, table in priors.tables.items():
        states = [priors.variables[variable].state_names for variable in (*table.parents, name)]
        array = priors.probabilities(name)
        assert array.shape == tuple(map(len, states))
        for row in table.rows:
            for context in contexts_of(row.given, states[:-1]):
                place = tuple(names.index(state) for names, state in zip(states, context, strict=False))
                assert tuple(array[place]) == row.probabilities
        assert list(table.parents) == sorted(table.parents)


def test_a_row_rests_on_judgement_if_none_of_its_sources_is_published(priors):
    row = priors.tables["disease"].rows[0]
    rests = {
        sources: priors.rests_on_judgement(replace(row, sources=sources))
        for sources in [("smith2020",), ("judgement",), ("definition", "judgement"), ("judgement", "smith2020")]
    }
    assert list(rests.values()) == [False, True, True, False]


@pytest.mark.parametrize(
    ("total", "good"),
    [
        (1, True),
        (1 + 9e-7, True),
        (1 - 9e-7, True),
        (1.000001, True),
        (0.999999, True),
        (1 + 2e-6, False),
        (0.995, False),
        (0, False),
    ],
)
def test_a_row_may_miss_1_by_a_millionth(total, good):
    assert sums_to_one(total) is good


def test_an_expectation_reads_as_a_sentence(priors, tiny, edit):
    assert str(priors.expectations[0]) == "fever=yes rather than no raises flu"
    edit(tiny / "expectations.csv", "raises,,", "raises,cold,")
    assert str(read_priors(tiny).expectations[0]) == "fever=yes rather than no raises flu over cold"


def test_nothing_can_be_changed(priors):
    records = [priors, priors.variables["fever"], priors.tables["fever"], priors.tables["fever"].rows[0]]
    for record in [*records, priors.sources["smith2020"], priors.corrections[0], priors.expectations[0]]:
        with pytest.raises(FrozenInstanceError):
            record.note = "changed"
    for mapping in (priors.variables, priors.tables, priors.sources, priors.variables["fever"].units):
        with pytest.raises(TypeError):
            mapping["fever"] = None


def test_the_array_is_a_copy(priors):
    priors.probabilities("disease")[...] = 0
    assert np.array_equal(priors.probabilities("disease"), [0.25, 0.75])


def test_the_priors_say_what_they_are(priors, tiny):
    assert repr(priors) == f"<Priors {priors.digest[:12]}: 3 variables, 5 rows, 3 sources, from {tiny}>"
