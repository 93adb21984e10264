"""The view 'compare' shows two answers side by side, each as it is alone, and which findings make the difference."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from printed_networks import ASIA, CANCER

import calcinosis as cc
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer import compare as compare_view
from calcinosis.interface.explorer import views
from calcinosis.interface.explorer.compare import view
from calcinosis.interface.explorer.page import Page
from calcinosis.interface.explorer.session import Session
from calcinosis.interface.words.posterior import ranges_of
from calcinosis.knowledge.frozen import FrozenMap

CLASH = {"a": ("no yes", "", [0.5, 0.5]), "b": ("no yes", "a", [[1.0, 0.0], [0.3, 0.7]])}


@pytest.fixture
def jones(jones_at):
    """A session with the published case, at the view."""
    return jones_at("compare")


def opened(model, other=None, **findings):
    """A session at the view with some findings, and those of the other."""
    kept = None if other is None else FrozenMap(other)
    return Session(model, Page(findings=FrozenMap(findings), other=kept, tab="compare"))


def text(session):
    """The words of the view."""
    return " ".join(re.sub("<[^>]*>", " ", views.view(session.situation)).split())


def number(words):
    """The number that stands in a cell."""
    return float(words.replace("\N{MINUS SIGN}", "-"))


def test_with_no_other_it_says_what_can_be_done(jones):
    html = views.view(jones.situation)
    assert 'data-do="keep"' in html
    assert "published case" in html
    (setting,) = view(jones.situation)["settings"]
    assert [own["value"] for own in setting["choices"]] == ["dermatology_clinic", "dialysis_unit"]


def test_the_same_patient_in_another_setting(jones):
    jones.handle({"do": "other", "variable": "care_setting", "value": "dialysis_unit"})
    shown = view(jones.situation)
    other = jones.shipped.posterior({**jones.page.findings, "care_setting": "dialysis_unit"})
    mine = jones.situation.posterior
    for (one, two, points), state in zip(shown["bars"], jones.shipped.states, strict=True):
        for bar, posterior in ((one, mine), (two, other)):
            assert bar["percent"] == percent(posterior[state])
            assert float(bar["width"]) == pytest.approx(100 * posterior[state], abs=1e-4)
            assert bar["range"] == ranges_of(posterior)[state]
        expected = 100 * (other[state] - mine[state])
        assert points == "< 1" if abs(expected) < 0.5 else number(points) == round(expected)
    assert [line["label"] for line in shown["lines"]] == ["Care setting"]
    assert (shown["lines"][0]["mine"], shown["lines"][0]["theirs"]) == ("hospital ward", "dialysis unit")


def test_what_each_difference_adds_is_that_of_the_analysis(jones):
    """Two published cases: the second beside the first, which was kept."""
    jones.handle({"do": "keep"})
    kept = dict(jones.page.findings)
    name = next(own for own in jones.published.titles if own != "jones2023")
    jones.handle({"do": "case", "value": name})
    assert dict(jones.page.other) == kept
    found = cc.whatif.compare(jones.shipped, jones.situation.evidence, jones.shipped.read(kept))
    shown = view(jones.situation)
    labels = [jones.shipped.variables[own].label for own in found.findings["variable"]]
    assert [line["label"] for line in shown["lines"]] == labels
    for line, nats in zip(shown["lines"], found.findings["contribution"], strict=True):
        assert number(line["adds"]["nats"]) == pytest.approx(nats, abs=0.00501)
    assert number(shown["total"]["nats"]) == pytest.approx(found.findings["contribution"].sum(), abs=0.00501)
    assert shown["label"] == jones.shipped.posterior(kept).labels[found.hypothesis.chosen[0]]
    before, after = (own[found.hypothesis.chosen[0]] for own in (found.first, found.second))
    assert sum(found.findings["contribution"]) == pytest.approx(
        math.log(after / (1 - after)) - math.log(before / (1 - before))
    )


def test_findings_stand_in_words(shipped):
    other = {"pain": "none/intermittent", "serum_calcium": "9 mg/dL", "vascular_histology": "absent,absent"}
    session = opened(shipped, other, pain="severe", livedo="unknown", warfarin="no:0.1,yes:1")
    lines = {line["label"]: (line["mine"], line["theirs"]) for line in view(session.situation)["lines"]}
    assert lines == {
        "Vitamin K antagonist": ("no 10%, yes 100%", "not asked"),
        "Serum calcium": ("not asked", "normal (9 mg/dL)"),
        "Pain of the lesion": ("severe", "none or intermittent or mild"),
        "Vessels on biopsy": ("not asked", "2 × no calcium in vessel walls"),
    }
    session.handle({"do": "set", "variable": "serum_calcium", "value": "unknown"})
    assert {line["mine"] for line in view(session.situation)["lines"] if line["label"] == "Serum calcium"} == {
        "unknown"
    }


def test_each_has_its_own_verdict(jones):
    jones.handle({"do": "keep"})
    jones.handle({"do": "new"})
    jones.handle({"do": "tab", "value": "compare"})
    assert jones.page.other is None, "a new patient clears the one that was kept, too"
    session = opened(jones.shipped, {"warfarin": "no"})
    assert "This patient Nothing entered yet The other Too little entered to say" in text(session)


def test_swap_keep_and_stop(shipped):
    session = opened(shipped, {"pain": "severe"}, livedo="yes")
    before = view(session.situation)
    session.handle({"do": "swap"})
    assert [bars[:2] for bars in view(session.situation)["bars"]] != [bars[:2] for bars in before["bars"]]
    assert dict(session.page.findings) == {"pain": "severe"}
    assert dict(session.page.other) == {"livedo": "yes"}
    session.handle({"do": "keep"})
    assert "Both have the same findings" in text(session)
    html = views.view(session.situation)
    for done in ("swap", "keep", "other"):
        assert f'data-do="{done}"' in html
    session.handle({"do": "other"})
    assert "Two patients side by side" in text(session)


def test_the_other_may_be_impossible(build):
    model = cc.Model(build("a", CLASH))
    session = opened(model, {"a": "no", "b": "yes"}, b="no")
    words = text(session)
    assert "cannot be true together" in words
    assert "There is no answer for the other" in words
    assert 'data-do="swap"' in views.view(session.situation)


def test_differences_that_rule_a_side_out_are_listed_all_the_same(build):
    tables = {"d": ("no yes", "", [0.5, 0.5]), "t": ("neg pos", "d", [[1.0, 0.0], [0.3, 0.7]])}
    session = opened(cc.Model(build("d", tables)), {"t": "pos"})
    shown = view(session.situation)
    assert "infinite" in shown["refused"]
    assert [(line["mine"], line["theirs"]) for line in shown["lines"]] == [("not asked", "pos")]
    assert "cannot be told" in text(session)


def test_many_differences_are_worked_out_only_if_asked_for(jones, monkeypatch):
    monkeypatch.setattr(compare_view, "AT_ONCE", 3)
    jones.handle({"do": "other", "variable": "care_setting", "value": "dialysis_unit"})
    assert view(jones.situation)["added"]
    session = opened(jones.shipped, {}, **jones.page.findings)
    assert not view(session.situation)["added"]
    assert "Work out what each of the 17 differences adds" in text(session)
    session.handle({"do": "open", "value": "differences"})
    assert view(session.situation)["added"]
    assert "Work out" not in text(session)


@pytest.mark.parametrize(("target", "tables"), [("lung", ASIA), ("B", CANCER)])
def test_without_settings_weights_or_labels(build, target, tables):
    model = cc.Model(build(target, tables))
    bare = {
        name: replace(own, label="", states=tuple(replace(s, label="") for s in own.states))
        for name, own in model.variables.items()
    }
    model = cc.Model(replace(model.network, variables=bare))
    last = list(tables)[-1]
    session = opened(model, {last: "no"}, **{last: "yes"})
    shown = view(session.situation)
    assert shown["settings"] == []
    assert "another" not in text(opened(model))
    assert all(one["interval"] is None for one, _, _ in shown["bars"])
    assert shown["lines"][0]["label"].lower() == last.lower()


def test_bars_are_no_bars_of_the_answer(jones):
    """The page looks for the bars of the answer by their class, to mark what a finding would do to them."""
    jones.handle({"do": "keep"})
    assert not re.search(r'class="bars?[ "]', views.view(jones.situation))


def test_hostile_labels_are_escaped(shipped):
    evil = "<script>alert(1)</script>"
    variables = {
        name: replace(own, label=f"{evil}{name}", states=tuple(replace(s, label=f"{evil}{s.name}") for s in own.states))
        for name, own in shipped.variables.items()
    }
    model = cc.Model.from_priors(replace(shipped.priors, variables=FrozenMap(variables)))
    for session in (opened(model, pain="severe"), opened(model, {"livedo": "yes"}, pain="severe")):
        html = views.view(session.situation)
        assert "&lt;script&gt;" in html
        assert "<script" not in html.lower()
