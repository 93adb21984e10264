"""The answer: what it holds, how it reads as text, in a notebook, as JSON and drawn."""

import json
import math
from dataclasses import FrozenInstanceError, replace
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import calcinosis as cc
from calcinosis.inference.numbers import percent
from calcinosis.interface.words.posterior import ranges_of, sureness

SUBTYPES = ["dystrophic", "metastatic", "idiopathic", "iatrogenic", "calciphylaxis"]


@pytest.fixture(scope="module")
def answer(shipped):
    return shipped.posterior(
        cirrhosis="yes",
        pain="intermittent/severe",
        vascular_histology=["absent"] * 3,
        serum_calcium="9.1 mg/dL",
        albumin="24 g/L",
    )


@pytest.fixture(scope="module")
def sure(shipped):
    """A patient with hardly a doubt."""
    return shipped.posterior(
        esrd="yes",
        warfarin="yes",
        pain="severe",
        ulceration="yes",
        livedo="yes",
        vascular_histology="intramural_calcification",
        lesion_site="proximal_adipose",
    )


def made(build, probabilities, findings=None):
    """The posterior of a lone variable with the probabilities given, by state."""
    states = " ".join(probabilities)
    return cc.Model(build("kind", {"kind": (states, "", list(probabilities.values()))})).posterior(findings)


@pytest.mark.parametrize("field", ["target", "probabilities_of", "evidence", "log_evidence", "digest"])
def test_it_is_frozen(answer, field):
    with pytest.raises(FrozenInstanceError):
        setattr(answer, field, None)


def test_its_mappings_cannot_be_written(answer):
    with pytest.raises(TypeError):
        answer.probabilities_of["dystrophic"] = 1.0
    with pytest.raises(TypeError):
        answer.labels["dystrophic"] = "sure"


def test_changing_the_series_changes_nothing(answer):
    before = answer["dystrophic"]
    series = answer.probabilities
    series["dystrophic"] = 0.0
    assert answer["dystrophic"] == answer.probabilities["dystrophic"] == before > 0


def test_probabilities_are_a_series_in_the_order_of_the_subtypes(answer):
    series = answer.probabilities
    assert isinstance(series, pd.Series)
    assert list(series.index) == SUBTYPES
    assert series.index.name == "subtype"
    assert series.name == "probability"
    assert series.sum() == pytest.approx(1, abs=1e-15)
    assert all(answer[state] == series[state] for state in SUBTYPES)


def test_an_unknown_subtype_is_told_with_those_there_are(answer):
    with pytest.raises(KeyError) as caught:
        answer["tumoral"]
    assert caught.value.args == (f"tumoral: subtype is one of {', '.join(SUBTYPES)}",)


def test_what_was_found_is_kept_as_given_and_as_understood(answer):
    assert [f.variable for f in answer.evidence] == ["cirrhosis", "pain", "serum_calcium", "vascular_histology"]
    assert answer.evidence["pain"].given == "intermittent/severe"
    assert "esrd" not in answer.evidence
    with pytest.raises(KeyError):
        answer.evidence["esrd"]


def test_the_digest_is_that_of_the_priors(answer, shipped):
    assert answer.digest == shipped.digest == shipped.priors.digest
    assert len(answer.digest) == 64


def test_the_credible_set_is_the_fewest_states_that_hold_the_mass(build):
    posterior = made(build, {"p": 0.25, "q": 0.5, "r": 0.125, "s": 0.125})
    assert posterior.leading == "q"
    assert posterior.credible_set(0.5) == ("q",)
    assert posterior.credible_set(0.51) == ("q", "p")
    assert posterior.credible_set(0.75) == ("q", "p")
    assert posterior.credible_set(0.8) == ("q", "p", "r")
    assert posterior.credible_set() == ("q", "p", "r", "s")
    assert posterior.credible_set(1.0) == ("q", "p", "r", "s")


@pytest.mark.parametrize("mass", [0.0, -0.1, 1.1, math.nan])
def test_a_credible_set_of_no_proper_mass_is_refused(answer, mass):
    with pytest.raises(ValueError, match="a share of probability lies above 0 and up to 1"):
        answer.credible_set(mass)


@pytest.mark.parametrize(
    ("probabilities", "verdict"),
    [
        ({"p": 0.97, "q": 0.03}, "Most probable: p, 97%. All others together: under 5%."),
        ({"p": 0.999, "q": 0.001}, "Most probable: p, > 99%. All others together: under 5%."),
        ({"p": 0.2, "q": 0.8}, "Most probable: q, 80%. P (20%) cannot be excluded."),
        ({"p": 0.3, "q": 0.6, "r": 0.1}, "Most probable: q, 60%. P (30%) and r (10%) cannot be excluded."),
        (
            {"p": 0.4, "q": 0.35, "r": 0.25},
            "Most probable: p, only 40%. Q (35%) and r (25%) cannot be excluded.",
        ),
    ],
)
def test_the_verdict_is_one_honest_sentence(build, probabilities, verdict):
    assert made(build, probabilities).summary == verdict


def test_the_verdict_keeps_the_spelling_of_a_label(build):
    assert made(build, {"type_II": 0.97, "q": 0.03}).summary.startswith("Most probable: type_II, 97%.")


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "< 1%"),
        (1e-300, "< 1%"),
        (0.00999, "< 1%"),
        (0.01, "1%"),
        (0.613, "61%"),
        (0.99, "99%"),
        (0.9901, "> 99%"),
        (1.0, "> 99%"),
    ],
)
def test_percent_never_claims_certainty(probability, words):
    assert percent(probability) == words


def test_no_probability_at_all_reads_as_0_or_100_percent():
    for probability in np.linspace(0, 1, 10_001):
        assert percent(probability) not in ("0%", "100%")


def test_the_text_shows_every_state_the_findings_as_understood_the_digest_and_the_disclaimer(answer):
    text = flat(repr(answer))
    assert text.startswith(answer.summary)
    for state in SUBTYPES:
        assert f"{answer.labels[state]} " in text
        assert percent(answer[state]) in text
    for finding in answer.evidence.given:
        understood = "" if finding.understood == finding.given else f" {finding.understood}"
        assert f"{finding.variable} {finding.given}{understood}" in text
    assert "9.1 mg/dL 10.38 mg/dL corrected for albumin 24 g/L (payne1973) → normal" in text
    assert answer.digest[:12] in text
    assert text.endswith(cc.DISCLAIMER)
    assert "nan" not in text.lower()


def test_what_was_not_used_stands_in_text_html_and_json(shipped):
    posterior = shipped.posterior(albumin="2.4 g/dL")
    note = "2.4 g/dL albumin was not used: serum_calcium is not given as a number"
    assert f"Note: {note}" in repr(posterior)
    assert f"Note: {note}" in posterior._repr_html_()
    assert posterior.to_dict()["notes"] == [note]
    assert "Nothing observed" in repr(posterior)


def flat(text):
    """A text with its lines joined and its columns one space apart."""
    return " ".join(text.split())


class Reader(HTMLParser):
    """Collects the text of a page and checks that every tag that opens is closed."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], set(), ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "\n"


def test_the_page_shows_the_same_as_the_text(answer):
    page = Reader(answer._repr_html_())
    assert answer.summary in page.text
    assert all(answer.labels[state] in page.text and percent(answer[state]) in page.text for state in SUBTYPES)
    assert all(finding.given in page.text for finding in answer.evidence.given)
    assert answer.digest[:12] in page.text
    assert cc.DISCLAIMER in page.text
    assert page.tags == {"div", "p", "strong", "table", "tr", "th", "td"}


def test_the_page_escapes_what_comes_from_outside(build):
    sign = "<script>&x"
    posterior = made(build, {sign: 0.97, "q": 0.03}, {"kind": f"q/{sign}"})
    html = posterior._repr_html_()
    assert "<script" not in html
    page = Reader(html)
    assert page.text.count(sign) >= 2  # in its row and in the findings
    assert "script" not in page.tags


def test_the_page_escapes_less_than_one_percent(sure):
    assert min(sure.probabilities) < 0.01
    html = sure._repr_html_()
    assert "< 1%" not in html
    assert "&lt; 1%" in html


def test_the_plot_has_one_bar_per_subtype_on_a_fixed_scale(answer):
    axes = answer.plot()
    try:
        assert isinstance(axes, plt.Axes)
        assert [bar.get_width() for bar in axes.patches] == pytest.approx(list(100 * answer.probabilities))
        assert [tick.get_text() for tick in axes.get_yticklabels()] == [answer.labels[s] for s in SUBTYPES]
        assert [text.get_text() for text in axes.texts] == [
            f"{percent(p)}\N{EM SPACE}{ranges_of(answer)[state]}" for state, p in answer.probabilities.items()
        ]
        limits = 100 * answer.interval()
        (lines,) = axes.collections
        assert [segment.tolist() for segment in lines.get_segments()] == [
            [[pytest.approx(lower), row], [pytest.approx(upper), row]]
            for row, (lower, upper) in enumerate(limits.itertuples(index=False))
        ]
        assert "line: 95% credible interval" in axes.get_xlabel()
        assert axes.get_xlim()[0] == 0
        assert axes.yaxis_inverted()
        assert any(cc.DISCLAIMER in text.get_text() for text in axes.figure.findobj(Text))
        axes.figure.canvas.draw()
    finally:
        plt.close(axes.figure)


def test_the_labels_of_the_plot_neither_leave_it_nor_touch_a_line(shipped, answer, sure):
    for posterior in (answer, sure, shipped.posterior()):
        axes = posterior.plot()
        try:
            axes.figure.canvas.draw()
            spread = posterior.spread()
            for text, upper, p in zip(axes.texts, spread.upper, posterior.probabilities, strict=True):
                box = text.get_window_extent()
                assert box.x1 <= axes.bbox.x1
                assert box.x0 > axes.transData.transform((100 * max(upper, p), 0))[0] + 3
        finally:
            plt.close(axes.figure)


def test_the_longest_label_of_the_plot_fits(build):
    network = build("kind", {"kind": ("p q", "", [0.99, 0.01])})
    posterior = cc.Model(replace(network, weights={"kind": 0.5})).posterior()
    # the 2.5% point of Beta(0.495, 0.005) is 0.9746, well within the rounding
    assert ranges_of(posterior) == {"p": "97–> 99%", "q": "< 1–3%"}
    axes = posterior.plot()
    try:
        axes.figure.canvas.draw()
        assert axes.texts[0].get_window_extent().x1 <= axes.bbox.x1
        axes.texts[0].set_text("> 99%\N{EM SPACE}< 1–> 99%")
        assert axes.texts[0].get_window_extent().x1 <= axes.bbox.x1
    finally:
        plt.close(axes.figure)


def test_the_interval_stands_in_text_page_and_json(answer):
    spread = answer.spread()
    told = json.loads(json.dumps(answer.to_dict(), allow_nan=False))["interval"]
    assert list(told) == ["mass", "lower", "upper", "leads", "draws", "effective"]
    assert told["mass"] == 0.95
    assert told["draws"] == spread.draws
    for key in ("lower", "upper", "leads"):
        assert list(told[key].items()) == list(zip(SUBTYPES, getattr(spread, key), strict=True))
    lines, page = repr(answer).splitlines(), Reader(answer._repr_html_())
    for state in SUBTYPES:
        line = next(line for line in lines if line.startswith(f"{answer.labels[state]}  "))
        assert f"{percent(answer[state])}  " in line
        assert f" {ranges_of(answer)[state]}  " in f"{line}  "
        assert ranges_of(answer)[state] in page.text
    assert sureness(answer) in flat(repr(answer))
    assert sureness(answer) in page.text
    leads = percent(answer.leads[answer.leading])
    assert sureness(answer) == (
        f"{answer.labels[answer.leading].capitalize()}: {percent(answer[answer.leading])}, 95% credible interval "
        f"{ranges_of(answer)[answer.leading]} (the uncertainty of the tables); it is the most probable in {leads} of "
        "the samples of the tables."
    )


def test_without_weights_no_surface_shows_an_interval(build):
    posterior = made(build, {"p": 0.25, "q": 0.75})
    assert repr(posterior).splitlines()[2].split() == ["p", "25%", "█" * 7 + "▌"]
    assert "interval" not in repr(posterior)
    assert "interval" not in posterior._repr_html_()
    assert posterior.to_dict()["interval"] is None
    axes = posterior.plot()
    try:
        assert [text.get_text() for text in axes.texts] == ["25%", "75%"]
        assert len(axes.collections) == 0
        assert axes.get_xlabel() == f"posterior probability (%)\n{cc.DISCLAIMER}"
    finally:
        plt.close(axes.figure)


def test_the_plot_draws_on_the_axes_it_is_given(answer):
    figure, axes = plt.subplots()
    try:
        assert answer.plot(axes) is axes
        assert len(axes.patches) == 5
    finally:
        plt.close(figure)


def test_it_can_be_written_as_json_and_says_the_same(answer):
    told = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert told["target"] == "subtype"
    assert told["leading"] == answer.leading
    assert list(told["probabilities"].items()) == list(answer.probabilities_of.items())
    assert told["credible_set"] == list(answer.credible_set())
    assert told["summary"] == answer.summary
    assert told["log_evidence"] == answer.log_evidence
    assert told["digest"] == answer.digest
    assert told["disclaimer"] == cc.DISCLAIMER
    assert told["findings"][1] == {
        "variable": "pain",
        "given": "intermittent/severe",
        "understood": "intermittent/severe",
    }


def test_nothing_is_ever_nan(shipped):
    for case in [{}, *cc.cases().drop(columns="diagnosis").to_dict("records")]:
        findings = {name: value for name, value in case.items() if name in shipped.variables}
        posterior = shipped.posterior(findings)
        assert all(math.isfinite(p) and 0 <= p <= 1 for p in posterior.probabilities)
        assert math.isfinite(posterior.log_evidence)
        assert posterior.log_evidence <= 1e-12
        marginals = shipped.marginals(findings)
        assert np.isfinite(marginals["probability"]).all()
        np.testing.assert_allclose(marginals.groupby("variable")["probability"].sum(), 1, rtol=0, atol=1e-14)


def test_the_published_cases_at_once_are_those_one_by_one(shipped):
    cases = cc.cases()
    batch = shipped.posteriors(cases)
    assert batch.index.equals(cases.index)
    assert batch.notna().all(axis=None)
    for case, row in batch.iterrows():
        findings = {n: v for n, v in cases.loc[case].items() if n in shipped.variables}
        alone = shipped.posterior(findings, record=cases.loc[case, "record"])
        np.testing.assert_allclose(row[SUBTYPES].astype(float), alone.probabilities, rtol=0, atol=1e-14)
        assert row["leading"] == alone.leading
        assert row["log_evidence"] == pytest.approx(alone.log_evidence, abs=1e-12)
