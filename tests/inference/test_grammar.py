"""Every form of the findings grammar, read the same from Python, from text and from a cell of a table."""

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc

EITHER = {"absent", "intramural_calcification"}
NO, YES = (1.0, 0.0), (0.0, 1.0)
LOW, NORMAL, HIGH = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)

FORMS = [
    # a state
    ("pain", "severe", [HIGH], "severe"),
    ("pain", "  severe ", [HIGH], "severe"),
    ("pain", np.str_("severe"), [HIGH], "severe"),
    ("pain", ["severe"], [HIGH], "severe"),
    ("pain", np.array(["severe"]), [HIGH], "severe"),
    ("pain", np.array("severe"), [HIGH], "severe"),
    ("pain", {"severe"}, [HIGH], "severe"),
    ("pain", {"severe": 1}, [HIGH], "likelihoods severe 1"),
    # a state as True or False
    ("warfarin", True, [YES], "yes"),
    ("warfarin", False, [NO], "no"),
    ("warfarin", np.True_, [YES], "yes"),
    ("warfarin", [np.False_], [NO], "no"),
    ("warfarin", {True: 0.8, False: 0.2}, [(0.2, 0.8)], "likelihoods no 0.2, yes 0.8"),
    ("warfarin", {True, False}, [(1.0, 1.0)], "no or yes"),
    # either of
    ("pain", "intermittent/severe", [(0.0, 1.0, 1.0)], "intermittent/severe"),
    ("pain", "severe / intermittent", [(0.0, 1.0, 1.0)], "intermittent or severe"),
    ("pain", {"severe", "intermittent"}, [(0.0, 1.0, 1.0)], "intermittent/severe"),
    ("pain", frozenset({"none", "severe"}), [(1.0, 0.0, 1.0)], "none/severe"),
    # repeated results
    ("vascular_histology", "absent", [NO], "absent"),
    ("vascular_histology", "absent,absent,absent", [NO] * 3, "absent, 3 times"),
    ("vascular_histology", "absent, intramural_calcification", [NO, YES], "absent, intramural_calcification"),
    ("vascular_histology", ["absent"] * 3, [NO] * 3, "absent, 3 times"),
    ("vascular_histology", ("absent", "intramural_calcification"), [NO, YES], "absent,intramural_calcification"),
    ("vascular_histology", np.array(["absent", "absent"]), [NO] * 2, "absent, 2 times"),
    ("vascular_histology", ["absent,absent", "absent"], [NO] * 3, "absent, 3 times"),
    ("vascular_histology", ["absent", None, "", "unknown", float("nan")], [NO], "absent"),
    ("vascular_histology", "absent,,unknown", [NO], "absent"),
    (
        "vascular_histology",
        ["absent", {"absent": 0.2, "intramural_calcification": 0.8}, EITHER],
        [NO, (0.2, 0.8), (1.0, 1.0)],
        "absent, likelihoods absent 0.2, intramural_calcification 0.8, absent or intramural_calcification",
    ),
    (
        "vascular_histology",
        "absent,absent/intramural_calcification",
        [NO, (1.0, 1.0)],
        "absent,absent/intramural_calcification",
    ),
    # likelihoods
    ("pain", "none:0.2,severe:0.8", [(0.2, 0.0, 0.8)], "likelihoods none 0.2, severe 0.8"),
    ("pain", "severe: .8, none: 2e-1", [(0.2, 0.0, 0.8)], "likelihoods none 0.2, severe 0.8"),
    ("pain", {"none": 0.2, "severe": 0.8}, [(0.2, 0.0, 0.8)], "likelihoods none 0.2, severe 0.8"),
    ("pain", {"none": "0.2", "severe": np.float32(0.5)}, [(0.2, 0.0, 0.5)], "likelihoods none 0.2, severe 0.5"),
    ("pain", {"none": np.int64(3), "intermittent": 4}, [(3.0, 4.0, 0.0)], "likelihoods none 3, intermittent 4"),
    ("pain", ["none:0.2,severe:0.8"], [(0.2, 0.0, 0.8)], "likelihoods none 0.2, severe 0.8"),
    # numbers with their unit
    ("serum_calcium", "9.1 mg/dL", [NORMAL], "normal"),
    ("serum_calcium", "9.1mg/dL", [NORMAL], "normal"),
    ("serum_calcium", "9.1 MG/DL", [NORMAL], "9.1 mg/dL → normal"),
    ("serum_calcium", "2.27mmol/L", [NORMAL], "9.098 mg/dL → normal"),
    ("serum_calcium", "2.27 mmol/L", [NORMAL], "9.098 mg/dL → normal"),
    ("serum_calcium", "1.2e1 mg/dL", [HIGH], "12 mg/dL → high"),
    ("serum_calcium", ["9.1 mg/dL"], [NORMAL], "normal"),
    ("serum_calcium", "normal/high", [(0.0, 1.0, 1.0)], "normal/high"),
    ("serum_phosphate", "1.8 mmol/L", [HIGH], "5.575 mg/dL → high"),
    ("pth", "420 ng/L", [YES], "420 pg/mL → high"),
    ("pth", "3.2 pmol/L", [NO], "30.18 pg/mL → normal"),
    ("age_group", "37 years", [NORMAL], "adult"),
    ("age_group", "1 year", [LOW], "1 years → child"),
    ("age_group", "18 months", [LOW], "1.5 years → child"),
]


def told(value):
    """A value as Python writes it, sets in a fixed order."""
    if isinstance(value, list):
        return f"[{', '.join(map(told, value))}]"
    return f"either of {sorted(map(str, value))}" if isinstance(value, set | frozenset) else repr(value)


IDS = [f"{name}={told(value)}" for name, value, _, _ in FORMS]


@pytest.mark.parametrize(("name", "value", "likelihoods", "understood"), FORMS, ids=IDS)
def test_a_value_is_read_as_its_likelihood_and_told_in_words(shipped, name, value, likelihoods, understood):
    (finding,) = shipped.read({name: value})
    assert finding.variable == name
    assert list(finding.likelihoods) == likelihoods
    assert finding.understood == understood


# a text cannot tell the likelihoods of one result from those of the next
WRITABLE = [(name, value) for name, value, _, _ in FORMS if not (isinstance(value, list) and value[-1:] == [EITHER])]


@pytest.mark.parametrize(("name", "value"), WRITABLE, ids=[f"{name}={told(value)}" for name, value in WRITABLE])
def test_what_is_shown_as_given_reads_the_same_again(shipped, name, value):
    """The text of a finding can be pasted into a cell or a shell."""
    (finding,) = shipped.read({name: value})
    (again,) = shipped.read({name: finding.given})
    assert again.likelihoods == finding.likelihoods


@pytest.mark.parametrize(("name", "value", "likelihoods", "understood"), FORMS, ids=IDS)
def test_a_cell_holds_what_python_can_say(shipped, name, value, likelihoods, understood):
    frame = pd.DataFrame({name: pd.Series([value, None], dtype=object)})
    answer = shipped.posteriors(frame)
    for row, findings in enumerate([{name: value}, {}]):
        alone = shipped.posterior(findings)
        np.testing.assert_allclose(answer.loc[row, list(shipped.states)].astype(float), alone.probabilities, atol=1e-15)


@pytest.mark.parametrize("value", ["", "  ", "unknown", " unknown ", None, float("nan"), np.nan, np.float32("nan")])
@pytest.mark.parametrize("name", ["pain", "warfarin", "serum_calcium", "vascular_histology", "albumin"])
def test_nothing_is_read_as_not_observed(shipped, name, value):
    evidence = shipped.read({name: value})
    assert len(evidence) == 0
    assert evidence.notes == ()
    assert str(evidence) == "nothing observed"


@pytest.mark.parametrize("value", [pd.NA, pd.NaT, [], (), [None, ""], np.array([], dtype=str)], ids=repr)
def test_missing_values_of_pandas_and_empty_lists_are_not_observed(shipped, value):
    assert len(shipped.read({"pain": value})) == 0


BANDS = [
    ("serum_calcium", "8.49 mg/dL", "low"),
    ("serum_calcium", "8.5 mg/dL", "normal"),
    ("serum_calcium", "10.5 mg/dL", "normal"),
    ("serum_calcium", "105 mg/L", "normal"),
    ("serum_calcium", "10.51 mg/dL", "high"),
    ("serum_calcium", "10.500001 mg/dL", "high"),
    ("serum_calcium", "4 mg/dL", "low"),
    ("serum_calcium", "25 mg/dL", "high"),
    ("serum_phosphate", "2.49 mg/dL", "low"),
    ("serum_phosphate", "2.5 mg/dL", "normal"),
    ("serum_phosphate", "4.5 mg/dL", "normal"),
    ("serum_phosphate", "45 mg/L", "normal"),
    ("serum_phosphate", "4.51 mg/dL", "high"),
    ("pth", "0 pg/mL", "normal"),
    ("pth", "65 pg/mL", "normal"),
    ("pth", "65.1 pg/mL", "high"),
    ("age_group", "0 days", "child"),
    ("age_group", "17.9 years", "child"),
    ("age_group", "215 months", "child"),
    ("age_group", "18 years", "adult"),
    ("age_group", "216 months", "adult"),
    ("age_group", "59 years", "adult"),
    ("age_group", "60 years", "older"),
    ("age_group", "720 months", "older"),
]


@pytest.mark.parametrize(("name", "value", "state"), BANDS)
def test_a_number_falls_into_its_band_also_on_the_limits(shipped, name, value, state):
    assert shipped.read({name: value})[name].likelihoods == shipped.read({name: state})[name].likelihoods


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("serum_calcium", "2.27 mg/dL"),
        ("serum_calcium", "91 mg/dL"),
        ("serum_calcium", "9.1 mmol/L"),
        ("serum_calcium", "3.99 mg/dL"),
        ("serum_calcium", "25.1 mg/dL"),
        ("age_group", "-1 years"),
        ("age_group", "130 years"),
    ],
)
def test_a_number_off_the_scale_is_not_believed(shipped, name, value):
    with pytest.raises(cc.errors.FindingsError, match="is not plausible"):
        shipped.read({name: value})


@pytest.mark.parametrize("albumin", ["2.4 g/dL", "2.4g/dL", "24 g/L", "2400 mg/dL"])
def test_calcium_is_corrected_for_albumin_and_says_so(shipped, albumin):
    evidence = shipped.read(serum_calcium="9.1 mg/dL", albumin=albumin)
    # 9.1 + 0.8 * (4.0 - 2.4) = 10.38
    words = f"10.38 mg/dL corrected for albumin {albumin.replace('4g', '4 g')} (payne1973) → normal"
    assert evidence["serum_calcium"].understood == words
    assert str(evidence) == f"serum_calcium = 9.1 mg/dL → {words}"
    assert evidence.notes == ()


def test_the_correction_changes_the_state(shipped):
    plain = shipped.read(serum_calcium="2.6 mmol/L")
    corrected = shipped.read(serum_calcium="2.6 mmol/L", albumin="20 g/L")
    assert plain["serum_calcium"].likelihoods == (NORMAL,)
    assert corrected["serum_calcium"].likelihoods == (HIGH,)


@pytest.mark.parametrize(
    ("calcium", "albumin", "state"),
    [
        ("9.7 mg/dL", "3 g/dL", "normal"),  # 9.7 + 0.8 is 10.5
        ("9.71 mg/dL", "3 g/dL", "high"),
        ("9.54 mg/dL", "53 g/L", "normal"),  # 9.54 - 1.04 is 8.5
        ("9.78 mg/dL", "5.6 g/dL", "normal"),  # 9.78 - 1.28 is 8.5
        ("9.62 mg/dL", "5.4 g/dL", "normal"),  # 9.62 - 1.12 is 8.5
        ("11.38 mg/dL", "5.1 g/dL", "normal"),  # 11.38 - 0.88 is 10.5
    ],
)
def test_a_corrected_value_on_a_limit_is_not_pushed_off_it_by_rounding(shipped, calcium, albumin, state):
    corrected = shipped.read(serum_calcium=calcium, albumin=albumin)["serum_calcium"]
    assert corrected.likelihoods == shipped.read(serum_calcium=state)["serum_calcium"].likelihoods


@pytest.mark.parametrize("calcium", [None, "high", "normal/high", "low:0.2,high:0.8"])
def test_albumin_without_a_number_for_calcium_is_noted_as_not_used(shipped, calcium):
    evidence = shipped.read(serum_calcium=calcium, albumin="24 g/L")
    assert evidence.notes == ("24 g/L albumin was not used: serum_calcium is not given as a number",)
    assert list(evidence) == list(shipped.read(serum_calcium=calcium))


def test_albumin_is_read_from_a_column_of_a_table_too(shipped):
    frame = pd.DataFrame({"serum_calcium": ["9.6 mg/dL", "9.6 mg/dL"], "albumin": ["20 g/L", None]})
    answer = shipped.posteriors(frame)
    for row, state in enumerate(["high", "normal"]):
        expected = shipped.posterior(serum_calcium=state).probabilities
        np.testing.assert_allclose(answer.loc[row, list(shipped.states)].astype(float), expected, atol=1e-15)


@pytest.fixture(scope="module")
def signs(build):
    """A variable whose states hold the signs of the grammar."""
    return cc.Model(build("kind", {"kind": ("a/b x:y p,q a plain", "", [0.1, 0.2, 0.3, 0.1, 0.3])}))


@pytest.mark.parametrize(
    ("value", "likelihood"),
    [
        ("a/b", (1, 0, 0, 0, 0)),
        ("x:y", (0, 1, 0, 0, 0)),
        ("p,q", (0, 0, 1, 0, 0)),
        ("a/b/plain", (1, 0, 0, 0, 1)),
        ("plain/a/b", (1, 0, 0, 0, 1)),
        ("a/a/b", (1, 0, 0, 1, 0)),
        ("x:y/plain", (0, 1, 0, 0, 1)),
        ("plain/x:y", (0, 1, 0, 0, 1)),
        ("p,q/plain", (0, 0, 1, 0, 1)),
        ("plain/p,q", (0, 0, 1, 0, 1)),
        ("a/b:0.5,plain:1", (0.5, 0, 0, 0, 1)),
        ("x:y:0.5,plain:1", (0, 0.5, 0, 0, 1)),
        ("p,q:0.5,plain:1", (0, 0, 0.5, 0, 1)),
        ("plain:1,p,q:0.5", (0, 0, 0.5, 0, 1)),
        ({"a/b", "x:y", "p,q"}, (1, 1, 1, 0, 0)),
        ({"p,q": 0.5, "x:y": 0.25}, (0, 0.25, 0.5, 0, 0)),
        (["p,q"], (0, 0, 1, 0, 0)),
    ],
    ids=told,
)
def test_a_state_whose_name_holds_a_sign_is_matched_whole_first(signs, value, likelihood):
    (finding,) = signs.read(kind=value)
    assert finding.likelihoods == (likelihood,)


def test_repeated_results_with_signs_in_their_names(build):
    tables = {"kind": ("s t", "", [0.5, 0.5]), "seen": ("p,q a/b plain", "kind", [[0.2, 0.3, 0.5], [0.5, 0.3, 0.2]])}
    model = cc.Model(build("kind", tables, repeatable=["seen"]))
    (finding,) = model.read(seen="p,q,plain,a/b,p,q/plain")
    assert finding.likelihoods == ((1, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 1))


def test_a_state_called_unknown_can_be_observed(build):
    model = cc.Model(build("cause", {"cause": ("known unknown", "", [0.5, 0.5])}))
    assert model.read(cause="unknown")["cause"].likelihoods == ((0.0, 1.0),)


def test_states_that_are_numbers_are_matched_by_numbers(build):
    model = cc.Model(build("stage", {"stage": ("1 2 2.5", "", [0.5, 0.25, 0.25])}))
    for value, state in [(1, "1"), (2.0, "2"), (np.int64(2), "2"), (2.5, "2.5"), ({1, 2.5}, "1/2.5"), ({2: 1}, "2:1")]:
        assert model.read(stage=value)["stage"].likelihoods == model.read(stage=state)["stage"].likelihoods


def test_findings_may_come_by_name_in_a_mapping_or_both(shipped):
    whole = shipped.read(pain="severe", warfarin="yes")
    assert shipped.read({"pain": "severe", "warfarin": "yes"}) == whole
    assert shipped.read({"pain": "severe"}, warfarin="yes") == whole
    assert shipped.read(pd.Series({"pain": "severe", "warfarin": "yes", "esrd": None}).to_dict()) == whole


def test_evidence_that_was_read_can_be_asked_again(shipped):
    evidence = shipped.read(pain="severe", serum_calcium="9.1 mg/dL", albumin="2.4 g/dL")
    assert shipped.posterior(evidence) == shipped.posterior(
        pain="severe", serum_calcium="9.1 mg/dL", albumin="2.4 g/dL"
    )
    with pytest.raises(TypeError, match="not both"):
        shipped.posterior(evidence, warfarin="yes")
