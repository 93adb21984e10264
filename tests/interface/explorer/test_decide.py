"""The view 'decide' shows what `cc.decide` finds; its sliders and buttons do what they say, and undo works."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import calcinosis as cc
from calcinosis.inference.model import Model
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer import views
from calcinosis.interface.explorer.decide import view
from calcinosis.interface.explorer.page import Page
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.frozen import FrozenMap


@pytest.fixture
def jones(jones_at):
    """A session with the published case, at the view."""
    return jones_at("decide")


def decided(session):
    """What the analysis finds for the page."""
    page = session.page
    return cc.decide(
        session.shipped, session.situation.evidence, utilities=page.utilities, without=page.unavailable, draws=4_000
    )


def agrees(session):
    """That the view shows what the analysis finds."""
    shown, found = view(session.situation), decided(session)
    assert shown["verdict"] == found.summary
    assert [own["name"] for own in shown["actions"]] == found.spread["action"].to_list()
    for own, line in zip(shown["actions"], found.spread.to_dict("records"), strict=True):
        assert own["points"] == f"{line['expected_utility']:.1f}"
        assert own["best"] == percent(line["best"])
        assert float(own["from"]) + float(own["span"]) == pytest.approx(line["upper"], abs=0.011)
    assert sum(float(piece["width"]) for piece in shown["pieces"]) == pytest.approx(100, abs=0.01)
    return shown


def test_it_shows_what_the_analysis_finds(jones):
    shown = agrees(jones)
    assert shown["actions"][0]["label"] == "Surgical excision"
    html = views.view(jones.situation)
    assert "not advice" in html
    assert html.count('type="range"') == len(shown["utilities"]) == 13


def test_a_slider_changes_what_leads_and_undo_takes_it_back(jones):
    before = view(jones.situation)["actions"][0]["name"]
    jones.handle({"do": "utility", "variable": "surgical_complication", "value": "100"})
    assert dict(jones.page.utilities) == {"surgical_complication": 100.0}
    shown = agrees(jones)
    assert shown["actions"][0]["name"] != before
    assert shown["changed"] == 1
    assert "in the priors 8" in views.view(jones.situation)
    jones.handle({"do": "undo"})
    assert not jones.page.utilities
    assert view(jones.situation)["actions"][0]["name"] == before


def test_the_value_of_the_priors_is_no_change_and_all_can_be_put_back(jones):
    jones.handle({"do": "utility", "variable": "infusions", "value": "2"})
    assert not jones.page.utilities
    for name in ("infusions", "died"):
        jones.handle({"do": "utility", "variable": name, "value": "7"})
    assert len(jones.page.utilities) == 2
    jones.handle({"do": "utilities"})
    assert not jones.page.utilities


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "told"),
    [
        ({"do": "utility", "variable": "infusions", "value": "101"}, "A utility is a number of points from 0 to 100."),
        ({"do": "utility", "variable": "infusions", "value": "nan"}, "A utility is a number of points from 0 to 100."),
        ({"do": "utility", "variable": "infusions", "value": ""}, "A utility is a number of points from 0 to 100."),
        ({"do": "utility", "variable": "nothing", "value": "1"}, "A utility is a number of points from 0 to 100."),
        ({"do": "without", "value": "nothing"}, "There is no &#39;nothing&#39; to choose."),
    ],
)
def test_what_cannot_be_is_told(jones, action, told):
    before = jones.page
    assert told in jones.handle(action)["regions"]["notice"]
    assert jones.page == before


def test_an_action_that_is_not_to_be_had_is_gone_until_it_is_again(jones):
    jones.handle({"do": "without", "value": "excision"})
    shown = agrees(jones)
    assert "excision" not in {own["name"] for own in shown["actions"]}
    assert [own["name"] for own in shown["gone"]] == ["excision"]
    jones.handle({"do": "without", "value": "excision"})
    assert not jones.page.unavailable


def test_one_treatment_is_always_left(jones):
    for name in ("excision", "iv_sts", "intralesional_sts", "treat_minerals"):
        jones.handle({"do": "without", "value": name})
    assert "One treatment has to be left" in jones.handle({"do": "without", "value": "wound_care"})["regions"]["notice"]
    assert "wound_care" in {own["name"] for own in agrees(jones)["actions"]}


def test_what_waits_for_a_finding_says_so_until_it_is_known(jones):
    assert "offered once warfarin=yes is known" in views.view(jones.situation)
    jones.handle({"do": "set", "variable": "warfarin", "value": "yes"})
    shown = agrees(jones)
    assert "stop_vka" in {own["name"] for own in shown["actions"]}
    assert not shown["waiting"]


def test_rows_of_the_tables_are_computed_when_they_are_unfolded(jones):
    assert view(jones.situation)["tables"] == []
    jones.handle({"do": "open", "value": "decide-tables"})
    found = decided(jones).changes.tables
    shown = view(jones.situation)["tables"]
    assert [own["name"] for own in shown] == found["name"].head(5).to_list()


def test_a_new_patient_keeps_what_is_so_here(jones):
    jones.handle({"do": "without", "value": "excision"})
    jones.handle({"do": "utility", "variable": "infusions", "value": "0"})
    jones.handle({"do": "new"})
    assert jones.page.unavailable == {"excision"}
    assert dict(jones.page.utilities) == {"infusions": 0.0}
    assert not jones.page.findings


def test_the_draws_serve_for_every_slider(jones):
    view(jones.situation)
    known = jones.situation.asked.draws.weights
    jones.handle({"do": "utility", "variable": "infusions", "value": "3"})
    view(jones.situation)
    assert jones.situation.asked.draws.weights is known


def test_an_empty_page_and_a_certain_answer_are_shown_too(shipped):
    assert "What can be done" in views.view(Session(shipped, Page(tab="decide")).situation)


def test_priors_without_decisions_say_so(shipped):
    bare = Model.from_priors(replace(shipped.priors, decisions=None))
    session = Session(bare, Page(findings=FrozenMap({"pain": "severe"}), tab="decide"))
    assert re.search("have no decisions: add a folder decisions/", session.first())
    assert "These priors have no decisions." in session.handle({"do": "without", "value": "x"})["regions"]["notice"]
