"""When the program fails, or cannot be reached, the page says so, loses nothing, and comes back by itself."""

from __future__ import annotations

import os
import re
import signal

import pytest

pytestmark = pytest.mark.browser

PAIN, LIVEDO, ULCER, BIOPSY = "Pain of the lesion", "Livedo", "Ulceration", "Vessels on biopsy"
NO_CALCIUM = "no calcium in vessel walls"

FAILING = """
from calcinosis.interface.explorer import actions, what_if
do = actions._ACTIONS["set"]
def fail(page, action, model):
    if action["variable"] == "livedo":
        raise RuntimeError("severe pain of Mrs Doe")
    return do(page, action, model)
def fail_too(situation):
    raise RuntimeError("severe pain of Mrs Doe")
actions._ACTIONS["set"] = fail
what_if.view = fail_too
"""
"""Python that makes one click and one view fail in the program."""

REFUSED = (
    "ERR_CONNECTION_REFUSED",
    "WebSocket connection",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
)
"""What the browser says of a server that is not there, or that ends while it answers."""


def banner(page):
    """What the page says of the connection; empty while it is there."""
    own = page.window.locator(".connection")
    return own.inner_text() if own.is_visible() else ""


@pytest.fixture(scope="module")
def failing(serve):
    """The explorer with faults; it logs where they are, but not with what: that may be a patient's."""
    running = serve(before=FAILING)
    yield running
    assert re.fullmatch(r"(RuntimeError in <string>, line \d+, fail(_too)?\n)+", running.stop())


def test_a_fault_of_the_program_is_told_and_nothing_is_lost(page, failing, model):
    page.open(failing.url)
    page.choose(PAIN, "severe").type_number("Serum calcium", "9,1", "mg/dL")
    with page.answered():
        page.radio(LIVEDO, "yes").click()
    assert page.notice == "The program made an error, so this was not done. What you entered is kept."
    known = {"pain": "severe", "serum_calcium": "9.1 mg/dL"}
    page.shows(model.posterior(known))
    # what was not done is not shown as chosen
    assert page.radio(LIVEDO, "not asked").is_checked()

    page.choose(ULCER, "yes")
    page.shows(model.posterior(known | {"ulceration": "yes"}))
    assert page.notice == ""
    assert page.window.get_by_label("Serum calcium as a number").input_value() == "9.1"
    page.reload().shows(model.posterior(known | {"ulceration": "yes"}))


def test_the_same_fault_twice_is_told_twice(page, failing):
    page.open(failing.url)
    for _ in range(2):
        with page.answered():
            page.radio(LIVEDO, "yes").click()
        assert "made an error" in page.notice
        page.window.get_by_role("button", name="Close this notice").click()
        assert page.notice == ""


def test_a_fault_of_a_view_leaves_the_answer_alone(page, failing, model):
    page.open(failing.url)
    page.choose(PAIN, "severe").press("What if", "tab")
    assert "made an error in this view" in page.words("panel")
    page.choose(ULCER, "yes")
    page.shows(model.posterior(pain="severe", ulceration="yes"))
    page.press("Why", "tab")
    assert "made an error" not in page.words("panel")


def test_a_lost_connection_comes_back_with_all_that_was_entered(page, serve, model):
    page.expected = REFUSED
    server = serve()
    page.open(server.url)
    page.choose(PAIN, "severe").add(BIOPSY, NO_CALCIUM).press("What if", "tab")
    server.die()
    page.window.locator(".connection:not([hidden])").wait_for()
    assert "connection to the program on this machine is lost" in banner(page)
    assert page.window.locator(".explorer.updating").count() == 1
    page.shows(model.posterior(pain="severe", vascular_histology="absent"))

    # what is clicked while it is away is kept too
    page.radio(LIVEDO, "yes").click()
    page.button(BIOPSY, NO_CALCIUM).click()

    with page.window.expect_event("load"):
        serve(port=server.port)
    page.window.wait_for_selector('.explorer[data-seq="3"]')
    assert banner(page) == ""
    page.shows(model.posterior(pain="severe", livedo="yes", vascular_histology="absent,absent"))
    assert page.window.get_by_role("tab", name="What if").get_attribute("aria-selected") == "true"
    page.choose(ULCER, "yes")
    page.shows(model.posterior(pain="severe", livedo="yes", vascular_histology="absent,absent", ulceration="yes"))


def test_a_program_that_does_not_answer_is_called_silent_until_it_does(page, serve, model):
    server = serve()
    page.window.clock.install()
    page.open(server.url)
    page.add(BIOPSY, NO_CALCIUM)
    os.kill(server.pid, signal.SIGSTOP)
    with page.answered():
        try:
            page.button(BIOPSY, NO_CALCIUM).click()
            page.window.clock.run_for(1000)
            assert page.window.locator(".explorer.updating").count() == 1
            assert banner(page) == ""
            page.window.clock.run_for(8000)
            assert banner(page).startswith("No answer for a while")
            page.shows(model.posterior(vascular_histology="absent"))
        finally:
            os.kill(server.pid, signal.SIGCONT)
    assert banner(page) == ""
    page.shows(model.posterior(vascular_histology="absent,absent"))
    assert page.finding(BIOPSY).locator(".result").count() == 2
