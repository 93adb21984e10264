"""Learning recovers what patients were drawn from, counts where all is known, and is undone to the last digit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaincinv

import calcinosis as cc
from calcinosis.analysis.validate.labelled_cases import read_cases
from calcinosis.knowledge.frozen import FrozenMap


def blurred(model, weight=2.0):
    """The model with every row half forgotten: half of it the same for all states that can be, and of little weight."""
    tables = {}
    for name, table in model.network.tables.items():
        flat = (table > 0) / (table > 0).sum(axis=-1, keepdims=True)
        tables[name] = 0.5 * table + 0.5 * flat
    weights = {name: np.full(table.shape[:-1], weight) for name, table in tables.items()}
    return cc.Model(replace(model.network, tables=tables, weights=FrozenMap(weights)))


def counts_of(model, patients):
    """The counts of complete patients, by plain counting."""
    found = {}
    for name, parents in model.network.parents.items():
        states = [model.variables[v].state_names for v in (*parents, name)]
        found[name] = np.zeros_like(model.network.rows(name))
        for row in patients[[*parents, name]].itertuples(index=False):
            *context, state = (s.index(cell) for s, cell in zip(states, row, strict=True))
            found[name][model.network.contexts[name][tuple(context)], state] += 1
    return found


def test_with_complete_data_learning_is_counting(shipped):
    drawn = shipped.simulate(400, hidden=True, seed=2)
    found = cc.learn.update(shipped, drawn)
    counts = counts_of(shipped, drawn.rename(columns={"diagnosis": "subtype"}))
    for name in shipped.variables:
        table, weights = shipped.network.rows(name), shipped.network.weights[name]
        total = weights + counts[name].sum(axis=-1)
        wanted = (table * weights[:, None] + counts[name]) / total[:, None]
        np.testing.assert_allclose(found.model.network.rows(name), wanted, rtol=1e-12, atol=1e-15)
        several = (table > 0).sum(axis=-1) > 1  # a row that can only be one state has nothing to learn
        np.testing.assert_allclose(found.model.network.weights[name][several], total[several], rtol=1e-12)
    assert found.steps <= 2
    assert found.rows["informed"].to_numpy() == pytest.approx(found.rows["cases"].to_numpy(), rel=1e-9)


def test_of_patients_of_whom_nothing_is_known_nothing_is_learned(shipped):
    nothing = pd.DataFrame(
        {"diagnosis": ["", "dystrophic"], "care_setting": ["", "hospital_inpatient"], "pain": ["", ""]}
    )
    found = cc.learn.update(shipped, nothing, keep=["subtype", "care_setting"])
    assert found.model.digest == shipped.digest
    assert found.source is None
    assert found.rows.empty


def test_the_density_never_falls_and_the_likelihood_rises(shipped):
    drawn = blurred(shipped).simulate(800, missing=0.5, seed=3)
    found = cc.learn.update(shipped, drawn)
    assert np.diff(found.objective).min() >= -1e-9
    assert found.log_likelihood[1] > found.log_likelihood[0]
    assert found.settled


@pytest.fixture(scope="module")
def learned(shipped):
    """What blurred tables learn from 500 and 5,000 patients with 40 % of the cells missing."""
    start = blurred(shipped)
    drawn = shipped.simulate(5000, missing=0.4, seed=4)
    return {n: cc.learn.update(start, drawn.head(n)) for n in (500, 5000)}


@pytest.mark.slow
def test_tables_are_recovered_and_the_error_shrinks_with_the_root_of_the_number(shipped, learned, figure):
    sizes = {}
    for n, found in learned.items():
        rows = learned[500].rows.query("informed > 10")
        own = []
        for line in rows.itertuples():
            row = [", ".join(cells) for cells in shipped.entries.givens[line.table]].index(line.given)
            own.append(found.model.network.rows(line.table)[row] - shipped.network.rows(line.table)[row])
        sizes[n] = float(np.sqrt(np.mean(np.concatenate(own) ** 2)))
    figure(f"40 % missing: root mean square error {sizes[500]:.4f} from 500 patients, {sizes[5000]:.4f} from 5,000")
    assert sizes[5000] < 0.03
    assert sizes[500] / sizes[5000] == pytest.approx(np.sqrt(10), rel=0.35)


@pytest.mark.slow
def test_the_weights_say_how_sure_the_rows_are(shipped, learned, figure):
    """The 95 % intervals of the new rows hold the generating probabilities about as often.

    Where a family has a hidden variable, rows compete for patients; that is not in their weights, so they are held a
    little too sure.
    """
    found = learned[5000].model.network
    hidden = {name for name, variable in shipped.variables.items() if variable.group == "hidden"}
    inside = {False: [], True: []}
    for name in shipped.variables:
        table, own = shipped.network.rows(name), found.rows(name)
        weights = np.broadcast_to(found.weights[name][:, None], table.shape)
        free = (table > 0) & (table < 1) & (weights * own > 3)
        a, b = (own * weights)[free], ((1 - own) * weights)[free]
        within = (betaincinv(a, b, 0.025) <= table[free]) & (table[free] <= betaincinv(a, b, 0.975))
        inside[bool(hidden & {name, *shipped.network.parents[name]})] += within.tolist()
    seen, unseen = np.mean(inside[False]), np.mean(inside[True])
    figure(
        f"learned 95 % intervals hold the generating entries: {seen:.3f} of {len(inside[False])} where all parents "
        f"can be seen, {unseen:.3f} of {len(inside[True])} where one is hidden"
    )
    assert 0.88 <= seen <= 0.99
    assert unseen >= 0.82


def test_a_discounted_cohort_weighs_as_much_less(shipped):
    drawn = shipped.simulate(100, hidden=True, seed=5)
    whole, half = (cc.learn.update(shipped, drawn, weight=w).rows.set_index(["table", "given"]) for w in (1.0, 0.5))
    np.testing.assert_allclose(half["informed"], whole["informed"].loc[half.index] / 2, rtol=1e-9)


def test_tables_that_are_kept_stay(shipped):
    drawn = shipped.simulate(100, missing=0.2, seed=6)
    kept = cc.learn.update(shipped, drawn, keep=["subtype", "care_setting"]).model
    assert kept.priors.tables["subtype"] == shipped.priors.tables["subtype"]
    assert kept.priors.tables["pain"] != shipped.priors.tables["pain"]
    only = cc.learn.update(shipped, drawn, only=["pain"])
    assert set(only.rows["table"]) == {"pain"}


def test_rows_tell_where_their_new_numbers_come_from(shipped):
    drawn = shipped.simulate(212, missing=0.3, seed=7)
    found = cc.learn.update(shipped, drawn, name="Local cohort 2026", year="2026")
    assert found.source.key == "local_cohort_2026"
    assert found.source.kind == "cohort"
    assert found.source.citation == "Local cohort 2026, 212 patients"
    old, new = (m.priors.tables["pain"].rows[0] for m in (shipped, found.model))
    assert new.sources == (*old.sources, "local_cohort_2026")
    assert new.note.startswith(old.note + " Local cohort 2026: ")
    assert new.weight > old.weight
    again = cc.learn.update(found.model, drawn, name="Local cohort 2026")
    assert again.source.key == "local_cohort_2026_2"


@pytest.mark.parametrize(("missing", "weight"), [(0.0, 1.0), (0.5, 1.0), (0.5, 0.3)])
def test_what_was_learned_can_be_forgotten_from_the_tables_and_the_patients_alone(shipped, missing, weight):
    drawn = shipped.simulate(150, missing=missing, seed=8)
    learned = cc.learn.update(shipped, drawn, weight=weight, keep=["sex"])
    former = cc.learn.forget(learned.model, drawn, weight=weight, keep=["sex"])
    for name, table in shipped.network.tables.items():
        np.testing.assert_allclose(former.model.network.tables[name], table, rtol=0, atol=2e-7)
        np.testing.assert_allclose(former.model.network.weights[name], shipped.network.weights[name], rtol=1e-7)
    assert former.log_likelihood[1] == pytest.approx(learned.log_likelihood[0], abs=1e-3)


def test_patients_that_were_never_learned_cannot_be_forgotten(shipped):
    drawn = shipped.simulate(2000, seed=9)
    with pytest.raises(cc.errors.QuestionError, match="tables did not learn from these patients: without them"):
        cc.learn.forget(shipped, drawn)


def test_the_subtype_may_be_unknown_for_some(shipped):
    drawn = shipped.simulate(200, missing=0.2, seed=10)
    drawn.loc[::2, "diagnosis"] = np.nan
    found = cc.learn.update(shipped, drawn)
    assert found.to_dict(3)["diagnosed"] == 100
    assert found.rows.query("table == 'subtype'")["informed"].sum() > 100 - 1e-6


def test_unknown_subtypes_tell_less_of_the_prior_than_known_ones(shipped):
    drawn = shipped.simulate(200, missing=0.6, seed=11)
    known = cc.learn.update(shipped, drawn).rows.query("table == 'subtype'")["informed"].sum()
    drawn.loc[1:, "diagnosis"] = np.nan
    unknown = cc.learn.update(shipped, drawn).rows.query("table == 'subtype'")["informed"].sum()
    assert unknown < 0.8 * known


def test_what_cannot_be_asked_is_refused_in_words(shipped):
    drawn = shipped.simulate(10, seed=12)
    with pytest.raises(cc.errors.QuestionError, match=r"no table 'warfarine': did you mean 'warfarin'\?"):
        cc.learn.update(shipped, drawn, only=["warfarine"])
    with pytest.raises(cc.errors.QuestionError, match="each patient has a weight that is not positive: 0"):
        cc.learn.update(shipped, drawn, weight=0)
    with pytest.raises(cc.errors.QuestionError, match="every table is kept"):
        cc.learn.update(shipped, drawn, only=["pain"], keep=["pain"])
    unweighted = cc.Model(replace(shipped.network, weights=FrozenMap({})))
    with pytest.raises(cc.errors.QuestionError, match="the rows of this network have no weights"):
        cc.learn.update(unweighted, drawn)


def test_what_is_learned_does_not_hang_on_the_order_of_patients_or_columns(shipped):
    drawn = shipped.simulate(120, missing=0.4, seed=13)
    shuffled = drawn.sample(frac=1, random_state=1)[list(reversed(drawn.columns))]
    one, other = cc.learn.update(shipped, drawn).model.network, cc.learn.update(shipped, shuffled).model.network
    for name, table in one.tables.items():
        np.testing.assert_allclose(other.tables[name], table, atol=1e-7)


def test_cases_that_were_read_are_taken_as_they_are(shipped):
    drawn = shipped.simulate(40, missing=0.4, seed=14)
    known = read_cases(shipped, drawn, every=False)
    assert cc.learn.update(shipped, known).model.digest == cc.learn.update(shipped, drawn).model.digest
