"""The explorer in a cell: what it begins with, that it asks nothing of the web, and what a notebook keeps of it."""

from __future__ import annotations

import re

import pytest
from printed_networks import ASIA

import calcinosis as cc
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.question_error import QuestionError


def held(shown):
    """The findings that an explorer holds."""
    return dict(shown._session.page.findings)


@pytest.mark.slow
def test_it_begins_with_nothing_entered_and_the_shipped_priors(shipped):
    shown = cc.explorer()
    assert held(shown) == {}
    assert shown._session.shipped.digest == shipped.digest
    assert shown.embedded
    assert "Nothing entered yet" in shown.html


def test_it_begins_with_findings_as_the_model_takes_them(shipped):
    findings = {
        "cirrhosis": True,
        "ulceration": "TRUE",
        "vascular_histology": ["absent"] * 3,
        "care_setting": {"hospital_inpatient", "dialysis_unit"},
        "pain": {"none": 0.2, "severe": 0.8},
        "serum_calcium": "9.1 mg/dL",
        "albumin": "2.5 g/dL",
        "obesity": None,
        "sex": float("nan"),
        "esrd": "",
        "diabetes": [],
        "livedo": "unknown",
        "pth": "pending",
    }
    shown = cc.explorer(shipped, findings)
    assert held(shown) == {
        "cirrhosis": "yes",
        "ulceration": "yes",
        "vascular_histology": "absent,absent,absent",
        "care_setting": "dialysis_unit/hospital_inpatient",
        "pain": "none:0.2,severe:0.8",
        "serum_calcium": "9.1 mg/dL",
        "albumin": "2.5 g/dL",
        "livedo": "unknown",
        "pth": "pending",
    }
    known = {name: value for name, value in findings.items() if value != "pending"}
    assert shown._session.situation.posterior.probabilities_of == shipped.posterior(known).probabilities_of


def test_it_begins_with_a_row_of_a_table(shipped):
    case = cc.cases().loc["jones2023"]
    row = case[[name for name in case.index if name in shipped.names]]
    expected = shipped.posterior(row)
    assert cc.explorer(shipped, row)._session.situation.posterior.probabilities_of == expected.probabilities_of


def test_what_is_not_understood_or_cannot_be_entered_is_refused(shipped):
    with pytest.raises(FindingsError, match="agonising"):
        cc.explorer(shipped, {"pain": "agonising"})
    with pytest.raises(FindingsError, match="moon"):
        cc.explorer(shipped, {"moon": "unknown"})
    for name, state in (("subtype", "dystrophic"), ("vessel_calcification", "yes")):
        with pytest.raises(QuestionError, match=f"{name} cannot be entered in the page"):
            cc.explorer(shipped, {name: state})


def test_it_shows_another_model(build):
    shown = cc.explorer(cc.Model(build("lung", ASIA)), {"xray": "yes"})
    assert repr(shown) == "<Explorer of lung: run this cell in Jupyter to use it>"
    reply = shown._session.handle({"do": "set", "variable": "dysp", "value": "yes"})
    assert "answer" in reply["regions"]


def test_what_a_cell_shows_of_it_names_no_other_machine(shipped, monkeypatch):
    from panel import config, extension

    monkeypatch.setattr(extension, "_loaded", True)
    monkeypatch.setattr(config, "inline", True)
    bundle, _ = cc.explorer(shipped)._repr_mimebundle_()
    shown = bundle["text/html"]
    assert "Nothing entered yet" in shown
    assert not re.search(r"cdn|jsdelivr|unpkg|esm\.sh", shown)
    loaded = re.findall(r"(?:src|href|url)[\"\\]*\s*[:=(]\s*[\"'\\]*(https?:[^\"'\\)]*)", shown)
    assert not [url for url in loaded if not url.startswith("https://doi.org/")]


def test_what_the_browser_needs_comes_along_in_each_cell(shipped, monkeypatch):
    import sys
    from types import SimpleNamespace

    calls = []
    monkeypatch.setattr("panel.extension", lambda **given: calls.append(given))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    cc.explorer(shipped)
    cc.explorer(shipped)
    assert calls == [{"inline": True}] * 2
    for shell in (None, SimpleNamespace()):  # no IPython, or that of a terminal
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        cc.explorer(shipped)
    assert len(calls) == 2


def test_it_is_an_object_of_panel(shipped):
    import panel

    shown = cc.explorer(shipped)
    assert panel.Column(shown).objects == [shown]
    assert shown.servable() is shown
    assert shown.sizing_mode == "stretch_width"
