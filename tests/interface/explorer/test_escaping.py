"""Names, states and what is typed are shown as text, whatever they are: no view makes an element of them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import calcinosis as cc
from calcinosis.interface.explorer.downloads import download
from calcinosis.interface.explorer.page import TABS, Page
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.frozen import FrozenMap

TARGET, CHILD, GRANDCHILD = "<blink>d", "\"'><blink>s", "</script><blink>&lt;"
YES, NO = '"onmouseover="x"<blink>', "no<blink>"


class Elements(HTMLParser):
    """The names of the elements of a page, and of their attributes."""

    def __init__(self, html):
        super().__init__()
        self.names, self.attributes = set(), set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attributes}


def assert_harmless(html):
    found = Elements(html)
    assert not found.names & {"blink", "script", "img"}
    assert not {name for name in found.attributes if name.startswith("on") or not name.replace("-", "").isalnum()}


@pytest.fixture
def model(build):
    """A network whose names are hostile."""
    states = f"{YES} {NO}"
    return cc.Model(
        build(
            TARGET,
            {
                TARGET: (states, "", [0.3, 0.7]),
                CHILD: (states, TARGET.replace(" ", ""), [[0.9, 0.1], [0.2, 0.8]]),
                GRANDCHILD: (states, CHILD.replace(" ", ""), [[0.6, 0.4], [0.3, 0.7]]),
            },
        )
    )


@pytest.mark.parametrize("tab", TABS)
def test_a_network_with_hostile_names_is_harmless(model, tab):
    session = Session(model, Page(findings=FrozenMap({CHILD: YES}), tab=tab))
    page = session.first()
    assert "&lt;blink&gt;s" in page
    assert_harmless(page)
    for state in (NO, "", YES):
        reply = session.handle({"do": "set", "variable": GRANDCHILD, "value": state})
        assert "made an error" not in reply["regions"]["notice"] + session._sent["panel"]
        for html in session._sent.values():
            assert_harmless(html)


def test_what_is_typed_is_harmless(shipped):
    session = Session(shipped)
    session.first()
    typed = '"><blink onmouseover="x">'
    for action in (
        {"do": "number", "variable": "serum_calcium"},
        {"do": "set", "variable": "pain"},
        {"do": "set", "variable": typed},
        {"do": "case"},
        {"do": "tab"},
        {"do": typed},
        {"do": "link", "fragment": typed},
        {"do": "link", "fragment": f"pain=severe&~case={typed}"},
        {"do": "download"},
        {"do": "estimate", "percent": typed},
        {"do": "edit", "variable": "pain", "given": typed},
    ):
        for html in session.handle({"value": typed, **action})["regions"].values():
            assert_harmless(html)
    for html in session._sent.values():
        assert_harmless(html)


def test_the_report_of_hostile_names_is_harmless(model):
    session = Session(model, Page(findings=FrozenMap({CHILD: YES}), case="<blink>"))
    assert_harmless(download("report", session.situation, None)["download"]["text"])
