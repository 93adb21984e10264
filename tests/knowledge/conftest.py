"""A small folder of three variables, and a still copy of the shipped one, for the tests of the first floor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from calcinosis.knowledge.folder import shipped_folder

TINY = {
    "variables.csv": """\
variable,label,group,repeatable,unit,description
disease,Disease,outcome,no,,
fever,Fever,examination,no,C,
swab,Swab,laboratory,yes,,
""",
    "states.csv": """\
variable,state,label,from,to,description
disease,flu,,,,
disease,cold,,,,
fever,no,,35,38,
fever,yes,,38,43,
swab,negative,,,,
swab,positive,,,,
""",
    "units.csv": """\
variable,unit,factor
fever,mC,0.001
""",
    "corrections.csv": """\
variable,covariate,unit,reference,slope,from,to,source
fever,hour,h,12,0.1,0,24,smith2020
""",
    "sources.csv": """\
source,kind,citation,year,doi,note
smith2020,cohort,"Smith, A cohort",2020,10.1000/xyz,
judgement,judgement,The authors,,,
definition,definition,The words,,,
""",
    "expectations.csv": """\
finding,state,compared_with,subtype,direction,against,source
fever,yes,no,flu,raises,,smith2020
""",
    "tables/disease.csv": """\
flu,cold,weight,source,note
0.25,0.75,40,smith2020,
""",
    "tables/fever.csv": """\
disease,no,yes,weight,source,note
flu,0.2,0.8,10,smith2020,
cold,0.9,0.1,10,smith2020,
""",
    "tables/swab.csv": """\
disease,negative,positive,weight,source,note
flu,0.3,0.7,20,smith2020,
cold,0.95,0.05,20,smith2020,
""",
    "cases/published_cases.csv": """\
case_id,diagnosis,fever,year
one,flu,yes,1999
""",
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A faultless folder: two diseases, a fever with bands and a correction, a repeatable swab."""
    folder = tmp_path / "tiny"
    for file, text in TINY.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def edit() -> Callable[[Path, str, str], None]:
    """Replace a text that stands exactly once in a file."""

    def replace(path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped folder as it was when the tests began; tests read it, and change only copies of it."""
    return Path(shutil.copytree(shipped_folder(), tmp_path_factory.mktemp("shipped") / "priors"))
