"""A hundred thousand patients with anything in their cells: each is answered in place, or told why not."""

from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import calcinosis as cc

PATIENTS = 100_000
SAMPLE = 100
FINE = {
    "esrd": ["no", "yes", "", "unknown", "no/yes", "no:0.3,yes:0.7", "TRUE"],
    "pain": ["none", "severe", "", "intermittent/severe", "none:1,severe:2", " none "],
    "serum_calcium": ["9.1 mg/dL", "2.27mmol/L", "high", "", "10.5 mg/dL", "low/high"],
    "albumin": ["2.4 g/dL", "24 g/L", "", "4 g/dL"],
    "age_group": ["37 years", "child", "", "8 months"],
    "vascular_histology": [
        "absent",
        "absent,absent",
        "",
        "absent,intramural_calcification",
        "absent,absent,absent,absent",
    ],
    "ulceration": ["", "", "", "no/yes", "yes"],
    "livedo": [""],
}
CLASH = {"ulceration": "no", "livedo": "yes"}
PIECES = [
    *("none", "severe", "yes", "no", "absent", "child", "high", "calciphylaxis", "unknown", "nan", "NaN", "NA", "null"),
    *("0", "1", "9.1", "2,27", "-3", "1e400", "½", "٣", "0x1", "+", "<", "mg/dL", "mmol/l", "g", "years", "%"),
    *(",", "/", ":", ";", "=", '"', '""', "'", "(", "]", "\\", "{}", "%s", "\t", "\n", "\r", "\r\n", " ", "\u00a0"),
    *("é", "ß", "🦴", "\u202e", "\ufeff", "\u0000", "\u0007", "\x1b[31m", "日本", "e\u0301", "\ud7ff", "\U0010ffff"),
]


@pytest.fixture(scope="module")
def shipped(contradictory):
    """The model of priors under which some findings of the ward contradict each other."""
    return cc.load(contradictory)


@pytest.fixture(autouse=True)
def priors(contradictory, monkeypatch):
    """The same priors for the shell."""
    monkeypatch.setenv("CALCINOSIS_PRIORS", str(contradictory))
    return contradictory


def texts(rng, count):
    """Texts made of a few pieces each, one in a hundred very long."""
    found = []
    for length in rng.integers(0, 6, count):
        text = "".join(rng.choice(PIECES, length))
        found.append(text * 500 if rng.random() < 0.01 else text)
    return found


@pytest.fixture(scope="module")
def patients():
    """A table of texts: most of what the grammar knows, some that nobody knows, in no order."""
    rng = np.random.default_rng(2024)
    columns = {"id": [f"{number:06d}" for number in range(PATIENTS)]}
    for name, fine in FINE.items():
        cells = np.array([*fine, *texts(rng, 1000)], dtype=object)
        anything = rng.random(PATIENTS) < (0.005 if name in CLASH else 0.05)
        which = np.where(anything, rng.integers(0, len(cells), PATIENTS), rng.integers(0, len(fine), PATIENTS))
        columns[name] = cells[which]
    clashing = rng.random(PATIENTS) < 0.004
    columns |= {name: np.where(clashing, state, columns[name]) for name, state in CLASH.items()}
    columns["remark, of the ward"] = np.array(texts(rng, 5000), dtype=object)[rng.integers(0, 5000, PATIENTS)]
    return pd.DataFrame(columns)


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell


def write_csv(frame, path):
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(map(quoted, frame.columns)) + "\n")
        for row in zip(*(frame[name].map(quoted) for name in frame.columns), strict=True):
            file.write(",".join(row) + "\n")


@pytest.fixture(scope="module")
def answers(patients, shipped, read, tmp_path_factory):
    """The answers to the table as CSV and as Parquet, and what was told of them."""
    folder = tmp_path_factory.mktemp("fuzz")
    write_csv(patients, folder / "in.csv")
    table = pa.Table.from_pandas(patients.replace("", None), preserve_index=False)
    pq.write_table(table, folder / "in.parquet", row_group_size=33_333)
    told = cc.cohort.run(folder / "in.csv", folder / "out.parquet", shipped, part=7777)
    cc.cohort.run(folder / "in.parquet", folder / "out.csv", shipped)
    return read(folder / "out.parquet"), read(folder / "out.csv"), told


def numbers(answers, names):
    return np.column_stack([answers.column(name).to_numpy() for name in names])


@pytest.mark.slow
def test_every_row_has_a_status_and_its_place(answers, patients, figure):
    first, second, told = answers
    status = first.column("status").to_pylist()
    assert first.column("id").to_pylist() == second.column("id").to_pylist() == patients["id"].tolist()
    kinds = pd.Series(status).str.split(":").str[0].value_counts()
    assert set(kinds.index) == {"ok", "invalid", "impossible"}
    assert all(text == "ok" or text.startswith(("invalid: ", "impossible: ")) for text in status)
    assert (told.patients, told.ok) == (PATIENTS, kinds["ok"])
    assert (told.invalid, told.impossible) == (kinds["invalid"], kinds["impossible"])
    assert kinds.min() >= SAMPLE
    figure(f"anything in the cells of {PATIENTS:,} patients: " + ", ".join(f"{kinds[k]:,} {k}" for k in kinds.index))


def test_rows_have_probabilities_that_sum_to_1_if_and_only_if_they_are_ok(answers, shipped):
    for table in answers[:2]:
        ok = pc.equal(table.column("status"), "ok").to_numpy()
        for name in (*shipped.states, "leading", "log_evidence"):
            np.testing.assert_array_equal(table.column(name).is_valid().to_numpy(), ok)
        found = numbers(table.filter(pa.array(ok)), shipped.states)
        assert np.isfinite(found).all()
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-12)
        leading = np.array(shipped.states)[found.argmax(axis=1)]
        assert table.filter(pa.array(ok)).column("leading").to_pylist() == leading.tolist()
        assert np.isfinite(numbers(table.filter(pa.array(ok)), ["log_evidence"])).all()


def test_texts_say_the_same_in_csv_and_in_parquet(answers, patients, shipped):
    first, second, _ = answers
    assert first.column("status").to_pylist() == second.column("status").to_pylist()
    names = [*shipped.states, "log_evidence"]
    np.testing.assert_array_equal(numbers(first, names), numbers(second, names))


def test_what_is_carried_is_carried_whatever_it_is(answers, patients):
    remarks = patients["remark, of the ward"].tolist()
    first, second, _ = answers
    assert first.column("remark, of the ward").to_pylist() == remarks
    assert [remark or "" for remark in second.column("remark, of the ward").to_pylist()] == remarks


def named_in(status, findings):
    """The findings that a status names as a clash."""
    for names in (names for size in (1, 2, 3) for names in combinations(findings, size)):
        told = " and ".join(f"{name}={findings[name].strip()}" for name in names)
        if status == f"impossible: {told} cannot be{' true together' if len(names) > 1 else ''}":
            return names
    raise AssertionError(f"{status} names none of {findings}")


def possible(model, findings):
    try:
        return bool(model.posterior(findings))
    except cc.errors.ImpossibleEvidence:
        return False


@pytest.mark.parametrize("kind", ["ok", "invalid", "impossible"])
def test_a_sample_says_what_each_patient_alone_is_told(kind, answers, patients, shipped):
    table = answers[0]
    status = np.array(table.column("status").to_pylist(), dtype=object)
    those = np.flatnonzero([text.split(":")[0] == kind for text in status])
    rows = np.random.default_rng(7).choice(those, SAMPLE, replace=False)
    for row in rows.tolist():
        findings = {name: patients[name][row] for name in FINE}
        if kind == "invalid":
            with pytest.raises(cc.errors.FindingsError) as caught:
                shipped.read(findings)
            assert status[row] == "invalid: " + "; ".join(map(str, caught.value.faults))
        elif kind == "impossible":
            clash = named_in(status[row], findings)
            assert not possible(shipped, {name: findings[name] for name in clash})
            for left_out in clash:
                assert possible(shipped, {name: findings[name] for name in clash if name != left_out})
        else:
            alone = shipped.posterior(findings)
            found = [table.column(state)[row].as_py() for state in shipped.states]
            np.testing.assert_allclose(found, list(alone.probabilities), rtol=0, atol=1e-15)
            assert table.column("log_evidence")[row].as_py() == pytest.approx(alone.log_evidence, rel=0, abs=1e-12)
