"""A number is read if it is written plainly; else the fault is named, and the fix is a number that can be read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcinosis.knowledge.number import NotANumber, parse_number

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def refused(text):
    with pytest.raises(NotANumber) as caught:
        parse_number(text)
    return caught.value


@given(FINITE)
def test_what_python_writes_is_read_to_the_last_bit(number):
    read = parse_number(repr(number))
    assert (read, math.copysign(1, read)) == (number, math.copysign(1, number))


@given(st.integers(-(10**30), 10**30))
def test_a_whole_number_is_read(number):
    assert parse_number(str(number)) == float(number)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.52", 0.52), (".5", 0.5), ("5.", 5), ("+1", 1), ("-1e-3", -0.001), ("1E5", 1e5), ("007", 7), ("1e-999", 0)],
)
def test_a_plain_number_is_read(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("", "no number", "write digits with a decimal point, such as 0.52"),
        ("0,52", "a decimal comma", "write 0.52"),
        ("0,523", "a decimal comma", "write 0.523"),
        (",5", "a decimal comma", "write .5"),
        ("-12,5", "a decimal comma", "write -12.5"),
        ("1,234", "a thousands separator", "write 1234"),
        ("12'345.6", "a thousands separator", "write 12345.6"),
        ("-1\u202f234\u202f567", "a thousands separator", "write -1234567"),
        ("52%", "a percentage", "write 0.52"),
        ("-0.5 %", "a percentage", "write -0.005"),
        ("1e309", "too large for a number", "write a smaller number"),
        ("-1e309", "too large for a number", "write a smaller number"),
        ("#DIV/0!", "an error of a spreadsheet", "write the number that the cell should show"),
        ("#REF!", "an error of a spreadsheet", "write the number that the cell should show"),
        ("#####", "an error of a spreadsheet", "write the number that the cell should show"),
        ("1" * 401, "401 characters", "write a number of at most 400"),
    ],
)
def test_a_dressed_number_is_named_with_its_mend(text, what, fix):
    fault = refused(text)
    assert (fault.what, fault.fix) == (what, fix)
    assert str(fault) == f"{what}: {fix}"


STRANGE = "nan inf -Infinity 1_000 0x1 1e e5 . + --1 ½ １ ٣ 1d5 =1/2 1/2 <5 ~3 0.5.1 1,2,3 1.234,5 TRUE −1"


@pytest.mark.parametrize("text", [*STRANGE.split(), "1 2", " 1", "1\n"])
def test_what_is_not_a_number_is_refused(text):
    assert refused(text).what == "not a number"


def number_or_fault(text):
    try:
        return parse_number(text)
    except NotANumber as fault:
        return fault


@given(st.text() | st.text("0123456789+-.,%eE' \u00a0\u202f"))
def test_any_text_is_a_finite_number_or_a_fault_with_a_mend(text):
    answer = number_or_fault(text)
    assert (answer.what and answer.fix) if isinstance(answer, NotANumber) else math.isfinite(answer)


DRESSED = st.tuples(
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**6).map("{:,}".format) | st.integers(0, 9999).map(str),
    st.sampled_from(["", ".5", ",5", ",25"]),
    st.sampled_from(["", "%", " %"]),
).map("".join)


@given(DRESSED)
def test_a_mend_that_names_a_number_can_be_followed(text):
    answer = number_or_fault(text)
    if isinstance(answer, NotANumber) and answer.what != "not a number":
        assert math.isfinite(parse_number(answer.fix.removeprefix("write ")))
