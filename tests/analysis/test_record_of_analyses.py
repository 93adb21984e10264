"""An analysis reads the findings as the record says that is named, and no other record's evidence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import calcinosis as cc

FINDINGS = {"pain": "severe", "esrd": "yes"}
ANALYSES = {
    "decide": lambda model, **named: cc.decide(model, draws=20, **named).frame,
    "explain": lambda model, **named: cc.explain(model, state="calciphylaxis", **named).frame,
    "flips": lambda model, **named: cc.whatif.flips(model, most_changes=1, **named).frame,
    "marginals": lambda model, **named: model.marginals(**named),
    "most_probable": lambda model, **named: cc.whatif.most_probable(model, **named).states,
    "next_test": lambda model, **named: cc.next_test(model, **named).frame,
    "one_way": lambda model, **named: cc.sensitivity.one_way(model, **named).by_state,
    "overview": lambda model, **named: cc.sensitivity.overview(model, draws=20, **named).rows,
    "pairs": lambda model, **named: cc.whatif.pairs(model, **named).frame,
    "robust_bounds": lambda model, **named: cc.sensitivity.robust_bounds(model, **named).frame,
    "serial_testing": lambda model, **named: cc.serial_testing(model, **named).summary,
    "sweep": lambda model, **named: cc.whatif.sweep(model, **named).frame,
    "trajectory": lambda model, **named: cc.whatif.trajectory(model, **named).frame,
    "uncertainty": lambda model, **named: cc.sensitivity.uncertainty(model, draws=20, **named).by_table,
}


@pytest.mark.parametrize("name", ANALYSES)
def test_a_record_by_name_is_the_model_of_that_record(shipped, name):
    got = ANALYSES[name](shipped, record="letter", **FINDINGS)
    expected = ANALYSES[name](shipped.recorded("letter"), **FINDINGS)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(got, expected, check_exact=True)
    else:
        assert str(got) == str(expected)


def test_evidence_of_one_record_is_refused_for_another(shipped):
    evidence = shipped.read(FINDINGS, record="letter")
    assert shipped.posterior(evidence, record="letter").not_mentioned
    for asked in (
        lambda: shipped.posterior(evidence, record="case_report"),
        lambda: shipped.posterior(evidence),
        lambda: cc.next_test(shipped.recorded("abstract"), evidence),
        lambda: shipped.recorded("letter").posterior(shipped.read(FINDINGS)),
    ):
        with pytest.raises(cc.errors.QuestionError, match="this evidence was read from the record"):
            asked()


def test_a_letter_in_which_everything_is_unknown_is_a_letter(shipped):
    letter = shipped.recorded("letter")
    evidence = shipped.read(dict.fromkeys(letter.mentions, "unknown"), record="letter")
    assert shipped.posterior(evidence, record="letter")["calciphylaxis"] == shipped.posterior()["calciphylaxis"]


def test_one_patient_has_one_kind_of_record(shipped):
    with pytest.raises(cc.errors.QuestionError, match="this model reads each patient's own record"):
        shipped.recorded("each").posterior(FINDINGS)


@pytest.mark.parametrize("heading", ["Record", "records", "RECORD", "record "])
def test_a_heading_that_nearly_says_record_is_refused(shipped, heading):
    with pytest.raises(cc.errors.FindingsError, match="did you mean record"):
        shipped.posteriors(pd.DataFrame({"pain": ["severe"], heading: ["letter"]}))


def test_draws_that_rule_the_findings_out_make_no_decision_a_number_less(shipped, tmp_path):
    from calcinosis.knowledge.folder import copy_folder

    folder = tmp_path / "priors"
    copy_folder(Path(shipped.priors.folder), folder)
    (folder / "reporting.csv").write_text(
        "record,variable,state,mentioned,weight,source,note\n"
        'letter,diabetes,yes,0.999,1,judgement,"surely 99.8 to 99.95%"\n'
        'letter,diabetes,no,0.99,1,judgement,"surely 98 to 99.5%"\n',
        encoding="utf-8",
    )
    decision = cc.decide(cc.load(folder), pain="severe", record="letter", draws=500)
    assert decision.spread.notna().all(axis=None)
