"""The figures of a sensitivity analysis show the numbers of its tables; no words lie over others or off the page."""

from __future__ import annotations

from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import calcinosis as cc
from calcinosis.interface.figures import sensitivity as figures
from calcinosis.interface.figures import style as figure_parts

mpl.use("Agg")
CASES = ("jones2023", "calci_012", "idio_025", "iatro_019", "meta_018", "nobody")


@pytest.fixture(scope="module")
def model():
    return cc.load()


def findings(model, case):
    """What is known of a published patient; nothing of nobody."""
    if case == "nobody":
        return {}
    return {name: value for name, value in cc.cases().loc[case].items() if name in model.names and value}


@pytest.fixture(scope="module", params=CASES)
def found(request, model):
    known = findings(model, request.param)
    rows = cc.sensitivity.one_way(model, known).rows["entry"]
    return cc.sensitivity.overview(model, known, draws=500, entries=(rows.iloc[0], rows.iloc[1]))


DRAWN = {
    "posterior": lambda found: found.posterior.plot(),
    "tornado": lambda found: figures.tornado(found.one_way),
    "curves": lambda found: figures.curves(found.one_way),
    "two_way": lambda found: figures.two_way(found.two_way),
    "distributions": lambda found: figures.distributions(found.uncertainty),
    "by_source": lambda found: figures.variance_by_source(found.uncertainty),
    "by_table": lambda found: figures.variance_by_table(found.uncertainty),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_no_words_lie_over_others_or_off_the_page(found, name):
    figure = DRAWN[name](found).get_figure(root=True)
    figure.draw_without_rendering()
    page = figure.bbox
    boxes = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            assert box.x0 >= page.x0 - 1, text.get_text()
            assert box.x1 <= page.x1 + 1, text.get_text()
            assert box.y0 >= page.y0 - 1, text.get_text()
            assert box.y1 <= page.y1 + 1, text.get_text()
            boxes.append((text.get_text(), box))
    assert len(boxes) > 4
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, f"{one!r} lies over {other!r}"
    words = " ".join(" ".join(text for text, _ in boxes).split())
    assert cc.DISCLAIMER in words
    plt.close("all")


def test_the_bars_of_the_tornado_are_the_rows_of_the_table(found):
    ax = figures.tornado(found.one_way, most=8)
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    now = 100 * found.posterior[found.posterior.leading]
    rows = found.rows.head(8)
    ends = {round(bar.get_x() + bar.get_width(), 6) for bar in bars}
    assert len(bars) == 2 * len(rows)
    assert ends == {round(100 * value, 6) for value in (*rows["at_lower"], *rows["at_upper"])}
    assert all(bar.get_x() == pytest.approx(now) for bar in bars)
    words = " ".join(text.get_text() for text in ax.findobj(Text))
    for row in rows.itertuples():
        assert row.source.split(";")[0] in words
        assert f"weight {row.weight:g}" in words
    marks = [line for line in ax.lines if line.get_marker() == "D"]
    assert len(marks) == int(rows["fragile"].sum())
    plt.close("all")


def test_the_curves_are_the_sensitivity_functions(found):
    name = found.rows["entry"].iloc[0]
    ax = figures.curves(found.one_way, [name])
    function = found.one_way.function(name)
    for state, line in zip(range(5), [line for line in ax.lines if len(line.get_xdata()) > 100], strict=True):
        assert np.allclose(line.get_ydata(), 100 * function(np.asarray(line.get_xdata()))[:, state])
    plt.close("all")


def test_light_and_dark_are_told_apart_in_grey():
    def grey(colour):
        return float(np.dot(mpl.colors.to_rgb(colour), (0.299, 0.587, 0.114)))

    assert grey(figure_parts.LIGHT) - grey(figure_parts.DARK) > 0.3
    looks = list(zip(figure_parts.HATCHES, map(str, figure_parts.LINES), strict=True))
    assert len(set(looks)) == len(looks) == len(figure_parts.COLOURS)
