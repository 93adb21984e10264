"""The digest: the same for what says the same, another for what says something else."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcinosis.knowledge.frozen import digest
from calcinosis.knowledge.reader import read_priors


@dataclass(frozen=True)
class Note:
    """A record with a field that does not count."""

    text: str
    number: float = 0.0
    line: int = field(default=0, compare=False)


WORDS = st.text(max_size=3)
CELLS = st.none() | st.integers() | WORDS | st.lists(WORDS, max_size=2)
CONTENT = st.dictionaries(WORDS, CELLS | st.dictionaries(WORDS, CELLS, max_size=2), max_size=3)


@given(CONTENT)
def test_it_is_64_hexadecimal_digits_and_the_same_each_time(content):
    assert digest(content) == digest(content)
    assert len(bytes.fromhex(digest(content))) == 32


@given(CONTENT, st.randoms())
def test_the_order_of_keys_is_of_no_account(content, chance):
    keys = chance.sample(list(content), len(content))
    assert digest({key: content[key] for key in keys}) == digest(content)


@pytest.mark.parametrize("file", ["expectations.csv", "sources.csv", "units.csv", "tables/fever.csv"])
def test_the_order_of_lines_is_of_no_account(tiny, edit, file):
    edit(tiny / "units.csv", "fever,mC,0.001", "fever,mC,0.001\nfever,kC,1000")
    edit(
        tiny / "expectations.csv",
        "raises,,smith2020",
        "raises,,smith2020\nswab,positive,negative,flu,raises,,smith2020",
    )
    before = read_priors(tiny)
    header, *lines = (tiny / file).read_text().splitlines()
    (tiny / file).write_text("\n".join([header, *lines[::-1]]))
    after = read_priors(tiny)
    assert len(lines) > 1
    assert after.digest == before.digest


def test_the_order_of_words_counts():
    assert digest(("a", "b")) != digest(("b", "a"))


def test_where_a_record_stood_is_of_no_account():
    assert digest(Note("a", line=1)) == digest(Note("a", line=2))


@given(CONTENT, CONTENT)
def test_different_content_has_a_different_digest(one, two):
    assert (digest(one) == digest(two)) == (one == two)


def test_a_difference_in_the_last_bit_counts():
    assert digest(Note("a", 0.1 + 0.2)) != digest(Note("a", 0.3))


def test_what_is_no_record_is_refused():
    with pytest.raises(TypeError, match="no digest of object"):
        digest(object())


EDITS = {
    "a probability": ("tables/disease.csv", "0.25,0.75", "0.26,0.74"),
    "a weight": ("tables/disease.csv", "0.75,40", "0.75,41"),
    "a source": ("tables/disease.csv", "40,smith2020", "40,definition"),
    "a note of a row": ("tables/disease.csv", "40,smith2020,", "40,smith2020,why"),
    "a label": ("variables.csv", "fever,Fever", "fever,Heat"),
    "a description": ("variables.csv", "fever,Fever,examination,no,C,", "fever,Fever,examination,no,C,38 and more"),
    "a group": ("variables.csv", "laboratory", "imaging"),
    "repeatable": ("variables.csv", "laboratory,yes", "laboratory,no"),
    "a label of a state": ("states.csv", "disease,flu,", "disease,flu,influenza"),
    "the top of the scale": ("states.csv", "38,43", "38,44"),
    "whose the limit is": ("states.csv", "yes,,38,43", "yes,,>38,43"),
    "a unit's factor": ("units.csv", "0.001", "0.01"),
    "a slope": ("corrections.csv", "0.1", "0.2"),
    "a citation": ("sources.csv", "A cohort", "The cohort"),
    "a year": ("sources.csv", ",2020,", ",2021,"),
    "a direction": ("expectations.csv", "raises", "lowers"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_the_folder_changes_its_digest(tiny, edit, what):
    before = read_priors(tiny).digest
    file, old, new = EDITS[what]
    edit(tiny / file, old, new)
    assert read_priors(tiny).digest != before


def test_where_the_folder_is_does_not_change_its_digest(tiny, tmp_path):
    before = read_priors(tiny).digest
    assert read_priors(tiny.rename(tmp_path / "other")).digest == before


def test_two_states_that_change_places_with_their_probabilities_change_the_digest(tiny, edit):
    """P(flu) goes from 0.25 to 0.75; as flu now stands second, the row still reads 0.25, 0.75 in order of states."""
    before = read_priors(tiny)
    edit(tiny / "states.csv", "disease,flu,,,,\ndisease,cold,,,,", "disease,cold,,,,\ndisease,flu,,,,")
    edit(tiny / "tables" / "disease.csv", "0.25,0.75", "0.75,0.25")
    after = read_priors(tiny)
    assert after.tables["disease"].rows[0].probabilities == before.tables["disease"].rows[0].probabilities
    assert after.digest != before.digest
