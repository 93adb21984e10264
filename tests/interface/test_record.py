"""The kind of record a patient's findings come from: wherever it is given, used, and named in the answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.analysis.validate.labelled_cases import CasesError, read_cases
from calcinosis.inference.cases import case_record
from calcinosis.interface.shell.app import app
from calcinosis.interface.shell.cases_file import read_cases_file
from calcinosis.knowledge.folder import copy_folder, shipped_folder

KINDS = ["asked", "case_report", "abstract", ""]


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.setenv("COLUMNS", "150")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def mixed(shipped):
    """Patients whose findings come from records of several kinds."""
    frame = shipped.simulate(60, missing=0.5, seed=1)
    return frame.assign(record=[KINDS[row % 4] for row in range(60)])


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["diagnose", "explain", "what-if", "next-test", "decide", "sensitivity"], ids=lambda word: word
)
def test_every_command_on_one_patient_takes_a_record_and_names_it(run, command):
    more = ["--draws", "20"] if command in ("decide", "sensitivity") else []
    result = run(command, "pain=severe", "--record", "case_report", *more)
    assert result.exit_code == 0
    assert "Not mentioned (case report): end-stage renal disease, " in result.stdout.replace("\n", " ")
    assert json.loads(run(command, "pain=severe", "--record", "case_report", "--json", *more).stdout)["record"] == (
        "case_report"
    )
    assert json.loads(run(command, "pain=severe", "--json", *more).stdout)["record"] == "asked"
    wrong = run(command, "pain=severe", "--record", "case_rport", *more)
    assert wrong.exit_code == 1
    assert "did you mean 'case_report'? One of: asked, case_report, abstract, " in wrong.stderr


def test_the_record_of_an_answer_is_that_of_python(run, shipped):
    result = json.loads(run("diagnose", "pain=severe", "--record", "abstract", "--json").stdout)
    answer = shipped.posterior(pain="severe", record="abstract")
    assert result["probabilities"] == dict(answer.probabilities_of)
    assert result["not_mentioned"] == list(answer.not_mentioned)
    assert [finding["variable"] for finding in result["findings"]] == ["pain"]


def test_an_answer_of_what_was_asked_says_so_and_names_no_silence(shipped):
    answer = shipped.posterior(pain="severe")
    assert "Record: asked, so findings not given count as unknown" in repr(answer)
    assert "Record: asked, so findings not given count as unknown" in answer._repr_html_()
    assert "mentioned" not in repr(answer)
    assert "mentioned" not in answer._repr_html_()
    assert "not_mentioned" not in answer.as_dict()


@pytest.mark.parametrize("shown", [repr, lambda answer: answer._repr_html_()], ids=["text", "html"])
def test_findings_and_silence_are_told_apart(shipped, shown):
    text = shown(shipped.posterior(pain="severe", record="case_report"))
    assert "Findings: pain = severe" in text
    assert "Not mentioned (case report): end-stage renal disease, " in text
    assert "mentioned:" not in text


def test_a_published_case_has_the_record_that_was_read_unless_another_is_given(run, shipped):
    cases = cc.cases()
    for case, kind in (("jones2023", "case_report"), ("calci_003", "abstract"), ("calci_016", "case_report")):
        assert case_record(cases.loc[case], shipped.priors.reporting) == cases.loc[case, "record"] == kind
        assert json.loads(run("diagnose", "--case", case, "--json").stdout)["record"] == kind
    assert json.loads(run("diagnose", "--case", "jones2023", "--record", "asked", "--json").stdout)["record"] == "asked"


def test_a_folder_without_rates_reads_every_case_as_asked(run, tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "priors")
    (folder / "reporting.csv").unlink()
    assert json.loads(run("diagnose", "--case", "jones2023", "--priors", folder, "--json").stdout)["record"] == "asked"
    wrong = run("diagnose", "pain=severe", "--record", "case_report", "--priors", folder)
    assert wrong.exit_code == 1
    assert "no kind of record 'case_report' in these priors: write one of: asked" in wrong.stderr


def test_one_patient_has_a_kind_of_record_and_not_each(run, shipped):
    wrong = run("diagnose", "pain=severe", "--record", "each")
    assert wrong.exit_code == 2
    assert "'each' is no kind of record" in wrong.stderr
    for ask in (shipped.posterior, shipped.probabilities, shipped.read):
        with pytest.raises(ValueError, match="each is for many patients: one patient has a kind of record"):
            ask({"pain": "severe"}, record="each")


def test_many_patients_are_answered_in_order_each_by_their_own_record(shipped, mixed):
    answers = shipped.posteriors(mixed)
    assert (answers["status"] == "ok").all()
    for kind in KINDS:
        rows = mixed["record"] == kind
        alone = shipped.posteriors(mixed[rows], record=kind or "asked")
        assert np.abs(answers.loc[rows, list(shipped.states)] - alone[list(shipped.states)]).to_numpy().max() < 1e-12


def test_one_record_for_all_replaces_that_of_each(shipped, mixed):
    states = list(shipped.states)
    by_option, without = (
        shipped.posteriors(mixed, record="asked"),
        shipped.posteriors(mixed.drop(columns="record")),
    )
    assert (by_option[states] == without[states]).all(axis=None)


def test_an_unknown_kind_is_told_of_its_patient_alone(run, shipped, mixed, tmp_path):
    frame = mixed.head(3).assign(record=["abstract", "abstracts", "asked"])
    status = shipped.posteriors(frame)["status"].astype(str).to_list()
    assert status[0] == status[2] == "ok"
    assert status[1].startswith("invalid: record=abstracts: no such kind of record: did you mean 'abstract'?")
    with pytest.raises(CasesError, match="row 2: record=abstracts: no such kind of record"):
        read_cases(shipped, frame)
    frame.drop(columns="diagnosis").to_csv(tmp_path / "a.csv", index=False)
    result = run("diagnose", "--file", tmp_path / "a.csv")
    assert result.exit_code == 1
    assert "a.csv:3: record: abstracts: no such kind of record" in result.stderr
    frame.to_csv(tmp_path / "b.csv", index=False)
    result = run("validate", tmp_path / "b.csv")
    assert result.exit_code == 1
    assert "b.csv:3: record: abstracts: no such kind of record" in result.stderr
    (tmp_path / "c.json").write_text('[{"pain": "severe", "record": "abstracts"}]')
    result = run("diagnose", "--file", tmp_path / "c.json")
    assert result.exit_code == 1
    assert "patient 1: record=abstracts: no such kind of record" in result.stderr


def test_files_of_patients_name_records_as_a_column_or_key(run, shipped, tmp_path):
    (tmp_path / "a.csv").write_text("id,record,pain\na,case_report,severe\nb,,severe\n")
    (tmp_path / "a.json").write_text(
        '[{"id": "a", "record": "case_report", "pain": "severe"}, {"id": "b", "pain": "severe"}]'
    )
    for name in ("a.csv", "a.json"):
        results = json.loads(run("diagnose", "--file", tmp_path / name, "--json").stdout)
        assert [result["record"] for result in results] == ["case_report", "asked"]
        assert results[0]["probabilities"] == shipped.probabilities(pain="severe", record="case_report")
    text = run("explain", "--file", tmp_path / "a.csv").stdout
    assert "Records: case report (a); asked (b)" in text
    many = json.loads(run("sensitivity", "--file", tmp_path / "a.csv", "--draws", "20", "--json").stdout)
    assert [line["record"] for line in many["patients"]] == ["case_report", "asked"]
    assert many["patients"][0]["probability"] == pytest.approx(max(results[0]["probabilities"].values()))


def test_a_cohort_is_answered_as_python_answers_it(run, shipped, mixed, tmp_path):
    mixed.to_csv(tmp_path / "in.csv", index=False)
    assert json.loads(run("cohort", tmp_path / "in.csv", tmp_path / "out.csv", "--json").stdout)["record"] == "each"
    answers = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert answers["record"].to_list() == mixed["record"].to_list()
    expected = shipped.posteriors(mixed)[list(shipped.states)]
    assert np.abs(answers[list(shipped.states)].to_numpy() - expected.to_numpy()).max() < 1e-12
    run("cohort", tmp_path / "in.csv", tmp_path / "asked.csv", "--record", "asked")
    answers = pd.read_csv(tmp_path / "asked.csv")
    expected = shipped.posteriors(mixed, record="asked")[list(shipped.states)]
    assert np.abs(answers[list(shipped.states)].to_numpy() - expected.to_numpy()).max() < 1e-12


def test_validation_of_the_published_cases_says_which_records_it_assumed(shipped):
    path = shipped_folder() / "cases" / "published_cases.csv"
    found, asked = (
        cc.validate(shipped, read_cases_file(path, shipped, published=True, record=record), draws=20)
        for record in (None, "asked")
    )
    seen = cc.cases()["text_seen"].value_counts()
    assert found.records == {"case_report": len(cc.cases()) - seen["abstract"], "abstract": seen["abstract"]}
    assert found.records_in_words.startswith("Records assumed, by patients: case report (")
    assert asked.records == {"asked": len(cc.cases())}
    assert not asked.records_in_words
    assert found.own_mix["log_loss"] < asked.own_mix["log_loss"]


@pytest.mark.parametrize(
    "heading", ["Record", "records", "record_kind", "record kind", "kind_of_record", "RecordType", "record (kind)"]
)
def test_a_heading_that_is_nearly_record_is_refused(run, shipped, tmp_path, heading):
    frame = pd.DataFrame({"pain": ["severe"], heading: ["case_report"]})
    with pytest.raises(cc.errors.FindingsError, match=r"a column that is not read: did you mean record\?"):
        shipped.posteriors(frame)
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert "did you mean record?" in run("diagnose", "--file", tmp_path / "a.csv").stderr


def test_a_heading_that_only_contains_record_is_carried_along(shipped):
    frame = pd.DataFrame({"pain": ["severe"], "medical record number": ["17"]})
    assert shipped.posteriors(frame).attrs["columns_ignored"] == ["medical record number"]


def test_a_repeated_column_record_is_refused_as_any_other(shipped):
    frame = pd.DataFrame([["severe", "abstract", "asked", "idiopathic"]])
    frame.columns = ["pain", "record", "record", "diagnosis"]
    for ask in (shipped.posteriors, lambda frame: read_cases(shipped, frame)):
        with pytest.raises(cc.errors.FindingsError, match="record: the column is repeated: remove one of the two"):
            ask(frame)


def test_blanks_around_headings_cells_and_arguments_do_not_count(shipped):
    expected = shipped.probabilities(pain="severe", record="case_report")
    spaced = pd.DataFrame({" pain ": [" severe "], " record ": [" case_report "], " diagnosis": [" idiopathic "]})
    answers = shipped.posteriors(spaced)
    assert answers.iloc[0][list(shipped.states)].to_dict() == pytest.approx(expected)
    assert answers.attrs["columns_ignored"] == [" diagnosis"]
    assert read_cases(shipped, spaced).records == ("case_report",)
    for model in (shipped, shipped.recorded("case_report")):
        assert model.probabilities(pain="severe", record=" case_report ") == expected
    assert shipped.recorded(" case_report ").record == "case_report"
    assert shipped.recorded("each").read(pain="severe", record=" case_report ").record == "case_report"


def test_a_list_is_not_one_kind_of_record(shipped):
    for ask in (shipped.posterior, shipped.probabilities, shipped.read, shipped.recorded("each").read):
        for several in (["case_report"], np.array(["case_report", "abstract"])):
            with pytest.raises(TypeError, match="record must be a text or None, not "):
                ask(pain="severe", record=several)
    with pytest.raises(TypeError, match="record must be a text or None, not list"):
        cc.explain(shipped, pain="severe", record=["case_report"])
    frame = pd.DataFrame({"pain": ["severe"], "record": [["case_report"]]})
    assert "record=case_report: not one kind of record" in str(shipped.posteriors(frame)["status"][0])


def test_a_folder_without_rates_takes_the_column_record_for_asked_alone(run, shipped, tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "priors")
    (folder / "reporting.csv").unlink()
    model = cc.load(folder)
    frame = pd.DataFrame({"pain": ["severe"] * 3, "record": ["", "asked", "case_report"]})
    answers = model.posteriors(frame)
    sentence = "record=case_report: no such kind of record: write one of: asked"
    assert answers["status"].astype(str).to_list() == ["ok", "ok", f"invalid: {sentence}"]
    assert answers.loc[0, list(model.states)].to_dict() == pytest.approx(shipped.probabilities(pain="severe"))
    frame.to_csv(tmp_path / "a.csv", index=False)
    result = run("diagnose", "--file", tmp_path / "a.csv", "--priors", folder)
    assert "a.csv:4: record: case_report: no such kind of record: write one of: asked" in result.stderr
    frame.head(2).to_csv(tmp_path / "b.csv", index=False)
    assert run("diagnose", "--file", tmp_path / "b.csv", "--priors", folder).exit_code == 0


@pytest.mark.slow
def test_validation_prints_the_records_and_the_patients_own_mix(run, shipped, tmp_path):
    """The own mix is what --prevalence with the shares of the patients gives."""
    frame = shipped.simulate(30, missing=0.6, seed=6).assign(record="case_report")
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = json.loads(run("validate", tmp_path / "a.csv", "--draws", "20", "--json").stdout)
    assert found["records"] == {"case_report": 30}
    text = run("validate", tmp_path / "a.csv", "--draws", "20").stdout
    assert "Records assumed, by patients: case report (30)" in text
    assert "With the patients' own mix of subtypes as the prior: right in" in text
    known = read_cases(shipped, frame)
    shares = frame["diagnosis"].value_counts(normalize=True)[list(shipped.states)].to_list()
    losses = -np.log(known.probabilities(shares)[np.arange(30), known.truth])
    assert found["own_mix"]["log_loss"] == pytest.approx(losses.mean())


@pytest.mark.parametrize("count", [0, 5, 17])
def test_contributions_of_silence_add_up_with_the_others(shipped, count):
    given = dict(list(shipped.simulate(1, seed=2).iloc[0].drop("diagnosis").items())[:count])
    why = cc.explain(shipped.recorded("case_report"), given)
    assert why.before + why.frame["contribution"].sum() == pytest.approx(why.after, abs=1e-9)
    assert why.before == pytest.approx(cc.explain(shipped, pain="severe", state=why.hypothesis.chosen).before)
    assert (why.frame["group"] == "reporting").sum() <= 7
    assert len(why.rows) > 0


def test_silence_grouped_together_contributes_as_one_player_by_enumeration(shipped):
    """The Shapley values of findings and one group of silences are those of all orders of the players."""
    from itertools import permutations

    model = shipped.recorded("case_report")
    why = cc.explain(model, pain="severe", state="calciphylaxis")
    evidence = model.read(pain="severe")
    together = [f for f in evidence if f.variable not in set(why.frame["variable"])]
    players = [[f] for f in evidence if f not in together] + [together]
    names = [own[0].variable for own in players[:-1]] + ["not_mentioned"]

    def value(chosen):
        findings = type(evidence)(tuple(f for number in chosen for f in players[number]))
        p = model.probabilities(findings)["calciphylaxis"]
        return np.log(p / (1 - p))

    orders = list(permutations(range(len(players))))
    known = {}
    total = np.zeros(len(players))
    for order in orders:
        for place, player in enumerate(order):
            for chosen in (order[:place], order[: place + 1]):
                if frozenset(chosen) not in known:
                    known[frozenset(chosen)] = value(chosen)
            total[player] += known[frozenset(order[: place + 1])] - known[frozenset(order[:place])]
    expected = dict(zip(names, total / len(orders), strict=True))
    found = dict(zip(why.frame["variable"], why.frame["contribution"], strict=True))
    assert found == pytest.approx(expected, abs=1e-9)


def test_explain_names_silence_as_what_it_is(shipped):
    why = cc.explain(shipped.recorded("case_report"), pain="severe", state="iatrogenic")
    words = dict(zip(why.frame["variable"], why.frame["finding"], strict=True))
    assert words["mentioned:calcium_exposure"] == "calcium given at the site not mentioned"
    assert words["not_mentioned"].endswith("other variables not mentioned")


def test_changes_can_state_what_is_silent_and_never_that_it_is_mentioned(shipped):
    model = shipped.recorded("case_report")
    frame = cc.whatif.sweep(model, pain="severe").frame
    assert "calcium_exposure" in set(frame["variable"])
    assert not any(name.startswith("mentioned:") for name in frame["variable"])
    stated = cc.whatif.compare(model, {"pain": "severe"}, {"pain": "severe", "calcium_exposure": "yes"})
    assert stated.findings["variable"].to_list() == ["calcium_exposure"]
    assert not any(name.startswith("mentioned:") for name in cc.whatif.most_probable(model, pain="severe").states)
    steps = cc.whatif.trajectory(model, pain="severe")
    assert steps.frame["variable"].unique().tolist() == ["", "pain", "not_mentioned"]
    assert steps.steps[0].probabilities_of == pytest.approx(shipped.probabilities())
    assert steps.steps[-1].probabilities_of == pytest.approx(model.probabilities(pain="severe"))


def test_simulated_reports_are_read_by_the_record_they_name(run, shipped, tmp_path):
    result = run("simulate", "300", tmp_path / "a.csv", "--record", "case_report", "--seed", "3", "--json")
    assert json.loads(result.stdout)["record"] == "case_report"
    frame = pd.read_csv(tmp_path / "a.csv")
    assert set(frame["record"]) == {"case_report"}
    assert not any("mentioned" in name for name in frame.columns)
    assert frame["calcium_exposure"].isna().mean() > 0.5
    assert not frame["pain"].isna().all()
    known = read_cases_file(tmp_path / "a.csv", shipped)
    assert known.model.record == "each"
    assert set(known.records) == {"case_report"}
    assert cc.learn.check_cohort(shipped, known).summary.startswith("The cohort is consistent with the tables")


@pytest.mark.slow
def test_a_folder_learns_from_reports_keeps_its_rates_and_forgets(run, tmp_path):
    run("simulate", "120", tmp_path / "a.csv", "--record", "case_report", "--seed", "4")
    shipped = (shipped_folder() / "reporting.csv").read_bytes()
    result = run("update", tmp_path / "a.csv", "--out", tmp_path / "new", "--folds", "0")
    assert result.exit_code == 0
    assert "(reporting.csv) was not updated" in result.stdout.replace("\n", " ")
    assert (tmp_path / "new" / "reporting.csv").read_bytes() == shipped
    assert not list((tmp_path / "new" / "tables").glob("mentioned*"))
    result = run("update", tmp_path / "a.csv", "--forget", "--priors", tmp_path / "new", "--out", tmp_path / "old")
    assert result.exit_code == 0
    for path in shipped_folder().rglob("*.csv"):
        assert (tmp_path / "old" / path.relative_to(shipped_folder())).read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_a_folder_learns_rates_where_told_and_forgets_them(run, shipped, tmp_path):
    run("simulate", "60", tmp_path / "a.csv", "--record", "case_report", "--seed", "4")
    new, cases = tmp_path / "new", read_cases_file(tmp_path / "a.csv", shipped, every=False)
    result = run("update", tmp_path / "a.csv", "--out", new, "--folds", "0", "--rates", "--name", "ward")
    assert result.exit_code == 0
    assert "was not updated" not in result.stdout
    expected = cc.learn.update(shipped, cases, rates=True, name="ward").model.base.priors.reporting
    learned = cc.load(new).priors.reporting
    for name, table in expected["case_report"].items():
        rows = zip(learned["case_report"][name].rows, table.rows, strict=True)
        assert all(one.probabilities == other.probabilities and one.weight == other.weight for one, other in rows)
    assert learned["abstract"] == shipped.priors.reporting["abstract"]
    wrong = run("update", tmp_path / "a.csv", "--forget", "--record", "asked", "--priors", new, "--out", tmp_path / "b")
    assert "ward taught the rates of records: give the same --record, or column 'record'" in wrong.stderr
    assert run("update", tmp_path / "a.csv", "--forget", "--priors", new, "--out", tmp_path / "old").exit_code == 0
    for path in shipped_folder().rglob("*.csv"):
        assert (tmp_path / "old" / path.relative_to(shipped_folder())).read_bytes() == path.read_bytes()


def test_rates_are_kept_unless_told(run, shipped, tmp_path):
    model = shipped.recorded("case_report")
    patients = shipped.simulate(40, missing=0.5, seed=5)
    kept, learned = (cc.learn.update(model, patients, rates=rates).model for rates in (False, True))
    for name in model.mentions.values():
        assert (kept.network.tables[name] == model.network.tables[name]).all()
    former = cc.learn.forget(learned, patients, rates=True).model
    for name in model.mentions.values():
        assert np.abs(former.network.tables[name] - model.network.tables[name]).max() < 1e-7
    for only in (["pain"], None):
        with pytest.raises(ValueError, match="no rates to learn: name the kind of record"):
            cc.learn.update(shipped, patients, rates=True, only=only)
    patients.to_csv(tmp_path / "a.csv", index=False)
    assert "no rates to learn" in run("update", tmp_path / "a.csv", "--rates", "--out", tmp_path / "new").stderr


def test_python_learns_the_rates_of_reports_into_the_priors(shipped):
    model = shipped.recorded("case_report")
    patients = shipped.simulate(100, missing=0.5, seed=5)
    after = cc.learn.update(model, patients, only=list(model.mentions.values())).model
    assert after.record == "case_report"
    assert after.base.priors.tables == shipped.priors.tables
    assert after.base.priors.reporting["case_report"] != shipped.priors.reporting["case_report"]
    assert after.base.priors.reporting["abstract"] == shipped.priors.reporting["abstract"]


@pytest.mark.slow
def test_check_counts_the_rates_and_finds_wide_ones(run, tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "priors")
    rates = pd.read_csv(folder / "reporting.csv", dtype=str, keep_default_na=False)
    found = json.loads(run("check", folder, "--json").stdout)
    assert found["reporting"]["rates"] == rates["record"].value_counts()[rates["record"].unique()].to_dict()
    assert found["reporting"]["judgement"] == rates["source"].str.split(";").map(lambda own: "judgement" in own).sum()
    assert "reporting        " in run("check", folder).stdout
    before = [own for own in found["wide_ranges"] if own["file"] == "reporting.csv"]
    rates.loc[0, ["mentioned", "weight"]] = ["0.9", "3"]
    rates.to_csv(folder / "reporting.csv", index=False)
    wide = json.loads(run("check", folder, "--json").stdout)["wide_ranges"]
    assert {own["line"] for own in wide if own["file"] == "reporting.csv"} - {own["line"] for own in before} == {2}


def test_the_ranges_of_rates_are_shown_when_asked_for(run, shipped, tmp_path):
    words = ("check", "--ranges", "reporting", "--contexts", 1)
    shown = json.loads(run(*words, "--json").stdout)["ranges"]
    rates = pd.read_csv(shipped_folder() / "reporting.csv")
    assert [own["line"] for own in shown] == list(range(2, len(rates) + 2))
    assert {own["file"] for own in shown} == {"reporting.csv"}
    entries = shipped.recorded("each").entries
    for own, rate in zip(shown, rates["mentioned"], strict=True):
        assert own["lower"] < rate < own["upper"]
        entry = entries.find(own["entry"])
        assert entry.state == "yes"
        assert entries.network.rows(entry.variable)[entry.row, 1] == rate
    text = run(*words).stdout
    assert "95% range of each entry of reporting:" in text
    assert f"reporting.csv:2  {shown[0]['entry']}  " in text
    folder = copy_folder(shipped_folder(), tmp_path / "priors")
    (folder / "reporting.csv").unlink()
    assert "no table 'reporting'" in run(*words, "--priors", folder).stderr


def test_a_copy_of_the_folder_has_the_rates_and_their_digest(run, tmp_path):
    run("init", tmp_path / "own")
    (tmp_path / "own" / "reporting.csv").write_text("broken")
    run("init", tmp_path / "own", "--force")
    assert (tmp_path / "own" / "reporting.csv").read_bytes() == (shipped_folder() / "reporting.csv").read_bytes()
    assert cc.load(tmp_path / "own").digest == cc.load(shipped_folder()).digest


def test_a_rate_in_words(shipped):
    from calcinosis.interface.words.entries import entry_in_words

    model = shipped.recorded("case_report")
    entry = model.entries.find("mentioned:esrd=yes@esrd=yes")
    words = entry_in_words(entry, model.network, 90)
    assert words.startswith("How often a case report mentions end-stage renal disease")


@pytest.mark.parametrize("name", ["mentioned:esrd=yes@esrd=yes,", "mentioned:esrd=yes@esrd=yes,esrd=no"])
def test_the_name_of_a_rate_is_read_as_strictly_as_that_of_an_entry(shipped, name):
    with pytest.raises(cc.errors.UnknownEntry, match=r"a part is empty|esrd is given twice"):
        shipped.recorded("case_report").entries.find(name)
