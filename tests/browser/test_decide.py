"""Treat, test or wait, in a browser: what leads follows the sliders, and the link keeps them."""

import re

import pytest

import calcinosis as cc

pytestmark = pytest.mark.browser

KNOWN = {"cirrhosis": "yes", "weight_loss": "yes", "pain": "intermittent", "ulceration": "yes"}


def first(page):
    """The action that stands first, and its points."""
    item = page.window.locator(".actions > li").first
    return item.locator("h4").inner_text(), float(item.locator(".worth strong").inner_text().split()[0])


def best(model, **asked):
    """The same as the analysis finds it."""
    line = cc.decide(model, KNOWN, draws=100, **asked).spread.iloc[0]
    return line["label"], round(float(line["expected_utility"]), 1)


def slider(page, name):
    return page.window.locator(f'[id="utility:{name}:value"]')


def test_what_leads_follows_the_sliders_and_the_link_keeps_them(page, link_of, model):
    page.open(link_of(**KNOWN)).press("Decide", "tab")
    assert first(page) == best(model)
    with page.answered():
        page.press("Not to be had here: Surgical excision")
    assert first(page) == best(model, without=["excision"])
    own = slider(page, "test_complication")
    with page.answered():
        own.press("End")
    assert own.input_value() == "20"
    assert first(page) == best(model, without=["excision"], utilities={"test_complication": 20})
    assert "~utilities=test_complication:20" in page.fragment
    assert "~unavailable=excision" in page.fragment
    told = page.window.locator('[id="utility:test_complication"]').inner_text()
    assert re.search("in the priors 8", told)
    with page.answered():
        page.press("1 changed: back to those of the priors")
    assert first(page) == best(model, without=["excision"])
