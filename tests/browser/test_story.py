"""The article's patient (Jones 2023), entered by clicking from an empty page: the story of the article can be followed.

A woman of 37 with cirrhosis and weight loss has an ulcer on her hip: before histology calciphylaxis is feared; three
biopsies without calcium in the vessels speak against it, and dystrophic calcification leads at the end.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

CLICKED = (
    ("Care setting", "hospital ward", {"care_setting": "hospital_inpatient"}),
    ("Cirrhosis", "yes", {"cirrhosis": "yes"}),
    ("Weight loss", "yes", {"weight_loss": "yes"}),
    ("Connective tissue disease", "no", {"connective_tissue_disease": "no"}),
    ("Local tissue injury", "no", {"tissue_injury": "no"}),
    ("Sex", "female", {"sex": "female"}),
    ("Autoantibodies", "negative", {"autoantibodies": "negative"}),
    ("Serum phosphate", "normal", {"serum_phosphate": "normal"}),
    ("Pain of the lesion", "intermittent or mild", {"pain": "intermittent"}),
    ("Ulceration", "yes", {"ulceration": "yes"}),
    ("Site of the main lesion", "fatty parts of trunk and thigh", {"lesion_site": "proximal_adipose"}),
    ("Radiograph of the lesion", "nodules, sheets or a mass", {"radiograph": "nodular_mass"}),
)
"""What is clicked, by its words, and which finding that is."""

NUMBERS = (
    ("Age", "37", "years", {"age_group": "37 years"}),
    ("Serum calcium", "9,1", "mg/dL", {"serum_calcium": "9.1 mg/dL"}),
)
"""What is typed, with which unit; the article says only that the calcium was normal."""

KNOWN = {name: text for *_, finding in (*CLICKED, *NUMBERS) for name, text in finding.items()}
"""What was known before the biopsies."""

BIOPSY, NO_CALCIUM = "Vessels on biopsy", "no calcium in vessel walls"

SEEN_BESIDE = (
    ("Vasculopathy on biopsy", "no", {"vasculopathy": "no"}),
    ("Calcium outside vessels on biopsy", "yes", {"extravascular_calcification": "yes"}),
)

WIDTHS = (1024, 360, 1920)


@pytest.fixture
def page(window_of, server):
    """The empty page in a window of 1024 px."""
    return window_of(WIDTHS[0]).open(server.url)


def test_after_each_click_the_bars_are_the_posterior_and_the_biopsies_turn_the_story(page, model):
    page.shows(model.posterior({}))
    known = {}
    for label, state, finding in CLICKED:
        page.search(label)
        page.choose(label, state)
        known |= finding
        page.shows(model.posterior(known))
    page.search("")
    for label, amount, unit, finding in NUMBERS:
        page.type_number(label, amount)
        page.shows(model.posterior(known))  # without its unit a number is no finding
        page.choose_unit(label, unit)
        known |= finding
        page.shows(model.posterior(known))
    assert known == KNOWN
    assert model.posterior(known).leading == "calciphylaxis"
    assert leading(page) == "calciphylaxis"
    feared = [number(page, "calciphylaxis")]

    for biopsies in (1, 2, 3):
        page.add(BIOPSY, NO_CALCIUM)
        known |= {"vascular_histology": ",".join(["absent"] * biopsies)}
        page.shows(model.posterior(known))
        feared.append(number(page, "calciphylaxis"))
    assert feared == sorted(feared, reverse=True)
    assert page.finding(BIOPSY).locator(".result").count() == 3

    for label, state, finding in SEEN_BESIDE:
        page.choose(label, state)
        known |= finding
        page.shows(model.posterior(known))
    assert leading(page) == "dystrophic calcification"

    for width in WIDTHS:
        page.window.set_viewport_size({"width": width, "height": 900})
        page.shows(model.posterior(known))


def test_one_biopsy_alone_would_not_have_turned_it_and_undo_goes_back_before_histology(page, link_of, model):
    page.open(link_of(**KNOWN)).add(BIOPSY, NO_CALCIUM)
    assert leading(page) == "calciphylaxis"
    page.press("Undo")
    page.shows(model.posterior(KNOWN))
    page.add(BIOPSY, "calcium in vessel walls")
    page.shows(model.posterior(KNOWN | {"vascular_histology": "intramural_calcification"}))
    assert number(page, "calciphylaxis") > 90


def test_the_case_opened_by_its_name_is_the_case_as_published(page, model):
    with page.answered():
        page.window.get_by_label("Published case").select_option("jones2023")
    page.shows(model.posterior(CASE))
    assert leading(page) == "dystrophic calcification"
    page.window.get_by_text("What was published of jones2023").click()
    assert "Distinguishing dystrophic calcification from calciphylaxis" in page.words("patient")


CASE = {
    name: text
    for _, _, finding in (*CLICKED, *SEEN_BESIDE)
    for name, text in finding.items()
} | {"age_group": "adult", "serum_calcium": "normal", "vascular_histology": "absent,absent,absent"}  # fmt: skip


def leading(page):
    """The label of the leading subtype, as it is marked in the page."""
    return page.window.locator(".bar.leading .label").evaluate("label => label.firstChild.textContent")


def number(page, state):
    """The percent shown for a state, as a number."""
    shown = next(bar.percent for bar in page.bars() if bar.state == state)
    return float(shown.strip("<> %"))
