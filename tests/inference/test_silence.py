"""Silence is evidence: equal to a network with a node for each mention, and nothing at all where everything was asked.

The oracle is a sum over the whole joint; it knows of mentions only as of any other variable.
"""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from enumeration import enumerate_joint, random_findings
from hypothesis import assume, event, given
from hypothesis import strategies as st
from properties import examples
from recorded import priors_of, random_rates, silences, small, with_nodes

import calcinosis as cc
from calcinosis.analysis.whatif.most_probable import most_probable
from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.grammar import is_mentioned
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.figures.network import draw_network
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError

EXACT = {"rtol": 0, "atol": 1e-12}
NOTHING = [
    "",
    " ",
    None,
    float("nan"),
    pd.NA,
    pd.NaT,
    np.float64("nan"),
    "nan",
    "NaN",
    [],
    [None],
    [""],
    (),
    ",",
    " , ",
]
ASKED = ["unknown", "pending", " Unknown ", "PENDING", ["unknown"], [None, "pending"], "unknown,"]


@pytest.fixture(scope="module")
def letter(build):
    """The small clinic, read from letters."""
    return small(build).recorded("letter")


@st.composite
def recorded_patients(draw, networks):
    """A random network, rates, and findings of every kind: values, their likelihoods, and what the record speaks of."""
    network = draw(networks)
    rates = draw(random_rates(network))
    values, likelihoods = draw(random_findings(network))
    silent = [name for name in network.variables if name not in values]
    for name in draw(st.lists(st.sampled_from(silent), unique=True)) if silent else ():
        values[name] = draw(st.sampled_from(ASKED))
    spoken = frozenset(values)
    for name in silent:
        if name not in values and draw(st.booleans()):
            values[name] = draw(st.sampled_from(NOTHING))
    return network, rates, values, likelihoods, spoken


@pytest.mark.slow
@examples(150)
@given(data=st.data())
def test_silence_is_what_a_node_for_each_mention_says(networks, data):
    network, rates, values, likelihoods, spoken = data.draw(recorded_patients(networks))
    model = cc.Model.from_priors(priors_of(network, rates))
    record = "letter" if rates else "asked"
    evidence = {**likelihoods, **silences(network, rates, spoken)}
    whole = with_nodes(network, rates)
    joint = enumerate_joint(whole, evidence)
    names = list(whole.variables)
    weights = joint.sum(axis=tuple(i for i, name in enumerate(names) if name != network.target))
    if not weights.sum():
        with pytest.raises(ImpossibleEvidence):
            model.posterior(values, record=record)
        return
    event(f"{len(silences(network, rates, spoken))} silences")
    found = model.posterior(values, record=record)
    np.testing.assert_allclose(list(found.probabilities_of.values()), weights / weights.sum(), **EXACT)
    assert found.log_evidence == pytest.approx(np.log(weights.sum()), abs=1e-11)
    assert found.record == record
    assert model.probabilities(values, record=record) == found.probabilities_of
    marginals = model.recorded(record).marginals(values).set_index(["variable", "state"])["probability"]
    assert set(marginals.index.get_level_values(0)) == set(network.variables)
    for axis, name in enumerate(names):
        if name in network.variables:
            expected = joint.sum(axis=tuple(i for i in range(len(names)) if i != axis))
            np.testing.assert_allclose(marginals[name], expected / expected.sum(), rtol=0, atol=1e-11)


@examples(50)
@given(data=st.data())
def test_many_patients_are_read_as_one_by_one(networks, data):
    network = data.draw(networks)
    rates = data.draw(random_rates(network))
    assume(rates)
    model = cc.Model.from_priors(priors_of(network, rates)).recorded("letter")
    rows = [data.draw(random_findings(network))[0] for _ in range(4)]
    names = [name for name in network.variables if name != network.target]
    for row in rows:
        for name in names:
            if name not in row:
                row[name] = data.draw(st.sampled_from([*NOTHING, *ASKED]))
        row.pop(network.target, None)
    kept = data.draw(st.sets(st.sampled_from(names), min_size=1))
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in names if name in kept})
    answers = model.base.posteriors(frame, record="letter")
    assert answers.attrs["record"] == "letter"
    assert answers.attrs["columns_read"] == list(frame.columns)
    for (_, answer), row in zip(answers.iterrows(), rows, strict=True):
        try:
            alone = model.posterior({name: row[name] for name in frame.columns})
        except ImpossibleEvidence:
            assert answer["status"].startswith("impossible")
            continue
        assert answer["status"] == "ok"
        assert [answer[state] for state in model.states] == list(alone.probabilities_of.values())
        assert answer["log_evidence"] == pytest.approx(alone.log_evidence, abs=1e-14)


CELLS = ["severe", None, "", " ", "unknown", "pending", "some/severe", "none:0.2,severe:0.8", "nan", "NaN", "Unknown"]


@pytest.mark.parametrize("kind", ["objects", "categories", "strings", "arrow", "arrow coded"])
def test_every_kind_of_column_says_what_its_cells_say_alone(letter, kind):
    import pyarrow as pa

    frame = pd.DataFrame(
        {"pain": pd.Series(CELLS, dtype=object), "cause": pd.Series(["yes", None] * 5 + ["no"], dtype=object)}
    )
    expected = [letter.posterior(row) for row in frame.to_dict("records")]
    if kind.startswith("arrow"):
        arrays = [pa.array(frame[name]) for name in frame]
        arrays = [own.dictionary_encode() for own in arrays] if kind == "arrow coded" else arrays
        batch = pa.RecordBatch.from_arrays(arrays, names=list(frame))
        answers = cc.cohort.score_batch(batch, letter).to_pandas()
    else:
        dtype = {"objects": object, "categories": "category", "strings": "string"}[kind]
        answers = letter.posteriors(frame.astype(dtype))
    assert list(answers["status"]) == ["ok"] * len(CELLS)
    for state in letter.states:
        assert list(answers[state]) == [posterior[state] for posterior in expected]
    assert list(answers["log_evidence"]) == [posterior.log_evidence for posterior in expected]


def test_a_column_of_numbers_is_silent_where_there_is_none(clinic):
    network = clinic.network
    model = cc.Model.from_priors(priors_of(network, {"calcium": (0.9, 0.2, 0.9)})).recorded("letter")
    values = [9.1, np.nan, 12.0, np.nan]
    answers = model.posteriors(pd.DataFrame({"calcium (mg/dL)": values, "pain": ["severe", "none", "", "unknown"]}))
    for number, pain, answer in zip(values, ["severe", "none", "", "unknown"], answers["grave"], strict=True):
        assert answer == model.posterior(calcium=None if np.isnan(number) else f"{number} mg/dL", pain=pain)["grave"]
    corrected = pd.DataFrame({"calcium (mg/dL)": values, "albumin (g/dL)": [3.0, 3.0, np.nan, np.nan]})
    assert model.posteriors(corrected)["grave"][1] == model.posterior(albumin="3 g/dL")["grave"]
    assert model.posterior(albumin="3 g/dL")["grave"] == model.posterior()["grave"]


@pytest.mark.parametrize("value", NOTHING)
def test_what_is_empty_is_silence(letter, value):
    assert is_mentioned(value) is False
    assert letter.posterior(pain=value) == letter.posterior()
    assert "mentioned:pain" in letter.read(pain=value)


@pytest.mark.parametrize("value", ASKED)
def test_what_was_asked_for_and_is_not_known_counts_as_nothing(letter, value):
    assert is_mentioned(value) is None
    evidence = letter.read(pain=value, cause="yes", fever="unknown")
    assert [finding.variable for finding in evidence] == ["cause"]
    assert letter.posterior(evidence).probabilities_of == letter.base.posterior(cause="yes").probabilities_of


@examples(60)
@given(data=st.data())
def test_asked_is_the_model_without_rates_to_the_last_bit(networks, data):
    network, rates, values, _, _ = data.draw(recorded_patients(networks))
    model, without = (cc.Model.from_priors(priors_of(network, own)) for own in (rates, {}))
    try:
        expected = without.posterior(values)
    except ImpossibleEvidence:
        return
    for found in (model.posterior(values), model.posterior(values, record="asked")):
        assert found.probabilities_of == expected.probabilities_of
        assert found.log_evidence == expected.log_evidence
        assert found.record == "asked"
    assert model.recorded("asked") is model
    assert list(model.variables) == list(network.variables)
    if rates:
        assert model.recorded("letter").recorded("asked") is model
        assert model.recorded("letter") is model.recorded("letter")


@examples(60)
@given(data=st.data())
def test_a_record_that_mentions_everything_says_what_was_asked_for_says(networks, data):
    network, rates, values, _, spoken = data.draw(recorded_patients(networks))
    assume(rates)
    values = {name: values[name] for name in spoken} | {name: "unknown" for name in rates if name not in spoken}
    model = cc.Model.from_priors(priors_of(network, rates))
    try:
        expected = model.posterior(values)
    except ImpossibleEvidence:
        return
    found = model.posterior(values, record="letter")
    assert found.evidence == expected.evidence
    np.testing.assert_allclose(list(found.probabilities_of.values()), list(expected.probabilities_of.values()), **EXACT)


@examples(60)
@given(data=st.data())
def test_rates_equal_in_all_states_change_nothing(networks, data):
    network, rates, values, _, spoken = data.draw(recorded_patients(networks))
    assume(rates)
    level = {name: (own[0],) * len(own) for name, own in rates.items()}
    model = cc.Model.from_priors(priors_of(network, level))
    try:
        expected = model.posterior(values)
    except ImpossibleEvidence:
        return
    found = model.posterior(values, record="letter")
    np.testing.assert_allclose(list(found.probabilities_of.values()), list(expected.probabilities_of.values()), **EXACT)
    silent = [level[name][0] for name in level if name not in spoken]
    assert found.log_evidence - expected.log_evidence == pytest.approx(np.log1p(-np.array(silent)).sum(), abs=1e-11)


def test_a_folder_without_rates_has_asked_only(build):
    model = small(build, rates={})
    assert model.recorded("asked") is model
    for ask in (
        model.recorded,
        lambda record: model.posterior(record=record),
        lambda record: model.read(record=record),
    ):
        with pytest.raises(QuestionError, match=r"^no kind of record 'letter' in these priors: write one of: asked$"):
            ask("letter")


@pytest.mark.parametrize("method", ["posterior", "probabilities", "read", "posteriors"])
def test_an_unknown_kind_of_record_is_refused_with_those_there_are(letter, method):
    message = "^no kind of record 'leter' in these priors: did you mean 'letter'\\? One of: asked, letter$"
    frame = {"posteriors": (pd.DataFrame({"pain": ["severe"]}),)}.get(method, ())
    with pytest.raises(QuestionError, match=message):
        getattr(letter, method)(*frame, record="leter")


@pytest.mark.parametrize("record", [None, 1, ["letter"], b"letter"])
def test_a_kind_of_record_is_a_word(letter, record):
    with pytest.raises(TypeError, match="recorded: record"):
        letter.recorded(record)


def test_mentions_are_nobodys_findings(letter):
    """Whether a record mentions something follows from what is given, and cannot be given itself."""
    with pytest.raises(FindingsError) as caught:
        letter.read({"mentioned:pain": "no", "mentioned_cause": "yes"})
    text = str(caught.value)
    assert "mentioned:pain=no: no such variable: the variables are disease, cause, pain, fever, swab" in text
    assert text.count("mentioned:") == 1
    assert letter.names == ("disease", "cause", "pain", "fever", "swab")
    frame = pd.DataFrame({"mentioned:pain": ["yes"], "swab": ["positive"]})
    answers = letter.posteriors(frame)
    assert answers.attrs["columns_ignored"] == ["mentioned:pain"]
    assert answers["grave"][0] == letter.posterior(swab="positive")["grave"]
    with pytest.raises(FindingsError) as caught:
        letter.posteriors(pd.DataFrame({"mentioned_pain": ["yes"]}))
    assert "mentioned:" not in str(caught.value)
    with pytest.raises(
        ValueError, match=r"missing: no variable 'mentioned:pain': write one of: cause, pain, fever, swab$"
    ):
        letter.simulate(3, missing={"mentioned:pain": 0.5})


def test_no_answer_lists_the_variables_of_mentions(letter):
    assert not [name for name in letter.marginals(swab="positive")["variable"] if "mentioned" in name]
    assert b"mentioned" not in draw_network(letter.network, "svg")
    assert b"pain" in draw_network(letter.network, "svg")


@examples(60)
@given(data=st.data())
def test_the_most_probable_explanation_is_of_the_patient_and_not_of_the_record(networks, data):
    """A mention that is not evidence takes no part: its most probable value would favour some states of its parent."""
    network, rates, values, likelihoods, spoken = data.draw(recorded_patients(networks))
    assume(rates)
    hard = {n: v for n, v in values.items() if n not in likelihoods or sum(map(bool, likelihoods[n][0])) == 1}
    hard = {n: v for n, v in hard.items() if not network.variables[n].repeatable}
    likelihoods = {n: own for n, own in likelihoods.items() if n in hard}
    spoken &= set(hard)
    whole = with_nodes(network, rates)
    silent = silences(network, rates, spoken)
    joint = enumerate_joint(whole, {**likelihoods, **silent})
    assume(joint.sum() > 0)
    names = list(whole.variables)
    summed = joint.sum(axis=tuple(i for i, name in enumerate(names) if name not in network.variables))
    model = cc.Model.from_priors(priors_of(network, rates)).recorded("letter")
    found = most_probable(model, hard)
    assert set(found.states) <= set(network.variables)
    assert found.probability == pytest.approx(summed.max() / summed.sum(), abs=1e-11)


# records written by a simulated reporter


def test_a_simulated_reporter_leaves_out_what_the_rates_say(letter):
    patients = 40_000
    whole = letter.base.simulate(patients, seed=3)
    record = letter.simulate(patients, seed=3)
    assert list(record.columns) == list(whole.columns) == ["diagnosis", "cause", "pain", "fever", "swab"]
    for name in whole:
        kept = record[name].notna()
        assert (record[name][kept] == whole[name][kept]).all()
    assert record["swab"].notna().all()
    assert record["diagnosis"].equals(whole["diagnosis"])
    rates = {"cause": {"no": 0.05, "yes": 0.9}, "pain": {"none": 0.3, "some": 0.8, "severe": 0.8}}
    for name, own in rates.items():
        for state, rate in own.items():
            among = record[name][whole[name] == state]
            assert abs(among.notna().mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / len(among))


def test_what_is_missing_beside_silence_is_unknown(letter):
    silent = letter.simulate(2000, seed=3).isna()
    lacking = letter.base.simulate(2000, missing=0.3, seed=3).isna()
    drawn = letter.simulate(2000, missing=0.3, seed=3)
    for name in drawn:
        if name in letter.mentions:
            assert ((drawn[name] == "unknown") == lacking[name]).all()
            assert (drawn[name].isna() == (silent[name] & ~lacking[name])).all()
        else:
            assert (drawn[name].isna() == lacking[name]).all()


def test_no_column_of_a_simulated_record_is_of_mentions(letter):
    for options in ({"hidden": True}, {"missing": 0.5}, {"numbers": True}):
        assert not [name for name in letter.simulate(10, **options).columns if "mentioned" in name]


def test_records_are_calibrated_when_read_as_what_they_are_and_off_when_not(shipped, figure):
    """With the right record the sum of the probabilities of each subtype is how many have it, in every tenth of them;
    read as if all had been asked for, it is not."""
    model = shipped.recorded("case_report")
    patients = model.simulate(20_000, seed=7)
    truth = patients.pop("diagnosis")
    off = {}
    for record in ("case_report", "asked"):
        answers = shipped.posteriors(patients, record=record)
        off[record] = []
        for state in shipped.states:
            probabilities, is_state = answers[state].to_numpy(), (truth == state).to_numpy()
            for part in np.array_split(np.argsort(probabilities), 10):
                spread = np.sqrt(max((probabilities[part] * (1 - probabilities[part])).sum(), 1.0))
                off[record].append((is_state[part].sum() - probabilities[part].sum()) / spread)
    largest = {record: np.abs(own).max() for record, own in off.items()}
    figure(
        "20,000 simulated reports, tenths of each subtype's probability, largest deviation in standard errors: "
        f"{largest['case_report']:.1f} read as reports, {largest['asked']:.1f} as asked"
    )
    assert largest["case_report"] < 4
    assert np.std(off["case_report"]) < 1.3
    assert largest["asked"] > 20


# models with other tables


def test_a_recorded_model_that_was_sent_away_answers_the_same(letter):
    again = pickle.loads(pickle.dumps(letter))
    assert (again.record, again.digest) == ("letter", letter.digest)
    assert again.posterior(swab="positive") == letter.posterior(swab="positive")
    assert again.base.posterior(swab="positive") == letter.base.posterior(swab="positive")
    assert again.recorded("asked").record == "asked"


def test_another_row_makes_another_model_of_the_same_record(letter):
    changed = letter.with_row("cause", disease="grave", yes=0.2)
    assert (changed.record, changed.base.record) == ("letter", "asked")
    assert changed.digest == changed.base.digest != letter.digest
    expected = letter.base.with_row("cause", disease="grave", yes=0.2)
    assert changed.posterior(pain="severe") == expected.posterior(pain="severe", record="letter")
    assert changed.posterior(pain="severe", record="asked") == expected.posterior(pain="severe")


def test_another_rate_is_a_row_of_the_table_of_a_mention(letter):
    changed = letter.with_row("mentioned:cause", cause="no", yes=0.6)
    assert changed.network.tables["mentioned:cause"].tolist() == [[0.4, 0.6], pytest.approx([0.1, 0.9])]
    assert changed.digest != letter.digest
    assert (
        changed.base.posterior(pain="severe").probabilities_of == letter.base.posterior(pain="severe").probabilities_of
    )
    table = letter.priors.table("mentioned:cause").assign(no=[0.4, 0.1], yes=[0.6, 0.9])
    assert letter.with_tables({"mentioned:cause": table}).probabilities() == pytest.approx(changed.probabilities())
    assert letter.with_tables({}).digest == letter.digest
    again = changed.recorded("asked").recorded("letter")
    assert again.posterior() == changed.posterior()


def test_states_that_share_a_rate_can_be_split(letter):
    changed = letter.with_row("mentioned:pain", split=True, pain="some", yes=0.5)
    assert changed.network.tables["mentioned:pain"][:, 1].tolist() == pytest.approx([0.3, 0.5, 0.8])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("mentioned:pain", lambda t: t.assign(yes=1.0, no=0.0), "no: 0.0: a rate outside 0 to 1"),
        ("mentioned:pain", lambda t: t.drop(columns="pain").head(1), "pain: -: the column is missing: add it"),
        ("mentioned:pain", lambda t: t.assign(cause="any"), "cause: -: neither a variable nor a state of this one"),
        ("mentioned:pain", lambda t: t.head(1), "no row covers this"),
        ("fever", lambda t: t.assign(**{"mentioned:pain": "any"}), "mentioned:pain: -: neither a variable nor a state"),
    ],
)  # fmt: skip
def test_tables_that_no_folder_could_hold_are_refused(letter, name, change, message):
    with pytest.raises(PriorsError) as caught:
        letter.with_tables({name: change(letter.priors.table(name))})
    assert ("reporting.csv:" if name.startswith("mentioned") else f"tables/{name}.csv:") in str(caught.value)
    assert message in str(caught.value)
    assert "did you mean 'mentioned:" not in str(caught.value)


def test_a_rate_of_one_is_refused_even_where_a_definition_is_cited(build):
    model = small(build)
    sources = FrozenMap({"cohort": replace(model.priors.sources["cohort"], kind="definition")})
    letter = cc.Model.from_priors(replace(model.priors, sources=sources)).recorded("letter")
    table = letter.priors.table("mentioned:pain").assign(yes=1.0, no=0.0)
    with pytest.raises(
        PriorsError, match="yes: 1: a rate outside 0 to 1, or all but certain: write a number from 1e-09 to 1 - 1e-09"
    ):
        letter.with_tables({"mentioned:pain": table})


def test_evidence_of_one_record_is_not_read_by_a_model_without_it(letter):
    silent = letter.read(swab="positive")
    assert letter.posterior(silent) == letter.posterior(swab="positive")
    with pytest.raises(ValueError, match="this evidence was read from the record"):
        letter.base.posterior(silent)
    assert letter.base.posterior(silent, record="letter") == letter.posterior(silent)
    stated = {"cause": "no", "pain": "none", "fever": "no"}
    assert letter.base.posterior(letter.base.read(stated), record="letter").record == "letter"
    for ask in (letter.base.posterior, letter.base.probabilities, letter.base.read):
        with pytest.raises(QuestionError, match="this evidence was read from the record asked, but the record"):
            ask(letter.base.read(swab="positive"), record="letter")
    assert letter.posterior(Evidence(())).probabilities_of == letter.base.posterior().probabilities_of
