"""A number reads the same in the shell, in a report, in a figure and on the page."""

from __future__ import annotations

import math

import calcinosis as cc
from calcinosis.inference.numbers import burden, odds_factor, percent, percents, price
from calcinosis.interface.explorer.printed import _why
from calcinosis.interface.words.explain import contribution_cells
from calcinosis.interface.words.posterior import ranges_of
from calcinosis.interface.words.workup import ranking_cells
from calcinosis.knowledge.folder import shipped_folder

MODEL = cc.load(shipped_folder())
FINDINGS = {"cirrhosis": "yes", "pain": "severe"}


def test_a_contribution_reads_the_same_in_shell_account_report_and_figure():
    why = cc.explain(MODEL, FINDINGS)
    expected = [odds_factor(nats) for nats in why.frame["contribution"]]
    assert [cells["odds"] for cells in contribution_cells(why)] == expected
    lines = {line["finding"]: line["odds"] for side in _why(why)["sides"] for line in side["lines"]}
    assert [lines[finding] for finding in why.frame["finding"]] == expected
    drawn = {text.get_text() for text in cc.plot.waterfall(why).texts}
    assert set(expected) <= drawn


def test_a_probability_and_an_interval_read_the_same_in_text_notebook_and_figure():
    posterior = MODEL.posterior(FINDINGS)
    drawn = [text.get_text() for text in posterior.plot().texts]
    for place, state in enumerate(posterior):
        interval = percents(*posterior.interval().loc[state])
        assert ranges_of(posterior)[state] == interval
        for words in (percent(posterior[state]), interval):
            assert words in repr(posterior)
            assert words.replace("<", "&lt;").replace(">", "&gt;") in posterior._repr_html_()
            assert words in drawn[place]


def test_a_price_reads_the_same_in_shell_and_figure():
    tests = cc.next_test(MODEL, FINDINGS)
    prices = [price(cost) for cost in tests.frame["cost"]]
    assert [cells["cost"] for cells in ranking_cells(tests, len(prices))] == prices
    drawn = "\n".join(text.get_text() for text in cc.plot.next_test(tests).texts)
    for line in tests.frame.head(10).itertuples():
        assert burden(line.cost, line.harm, line.days) in drawn


def test_a_factor_below_one_is_a_division():
    assert odds_factor(math.log(2.9)) == "×2.9"
    assert odds_factor(-math.log(2.9)) == "÷2.9"
