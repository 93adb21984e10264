"""Every message about findings that are not understood, in full: what is wrong and how to fix it."""

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc

ONE = "1 finding is not understood\n"
STATES = "write one of: none, intermittent, severe"
UNITS = "calcium is read in mg/dL, mmol/L"
ORDER = "write digits with a decimal point, such as 0.52"
VARIABLES = "the variables are disease, pain, warfarin, biopsy, calcium"
PAIR = "write state:number, as in none:0.2,severe:0.8"
TEXTS = [
    # names
    ({"warfarn": "yes"}, f"warfarn=yes: no such variable: did you mean warfarin? T{VARIABLES[1:]}"),
    ({"Warfarin": True}, f"Warfarin=True: no such variable: did you mean warfarin? T{VARIABLES[1:]}"),
    ({"zzz": None}, f"zzz: no such variable: {VARIABLES}"),
    # states
    ({"pain": "sever"}, "pain=sever: no state 'sever': did you mean 'severe'? One of: none, intermittent, severe"),
    ({"pain": "zzz"}, f"pain=zzz: no state 'zzz': {STATES}"),
    ({"pain": "NA"}, f"pain=NA: no state 'NA': {STATES}; or nothing, if it was not observed"),
    ({"pain": "N/A"}, f"pain=N/A: no state 'N/A': {STATES}; or nothing, if it was not observed"),
    ({"pain": "#DIV/0!"}, "pain=#DIV/0!: #DIV/0! is an error of a spreadsheet: write what was found, or nothing"),
    ({"calcium": "#N/A"}, "calcium=#N/A: #N/A is an error of a spreadsheet: write what was found, or nothing"),
    ({"calcium": "inf mg/dL"}, f"calcium=inf mg/dL: not a number: {ORDER}, and its unit"),
    ({"calcium": "9.1 µmol/L"}, f"calcium=9.1 µmol/L: unknown unit 'µmol/L': {UNITS}"),
    ({"calcium": "9.1 µg/dL"}, f"calcium=9.1 µg/dL: unknown unit 'µg/dL': {UNITS}"),
    ({"albumin": ["2.5 g/dL", "2.5 g/dL"]}, "albumin=2.5 g/dL,2.5 g/dL: given twice: give it once"),
    ({"albumin": "2.5 g/dL, 2.5 g/dL"}, "albumin=2.5 g/dL, 2.5 g/dL: given twice: give it once"),
    ({"pain": "none:0,2"}, "pain=none:0,2: the likelihood of none is a decimal comma: write none:0.2"),
    (
        {"pain": "none:1,severe:1e-301"},
        "pain=none:1,severe:1e-301: the likelihood of severe is less than 1e-300 times the largest: "
        "write 0 for what cannot be, or a larger number",
    ),
    (
        {"pain": "z" * 100_000},
        f"pain={'z' * 79}…: 100,000 characters, of which at most 10,000 are read: "
        "give a shorter value, or in Python repeated results as a list",
    ),
    ({"pain": "z" * 9_000}, f"pain={'z' * 79}…: no state '{'z' * 79}…': {STATES}"),
    ({"z" * 100_000: "yes"}, f"{'z' * 79}…=yes: no such variable: {VARIABLES}"),
    ({"pain": True}, f"pain=True: no state 'True': {STATES}"),
    ({"pain": 3}, f"pain=3: no state '3': {STATES}"),
    ({"pain": "none/zzz"}, f"pain=none/zzz: no state 'zzz': {STATES}"),
    ({"pain": {"none", "zzz"}}, f"pain=none/zzz: no state 'zzz': {STATES}"),
    ({"pain": {"zzz", "yyy", "xxx"}}, f"pain=xxx/yyy/zzz: no state 'xxx': {STATES}"),
    ({"pain": "none/"}, f"pain=none/: no state '': {STATES}"),
    ({"pain": set()}, f"pain: no state is named: {STATES}"),
    (
        {"calcium": "Normal"},
        "calcium=Normal: no state 'Normal': did you mean 'normal'? One of: low, normal, high; "
        "or a number with its unit (mg/dL, mmol/L)",
    ),
    # numbers and units
    ({"calcium": "9.1"}, f"calcium=9.1: a number without its unit: write 9.1 mg/dL ({UNITS})"),
    ({"calcium": 9.1}, f"calcium=9.1: a number without its unit: write 9.1 mg/dL ({UNITS})"),
    ({"calcium": np.float64(9)}, f"calcium=9.0: a number without its unit: write 9 mg/dL ({UNITS})"),
    ({"calcium": "9.1 mgdl"}, f"calcium=9.1 mgdl: unknown unit 'mgdl': did you mean mg/dL? {UNITS}"),
    ({"calcium": "9.1 stone"}, f"calcium=9.1 stone: unknown unit 'stone': {UNITS}"),
    ({"calcium": "10 %"}, f"calcium=10 %: unknown unit '%': {UNITS}"),
    ({"calcium": "9,1 mg/dL"}, "calcium=9,1 mg/dL: a decimal comma: write 9.1 mg/dL"),
    ({"calcium": "1,000 mg/dL"}, "calcium=1,000 mg/dL: a thousands separator: write 1000 mg/dL"),
    ({"calcium": "1 000 mg/dL"}, "calcium=1 000 mg/dL: a thousands separator: write 1000 mg/dL"),
    ({"calcium": "<9 mg/dL"}, f"calcium=<9 mg/dL: not a number: {ORDER}, and its unit"),
    ({"calcium": "9.1.2 mg/dL"}, f"calcium=9.1.2 mg/dL: not a number: {ORDER}, and its unit"),
    (
        {"calcium": "1e999 mg/dL"},
        "calcium=1e999 mg/dL: too large for a number: write a smaller number, and its unit",
    ),
    (
        {"calcium": "2.27 mg/dL"},
        "calcium=2.27 mg/dL: 2.27 mg/dL is not plausible: it should lie between 4 and 25 mg/dL; check number and unit",
    ),
    (
        {"calcium": "9.1 mmol/L"},
        "calcium=9.1 mmol/L: 36.47 mg/dL is not plausible: it should lie between 4 and 25 mg/dL; check number and unit",
    ),
    # albumin
    ({"albumin": "24"}, "albumin=24: a number without its unit: write 24 g/dL (albumin is read in g/dL, g/L)"),
    ({"albumin": "24 gl"}, "albumin=24 gl: unknown unit 'gl': did you mean g/L? albumin is read in g/dL, g/L"),
    ({"albumin": "2,4 g/dL"}, "albumin=2,4 g/dL: a decimal comma: write 2.4 g/dL"),
    ({"albumin": "low"}, f"albumin=low: no number: {ORDER}, and its unit"),
    (
        {"albumin": "24 g/dL"},
        "albumin=24 g/dL: 24 g/dL is not plausible: it should lie between 0.5 and 7 g/dL; check number and unit",
    ),
    # several results
    (
        {"pain": "none,severe"},
        "pain=none,severe: two results for a variable that is not repeatable: give one result",
    ),
    (
        {"pain": ["none", "none"]},
        "pain=none,none: two results for a variable that is not repeatable: give one result",
    ),
    (
        {"calcium": "9.1 mg/dL, 9.3 mg/dL"},
        "calcium=9.1 mg/dL, 9.3 mg/dL: two results for a variable that is not repeatable: give one result",
    ),
    ({"biopsy": [["absent"]]}, "biopsy=absent: a list within a list: give one result per item"),
    ({"biopsy": ["absent", ("absent",)]}, "biopsy=absent,absent: a list within a list: give one result per item"),
    (
        {"biopsy": np.array([["absent"], ["absent"]])},
        "biopsy=absent,absent: a list within a list: give one result per item",
    ),
    # likelihoods
    ({"pain": "none:-1"}, "pain=none:-1: the likelihood of none is negative: write a number from 0 up"),
    ({"pain": {"none": -0.1}}, "pain=none:-0.1: the likelihood of none is negative: write a number from 0 up"),
    ({"pain": {"none": np.nan}}, "pain=none:nan: the likelihood of none is not finite: write a number from 0 up"),
    ({"pain": {"none": np.inf}}, "pain=none:inf: the likelihood of none is not finite: write a number from 0 up"),
    ({"pain": {"none": None}}, "pain=none:None: the likelihood of none is not a number: write a number from 0 up"),
    ({"pain": "none:often"}, f"pain=none:often: the likelihood of none is not a number: {ORDER}"),
    ({"pain": "none:,severe:1"}, f"pain=none:,severe:1: the likelihood of none is no number: {ORDER}"),
    ({"pain": "none:20%"}, "pain=none:20%: the likelihood of none is a percentage: write 0.2"),
    ({"pain": {"none": "0,2"}}, "pain=none:0,2: the likelihood of none is a decimal comma: write 0.2"),
    ({"pain": "none:0.2,0.8"}, f"pain=none:0.2,0.8: no likelihood in '0.8': {PAIR}"),
    ({"pain": "none:0.2,zzz"}, f"pain=none:0.2,zzz: no likelihood in 'zzz': {PAIR}"),
    ({"pain": ":0.5"}, f"pain=:0.5: no likelihood in ':0.5': {PAIR}"),
    ({"pain": "none:1,none:2"}, "pain=none:1,none:2: two likelihoods for none: name each state once"),
    (
        {"warfarin": {True: 0.8, "yes": 0.1}},
        "warfarin=True:0.8,yes:0.1: two likelihoods for yes: name each state once",
    ),
    (
        {"pain": "none:0,severe:0"},
        "pain=none:0,severe:0: all likelihoods are 0: give at least one state a likelihood above 0",
    ),
    ({"pain": {}}, "pain: all likelihoods are 0: give at least one state a likelihood above 0"),
    (
        {"pain": "none:1,sever:2"},
        "pain=none:1,sever:2: no state 'sever': did you mean 'severe'? One of: none, intermittent, severe",
    ),
]


@pytest.mark.parametrize(("findings", "text"), TEXTS, ids=[text.split(": ")[0] for _, text in TEXTS])
def test_the_text_of_one_fault(clinic, findings, text):
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posterior(findings)
    assert str(caught.value) == ONE + text


@pytest.mark.parametrize("ask", ["read", "posterior", "marginals"])
def test_all_faults_are_told_at_once(clinic, ask):
    findings = {
        "calcium": "9,1 mg/dL",
        "pain": "sever",
        "albumin": "240 g/L",
        "warfarn": "yes",
        "biopsy": "absent",
        "warfarin": {"yes": -1},
    }
    with pytest.raises(cc.errors.FindingsError) as caught:
        getattr(clinic, ask)(findings, colour="red")
    assert str(caught.value) == (
        "6 findings are not understood\n"
        f"warfarn=yes: no such variable: did you mean warfarin? T{VARIABLES[1:]}\n"
        f"colour=red: no such variable: {VARIABLES}\n"
        "albumin=240 g/L: 24 g/dL is not plausible: it should lie between 0.5 and 7 g/dL; check number and unit\n"
        "pain=sever: no state 'sever': did you mean 'severe'? One of: none, intermittent, severe\n"
        "warfarin=yes:-1: the likelihood of yes is negative: write a number from 0 up\n"
        "calcium=9,1 mg/dL: a decimal comma: write 9.1 mg/dL"
    )


def test_a_fault_is_also_told_in_parts(clinic):
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.read(calcium="9,1 mg/dL")
    (fault,) = caught.value.faults
    parts = (fault.variable, fault.value, fault.what, fault.fix)
    assert parts == ("calcium", "9,1 mg/dL", "a decimal comma", "write 9.1 mg/dL")


def test_a_slip_in_the_name_of_albumin_is_told_with_the_nearest_spelling(clinic):
    with pytest.raises(cc.errors.FindingsError, match="did you mean albumin"):
        clinic.read(albumine="24 g/L")


def test_a_finding_given_twice(clinic):
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posterior({"pain": "none", "warfarin": "no"}, pain="severe")
    assert str(caught.value) == ONE + "pain=severe: given twice: give it once"


def test_a_finding_given_twice_does_not_hide_the_other_faults(clinic):
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posterior({"pain": "none"}, pain="severe", warfarin="perhaps")
    assert {(fault.variable, fault.what) for fault in caught.value.faults} == {
        ("pain", "given twice"),
        ("warfarin", "no state 'perhaps'"),
    }


@pytest.fixture
def three():
    """Three patients with two, no and one finding that is not understood."""
    return pd.DataFrame(
        {"pain": ["sever", None, "none"], "calcium": ["9.1", "9.1 mg/dL", 2.27]}, index=["ann", "bea", "cid"]
    )


ANN = (
    "pain=sever: no state 'sever': did you mean 'severe'? One of: none, intermittent, severe",
    f"calcium=9.1: a number without its unit: write 9.1 mg/dL ({UNITS})",
)
CID = f"calcium=2.27: a number without its unit: write 2.27 mg/dL ({UNITS})"


@pytest.mark.parametrize("strict", [False, True])
def test_a_column_that_is_a_slip_is_told_at_once(clinic, three, strict):
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posteriors(three.assign(warfarn="yes"), strict=strict)
    assert str(caught.value) == (
        "some columns are not understood\n"
        "warfarn: a column that is not read: did you mean warfarin? Otherwise rename it"
    )


def test_bad_cells_are_told_in_the_status_of_their_rows(clinic, three):
    answer = clinic.posteriors(three)
    assert answer["status"].to_dict() == {"ann": "invalid: " + "; ".join(ANN), "bea": "ok", "cid": f"invalid: {CID}"}
    assert answer["leading"].isna().tolist() == [True, False, True]


def test_when_strict_all_bad_cells_are_told_with_their_rows(clinic, three):
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posteriors(three, strict=True)
    assert str(caught.value).splitlines() == [
        "3 findings are not understood",
        f"row ann: {ANN[0]}",
        f"row ann: {ANN[1]}",
        f"row cid: {CID}",
    ]


@pytest.mark.parametrize("column", ["Pain", "pain_", "calcum", "albumine"])
def test_a_column_that_nearly_is_a_variable_is_not_passed_over(clinic, column):
    with pytest.raises(cc.errors.FindingsError, match="a column that is not read"):
        clinic.posteriors(pd.DataFrame({column: ["none"]}))


@pytest.mark.parametrize("column", ["remark", "name", "date of birth", 7, ("a", "b")])
def test_a_column_that_is_something_else_is_left_alone(clinic, column):
    names = pd.Index([column, "pain"], tupleize_cols=False)
    frame = pd.DataFrame({"x": ["anything"], "pain": [""]}).set_axis(names, axis=1)
    assert clinic.posteriors(frame)["leading"].tolist() == ["benign"]


def test_a_repeated_column_is_refused(clinic):
    frame = pd.DataFrame([["none", "severe"]], columns=["pain", "pain"])
    with pytest.raises(cc.errors.FindingsError, match="pain: the column is repeated"):
        clinic.posteriors(frame)


def nested(within, depth):
    """A value that holds another that holds another, so deep."""
    value = "severe"
    for _ in range(depth):
        value = within(value)
    return value


NESTED = {
    "list": nested(lambda own: [own], 20_000),
    "tuple": nested(lambda own: (own,), 900),
    "mapping": nested(lambda own: {"none": own}, 20_000),
    "key": {nested(lambda own: (own,), 900): 1.0},
    "set": nested(lambda own: frozenset([own]), 900),
    "set in a list": [nested(lambda own: frozenset([own]), 900)],
    "likelihood": {"none": nested(lambda own: [own], 900)},
    "array": [np.array([["none"]])],
}


@pytest.mark.parametrize("value", NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("name", ["pain", "calcium", "albumin"])
def test_a_value_nested_without_end_is_told_in_a_short_line(clinic, name, value):
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posterior({name: value})
    assert len(str(caught.value)) < 400
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posteriors(pd.DataFrame({name: pd.Series([value], dtype=object)}), strict=True)
    assert len(str(caught.value)) < 400


def test_a_nested_value_of_no_variable_is_told_in_a_short_line(clinic):
    for value in NESTED.values():
        with pytest.raises(cc.errors.FindingsError, match="no such variable") as caught:
            clinic.posterior(nobody=value)
        assert len(str(caught.value)) < 400


def test_a_list_within_a_list_is_told_as_such(clinic):
    for value in ([["severe"]], [[[["severe"]]]], [("severe",)], NESTED["list"]):
        with pytest.raises(
            cc.errors.FindingsError, match=r"pain=(severe|…): a list within a list: give one result per item"
        ):
            clinic.posterior(pain=value)
