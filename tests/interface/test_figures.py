"""Figures speak in labels: every condition of a row, who comes to lead, every region; for all published cases."""

from __future__ import annotations

import re
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

import calcinosis as cc
from calcinosis.interface.figures import sensitivity as figures
from calcinosis.interface.words.entries import entry_in_words
from calcinosis.knowledge.contexts import states_in

mpl.use("Agg")


@pytest.fixture(scope="module")
def model():
    return cc.load()


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def findings(model, case):
    """What is known of a published patient."""
    return {name: value for name, value in cc.cases().loc[case].items() if name in model.names and value}


def words_on(figure):
    """Every visible text of a figure, in one line."""
    return " ".join(" ".join(t.get_text() for t in figure.findobj(Text) if t.get_visible()).split())


def test_an_entry_in_words_leaves_out_no_condition_and_is_at_most_three_lines(model):
    variables = model.network.variables
    for entry in model.entries:
        told = entry_in_words(entry, model.network, figures.WORDS)
        assert len(told.splitlines()) <= 3, told
        flat = " ".join(told.split()).lower()
        assert variables[entry.variable].label.lower() in flat
        given = flat.partition(" given ")[2]
        for parent, cell in entry.given.items():
            names = variables[parent].state_names
            if cell in ("no", "yes"):
                name = variables[parent].label.lower()
                assert name in given
                assert (f"no {name}" in given) == (cell == "no"), told
            elif cell != "any":
                labels = {own: model.variables[parent].labels[own].lower() for own in names}
                assert read_states(given, labels) == set(states_in(cell, names)), told


def read_states(words, labels):
    """The states that words stand for: 'metastatic (not of renal failure)' is every metastatic form but one."""
    _, but, excepted = words.partition("any but ")
    words, named, found = excepted or words, set(labels.values()), set()
    for name, label in labels.items():
        kind, _, rest = label.partition(", ")
        alone = not any(own in words for own in named if own.startswith(f"{kind}, "))
        if inside := re.search(rf"{kind} \((not )?([^)]*)\)", words):
            if bool(re.search(rf"(^|or ){rest}", inside[2])) != bool(inside[1]):
                found.add(name)
        elif label in words or (alone and re.search(rf"\b{kind}\b", words)):
            found.add(name)
    return set(labels) - found if but else found


def test_entries_in_words_are_told_apart_within_a_table(model):
    told = [entry_in_words(entry, model.network, figures.WORDS) for entry in model.entries]
    assert len(set(told)) == len(told)


@pytest.mark.slow
@pytest.mark.parametrize("case", list(cc.cases().index))
def test_no_words_of_a_tornado_lie_over_others_or_off_the_page(model, case):
    figure = figures.tornado(cc.sensitivity.one_way(model, findings(model, case))).get_figure(root=True)
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for words, box in boxes:
        assert box.x0 >= -1, words
        assert box.y0 >= -1, words
        assert box.x1 <= figure.bbox.x1 + 1, words
        assert box.y1 <= figure.bbox.y1 + 1, words
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, f"{one!r} lies over {other!r}"


def test_tornado_and_curves_name_who_comes_to_lead(model):
    found = cc.sensitivity.one_way(model, findings(model, "jones2023"))
    fragile = found.rows.head(6).query("fragile")
    assert len(fragile)
    tornado = figures.tornado(found)
    on_curves = words_on(figures.curves(found).get_figure(root=True))
    for state in set(fragile["flips_to"]):
        assert f"{found.posterior.labels[state]} leads" in words_on(tornado.get_figure(root=True))
        assert on_curves.count(found.posterior.labels[state]) >= 2  # in the legend, and at the dot


@pytest.mark.parametrize("case", ["jones2023", "calci_012", "idio_025", "iatro_019"])
def test_every_region_of_a_map_is_named_within_it_or_above_it(model, case):
    known = findings(model, case)
    rows = cc.sensitivity.one_way(model, known).rows["entry"]
    found = cc.sensitivity.two_way(model, known, rows.iloc[0], rows.iloc[1], steps=40)
    words = words_on(figures.two_way(found).get_figure(root=True))
    states = list(found.posterior)
    for i in {int(i) for i in found.leading.ravel() if i >= 0}:
        assert found.posterior.labels[states[i]] in words


def test_what_two_entries_of_a_row_cannot_be_is_said(model):
    pair = [f"subtype={s}@care_setting=hospital_inpatient" for s in ("dystrophic", "calciphylaxis")]
    found = cc.sensitivity.two_way(model, {"pain": "severe"}, *pair, steps=20)
    assert "cannot be" in words_on(figures.two_way(found).get_figure(root=True))
