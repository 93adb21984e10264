"""The network in the page: every probability that of the model, the way of the strongest finding, any network drawn."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from printed_networks import AIRPORT, ALARM, ASIA, BURGLARY, CANCER, SHAP, SYNTHETIC
from properties import examples

from calcinosis.inference.model import Model
from calcinosis.inference.network import Network
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer import views
from calcinosis.interface.explorer.network import BAR, nodes, strongest, view
from calcinosis.interface.explorer.network_layout import WIDTH, layout
from calcinosis.interface.explorer.rendering import HERE, render
from calcinosis.interface.explorer.session import Session

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"
PRINTED = {"lung": ASIA, "fire": ALARM, "Z": SHAP, "plane": AIRPORT, "MC": CANCER, "B": BURGLARY, "y3": SYNTHETIC}


def panel(session):
    """The HTML of the network, from a session whose page shows it."""
    session.handle({"do": "tab", "value": "network"})
    return views.view(session.situation)


def picture(html):
    """The picture as a tree, which must be well formed."""
    return ET.fromstring(re.search(r"<svg.*?</svg>", html, re.DOTALL).group())


def texts(node, kind=None):
    return [own.text for own in node.iter("text") if kind is None or own.get("class") == kind]


@pytest.fixture
def jones(shipped):
    """A session with the published case, and one finding that leaves a doubt."""
    session = Session(shipped)
    session.handle({"do": "case", "value": "jones2023"})
    session.handle({"do": "probably", "variable": "livedo", "value": "yes:probably"})
    return session


def test_each_box_shows_the_posterior_of_its_variable(jones, shipped):
    drawn = picture(panel(jones))
    frame = shipped.marginals(jones.situation.evidence)
    boxes = {box.find("text").text: box for box in drawn.iter("g")}
    assert len(boxes) == len(shipped.variables)
    for name, own in frame.groupby("variable"):
        variable = shipped.variables[name]
        box = next(box for label, box in boxes.items() if variable.label.startswith(label.removesuffix("…")))
        bars = [float(rect.get("width")) for rect in box.iter("rect") if rect.get("class") == "fill"]
        assert np.allclose(bars, own["probability"] * BAR, atol=0.06)
        shown = texts(box, "percent")
        if name in jones.situation.evidence and not variable.repeatable and name != "livedo":
            assert sorted(shown) == ["–"] * (len(variable.states) - 1) + ["✓"]
        else:
            assert shown == [percent(p) for p in own["probability"]]
        assert ("entered" in box.get("class").split()) == (name in jones.situation.evidence)
        assert ("entered" in texts(box, "badge-words")) == (name in jones.situation.evidence)


def test_what_was_entered_is_told_in_words_and_never_as_a_certainty(jones):
    html = panel(jones)
    assert "Pain of the lesion: intermittent or mild entered" in html
    assert "Vessels on biopsy, one more result: no calcium in vessel walls" in html
    assert re.search(r"Livedo: yes \d\d%, entered", html)
    assert "100%" not in html
    assert not re.search(r"\b0%", html)


def test_the_table_says_the_same_as_the_picture(jones, shipped):
    html = panel(jones)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td class="number">(.*?)</td></tr>', html)
    found = nodes(jones.situation)
    assert len(rows) == sum(len(variable.states) for variable in shipped.variables.values())
    said = [(state.label, state.words) for node in found.values() for state in node.states]
    assert [(label, words.replace("&lt;", "<").replace("&gt;", ">")) for _, label, words in rows] == said


def test_the_strongest_argument_is_that_of_the_explanation(jones, shipped):
    way = strongest(jones.situation)
    frame = jones.situation.explanation.frame
    line = frame.loc[frame["contribution"].abs().idxmax()]
    assert (way.names[0], way.names[-1]) == (line["variable"], "subtype")
    assert way.sentence.lower().startswith(line["finding"].lower())
    html = panel(jones)
    strong = [path for path in picture(html).iter("path") if path.get("class") == "arrow strong"]
    assert len(strong) == len(way.names) - 1
    between = [shipped.variables[name].label for name in way.names[1:-1]]
    assert all(label.lower() in way.sentence.lower() for label in between)
    for one, other in pairwise(way.names):
        assert one in shipped.network.parents[other] or other in shipped.network.parents[one]


def test_an_argument_against_is_told_as_one(shipped):
    session = Session(shipped)
    session.handle({"do": "set", "variable": "autoantibodies", "value": "positive"})
    session.handle({"do": "why", "value": "calciphylaxis"})
    sentence = strongest(session.situation).sentence
    assert "against calciphylaxis, whose odds it divides by" in sentence
    assert sentence.endswith("by way of connective tissue disease and form within the subtype.")
    session.handle({"do": "why", "field": "against", "value": "dystrophic"})
    assert "against calciphylaxis rather than dystrophic calcification" in strongest(session.situation).sentence


@pytest.mark.slow
def test_of_very_many_findings_the_strongest_is_still_found_in_time(shipped):
    session = Session(shipped)
    for name, variable in shipped.variables.items():
        if name != shipped.target and variable.group != "hidden":
            session.handle({"do": "set", "variable": name, "value": variable.state_names[-1]})
    assert len(session.situation.evidence) == 26
    assert "strongest argument" in panel(session)
    assert "explanation" not in session.situation.__dict__  # that of all would take seconds


def test_nothing_entered_has_no_argument_and_a_rule_gives_the_reason(shipped, build):
    session = Session(shipped)
    html = panel(session)
    assert "strongest argument" not in html
    assert "entered" not in texts(picture(html))
    session = Session(Model(build("plane", AIRPORT)))
    session.handle({"do": "set", "variable": "carousel", "value": "yes"})
    assert "No strongest argument: carousel excludes no" in panel(session)


def test_findings_that_cannot_be_together_are_said_in_words(build):
    session = Session(Model(build("lung", ASIA)))
    session.handle({"do": "set", "variable": "tub", "value": "yes"})
    session.handle({"do": "set", "variable": "either", "value": "no"})
    assert "There is no answer to look at" in panel(session)


def test_it_says_that_arrows_are_no_causes(shipped):
    assert "“What if” means “what if we had observed”" in panel(Session(shipped))


@pytest.mark.parametrize("target", PRINTED)
def test_other_networks_are_drawn_from_left_to_right(build, target):
    network = build(target, PRINTED[target])
    session = Session(Model(network))
    drawn = picture(panel(session))
    assert set(network.variables) <= set(texts(drawn, "name"))
    boxes = {box.name: box for box in layout(network).boxes}
    for child, parents in network.parents.items():
        assert all(boxes[parent].x + WIDTH < boxes[child].x for parent in parents)
    assert texts(drawn, "heading") == []


def check_layout(network):
    """Boxes lie apart and inside the picture, and every arrow is drawn, from box to box."""
    drawn = layout(network)
    for box in drawn.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + WIDTH <= drawn.width
        assert box.y + box.height <= drawn.height
    for one, other in combinations(drawn.boxes, 2):
        beside = one.x + WIDTH < other.x or other.x + WIDTH < one.x
        assert beside or one.y + one.height < other.y or other.y + other.height < one.y
    boxes = {box.name: box for box in drawn.boxes}
    arrows = {(arrow.parent, arrow.child): arrow for arrow in drawn.arrows}
    assert set(arrows) == {(parent, child) for child, parents in network.parents.items() for parent in parents}
    for (parent, child), arrow in arrows.items():
        for name, path in ((parent, arrow.line), (child, arrow.tip)):
            x, y = map(float, re.match(r"M(-?[\d.]+) (-?[\d.]+)", path).groups())
            box = boxes[name]
            assert box.x - 0.1 <= x <= box.x + WIDTH + 0.1
            assert box.y - 0.1 <= y <= box.y + box.height + 0.1


def test_the_boxes_of_the_shipped_network_lie_apart(shipped):
    check_layout(shipped.network)
    drawn = layout(shipped.network)
    assert len({box.x for box in drawn.boxes}) == 3
    assert [heading.words for heading in drawn.headings][:1] == ["history"]


def test_any_network_is_drawn(networks):
    @examples(60)
    @given(networks)
    def check(network):
        check_layout(network)
        session = Session(Model(network))
        for name, variable in network.variables.items():
            if name != network.target:
                session.handle({"do": "set", "variable": name, "value": variable.state_names[0]})
                assert "<svg" in panel(session) or session.situation.posterior is None

    check()


def test_the_layout_is_worked_out_once(jones):
    panel(jones)
    before = layout.cache_info().misses
    jones.handle({"do": "set", "variable": "pain", "value": "severe"})
    jones.handle({"do": "edit", "variable": "sex", "given": "dystrophic_damage", "state": "male", "value": "0.6"})
    assert "Network" in jones.handle({"do": "tab", "value": "why"})["regions"]["tabs"]
    panel(jones)
    assert layout.cache_info().misses == before


def hostile(network):
    """The network with labels that would be code in a page that does not take care, and with groups."""
    variables = {}
    for (name, own), group in zip(network.variables.items(), ["history", "outcome", HOSTILE] * 9, strict=False):
        states = tuple(replace(state, label=HOSTILE) for state in own.states)
        variables[name] = replace(own, label=HOSTILE, group=group, states=states)
    return replace(network, variables=variables)


def test_labels_are_only_ever_text(build):
    session = Session(Model(hostile(build("lung", ASIA))))
    session.handle({"do": "set", "variable": "dysp", "value": "yes"})
    html = panel(session)
    assert "made an error" not in html
    assert "<script" not in html
    assert "<img" not in html
    picture(html)


def test_a_network_too_large_to_read_comes_as_a_table(build):
    names = [f"v{number}" for number in range(130)]
    tables = {
        name: ("no yes", before, np.full((2 if before else 1, 2), 0.5)) for before, name in pairwise(["", *names])
    }
    html = panel(Session(Model(build("v0", tables))))
    assert "130 variables, too many for a picture" in html
    assert "<svg" not in html
    assert html.count('<th scope="row">') == 260


def contrast(one, other):
    """The contrast of two colours as WCAG has it."""

    def light(colour):
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [r"\.explorer \{", r'\.explorer\[data-theme="dark"\] \{'])
def test_text_on_every_colour_can_be_read(scheme):
    colours = {}
    for sheet in ("page", "network"):
        text = (HERE / "styles" / f"{sheet}.css").read_text(encoding="utf-8")
        block = re.search(scheme + "(.*?)}", text, re.DOTALL).group(1)
        colours |= dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", block))
    own = ("setting", "outcome", "hidden-group", "history", "examination", "laboratory", "imaging", "histology", "bar")
    for name in own:
        assert contrast(colours["--text"], colours[f"--{name}"]) >= 4.5, name
    assert contrast(colours["--text"], colours["--ground"]) >= 4.5
    assert contrast(colours["--was"], colours["--ground"]) >= 3
    assert contrast(colours["--line"], colours["--ground"]) >= 3


def test_a_look_at_it_costs_little(jones, figure):
    import time

    took = []
    for _ in range(9):
        jones.situation.__dict__.pop("explanation", None)
        start = time.perf_counter()
        render("network", **view(jones.situation))
        took.append(1000 * (time.perf_counter() - start))
    figure(f"explorer: the view of the network takes {sorted(took)[4]:.0f} ms")
    assert sorted(took)[4] < 2000  # 15 ms, most of it the explanation, on a machine that does nothing else


def test_a_covariate_alone_moves_no_box(shipped):
    session = Session(shipped)
    session.handle({"do": "number", "variable": "albumin", "value": "24"})
    session.handle({"do": "unit", "variable": "albumin", "value": "g/L"})
    assert picture(panel(session)) is not None
    assert isinstance(session.situation.model.network, Network)
