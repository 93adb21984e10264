"""Every pitfall of what-if pages that others fell into, where no browser is needed.

Those that are seen only in a browser are in `tests/browser/test_pitfalls.py`.
"""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed_networks import ASIA
from properties import examples

import calcinosis as cc
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer.actions import act
from calcinosis.interface.explorer.answer import answer, frequencies
from calcinosis.interface.explorer.page import SILENT, TABS, Page
from calcinosis.interface.explorer.published import Published
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.frozen import FrozenMap

EXACT = re.compile(r"(?<![\d.,–-])(?:0|100)(?:\.0+)? ?%")
"""A probability that is shown as 0 or 1."""


def session_of(model, **findings):
    """A session with some findings, its page sent."""
    session = Session(model, Page(findings=FrozenMap(findings)))
    session.first()
    return session


def do(session, what, **more):
    """Do something, and see that the program made no error."""
    reply = session.handle({"do": what, **more})
    assert "made an error" not in reply["regions"]["notice"]
    return reply


@pytest.fixture(scope="module")
def cases(shipped):
    """The findings of every published case, by name."""
    published = Published.of(shipped)
    return {name: published.findings(name, shipped)[0] for name in published.titles}


@pytest.mark.parametrize("word", SILENT)
def test_everything_unknown_is_the_prior(shipped, word):
    """Pitfall: unknown silently counted as absent."""
    session = session_of(shipped)
    for name in session.situation.model.variables:
        if name != shipped.target and shipped.variables[name].group != "hidden":
            do(session, "set", variable=name, value=word)
    assert len(session.page.findings) > 20
    prior = shipped.probabilities()
    for state, probability in session.situation.posterior.probabilities_of.items():
        assert abs(probability - prior[state]) <= 1e-12


@pytest.mark.slow
def test_the_same_case_twice_gives_the_same_digits(shipped, cases):
    """Pitfall: sampling noise shown as change."""
    for tab in list(TABS)[:4]:
        once, again = (session_of(shipped, **cases["jones2023"]) for _ in range(2))
        assert do(once, "tab", value=tab) == do(again, "tab", value=tab)
        assert once._regions("", "") == again._regions("", "")
    do(again, "set", variable="pain", value="severe")
    do(again, "undo")
    assert again.situation.posterior.probabilities_of == once.situation.posterior.probabilities_of


@pytest.mark.slow
def test_no_case_is_ever_quite_sure(shipped, cases):
    """Pitfall: '0%', '100%', '0+'."""
    for findings in cases.values():
        shown = answer(session_of(shipped, **findings).situation)
        for bar in shown["bars"]:
            assert re.fullmatch(r"(?:< 1|> 99|[1-9]\d?)%", bar["percent"])
            assert not EXACT.search(bar["range"])
        assert sum(own["count"] for own in frequencies(session_of(shipped, **findings).situation.posterior)) == 100


@given(data=st.data())
@examples(25)
def test_no_preview_is_ever_quite_sure(shipped, data):
    """Pitfall: '0 %', '100 %', '0+'; and what a preview shows is what the click then gives."""
    names = [name for name, own in shipped.variables.items() if name != shipped.target and own.group != "hidden"]
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=12))
    session = session_of(
        shipped, **{name: data.draw(st.sampled_from(shipped.variables[name].state_names)) for name in chosen}
    )
    looks = do(session, "hello")["previews"]
    for all_of_one in looks.values():
        for look in all_of_one:
            assert not EXACT.search(" ".join([look["chance"], *(words for _, words in look["bars"])]))
    name = data.draw(st.sampled_from(sorted(looks)))
    look = data.draw(st.sampled_from(looks[name]))
    do(session, "add" if shipped.variables[name].repeatable else "set", variable=name, value=look["value"])
    assert look["bars"] == [
        [round(100 * p, 2), percent(p)] for p in session.situation.posterior.probabilities_of.values()
    ]


def test_a_new_patient_is_a_fresh_session(shipped, cases):
    """Pitfall: findings survive a reset or a new patient."""
    fresh = session_of(shipped)
    used = session_of(shipped)
    do(used, "case", value="jones2023")
    do(used, "set", variable="livedo", value="unknown")
    do(used, "number", variable="pth", value="900")
    do(used, "estimate", value="metastatic", percent="40")
    do(used, "keep")
    do(used, "new")
    assert used.page == fresh.page
    assert used._regions("", "") == fresh._regions("", "")
    for step in ("undo", "redo"):
        do(used, step)
        assert used.page == fresh.page


def test_an_impossible_combination_names_the_smallest_clash_and_offers_to_drop_one(build):
    """Pitfall: impossible combination gives NaN, blank or a crash. Asia: no tuberculosis without 'either'."""
    session = session_of(cc.Model(build("lung", ASIA)), smoke="yes", tub="yes", dysp="no")
    reply = do(session, "set", variable="either", value="no")
    shown = answer(session.situation)
    assert {own["variable"] for own in shown["clash"]} == {"tub", "either"}
    assert reply["previews"] == {}
    assert "nan" not in " ".join(reply["regions"].values()).lower().split()
    for tab in TABS:
        do(session, "tab", value=tab)
    do(session, "set", variable="tub", value="")
    assert session.situation.posterior is not None
    assert dict(session.page.findings) == {"smoke": "yes", "dysp": "no", "either": "no"}


@pytest.mark.parametrize(
    ("typed", "unit", "read"),
    [
        ("9.1", "mg/dL", "9.1 mg/dL"),
        ("9,1", "mg/dL", "9.1 mg/dL"),
        ("2,275", "mmol/L", None),  # 2.275 or 2275: asked back
        ("1,234", "mg/dL", None),
        ("1.234,5", "mg/dL", None),
        ("91", "mg/dL", None),  # ten times too many
        ("0.91", "mg/dL", None),
        ("2.27", "mg/dL", None),  # a value in mmol/L
        ("9.1", "mmol/L", None),
        ("9.1", "", None),
        ("-9.1", "mg/dL", None),
        ("nan", "mg/dL", None),
        ("much", "mg/dL", None),
        ("9.1 mg/dL", "mg/dL", "9.1 mg/dL"),
        ("2.27 mmol/L", "mg/dL", "2.27 mmol/L"),  # what is typed counts
    ],
)
def test_a_number_is_read_with_its_unit_and_within_what_can_be_believed(shipped, typed, unit, read):
    """Pitfall: unit or decimal slip. What is asked back is kept as it was typed, with what is wrong."""
    session = session_of(shipped)
    do(session, "unit", variable="serum_calcium", value=unit)
    do(session, "number", variable="serum_calcium", value=typed)
    assert session.page.findings.get("serum_calcium") == read
    if read is None:
        draft = session.page.drafts["serum_calcium"]
        assert draft.number.replace(",", ".") == typed.replace(",", ".")
        assert draft.fault
        assert session.situation.posterior.probabilities_of == shipped.posterior().probabilities_of


@given(number=st.floats(4, 25), unit=st.sampled_from(["mg/dL", "mmol/L", "mg/L", "mEq/L"]))
@examples(60)
def test_another_unit_is_the_same_amount(shipped, number, unit):
    """Pitfall: unit or decimal slip. The number is converted along with its unit, to four digits."""
    page = Page(findings=FrozenMap({"serum_calcium": f"{number:.4g} mg/dL"}))
    page = act(page, {"do": "unit", "variable": "serum_calcium", "value": unit}, shipped)
    text = page.findings.get("serum_calcium") or " ".join(page.drafts["serum_calcium"][:2])
    value, _, shown = text.partition(" ")
    assert shown == unit
    factor = shipped.variables["serum_calcium"].units[unit]
    assert float(value) * factor == pytest.approx(float(f"{number:.4g}"), rel=6e-4)


def test_a_case_with_every_finding_fits_into_its_link(shipped):
    """Pitfall: only one finding at a time; work lost on reload."""
    findings = {
        name: ",".join([own.state_names[-1]] * 9) if own.repeatable else "/".join(own.state_names[:-1])
        for name, own in shipped.variables.items()
        if name != shipped.target and own.group != "hidden"
    }
    session = session_of(shipped, **{name: text for name, text in findings.items() if text})
    fragment = do(session, "hello")["fragment"]
    assert len(fragment) < 2000
    other = session_of(shipped)
    do(other, "link", fragment=fragment)
    assert other.page == session.page


def test_whole_percent_on_the_screen_and_full_digits_in_the_file(shipped, cases):
    """Pitfall: precision beyond the sources."""
    session = session_of(shipped, **cases["jones2023"])
    shown = answer(session.situation)
    assert all(re.fullmatch(r"(?:< 1|> 99|\d\d?)%", bar["percent"]) for bar in shown["bars"])
    saved = json.loads(do(session, "download", value="json")["download"]["text"])
    assert saved["probabilities"] == dict(session.situation.posterior.probabilities_of)


@pytest.mark.slow
def test_the_verdict_names_the_runner_up(shipped, cases):
    """Pitfall: anchoring on the list; the most probable is never named alone while another cannot be excluded."""
    for findings in cases.values():
        posterior = session_of(shipped, **findings).situation.posterior
        first, second, *_ = sorted(posterior, key=lambda state: -posterior[state])
        if posterior[first] < 0.95:
            shown = answer(session_of(shipped, **findings).situation)["verdict"]
            assert posterior.labels[second] in (shown.headline + shown.detail).lower()
