"""What each click does to the page: every action, its refusals, and that no message can break the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.interface.explorer.actions import _ACTIONS, STRENGTHS, ActionError, act
from calcinosis.interface.explorer.link import fragment_of, page_of
from calcinosis.interface.explorer.page import Draft, Estimate, Page
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.frozen import FrozenMap


@pytest.fixture
def do(shipped):
    """A function that does one thing after another, each as its name, variable and value, and gives the page."""

    def doing(*steps, page=None):
        page = page or Page()
        for step in steps:
            named = dict(zip(("do", "variable", "value"), step, strict=False)) if isinstance(step, tuple) else step
            page = act(page, named, shipped)
        return page

    return doing


def test_a_finding_is_not_asked_then_unknown_then_absent_then_present(do):
    page = do(("set", "esrd", "unknown"))
    assert page.findings == {"esrd": "unknown"}
    page = do(("set", "esrd", "no"), page=page)
    assert page.findings == {"esrd": "no"}
    page = do(("set", "esrd", "yes"), page=page)
    assert page.findings == {"esrd": "yes"}
    assert do(("set", "esrd", ""), page=page).findings == {}


def test_a_changed_finding_keeps_its_place(do):
    page = do(("set", "esrd", "no"), ("set", "pain", "none"), ("set", "esrd", "yes"))
    assert list(page.findings) == ["esrd", "pain"]


def test_biopsies_are_added_one_after_another_and_taken_away_by_place(do):
    page = do(*[("add", "vascular_histology", state) for state in ("absent", "intramural_calcification", "absent")])
    assert page.findings["vascular_histology"] == "absent,intramural_calcification,absent"
    page = do(("drop", "vascular_histology", "1"), page=page)
    assert page.findings["vascular_histology"] == "absent,absent"
    assert do(*[("drop", "vascular_histology", "0")] * 2, page=page).findings == {}


def test_the_first_biopsy_takes_the_place_of_unknown_and_of_pending(do):
    for silent in ("unknown", "pending"):
        page = do(("set", "vascular_histology", silent), ("add", "vascular_histology", "absent"))
        assert page.findings == {"vascular_histology": "absent"}


def test_a_result_given_as_likelihoods_is_one_result(do):
    page = do(("set", "vascular_histology", "absent:0.2,intramural_calcification:0.8"))
    assert do(("drop", "vascular_histology", "0"), page=page).findings == {}


def test_the_day_of_a_result_goes_with_it(do):
    page = do(*[("add", "vascular_histology", "absent")] * 3)
    for place, day in ((0, "2023-01-02"), (2, "2023-03-04")):
        page = do({"do": "date", "variable": "vascular_histology", "place": str(place), "value": day}, page=page)
    assert page.dates == {"vascular_histology": ("2023-01-02", "", "2023-03-04")}
    page = do(("drop", "vascular_histology", "1"), page=page)
    assert page.dates == {"vascular_histology": ("2023-01-02", "2023-03-04")}
    assert do(("set", "vascular_histology", "unknown"), page=page).dates == {}


@pytest.mark.parametrize("day", ["2023-02-30", "yesterday", "15.7.2023"])
def test_a_day_that_is_none_is_refused(do, day):
    page = do(("set", "pain", "severe"))
    with pytest.raises(ActionError, match=r"is no day: write for instance 2023-07-15\."):
        do({"do": "date", "variable": "pain", "place": "0", "value": day}, page=page)


def test_either_of_and_not_this_state(do):
    page = do({"do": "either", "variable": "pain", "values": ["severe", "intermittent"]})
    assert page.findings == {"pain": "intermittent/severe"}
    for says_nothing in ([], ["none", "intermittent", "severe"]):
        assert do({"do": "either", "variable": "pain", "values": says_nothing}, page=page).findings == {}


@pytest.mark.parametrize(("strength", "times"), STRENGTHS.items())
def test_probably_is_a_likelihood_in_three_strengths(do, shipped, strength, times):
    page = do(("probably", "pain", f"severe:{strength}"))
    none, intermittent, severe = shipped.read(page.findings)["pain"].likelihoods[0]
    assert severe / none == severe / intermittent == pytest.approx(times, rel=0.002)


def test_the_sliders_of_the_expert_set_one_likelihood_each(do):
    page = do({"do": "likelihood", "variable": "esrd", "state": "no", "value": "25"})
    assert page.findings == {"esrd": "no:0.25,yes:1"}
    assert do({"do": "likelihood", "variable": "esrd", "state": "no", "value": "100"}, page=page).findings == {}
    page = do({"do": "likelihood", "variable": "esrd", "state": "no", "value": "0"}, page=page)
    with pytest.raises(ActionError, match="At least one likelihood must lie above 0"):
        do({"do": "likelihood", "variable": "esrd", "state": "yes", "value": "0"}, page=page)


def test_a_number_without_a_unit_is_no_finding(do):
    page = do(("number", "serum_calcium", "9.1"))
    assert page.findings == {}
    assert page.drafts["serum_calcium"] == Draft("9.1", "", "Choose its unit: it is never assumed.")
    page = do(("unit", "serum_calcium", "mg/dL"), page=page)
    assert page.findings == {"serum_calcium": "9.1 mg/dL"}
    assert page.drafts == {}


def test_the_unit_may_come_first(do):
    page = do(("unit", "pth", "pmol/L"), ("number", "pth", "5,3"))
    assert page.findings == {"pth": "5.3 pmol/L"}


def test_another_unit_converts_the_number_so_that_the_amount_stays(do, shipped):
    page = do(("unit", "serum_calcium", "mmol/L"), ("number", "serum_calcium", "2.27"))
    page = do(("unit", "serum_calcium", "mg/dL"), page=page)
    assert page.findings == {"serum_calcium": "9.098 mg/dL"}
    page = do(("unit", "serum_calcium", "mmol/L"), page=page)
    assert page.findings == {"serum_calcium": "2.27 mmol/L"}


def test_a_number_that_was_refused_is_not_converted_as_its_unit_was_the_slip(do):
    page = do(("unit", "serum_calcium", "mg/dL"), ("number", "serum_calcium", "2.27"))
    assert page.findings == {}
    assert "not believable" in page.drafts["serum_calcium"].fault
    assert do(("unit", "serum_calcium", "mmol/L"), page=page).findings == {"serum_calcium": "2.27 mmol/L"}


def test_a_comma_that_may_stand_for_a_thousand_is_asked_back(do):
    page = do(("unit", "pth", "pg/mL"), ("number", "pth", "1,234"))
    assert page.findings == {}
    assert page.drafts["pth"].fault


def test_a_number_that_is_no_finding_yet_comes_back_from_its_link(do, shipped):
    page = do(("number", "pth", "1,234"), ("unit", "serum_calcium", "mg/dL"), ("number", "serum_calcium", "2.27"))
    page = do(("unit", "albumin", "g/L"), page=page)
    again, notice = page_of(fragment_of(page, shipped.digest), shipped)
    assert again == page
    assert notice == ""


def test_calcium_is_corrected_for_albumin_and_says_so(do, shipped):
    page = do(
        ("unit", "serum_calcium", "mg/dL"), ("number", "serum_calcium", "8.0"),
        ("unit", "albumin", "g/dL"), ("number", "albumin", "2.4"),
    )  # fmt: skip
    assert page.findings == {"serum_calcium": "8.0 mg/dL", "albumin": "2.4 g/dL"}
    session = Session(shipped, page)
    echo = session.first().split('id="f-serum_calcium"')[1].split('class="echo">')[1].split("<")[0]
    assert echo.startswith("8.0 mg/dL → 9.28 mg/dL corrected for albumin 2.4 g/dL")
    assert echo.endswith("→ normal")


def test_an_estimate_is_noted_and_taken_back(do):
    page = do({"do": "estimate", "value": "calciphylaxis", "percent": "70"})
    assert page.estimate == Estimate("calciphylaxis", 70)
    assert do({"do": "estimate", "value": ""}, page=page).estimate is None


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"do": "fly"}, "The page asked for something that this program does not know: reload it."),
        ({}, "The page asked for something that this program does not know: reload it."),
        (("set", "pian", "severe"), "There is no variable 'pian'."),
        (("set", "subtype", "dystrophic"), "There is no variable 'subtype'."),
        (("set", "pain", "sever"), "no state 'sever': did you mean 'severe'?"),
        (("set", "pain", "x" * 500), "That is too long: at most 400 characters can be read."),
        (("add", "pain", "severe"), None),
        (("unit", "pth", "mmHg"), "There is no unit 'mmHg' of pth."),
        (("probably", "pain", "severe:certainly"), "Choose a state and how sure it is."),
        (("either", "albumin", ""), "albumin is a number: type it with its unit."),
        (("drop", "vascular_histology", "0"), "There is no such result."),
        ({"do": "estimate", "value": "calciphylaxis", "percent": "101"}, "How probable is a number from 0 to 100 %."),
        ({"do": "tab", "value": "nowhere"}, "There is no 'nowhere' to choose."),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(do, action, words):
    if words is None:
        assert do(action).findings == {"pain": "severe"}
        with pytest.raises(ActionError, match="two results for a variable that is not repeatable"):
            do(action, action)
        return
    with pytest.raises(ActionError) as caught:
        do(action)
    assert str(caught.value).startswith(words)


WORDS = st.one_of(
    st.sampled_from(
        ["", "yes", "no", "unknown", "severe", "9.1", "mg/dL", "absent", "0", "100", "calciphylaxis", "why"]
    ),
    st.text(max_size=12),
    st.integers(),
    st.none(),
    st.lists(st.text(max_size=3), max_size=3),
)


@given(data=st.data())
@examples(60)
def test_no_message_breaks_the_page(shipped, data):
    """Whatever a browser sends, the reply is a page, and the findings are such as the model reads."""
    session = Session(shipped)
    names = st.sampled_from([*_ACTIONS, "undo", "redo", "new", "link", "case", "download", "hello", "what"])
    fields = st.sampled_from(["pain", "esrd", "serum_calcium", "albumin", "vascular_histology", "subtype", "nothing"])
    for _ in range(4):
        message = {"do": data.draw(names), "variable": data.draw(fields), "value": data.draw(WORDS)}
        for extra in ("state", "percent", "place", "field", "given", "values", "fragment", "findings"):
            if data.draw(st.booleans()):
                message[extra] = data.draw(WORDS)
        reply = session.handle(message)
        assert "made an error" not in reply["regions"].get("notice", ""), message
        assert session.situation.evidence is not None


def test_swapping_two_patients_takes_no_day_and_no_case_along_so_that_the_link_still_opens(do, shipped):
    page = do(("set", "esrd", "yes"), {"do": "keep"}, ("set", "esrd", ""), ("set", "pain", "severe"))
    page = do({"do": "date", "variable": "pain", "place": "0", "value": "2023-01-02"}, {"do": "swap"}, page=page)
    assert page.findings == {"esrd": "yes"}
    assert page_of(fragment_of(page, shipped.digest), shipped) == (page, "")


@pytest.mark.parametrize(
    "action",
    [
        {"do": "drop", "variable": "vascular_histology", "value": "²"},
        {"do": "date", "variable": "vascular_histology", "value": "2023-07-15", "place": "²"},
        {"do": "likelihood", "variable": "pain", "state": "severe", "value": "²"},
        {"do": "estimate", "value": "calciphylaxis", "percent": "²"},
    ],
    ids=lambda action: action["do"],
)
def test_a_superscript_is_no_number(action):
    model = cc.load()
    page = act(Page(), {"do": "set", "variable": "vascular_histology", "value": "absent"}, model)
    with pytest.raises(ActionError):
        act(page, action, model)


@pytest.mark.parametrize(
    "action",
    [
        {"do": "adopt", "findings": [["serum_calcium", f"1{' ' * 20_000}a\nb"]]},
        {"do": "adopt", "findings": [["vascular_histology", ",".join(["absent"] * 2_000)]]},
        {"do": "adopt", "findings": [["pain", "severe"]] * 1_000},
        {"do": "either", "variable": "pain", "values": ["severe" * 1_000]},
        {"do": "set", "variable": "pain" * 1_000, "value": "severe"},
    ],
    ids=["spaces", "results", "findings", "values", "variable"],
)
def test_every_value_of_a_message_is_limited_where_it_is_read(action):
    with pytest.raises(ActionError, match=r"too long|too much"):
        act(Page(), action, cc.load())


def test_results_that_come_one_by_one_are_limited_too():
    model = cc.load()
    page = Page(FrozenMap({"vascular_histology": ",".join(["absent"] * 100)}))
    with pytest.raises(ActionError, match="more than 100 results"):
        act(page, {"do": "add", "variable": "vascular_histology", "value": "absent"}, model)
