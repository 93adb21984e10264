"""reporting.csv is read as strictly as the tables: every fault with its line, in any order of rows, and in the digest."""
# ruff: noqa: E501 - a message stands on one line here as it does on the screen

import pytest

import calcinosis as cc
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import RECORDS

HEADER = "record,variable,state,mentioned,weight,source,note\n"
SOUND = "letter,fever,yes,0.8,20,smith2020,\nletter,fever,no,0.3,20,smith2020,\n"
GHOST = {
    "variables.csv": ("swab,Swab", "ghost,Ghost,hidden,no,,\nswab,Swab"),
    "states.csv": ("swab,negative,,,,", "ghost,no,,,,\nghost,yes,,,,\nswab,negative,,,,"),
}


@pytest.fixture
def reported(tiny):
    """A function that writes the rows of reporting.csv into the small folder, and gives the folder."""

    def write(rows, header=HEADER):
        (tiny / "reporting.csv").write_text(header + rows, encoding="utf-8")
        return tiny

    return write


def messages(folder):
    with pytest.raises(PriorsError) as caught:
        read_priors(folder)
    return [str(problem) for problem in caught.value.problems]


def test_a_rate_is_a_row_of_the_table_of_a_mention(reported):
    priors = read_priors(reported(SOUND + "case_report,fever,any,0.5,7,smith2020;definition,as often\n"))
    assert list(priors.reporting) == ["case_report", "letter"]
    table = priors.reporting["letter"]["fever"]
    assert (table.variable, table.parents) == ("mentioned:fever", ("fever",))
    assert [(row.given, row.probabilities, row.weight) for row in table.rows] == [
        (("no",), (0.7, 0.3), 20.0),
        (("yes",), (pytest.approx(0.2), 0.8), 20.0),
    ]
    shared = priors.reporting["case_report"]["fever"]
    assert shared.contexts == (0, 0)
    assert [(row.given, row.note, row.line) for row in shared.rows] == [(("any",), "as often", 4)]


def test_the_order_of_rows_and_columns_is_of_no_account(reported):
    rows = (SOUND + "abstract,fever,any,0.5,7,smith2020,\n").splitlines()
    first = cc.Model.from_priors(read_priors(reported("\n".join(rows))))
    second = cc.Model.from_priors(read_priors(reported("\n".join(rows[::-1]))))
    assert second.digest == first.digest
    turned = "\n".join(",".join(row.split(",")[::-1]) for row in rows)
    third = cc.Model.from_priors(read_priors(reported(turned, ",".join(HEADER.strip().split(",")[::-1]) + "\n")))
    assert third.digest == first.digest
    for model in (second, third):
        for kind in ("letter", "abstract"):
            assert model.posterior(record=kind) == first.posterior(record=kind)


def test_rates_belong_to_the_digest(tiny, reported):
    without = read_priors(tiny).digest
    digests = [
        read_priors(reported(rows)).digest
        for rows in (
            SOUND,
            SOUND.replace("0.8", "0.7"),
            SOUND.replace("letter", "abstract"),
            SOUND.replace("20", "21", 1),
        )
    ]
    assert len({without, *digests}) == 5
    model = cc.Model.from_priors(read_priors(reported(SOUND)))
    assert model.recorded("letter").digest == model.digest == model.posterior(record="letter").digest


def test_a_folder_without_the_file_has_asked_only(tiny):
    model = cc.load(tiny)
    assert not model.priors.reporting
    with pytest.raises(ValueError, match="no kind of record 'case_report' in these priors: write one of: asked"):
        model.posterior(record="case_report")


def test_kinds_that_the_folder_does_not_have_are_refused_with_those_it_has(reported):
    model = cc.load(reported(SOUND))
    with pytest.raises(ValueError, match="no kind of record 'abstract' in these priors: write one of: asked, letter"):
        model.recorded("abstract")


def test_the_shipped_folder_has_every_kind(still):
    priors = read_priors(still)
    assert tuple(priors.reporting) == RECORDS
    for kind, tables in priors.reporting.items():
        for name, table in tables.items():
            assert not priors.variables[name].repeatable, (kind, name)
            for row in table.rows:
                assert set(row.sources) <= set(priors.sources)
                assert row.note


KINDS = "case_report, abstract, letter, problem_list"
BAD = {
    "unknown kind": (SOUND + "case_reports,fever,any,0.5,7,smith2020,",
        f"4: record: case_reports: no such kind of record: did you mean 'case_report'? One of: {KINDS}"),
    "no kind": (SOUND + ",fever,any,0.5,7,smith2020,",
        f"4: record: -: the cell is empty: write one of: {KINDS}"),
    "asked is no kind that is modelled": (SOUND + "asked,fever,any,0.5,7,smith2020,",
        f"4: record: asked: no such kind of record: write one of: {KINDS}"),
    "unknown variable": (SOUND + "letter,fevre,any,0.5,7,smith2020,",
        "4: variable: fevre: no such variable: did you mean 'fever'? One of: fever"),
    "no variable": (SOUND + "letter,,any,0.5,7,smith2020,",
        "4: variable: -: the cell is empty: write one of: fever"),
    "the outcome": (SOUND + "letter,disease,any,0.5,7,smith2020,",
        "4: variable: disease: the outcome, which is what is asked for: remove the row"),
    "a repeatable variable": (SOUND + "letter,swab,any,0.5,7,smith2020,",
        "4: variable: swab: a repeatable variable: silence on a test is not silence on its result: remove the row"),
    "a rate above 1": (SOUND.replace("0.8", "1.2"),
        "2: mentioned: 1.2: a rate outside 0 to 1, or all but certain: write a number from 1e-09 to 1 - 1e-09"),
    "a rate of 1": (SOUND.replace("0.8", "1"),
        "2: mentioned: 1: a rate outside 0 to 1, or all but certain: write a number from 1e-09 to 1 - 1e-09"),
    "a rate of 0": (SOUND.replace("0.3", "0.0"),
        "3: mentioned: 0.0: a rate outside 0 to 1, or all but certain: write a number from 1e-09 to 1 - 1e-09"),
    "a negative rate": (SOUND.replace("0.3", "-0.3"),
        "3: mentioned: -0.3: a rate outside 0 to 1, or all but certain: write a number from 1e-09 to 1 - 1e-09"),
    "no rate": (SOUND.replace("0.3", ""),
        "3: mentioned: -: no number: write digits with a decimal point, such as 0.52"),
    "a rate in percent": (SOUND.replace("0.3", "30%"),
        "3: mentioned: 30%: a percentage: write 0.3"),
    "a state twice": (SOUND + "letter,fever,yes,0.5,7,smith2020,",
        "4: state: yes: line 2 covers this too: take it out of one of the two rows"),
    "a state twice in a list": (SOUND + "letter,fever,no/yes,0.5,7,smith2020,",
        "4: state: no: line 3 covers this too: take it out of one of the two rows",
        "4: state: yes: line 2 covers this too: take it out of one of the two rows"),
    "a state not covered": ("letter,fever,yes,0.8,20,smith2020,",
        "2: state: no: no row covers this: add a row for it"),
    "an unknown state": (SOUND.replace("no,0.3", "none,0.3"),
        "3: state: none: no state 'none': did you mean 'no'? One of: no, yes, any; join several with '/'"),
    "an unknown source": (SOUND.replace("smith2020", "smith2021", 1),
        "2: source: smith2021: unknown source: did you mean 'smith2020'? Otherwise add it to sources.csv"),
    "no source": (SOUND.replace("smith2020", "", 1),
        "2: source: -: no source: name a key of sources.csv; 'judgement' if there is no figure"),
    "a weight of zero": (SOUND.replace(",20,", ",0,", 1),
        "2: weight: 0: a weight that is not positive: write its equivalent sample size; for a judgement, find it with 'calcinosis weigh' from its range"),
    "no rows": ("",
        "1: -: -: no rows under the header: write one line per row"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_fault_is_told_with_its_line(name, reported):
    rows, *expected = BAD[name]
    assert messages(reported(rows)) == [f"reporting.csv:{line}" for line in expected]


@pytest.mark.parametrize("column", HEADER.strip().split(","))
def test_each_column_is_required(column, reported):
    header = HEADER.replace(column, f"{column}_")
    assert messages(reported(SOUND, header))[0].startswith(f"reporting.csv:1: {column}: -: ")


def test_a_hidden_variable_is_never_mentioned(tiny, edit, reported):
    for file, change in GHOST.items():
        edit(tiny / file, *change)
    (tiny / "tables" / "ghost.csv").write_text("disease,no,yes,weight,source,note\nany,0.5,0.5,9,smith2020,\n")
    assert messages(reported(SOUND + "letter,ghost,any,0.5,7,smith2020,")) == [
        "reporting.csv:4: variable: ghost: a hidden variable, which no record mentions: remove the row"
    ]


def test_a_misspelt_file_is_told(tiny, reported):
    reported(SOUND).joinpath("reporting.csv").rename(tiny / "reportings.csv")
    assert messages(tiny) == [
        "reportings.csv:1: -: reportings.csv: a file that is not read: did you mean 'reporting.csv'?"
    ]
