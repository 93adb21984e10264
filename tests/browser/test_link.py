"""The link holds the page: opened elsewhere it shows the same; a broken or hostile one says so, and does nothing."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

CASE = {
    "cirrhosis": "yes",
    "sex": "unknown",
    "serum_calcium": "9.1 mg/dL",
    "pain": "intermittent/severe",
    "vascular_histology": "absent,absent",
}

HOSTILE = {
    "a script as a value": "pain=%3Cscript%3Ewindow.__hacked=1%3C/script%3E",
    "a script as a value, as it is": "pain=<script>window.__hacked=1</script>",
    "a picture as a name": "<img src=x onerror=window.__hacked=1>=yes",
    "a picture as a field of the page": "~<img src=x onerror=window.__hacked=1>=yes",
    "a picture as a tab": "~tab=%3Cimg%20src=x%20onerror=window.__hacked=1%3E",
    "a picture as what is explained": "pain=severe&~state=%3Cimg%20src=x%20onerror=window.__hacked=1%3E",
    "a picture in the other patient": "pain=severe&~other=~%26livedo=%3Cimg%20src=x%20onerror=window.__hacked=1%3E",
    "a picture as an edited row": "~edits=%3Cimg%20src=x%20onerror=window.__hacked=1%3E:a/b:0.5:0.5",
    "a picture as a number": 'serum_calcium=9.1%20%22%3E%3Cimg%20src=x%20onerror="window.__hacked=1"%3E',
    "an unknown variable": "no_such=yes",
    "an unknown state": "pain=dreadful",
    "a hidden variable": "form=calciphylaxis_uraemic",
    "the target": "subtype=dystrophic",
    "a finding twice": "pain=severe&pain=none",
    "no value": "pain=",
    "no sign": "pain",
    "broken escapes": "pain=%E0%A4%A",
    "no text at all": "%00%FF%FE",
    "too many characters": "pain=" + "x" * 1_000_000,
    "too many findings": "&".join(f"f{number}=yes" for number in range(700)),
}
"""Links that cannot be opened; none of them may do anything else."""

OPENED = ("a script as a value, as it is", "a picture as a name", "broken escapes", "too many characters")
"""Those that are opened in a fresh window; the others are put into the address of an open page, which is quicker."""


def test_the_link_in_another_window_is_the_same_page(page, window_of, link_of):
    page.open(link_of(**CASE))
    page.choose("Livedo", "yes").press("What if", "tab")
    there = window_of().open(page.window.url)
    here = page.look()
    assert there.look() == here
    assert there.fragment == page.fragment
    assert "pain=intermittent/severe" in page.fragment
    assert "~tab=what-if" in page.fragment


def test_the_copied_link_is_the_link(page, window_of, link_of, model):
    page.open(link_of(**CASE))
    page.window.get_by_text("Copy, print, save").click()
    page.window.get_by_role("button", name="Copy link").click()
    page.window.wait_for_selector(".notice")
    assert page.notice == "The link is copied. It holds what was entered."
    copied = page.window.evaluate("navigator.clipboard.readText()")
    window_of().open(copied).shows(model.posterior({name: own for name, own in CASE.items() if own != "unknown"}))


def test_a_link_pasted_into_an_open_page_replaces_what_it_shows(page, link_of, model):
    page.open(link_of(pain="severe"))
    with page.answered():
        page.window.goto(link_of(livedo="yes"))
    page.shows(model.posterior(livedo="yes"))
    with page.answered():
        page.window.go_back()
    page.shows(model.posterior(pain="severe"))


def test_back_and_forward_go_through_what_was_clicked(page, server, model):
    page.open(server.url)
    steps = [{}, {"pain": "severe"}, {"pain": "severe", "livedo": "yes"}, {"pain": "severe", "livedo": "no"}]
    page.choose("Pain of the lesion", "severe").choose("Livedo", "yes", "no")
    looks = []
    for findings in reversed(steps[:-1]):
        with page.answered():
            page.window.go_back()
        page.shows(model.posterior(findings))
        looks.append(page.look())
    assert page.fragment == ""
    for findings, look in zip(steps[1:-1], looks[-2::-1], strict=True):
        with page.answered():
            page.window.go_forward()
        page.shows(model.posterior(findings))
        assert page.look() == look
    # looking around is no step to go back from
    page.press("What if", "tab").press("Why", "tab")
    with page.answered():
        page.window.go_back()
    page.shows(model.posterior(pain="severe"))


def test_a_new_step_after_going_back_is_the_way_forward(page, server, model):
    page.open(server.url)
    page.choose("Pain of the lesion", "severe").choose("Livedo", "yes")
    with page.answered():
        page.window.go_back()
    page.choose("Ulceration", "yes")
    with page.answered():
        page.window.go_back()
    page.shows(model.posterior(pain="severe"))
    with page.answered():
        page.window.go_forward()
    page.shows(model.posterior(pain="severe", ulceration="yes"))


def test_a_broken_or_hostile_link_says_so_and_opens_the_empty_page(page, server, model):
    fresh = page.open(server.url).look()
    for what, fragment in HOSTILE.items():
        if what in OPENED:
            page.open(f"{server.url}#{fragment}")
        else:
            with page.answered():
                page.window.evaluate("fragment => { location.hash = fragment; }", fragment)
        look = page.look()
        assert page.notice.startswith("The link "), what
        assert len(page.notice) < 400, what
        assert {**look, "notice": ""} == fresh, what
        assert page.fragment == "", what
        assert page.window.evaluate("window.__hacked") is None, what
        assert page.window.locator(".explorer img").count() == 0, what
    page.choose("Pain of the lesion", "severe")  # and it works
    page.shows(model.posterior(pain="severe"))
    assert page.notice == ""


@pytest.mark.parametrize("field", ["case", "priors"])
def test_what_a_link_only_names_is_shown_as_text(page, link_of, field):
    page.open(link_of(pain="severe").split("&")[0] + f"&~{field}=<img src=x onerror=window.__hacked=1>")
    for name in ("What if", "Next test"):
        page.press(name, "tab")
    assert page.window.evaluate("window.__hacked") is None
    assert page.window.locator(".explorer img").count() == 0


def test_a_link_made_with_other_priors_says_so(page, link_of, model):
    page.open(link_of(pain="severe").partition("&~priors=")[0] + "&~priors=0123456789ab")
    assert "other priors (0123456789ab)" in page.notice
    page.shows(model.posterior(pain="severe"))


def test_a_hostile_link_in_an_open_page_leaves_nothing_of_the_last_patient(page, link_of, model):
    page.open(link_of(pain="severe"))
    with page.answered():
        page.window.evaluate("location.hash = 'pain=<script>'")
    assert page.notice.startswith("The link ")
    page.shows(model.posterior())
    assert page.window.get_by_role("button", name="Undo").is_disabled()
