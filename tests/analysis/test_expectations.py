"""The clinical rules hold in every context, and a broken rule is found with the findings under which it breaks."""

from __future__ import annotations

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.analysis.validate.clinical_rules import check_expectations, contexts_of, surely_broken


@pytest.fixture(scope="module")
def model():
    return cc.load()


@pytest.fixture(scope="module")
def checks(model):
    return check_expectations(model)


def test_every_rule_of_the_shipped_priors_holds(checks):
    assert len(checks) >= 25
    assert [str(check.rule) for check in checks if not check.holds] == []


def test_every_rule_is_tried_beside_every_pair_of_other_findings(model, checks):
    for check in checks:
        assert check.contexts > 1000
        contexts = contexts_of(model, check.rule.finding, 20_000)
        assert len(set(contexts)) == len(contexts)
        assert not any(check.rule.finding in dict(context) for context in contexts)
        assert contexts[0] == ()


def test_the_rules_the_article_states_are_among_them(checks):
    rules = {(c.rule.finding, c.rule.state, c.rule.subtype, c.rule.direction) for c in checks}
    assert rules >= {
        ("warfarin", "yes", "calciphylaxis", "raises"),
        ("cirrhosis", "yes", "calciphylaxis", "raises"),
        ("weight_loss", "yes", "calciphylaxis", "raises"),
        ("vascular_histology", "intramural_calcification", "calciphylaxis", "raises"),
        ("pain", "severe", "calciphylaxis", "raises"),
        ("connective_tissue_disease", "yes", "dystrophic", "raises"),
        ("serum_calcium", "high", "metastatic", "raises"),
        ("calcium_exposure", "yes", "iatrogenic", "raises"),
        ("lesion_site", "genital", "idiopathic", "raises"),
    }


def test_a_batch_of_contexts_agrees_with_single_questions(model, checks):
    """The rule on warfarin, context by context, asked through the front door."""
    check = next(c for c in checks if c.rule.finding == "warfarin")
    contexts = contexts_of(model, "warfarin", 20_000)
    rng = np.random.default_rng(7)
    for i in rng.choice(len(contexts), size=25, replace=False):
        known = dict(contexts[i])
        without = model.posterior(known, warfarin="no")["calciphylaxis"]
        with_it = model.posterior(known, warfarin="yes")["calciphylaxis"]
        assert with_it >= without
    assert check.holds


def test_a_table_turned_round_breaks_its_rule_and_the_context_is_named(model):
    table = model.priors.table("warfarin")
    swapped = table.rename(columns={"no": "yes", "yes": "no"})
    broken = {str(c.rule): c for c in check_expectations(model.with_tables({"warfarin": swapped})) if not c.holds}
    check = broken["warfarin=yes rather than no raises calciphylaxis"]
    worst = check.failures[0]
    changed = model.with_tables({"warfarin": swapped})
    known = dict(worst.context)
    assert changed.posterior(known, warfarin="yes")["calciphylaxis"] == pytest.approx(worst.given, abs=1e-12)
    assert changed.posterior(known, warfarin="no")["calciphylaxis"] == pytest.approx(worst.compared, abs=1e-12)
    assert worst.given < worst.compared
    assert str(worst).startswith(", ".join(f"{v}={s}" for v, s in worst.context))
    assert () in [failure.context for failure in check.failures]


def test_a_rule_without_effect_is_broken_with_nothing_else_known(model):
    table = model.priors.table("warfarin").assign(no=0.9, yes=0.1)
    changed = model.with_tables({"warfarin": table})
    check = next(c for c in check_expectations(changed, most_contexts=1) if c.rule.finding == "warfarin")
    assert [str(f).split(":")[0] for f in check.failures] == ["nothing else known"]


def test_fewer_contexts_are_tried_when_fewer_are_asked_for(model):
    assert {len(contexts_of(model, "pain", most)) for most in (1, 10)} == {1}
    assert 1 < len(contexts_of(model, "pain", 200)) < 200


def test_tables_that_learned_break_a_rule_only_if_they_are_sure_with_nothing_else_known(shipped):
    learned = cc.learn.update(shipped, shipped.simulate(1000, missing=0.5, seed=1)).model
    strict = check_expectations(learned)
    lenient = [surely_broken(learned, check) for check in strict]
    assert any(not check.holds for check in strict)
    assert all(check.holds for check in lenient)
    assert [c.open for c in lenient] == [len(c.failures) for c in strict]


def test_tables_that_contradict_a_rule_break_it_though_they_learned(shipped):
    table = shipped.priors.table("warfarin")
    table[["no", "yes"]] = table[["no", "yes"]].to_numpy()
    calciphylaxis = table["subtype"] == "calciphylaxis"
    table.loc[calciphylaxis, ["no", "yes"]] = [0.999, 0.001]
    table.loc[calciphylaxis, "weight"] = 500
    wrong = shipped.with_tables({"warfarin": table})
    broken = [c for c in (surely_broken(wrong, own) for own in check_expectations(wrong)) if not c.holds]
    assert any("warfarin" in str(check.rule) for check in broken)
    assert all(not failure.context for check in broken for failure in check.failures)
