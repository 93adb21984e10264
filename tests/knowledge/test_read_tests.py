"""The tests that could be ordered: read as they stand, in their order; a folder may have none.

The messages about faults are told word for word in test_messages.py, and every kind of fault in test_corruptions.py.
"""

import shutil
from dataclasses import FrozenInstanceError, replace

import pytest

from calcinosis.knowledge.decisions import ClinicalTest
from calcinosis.knowledge.folder import copy_folder, shipped_folder
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.revise import revised

HEADER = "test,label,reveals,cost,harm,days,after,source,note"
SWAB = "swab,Swab,swab,5.5,0.1,2,,smith2020;judgement,quick"
TWO_SWABS = "two_swabs,Two swabs,swab; swab ;fever,9,1,0.5,fever,judgement,"


def write(folder, *lines):
    (folder / "tests.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_test_is_read_as_it_stands(tiny):
    write(tiny, HEADER, SWAB, TWO_SWABS)
    assert dict(read_priors(tiny).tests) == {
        "swab": ClinicalTest("swab", "Swab", ("swab",), 5.5, 0.1, 2.0, ("smith2020", "judgement"), note="quick"),
        "two_swabs": ClinicalTest(
            "two_swabs", "Two swabs", ("swab", "swab", "fever"), 9.0, 1.0, 0.5, ("judgement",), after=("fever",)
        ),
    }


def test_it_knows_its_line_and_cannot_be_changed(tiny):
    write(tiny, HEADER, "", SWAB)
    swab = read_priors(tiny).tests["swab"]
    assert swab.line == 3
    assert replace(swab, line=9) == swab
    with pytest.raises(FrozenInstanceError):
        swab.cost = 0.0


def test_tests_stand_in_the_order_of_their_file(tiny):
    for lines in ([SWAB, TWO_SWABS], [TWO_SWABS, SWAB]):
        write(tiny, HEADER, *lines)
        assert list(read_priors(tiny).tests) == [line.split(",")[0] for line in lines]


def test_columns_may_stand_in_any_order_and_two_of_them_may_be_missing(tiny):
    write(tiny, "source,days,harm,cost,reveals,label,test", "smith2020,2,0.1,5.5,swab,Swab,swab")
    expected = ClinicalTest("swab", "Swab", ("swab",), 5.5, 0.1, 2.0, ("smith2020",))
    assert dict(read_priors(tiny).tests) == {"swab": expected}


def test_a_folder_need_not_have_tests(tiny):
    assert not (tiny / "tests.csv").exists()
    assert dict(read_priors(tiny).tests) == {}
    write(tiny, HEADER)
    assert dict(read_priors(tiny).tests) == {}


def test_a_shipped_folder_without_its_tests_is_read(still, tmp_path):
    folder = copy_folder(still, tmp_path / "earlier")
    (folder / "tests.csv").unlink()
    shutil.rmtree(folder / "decisions")  # some of which begin with a test
    earlier, now = read_priors(folder), read_priors(still)
    assert not earlier.tests
    assert earlier.digest != now.digest
    assert earlier.digest == replace(now, tests=FrozenMap({}), decisions=None).digest


def test_without_a_test_the_digest_is_what_it_was_before_there_were_any(tiny):
    before = read_priors(tiny).digest
    write(tiny, HEADER)
    assert read_priors(tiny).digest == before
    assert before == "f31e032097a639a3e66a0b65b969176c110396ce77b94c81702cabdfa9e31bea"


EDITS = {
    "a name": ("swab,Swab", "nose,Swab"),
    "a label": ("swab,Swab", "swab,Nose"),
    "what it reveals": ("Swab,swab,", "Swab,swab;swab,"),
    "a cost": ("5.5", "5.6"),
    "a harm": ("0.1", "0.2"),
    "its days": ("0.1,2", "0.1,3"),
    "what it comes after": ("2,,", "2,fever,"),
    "its sources": ("smith2020;judgement", "smith2020"),
    "a note": ("quick", "slow"),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_a_test_changes_the_digest(tiny, edit, what):
    without = read_priors(tiny).digest
    write(tiny, HEADER, SWAB)
    before = read_priors(tiny).digest
    edit(tiny / "tests.csv", *EDITS[what])
    assert len({without, before, read_priors(tiny).digest}) == 3


def test_the_order_of_tests_does_not_change_the_digest(tiny):
    write(tiny, HEADER, SWAB, TWO_SWABS)
    before = read_priors(tiny).digest
    write(tiny, HEADER, TWO_SWABS, SWAB)
    assert read_priors(tiny).digest == before


def test_all_faults_of_a_test_are_told_at_once(tiny):
    write(tiny, HEADER, ",,fevre;disease,-1,2,soon,swap,nobody1900,", SWAB, SWAB)
    with pytest.raises(PriorsError) as caught:
        read_priors(tiny)
    told = [(problem.line, problem.column) for problem in caught.value.problems]
    wrong = ["after", "cost", "days", "harm", "label", "reveals", "reveals", "source", "test"]
    assert told == [*((2, column) for column in wrong), (4, "test")]


def test_priors_with_other_tables_keep_their_tests(tiny):
    write(tiny, HEADER, SWAB)
    priors = read_priors(tiny)
    assert revised(priors, {"swab": priors.table("swab")}).tests == priors.tests


def test_a_copy_of_the_shipped_folder_has_its_tests(tmp_path):
    copy = copy_folder(shipped_folder(), tmp_path / "mine")
    assert (copy / "tests.csv").read_bytes() == (shipped_folder() / "tests.csv").read_bytes()
