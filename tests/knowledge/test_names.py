"""Names that are the same but for their look are refused, and so are words that have a meaning of their own."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from properties import examples

from calcinosis.knowledge.names import RESERVED, fault_of_name, folded, known_as, same_finding
from calcinosis.knowledge.problem import PriorsError, Problem, shown
from calcinosis.knowledge.reader import read_priors

LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=6)


@given(LETTERS)
def test_a_name_is_the_same_in_capitals_and_in_every_normal_form(name):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert folded(unicodedata.normalize(form, name)) == folded(name)
    assert folded(folded(name)) == folded(name)
    assert folded(f" {name}\u200b ") == folded(name)
    assert known_as(unicodedata.normalize("NFD", name), [name]) == name


@pytest.mark.parametrize(("one", "other"), [("mg/dL", "MG/DL"), ("\u00b5mol/L", "\u03bcmol/L"), ("Straße", "STRASSE")])
def test_look_alikes_are_the_same(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("mg/dL", "mg/L"), ("\u00b5mol/L", "mmol/L"), ("none", "no")])
def test_what_differs_in_a_letter_is_not_the_same(one, other):
    assert folded(one) != folded(other)


def test_states_that_a_finding_cannot_tell_apart_are_the_same():
    assert same_finding("TRUE") == same_finding("yes") != same_finding("false") == same_finding("No")
    assert same_finding("1.0") == same_finding("01") == same_finding("1") != same_finding("1.5")


def problems_of(folder, file, old, new):
    """The problems of a folder with one text changed; the file is put back."""
    path = folder / file
    whole = path.read_text(encoding="utf-8")
    assert old in whole
    path.write_text(whole.replace(old, new), encoding="utf-8")
    try:
        read_priors(folder)
    except PriorsError as error:
        return error.problems
    finally:
        path.write_text(whole, encoding="utf-8")
    return ()


CASES = st.sampled_from([str.upper, str.lower, str.title, lambda w: unicodedata.normalize("NFD", w), lambda w: f"{w}"])


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LETTERS.filter(lambda word: word == word.strip() and not RESERVED.get(folded(word))), CASES, CASES)
def test_states_equal_under_folding_are_refused_and_both_lines_named(tiny, word, one, other):
    # two names that a comparison takes for one are refused, whatever way they differ in
    a, b = one(word), other(word)
    if folded(a) != folded(b):
        return  # a letter without a counterpart, such as the dotless i
    new = f"swab,{a},,,,\nswab,{b},,,,\nswab,positive,,,,"
    told = [p for p in problems_of(tiny, "states.csv", "swab,negative,,,,\nswab,positive,,,,", new) if p.line == 7]
    assert any("line 6" in problem.what for problem in told)


@pytest.mark.parametrize("word", [w for w, (_, roles) in RESERVED.items() if "state" in roles])
@pytest.mark.parametrize("look", [str, str.upper, str.title])
def test_a_state_with_a_meaning_of_its_own_is_refused(tiny, word, look):
    found = problems_of(tiny, "states.csv", "swab,positive", f"swab,{look(word)}")
    assert any(problem.what == "a reserved name" and problem.value == look(word) for problem in found)


@pytest.mark.parametrize("word", [w for w, (_, roles) in RESERVED.items() if "variable" in roles and w.isidentifier()])
def test_a_variable_with_a_meaning_of_its_own_is_refused(tiny, word):
    found = problems_of(tiny, "variables.csv", "swab,Swab", f"{word},Swab")
    assert any(problem.what == "a reserved name" and problem.value == word for problem in found)


@pytest.mark.parametrize("word", ["none", "missing", "other", "leading", "value", "hard"])
def test_words_without_a_meaning_of_their_own_are_states(word):
    assert fault_of_name(word, "state") is None


def test_a_message_shows_the_beginning_of_a_long_value_on_one_line():
    problem = Problem("a.csv", 1, "c" * 1000, "v\n" * 100_000, "what", "so")
    assert len(str(problem)) < 200
    assert "\n" not in str(problem)
    assert problem.to_dict()["value"] == shown("v\n" * 100_000)
