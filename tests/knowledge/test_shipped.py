"""The shipped priors keep what the design promises: the variables, a source and a reason on every row."""

import csv
import io
import math
import re
from dataclasses import replace

import pytest

import calcinosis as cc
from calcinosis.knowledge.cases import check_cases, read_cases
from calcinosis.knowledge.frozen import FrozenMap
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

RANGE = "95% range"


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
    assert [
        place for place, row in above.items() if "judgement" not in row.sources or "95% range" not in row.note
    ] == []


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
    reported = [table for tables in priors.reporting.values() for table in tables.values()]
    yield from (key for table in reported for row in table.rows for key in row.sources)


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


RECORDED_OTHERWISE = {
    "annales2009": ["iatro_017", "iatro_018"],  # the English abstract of 10.1016/j.jmv.2009.08.001
    "mdedge_iat": ["iatro_021"],  # the second page of the article, under the heading of its answer
    "mendesbastos": ["iatro_014"],  # article 329 of the journal, under another title
    "riss_met2": ["meta_004", "meta_005"],  # the same record of a library; the title is not known
}
"""Sources of rows that are published cases, though neither title nor identifier is the same."""

CITED_CASES = {
    "akhtar2015": {"calci_001": ""},  # nine earlier cases with cirrhosis, not its own patient
    "ankh2024": {
        "iatro_002": "sex radiograph lesion_site",  # 2 of the 21, the 21 and the 18 newborns
        "iatro_003": "sex radiograph lesion_site",
    },
    "annales2009": {  # both are "2 of 2"; one of them is the 1 of 2 with necrosis
        "iatro_017": "serum_calcium serum_phosphate lesion_site",
        "iatro_018": "serum_calcium serum_phosphate lesion_site ulceration",
    },
    "fatma2014": {"iatro_015": ""},  # twelve earlier cases, and that they had renal failure
    "jaadcr2023": {"jones2023": ""},  # the short review, not its own patient
    "jang2011_micc": {"idio_019": ""},  # the mean age of about 23 published cases
    "jkoa3": {"iatro_005": "sex radiograph"},  # 1 of its 3 newborns, of 21
    "mdedge_iat": {"iatro_021": ""},  # what is said of the disease in general
    "mendesbastos": {"iatro_014": "pain"},  # 1 of 1, beside a judgement
    "nuno2011": {"iatro_016": ""},  # eighteen earlier cases
    "pedneo2022": {"iatro_007": "pain"},  # 1 of 1, beside a judgement
    "pmc10666667": {"iatro_010": ""},  # how often infusions leak in general
    "riss_met2": {  # both are "2 of 2", added to 12 others
        "meta_004": "serum_phosphate lesion_site",
        "meta_005": "serum_phosphate lesion_site",
    },
}
"""Published cases that rows of tables cite, and the tables in which a row counts a finding of the patient."""


def test_rows_cite_only_these_published_cases(priors, rows, still):
    """The cases examine the network; a row that rests on one lets it examine itself."""
    used = {key for row in rows.values() for key in row.sources}
    found = {key: set(cases) for key, cases in RECORDED_OTHERWISE.items() if key in used}
    for line in read_cases(still).lines:
        title = words(re.sub(r"\(case \d+\)|\(27-day-old boy\)", "", line.cells["source_title"]))
        for key in sorted(used):
            source = priors.sources[key]
            same = identifiers(line.cells["doi_or_pmcid"]) & identifiers(f"{source.doi} {source.citation}")
            if same or (title and title in words(source.citation)):
                found.setdefault(key, set()).add(line.cells["case_id"])
    assert found == {key: set(cases) for key, cases in CITED_CASES.items()}


@pytest.mark.parametrize(
    ("key", "case", "counted"),
    [(key, case, own.split()) for key, cases in CITED_CASES.items() for case, own in cases.items() if own],
)
def test_a_patient_whom_rows_count_has_the_same_diagnosis_without_them(priors, still, key, case, counted):
    """One patient is taken out of the pseudocounts of each row that counts a finding of theirs, without a discount."""
    model = cc.Model.from_priors(priors)
    (line,) = (line.cells for line in read_cases(still).lines if line.cells["case_id"] == case)
    findings = {name: line[name] for name in model.names if line.get(name)}
    changed = {}
    for name in counted:
        state = priors.variables[name].state_names.index(findings[name])
        table = priors.tables[name]
        assert any(key in row.sources for row in table.rows)
        changed[name] = replace(
            table, rows=tuple(without(row, state) if key in row.sources else row for row in table.rows)
        )
    before = model.posterior(findings)
    after = cc.Model.from_priors(replace(priors, tables=FrozenMap({**priors.tables, **changed}))).posterior(findings)
    assert after.leading == before.leading
    assert after[line["diagnosis"]] == pytest.approx(before[line["diagnosis"]], abs=0.061)


def without(row, state):
    """A row with one patient fewer in a state."""
    counts = [p * row.weight - (place == state) for place, p in enumerate(row.probabilities)]
    assert min(counts) > 0
    weight = row.weight - 1
    return replace(row, probabilities=tuple(count / weight for count in counts), weight=weight)
