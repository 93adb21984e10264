"""The view 'next test' shows what `cc.next_test` finds, in words, and every button of it does what it says."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from printed_networks import ASIA, CANCER

import calcinosis as cc
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer import views
from calcinosis.interface.explorer.next_test import BEST, LIKELIEST, states_of, view
from calcinosis.interface.explorer.page import Page
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.decisions import ClinicalTest
from calcinosis.knowledge.frozen import FrozenMap

CERTAIN = {"calcium_exposure": "no", "warfarin": "yes", "livedo": "yes", "obesity": "yes"}


@pytest.fixture
def jones(jones_at):
    """A session with the published case, at the view."""
    return jones_at("next")


def opened(model, **findings):
    """A session at the view with some findings."""
    return Session(model, Page(findings=FrozenMap(findings), tab="next"))


def panel(session):
    """The HTML of the view."""
    return views.view(session.situation)


@pytest.mark.parametrize("ranking", ["information", "right", "cost", "harm"])
def test_the_best_tests_and_their_figures_are_those_of_the_analysis(jones, ranking):
    jones.handle({"do": "rank", "value": ranking})
    shown = view(jones.situation)
    found = cc.next_test(jones.shipped, jones.situation.evidence, by=ranking)
    assert shown["verdict"] == found.summary
    assert [own["name"] for own in (*shown["tests"], *shown["others"])] == found.frame["test"].to_list()
    assert len(shown["tests"]) == BEST
    for own, line in zip((*shown["tests"], *shown["others"]), found.frame.to_dict("records"), strict=True):
        assert (own["share"], own["flips"], own["right"]) == tuple(
            percent(line[n]) for n in ("share", "flips", "right")
        )
        assert own["cost"] == (f"US$ {line['cost']:,.0f}" if line["cost"] else "none counted")
    for own in shown["tests"]:
        outcomes = found.outcomes[found.outcomes["test"] == own["name"]].sort_values("chance", ascending=False)
        for result, line in zip(own["results"], outcomes.to_dict("records"), strict=False):
            assert result["chance"] == percent(line["chance"])
            assert result["leading"] == found.posterior.labels[line["leading"]]
            assert [bar["percent"] for bar in result["bars"]] == [
                percent(line[state]) for state in jones.shipped.states
            ]
            assert [float(bar["width"]) for bar in result["bars"]] == pytest.approx(
                [100 * line[state] for state in jones.shipped.states], abs=0.005
            )


def test_results_stand_in_words_not_in_names(jones):
    html = panel(jones)
    assert "No vitamin K antagonist; calcium given at the site" in html
    assert "⇄</span> iatrogenic calcification leads then" in html
    assert "No livedo; number of lesions (multiple)" in html
    visible = re.sub("<[^>]*>", " ", html)
    assert not re.search(r"\w_\w", visible), "a name among the words"


def test_rarer_results_are_counted_and_shown_if_asked_for(shipped):
    session = opened(shipped, pain="severe")
    session.handle({"do": "hello"})
    first = view(session.situation)["tests"][0]
    assert (first["name"], len(first["results"]), first["all_shown"]) == ("wedge_biopsy", LIKELIEST, False)
    session.handle({"do": "open", "value": first["opened"]})
    every = view(session.situation)["tests"][0]
    assert len(every["results"]) == LIKELIEST + first["rarer"]
    assert every["all_shown"]
    assert every["results"][:LIKELIEST] == first["results"]
    assert sum(own["flips"] for own in every["results"][LIKELIEST:]) == first["rarer_flips"]


def test_a_test_that_is_not_available_is_left_out_until_it_is_brought_back(jones):
    jones.handle({"do": "away", "value": "drug_history"})
    shown = view(jones.situation)
    without = cc.next_test(jones.shipped, jones.situation.evidence, without=["drug_history"])
    assert [own["name"] for own in (*shown["tests"], *shown["others"])] == without.frame["test"].to_list()
    assert shown["away"] == [{"name": "drug_history", "label": "Drug history"}]
    assert "Bring back: Drug history" in panel(jones)
    jones.handle({"do": "away", "value": "drug_history"})
    assert view(jones.situation)["tests"][0]["name"] == "drug_history"


def test_tests_left_out_that_are_not_offered_now_do_no_harm(shipped):
    page = Page(tab="next", away=frozenset({"repeat_biopsy", "no_such_test", "pain"}))
    assert [own["name"] for own in view(Session(shipped, page).situation)["away"]] == ["repeat_biopsy"]


def test_when_nothing_is_likely_to_change_the_answer_it_says_so_first(jones):
    assert "Nothing left is likely" not in panel(jones)
    for name, value in CERTAIN.items():
        jones.handle(
            {"do": "away", "value": value} if name == "away" else {"do": "set", "variable": name, "value": value}
        )
    assert not cc.next_test(jones.shipped, jones.situation.evidence, without=["repeat_biopsy"]).worthwhile
    html = panel(jones)
    assert html.index("Nothing left is likely to change the answer") < html.index("takes away")
    assert "5% or more" in html


@pytest.mark.slow
def test_every_result_can_be_entered_by_its_button(shipped):
    """What stands beside the button comes true."""
    session = opened(shipped, pain="severe", vascular_histology="absent")
    page = session.page
    entered = 0
    for test in view(session.situation)["tests"]:
        for result in test["results"]:
            session.page, session.situation = page, opened(shipped, **page.findings).situation
            notice = session.handle(dict(result["enter"]))["regions"].get("notice", "")
            assert "fault" not in notice
            bars = [percent(session.situation.posterior[state]) for state in shipped.states]
            assert bars == [bar["percent"] for bar in result["bars"]]
            entered += 1
    assert entered > 10


def test_a_further_biopsy_is_added_to_those_there_are(shipped):
    session = opened(shipped, pain="severe", vascular_histology="absent", livedo="no")
    session.handle({"do": "rank", "value": "harm"})
    shown = view(session.situation)
    for name in [own["name"] for own in (*shown["tests"], *shown["others"]) if own["name"] != "repeat_biopsy"]:
        session.handle({"do": "away", "value": name})
    (repeat,) = view(session.situation)["tests"]
    session.handle(dict(repeat["results"][0]["enter"]))
    assert session.page.findings["vascular_histology"].startswith("absent,")


def test_prices_say_what_they_rest_on(jones):
    for name in ("glucose", "weight_history"):  # tests that tell more
        jones.handle({"do": "away", "value": name})
    repeat = next(own for own in view(jones.situation)["tests"] if own["name"] == "repeat_biopsy")
    assert (repeat["cost"], repeat["harm"], repeat["days"]) == ("US$ 190", "14%", "7 days")
    assert {"kind": "cohort", "doi": ""}.items() <= repeat["sources"][0].items()
    assert "16 of 114 with a complication" in repeat["note"]
    assert repeat["sources"][0]["citation"] in panel(jones)


def test_the_words_give_no_advice(jones):
    words = re.sub("<[^>]*>", " ", panel(jones)).lower()
    assert not re.search(r"\b(should|recommend|must|order this|do this)\b", words)


@pytest.mark.parametrize("tables", [ASIA, CANCER])
def test_without_a_list_of_tests_looking_at_each_variable_is_one(build, tables):
    target = next(iter(tables))
    model = cc.Model(build(target, tables))
    session = Session(model, Page(tab="next", ranking="cost"))
    session.handle({"do": "hello"})
    shown = view(session.situation)
    assert not shown["priced"]
    assert list(shown["rankings"]) == ["information", "right"]
    assert shown["ranking"] == "information"
    assert [own["name"] for own in (*shown["tests"], *shown["others"])] == cc.next_test(model).frame["test"].to_list()
    html = panel(session)
    assert "no list of tests" in html
    assert "cost" not in re.sub("<[^>]*>", " ", html)
    session.handle(dict(shown["tests"][0]["results"][0]["enter"]))
    assert len(session.situation.evidence) == 1


def test_a_second_look_can_be_entered_but_not_put_away(build):
    tables = {"d": ("no yes", "", [0.7, 0.3]), "t": ("neg pos", "d", [[0.9, 0.1], [0.2, 0.8]])}
    session = opened(cc.Model(build("d", tables, repeatable=("t",))), t="pos")
    (again,) = view(session.situation)["tests"]
    assert again["name"] == "t_again"
    assert not again["known"], "actions know no such test"
    session.handle(dict(again["results"][0]["enter"]))
    assert session.page.findings["t"] == "pos,pos"


def test_when_everything_is_known_nothing_is_left(build):
    session = opened(cc.Model(build("lung", ASIA)), **{name: "yes" for name in ASIA if name not in ("lung", "either")})
    session.handle({"do": "set", "variable": "either", "value": "yes"})
    html = panel(session)
    assert "Nothing left is likely to change the answer" in html
    assert "No test remains" in html
    assert "Rank by" not in html


def test_states_with_odd_names_are_told_apart():
    assert states_of("a=x=1, b=2, b=y, z", ("a", "b")) == {"a": ["x=1"], "b": ["2, b=y, z"]}


def test_hostile_labels_are_escaped(shipped):
    evil = "<script>alert(1)</script>"
    variables = {
        name: replace(own, label=evil, states=tuple(replace(s, label=f"{evil}{s.name}") for s in own.states))
        for name, own in shipped.variables.items()
    }
    tests = {
        name: ClinicalTest(name, evil, own.reveals, own.cost, own.harm, own.days, own.sources, own.after, evil)
        for name, own in shipped.priors.tests.items()
    }
    sources = {key: replace(own, citation=evil, doi=f'"{evil}') for key, own in shipped.priors.sources.items()}
    priors = replace(shipped.priors, variables=FrozenMap(variables), tests=FrozenMap(tests), sources=FrozenMap(sources))
    session = opened(cc.Model.from_priors(priors), pain="severe")
    session.handle({"do": "away", "value": "x_ray"})
    html = panel(session)
    assert "&lt;script&gt;" in html
    assert "<script" not in html.lower()
    assert json.dumps(view(session.situation)), "plain values only"
