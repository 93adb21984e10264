"""The kind of record a patient's findings come from: wherever it is given, used, and named in the answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.analysis.validate.labelled_cases import CasesError, read_cases
from calcinosis.inference.cases import published_record
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
    assert "Record: asked, so findings not entered are unknown" in repr(answer)
    assert "Record: asked, so findings not entered are unknown" in answer._repr_html_()
    assert "mentioned" not in repr(answer)
    assert "mentioned" not in answer._repr_html_()
    assert "not_mentioned" not in answer.to_dict()


@pytest.mark.parametrize("shown", [repr, lambda answer: answer._repr_html_()], ids=["text", "html"])
def test_findings_and_silence_are_told_apart(shipped, shown):
    text = shown(shipped.posterior(pain="severe", record="case_report"))
    assert "severe" in text
    assert "Not mentioned (case report): end-stage renal disease, " in text
    assert "mentioned:" not in text


def test_a_published_case_has_the_record_that_was_read_unless_another_is_given(run, shipped):
    cases = cc.cases()
    for case, kind in (("jones2023", "case_report"), ("calci_003", "abstract"), ("calci_016", "case_report")):
        assert published_record(cases.loc[case, "text_seen"], shipped.priors.reporting) == kind
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
    result = run("update", tmp_path / "a.csv", "--out", new, "--folds", "0", "--only", "reporting", "--name", "ward")
    assert result.exit_code == 0
    assert "was not updated" not in result.stdout
    expected = cc.learn.update(shipped, cases, only=["reporting"], name="ward").model.base.priors.reporting
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


def test_rates_are_kept_unless_named(run, shipped, tmp_path):
    model = shipped.recorded("case_report")
    patients = shipped.simulate(40, missing=0.5, seed=5)
    kept, learned = (cc.learn.update(model, patients, only=only).model for only in (None, ["reporting"]))
    for name in model.variables:
        one, other = (kept, learned) if name in model.mentions.values() else (learned, kept)
        assert (one.network.tables[name] == model.network.tables[name]).all()
        assert name == "form" or (other.network.tables[name] != model.network.tables[name]).any(), name
    former = cc.learn.forget(learned, patients, only=["reporting"]).model
    for name in model.mentions.values():
        assert np.abs(former.network.tables[name] - model.network.tables[name]).max() < 1e-7
    for how in ({"only": ["reporting"]}, {"only": ["pain", "reporting"]}):
        with pytest.raises(ValueError, match="no rates to learn: name the kind of record"):
            cc.learn.update(shipped, patients, **how)
    patients.to_csv(tmp_path / "a.csv", index=False)
    wrong = run("update", tmp_path / "a.csv", "--only", "reporting", "--out", tmp_path / "new")
    assert "no rates to learn" in wrong.stderr


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


@pytest.mark.parametrize("heading", ["Record", "records", "record_kind", "kind of record", "Record type"])
def test_a_heading_that_means_the_kind_of_record_is_refused(shipped, heading):
    with pytest.raises(cc.errors.FindingsError, match=f"{heading}: .* did you mean record"):
        shipped.posteriors(pd.DataFrame([{"pain": "severe", heading: "case_report"}]))


def test_other_headings_with_the_word_record_are_carried_along(shipped):
    answer = shipped.posteriors(pd.DataFrame([{"pain": "severe", "medical record number": "7", "record_id": "8"}]))
    assert answer.attrs["columns_ignored"] == ["medical record number", "record_id"]


def test_a_repeated_column_of_records_is_refused(shipped):
    frame = pd.DataFrame([["severe", "case_report", "asked"]], columns=["pain", "record", "record"])
    with pytest.raises(cc.errors.FindingsError, match="record: the column is repeated"):
        shipped.posteriors(frame)


def test_blanks_around_a_kind_of_record_do_not_count_and_a_list_is_none(shipped):
    spaced = pd.DataFrame([{"pain": "severe", "record": " case_report "}])
    expected = shipped.posterior(pain="severe", record="case_report")
    assert shipped.posterior(pain="severe", record=" case_report ") == expected
    assert shipped.posteriors(spaced)["calciphylaxis"].item() == pytest.approx(expected["calciphylaxis"], abs=1e-12)
    with pytest.raises(cc.errors.FindingsError, match="no such kind of record"):
        shipped.posteriors(pd.DataFrame([{"pain": "severe", "record": ["case_report"]}]), strict=True)
    with pytest.raises(TypeError, match="record must be a text, not list"):
        shipped.posterior(pain="severe", record=["case_report"])


def test_without_rates_the_record_asked_is_read_and_any_other_refused(run, tmp_path):
    copy_folder(shipped_folder(), tmp_path / "bare")
    (tmp_path / "bare" / "reporting.csv").unlink()
    bare = cc.load(tmp_path / "bare")
    for kind, code in (("asked", 0), ("", 0), ("case_report", 1)):
        patients = pd.DataFrame([{"pain": "severe", "record": kind}])
        patients.to_csv(tmp_path / "a.csv", index=False)
        result = run("diagnose", "--file", tmp_path / "a.csv", "--priors", tmp_path / "bare")
        assert result.exit_code == code
        if code:
            with pytest.raises(cc.errors.FindingsError, match="no such kind of record"):
                bare.posteriors(patients, strict=True)
            assert "no such kind of record" in result.stderr
        else:
            assert bare.posteriors(patients, strict=True)["status"].item() == "ok"


def test_rates_of_mention_learn_only_when_they_are_named(shipped):
    patients = shipped.recorded("case_report").simulate(20, seed=2).assign(record="case_report")
    assert not any(name.startswith("mentioned") for name in cc.learn.update(shipped, patients).frame["table"])
    name = next(name for name in shipped.recorded("each").variables if name.startswith("mentioned:pain"))
    assert set(cc.learn.update(shipped, patients, only=[name]).frame["table"]) == {name}


def test_the_ranges_of_the_rates_are_shown(run):
    result = run("check", "--ranges", "reporting")
    assert result.exit_code == 0
    assert "mentioned:obesity:problem_list=yes@obesity=yes" in result.stdout


def test_a_rate_that_learning_could_not_undo_is_refused(shipped):
    reports = shipped.recorded("case_report")
    table = reports.priors.table("mentioned:pain")
    table.loc[0, ["no", "yes"]] = [1e-10, 1 - 1e-10]
    with pytest.raises(cc.errors.PriorsError, match=r"reporting.csv.*all but certain"):
        reports.with_tables({"mentioned:pain": table})


def test_findings_that_every_draw_rules_out_are_refused_in_a_decision(tmp_path):
    copy_folder(shipped_folder(), tmp_path / "sure")
    path = tmp_path / "sure" / "reporting.csv"
    rates = pd.read_csv(path, dtype=str).assign(mentioned="0.999999999", weight="1")
    rates.to_csv(path, index=False)
    with pytest.raises(cc.errors.QuestionError, match="probability 0 in every draw"):
        cc.decide(cc.load(tmp_path / "sure"), pain="severe", record="case_report").summary  # noqa: B018


def test_a_record_that_is_given_holds_for_every_patient_of_a_file(run, shipped, tmp_path):
    (tmp_path / "a.csv").write_text("patient,esrd\n1,yes\n")
    (tmp_path / "b.csv").write_text("patient,esrd,record\n1,yes,abstract\n")
    (tmp_path / "c.json").write_text('[{"patient": 1, "esrd": "yes"}]')
    expected = shipped.posterior(esrd="yes", record="letter")["calciphylaxis"]
    for name in ("a.csv", "b.csv", "c.json"):
        for command in ("diagnose", "explain"):
            shown = json.loads(run(command, "--file", tmp_path / name, "--record", "letter", "--json").stdout)[0]
            assert shown["record"] == "letter"
            posterior = shown if command == "diagnose" else shown["posterior"]
            assert posterior["probabilities"]["calciphylaxis"] == pytest.approx(expected, abs=1e-12)


def test_a_record_that_mentions_nothing_is_a_patient_too(run, shipped, tmp_path):
    (tmp_path / "a.csv").write_text("patient,record\n1,letter\n")
    (tmp_path / "c.json").write_text('[{"patient": 1, "record": "letter"}]')
    expected = shipped.probabilities(record="letter")["dystrophic"]
    for name in ("a.csv", "c.json"):
        shown = json.loads(run("diagnose", "--file", tmp_path / name, "--json").stdout)[0]
        assert shown["probabilities"]["dystrophic"] == expected
    assert shipped.posteriors(pd.DataFrame({"record": ["letter"]}))["dystrophic"][0] == pytest.approx(
        expected, abs=1e-12
    )
    assert run("cohort", tmp_path / "a.csv", tmp_path / "o.csv").exit_code == 0
    assert pd.read_csv(tmp_path / "o.csv")["dystrophic"][0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
def test_what_is_missing_in_simulated_records_is_no_silence(shipped):
    """Missing completely at random beside silence: the mean of the posteriors is the frequency."""
    model = shipped.recorded("letter")
    patients = model.simulate(20_000, missing=0.8, seed=2)
    share = (patients["diagnosis"] == "calciphylaxis").mean()
    said = model.posteriors(patients)["calciphylaxis"]
    assert abs(said.mean() - share) < 4 * said.std() / len(said) ** 0.5 + 4 * (share / len(said)) ** 0.5
    assert set(patients["esrd"].cat.categories) == {"no", "yes", "unknown"}


def test_the_comparison_of_folders_counts_rates(shipped):
    letters = shipped.recorded("letter")
    other = letters.with_row("mentioned:warfarin", warfarin="yes", yes=0.99)
    for pair in ((letters, other), (letters.base, other.base)):
        result = cc.compare(*pair, esrd="yes")
        assert result.summary.startswith("1 row differs")
        assert set(result.rows["table"]) == {"mentioned:warfarin:letter"}


def test_a_model_of_each_record_answers_no_single_patient(shipped):
    each = shipped.recorded("each")
    for ask in (each.posterior, each.probabilities, lambda: each.posterior(esrd="yes")):
        with pytest.raises(ValueError, match="this model reads each patient's own record"):
            ask()


@pytest.mark.parametrize("cell", [["letter"], [], ("letter",), np.array(["letter"]), np.array([])])
def test_a_list_is_no_kind_of_record(shipped, cell):
    frame = pd.DataFrame({"esrd": ["yes"], "record": [cell]})
    assert shipped.posteriors(frame)["status"][0].startswith("invalid: record")


@pytest.mark.parametrize("heading", ["record (kind)", "recordkind", "kind_of_record", "type of record", "RecordType"])
def test_a_heading_that_means_the_record_is_refused(shipped, heading):
    with pytest.raises(ValueError, match="did you mean record"):
        shipped.posteriors(pd.DataFrame({"esrd": ["yes"], heading: ["letter"]}))


def test_the_record_is_no_finding(shipped):
    for name in ("record", "Record"):
        with pytest.raises(ValueError, match="the kind of record is no finding: say it as --record"):
            shipped.posterior({"esrd": "yes", name: "letter"})


def test_a_rate_is_changed_for_its_kind_of_record(shipped):
    with pytest.raises(ValueError, match=r"take model.recorded\(\.\.\.\) of that kind first"):
        shipped.with_row("mentioned:diabetes", diabetes="yes", yes=0.5)


def test_rates_of_several_kinds_are_named_together(shipped):
    patients = shipped.recorded("letter").simulate(20, seed=5).assign(record="letter")
    learned = cc.learn.update(shipped, patients, only=["mentioned:diabetes"])
    assert set(learned.rows["table"]) == {"mentioned:diabetes:letter"}
    assert not cc.learn.update(shipped, shipped.simulate(20, seed=5), keep=["reporting"]).rows.empty


def test_intervals_of_many_are_those_of_each(shipped):
    frame = pd.DataFrame({"esrd": ["yes", "", "often"], "record": ["letter", "asked", ""]}, index=["a", "b", "c"])
    answer = shipped.posteriors(frame, intervals=True)
    for name, record, findings in (("a", "letter", {"esrd": "yes"}), ("b", "asked", {})):
        limits = shipped.posterior(findings, record=record).interval()
        for state in shipped.states:
            assert answer.loc[name, f"{state}_lower"] == limits.loc[state, "lower"]
            assert answer.loc[name, f"{state}_upper"] == limits.loc[state, "upper"]
    assert answer.loc["c"].filter(like="_lower").isna().all()


def test_a_rate_that_cannot_be_names_its_row_and_why(shipped):
    letters = shipped.recorded("letter")
    line = letters.priors.tables["mentioned:diabetes"].rows[1].line
    for rate in (1e-10, 0.0, 1.0):
        with pytest.raises(ValueError, match=rf"reporting.csv:{line}: .*a rate outside 0 to 1, or all but certain"):
            letters.with_row("mentioned:diabetes", diabetes="yes", yes=rate)


@pytest.mark.parametrize("kind", ["asked", "letter"])
def test_the_answers_of_a_cohort_name_the_record_that_was_assumed(run, shipped, tmp_path, kind):
    (tmp_path / "a.csv").write_text("id,record,esrd\na,case_report,yes\nb,,no\n")
    done = run("cohort", tmp_path / "a.csv", tmp_path / "o.csv", "--record", kind)
    assert f"record: {kind}" in done.stdout
    answers = pd.read_csv(tmp_path / "o.csv")
    assert answers["record"].to_list() == [kind, kind]
    again = shipped.posterior(esrd="yes", record=answers["record"][0])["calciphylaxis"]
    assert answers["calciphylaxis"][0] == pytest.approx(again, abs=1e-12)


def test_a_missing_number_is_unknown_where_its_silence_would_count(tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "priors")
    with (folder / "reporting.csv").open("a", encoding="utf-8") as file:
        file.write('letter,serum_calcium,any,0.6,20,judgement,"60%, 95% range 38 to 80%"\n')
    letters = cc.load(folder).recorded("letter")
    assert "serum_calcium (mg/dL)" in letters.simulate(50, numbers=True, seed=1)
    patients = letters.simulate(2000, numbers=True, missing=0.5, seed=1)
    assert (patients["serum_calcium"] == "unknown").mean() == pytest.approx(0.5, abs=0.05)
    assert "serum_phosphate (mg/dL)" in patients
    assert set(letters.posteriors(patients)["status"]) == {"ok"}
