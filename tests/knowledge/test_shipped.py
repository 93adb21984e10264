"""The shipped priors keep what the design promises: the variables, a source and a reason on every row."""

import csv
import io
import math
import re

import pytest

from calcinosis.knowledge.cases import check_cases, read_cases
from calcinosis.knowledge.reader import read_priors

REQUIRED = {
    "care_setting": "dermatology_clinic hospital_inpatient dialysis_unit",
    "subtype": "dystrophic metastatic idiopathic iatrogenic calciphylaxis",
    "esrd": "no yes",
    "warfarin": "no yes",
    "cirrhosis": "no yes",
    "weight_loss": "no yes",
    "connective_tissue_disease": "no yes",
    "tissue_injury": "no yes",
    "calcium_exposure": "no yes",
    "malignancy": "no yes",
    "diabetes": "no yes",
    "obesity": "no yes",
    "sex": "female male",
    "age_group": "child adult older",
    "autoantibodies": "negative positive",
    "serum_calcium": "low normal high",
    "serum_phosphate": "low normal high",
    "pth": "normal high",
    "pain": "none intermittent severe",
    "ulceration": "no yes",
    "livedo": "no yes",
    "lesion_site": "proximal_adipose distal_leg acral periarticular genital other",
    "vessel_calcification": "no yes",
    "vascular_histology": "absent intramural_calcification",
    "vasculopathy": "no yes",
    "extravascular_calcification": "no yes",
    "radiograph": "none nodular_mass vascular_netlike",
}


@pytest.fixture(scope="module")
def priors(still):
    return read_priors(still)


@pytest.fixture(scope="module")
def rows(priors):
    """Every row of every table, under its file and line."""
    return {f"tables/{name}.csv:{row.line}": row for name, table in priors.tables.items() for row in table.rows}


@pytest.mark.parametrize("name", REQUIRED)
def test_a_promised_variable_has_its_states_in_order(priors, name):
    assert " ".join(priors.variables[name].state_names) == REQUIRED[name]


def test_the_subtype_is_asked_for_and_only_biopsies_are_repeatable(priors):
    assert priors.target == "subtype"
    assert priors.variables["care_setting"].group == "setting"
    assert priors.variables["vessel_calcification"].group == "hidden"
    assert [name for name, variable in priors.variables.items() if variable.repeatable] == ["vascular_histology"]


@pytest.mark.parametrize(
    ("name", "unit", "limits"),
    [
        ("serum_calcium", "mg/dL", [8.5, 10.5]),
        ("serum_phosphate", "mg/dL", [2.5, 4.5]),
        ("pth", "pg/mL", [65]),
        ("age_group", "years", [18, 60]),
    ],
)
def test_a_number_has_the_promised_unit_and_limits(priors, name, unit, limits):
    variable = priors.variables[name]
    assert variable.unit == unit
    assert [state.band.upper for state in variable.states[:-1]] == limits


def test_every_variable_has_a_label_and_a_description(priors):
    assert [name for name, variable in priors.variables.items() if not (variable.label and variable.description)] == []


def test_the_arrows_run_as_promised(priors):
    assert priors.tables["subtype"].parents == ("care_setting",)
    assert priors.tables["vascular_histology"].parents == ("vessel_calcification",)


def test_every_row_that_counts_patients_has_a_weight_of_at_most_200(rows):
    """A judgement is weighed by its range, which the note states."""
    above = {place: row for place, row in rows.items() if not 0 < row.weight <= 200}
    assert [place for place, row in above.items() if "judgement" not in row.sources or "surely" not in row.note] == []


def test_every_row_has_sources_and_a_note(rows):
    assert [place for place, row in rows.items() if not row.sources or not row.note] == []


def test_every_judgement_says_why(priors, rows):
    judged = {place: row for place, row in rows.items() if priors.rests_on_judgement(row)}
    assert judged
    assert [place for place, row in judged.items() if len(row.note.split()) < 3] == []


def test_every_row_sums_to_1(rows):
    sums = {place: math.fsum(row.probabilities) for place, row in rows.items()}
    assert {place: total for place, total in sums.items() if abs(total - 1) > 1e-9} == {}


def test_only_a_definition_is_certain(rows):
    certain = [place for place, row in rows.items() if {0.0, 1.0} & {*row.probabilities}]
    assert [place for place in certain if "definition" not in rows[place].sources] == []


def cited(priors, rows):
    decisions = priors.decisions
    every = (*decisions.actions.values(), *decisions.responses, *decisions.harms, *decisions.utilities.values())
    yield from (key for row in every for key in row.sources)
    yield from (key for row in rows.values() for key in row.sources)
    yield from (key for correction in priors.corrections for key in correction.source.split(";"))
    yield from (key for rule in priors.expectations for key in rule.sources)
    yield from (key for test in priors.tests.values() for key in test.sources)


def test_every_source_is_used_and_every_used_source_is_listed(priors, rows):
    assert set(cited(priors, rows)) == set(priors.sources)


def test_every_published_source_can_be_looked_up(priors):
    published = [s for s in priors.sources.values() if s.kind not in ("definition", "judgement")]
    assert [source.key for source in published if len(source.citation) < 15] == []
    assert [source.key for source in published if source.key not in source.key.strip(" ;,")] == []


def test_every_variable_but_those_known_at_the_door_is_revealed_by_a_test(priors):
    revealed = {name for test in priors.tests.values() for name in test.reveals}
    unseen = {name for name, variable in priors.variables.items() if variable.group in ("outcome", "hidden")}
    assert set(priors.variables) - revealed == unseen | {"care_setting", "sex", "age_group"}


def test_every_test_says_why_and_every_biopsy_has_the_published_harm(priors):
    assert [test.name for test in priors.tests.values() if len(test.note.split()) < 3] == []
    biopsies = [test for test in priors.tests.values() if "vascular_histology" in test.reveals]
    assert [test.name for test in biopsies] == ["punch_biopsy", "wedge_biopsy", "repeat_biopsy"]
    assert {round(16 / 114, 2)} == {test.harm for test in biopsies}
    assert [test.name for test in biopsies if test.after] == ["repeat_biopsy"]


def test_there_are_at_least_25_rules_and_they_speak_of_every_subtype(priors):
    assert len(priors.expectations) >= 25
    assert {rule.subtype for rule in priors.expectations} == {*priors.variables["subtype"].state_names}


def test_every_number_in_the_files_is_read_as_it_stands(priors, still):
    for name in priors.tables:
        text = (still / "tables" / f"{name}.csv").read_text(encoding="utf-8")
        for line in csv.DictReader(io.StringIO(text, newline="")):
            given = tuple(line[parent] for parent in priors.tables[name].parents)
            (row,) = (row for row in priors.tables[name].rows if row.given == given)
            states = priors.variables[name].state_names
            assert row.probabilities == tuple(float(line[state]) for state in states)
            assert row.weight == float(line["weight"])


def test_the_published_cases_have_no_fault(priors, still):
    problems = []
    check_cases(read_cases(still), priors, problems)
    assert problems == []


def words(text):
    return " ".join(re.findall(r"\w+", text.casefold()))


def identifiers(text):
    """DOIs and PMC numbers in a text."""
    return set(re.findall(r"10\.\d{4,9}/[^\s;]+|pmc\d+", text.casefold()))


def test_no_table_row_cites_a_published_case_but_the_review_in_jones_2023(priors, rows, still):
    """The cases examine the network; a row that rests on one would let it examine itself."""
    used = {key for row in rows.values() for key in row.sources}
    found = {}
    for line in read_cases(still).lines:
        title = words(re.sub(r"\(case \d+\)", "", line.cells["source_title"]))
        for key in sorted(used):
            source = priors.sources[key]
            same = identifiers(line.cells["doi_or_pmcid"]) & identifiers(f"{source.doi} {source.citation}")
            if same or (title and title in words(source.citation)):
                found.setdefault(key, []).append(line.cells["case_id"])
    assert found == {"jaadcr2023": ["jones2023"]}
