"""What is told of many patients is what each patient's own analyses say, counted and averaged."""

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc
from calcinosis.knowledge.folder import shipped_folder

CASES = cc.cases(shipped_folder())
CHOSEN = ["jones2023", "calci_012", "meta_018", "idio_025"]
DRAWS = 300


@pytest.fixture(scope="module")
def read(shipped):
    """The evidence of some published patients."""
    return {
        case: shipped.read({n: v for n, v in CASES.loc[case].items() if n in shipped.names and v}) for case in CHOSEN
    }


@pytest.fixture(scope="module")
def found(shipped, read):
    return cc.sensitivity.across_patients(shipped, read, draws=DRAWS, seed=3)


@pytest.fixture(scope="module")
def alone(shipped, read):
    return {case: cc.sensitivity.one_way(shipped, evidence) for case, evidence in read.items()}


@pytest.fixture(scope="module")
def unweighed(build):
    """A small model whose rows have no weights."""
    tables = {
        "disease": ("benign grave", "", [0.75, 0.25]),
        "pain": ("none intermittent severe", "disease", [[0.6, 0.4, 0.0], [0.1, 0.3, 0.6]]),
        "warfarin": ("no yes", "disease", [[0.9, 0.1], [0.5, 0.5]]),
    }
    return cc.Model(build("disease", tables))


def test_each_patient_is_told_as_alone(shipped, read, found, alone):
    assert found.patients["patient"].to_list() == CHOSEN
    for line in found.patients.itertuples():
        own = alone[line.patient]
        lead = own.posterior.leading
        place = list(own.posterior).index(lead)
        spread = own.posterior.spread()
        assert (line.leading, line.probability) == (lead, own.posterior[lead])
        assert (line.lower, line.upper, line.leads) == (
            spread.lower[place], spread.upper[place], spread.leads[place],
        )  # fmt: skip
        assert line.fragile == len(own.fragile)
        least = own.frame["distance"].min()
        assert line.distance == least
        assert line.nearest in set(own.frame.loc[own.frame["distance"] == least, "entry"])
        nearest = own.frame.set_index("entry").loc[line.nearest]
        assert line.flips_to in {nearest["leader_below"], nearest["leader_above"]} - {None, lead}


def test_the_nearest_flip_does_bring_that_state_to_lead(found, alone):
    for line in found.patients.itertuples():
        own = alone[line.patient]
        nearest, function = own.frame.set_index("entry").loc[line.nearest], own.function(line.nearest)
        side = "below" if nearest["leader_below"] == line.flips_to else "above"
        at = nearest[f"flip_{side}"] * (1 - 1e-6 if side == "below" else 1 + 1e-6)
        assert function.states[int(function(at).argmax())] == line.flips_to


def test_entries_are_counted_and_averaged(shipped, found, alone):
    frames = [own.frame for own in alone.values()]
    entries = found.entries.set_index("entry").loc[list(shipped.entries.names)]
    assert entries["flips"].to_list() == sum(f["fragile"].astype(int) for f in frames).to_list()
    swings = np.array([f["swing"].fillna(0) for f in frames])
    np.testing.assert_allclose(entries["swing"], swings.mean(axis=0), rtol=0, atol=1e-14)
    np.testing.assert_allclose(entries["largest_swing"], swings.max(axis=0), rtol=0, atol=1e-14)
    assert entries["value"].to_list() == frames[0]["value"].to_list()
    keys = list(zip(-found.entries["flips"], -found.entries["swing"], strict=True))
    assert keys == sorted(keys)
    assert found.entries["flips"].iloc[0] > 0


def test_sources_are_averaged_over_all_patients(shipped, read, found):
    sums = {}
    for evidence in read.values():
        own = cc.sensitivity.uncertainty(shipped, evidence, draws=DRAWS, seed=3)
        lines = own.by_source
        for line in lines[lines["state"] == own.posterior.leading].itertuples():
            first, total = sums.get(line.source, (0.0, 0.0))
            sums[line.source] = first + line.first_order, total + line.total
    assert set(found.sources["source"]) == set(sums)
    for line in found.sources.itertuples():
        assert (line.first_order, line.total) == pytest.approx(np.array(sums[line.source]) / len(read), abs=1e-12)
        assert line.citation == shipped.priors.sources[line.source].citation
    assert found.sources["total"].is_monotonic_decreasing


def test_the_order_of_patients_only_orders_the_lines(shipped, read, found):
    turned = cc.sensitivity.across_patients(shipped, dict(reversed(read.items())), draws=DRAWS, seed=3)
    pd.testing.assert_frame_equal(turned.patients.iloc[::-1].reset_index(drop=True), found.patients, check_exact=True)
    for name, key in (("entries", "entry"), ("sources", "source")):
        one, other = (getattr(answer, name).set_index(key).sort_index() for answer in (turned, found))
        pd.testing.assert_frame_equal(one, other, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_a_frame_is_read_as_its_rows_are(shipped, read, found):
    frame = CASES.loc[CHOSEN].drop(columns="record")
    same = cc.sensitivity.across_patients(shipped, frame, draws=DRAWS, seed=3)
    pd.testing.assert_frame_equal(same.patients, found.patients, check_exact=True)
    pd.testing.assert_frame_equal(same.entries, found.entries, check_exact=True)


def test_headings_may_name_units(shipped):
    frame = pd.DataFrame({"serum_calcium (mmol/L)": [2.3, 2.9], "pain": ["severe", ""]}, index=["ann", "bob"])
    got = cc.sensitivity.across_patients(shipped, frame, draws=50).patients
    evidence = {
        "ann": shipped.read({"serum_calcium": "2.3 mmol/L", "pain": "severe"}),
        "bob": shipped.read({"serum_calcium": "2.9 mmol/L"}),
    }
    pd.testing.assert_frame_equal(
        got, cc.sensitivity.across_patients(shipped, evidence, draws=50).patients, check_exact=True
    )
    assert got["probability"].iloc[0] != got["probability"].iloc[1]


def test_without_weights_there_are_flips_and_no_shares(unweighed):
    found = cc.sensitivity.across_patients(
        unweighed, {"ann": unweighed.read(warfarin="yes"), "bob": unweighed.read(pain="none")}
    )
    assert found.patients.columns.to_list() == [
        "patient", "leading", "probability", "fragile", "nearest", "flips_to", "distance",
    ]  # fmt: skip
    assert found.sources.empty
    assert found.sources.columns.to_list() == ["source", "first_order", "total", "kind", "citation"]
    assert (found.entries[["flips", "swing"]] == 0).all(axis=None)
    assert found.patients["flips_to"].to_list() == ["benign", "grave"]


def test_a_certain_patient_has_no_nearest_flip(unweighed):
    line = cc.sensitivity.across_patients(
        unweighed, {"cal": unweighed.read(pain="severe", disease="grave")}
    ).patients.iloc[0]
    assert (line["nearest"], line["flips_to"], line["distance"], line["fragile"]) == (None, None, np.inf, 0)


@pytest.mark.parametrize("patients", [{}, CASES.head(0)], ids=["mapping", "frame"])
def test_no_patient_is_told(shipped, patients):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        cc.sensitivity.across_patients(shipped, patients)
    assert str(caught.value) == "there is no patient"


def test_each_row_is_read_as_the_kind_of_record_it_names(shipped, found):
    kinds = ["case_report", "", "abstract", "asked"]
    frame = CASES.loc[CHOSEN].assign(record=kinds)
    got = cc.sensitivity.across_patients(shipped, frame, draws=50).patients
    expected = shipped.posteriors(frame)
    assert got["leading"].to_list() == expected["leading"].to_list()
    leading = [expected.loc[case, lead] for case, lead in zip(CHOSEN, got["leading"], strict=True)]
    assert got["probability"].to_list() == pytest.approx(leading, abs=1e-12)
    asked = found.patients["probability"]
    assert (got["probability"] - asked).abs().gt(0.01).to_list() == [True, False, True, False]


def test_a_kind_of_record_that_is_none_is_refused(shipped):
    with pytest.raises(cc.errors.FindingsError, match="no such kind of record"):
        cc.sensitivity.across_patients(shipped, CASES.loc[CHOSEN[:1]].assign(record="diary"), draws=50)


def test_an_analysis_of_each_patient_reads_records_with_the_model_of_each(shipped):
    frame = CASES.loc[CHOSEN[:2]].assign(record=["case_report", "abstract"])
    each = shipped.recorded("each")

    def probabilities(evidence):
        return each.posterior(evidence).probabilities.to_frame().T

    got = cc.sensitivity.each_patient(each, frame, probabilities).set_index("patient")[list(shipped.states)]
    expected = shipped.posteriors(frame)[list(shipped.states)]
    np.testing.assert_allclose(got.to_numpy(float), expected.to_numpy(float), atol=1e-12)
    with pytest.raises(cc.errors.QuestionError, match="the patients have a column record"):
        cc.sensitivity.each_patient(shipped, frame, probabilities)
