"""What priors/README.md teaches works as written: edit a row, add a state, a variable, an arrow."""

from __future__ import annotations

import csv

import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app
from calcinosis.knowledge.folder import copy_folder, shipped_folder

pytestmark = pytest.mark.docs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    return copy_folder(shipped_folder(), tmp_path / "mine")


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def checked(folder):
    result = CliRunner().invoke(app, ["check", str(folder), "--contexts", "100"])
    assert result.exit_code == 0, result.stderr or result.stdout
    return cc.load(folder)


def test_edit_a_probability(folder):
    table, sources = folder / "tables" / "warfarin.csv", folder / "sources.csv"
    rows = read(table)
    row = next(r for r in rows if (r["subtype"], r["esrd"]) == ("calciphylaxis", "no"))
    row |= {"yes": "0.5068", "no": "0.4932", "weight": "73", "source": row["source"] + ";our_clinic"}
    write(table, rows)
    known = {"citation": "Our clinic, 2026", "year": "2026", "doi": "", "note": ""}
    write(sources, [*read(sources), {"source": "our_clinic", "kind": "cohort", **known}])
    findings = {"warfarin": "yes", "esrd": "no", "pain": "severe"}
    edited, shipped = checked(folder).posterior(findings), cc.load().posterior(findings)
    assert edited["calciphylaxis"] > shipped["calciphylaxis"]
    assert edited.digest != shipped.digest


def test_add_a_state(folder):
    states, table = folder / "states.csv", folder / "tables" / "radiograph.csv"
    blank = dict.fromkeys(read(states)[0], "")
    write(
        states,
        [*read(states), blank | {"variable": "radiograph", "state": "unclear", "label": "unclear", "order": "4"}],
    )
    rows = read(table)
    for row in rows:
        for name in ("none", "nodular_mass", "vascular_netlike"):
            row[name] = repr(0.9 * float(row[name]))
        row["unclear"] = "0.1"
    write(table, rows)
    model = checked(folder)
    assert model.variables["radiograph"].state_names[-1] == "unclear"
    same = model.posterior(pain="severe", radiograph="unclear").probabilities  # as likely under all: it tells nothing
    assert same.to_list() == pytest.approx(cc.load().posterior(pain="severe").probabilities.to_list(), abs=1e-12)


def test_add_a_variable(folder):
    variables, states = folder / "variables.csv", folder / "states.csv"
    blank = dict.fromkeys(read(variables)[0], "")
    new = {"variable": "family_history", "label": "Family history", "group": "history", "repeatable": "no"}
    write(variables, [*read(variables), blank | new])
    blank = dict.fromkeys(read(states)[0], "")
    added = [blank | {"variable": "family_history", "state": s, "label": s} for s in ("no", "yes")]
    write(states, [*read(states), *added])
    rows = [
        {"subtype": s, "no": str(1 - p), "yes": str(p), "weight": "5", "source": "judgement", "note": "a test"}
        for s, p in zip(cc.load().states, (0.02, 0.02, 0.25, 0.02, 0.02), strict=True)
    ]
    write(folder / "tables" / "family_history.csv", rows)
    model = checked(folder)
    assert model.posterior(family_history="yes")["idiopathic"] > 3 * model.posterior()["idiopathic"]
    result = CliRunner().invoke(app, ["diagnose", "family_history=yes", "--priors", str(folder)])
    assert result.exit_code == 0


def test_add_an_arrow(folder):
    table = folder / "tables" / "ulceration.csv"
    rows = [row | {"diabetes": state} for row in read(table) for state in ("no", "yes")]
    write(table, rows)
    model = checked(folder)
    assert set(model.network.parents["ulceration"]) == {"form", "diabetes"}
    known = {"ulceration": "yes", "pain": "severe"}  # every former row stands twice, so nothing has changed yet
    expected = cc.load().posterior(known).probabilities.to_list()
    assert model.posterior(known).probabilities.to_list() == pytest.approx(expected, abs=1e-12)


def test_edit_how_often_a_record_mentions_a_finding(folder):
    path = folder / "reporting.csv"
    rows = read(path)
    row = next(r for r in rows if (r["record"], r["variable"], r["state"]) == ("letter", "diabetes", "yes"))
    absent = next(r for r in rows if (r["record"], r["variable"], r["state"]) == ("letter", "diabetes", "no"))
    assert (row["mentioned"], row["weight"], absent["mentioned"], absent["weight"]) == ("0.8", "27.4", "0.08", "50.9")
    assert pytest.approx(4.6) == (1 - 0.08) / (1 - 0.8)
    row |= {"mentioned": f"{45.5 / 51:.3f}", "weight": "50"}
    assert row["mentioned"] == "0.892"
    write(path, rows)
    edited, shipped = checked(folder), cc.load()
    findings = {"ulceration": "yes", "pain": "severe"}
    before, after = (
        model.recorded("letter").marginals(findings).set_index(["variable", "state"])["probability"]["diabetes", "yes"]
        for model in (shipped, edited)
    )
    assert after < before  # silence is now stronger evidence against diabetes
    asked = [model.posterior(findings).probabilities.to_list() for model in (shipped, edited)]
    assert asked[0] == asked[1]


def test_learn_the_rates_of_a_ward(folder, tmp_path, monkeypatch):
    import re

    from calcinosis.knowledge.folder import shipped_folder

    path = folder / "reporting.csv"
    rows = read(path)
    truth = {row["state"]: row for row in rows if (row["record"], row["variable"]) == ("letter", "diabetes")}
    truth["yes"]["mentioned"] = "0.5"
    write(path, rows)  # the ward mentions diabetes less often than letters do
    cc.load(folder).recorded("letter").simulate(6000, seed=1).to_csv(tmp_path / "letters.csv", index=False)
    copy_folder(shipped_folder(), tmp_path / "my-priors")
    monkeypatch.chdir(tmp_path)
    text = (shipped_folder() / "README.md").read_text(encoding="utf-8")
    command = re.search(r"`calcinosis (update letters.csv [^`]*)`", text)[1]
    words = [*command.split(), "--priors", "my-priors", "--only", "reporting", "--folds", "0"]
    assert CliRunner().invoke(app, words).exit_code == 0
    row = next(
        row
        for row in read(tmp_path / "my-new-priors" / "reporting.csv")
        if (row["record"], row["variable"], row["state"]) == ("letter", "diabetes", "yes")
    )
    assert float(row["mentioned"]) == pytest.approx(0.5, abs=0.05)
    assert float(row["weight"]) > 27.4 + 100
    checked(tmp_path / "my-new-priors")
