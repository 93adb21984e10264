"""An open page: undo and redo, a new patient, links, and that nothing is lost when the program makes an error."""

from __future__ import annotations

import logging

import pytest

import calcinosis as cc
from calcinosis.interface.explorer import session as module
from calcinosis.interface.explorer.session import Session


@pytest.fixture
def session(shipped):
    """A page just opened."""
    opened = Session(shipped)
    opened.first()
    return opened


def enter(session, **findings):
    """Enter findings one after another; the last reply."""
    for variable, value in findings.items():
        reply = session.handle({"do": "set", "variable": variable, "value": value})
    return reply


def test_undo_and_redo_go_back_and_forth_through_what_was_entered(session):
    enter(session, pain="severe", esrd="yes")
    session.handle({"do": "undo"})
    assert session.page.findings == {"pain": "severe"}
    session.handle({"do": "undo"})
    assert session.page.findings == {}
    for _ in range(2):
        session.handle({"do": "redo"})
    assert session.page.findings == {"pain": "severe", "esrd": "yes"}
    assert "There is nothing to do again." in session.handle({"do": "redo"})["regions"]["notice"]


def test_undo_leaves_the_view_as_it_is(session):
    enter(session, pain="severe")
    session.handle({"do": "tab", "value": "next"})
    session.handle({"do": "undo"})
    assert session.page.tab == "next"
    assert session.page.findings == {}


def test_a_view_is_no_step_back(session):
    assert enter(session, pain="severe")["push"]
    assert not session.handle({"do": "tab", "value": "next"})["push"]


def test_a_new_patient_is_as_a_page_just_opened_and_nothing_can_be_undone(session, shipped):
    fresh = Session(shipped).first()
    session.handle({"do": "case", "value": "jones2023"})
    enter(session, pain="none")
    reply = session.handle({"do": "new"})
    assert reply["cleared"]
    assert reply["fragment"] == ""
    assert session.first() == fresh
    session.handle({"do": "undo"})
    assert session.page.findings == {}


def test_only_what_changed_is_sent(session):
    assert enter(session, esrd="yes")["regions"].keys() <= {
        "notice", "patient", "answer", "about", "count-history", "row-esrd", "panel",
    }  # fmt: skip
    assert session.handle({"do": "hello"})["regions"] == {"notice": ""}


def test_the_mark_of_the_answer_before_goes_with_the_patient(session):
    assert 'class="was"' in enter(session, pain="severe")["regions"]["answer"]
    assert 'class="was"' not in session.handle({"do": "case", "value": "jones2023"})["regions"]["answer"]


def test_an_error_of_the_program_says_so_keeps_the_findings_and_logs_no_value(session, monkeypatch, caplog):
    enter(session, pain="severe")
    before = session.page

    def broken(page, action, model):
        raise KeyError("the patient's secret")

    monkeypatch.setattr(module, "act", broken)
    with caplog.at_level(logging.DEBUG):
        reply = enter(session, esrd="yes")
    assert "The program made an error, so this was not done. What you entered is kept." in reply["regions"]["notice"]
    assert session.page is before
    assert "secret" not in caplog.text
    assert "KeyError in" in caplog.text
    monkeypatch.undo()
    enter(session, esrd="yes")
    assert session.page.findings == {"pain": "severe", "esrd": "yes"}


def test_a_link_of_other_priors_says_so(session):
    reply = session.handle({"do": "link", "fragment": "pain=severe&~priors=0123456789ab"})
    assert "This link was made with other priors (0123456789ab)" in reply["regions"]["notice"]
    assert session.page.findings == {"pain": "severe"}


def test_an_estimate_comes_first_if_so_wished(session, shipped):
    session.handle({"do": "blind"})
    reply = enter(session, pain="severe")
    assert "%" not in reply["regions"]["answer"]
    assert reply["previews"] == {}
    reply = session.handle({"do": "estimate", "value": "calciphylaxis", "percent": "70"})
    assert "You said calciphylaxis 70 %; the network says" in reply["regions"]["about"]
    assert 'class="fill"' in reply["regions"]["answer"]


def test_pending_and_unknown_leave_the_answer_alone(session, shipped):
    enter(session, pth="pending", esrd="unknown")
    assert session.situation.posterior.probabilities_of == shipped.posterior().probabilities_of
    assert len(session.situation.evidence) == 0


@pytest.mark.slow
@pytest.mark.parametrize("record", ["asked", "case_report"])
def test_a_published_case_has_the_answer_of_the_record_that_is_named(shipped, record):
    """A page asks for each finding: whatever record its model reads, what is not entered counts as unknown."""
    session = Session(shipped.recorded(record))
    for case in cc.cases().index[::15]:
        reply = session.handle({"do": "case", "value": case})
        known = {name: own for name, own in cc.cases().loc[case].items() if name in shipped.names and own}
        assert session.situation.posterior.probabilities_of == shipped.posterior(known, record="asked").probabilities_of
        assert session.situation.posterior.record == "asked"
        assert "Record assumed: asked. What is not entered counts as unknown." in reply["regions"]["about"]
    assert "--record asked</code> gives those of this page" in session.handle({"do": "undo"})["regions"]["patient"]
