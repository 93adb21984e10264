"""Many patients at once: each row is told what that patient alone is told, whatever the columns are made of."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.inference.findings.columns import column_of
from calcinosis.inference.findings.encoding import canonical
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import Band


@pytest.fixture(scope="module")
def ward(clinic):
    """The small clinic, with a repeatable number that the same albumin corrects by a line of its own, and more that
    clashes."""
    network, calcium = clinic.network, clinic.network.variables["calcium"]
    bands = [Band(0, 1), Band(1, 3), Band(3, 60, above=True)]
    urine = replace(
        calcium,
        name="urine",
        repeatable=True,
        unit="g/L",
        units=FrozenMap({"g/L": 1.0, "mg/dL": 0.01}),
        states=tuple(replace(state, band=band) for state, band in zip(calcium.states, bands, strict=True)),
    )
    (albumin,) = network.corrections
    return cc.Model(
        replace(
            network,
            variables={**network.variables, "urine": urine},
            parents={**network.parents, "urine": ("disease",)},
            tables={
                **network.tables,
                "pain": np.array([[0.6, 0.4, 0.0], [0.0, 0.3, 0.7]]),
                "urine": np.array([[0.5, 0.3, 0.2], [0.0, 0.2, 0.8]]),
            },
            corrections=(albumin, replace(albumin, variable="urine", slope=-0.5)),
        )
    )


# what one patient is told


@dataclass(frozen=True)
class Told:
    """What one patient is told: the status, the faults in words, the posterior if there is one."""

    status: str
    findings: Mapping[str, Any]
    faults: Sequence[str] = ()
    posterior: cc.Posterior | None = None


def told_of(model, frame, row):
    """What the patient of one row is told alone; faults name the column as it is called."""
    headings = model.headings(frame.columns)
    cells = {heading.name: frame[heading.column].iloc[row] for heading in headings}
    findings = {heading.name: finding_of(cells[heading.name], heading.unit) for heading in headings}
    columns = {heading.name: heading.column for heading in headings}
    try:
        evidence = model.read(findings)
    except cc.errors.FindingsError as caught:
        faults = [
            str(replace(fault, variable=columns[fault.variable], value=shown(cells[fault.variable])))
            for fault in caught.faults
        ]
        return Told("invalid: " + "; ".join(faults), findings, faults)
    try:
        return Told("ok", findings, posterior=model.posterior(evidence))
    except cc.errors.ImpossibleEvidence:
        return Told("impossible", findings)


def finding_of(cell, unit):
    """What a cell stands for: a bare number is in the unit of its heading."""
    plain = cell.tolist() if hasattr(cell, "tolist") else cell
    text = str(plain).strip() if isinstance(plain, str | int | float) else ""
    bare = text.lstrip("-")[:1].isdigit() and not any(map(str.isalpha, text))
    return f"{text} {unit}" if unit and bare else cell


def shown(cell):
    """A cell as a message quotes it."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell
    if isinstance(cell, dict):
        return ",".join(f"{state}:{number}" for state, number in cell.items())
    if isinstance(cell, set | frozenset):
        return "/".join(sorted(map(str, cell)))
    if isinstance(cell, list | tuple):
        return ",".join(map(shown, cell))
    return str(cell).strip()


def tells_a_clash(model, frame, row, status, findings):
    """Whether a status names findings of the row that cannot be true together, none of which can be left out."""
    headings = [heading for heading in model.headings(frame.columns) if heading.name in model.variables]
    covariates = {name: value for name, value in findings.items() if name not in model.variables}

    def text(some):
        named = " and ".join(f"{heading.column}={shown(frame[heading.column].iloc[row])}" for heading in some)
        return f"impossible: {named} cannot be{' true together' if len(some) > 1 else ''}"

    def possible(some):
        try:
            return bool(model.posterior({heading.name: findings[heading.name] for heading in some} | covariates))
        except cc.errors.ImpossibleEvidence:
            return False

    subsets = [some for count in range(len(headings) + 1) for some in combinations(headings, count)]
    return any(
        text(some) == status
        and not possible(some)
        and all(possible([heading for heading in some if heading is not out]) for out in some)
        for some in subsets
    )


def from_base_codes(model, evidence):
    """Whether every finding is one that the tables have a row for."""
    return all(canonical(finding.likelihoods)[0] in model.engine.base[finding.variable] for finding in evidence)


def check_rows(model, frame):
    """Each row of the answer is what the patient alone is told; returns what they are told."""
    answer = model.posteriors(frame)
    assert list(answer.index) == list(frame.index)
    everybody = [told_of(model, frame, row) for row in range(len(frame))]
    rows = zip(
        everybody,
        answer[list(model.states)].to_numpy().tolist(),
        answer["leading"].tolist(),
        answer["log_evidence"].tolist(),
        answer["status"].tolist(),
        strict=True,
    )
    for row, (told, probabilities, leading, log_evidence, status) in enumerate(rows):
        if told.posterior is None:
            assert all(map(math.isnan, probabilities))
            assert pd.isna(leading)
            if told.status == "impossible":
                assert tells_a_clash(model, frame, row, status, told.findings)
                assert log_evidence == -math.inf
            else:
                assert status == told.status
                assert math.isnan(log_evidence)
            continue
        assert status == "ok"
        expected = list(told.posterior.probabilities_of.values())
        if from_base_codes(model, told.posterior.evidence):
            assert probabilities == expected
            assert leading == told.posterior.leading
        assert probabilities == pytest.approx(expected, rel=0, abs=1e-15)
        assert log_evidence == pytest.approx(told.posterior.log_evidence, rel=0, abs=1e-12)
        assert told.posterior[leading] >= max(expected) - 1e-15
    return everybody


# columns drawn at random

RUBBISH = ["zzz", "none/", "none:often", ":0.5", "7", "9,1", "<9 mg/dL", "3 stone", "1e999 mg/dL", "99 mg/dL", "9.1.2"]
MISSING = ["", "  ", "unknown", " NaN "]
NUMBERS = ["9.1 mg/dL", "2.27mmol/L", "8.5 mg/dL", "10.5 mg/dL", "9.4", " 10 ", "2.3", "9.0 mg/dL, 11 mg/dL", "1.5 g/L"]
ALBUMINS = ["2.4 g/dL", "24 g/L", "4", "3.1", "40 g/L", "24", "low", "9 g/dL", "2,4 g/dL"]
PLAIN = [8.5, 10.5, 9.1, 2.27, 2.0, 25.0, 25.000000000001, 0.5, 3.9, 7.0, 40.0, 0.0, -1.0, 1e6]
UNITS = {"calcium": ["mg/dL", "mmol/L"], "urine": ["g/L", "mg/dL"], "albumin": ["g/dL", "g/L"]}


@st.composite
def texts(draw, variable):
    """A cell as a file would hold it; without a variable, one of albumin."""
    kinds = ["state"] * 4 + ["number", "number", "either of", "likelihoods", "results", "missing", "rubbish"]
    kind = draw(st.sampled_from(kinds))
    if kind == "missing":
        return draw(st.sampled_from(MISSING))
    if variable is None:
        return draw(st.sampled_from(ALBUMINS))
    if kind == "rubbish":
        return draw(st.sampled_from(RUBBISH))
    if kind == "number" and variable.numeric:
        return draw(st.sampled_from(NUMBERS))
    states = st.sampled_from(variable.state_names)
    if kind == "either of":
        return "/".join(draw(st.lists(states, min_size=2, max_size=3)))
    if kind == "likelihoods":
        some = draw(st.dictionaries(states, st.sampled_from(["0.1", "0.7", "3", "0"]), min_size=1, max_size=2))
        return ",".join(f"{state}:{number}" for state, number in some.items())
    if kind == "results":
        most = 5 if variable.repeatable else 2
        return draw(st.sampled_from([",", ", "])).join(draw(st.lists(states, min_size=1, max_size=most)))
    return draw(states)


def objects(variable):
    """A cell as Python would hold it."""
    words = st.sampled_from(variable.state_names if variable else ["2.4 g/dL", "24 g/L", "low"])
    return (
        texts(variable)
        | texts(variable).map(np.str_)
        | st.sampled_from([None, np.nan, pd.NA, pd.NaT])
        | st.sampled_from([True, False, np.True_, 1, 0, 9, 9.1, np.int64(9), np.float64(9.1)])
        | st.lists(words, max_size=4)
        | st.lists(words, max_size=4).map(tuple)
        | st.lists(words, max_size=4).map(np.array)
        | st.sets(words, max_size=2)
        | st.frozensets(words, max_size=2)
        | st.dictionaries(words, st.sampled_from([0, 0.2, 1, 1.5, -1, "often", None]), max_size=3)
    )


def categories(cells, others):
    """A column of categories in any order, some of them nobody's."""
    known = [cell for cell in [*others, *cells] if cell is not None]
    return pd.Series(pd.Categorical(cells, categories=list(dict.fromkeys(known))))


@st.composite
def columns(draw, variable, rows):
    """A column of findings of one variable, of any dtype."""

    def some(cells):
        return draw(st.lists(cells, min_size=rows, max_size=rows))

    def one_of(*dtypes):
        return draw(st.sampled_from(dtypes))

    numeric = variable is None or variable.numeric
    likely = ["floats", "ints", "floats"] if numeric else ["texts", "categories", "texts"]
    kind = one_of("texts", "objects", "categories", "floats", "ints", "bools", *likely, *likely)
    if kind == "texts":
        return pd.Series(some(texts(variable) | st.none()), dtype=one_of(object, "str", "string"))
    if kind == "objects":
        return pd.Series(some(objects(variable)), dtype=object)
    if kind == "categories":
        cells = draw(st.sampled_from([texts(variable), st.sampled_from(PLAIN), st.sampled_from([2, 9, 0])]))
        others = st.lists(cells, max_size=3)
        if variable:  # the states in order, perhaps not all of them, are looked up in a way of their own
            others |= st.sampled_from([variable.state_names[:count] for count in (1, 2, 3)])
            cells |= st.sampled_from(variable.state_names)
        return categories(some(cells | st.none()), draw(others))
    if kind == "floats":
        return pd.Series(some(st.sampled_from([*PLAIN, np.nan])), dtype=one_of("float64", "float32", "Float64"))
    if kind == "ints":
        return pd.Series(some(st.integers(0, 12)), dtype=one_of("int64", "uint8", "Int64", object))
    dtype = one_of("bool", "boolean", object)
    return pd.Series(some(st.booleans() if dtype == "bool" else st.booleans() | st.none()), dtype=dtype)


@st.composite
def frames(draw, model):
    """A table of patients: some columns in any order, headings with a unit or without, an index of any kind.

    Half of the tables hold nothing but states, so that few rows are at fault and many impossible.
    """
    rows = draw(st.integers(1, 6))
    names = [name for name in model.names if name not in model.inferred]
    states = {
        name: st.sampled_from([*model.variables[name].state_names, None]) for name in names if name in model.variables
    }
    tidy = draw(st.booleans())
    found = {}
    for name in draw(st.lists(st.sampled_from([*states] if tidy else names), unique=True, min_size=1)):
        marks = [mark for unit in UNITS.get(name, ()) for mark in (f" ({unit})", f"[{unit.upper()}]")]
        heading = name + draw(st.sampled_from(["", *marks]))
        if tidy:
            cells = draw(st.lists(states[name], min_size=rows, max_size=rows))
            found[heading] = pd.Series(cells, dtype=draw(st.sampled_from([object, "category"])))
        else:
            found[heading] = draw(columns(model.variables.get(name), rows))
    index = draw(st.lists(st.sampled_from(["ann", "bea", 3]), min_size=rows, max_size=rows))
    return pd.DataFrame(found).set_axis(pd.Index(index, dtype=object), axis=0)


@examples(150)
@given(data=st.data())
def test_every_row_is_told_what_the_patient_alone_is_told(ward, data):
    for told in check_rows(ward, data.draw(frames(ward))):
        event(told.status.split(":")[0])


@examples(20)
@given(data=st.data())
def test_when_strict_everybody_without_an_answer_is_told_at_once(ward, data):
    frame = data.draw(frames(ward))
    everybody = [told_of(ward, frame, row) for row in range(len(frame))]
    if all(told.status == "ok" for told in everybody):
        same(ward.posteriors(frame, strict=True), ward.posteriors(frame))
        return
    with pytest.raises(cc.errors.FindingsError) as caught:
        ward.posteriors(frame, strict=True)
    heading, *lines = str(caught.value).splitlines()
    assert heading == f"{len(lines)} finding{' is' if len(lines) == 1 else 's are'} not understood"
    for label, told in zip(frame.index, everybody, strict=True):
        for fault in told.faults:
            assert lines.pop(0) == f"row {label}: {fault}"
        if told.status == "impossible":
            line = lines.pop(0)
            assert line.startswith(f"row {label}: ")
            assert line.endswith(": impossible evidence: correct one of them")
    assert not lines


# the same, whatever else changes


def same(one, other):
    """Two answers are the same to the last bit."""
    texts = {"leading": object, "status": object}
    pd.testing.assert_frame_equal(one.astype(texts), other.astype(texts), check_exact=True)


@examples(20)
@given(data=st.data(), part=st.integers(1, 3), cores=st.sampled_from([1, 2]))
def test_parts_and_cores_change_no_bit(ward, data, part, cores):
    frame = data.draw(frames(ward))
    whole = ward.posteriors(frame)
    found = {heading: column_of(frame[heading.column]) for heading in ward.headings(frame.columns)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calcinosis.inference.engine.scores.PART", part)
        patch.setattr("calcinosis.inference.engine.scores.available_cores", lambda: cores)
        same(ward.posteriors(frame), whole)
        scores = ward.score(found, len(frame), cores=3 - cores)
    np.testing.assert_array_equal(scores.probabilities.T, whole[list(ward.states)])
    np.testing.assert_array_equal(scores.log_evidence, whole["log_evidence"])
    assert [scores.statuses[code] for code in scores.status] == whole["status"].tolist()


def test_what_is_told_of_a_row_is_told_of_it_in_every_part(ward, monkeypatch):
    frame = pd.DataFrame(
        {
            "calcium (mg/dL)": [9.5, 9.1, np.nan, 11.0, 26.0, 8.0, 27.0],
            "pain": ["none", "none", "severe", "severe", "zzz", "none/intermittent", "none"],
            "biopsy": [None, "calcified", "absent", "absent,calcified", "absent", "calcified,calcified", ""],
            "urine": ["0.5 g/L", "2 g/L", "0.4 g/L", "", "5 g/L", "", ""],
        }
    )
    told = [told.status.split(":")[0] for told in check_rows(ward, frame)]
    assert told == ["ok", "impossible", "impossible", "ok", "invalid", "ok", "invalid"]
    whole = ward.posteriors(frame)
    assert whole["status"][1] == "impossible: pain=none and biopsy=calcified cannot be true together"
    for part in (1, 2, 3, 4):
        monkeypatch.setattr("calcinosis.inference.engine.scores.PART", part)
        same(ward.posteriors(frame), whole)


@examples(20)
@given(data=st.data())
def test_the_order_of_rows_and_columns_and_what_stands_beside_them_change_no_bit(ward, data):
    frame = data.draw(frames(ward))
    rows = data.draw(st.permutations(range(len(frame))))
    other = frame[data.draw(st.permutations(list(frame.columns)))].iloc[rows]
    other = other.set_axis([("bed", row % 2) for row in rows], axis=0).assign(remark="seen twice")
    other[7] = 1.5
    answer, expected = ward.posteriors(other), ward.posteriors(frame).iloc[rows].set_axis(other.index, axis=0)
    # the findings of a clash are named in the order of the columns
    clash = expected["status"].str.startswith("impossible").to_numpy()
    same(answer[~clash], expected[~clash])
    same(answer[clash].assign(status=""), expected[clash].assign(status=""))


@examples(12)
@given(data=st.data())
def test_what_was_asked_before_changes_no_bit(ward, data):
    frame, before = data.draw(frames(ward)), data.draw(frames(ward))
    asked = cc.Model(ward.network)
    asked.posteriors(before)
    same(asked.posteriors(frame), cc.Model(ward.network).posteriors(frame))
    same(asked.posteriors(before), ward.posteriors(before))


def test_a_cell_that_was_read_is_read_anew_for_another_variable_or_unit(ward):
    told = {
        heading: ward.posteriors(pd.DataFrame({heading: ["9.1"]}))["status"].iloc[0].split(":")[0]
        for heading in ["calcium (mg/dL)", "calcium (mmol/L)", "calcium", "urine (g/L)", "pain", "calcium [mg/dL]"]
    }
    assert list(told.values()) == ["ok", "invalid", "invalid", "ok", "invalid", "ok"]


def test_a_cell_of_its_own_in_every_row_is_read_as_the_patient_alone_is(ward, monkeypatch):
    """More cells than fit in a small number, some of them at fault, in parts too."""
    rows = 1500
    texts = [f"{5 + row / 100:g} mg/dL" if row % 50 else f"{row} stone" for row in range(rows)]
    weighed = [f"none:{row + 1},severe:1" for row in range(rows)]
    frame = pd.DataFrame({"calcium": texts, "pain": weighed, "warfarin": pd.Categorical(["yes", None, "no"] * 500)})
    whole = ward.posteriors(frame)
    assert (whole["status"] != "ok").tolist() == [row % 50 == 0 for row in range(rows)]
    check_rows(ward, frame.iloc[::25])
    monkeypatch.setattr("calcinosis.inference.engine.scores.PART", 400)
    same(ward.posteriors(frame), whole)


@pytest.mark.parametrize("others", [[], ["unknown"], ["zzz"], ["none/severe"], ["", "none/severe"]])
def test_categories_that_are_the_states_in_order_are_read_as_any_others(ward, others):
    states = list(ward.variables["pain"].state_names)
    for categories in (states[:1], states[:2], states, [*states, *others], [*others, *states]):
        cells = [None, *categories, None]
        check_rows(ward, pd.DataFrame({"pain": pd.Categorical(cells, categories=categories), "warfarin": "yes"}))


def test_a_category_that_nobody_has_is_of_no_account(ward):
    others = ["zzz", "none/severe", "none:0.1,severe:0.3", "severe", "none"]
    frame = pd.DataFrame({"pain": pd.Categorical(["none", None, "severe"], categories=others)})
    same(ward.posteriors(frame), ward.posteriors(frame.astype(object)))


@pytest.mark.parametrize("cells", [126, 127, 128, 129, 300, 1100])
def test_as_many_categories_as_small_numbers_can_tell_apart(ward, cells):
    texts = ["severe", *(f"none:{i},severe:2" for i in range(1, cells - 1)), "none"]
    frame = pd.DataFrame({"pain": pd.Categorical([None, *texts], categories=texts)})
    check_rows(ward, frame.iloc[[0, 1, 2, -2, -1]])
    same(ward.posteriors(frame), ward.posteriors(frame.astype(object)))


def test_without_any_column_everybody_has_the_prior(ward):
    answer = ward.posteriors(pd.DataFrame(index=["ann", "bea"]))
    assert answer[list(ward.states)].to_numpy().tolist() == [list(ward.posterior().probabilities)] * 2
    assert answer["status"].tolist() == ["ok", "ok"]


def test_of_two_states_as_probable_as_each_other_the_first_leads(build):
    """Their joint weights differ in the last bit, their probabilities do not."""
    prior = [0.24005564186327868, 0.2400556418632787, 0.5198887162734427]
    mirror = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    model = cc.Model(build("kind", {"kind": ("s t u", "", prior), "mirror": ("s t u", "kind", mirror)}))
    findings = {"mirror": {"s": 1.0, "t": 1.0, "u": 0.32729044829402165}}
    alone, answer = model.posterior(findings), model.posteriors(pd.DataFrame([findings]))
    assert alone["s"] == alone["t"] > alone["u"]
    assert alone.leading == "s"
    assert answer["leading"].tolist() == ["s"]


# numbers and their limits

LIMITS = [4.0, 8.5, 10.5, 25.0]


def around(limit):
    """A limit and the numbers next to it, from the last bit to well beyond what is rounded away."""
    steps = [0.0, np.spacing(limit), 2 * np.spacing(limit), *(limit * 10.0**-k for k in (7, 9, 11, 12, 13))]
    return [limit + sign * step for step in steps for sign in (-1, 1)]


@pytest.fixture(scope="module")
def at_limits():
    """Calcium in mg/dL and albumin in g/dL, or none, so that the corrected calcium is at or next to a limit."""
    pairs = [
        (value - (0.8 * (4.0 - albumin) if albumin else 0.0), albumin)
        for albumin in [None, 2.4, 3.9999999999, 7.1]
        for limit in LIMITS
        for value in around(limit)
    ]
    return np.array(pairs, dtype=float).T


def as_texts(numbers, unit):
    """Numbers as texts with their unit, to the last digit."""
    return [None if np.isnan(number) else f"{number!r} {unit}" for number in numbers.tolist()]


@pytest.mark.parametrize("albumin", ["albumin (g/dL)", "albumin [g/L]", "albumin"])
@pytest.mark.parametrize("calcium", ["calcium (mg/dL)", "calcium [mmol/L]", "calcium"])
def test_a_number_at_a_limit_is_placed_as_that_of_the_patient_alone(ward, at_limits, calcium, albumin):
    values, covariates = at_limits
    values = {"calcium [mmol/L]": values / 4.0078, "calcium": as_texts(values, "mg/dL")}.get(calcium, values)
    covariates = {"albumin [g/L]": covariates * 10, "albumin": as_texts(covariates, "g/dL")}.get(albumin, covariates)
    everybody = check_rows(ward, pd.DataFrame({calcium: values, albumin: covariates}))
    assert {told.status[:2] for told in everybody} == {"ok", "in"}


@pytest.mark.parametrize(("heading", "factor"), [("calcium (mg/dL)", 1.0), ("calcium [mmol/L]", 4.0078)])
def test_a_number_at_a_limit_is_placed_as_that_of_the_patient_alone_without_albumin(ward, heading, factor):
    values = np.array([value for limit in LIMITS for value in around(limit)]) / factor
    everybody = check_rows(ward, pd.DataFrame({heading: values}))
    assert {told.status[:2] for told in everybody} == {"ok", "in"}


@pytest.mark.parametrize("limit", [8.5, 10.5])
def test_a_corrected_number_that_is_a_limit_but_for_its_last_bits_is_that_limit(ward, limit):
    """Both limits belong to what is normal."""
    albumin = np.arange(5, 71) / 10
    frame = pd.DataFrame({"calcium (mg/dL)": np.round(limit - 0.8 * (4.0 - albumin), 2), "albumin (g/dL)": albumin})
    corrected = frame["calcium (mg/dL)"] + 0.8 * (4.0 - frame["albumin (g/dL)"])
    assert (corrected != limit).any()
    expected = ward.posterior(calcium="normal").probabilities.tolist()
    assert ward.posteriors(frame)[list(ward.states)].to_numpy().tolist() == [expected] * len(frame)


def test_a_repeatable_number_is_corrected_in_every_result(ward):
    frame = pd.DataFrame(
        {
            "urine": ["1.2 g/L, 3.1 g/L", "120 mg/dL", ["0.9 g/L", "high"], "70 g/L,1 g/L", None, "low,low"],
            "albumin": ["2 g/dL", None, "4.5 g/dL", "3 g/dL", "3 g/dL", "9 g/dL"],
        }
    )
    corrected, plain = check_rows(ward, frame), check_rows(ward, frame.assign(albumin=None))
    assert [told.status[:2] for told in corrected] == ["ok", "ok", "ok", "in", "ok", "in"]
    assert corrected[0].posterior.probabilities_of != plain[0].posterior.probabilities_of


def test_findings_met_on_several_cores_at_once_are_not_confused(ward, monkeypatch):
    """Repeated numbers that are corrected get their codes while the parts are taken, here by cores in no hurry."""
    rng = np.random.default_rng(7)
    urine = [",".join(f"{number:.1f} g/L" for number in rng.uniform(1, 9, rng.integers(4, 8))) for _ in range(24)]
    frame = pd.DataFrame({"urine": urine, "albumin (g/dL)": rng.uniform(2, 4, 24)})
    monkeypatch.setattr("calcinosis.inference.engine.scores.available_cores", lambda: 1)
    whole = ward.posteriors(frame)

    def unhurried(things):
        count = len(things)
        time.sleep(0.0005)
        return count

    monkeypatch.setattr("calcinosis.inference.findings.encoding.len", unhurried, raising=False)
    monkeypatch.setattr("calcinosis.inference.engine.scores.available_cores", lambda: 8)
    monkeypatch.setattr("calcinosis.inference.engine.scores.PART", 3)
    same(ward.posteriors(frame), whole)


# headings

VARIABLES = "name columns after variables: disease, pain, warfarin, biopsy, calcium"
HEADINGS = [
    (["warfarn"], ["warfarn: a column that is not read: did you mean warfarin? Otherwise rename it"]),
    (["albumine (g/L)"], ["albumine (g/L): a column that is not read: did you mean albumin? Otherwise rename it"]),
    (["pain", "pain "], ["pain: the column is repeated: remove one of the two"]),
    (["pain", "pain"], ["pain: the column is repeated: remove one of the two"]),
    (["calcium", "calcium (mg/dL)"], ["calcium: the column is repeated: remove one of the two"]),
    (["calcium [mg/dL]", "calcium (mmol/L)"], ["calcium: the column is repeated: remove one of the two"]),
    (["calcium (stone)"], ["calcium (stone): unknown unit 'stone': calcium is read in mg/dL, mmol/L"]),
    (["albumin [%]"], ["albumin [%]: unknown unit '%': albumin is read in g/dL, g/L"]),
    (["pain (0-10)"], ["pain (0-10): unknown unit '0-10': name the column pain"]),
    (["remark", 7], [f"remark, 7: no column is a variable: {VARIABLES}"]),
    ([("pain", "now")], [f"('pain', 'now'): no column is a variable: {VARIABLES}"]),
    (
        ["calcium (stone)", "warfarin", "pain", "biopsi", "pain", "warfarin"],
        [
            "calcium (stone): unknown unit 'stone': calcium is read in mg/dL, mmol/L",
            "biopsi: a column that is not read: did you mean biopsy? Otherwise rename it",
            "pain: the column is repeated: remove one of the two",
            "warfarin: the column is repeated: remove one of the two",
        ],
    ),
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("columns", "lines"), HEADINGS, ids=[str(names) for names, _ in HEADINGS])
def test_every_fault_of_the_headings_is_told_at_once(clinic, columns, lines, strict):
    frame = pd.DataFrame([["zzz"] * len(columns)], columns=pd.Index(columns, dtype=object, tupleize_cols=False))
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posteriors(frame, strict=strict)
    assert str(caught.value).splitlines() == ["some columns are not understood", *lines]


@pytest.mark.parametrize("heading", ["calcium (mg/dL)", "calcium(mg/dL)", "calcium [MG/DL]", " calcium  ( mg/dl ) "])
def test_a_heading_with_a_unit_may_be_written_in_several_ways(clinic, heading):
    answer = clinic.posteriors(pd.DataFrame({heading: ["11", "2"]}))
    assert answer.loc[0, list(clinic.states)].tolist() == list(clinic.posterior(calcium="high").probabilities)
    assert answer["status"][1].startswith(f"invalid: {heading}=2: 2 mg/dL is not plausible")


def test_a_cell_may_name_another_unit_than_its_heading_or_a_state(clinic):
    frame = pd.DataFrame({"calcium (mg/dL)": ["2.8 mmol/L", "high", 11.2, "low/high", "low:0.1,high:0.9"]})
    assert [told.status for told in check_rows(clinic, frame)] == ["ok"] * 5


# cells that are alike but not the same


@pytest.mark.parametrize(
    "cells",
    [
        [True, 1, 1.0, "True", "yes", 0, False],
        [1, True, "1", np.True_, np.int64(1)],
        [(True,), (1,)],
        [(1,), (True,)],
        [frozenset({True}), frozenset({1})],
        [[1], [True], (True,), (1.0,)],
    ],
    ids=str,
)
def test_cells_that_are_equal_but_of_other_types_stay_apart(clinic, cells):
    check_rows(clinic, pd.DataFrame({"warfarin": pd.Series(cells, dtype=object)}))


@pytest.mark.parametrize("dtype", [object, "int64", "Int64", "uint8", "category"])
def test_a_whole_number_at_fault_is_quoted_as_it_stands(clinic, dtype):
    frame = pd.DataFrame({"pain": pd.Series([3, 12], dtype=dtype), "calcium (mg/dL)": pd.Series([9, 2], dtype=dtype)})
    assert clinic.posteriors(frame)["status"].tolist() == [
        "invalid: pain=3: no state '3': write one of: none, intermittent, severe",
        "invalid: pain=12: no state '12': write one of: none, intermittent, severe; calcium (mg/dL)=2: 2 mg/dL is not "
        "plausible: it should lie between 4 and 25 mg/dL; check number and unit",
    ]


@pytest.mark.parametrize("number", [np.inf, -np.inf, 1e308, -1e308, 5e-324])
@pytest.mark.parametrize("heading", ["calcium (mg/dL)", "calcium (mmol/L)"])
def test_a_number_beyond_all_bounds_is_told_alike_in_every_kind_of_column(clinic, heading, number):
    numbers, python = (
        clinic.posteriors(pd.DataFrame({heading: pd.Series([number, 9.1], dtype=dtype)}))["status"].iloc[0]
        for dtype in (float, object)
    )
    assert numbers.startswith(f"invalid: {heading}={number}: ")
    assert numbers == python


def test_a_complex_number_is_no_finding(clinic):
    (status,) = clinic.posteriors(pd.DataFrame({"pain": [1 + 2j]}))["status"]
    assert status == "invalid: pain=(1+2j): no state '(1+2j)': write one of: none, intermittent, severe"


def test_columns_of_arrow_types_are_read_as_those_of_python(clinic):
    pa = pytest.importorskip("pyarrow")
    types = {
        "pain": (["none", "severe", None], pa.string()),
        "warfarin": ([True, None, False], pa.bool_()),
        "calcium (mg/dL)": ([9.1, 11, None], pa.float64()),
        "biopsy": ([["absent"], None, ["absent", "absent"]], pa.list_(pa.string())),
    }
    for name, (cells, dtype) in types.items():
        arrow, python = pd.Series(cells, dtype=pd.ArrowDtype(dtype)), pd.Series(cells, dtype=object)
        same(clinic.posteriors(pd.DataFrame({name: arrow})), clinic.posteriors(pd.DataFrame({name: python})))


@pytest.mark.parametrize("unit", ["MMOL/L", "mmol/l", "ｍｍｏｌ/L"])
def test_a_heading_and_a_cell_take_the_same_units(clinic, unit):
    told = clinic.posteriors(pd.DataFrame({f"calcium ({unit})": ["2.3"]}))
    assert told["status"].to_list() == ["ok"]
    assert told.iloc[0]["log_evidence"] == clinic.posterior(calcium=f"2.3 {unit}").log_evidence


# what is read of a table, and what is not


@pytest.mark.parametrize("name", ["subtype", "form", "vessel_calcification"])
def test_a_column_of_what_is_inferred_is_refused_by_name(shipped, name):
    """The true subtype in a column of that name made every answer 0 or 1, and nobody was told."""
    with pytest.raises(cc.errors.FindingsError, match=f"{name}: inferred by the network.*: rename it or remove it"):
        shipped.posteriors(pd.DataFrame({"pain": ["severe"], name: [shipped.variables[name].state_names[0]]}))


def test_an_answer_lists_the_columns_that_were_read_and_those_that_were_not(shipped):
    frame = pd.DataFrame({"id": [1], "pain": ["severe"], "Calcium": [11], "serum_calcium (mg/dL)": [9.1]})
    assert shipped.posteriors(frame).attrs == {
        "columns_read": ["pain", "serum_calcium (mg/dL)"],
        "columns_ignored": ["id", "Calcium"],
        "record": "asked",
    }
