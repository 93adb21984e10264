"""The figures of findings show the numbers of their tables; no words lie over others or off the page."""

from __future__ import annotations

import math
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.text import Text

import calcinosis as cc
from calcinosis.inference.numbers import percent, percents
from calcinosis.inference.pgmpy_bridge import as_file
from calcinosis.interface.figures import findings as figures
from calcinosis.interface.figures import style as figure_parts
from calcinosis.interface.figures import workup as tests

mpl.use("Agg")
CASES = ("jones2023", "idio_025", "meta_018", "one", "nobody")
HISTOLOGY = ("vascular_histology", "vasculopathy", "extravascular_calcification")


@pytest.fixture(scope="module")
def model():
    return cc.load()


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def findings(model, case):
    """What is known of a published patient; of one with a single finding; nothing of nobody."""
    if case in ("one", "nobody"):
        return {"pain": "severe"} if case == "one" else {}
    return {name: value for name, value in cc.cases().loc[case].items() if name in model.names and value}


def without_histology(model, case):
    return {name: value for name, value in findings(model, case).items() if name not in HISTOLOGY}


DRAWN = {
    "waterfall": lambda model, case: figures.waterfall(cc.explain(model, findings(model, case))),
    "trajectory": lambda model, case: figures.trajectory(cc.whatif.trajectory(model, findings(model, case))),
    "what_if": lambda model, case: figures.what_if(cc.whatif.sweep(model, findings(model, case))),
    "next_test": lambda model, case: tests.next_test(cc.next_test(model, without_histology(model, case))),
    "serial_testing": lambda model, case: tests.serial_testing(
        cc.serial_testing(model, without_histology(model, case), state="calciphylaxis")
    ),
}


def check_readable(ax):
    """No words over others or off the page, at the size of the page and printed; the words that stand on it."""
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    page = figure.bbox
    boxes = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            assert page.x0 - 1 <= box.x0 < box.x1 <= page.x1 + 1, text.get_text()
            assert page.y0 - 1 <= box.y0 < box.y1 <= page.y1 + 1, text.get_text()
            boxes.append((text.get_text(), box))
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, f"{one!r} lies over {other!r}"
    words = " ".join(" ".join(text for text, _ in boxes).split())
    assert cc.DISCLAIMER in words
    return words


def labels(ax):
    return [" ".join(label.get_text().split()) for label in ax.get_yticklabels()]


def rectangles(ax):
    """The bars of the axes: not the legend's, which are no patches of the axes."""
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", DRAWN)
def test_no_words_lie_over_others_or_off_the_page(model, name, case):
    check_readable(DRAWN[name](model, case))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(4))
def test_every_published_patient_has_a_waterfall_that_ends_at_the_odds(model, start):
    for case in cc.cases().index[start::4]:
        found = cc.explain(model, findings(model, case))
        ax = figures.waterfall(found, most=6)
        check_readable(ax)
        bars = rectangles(ax)
        assert len(bars) == min(len(found.frame), 7)
        assert bars[0].get_x() == pytest.approx(found.before)
        assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(found.after)
        plt.close("all")


def test_the_bars_of_a_waterfall_are_the_contributions_in_their_order(model):
    found = cc.explain(model, findings(model, "jones2023"), state="dystrophic", against="calciphylaxis")
    ax = figures.waterfall(found, most=17)
    bars = rectangles(ax)
    assert [bar.get_width() for bar in bars] == pytest.approx(found.frame["contribution"].to_list())
    assert labels(ax)[1:-1] == found.frame["finding"].to_list()
    assert ax.get_title(loc="left") == "Why dystrophic calcification rather than calciphylaxis"
    for bar, own in zip(bars, found.frame["contribution"], strict=True):
        assert to_rgb(bar.get_facecolor()[:3]) == to_rgb(figures.FOR if own > 0 else figures.AGAINST)
        assert bool(bar.get_hatch()) == (own < 0)
    words = check_readable(ax)
    assert all(group in words for group in found.frame["group"])
    assert "×5.4 " in words
    assert "÷4.1 " in words


def test_weak_findings_are_one_bar_that_adds_them_up(model):
    found = cc.explain(model, findings(model, "jones2023"))
    ax = figures.waterfall(found, most=5)
    weakest = found.frame["contribution"].abs().nsmallest(len(found.frame) - 5).index
    assert labels(ax)[-2] == "twelve other findings"
    assert rectangles(ax)[-1].get_width() == pytest.approx(found.frame.loc[weakest, "contribution"].sum())
    assert ax.get_title(loc="left") == "Why dystrophic calcification rather than the others"


def test_a_single_finding_too_many_is_named(model):
    found = cc.explain(model, findings(model, "jones2023"))
    assert "other finding" not in " ".join(labels(figures.waterfall(found, most=len(found.frame) - 1)))


def test_the_odds_at_the_ends_are_told_in_words(model):
    found = cc.explain(model, pain="severe")
    first, *_, last = labels(figures.waterfall(found))
    assert first == f"with nothing known: all others together {math.exp(-found.before):.1f} times as probable"
    assert last == f"with all findings: calciphylaxis {math.exp(found.after):.1f} times as probable"
    of = cc.explain(model, pain="severe", sex="male", background=["sex"])
    assert labels(figures.waterfall(of))[0].startswith("with the background alone: ")


def test_the_scale_of_a_waterfall_has_its_odds_and_their_logarithms(model):
    ax = figures.waterfall(cc.explain(model, findings(model, "jones2023")))
    for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True):
        odds, nats = label.get_text().replace(",", "").replace("−", "-").split("\n")
        factor = 1 / float(odds[2:]) if odds.startswith("1/") else float(odds)
        assert math.log(factor) == pytest.approx(place)
        assert float(nats.strip("()")) == pytest.approx(place, abs=0.05)


def test_a_hypothesis_of_several_states_is_told_in_full(model):
    states = {"state": "dystrophic/metastatic/iatrogenic", "against": "idiopathic/calciphylaxis"}
    ax = figures.waterfall(cc.explain(model, findings(model, "idio_025"), **states))
    words = check_readable(ax)
    assert "metastatic calcification or iatrogenic calcification rather than the others" in words
    assert "idiopathic calcification or calciphylaxis" not in words
    states["against"] = "idiopathic"
    words = check_readable(figures.waterfall(cc.explain(model, findings(model, "idio_025"), **states)))
    assert "or iatrogenic calcification rather than idiopathic calcification" in words


@pytest.mark.parametrize(("low", "high"), [(-0.3, 0.6), (-1.0, 1.0), (0.0, 4.0), (-30.0, 12.0), (-650.0, 80.0)])
def test_a_scale_has_a_few_round_odds(low, high):
    found = figures._round_odds(low, high)
    assert 2 <= len(found) <= 12
    assert all(low <= math.log(factor) <= high for factor in found)
    assert 1 in found


@pytest.mark.parametrize("case", ["jones2023", "meta_018"])
def test_the_lines_of_a_trajectory_are_its_probabilities(model, case):
    found = cc.whatif.trajectory(model, findings(model, case))
    ax = figures.trajectory(found)
    lines = [line for line in ax.lines if line.get_marker() in figures.MARKERS]
    assert len(lines) == len(model.states)
    for state, line in zip(model.states, lines, strict=True):
        own = found.frame[found.frame["state"] == state]
        assert np.allclose(line.get_xdata(), 100 * own["probability"])
        assert line.get_ydata().tolist() == own["step"].to_list()
    assert labels(ax) == ["with nothing known", *found.frame.groupby("step")["finding"].first()[1:]]
    leaders = figures.banded(found)
    assert leaders == (["dystrophic", "calciphylaxis"] if case == "jones2023" else leaders)
    for state, band in zip(leaders, ax.collections, strict=True):
        own = found.frame[found.frame["state"] == state]
        x = band.get_paths()[0].vertices[:, 0]
        assert (x.min(), x.max()) == pytest.approx((100 * own["lower"].min(), 100 * own["upper"].max()))


def test_the_cells_of_the_map_are_the_probabilities_of_the_changes(model):
    found = cc.whatif.sweep(model, findings(model, "jones2023"))
    ax = figures.what_if(found, most=12)
    shown = found.frame.loc[found.frame["moved"].nlargest(12).index].sort_index()
    rows = [list(found.posterior.probabilities_of.values()), *shown[list(model.states)].to_numpy().tolist()]
    cells = {text.get_position(): text.get_text() for text in ax.texts if text.get_text().endswith("%")}
    assert cells == {(x, y): percent(value) for y, row in enumerate(rows) for x, value in enumerate(row)}
    frames = [patch for patch in rectangles(ax) if not patch.get_fill()]
    assert [round(patch.get_x() + 0.47) for patch in frames] == [int(np.argmax(row)) for row in rows]
    marks = [text.get_text() for text in ax.texts if text.get_text().startswith("◆")]
    assert len(marks) == int(shown["flips"].sum()) > 0
    chance = shown[shown["flips"] & (shown["kind"] != "removed")].iloc[0]
    assert f"({percent(chance['chance'])} probable)" in marks[0]
    assert "those 12 of 64 changes" in check_readable(ax)


def test_the_map_tells_changes_in_the_words_of_findings(model):
    every = labels(figures.what_if(cc.whatif.sweep(model, findings(model, "jones2023")), most=100))
    assert every[0] == "as it is"
    for words in (
        "no ulceration",
        "ulceration (not known)",
        "livedo",
        "serum calcium (high)",
        "vessels on biopsy (no calcium in vessel walls, 4 times)",
    ):
        assert words in every


def test_a_map_of_pairs_is_refused_in_words(model):
    with pytest.raises(cc.errors.QuestionError, match="single changes"):
        figures.what_if(cc.whatif.pairs(model, pain="severe", kinds=["changed"]))


@pytest.mark.parametrize("by", ["information", "cost"])
def test_the_bars_of_tests_are_their_information(model, by):
    found = cc.next_test(model, without_histology(model, "jones2023"), by=by)
    ax = tests.next_test(found, most=6)
    rows = found.frame.head(6)
    alone, further = rectangles(ax)[::2], rectangles(ax)[1::2]
    assert [bar.get_width() for bar in alone] == pytest.approx(rows["information"].to_list())
    assert [bar.get_x() + bar.get_width() for bar in further] == pytest.approx(rows["in_two"].to_list())
    assert all(bar.get_hatch() for bar in further)
    assert labels(ax) == rows["label"].to_list()
    words = check_readable(ax)
    for row in rows.itertuples():
        assert f"→ {percent(row.right)}" in words
        assert row.cost == 0 or f"US$ {row.cost:,.0f}" in words


def test_with_every_test_done_the_figure_says_so(model):
    found = cc.next_test(model, pain="severe", without=cc.next_test(model, pain="severe").frame["test"].to_list())
    assert "No test remains" in check_readable(tests.next_test(found))


@pytest.mark.parametrize("case", ["jones2023", "nobody"])
def test_the_boxes_of_a_plan_are_its_probabilities(model, case):
    found = cc.serial_testing(model, without_histology(model, case), state="calciphylaxis")
    ax = tests.serial_testing(found)
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    told = [text.get_text() for text in ax.texts if text.get_fontweight() == "bold" and text.get_text()[-1] == "%"]
    expected = [percent(value) for value in [*found.frame["calciphylaxis"], found.limit]]
    assert [words for words in told if "below" not in words] == expected
    assert [box.get_linewidth() > 2 for box in boxes] == [*found.frame["below"], found.limit < found.threshold]
    words = check_readable(ax)
    assert all(percents(*pair) in words for pair in zip(found.frame["lower"], found.frame["upper"], strict=True))
    marks = [text for text in ax.texts if text.get_text() == "▲ below 5%"]
    assert [mark.get_position()[0] for mark in marks] == ([] if found.enough is None else [found.enough])


def test_a_plan_with_many_steps_shows_the_first_and_when_it_is_enough(model):
    found = cc.serial_testing(model, state="calciphylaxis")
    assert found.enough == 3
    assert "below 5% after 3" in check_readable(tests.serial_testing(found, most=2))
    assert "9 more" not in check_readable(tests.serial_testing(cc.serial_testing(model, pain="severe", steps=9)))


@pytest.fixture(scope="module")
def plain(build, tmp_path_factory):
    """A network from a file: no labels, no groups, no weights, no tests."""
    tables = {
        "illness": ("cold flu angina", "", [0.6, 0.3, 0.1]),
        "fever": ("no yes", "illness", [0.8, 0.2, 0.1, 0.9, 0.3, 0.7]),
        "throat": ("fine red sore", "illness", [0.6, 0.2, 0.2, 0.5, 0.4, 0.1, 0.05, 0.15, 0.8]),
    }
    path = tmp_path_factory.mktemp("file") / "network.bif"
    path.write_bytes(as_file(build("illness", tables), ".bif"))
    return cc.Model.from_file(path, "illness"), cc.Model(build("illness", tables, repeatable=["throat"]))


@pytest.mark.slow
@pytest.mark.parametrize("known", [{}, {"fever": "yes"}, {"fever": "yes", "throat": "sore"}])
def test_a_network_from_a_file_has_every_figure(plain, known):
    model, repeatable = plain
    assert "illness" not in check_readable(figures.waterfall(cc.explain(model, known)))
    assert "interval" not in check_readable(figures.trajectory(cc.whatif.trajectory(model, known)))
    check_readable(figures.what_if(cc.whatif.sweep(model, known)))
    assert "$" not in check_readable(tests.next_test(cc.next_test(model, known)))
    words = check_readable(tests.serial_testing(cc.serial_testing(repeatable, known, state="flu")))
    assert "interval" not in words
    assert "sore" in words


def test_figures_are_drawn_on_axes_that_are_given(model):
    known = {"pain": "severe"}
    for draw, found in (
        (figures.waterfall, cc.explain(model, known)),
        (figures.trajectory, cc.whatif.trajectory(model, known)),
        (figures.what_if, cc.whatif.sweep(model, known)),
        (tests.next_test, cc.next_test(model, known)),
        (tests.serial_testing, cc.serial_testing(model, known)),
    ):
        ax = plt.figure().add_subplot()
        assert draw(found, ax=ax) is ax


def test_for_and_against_are_told_apart_in_grey_and_words_are_read_on_every_shade():
    def grey(colour):
        return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))

    assert grey(figures.AGAINST) - grey(figures.FOR) > 0.25
    for value in np.linspace(0, 1, 101):
        shade, ink = figure_parts.shade(value)
        assert abs(grey(shade) - grey(ink)) > 0.3
