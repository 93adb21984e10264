"""The view 'what if': what it says of each answer is what comes when it is entered, and every button keeps its word."""

from __future__ import annotations

import json
import math
import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed_networks import ALARM, ASIA, BURGLARY, CANCER
from properties import examples

import calcinosis as cc
from calcinosis.inference.network import Network
from calcinosis.inference.posterior import percent
from calcinosis.interface.explorer import views, what_if
from calcinosis.interface.explorer.actions import act
from calcinosis.interface.explorer.page import Page
from calcinosis.interface.explorer.previews import previews
from calcinosis.interface.explorer.session import Session
from calcinosis.interface.explorer.what_if import EACH, FIRST, view
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import State, Variable


def opened(model, **findings):
    """A session at the view with some findings."""
    return Session(model, Page(findings=FrozenMap(findings), tab="what-if"))


@pytest.fixture
def jones(jones_at):
    """A session with the published case, at the view."""
    return jones_at("what-if")


@pytest.fixture
def decided(build):
    """A session in which nothing that could be found makes another state lead."""
    tables = {
        "d": ("ill well", "", [0.95, 0.05]),
        "sign": ("n y", "d", [[0.45, 0.55], [0.55, 0.45]]),
        "other": ("n y", "d", [[0.45, 0.55], [0.55, 0.45]]),
    }
    return opened(cc.Model(build("d", tables)), sign="y")


def panel(session):
    return views.view(session.situation)


def words(html):
    """What can be read of HTML, in one line."""
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def findings_of(shown):
    return [*shown["first"], *shown["rest"]]


def ways_of(shown):
    return [way for side in ("entered", "not_yet") for way in (*shown[side]["first"], *shown[side]["rest"])]


def some_findings(draw, model, most=8):
    """Plain findings of some variables of a model."""
    names = [own.name for own in model.variables.values() if own.group != "hidden" and own.name != model.target]
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=most))
    return {name: draw(st.sampled_from(model.variables[name].state_names)) for name in chosen}


def after(session, action):
    """The posterior once something was done."""
    return session.shipped.posterior(act(session.page, action, session.shipped).findings)


# each answer


@given(data=st.data())
@examples(15)
def test_what_is_said_of_an_answer_comes_true_when_it_is_entered(data, shipped):
    session = opened(shipped, **some_findings(data.draw, shipped))
    if session.situation.posterior is None:
        return
    before, leading = session.situation.posterior, session.situation.leading
    for own in findings_of(view(session.situation)):
        for answer in own["answers"]:
            posterior = after(session, {"do": own["do"], "variable": own["variable"], "value": answer["value"]})
            assert [bar["percent"] for bar in answer["bars"]] == [
                percent(p) for p in posterior.probabilities_of.values()
            ]
            assert [float(bar["width"]) for bar in answer["bars"]] == pytest.approx(
                [100 * p for p in posterior.probabilities_of.values()], abs=0.0051
            )
            assert answer["leads"] == ("" if posterior.leading == leading else posterior.labels[posterior.leading])
            assert [bar["state"] for bar in answer["bars"] if bar["top"]] == [posterior.leading]
            assert answer["chance"] == percent(math.exp(posterior.log_evidence - before.log_evidence))


def test_all_that_was_not_found_is_listed_and_what_moves_most_comes_first(jones):
    shown = view(jones.situation)
    names = [own["variable"] for own in findings_of(shown)]
    open_ = {
        own.name
        for own in jones.shipped.variables.values()
        if own.group != "hidden" and own.name != jones.shipped.target and own.name not in jones.page.findings
    }
    assert set(names) == open_ | {"vascular_histology"}
    assert len(names) == len(set(names))
    assert len(shown["first"]) == FIRST
    frame = jones.situation.sweep.frame
    moved = frame[frame["kind"].isin(("added", "repeated"))].groupby("variable")["moved"].max()
    assert [own["moved"] for own in findings_of(shown)] == sorted(moved, reverse=True)
    (again,) = (own for own in findings_of(shown) if own["again"])
    assert (again["variable"], again["do"]) == ("vascular_histology", "add")


def test_the_chances_of_the_answers_of_a_finding_add_up(jones):
    frame = jones.situation.sweep.frame
    for own in findings_of(view(jones.situation)):
        lines = frame[(frame["variable"] == own["variable"]) & frame["kind"].isin(("added", "repeated"))]
        assert lines["chance"].sum() == pytest.approx(1)
        assert [answer["chance"] for answer in own["answers"]] == [percent(p) for p in lines["chance"]]


def test_a_row_is_previewed_under_the_name_and_value_that_its_button_has(jones):
    html, sent = panel(jones), previews(jones.situation)
    for own in findings_of(view(jones.situation)):
        assert f'data-preview="{own["variable"]}"' in html
        values = [one["value"] for one in sent[own["variable"]]]
        for answer in own["answers"]:
            assert answer["value"] in values
            assert f'data-do="{own["do"]}" data-variable="{own["variable"]}" data-value="{answer["value"]}"' in html


def test_what_another_answer_would_lead_to_is_said_in_words(jones):
    assert "yes 23 % likely → iatrogenic calcification leads" in words(panel(jones))
    assert panel(jones).count('<tr class="flips">') == sum(
        bool(answer["leads"]) for own in findings_of(view(jones.situation)) for answer in own["answers"]
    )


def test_what_was_asked_and_is_not_known_can_still_be_found(shipped):
    session = opened(shipped, pain="unknown", livedo="pending", sex="female")
    asked = {own["variable"]: own["asked"] for own in findings_of(view(session.situation))}
    assert (asked["pain"], asked["livedo"], asked["ulceration"]) == ("unknown", "pending", "")
    assert "sex" not in asked
    assert "so far: unknown" in words(panel(session))


def test_with_nothing_entered_all_is_listed_and_it_says_so(shipped):
    session = Session(shipped, Page(tab="what-if"))
    shown = view(session.situation)
    assert len(findings_of(shown)) == 26
    html = words(panel(session))
    assert "Nothing is entered yet: all of this starts from the prior." in html
    assert "If something that was entered were other, or not known Nothing is entered yet." in html
    assert shown["not_yet"]["first"]
    assert not re.search(r"\bnan\b", html, re.IGNORECASE)


def test_with_all_entered_it_says_so(build):
    session = opened(cc.Model(build("either", ASIA)), **dict.fromkeys(("asia", "tub", "smoke", "lung"), "no"))
    for name in ("bronc", "xray", "dysp"):
        session.handle({"do": "set", "variable": name, "value": "no"})
    html = words(panel(session))
    assert "Every finding that this network knows is entered." in html
    assert "There is nothing more to be found." in html


# the ways to another answer


def adopted(session, way):
    """The page after a way was adopted."""
    then = Session(session.shipped, session.page)
    reply = then.handle({"do": "adopt", "findings": way["findings"]})
    assert not reply["regions"].get("notice", "").strip()
    return then


@pytest.mark.slow
def test_each_way_leads_where_it_says(jones):
    ways = ways_of(view(jones.situation))
    assert len(ways) > 2 * EACH
    for way in ways:
        then = adopted(jones, way)
        assert then.situation.label(then.situation.leading) == way["leading"]
        assert percent(then.situation.posterior[then.situation.leading]) == way["percent"]
        assert then.page.case == "jones2023"
        then.handle({"do": "undo"})
        assert then.page.findings == jones.page.findings


SOFT = ("", "none/severe", "none:0.1,intermittent:1,severe:0.3")
"""What else than one state may be found of pain."""


@given(data=st.data(), pain=st.sampled_from(SOFT), calcium=st.sampled_from(["", "11.4 mg/dL"]))
@examples(15)
def test_each_way_of_any_patient_leads_where_it_says_and_is_smallest(data, pain, calcium, shipped):
    given_so = {"pain": pain, "serum_calcium": calcium}
    findings = some_findings(data.draw, shipped) | {name: text for name, text in given_so.items() if text}
    session = opened(shipped, **findings)
    if session.situation.posterior is None:
        return
    shown, now = view(session.situation), session.situation.leading
    for side, entered in (("entered", True), ("not_yet", False)):
        ways = [*shown[side]["first"], *shown[side]["rest"]]
        sizes = [len(json.loads(way["findings"])) for way in ways]
        assert sizes == sorted(sizes)
        for way in ways:
            made = json.loads(way["findings"])
            for name, _ in made:  # of what is repeatable, a further result is one not yet done
                assert (name in session.situation.evidence) == entered or shipped.variables[name].repeatable
            then = after(session, {"do": "adopt", "findings": way["findings"]})
            assert then.labels[then.leading] == way["leading"] != session.situation.label(now)
            for name, value in made if len(made) > 1 else ():
                part = after(session, {"do": "adopt", "findings": [[name, value]]})
                assert part.leading != then.leading


def test_the_ways_are_those_of_the_search_for_each_kind_alone(jones):
    shown = view(jones.situation)
    for side, kinds in (("entered", ("changed", "removed")), ("not_yet", ("added", "repeated"))):
        found = cc.whatif.flips(jones.shipped, jones.situation.evidence, kinds=kinds, most_changes=2)
        frame = found.frame.groupby("leading", sort=False).head(EACH)
        ways = [*shown[side]["first"], *shown[side]["rest"]]
        labels = found.posterior.labels
        assert [(way["leading"], way["percent"]) for way in ways] == [
            (labels[line["leading"]], percent(line["probability"])) for line in frame.to_dict("records")
        ]
        assert [way["chance"] for way in ways if way["chance"]] == [
            percent(line["chance"])
            for line in frame.to_dict("records")
            if not all(own.endswith("=unknown") for own in line["findings"].split(", "))
        ]
    assert shown["searched"] == 2


def test_ways_stand_in_words_not_in_names(jones):
    html = words(panel(jones))
    assert "Radiograph of the lesion not known → calciphylaxis leads with 64 %" in html
    assert "Serum phosphate (high) 42 % likely → metastatic calcification leads with 60 %" in html
    pair = "End-stage renal disease and no calcium given at the site"
    assert f"{pair} 9 % likely → metastatic calcification leads with 44 %" in html
    assert "_" not in html
    jones.handle({"do": "set", "variable": "lesion_number", "value": "solitary"})
    html = words(panel(jones))
    assert (
        "Obesity and vessels on biopsy, once more: calcium in vessel walls 3 % likely → calciphylaxis leads with 59 %"
        in html
    )
    assert "_" not in html


def test_if_nothing_changes_who_leads_that_is_said(decided):
    html = words(panel(decided))
    assert "Of all that could still be found, no single one, and no two together, would change what leads." in html
    assert (
        "Of all that was entered, no single one, and no two together, would change what leads if it were other." in html
    )


def test_of_very_many_findings_only_single_ones_are_tried(shipped, monkeypatch):
    monkeypatch.setattr(what_if, "MANY", 3)
    session = opened(shipped, pain="severe")
    assert view(session.situation)["searched"] == 1
    assert all(len(json.loads(way["findings"])) == 1 for way in ways_of(view(session.situation)))


def test_names_that_hold_a_comma_are_read_as_they_are():
    named = {"a=n": "1", "b=y, c=n": "2", "c=n": "3", "a=n, b=y": "4"}
    assert what_if._made("a=n", named) == ["1"]
    assert what_if._made("b=y, c=n", named) == ["2"]
    assert what_if._made("a=n, b=y, c=n", named) == ["1", "2"]
    assert what_if._made("a=n, b=y, c=n, c=n", named) == ["1", "2", "3"]
    assert what_if._made("a=n, d=n", named) == []


# adopting


@pytest.mark.parametrize(
    "findings",
    [
        None,
        "no json",
        "[1, 2]",
        '{"pain": "severe"}',
        "[[]]",
        '[["pain"]]',
        [["pain", "severe", "x"]],
        [["pain", "severe"], ["nothing", "yes"]],
        [["pain", "severe"], ["livedo", "perhaps so"]],
        [["pain", "severe"], ["subtype", "dystrophic"]],
        [["pain", ["severe"]]],
        "[" * 390,
        5,
    ],
)
def test_what_cannot_be_adopted_is_told_and_nothing_is_changed(jones, findings):
    before = jones.page
    reply = jones.handle({"do": "adopt", "findings": findings})
    assert jones.page == before
    assert "notice fault" in reply["regions"]["notice"]
    assert "The program made an error" not in reply["regions"]["notice"]


def test_adopted_is_all_at_once_and_undone_at_once(jones):
    before = dict(jones.page.findings)
    jones.handle({"do": "adopt", "findings": json.dumps([["pain", ""], ["livedo", "yes"], ["ulceration", "unknown"]])})
    assert "pain" not in jones.page.findings
    assert (jones.page.findings["livedo"], jones.page.findings["ulceration"]) == ("yes", "unknown")
    jones.handle({"do": "undo"})
    assert dict(jones.page.findings) == before


# any model


@pytest.mark.parametrize(
    ("tables", "target", "findings"),
    [
        (ASIA, "bronc", {"dysp": "yes", "smoke": "no"}),
        (ASIA, "either", {"tub": "yes"}),
        (ALARM, "fire", {"report": "yes", "smoke": "no"}),
        (BURGLARY, "B", {"J": "yes", "E": "no"}),
        (CANCER, "MC", {"Coma": "yes"}),
        (CANCER, "MC", {}),
    ],
)
def test_networks_without_priors_weights_or_labels(build, tables, target, findings):
    network = build(target, tables)
    bare = {
        name: Variable(name, tuple(State(s.name, "") for s in own.states)) for name, own in network.variables.items()
    }
    for variables in (network.variables, bare):
        session = opened(cc.Model(Network(network.target, variables, network.parents, network.tables)), **findings)
        html = panel(session)
        assert not re.search(r"\bnan\b", html, re.IGNORECASE)
        for way in ways_of(view(session.situation)):
            then = adopted(session, way)
            assert then.situation.label(then.situation.leading) == way["leading"]
        assert sum(len(own["answers"]) for own in findings_of(view(session.situation))) > 2


def test_words_of_a_model_are_escaped(build):
    network = build("d", {"d": ("ill well", "", [0.5, 0.5]), "sign": ("n y", "d", [[0.2, 0.8], [0.7, 0.3]])})
    evil = {
        name: Variable(
            name, tuple(State(s.name, f"<img src=x> {s.name}") for s in own.states), label='"><script>x</script>'
        )
        for name, own in network.variables.items()
    }
    html = panel(opened(cc.Model(Network("d", evil, network.parents, network.tables))))
    assert "<script>" not in html
    assert "<img" not in html
    assert "&gt;&lt;script" in html


def test_ids_are_unique_and_tables_have_heads(jones):
    html = panel(jones)
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    assert all(re.search(r' id="', button) for button in re.findall(r"<button[^>]*>", html))
    assert all("scope=" in head for head in re.findall(r"<th[ >][^>]*>?", html))
    assert html.count("<table") == html.count("<caption")


def test_it_costs_little(jones, figure):
    took = []
    for _ in range(7):
        session = Session(jones.shipped, jones.page)
        assert session.situation.sweep is not None
        start = time.process_time()
        panel(session)
        took.append(time.process_time() - start)
    figure(f"the view 'what if' of the published case: {1000 * np.median(took):.0f} ms beside the sweep")
    assert np.median(took) < 0.2
