"""Files under a wrong name and arrows that lead nowhere sound are refused: faults of the shipped folder as a whole."""

import csv
import os
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest

from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.reader import FILES, read_priors

SLIPS = {
    "variables.csv": ["variable.csv", "Variables.csv", "variables.CSV"],
    "states.csv": ["state.csv", "States.csv"],
    "units.csv": ["unit.csv", "units .csv"],
    "corrections.csv": [
        "correction.csv",
        "Corrections.csv",
        "corections.csv",
        "corrections.CSV",
        "corrections.csv.txt",
    ],
    "sources.csv": ["source.csv", "sources (1).csv"],
    "expectations.csv": ["expectation.csv", "expectations_.csv", "expectatoins.csv"],
    "tests.csv": ["test.csv", "Tests.csv", "tests.csv.txt", "tests_.csv"],
    "reporting.csv": ["report.csv", "Reporting.csv", "reportings.csv", "reporting.CSV"],
}


@pytest.fixture
def copy(still, tmp_path):
    """A folder of links to the shipped files: as good as a copy, and cheap."""
    return shutil.copytree(still, tmp_path / "priors", copy_function=os.symlink)


def problems(folder):
    with pytest.raises(PriorsError) as caught:
        read_priors(folder)
    assert caught.value.problems
    return caught.value.problems


def read_table(folder, variable):
    with (folder / "tables" / f"{variable}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_table(folder, variable, rows):
    path = folder / "tables" / f"{variable}.csv"
    path.unlink()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def add_arrow(folder, child, parent):
    """Make every row of a table one row for each state of a new parent, so that the arrow is the only fault."""
    with (folder / "states.csv").open(encoding="utf-8", newline="") as file:
        states = [line["state"] for line in csv.DictReader(file) if line["variable"] == parent]
    rows = read_table(folder, child)
    write_table(folder, child, [{parent: state} | row for row in rows for state in states])


def test_each_file_of_the_folder_has_its_slips():
    assert set(SLIPS) == set(FILES)


@pytest.mark.parametrize(("name", "slip"), [(name, slip) for name, slips in SLIPS.items() for slip in slips])
def test_a_file_under_a_misspelt_name_is_told_by_that_name(copy, name, slip):
    (copy / name).rename(copy / slip)
    assert (slip, 1, f"did you mean '{name}'?") in {(p.file, p.line, p.fix) for p in problems(copy)}


@pytest.mark.parametrize(
    ("name", "slip"), [("pain", "pian"), ("sex", "Sex"), ("form", "form2"), ("subtype", "subtypes")]
)
def test_a_table_under_a_misspelt_name_is_told_and_missed(copy, name, slip):
    (copy / "tables" / f"{name}.csv").rename(copy / "tables" / f"{slip}.csv")
    told = {problem.file: problem for problem in problems(copy)}
    assert told[f"tables/{name}.csv"].what == "the file is missing"
    assert told[f"tables/{slip}.csv"].fix.startswith(f"did you mean '{name}'?")


@pytest.mark.parametrize("name", ["haemoglobin", "weight", "copy of pain"])
def test_a_table_for_no_variable_is_told(copy, name):
    (copy / "tables" / f"{name}.csv").write_text("no,yes,weight,source,note\n0.5,0.5,1,judgement,because\n")
    assert {(problem.file, problem.line) for problem in problems(copy)} == {(f"tables/{name}.csv", 1)}


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_without_its_tables_every_table_is_missed(copy, kind):
    names = {f"tables/{path.name}" for path in (copy / "tables").iterdir()}
    shutil.rmtree(copy / "tables")
    if kind == "a file":
        (copy / "tables").write_text("no")
    assert {problem.file for problem in problems(copy)} == names


CIRCLES = [("care_setting", "subtype"), ("care_setting", "pain"), ("care_setting", "warfarin"), ("esrd", "pain")]


@pytest.mark.parametrize(("child", "parent"), CIRCLES)
def test_a_circle_of_arrows_is_told_in_the_direction_of_the_arrows(copy, child, parent):
    add_arrow(copy, child, parent)
    (problem,) = problems(copy)
    path = problem.value.split(" → ")
    assert problem.what == "the arrows form a cycle"
    assert problem.file.removeprefix("tables/").removesuffix(".csv") in path
    assert (path[0], child in path, parent in path) == (path[-1], True, True)
    assert all(above in read_table(copy, below)[0] for above, below in pairwise(path))


WIDE = """
import resource, sys
from calcinosis.knowledge.reader import PriorsError, read_priors
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
try:
    read_priors(sys.argv[1])
except PriorsError as error:
    print(len(error.problems), error.problems[0].file)
"""


def test_a_table_with_every_variable_for_a_parent_is_told_and_not_counted_out(copy):
    """Its combinations are more than memory holds; memory and time are bounded here so that a failure is quick."""
    pytest.importorskip("resource")
    row = read_table(copy, "livedo")[0]
    names = [path.stem for path in sorted((copy / "tables").glob("*.csv"))]
    others = [name for name in names if name not in ("livedo", "vascular_histology")]
    write_table(copy, "livedo", [dict.fromkeys(others, "no") | row])
    run = subprocess.run([sys.executable, "-c", WIDE, str(copy)], capture_output=True, text=True, check=False)
    assert run.stdout.endswith("tables/livedo.csv\n"), run.stderr[-300:]
