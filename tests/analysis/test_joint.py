"""What two findings tell together beyond each alone, against its definition and against networks where it is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples
from random_patients import findings_of_every_kind, true_states

import calcinosis as cc
from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.analysis.explain.interactions import joint_pairs
from calcinosis.inference.findings.evidence import Evidence


def pairs_of(model, findings, state, against=None, known=()):
    evidence = model.read(findings)
    background = Evidence(tuple(finding for finding in evidence if finding.variable in known))
    return joint_pairs(model, background, evidence, Hypothesis.of(model.states, state, against))


@given(data=st.data())
@examples(60)
def test_each_pair_is_the_definition(data, networks):
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    model = cc.Model(network)
    findings = findings_of_every_kind(data.draw, network, true_states(network, rng))
    findings.pop(network.target, None)
    of = Hypothesis.of(model.states, data.draw(st.sampled_from(model.states)))
    evidence = model.read(findings)
    known = data.draw(st.lists(st.sampled_from(sorted(findings)), unique=True)) if findings else []

    def log_odds(*left_out):
        posterior = model.posterior(Evidence(tuple(own for own in evidence if own.variable not in left_out)))
        return float(of.log_odds(np.array(list(posterior.probabilities_of.values()))))

    found = pairs_of(model, findings, of.chosen, known=known)
    for pair in found:
        assert not {pair.first, pair.second} & set(known)
        expected = log_odds() - log_odds(pair.first) - log_odds(pair.second) + log_odds(pair.first, pair.second)
        assert pair.beyond == pytest.approx(expected, abs=1e-9)
        assert pair.alone[0] == pytest.approx(log_odds(pair.second) - log_odds(pair.first, pair.second), abs=1e-9)
        assert pair.alone[1] == pytest.approx(log_odds(pair.first) - log_odds(pair.first, pair.second), abs=1e-9)
    strengths = [abs(pair.beyond) for pair in found]
    assert strengths == sorted(strengths, reverse=True)
    assert len({frozenset((pair.first, pair.second)) for pair in found}) == len(found)


def test_findings_that_tell_nothing_alone_tell_all_together(build):
    """The second shows whether the first is a sign of the illness: 0.9 against 0.1 if it does, else the other way."""
    sign = [[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]]
    tables = {
        "d": ("ill well", "", [0.5, 0.5]),
        "key": ("a b", "", [0.5, 0.5]),
        "seen": ("no yes", "d key", sign),
    }
    (pair,) = pairs_of(cc.Model(build("d", tables)), {"key": "a", "seen": "no"}, "ill")
    assert pair.alone == pytest.approx((0, 0), abs=1e-12)
    assert pair.both == pair.beyond == pytest.approx(math.log(9), abs=1e-12)


def test_findings_that_say_the_same_tell_less_together(build):
    tables = {
        "d": ("ill well", "", [0.5, 0.5]),
        "first": ("n y", "d", [[0.2, 0.8], [0.8, 0.2]]),
        "copy": ("n y", "first", [[1, 0], [0, 1]]),
    }
    (pair,) = pairs_of(cc.Model(build("d", tables)), {"first": "y", "copy": "y"}, "ill")
    assert pair.alone == pytest.approx((math.log(4), math.log(4)))
    assert pair.both == pytest.approx(math.log(4))
    assert pair.beyond == pytest.approx(-math.log(4))


def test_findings_that_are_independent_given_the_target_do_not_act_jointly(build):
    rows = np.random.default_rng(1).uniform(0.1, 0.9, (6, 2))
    tables = {f"f{i}": ("n y", "d", [[1 - p, p], [1 - q, q]]) for i, (p, q) in enumerate(rows)}
    found = pairs_of(
        cc.Model(build("d", {"d": ("ill well", "", [0.3, 0.7])} | tables)), dict.fromkeys(tables, "y"), "ill"
    )
    assert len(found) == 15
    assert max(abs(pair.beyond) for pair in found) < 1e-12


def test_of_less_than_two_findings_there_is_no_pair(shipped):
    assert pairs_of(shipped, {}, "dystrophic") == ()
    assert pairs_of(shipped, {"pain": "severe"}, "dystrophic") == ()
    assert pairs_of(shipped, {"pain": "severe", "sex": "female"}, "dystrophic", known=["sex"]) == ()
    assert all(pair.beyond == 0 for pair in pairs_of(shipped, {"pain": "severe", "sex": "female/male"}, "dystrophic"))


def test_too_many_findings_are_refused(build):
    tables = {f"f{i}": ("n y", "d", [[0.4, 0.6], [0.6, 0.4]]) for i in range(61)}
    model = cc.Model(build("d", {"d": ("ill well", "", [0.3, 0.7])} | tables))
    with pytest.raises(cc.errors.QuestionError, match="61 findings are too many to be paired, the most is 60"):
        pairs_of(model, dict.fromkeys(tables, "y"), "ill")
    assert len(pairs_of(model, dict.fromkeys(list(tables)[:60], "y"), "ill")) == 60 * 59 / 2
