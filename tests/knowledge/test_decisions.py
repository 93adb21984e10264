"""decisions/: read as it stands, in any order of rows and columns; a folder need not have it.

The messages about faults are told word for word in test_messages.py.
"""

import csv
import io
import random
import shutil

import pytest

from calcinosis.knowledge.decisions import KINDS, TEST_HARM
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.reader import read_priors

DIGEST_OF_TINY = "f31e032097a639a3e66a0b65b969176c110396ce77b94c81702cabdfa9e31bea"
"""As it was before there were decisions."""


@pytest.fixture
def folder(still, tmp_path):
    """A copy of the shipped folder, to be changed."""
    return shutil.copytree(still, tmp_path / "priors")


def rewrite(path, change):
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    rows = change(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")


@pytest.mark.slow
def test_the_shipped_decisions_have_the_figures_that_were_asked_for(still):
    decisions = read_priors(still).decisions
    rows = {(name, row.subtype): row for row in decisions.responses for name in row.actions}
    share = {key: dict(zip(decisions.outcomes, row.probabilities, strict=True)) for key, row in rows.items()}
    waits, treated = share["wound_care", "calciphylaxis"], share["iv_sts", "calciphylaxis"]
    assert treated["improved"] / waits["improved"] == pytest.approx(1.23)
    assert treated["died"] / waits["died"] == pytest.approx(0.88, abs=1e-3)
    # two reported successes count a quarter, three failures of a series in full
    assert share["iv_sts", "dystrophic"]["improved"] == pytest.approx((2 / 4 + 0.5) / (3 + 2 / 4 + 1), abs=5e-4)
    assert rows["iv_sts", "dystrophic"].weight == 3 + 2 / 4
    assert share["intralesional_sts", "dystrophic"]["improved"] == pytest.approx((1 + 0.5) / (4 + 1))
    tests = read_priors(still).tests
    assert (tests["punch_biopsy"].harm, tests["punch_biopsy"].weight) == (0.14, 114)


def test_the_weights_give_the_published_interval_of_the_risk_ratio(still):
    """Wen 2023: better 1.23 (0.85 to 1.78). The spread of the ratio of the two drawn rows, by the delta method."""
    rows = {row.actions: row for row in read_priors(still).decisions.responses if row.subtype == "calciphylaxis"}
    variance = 0.0
    for name in ("wound_care", "iv_sts"):
        row = next(row for names, row in rows.items() if name in names)
        improved = row.probabilities[read_priors(still).decisions.outcomes.index("improved")]
        variance += (1 - improved) / improved / (row.weight + 1)
    ends = [1.23 * 2.718281828 ** (side * 1.96 * variance**0.5) for side in (-1, 1)]
    assert ends == pytest.approx([0.85, 1.78], abs=0.02)


def test_every_value_judgement_is_marked_and_reasoned(still):
    priors = read_priors(still)
    for utility in priors.decisions.utilities.values():
        kinds = {priors.sources[key].kind for key in utility.sources}
        assert utility.kind in KINDS
        assert "judgement" in kinds or kinds == {"definition"}, utility.name
        assert utility.note


def test_a_folder_need_not_have_decisions_and_then_keeps_its_digest(tiny, folder):
    assert read_priors(tiny).decisions is None
    assert read_priors(tiny).digest == DIGEST_OF_TINY
    with_them = read_priors(folder)
    shutil.rmtree(folder / "decisions")
    without = read_priors(folder)
    assert without.decisions is None
    assert without.digest != with_them.digest


def test_rows_and_columns_may_stand_in_any_order(folder):
    before = read_priors(folder)
    random.seed(5)

    def shuffled(rows):
        names = list(rows[0])
        random.shuffle(names)
        random.shuffle(rows)
        return [{name: row[name] for name in names} for row in rows]

    for path in sorted((folder / "decisions").glob("*.csv")):
        rewrite(path, shuffled)
    after = read_priors(folder)
    assert after.digest == before.digest
    assert set(after.decisions.actions) == set(before.decisions.actions)


@pytest.mark.parametrize("file", ["actions.csv", "responses.csv", "harms.csv", "utilities.csv"])
def test_what_a_file_says_is_in_the_digest(folder, file):
    before = read_priors(folder).digest
    rewrite(folder / "decisions" / file, lambda rows: [rows[0] | {"note": "another reason"}, *rows[1:]])
    assert read_priors(folder).digest != before


@pytest.mark.parametrize("file", ["actions.csv", "responses.csv", "utilities.csv"])
def test_no_row_can_be_left_out_of_the_shipped_files_unnoticed(folder, file):
    """Each row is needed: without it an action has no response, an outcome no value, a harm none either."""
    path = folder / "decisions" / file
    whole = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(whole)))
    free = {"biopsy_first", "biopsies_first", "wedge_first", "iv_sts_and_biopsy"}  # nothing else speaks of these
    for number, row in enumerate(rows):
        spared = file == "utilities.csv" and (row["subtype"] or row["kind"] == "delay")
        if row.get("action") in free or spared:
            continue
        rewrite(path, lambda rows, number=number: rows[:number] + rows[number + 1 :])
        with pytest.raises(PriorsError, match="decisions/"):
            read_priors(folder)
        path.write_text(whole, encoding="utf-8")


def test_a_harm_of_tests_has_one_value_for_all_of_them(still):
    assert read_priors(still).decisions.utility(TEST_HARM, "calciphylaxis").item == TEST_HARM


def test_a_value_for_one_subtype_goes_before_the_general_one(still):
    decisions = read_priors(still).decisions
    assert decisions.utility("not_improved", "calciphylaxis").value == 30
    assert decisions.utility("not_improved", "dystrophic").value == 60
    assert decisions.utility("nothing", "dystrophic") is None
