"""Cases are read with every fault told at once, by row; what is read is what one patient alone would be."""

import pickle

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc
from calcinosis.analysis.validate.labelled_cases import CasesError, read_cases


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "case_id": ["a", "b", "c"],
            "diagnosis": ["dystrophic", "calciphylaxis", "idiopathic"],
            "pain": ["severe", "", "intermittent/severe"],
            "vascular_histology": ["absent,absent", "", "intramural_calcification"],
            "hard": ["yes", "", "no"],
        }
    )


def faults_of(shipped, table, **options):
    with pytest.raises(CasesError) as caught:
        read_cases(shipped, table, **options)
    return caught.value


def test_findings_diagnosis_and_names_are_read(shipped, table):
    found = read_cases(shipped, table)
    assert found.names == ("a", "b", "c")
    assert found.truth.tolist() == [0, 4, 2]
    assert found.known.tolist() == [2, 0, 2]
    assert found.hard.tolist() == [True, False, False]
    assert found.observed["pain"].tolist() == [True, False, True]


def test_probabilities_are_those_of_each_patient_alone(shipped):
    cases = cc.cases()
    found = read_cases(shipped, cases)
    for i in (0, 17, 40):
        findings = {n: v for n, v in cases.iloc[i].items() if n in shipped.names}
        wanted = shipped.posterior(findings, record=cases["record"].iloc[i]).probabilities.to_numpy()
        np.testing.assert_allclose(found.probabilities()[i], wanted, rtol=1e-12)


def test_a_prevalence_replaces_the_prior(shipped, table):
    """Bayes' rule by hand: the likelihood of the findings under each subtype, times the shares given."""
    mix = np.array([0.1, 0.2, 0.3, 0.15, 0.25])
    found = read_cases(shipped, table).probabilities(mix)
    prior = shipped.posterior().probabilities.to_numpy()
    posterior = shipped.posterior(pain="severe", vascular_histology=["absent"] * 2).probabilities.to_numpy()
    wanted = posterior / prior * mix
    np.testing.assert_allclose(found[0], wanted / wanted.sum(), rtol=1e-12)
    np.testing.assert_allclose(found[1], mix, rtol=1e-12)


def test_every_fault_is_told_at_once_by_row(shipped, table):
    table.loc[0, "pain"] = "sever"
    table.loc[1, "diagnosis"] = ""
    table.loc[2, ["case_id", "hard"]] = ["a", "perhaps"]
    error = faults_of(shipped, table)
    assert error.rows == (0, 1, 2, 2)
    assert str(error) == (
        "the cases have 4 errors\n"
        "row 1: pain=sever: no state 'sever': did you mean 'severe'? One of: none, intermittent, severe\n"
        "row 2: diagnosis: no diagnosis: write one of: dystrophic, metastatic, idiopathic, iatrogenic, calciphylaxis\n"
        "row 3: case_id=a: the same patient as in row 1: remove one of the two, or rename it\n"
        "row 3: hard=perhaps: neither yes nor no: write yes or no, or leave it empty"
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_findings_that_cannot_go_with_the_diagnosis_are_told(shipped):
    table = pd.DataFrame(
        {"diagnosis": ["idiopathic", "idiopathic"], "form": ["calciphylaxis_uraemic", "idiopathic_nodular"]}
    )
    error = faults_of(shipped, table)
    assert error.rows == (0,)
    assert "cannot be true together" in str(error)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t.drop(columns="diagnosis"), "no column holds the diagnosis: name it 'diagnosis'"),
        (lambda t: t.assign(subtype=t["diagnosis"]), "diagnosis, subtype: two columns hold the diagnosis"),
        (lambda t: t.head(0), "there is no patient"),
        (lambda t: t.rename(columns={"pain": "pains"}), "pains: a column that is not read: did you mean pain?"),
        (lambda t: t.assign(diagnosis="dystrofic"), "did you mean 'dystrophic'?"),
        (lambda t: t.assign(diagnosis="dystrophic/idiopathic"), "not one subtype"),
        (lambda t: t.assign(case_id=["a", "", "c"]), "the cell is empty"),
    ],
)
def test_each_fault_has_its_words(shipped, table, change, text):
    assert text in str(faults_of(shipped, change(table)))


def test_to_learn_from_a_diagnosis_may_be_missing_or_open_for_some(shipped, table):
    table["diagnosis"] = ["dystrophic/idiopathic", "", "calciphylaxis"]
    found = read_cases(shipped, table, every=False)
    assert found.truth.tolist() == [-1, -1, 4]
    assert "no patient has a diagnosis" in str(faults_of(shipped, table.assign(diagnosis=""), every=False))


def test_some_of_the_patients_are_as_they_were(shipped):
    found = read_cases(shipped, cc.cases())
    few = found.some(np.array([5, 2]))
    assert few.names == (found.names[5], found.names[2])
    np.testing.assert_array_equal(few.probabilities(), found.probabilities()[[5, 2]])
    assert few.evidence(0) == found.evidence(5)


def test_simulated_patients_are_cases(shipped):
    drawn = shipped.simulate(50, missing=0.3, numbers=True, seed=1)
    found = read_cases(shipped, drawn)
    assert len(found) == 50
    assert (found.truth == drawn["diagnosis"].cat.codes).all()
