"""The view 'sensitivity' shows what `cc.sensitivity.one_way` finds: the ends of each bar, its flip, its sources."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from printed_networks import ASIA, CANCER

import calcinosis as cc
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer import views
from calcinosis.interface.explorer.edits import NOTE
from calcinosis.interface.explorer.page import Edit, Page
from calcinosis.interface.explorer.sensitivity import MOST, number, view, worth
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.frozen import FrozenMap


@pytest.fixture(scope="module")
def jones(jones_at):
    """A session with the published case, at the view."""
    return jones_at("sensitivity")


def opened(model, **findings):
    """A session at the view with some findings."""
    return Session(model, Page(findings=FrozenMap(findings), tab="sensitivity"))


def weighed(build, target, tables, weight=20.0):
    """A model of a printed network with weights, but without a priors folder."""
    network = build(target, tables)
    return cc.Model(replace(network, weights=dict.fromkeys(network.variables, weight)))


def test_the_bars_are_those_of_the_analysis(jones):
    shown = view(jones.situation)
    found = cc.sensitivity.one_way(jones.shipped, jones.situation.evidence)
    lines = found.rows.head(MOST).to_dict("records")
    assert [own["id"] for own in shown["rows"]] == [line["entry"] for line in lines]
    assert shown["moving"] == len(found.rows)
    for own, line in zip(shown["rows"], lines, strict=True):
        assert own["value"] == number(line["value"])
        assert own["worth"] == worth(line["weight"])
        ends = {own[side]["which"]: (own[side]["value"], own[side]["percent"]) for side in ("left", "right")}
        for which in ("lower", "upper"):
            assert ends[which] == (number(line[which]), percent(line[f"at_{which}"]))
        assert float(own["start"]) == pytest.approx(100 * min(line["at_lower"], line["at_upper"]), abs=0.005)
        assert float(own["width"]) == pytest.approx(100 * line["swing"], abs=0.011)
        assert bool(own["flips"]) == line["fragile"]


def test_both_ends_are_labelled_and_told_apart_without_colour(jones):
    shown, html = view(jones.situation), views.view(jones.situation)
    assert html.count('class="from"') == html.count('class="to"') == len(shown["rows"])
    turned = [own for own in shown["rows"] if own["left"]["which"] == "upper"]
    assert turned, "a row that lowers the answer as it rises"
    for own in turned:
        assert f"upper limit </span>{own['left']['value']} → <strong>{own['left']['percent']}</strong>" in html
    assert html.count('<i class="end upper"></i><i class="end lower"></i>') == len(turned)


def test_a_flip_is_named_with_where_and_to_whom(jones):
    first = view(jones.situation)["rows"][0]
    line = cc.sensitivity.one_way(jones.shipped, jones.situation.evidence).rows.iloc[0]
    assert first["words"] == "Subtype of calcinosis cutis: dystrophic calcification given hospital ward"
    assert first["flips"] == [f"iatrogenic calcification leads below {number(line['flip_below'])}"]
    html = views.view(jones.situation)
    assert "fragile: iatrogenic calcification leads below 0.27" in html
    model = jones.shipped
    function = cc.sensitivity.one_way(model, jones.situation.evidence).function(line["entry"])
    below = function(line["flip_below"] * 0.99)
    assert max(zip(below, model.states, strict=True))[1] == "iatrogenic"


def test_how_many_rows_are_fragile(jones):
    """Counted by row, whichever of its entries it is that flips."""
    found = cc.sensitivity.one_way(jones.shipped, jones.situation.evidence)
    rows = {(line["table"], line["given"]) for line in found.fragile.to_dict("records")}
    assert view(jones.situation)["fragile"] == len(rows) > 0
    assert f"In {len(rows)} of the {len(found.rows)} rows" in views.view(jones.situation)


def test_one_sentence_says_where_the_width_comes_from(jones):
    html = " ".join(re.sub("<[^>]*>", " ", views.view(jones.situation)).split())
    assert "moved between the limits that its sources leave open, one at a time" in html
    assert "comes mainly from these rows: Subtype of calcinosis cutis: dystrophic calcification given" in html
    assert "(28 patients' worth)" in html.replace("&#39;", "'")


def test_every_row_opens_what_it_rests_on(jones):
    html, priors = views.view(jones.situation), jones.shipped.priors
    dois = 0
    for own in view(jones.situation)["rows"]:
        entry = jones.shipped.entries.find(own["id"])
        row = priors.tables[entry.variable].rows[entry.row]
        assert own["note"] == row.note
        assert [source["citation"] for source in own["sources"]] == [
            priors.sources[key].citation for key in row.sources
        ]
        for source in own["sources"]:
            assert source["kind"] in html
            dois += bool(source["doi"])
            assert not source["doi"] or f'href="https://doi.org/{source["doi"]}"' in html
    assert dois


def test_an_edited_row_shows_as_edited(shipped):
    row = next(row for row in shipped.priors.tables["cirrhosis"].rows if row.given[0] == "no")
    edit = Edit("cirrhosis", row.given, row.probabilities, 2.0)
    session = Session(shipped, Page(findings=FrozenMap({"cirrhosis": "yes"}), tab="sensitivity", edits=(edit,)))
    first = view(session.situation)["rows"][0]
    assert (first["worth"], first["note"].partition(";")[0]) == ("2 patients' worth", NOTE)


@pytest.mark.parametrize(("target", "tables"), [("lung", ASIA), ("B", CANCER)])
def test_without_weights_it_says_so_and_shows_small_changes(build, target, tables):
    model = cc.Model(build(target, tables))
    session = opened(model, **{list(tables)[-1]: "yes"})
    shown, html = view(session.situation), views.view(session.situation)
    assert not shown["weighed"]
    assert "Nothing is known of the limits" in html
    found = cc.sensitivity.one_way(model, session.situation.evidence)
    slopes = found.frame[found.frame["value"].between(0, 1, inclusive="neither")].set_index("entry")["derivative"]
    sizes = [abs(slopes[own["id"]]) for own in shown["rows"]]
    assert all(one >= other - 1e-9 for one, other in pairwise(sizes))
    assert sizes[0] == pytest.approx(slopes.abs().max())
    assert shown["rows"][0]["step"].replace("\N{MINUS SIGN}", "-") == f"{slopes[shown['rows'][0]['id']]:+.1f}"
    rows = [own["id"].partition("=")[0] + own["id"].partition("@")[2] for own in shown["rows"]]
    assert len(set(rows)) == len(rows), "a row is told once"


def test_weights_without_a_folder_have_limits_but_no_sources(build):
    session = opened(weighed(build, "lung", ASIA), dysp="yes")
    shown, html = view(session.situation), views.view(session.situation)
    assert shown["weighed"]
    assert shown["rows"][0]["worth"] == "20 patients' worth"
    assert "No sources are named" in html


def test_a_target_that_nothing_moves(build):
    tables = {"d": ("no yes", "", [1.0, 0.0]), "t": ("no yes", "d", [[0.9, 0.1], [0.2, 0.8]])}
    for model in (cc.Model(build("d", tables)), weighed(build, "d", tables)):
        assert "No row of the tables moves the answer" in views.view(opened(model, t="yes").situation)


def test_hostile_labels_are_escaped(shipped):
    evil = "<script>alert(1)</script>"
    variables = {
        name: replace(own, label=evil, states=tuple(replace(s, label=f"{evil}{s.name}") for s in own.states))
        for name, own in shipped.variables.items()
    }
    tables = {
        name: replace(own, rows=tuple(replace(row, note=evil) for row in own.rows))
        for name, own in shipped.priors.tables.items()
    }
    sources = {key: replace(own, citation=evil, doi=f'10.1/"{evil}') for key, own in shipped.priors.sources.items()}
    priors = replace(
        shipped.priors, variables=FrozenMap(variables), tables=FrozenMap(tables), sources=FrozenMap(sources)
    )
    html = views.view(opened(cc.Model.from_priors(priors), pain="severe").situation)
    assert "&lt;script&gt;" in html
    assert "<script" not in html.lower()
    assert 'href="https://doi.org/10.1/%22%3Cscript' in html


def test_hostile_labels_are_escaped_without_weights(build):
    network = build("lung", ASIA)
    evil = {name: replace(own, label="<script>") for name, own in network.variables.items()}
    html = views.view(opened(cc.Model(replace(network, variables=evil)), dysp="yes").situation)
    assert "&lt;script&gt;" in html
    assert "<script" not in html
