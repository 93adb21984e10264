"""The view 'why': what it shows adds up to the answer, on one scale, and each figure opens what it rests on."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed_networks import ALARM, ASIA, BURGLARY, CANCER
from properties import examples

import calcinosis as cc
from calcinosis.analysis.explain.table_effects import rows_of_finding
from calcinosis.inference.network import Network
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer import views, why
from calcinosis.interface.explorer.asked import MOST_EXPLAINED
from calcinosis.interface.explorer.basis import number
from calcinosis.interface.explorer.cited import source_in_words
from calcinosis.interface.explorer.page import Page
from calcinosis.interface.explorer.session import Session
from calcinosis.interface.explorer.why import FULL, signed, view
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import Source, State, Variable


def opened(model, *unfolded, state="", against="", **findings):
    """A session at the view with some findings."""
    page = Page(
        findings=FrozenMap(findings), state=state, against=against, opened=frozenset(f"why:{own}" for own in unfolded)
    )
    return Session(model, page)


@pytest.fixture
def jones(jones_at):
    """A session with the published case, at the view."""
    return jones_at("why")


def lines(shown):
    return [*shown["for_it"], *shown["against_it"], *shown["neither"]]


def panel(session):
    return views.view(session.situation)


def words(html):
    """What can be read of HTML, in one line."""
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def has_nan(html):
    return re.search(r"\b(nan|inf)\b", html, re.IGNORECASE) is not None


def adds_up(shown):
    return shown["before"] + math.fsum(line["nats"] for line in lines(shown)) == pytest.approx(shown["after"], abs=1e-9)


def some_findings(draw, model):
    """Plain findings of some variables of a model."""
    names = [own.name for own in model.variables.values() if own.group != "hidden" and own.name != model.target]
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=8))
    return {name: draw(st.sampled_from(model.variables[name].state_names)) for name in chosen}


# what is shown adds up


@pytest.mark.slow
@pytest.mark.parametrize("against", ["", "iatrogenic", "calciphylaxis"])
def test_the_published_case_adds_up_for_every_question(jones, against):
    for state in ("", *jones.shipped.states):
        jones.handle({"do": "why", "field": "state", "value": state})
        jones.handle({"do": "why", "field": "against", "value": against})
        shown = view(jones.situation)
        assert adds_up(shown)
        assert len(lines(shown)) == 17
        one, other = jones.situation.explained
        p, q = (jones.situation.posterior[own] if own else 1 - jones.situation.posterior[one] for own in (one, other))
        assert shown["after"] == pytest.approx(math.log(p / q), abs=1e-9)
        p, q = (jones.situation.prior[own] if own else 1 - jones.situation.prior[one] for own in (one, other))
        assert shown["before"] == pytest.approx(math.log(p / q), abs=1e-9)


@given(data=st.data())
@examples(60)
def test_any_patient_adds_up_on_one_scale(data, shipped):
    findings = some_findings(data.draw, shipped)
    states = ("", *shipped.states)
    session = opened(
        shipped, state=data.draw(st.sampled_from(states)), against=data.draw(st.sampled_from(states)), **findings
    )
    if session.situation.posterior is None:
        return
    shown = view(session.situation)
    if shown["refused"]:
        return
    assert adds_up(shown)
    assert {line["variable"] for line in lines(shown)} == set(findings)
    for line in lines(shown):
        assert float(line["width"]) == pytest.approx(min(100, 100 * abs(line["nats"]) / math.log(30)), abs=0.005)
        assert line["cut"] == (abs(line["nats"]) > FULL)
        assert line["signed"] == signed(line["nats"])
    for side, sign in (("for_it", 1), ("against_it", -1)):
        strengths = [sign * line["nats"] for line in shown[side]]
        assert all(own > 0 for own in strengths)
        assert strengths == sorted(strengths, reverse=True)
    html = panel(session)
    assert not has_nan(html)
    assert [float(own) for own in re.findall(r'<i style="width:([\d.]+)%">', html)] == [
        float(line["width"]) for side in ("for_it", "against_it") for line in shown[side]
    ]


def test_the_sum_is_printed_as_log_odds_odds_and_probability(jones):
    shown = view(jones.situation)
    before, gained, lost, after = shown["sums"]
    p = jones.situation.posterior["dystrophic"]
    assert after["nats"] == signed(math.log(p / (1 - p)))
    assert after["probability"] == percent(p)
    assert before["probability"] == percent(jones.situation.prior["dystrophic"])
    assert float(gained["nats"]) == pytest.approx(sum(own["nats"] for own in shown["for_it"]), abs=0.005)
    assert float(lost["nats"]) == pytest.approx(-sum(own["nats"] for own in shown["against_it"]), abs=0.005)
    assert "= after, with all findings −0.17 1 : 1.2 46%" in words(panel(jones))


def test_against_one_other_the_probability_is_of_the_two(jones):
    jones.handle({"do": "why", "field": "against", "value": "iatrogenic"})
    p, q = (jones.situation.posterior[own] for own in ("dystrophic", "iatrogenic"))
    assert view(jones.situation)["sums"][-1]["probability"] == percent(p / (p + q))
    assert "of the two" in panel(jones)


# little, much, and nothing


def test_with_nothing_entered_there_is_a_sentence_and_no_number_that_is_none(shipped):
    for page in (Page(), Page(findings=FrozenMap({"pain": "unknown"}))):
        session = Session(shipped, page)
        shown = view(session.situation)
        assert lines(shown) == []
        assert shown["before"] == shown["after"]
        assert "Nothing is entered yet" in panel(session)
        assert not has_nan(panel(session))


def test_a_trivial_finding_has_a_short_bar(shipped):
    (line,) = lines(view(opened(shipped, sex="female").situation))
    assert float(line["width"]) < 10


def test_a_bar_beyond_the_scale_is_cut_and_says_so(shipped):
    session = opened(shipped, calcium_exposure="yes", state="iatrogenic")
    (line,) = view(session.situation)["for_it"]
    assert line["nats"] > FULL
    assert (line["width"], line["cut"]) == ("100.00", True)
    assert "beyond the scale" in panel(session)


def test_a_finding_that_says_nothing_stands_apart(build):
    tables = {"d": ("ill well", "", [0.3, 0.7]), "coin": ("heads tails", "", [0.5, 0.5])}
    session = opened(cc.Model(build("d", tables)), coin="heads")
    shown = view(session.situation)
    assert [line["variable"] for line in shown["neither"]] == ["coin"]
    assert "Saying nothing either way: coin (heads)" in words(panel(session))
    assert "speaks neither for well nor against it" in words(panel(session))


def test_beyond_so_many_findings_the_first_are_known_to_begin_with(shipped):
    findings = {
        own.name: own.state_names[0]
        for own in shipped.variables.values()
        if own.group != "hidden" and own.name != shipped.target
    }
    assert len(findings) > MOST_EXPLAINED
    session = opened(shipped, **findings)
    shown = view(session.situation)
    assert len(lines(shown)) == MOST_EXPLAINED
    assert adds_up(shown)
    assert shown["known"].startswith("care setting (dermatology clinic)")
    assert "Counted as known to begin with: care setting (dermatology clinic)" in words(panel(session))
    p = session.situation.posterior[session.situation.leading]
    assert shown["after"] == pytest.approx(math.log(p / (1 - p)), abs=1e-9)
    rare = opened(shipped, state="idiopathic", **findings)
    assert adds_up(view(rare.situation))


def test_what_cannot_be_explained_is_said_and_another_can_be_asked(build):
    session = opened(cc.Model(build("either", ASIA)), state="yes", tub="yes")
    html = panel(session)
    assert "This cannot be explained. Tub excludes no" in words(html)
    assert 'id="why-state"' in html
    assert not has_nan(html)


# the question


def test_the_question_can_be_chosen(jones):
    html = panel(jones)
    assert re.search(r'<option value="" selected>the leading one \(dystrophic calcification\)</option>', html)
    assert re.search(r'<option value="" selected>all others</option>', html)
    jones.handle({"do": "why", "field": "state", "value": "calciphylaxis"})
    html = panel(jones)
    assert '<option value="calciphylaxis" selected>' in html
    assert html.count('value="calciphylaxis"') == 1, "a state is not held against itself"
    assert view(jones.situation)["one"] == "calciphylaxis"


def test_the_runner_up_is_one_click_away(jones):
    html = panel(jones)
    assert "Why dystrophic calcification rather than iatrogenic calcification?" in html
    jones.handle({"do": "why", "field": "against", "value": view(jones.situation)["rival"][0]})
    assert jones.situation.explained == ("dystrophic", "iatrogenic")
    assert view(jones.situation)["rival"] is None
    assert adds_up(view(jones.situation))


def test_a_state_is_never_held_against_itself(shipped):
    session = opened(shipped, against="calciphylaxis", pain="severe", ulceration="yes")
    assert session.situation.leading == "calciphylaxis"
    assert session.situation.explained == ("calciphylaxis", "")
    assert '<option value="" selected>all others</option>' in panel(session)


def test_the_strongest_on_each_side_is_said_in_one_sentence(jones):
    shown = view(jones.situation)
    assert shown["headline"] == (
        f"Strongest evidence for dystrophic calcification: {shown['for_it'][0]['words']} "
        f"({shown['for_it'][0]['factor']} on the odds); against it: {shown['against_it'][0]['words']} "
        f"({shown['against_it'][0]['factor']} on the odds)."
    )
    assert shown["account"] == jones.situation.explanation.summary
    assert words(panel(jones)).count("adds hardly anything to the other findings") == 1


# findings that act jointly


def test_findings_that_act_jointly_are_named(jones):
    joint = view(jones.situation)["joint"]
    assert joint.startswith(
        "No connective tissue disease and autoantibodies (negative) tell less together than each alone would add"
    )
    for factor in re.findall(r"×([\d.]*\d)", joint):
        assert 0 < float(factor) < 1
    assert joint in words(panel(jones)).replace("&#39;", "'")


def test_findings_that_tell_only_together_tell_more(build):
    sign = [[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]]
    tables = {"d": ("ill well", "", [0.5, 0.5]), "key": ("a b", "", [0.5, 0.5]), "seen": ("n y", "d key", sign)}
    shown = view(opened(cc.Model(build("d", tables)), key="a", seen="n").situation)
    assert shown["joint"].startswith("Key (a) and seen (n) tell more together than each alone would add")
    assert "both together ×9, not ×1." in shown["joint"]


def test_independent_findings_are_not_said_to_act_jointly(build):
    tables = {"d": ("ill well", "", [0.5, 0.5])} | {f"f{i}": ("n y", "d", [[0.2, 0.8], [0.7, 0.3]]) for i in range(3)}
    session = opened(cc.Model(build("d", tables)), f0="n", f1="y", f2="n")
    assert view(session.situation)["joint"] == ""
    assert "Jointly" not in panel(session)


# what is behind each


def test_what_is_costly_is_made_only_when_it_is_unfolded(jones, monkeypatch):
    asked = []
    monkeypatch.setattr(why, "basis", lambda situation, found, variable: asked.append(variable))
    html = panel(jones)
    assert asked == []
    assert "one_way" not in vars(jones.situation)
    assert html.count('aria-expanded="false"') == 17
    jones.handle({"do": "open", "value": "why:radiograph"})
    assert asked == ["radiograph"]


def test_an_unfolded_finding_tells_its_rows_sources_and_where_the_leader_changes(jones):
    jones.handle({"do": "open", "value": "why:radiograph"})
    html = panel(jones)
    assert html.count('aria-expanded="true"') == 1
    line = next(line for line in lines(view(jones.situation)) if line["variable"] == "radiograph")
    first = line["basis"]["own"][0]
    assert first["what"] == "Radiograph of the lesion: nodules, sheets or a mass"
    assert first["given"] == "given calciphylaxis"
    given = ("calciphylaxis_uraemic/calciphylaxis_nonuraemic",)
    row = next(row for row in jones.shipped.priors.tables["radiograph"].rows if row.given == given)
    place = jones.shipped.variables["radiograph"].state_names.index("nodular_mass")
    assert first["value"] == number(row.probabilities[place])
    assert first["weight"] == f"{row.weight:g} patients’"
    assert first["note"] == row.note
    sources = [jones.shipped.priors.sources[key] for key in row.sources]
    assert [(own["kind"], own["citation"]) for own in first["sources"]] == [(own.kind, own.citation) for own in sources]
    for source in sources:
        assert bool(source.doi) == (f'href="https://doi.org/{source.doi}"' in html)
    assert html.count("https://doi.org/") == html.count('target="_blank" rel="noreferrer noopener"')
    jones.handle({"do": "open", "value": "why:radiograph"})
    assert "https://doi.org/" not in panel(jones)


def test_the_value_at_which_another_leads_is_that_of_the_one_way_analysis(jones):
    names = ("radiograph", "cirrhosis", "pain", "vascular_histology")
    for name in names:
        jones.handle({"do": "open", "value": f"why:{name}"})
    frame = jones.situation.one_way.frame.set_index("entry")
    found = cc.explain(jones.shipped, jones.situation.evidence)
    told = 0
    for line in lines(view(jones.situation)):
        if line["variable"] not in names:
            assert line["basis"] is None
            continue
        places = [place for side in rows_of_finding(found, line["variable"]) for place in side]
        rows = [*line["basis"]["own"], *line["basis"]["others"]]
        for place, row in zip(places, rows, strict=True):
            own = frame.loc[jones.shipped.entries.names[place]]
            if np.isnan(own["flip_below"]) and np.isnan(own["flip_above"]):
                assert row["flip"] == f"No value of it changes what leads (now {number(own['value'])})."
            for side in ("below", "above"):
                if not np.isnan(own[f"flip_{side}"]):
                    label = jones.situation.label(own[f"leader_{side}"])
                    sentence = f"{label} would lead if this were {side} {number(own[f'flip_{side}'])}"
                    assert sentence.lower() in row["flip"].lower()
                    told += 1
            assert ("lies within what its sources leave open" in row["flip"]) == bool(own["fragile"])
    assert told > 3


def test_an_edited_row_says_so(jones):
    edit = {
        "do": "edit",
        "variable": "radiograph",
        "given": "dystrophic_damage",
        "state": "nodular_mass",
        "value": "0.5",
    }
    jones.handle(edit)
    jones.handle({"do": "open", "value": "why:radiograph"})
    line = next(line for line in lines(view(jones.situation)) if line["variable"] == "radiograph")
    first = next(row for row in line["basis"]["own"] if "damaged" in row["given"])
    assert (first["value"], first["edited"]) == ("0.5", True)
    assert "edited in this page" in panel(jones)
    assert adds_up(view(jones.situation))


def test_a_link_is_made_of_a_doi_only():
    def link(doi):
        return source_in_words(Source("key", "cohort", "Somebody", "2001", doi))["link"]

    assert link("10.1016/s0039-6060(97)90212-9") == "https://doi.org/10.1016/s0039-6060(97)90212-9"
    assert link("") == link("javascript:alert(1)") == link("https://elsewhere") == ""
    assert link('10.1/"><script>') == "https://doi.org/10.1/%22%3E%3Cscript%3E"


# any model


@pytest.mark.parametrize(
    ("tables", "target", "findings"),
    [
        (ASIA, "bronc", {"dysp": "yes", "smoke": "no", "asia": "yes"}),
        (ALARM, "fire", {"report": "yes", "smoke": "no"}),
        (BURGLARY, "B", {"J": "yes", "M": "no", "E": "no"}),
        (CANCER, "MC", {"Coma": "yes", "SH": "no"}),
    ],
)
def test_networks_without_priors_weights_or_labels(build, tables, target, findings):
    network = build(target, tables)
    for labelled in (True, False):
        bare = {
            name: Variable(name, tuple(State(s.name, "") for s in own.states))
            for name, own in network.variables.items()
        }
        variables = network.variables if labelled else bare
        model = cc.Model(Network(network.target, variables, network.parents, network.tables))
        session = opened(model, *findings, **findings)
        shown = view(session.situation)
        assert adds_up(shown)
        assert {line["variable"] for line in lines(shown)} == set(findings)
        html = panel(session)
        assert not has_nan(html)
        assert "No source is recorded for it." in html
        assert "What its weight is was not given." in html
        assert len(re.findall(r'id="[^"]*"', html)) == len(set(re.findall(r'id="[^"]*"', html)))
        assert shown["rival"] is None, "of two states there is no runner-up other than all others"


def test_words_of_a_model_are_escaped(build):
    tables = {"d": ("ill well", "", [0.3, 0.7]), "sign": ("n y", "d", [[0.2, 0.8], [0.7, 0.3]])}
    network = build("d", tables)
    evil = {
        name: Variable(
            name, tuple(State(s.name, f"<img src=x> {s.name}") for s in own.states), label="<script>x</script>"
        )
        for name, own in network.variables.items()
    }
    session = opened(cc.Model(Network("d", evil, network.parents, network.tables)), "sign", sign="y")
    html = panel(session)
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_ids_are_unique_and_every_control_has_a_name(jones):
    for name in ("radiograph", "cirrhosis"):
        jones.handle({"do": "open", "value": f"why:{name}"})
    html = panel(jones)
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    for control in re.findall(r"<select[^>]*>", html):
        (own,) = re.findall(r'id="([^"]*)"', control)
        assert f'<label for="{own}">' in html
    for labelled in re.findall(r'aria-labelledby="([^"]*)"', html):
        assert labelled in ids
    assert "<th>" not in html
    assert all("scope=" in head for head in re.findall(r"<th [^>]*>", html))
