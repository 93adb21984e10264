"""What can be taken away: a report that prints, five lines, JSON; each says what the page says, and only that."""

from __future__ import annotations

import base64
import json
import re
import sys
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from types import ModuleType

import pytest
from printed_networks import ASIA, CANCER

import calcinosis as cc
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.explorer.actions import ActionError
from calcinosis.interface.explorer.downloads import download
from calcinosis.interface.explorer.edits import edited
from calcinosis.interface.explorer.letter import why_leading
from calcinosis.interface.explorer.page import Draft, Edit, Estimate, Page
from calcinosis.interface.explorer.published import Published
from calcinosis.interface.explorer.session import Session
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.words.posterior import ranges_of
from calcinosis.knowledge.frozen import FrozenMap

TODAY = date(2026, 11, 26)
KINDS = ("report", "summary", "json")


def situation(model, page=None, **findings):
    page = page or Page(findings=FrozenMap(findings))
    return Situation.of(page, edited(model, page.edits), model)


@pytest.fixture(scope="module")
def jones(shipped):
    """The published case, with two findings asked for in vain."""
    findings, published = Published.of(shipped).findings("jones2023", shipped)
    page = Page(findings=FrozenMap(findings | {"livedo": "unknown", "obesity": "unknown"}), case="jones2023")
    return situation(shipped, page), published


def taken(what, asked, published=None):
    """The text of what is taken away."""
    reply = download(what, asked, published, TODAY)
    return reply["copy"] if what == "summary" else reply["download"]["text"]


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text without style."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words, self._style = [], "", False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._style = tag == "style"
        self.words += " "

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        if not self._style:
            self.words += data


def words_of(html):
    return " ".join(Elements(html).words.split())


# --- the five lines


def test_the_summary_has_five_lines_that_say_what_the_model_says(jones):
    asked, published = jones
    lines = taken("summary", asked, published).split("\n")
    assert len(lines) == 5
    findings, answer, fit, why, rests_on = lines
    assert findings.startswith("Findings: care setting (hospital ward); cirrhosis; weight loss; no connective")
    assert findings.endswith("Asked but unknown: livedo, obesity.")
    posterior = asked.posterior
    order = sorted(posterior, key=lambda state: -posterior[state])
    leads = f"{100 * posterior[order[0]]:.0f}"
    first = f"{posterior.labels[order[0]]} {leads}% (95% interval {ranges_of(posterior)[order[0]]})"
    rest = [f"{posterior.labels[state]} {100 * posterior[state]:.0f}%" for state in order[1:]]
    assert answer == (
        f"Answer: {', '.join([first, *rest])}. "
        f"Of 100 patients like this one, about {leads} have dystrophic calcification. "
        "Record assumed: asked. What is not entered counts as unknown."
    )
    assert fit.startswith("Fit: The findings fit together, but leave it open. ")
    assert fit.endswith(" of 100 plausible parameter sets.")
    frame = cc.explain(asked.model, asked.evidence).frame.sort_values("contribution")
    for finding in frame["finding"].iloc[[0, 1, -1, -2]]:
        assert finding in why
    assert why.index(frame["finding"].iloc[-1]) < why.index("Against it:") < why.index(frame["finding"].iloc[0])
    assert rests_on == f"calcinosis {cc.__version__}, priors {asked.model.digest[:12]}, 2026-11-26. {DISCLAIMER}"


def test_the_summary_names_the_number_that_was_measured_and_what_is_not_used(shipped):
    page = Page(
        findings=FrozenMap({"serum_calcium": "9.1 mg/dL", "albumin": "2.5 g/dL"}),
        drafts=FrozenMap({"pth": Draft("50", "", "Choose its unit")}),
    )
    findings = taken("summary", situation(shipped, page)).split("\n")[0]
    assert findings == "Findings: serum calcium (normal), 9.1 mg/dL. Typed but not used: pth=50."


def test_days_and_what_is_pending_are_told_in_each(shipped):
    page = Page(
        findings=FrozenMap({"vascular_histology": "absent,absent", "pain": "severe", "pth": "pending"}),
        dates=FrozenMap({"vascular_histology": ("2023-07-01", "2023-07-15"), "pain": ("2023-06-30",)}),
    )
    asked = situation(shipped, page)
    assert taken("summary", asked).split("\n")[0] == (
        "Findings: pain of the lesion (severe), 2023-06-30; vessels on biopsy (no calcium in vessel walls, twice), "
        "2023-07-01, 2023-07-15. Pending: parathyroid hormone."
    )
    words = words_of(taken("report", asked))
    assert "no calcium in vessel walls, 2023-07-01; no calcium in vessel walls, 2023-07-15" in words
    assert "intermittent" not in words.partition("Why")[0]
    assert "severe, 2023-06-30" in words
    assert "Parathyroid hormone the result is pending" in words
    found = json.loads(taken("json", asked))
    assert found["pending"] == ["pth"]
    assert found["days"]["vascular_histology"] == ["2023-07-01", "2023-07-15"]


def test_with_nothing_entered_the_summary_says_so(shipped):
    lines = taken("summary", situation(shipped)).split("\n")
    assert lines[0] == "Findings: none."
    assert lines[2].startswith("Fit: Nothing entered yet. These are the prior probabilities.")
    assert lines[3].endswith("nothing notable. Against it: nothing notable.")


def test_the_patient_readable_sentence_never_claims_certainty(shipped):
    biopsies = ",".join(["intramural_calcification"] * 2)
    asked = situation(
        shipped, esrd="yes", warfarin="yes", pain="severe", ulceration="yes", livedo="yes", vascular_histology=biopsies
    )
    assert asked.posterior["calciphylaxis"] > 0.995
    for what in ("summary", "report"):
        assert "Of 100 patients like this one, more than 99 have calciphylaxis." in taken(what, asked)
        assert not re.search(r"\b(0|100) ?%[^<]*calc", taken(what, asked).partition("</style>")[2])


def test_what_is_explained_is_the_leading_state_whatever_the_page_explains(jones):
    asked, published = jones
    other = situation(asked.model, asked.page.changed(state="calciphylaxis", against="metastatic"))
    assert taken("summary", other, published) == taken("summary", asked, published)
    assert why_leading(other).summary == why_leading(asked).summary


def test_a_finding_that_settles_it_is_not_explained_but_the_rest_is_there(build):
    asked = situation(cc.Model(build("lung", ASIA)), either="no")
    lines = taken("summary", asked).split("\n")
    assert lines[3].startswith("For and against no: not told, since either excludes yes")
    assert "cannot be told: either excludes yes" in words_of(taken("report", asked))


# --- JSON


def test_the_json_has_full_digits_and_all_that_the_page_holds(jones):
    asked, published = jones
    page = asked.page.changed(
        estimate=Estimate("calciphylaxis", 70), drafts=FrozenMap({"pth": Draft("50", "", "Choose its unit")})
    )
    found = json.loads(taken("json", situation(asked.model, page), published))
    assert found["probabilities"] == dict(asked.posterior.probabilities_of)
    assert found["entered"] == dict(page.findings)
    assert found["asked_but_unknown"] == ["livedo", "obesity"]
    assert found["typed_but_not_used"]["pth"] == {"number": "50", "unit": "", "fault": "Choose its unit"}
    assert found["case"] == "jones2023"
    assert found["published"]["diagnosis"] == "dystrophic"
    assert found["estimate"] == {"state": "calciphylaxis", "percent": 70}
    assert (found["date"], found["version"]) == ("2026-11-26", cc.__version__)
    assert found["digest"] == found["digest_before_edits"] == asked.model.digest
    assert found["disclaimer"] == DISCLAIMER
    assert Session(asked.model).handle({"do": "link", "fragment": found["link"]})["fragment"] == found["link"]


EDIT = Edit("warfarin", ("no", "calciphylaxis"), (0.4, 0.6), 100.0)


def test_edits_are_told_in_each(shipped):
    asked = situation(shipped, Page(findings=FrozenMap({"pain": "severe"}), edits=(EDIT,)))
    found = json.loads(taken("json", asked))
    assert found["edits"] == [
        {
            "variable": "warfarin",
            "given": {"esrd": "no", "subtype": "calciphylaxis"},
            "probabilities": {"no": 0.4, "yes": 0.6},
            "weight": 100.0,
        }
    ]
    assert found["digest"] != found["digest_before_edits"] == shipped.digest
    assert f"priors {asked.model.digest[:12]} (1 row of them edited by hand)" in taken("summary", asked)
    report = words_of(taken("report", asked))
    assert f"1 row of the tables is not as shipped (priors {shipped.digest[:12]})" in report
    assert "no end-stage renal disease; calciphylaxis" in report
    assert "no 0.4, yes 0.6; weight 100" in report


def test_an_edited_row_of_several_contexts_is_told_in_each(shipped):
    """Every row whose parent cells are a list or 'any' can be edited and taken away."""
    several = [
        Edit(name, row.given, row.probabilities, row.weight + 1)
        for name, table in shipped.priors.tables.items()
        for row in table.rows
        if any(cell == "any" or "/" in cell for cell in row.given)
    ]
    assert len(several) > 20
    asked = situation(shipped, Page(findings=FrozenMap({"pain": "severe"}), edits=tuple(several)))
    assert [tuple(own["given"].values()) for own in json.loads(taken("json", asked))["edits"]] == [
        edit.given for edit in several
    ]
    report = words_of(taken("report", asked))
    assert f"{len(several)} rows of the tables are not as shipped" in report
    assert "any but calciphylaxis" in report


# --- the report


def test_the_report_says_what_the_page_says(jones):
    asked, published = jones
    html = taken("report", asked, published)
    words, elements = words_of(html), Elements(html).elements
    posterior = asked.posterior
    for expected in (
        "2026-11-26",
        f"priors {asked.model.digest[:12]}",
        cc.__version__,
        "published as dystrophic calcification: Distinguishing dystrophic calcification from calciphylaxis",
        posterior.summary,
        "about 46 have dystrophic calcification, 26 have iatrogenic calcification",
        "of 100 plausible parameter sets",
        "Record assumed: asked. What is not entered counts as unknown.",
        "how much the sources leave open; not the range of patients",
        "no calcium in vessel walls (3 times)",
        "Asked but unknown: livedo, obesity.",
        "Not asked: end-stage renal disease",
        why_leading(asked).summary,
        cc.next_test(asked.model, asked.evidence).summary,
        "number of lesions (multiple) iatrogenic calcification, 36% 56%",
        "Medscape",
    ):
        assert expected in words
    fills = [own["style"] for tag, own in elements if own.get("class") == "fill"]
    assert fills == [f"width:{100 * p:.4f}%" for p in posterior.probabilities_of.values()]
    for range_ in ranges_of(posterior).values():
        assert range_ in words
    frame = why_leading(asked).frame
    for finding, nats in zip(frame["finding"], frame["contribution"], strict=True):
        assert f"{abs(nats):.2f}" in words.partition(finding)[2]
    assert sum(word == DISCLAIMER for word in re.findall(re.escape(DISCLAIMER), words)) == 2


def test_the_report_asks_nothing_of_anyone(jones):
    html = taken("report", *jones)
    elements = Elements(html).elements
    assert not {tag for tag, _ in elements} & {"script", "link", "img", "iframe", "object", "form", "base", "svg"}
    assert not [own for _, own in elements if {"src", "srcset", "background"} & set(own)]
    assert not re.search(r"url\(|@import", html)
    links = [own["href"] for tag, own in elements if tag == "a"]
    assert links
    assert all(link.startswith("https://doi.org/10.") for link in links)
    policy = next(own["content"] for tag, own in elements if own.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_disclaimer_stands_on_every_printed_page(jones):
    html = taken("report", *jones)
    assert re.search(r"@media print \{.*footer \{ position: fixed", html, re.DOTALL)
    assert DISCLAIMER in html.partition("<footer>")[2]


HOSTILE = "<script>alert(1)</script>\"'&"


def test_every_text_is_escaped(shipped, build, variable):
    network = build("d", {"d": ("yes no", "", [0.3, 0.7]), "s": ("yes no", "d", [[0.9, 0.1], [0.2, 0.8]])})
    named = {name: variable(name, own.state_names) for name, own in network.variables.items()}
    named = {
        name: replace(
            own,
            label=f"{name}{HOSTILE}",
            group=HOSTILE if name == "s" else "",
            states=tuple(replace(state, label=f"{state.name}{HOSTILE}") for state in own.states),
        )
        for name, own in named.items()
    }
    model = cc.Model(replace(network, variables=named))
    for page in (Page(), Page(findings=FrozenMap({"s": "yes"}))):
        published = {"case": HOSTILE, "diagnosis": HOSTILE, "citation": HOSTILE}
        html = taken("report", situation(model, page), published)
        assert "<script" not in html
        assert HOSTILE in Elements(html).words
        assert len(taken("summary", situation(model, page)).splitlines()) == 5
        json.loads(taken("json", situation(model, page)))


def test_a_label_with_a_line_break_makes_no_sixth_line(build):
    network = build("d", {"d": ("yes no", "", [0.3, 0.7]), "s": ("yes no", "d", [[0.9, 0.1], [0.2, 0.8]])})
    broken = {name: replace(own, label=f"{name}\n\u2028\x85x") for name, own in network.variables.items()}
    asked = situation(cc.Model(replace(network, variables=broken)), s="yes")
    assert len(taken("summary", asked).splitlines()) == 5


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize(("tables", "target", "finding"), [(ASIA, "lung", "xray"), (CANCER, "MC", "Coma")])
def test_a_network_without_priors_folder_weights_and_tests_can_be_taken_away(build, what, tables, target, finding):
    model = cc.Model(build(target, tables))
    text = taken(what, situation(model, **{finding: "yes"}))
    assert model.digest[:12] in text
    if what == "report":
        assert "No interval: nothing is known of how many patients" in words_of(text)
        assert "These tables name no sources." in words_of(text)


def test_a_tests_ranking_that_cannot_be_asked_says_why(build):
    model = cc.Model(build("lung", ASIA))
    page = Page(findings=FrozenMap({"xray": "yes"}), ranking="cost")
    assert "What to test next cannot be told: this network has no tests with a cost" in words_of(
        taken("report", situation(model, page))
    )


# --- what is refused


@pytest.mark.parametrize("what", KINDS)
def test_nothing_is_given_away_before_the_own_estimate(shipped, what):
    page = Page(findings=FrozenMap({"pain": "severe"}), blind=True)
    with pytest.raises(ActionError, match="until you have given your own estimate"):
        taken(what, situation(shipped, page))
    taken(what, situation(shipped, page.changed(estimate=Estimate("calciphylaxis", 50))))


@pytest.mark.parametrize("what", KINDS)
def test_findings_that_cannot_be_true_together_have_no_answer_to_take_away(build, what):
    with pytest.raises(ActionError, match="no answer to take away"):
        taken(what, situation(cc.Model(build("lung", ASIA)), either="no", tub="yes"))


def test_what_cannot_be_taken_away_is_named(shipped):
    with pytest.raises(ActionError, match="There is no 'moon' to take away: report, summary, json or folder"):
        download("moon", situation(shipped), None)


@pytest.fixture
def zipped(monkeypatch):
    made = ModuleType("calcinosis.interface.explorer.folder_zip")
    made.folder_zip = lambda situation: b"PK zip"
    monkeypatch.setitem(sys.modules, made.__name__, made)


def test_a_network_without_a_priors_folder_has_none_to_take_away(shipped, zipped):
    with pytest.raises(ActionError, match="has no priors folder"):
        download("folder", situation(cc.Model(shipped.network)), None)


def test_the_folder_is_a_zip_in_base64_with_or_without_an_answer(shipped, zipped):
    for asked in (situation(shipped), situation(shipped, subtype="dystrophic", form="calciphylaxis_uraemic")):
        found = download("folder", asked, None, TODAY)["download"]
        assert found["name"] == "calcinosis-priors-2026-11-26.zip"
        assert found["type"] == "application/zip"
        assert base64.b64decode(found["base64"]) == b"PK zip"


# --- through the page


def test_the_browser_gets_files_whose_names_say_nothing_of_the_patient(shipped):
    session = Session(shipped)
    session.handle({"do": "case", "value": "jones2023"})
    for what, ending in (("report", "html"), ("json", "json")):
        reply = session.handle({"do": "download", "value": what})["download"]
        assert reply["name"] == f"calcinosis-{date.today()}.{ending}"
    reply = session.handle({"do": "download", "value": "summary"})
    assert len(reply["copy"].splitlines()) == 5
    assert reply["copied"]
    assert "There is no &#39;moon&#39;" in session.handle({"do": "download", "value": "moon"})["regions"]["notice"]
