"""An edited number changes the answer as Bayes' rule, worked by hand, says it must."""

import csv
import shutil

import pytest

import calcinosis as cc
from calcinosis.knowledge.folder import shipped_folder

EXACT = {"rel": 0, "abs": 1e-12}


def test_an_edited_probability_changes_the_answer_by_the_rule(tiny, edit):
    """The small folder: P(flu) = 0.25; a fever in 0.8 with flu, 0.1 with a cold; a positive swab in 0.7 and 0.05."""
    findings = {"fever": "yes", "swab": ["positive", "negative"]}
    before = cc.load(tiny).posterior(findings)
    # flu:  0.25 × 0.8 × 0.7  × 0.3  = 0.042
    # cold: 0.75 × 0.1 × 0.05 × 0.95 = 0.0035625
    # sum                            = 0.0455625, and 0.042 / 0.0455625 = 224 / 243
    assert before["flu"] == pytest.approx(224 / 243, **EXACT)
    assert before["cold"] == pytest.approx(19 / 243, **EXACT)

    edit(tiny / "tables" / "fever.csv", "cold,0.9,0.1", "cold,0.6,0.4")
    after = cc.load(tiny).posterior(findings)
    # cold: 0.75 × 0.4 × 0.05 × 0.95 = 0.01425, four times as much
    # sum: 0.042 + 0.01425           = 0.05625, and 0.042 / 0.05625 = 56 / 75
    assert after["flu"] == pytest.approx(56 / 75, **EXACT)
    assert after["cold"] == pytest.approx(19 / 75, **EXACT)
    assert after.digest != before.digest


def test_without_findings_the_edited_prior_is_the_answer(tiny, edit):
    edit(tiny / "tables" / "disease.csv", "0.25,0.75", "0.3,0.7")
    assert dict(cc.load(tiny).posterior().probabilities) == pytest.approx({"flu": 0.3, "cold": 0.7}, **EXACT)


def table(folder, variable):
    with (folder / "tables" / f"{variable}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cell(folder, variable, state, **given):
    """One probability as it stands in the file, in the one row that holds for these states of the parents."""
    (row,) = (
        row
        for row in table(folder, variable)
        if all(row[name] == "any" or value in row[name].split("/") for name, value in given.items())
    )
    return float(row[state])


def change(folder, variable, row, **cells):
    rows = table(folder, variable)
    rows[row] |= cells
    with (folder / "tables" / f"{variable}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def normalised(weights):
    return {state: weight / sum(weights.values()) for state, weight in weights.items()}


def by_hand(folder, setting, **findings):
    """P(subtype | setting, findings) from the cells of the files: each finding hangs on the subtype and on ESRD.

    P(s) ∝ P(s | setting) × Σ over ESRD, if it was not seen, of P(esrd | s, setting) × Π P(finding | its parents).
    """
    weights, seen = {}, findings.pop("esrd", None)
    for state in cc.load(folder).states:
        where = {"subtype": state, "care_setting": setting}
        weights[state] = 0.0
        for esrd in [seen] if seen else ["no", "yes"]:
            term = cell(folder, "subtype", state, care_setting=setting) * cell(folder, "esrd", esrd, **where)
            for finding, value in findings.items():
                given = {name: {"subtype": state, "esrd": esrd}[name] for name in parents(folder, finding)}
                term *= cell(folder, finding, value, **given)
            weights[state] += term
    return normalised(weights)


def parents(folder, variable):
    """The parent columns of a finding, which must be the subtype or ESRD for the rule above to hold."""
    columns = set(table(folder, variable)[0]) - {"weight", "source", "note", "no", "yes"}
    assert columns <= {"subtype", "esrd"}
    return columns


@pytest.fixture
def copy(still, tmp_path):
    return shutil.copytree(still, tmp_path / "priors")


def answer(folder, **findings):
    return dict(cc.load(folder).posterior(findings).probabilities)


@pytest.mark.parametrize("setting", ["dermatology_clinic", "hospital_inpatient", "dialysis_unit"])
@pytest.mark.parametrize(
    "findings", [{"calcium_exposure": "yes"}, {"warfarin": "yes"}, {"warfarin": "no", "esrd": "yes"}]
)
def test_the_shipped_answer_is_the_rule_applied_to_the_cells(copy, setting, findings):
    by_rule = by_hand(copy, setting, **findings)
    assert answer(copy, care_setting=setting, **findings) == pytest.approx(by_rule, **EXACT)


@pytest.mark.parametrize(
    ("variable", "row", "cells"),
    [
        ("subtype", 0, {"dystrophic": "0.2", "metastatic": "0.2", "idiopathic": "0.3", "iatrogenic": "0.2"}),
        ("warfarin", -1, {"no": "0.9", "yes": "0.1"}),
        ("calcium_exposure", 0, {"no": "0.5", "yes": "0.5"}),
    ],
)
def test_after_an_edit_the_answer_is_the_rule_applied_to_the_new_cells(copy, variable, row, cells):
    shipped, original = shipped_folder(), {path: path.read_bytes() for path in shipped_folder().rglob("*.csv")}
    setting = table(copy, "subtype")[0]["care_setting"]
    findings = {"calcium_exposure": "yes", "warfarin": "yes"}
    before, digest = answer(copy, care_setting=setting, **findings), cc.load(copy).digest
    assert before == pytest.approx(by_hand(copy, setting, **findings), **EXACT)

    change(copy, variable, row, **cells, **({"calciphylaxis": "0.1"} if variable == "subtype" else {}))
    after = answer(copy, care_setting=setting, **findings)
    assert after == pytest.approx(by_hand(copy, setting, **findings), **EXACT)
    assert after != pytest.approx(before, rel=1e-3)
    assert cc.load(copy).digest != digest
    assert {path: path.read_bytes() for path in shipped.rglob("*.csv")} == original


def test_the_setting_alone_gives_the_row_of_its_table(copy):
    change(copy, "care_setting", 0, dermatology_clinic="0.2", hospital_inpatient="0.2", dialysis_unit="0.6")
    settings = cc.load(copy).variables["care_setting"].state_names
    for setting in settings:
        row = {state: cell(copy, "subtype", state, care_setting=setting) for state in cc.load(copy).states}
        assert answer(copy, care_setting=setting) == pytest.approx(row, **EXACT)
    mixed = {
        state: sum(
            cell(copy, "care_setting", setting) * cell(copy, "subtype", state, care_setting=setting)
            for setting in settings
        )
        for state in cc.load(copy).states
    }
    assert answer(copy) == pytest.approx(mixed, **EXACT)  # 0.2 × the first row + 0.2 × the second + 0.6 × the third
