"""Any network has its next test, its sensitivity and its comparison, whatever it has no labels, weights or tests of."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.interface.explorer import next_test, views
from calcinosis.interface.explorer.page import UNKNOWN, Page
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.frozen import FrozenMap


@st.composite
def models_of(draw, networks):
    """Models of random networks, some with weights, some without labels and all of the setting."""
    network = draw(networks)
    if draw(st.booleans()):
        network = replace(network, weights=dict.fromkeys(network.variables, 5.0))
    if draw(st.booleans()):
        bare = {name: replace(own, label="", group="setting") for name, own in network.variables.items()}
        network = replace(network, variables=bare)
    return cc.Model(network)


@st.composite
def findings_of(draw, model):
    """Findings of a patient, which may be impossible together."""
    names = draw(st.lists(st.sampled_from([name for name in model.variables if name != model.target]), unique=True))
    return FrozenMap({n: draw(st.sampled_from([*model.variables[n].state_names, UNKNOWN])) for n in names})


@given(data=st.data())
@examples(40)
def test_every_network_has_its_views(data, networks):
    model = data.draw(models_of(networks))
    page = Page(findings=data.draw(findings_of(model)), other=data.draw(st.none() | findings_of(model)))
    for tab in ("next", "sensitivity", "compare"):
        assert "nan" not in views.view(Session(model, page.changed(tab=tab)).situation).lower()
    session = Session(model, page.changed(tab="next"))
    if session.situation.posterior is None:
        return
    for test in next_test.view(session.situation)["tests"]:
        for result in test["results"][:1]:
            notice = Session(model, page).handle(dict(result["enter"]))["regions"].get("notice", "")
            assert "fault" not in notice
