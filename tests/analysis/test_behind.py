"""The rows behind one finding are those of the whole explanation, and its own table is always among them."""

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.analysis.explain.table_effects import MOST_ROWS_EACH, rows_of_finding, slopes_of_findings


@pytest.fixture(scope="module", params=["dystrophic", "calciphylaxis"])
def why(shipped, request):
    findings = {
        "cirrhosis": "yes",
        "weight_loss": "yes",
        "serum_phosphate": "normal",
        "radiograph": "nodular_mass",
        "pain": {"none": 1.0, "intermittent": 0.5, "severe": 0.1},
        "vascular_histology": ["absent", "absent"],
    }
    return cc.explain(shipped, findings, state=request.param, background=["weight_loss"])


def test_one_finding_alone_has_the_same_slopes(why):
    asked = (why.model, why.findings, why.hypothesis, why.background)
    every = slopes_of_findings(*asked)
    assert list(every) == [finding.variable for finding in why.findings]
    for variable, slopes in every.items():
        alone = slopes_of_findings(*asked, [variable])
        assert list(alone) == [variable]
        np.testing.assert_array_equal(alone[variable], slopes)


def test_its_own_rows_are_told_whatever_else_weighs(why):
    names, rows = why.model.entries.names, why.model.entries.rows
    for finding in why.findings:
        behind = rows_of_finding(why, finding.variable)
        assert behind.own
        for places in behind:
            assert len(places) == len({int(rows[place]) for place in places}) <= MOST_ROWS_EACH
        assert all(names[place].startswith(f"{finding.variable}=") for place in behind.own)
        assert not any(names[place].startswith(f"{finding.variable}=") for place in behind.others)


def test_they_are_named_by_what_was_seen(why):
    for place in rows_of_finding(why, "radiograph").own:
        assert why.model.entries.names[place].startswith("radiograph=nodular_mass@")


def test_the_steepest_rows_are_those_of_the_explanation(why):
    for variable, told in why.rows.groupby("variable"):
        steepest = max(zip(told["slope"].abs(), told["entry"], strict=True))[1]
        place = why.model.entries.names.index(steepest)
        row = why.model.entries.rows[place]
        assert row in why.model.entries.rows[[place for side in rows_of_finding(why, variable) for place in side]]


def test_of_a_finding_that_says_nothing_there_are_no_rows(shipped):
    why = cc.explain(shipped, pain="none/intermittent/severe", sex="female")
    assert rows_of_finding(why, "pain") == ((), ())
