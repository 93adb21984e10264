"""Tables given in Python are checked as strictly as files, and leave the former priors as they were."""

import numpy as np
import pandas as pd
import pytest

from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.revise import revised


@pytest.fixture
def priors(tiny):
    return read_priors(tiny)


def told(priors, **tables):
    with pytest.raises(PriorsError) as caught:
        revised(priors, tables)
    return {(problem.file, problem.line, problem.column) for problem in caught.value.problems}


def test_the_tables_as_they_are_change_nothing(still):
    priors = read_priors(still)
    again = revised(priors, {name: priors.table(name) for name in priors.tables})
    assert again == priors
    assert again.digest == priors.digest


def test_no_tables_change_nothing(priors):
    assert revised(priors, {}) == priors


def test_a_new_table_is_as_good_as_an_edited_file(priors, tiny, edit):
    changed = revised(priors, {"disease": priors.table("disease").assign(flu=0.1, cold=0.9)})
    edit(tiny / "tables" / "disease.csv", "0.25,0.75", "0.1,0.9")
    assert changed == read_priors(tiny)
    assert changed.digest != priors.digest


def test_the_former_priors_stay_as_they_were(priors):
    before, digest = priors.table("disease"), priors.digest
    revised(priors, {"disease": priors.table("disease").assign(flu=0.1, cold=0.9)})
    pd.testing.assert_frame_equal(priors.table("disease"), before)
    assert priors.digest == digest
    with pytest.raises(TypeError):
        priors.tables["disease"] = None


def test_numbers_keep_every_digit(priors):
    third = 1 / 3
    changed = revised(priors, {"disease": priors.table("disease").assign(flu=third, cold=1 - third, weight=np.pi)})
    row = changed.tables["disease"].rows[0]
    assert (row.probabilities, row.weight) == ((third, 1 - third), np.pi)


@pytest.mark.parametrize("weight", [7, np.int64(7), np.float64(7), np.float32(7), "7", "7.0"])
def test_a_number_may_be_of_any_kind(priors, weight):
    frame = priors.table("disease").astype(object).assign(weight=[weight])
    assert revised(priors, {"disease": frame}).tables["disease"].rows[0].weight == 7.0


@pytest.mark.parametrize("note", ["", None, float("nan"), pd.NA])
def test_a_note_that_is_missing_is_an_empty_note(priors, note):
    frame = priors.table("disease").astype(object).assign(note=[note])
    assert revised(priors, {"disease": frame}).tables["disease"].rows[0].note == ""


def test_rows_and_columns_may_stand_in_any_order(priors):
    frame = priors.table("fever").iloc[::-1, ::-1].rename(lambda row: f"row {row}")
    assert revised(priors, {"fever": frame}) == priors


def test_an_arrow_may_be_added(priors):
    fever, swab = priors.table("fever"), priors.table("swab").merge(pd.DataFrame({"fever": ["no", "yes"]}), how="cross")
    assert revised(priors, {"swab": swab}).tables["swab"].parents == ("disease", "fever")
    assert told(priors, swab=swab, fever=fever.drop(columns="yes")) == {("tables/fever.csv", 1, "yes")}


def test_every_fault_of_every_table_is_told_with_the_line_it_would_have(priors):
    disease, fever = priors.table("disease").assign(flu=0.3), priors.table("fever").astype({"weight": object})
    fever.loc[1, "weight"] = float("nan")
    fever.loc[0, "source"] = "nobody1900"
    assert told(priors, disease=disease, fever=fever, zzz=fever) == {
        ("tables/disease.csv", 2, "flu, cold"),
        ("tables/fever.csv", 2, "source"),
        ("tables/fever.csv", 3, "weight"),
        ("tables/zzz.csv", 1, ""),
    }


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -0.1, 1.1, 0.0, None, True, "many"])
def test_what_is_not_a_probability_is_told(priors, value):
    frame = priors.table("disease").astype(object).assign(flu=[value])
    assert ("tables/disease.csv", 2, "flu") in told(priors, disease=frame)


def test_a_circle_is_told(priors):
    circle = priors.table("disease").merge(pd.DataFrame({"fever": ["no", "yes"]}), how="cross")
    with pytest.raises(PriorsError, match="the arrows form a cycle"):
        revised(priors, {"disease": circle})


def test_a_table_that_loses_its_arrow_is_told(priors):
    with pytest.raises(PriorsError, match="no arrow connects fever with disease"):
        revised(priors, {"fever": priors.table("fever").drop(columns="disease").head(1)})


def test_an_empty_table_is_told(priors):
    assert told(priors, disease=priors.table("disease").head(0)) == {("tables/disease.csv", 1, "")}


def test_a_column_that_stands_twice_is_told(priors):
    frame = priors.table("disease")
    assert ("tables/disease.csv", 1, "flu") in told(priors, disease=pd.concat([frame, frame[["flu"]] / 2], axis=1))
