"""The posterior of each family against a full enumeration of the joint, and against the expected counts."""

import numpy as np
from enumeration import enumerate_joint, random_findings
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.analysis.validate.row_scores import row_counts
from calcinosis.inference.engine.expected_counts import expectation_of
from calcinosis.inference.engine.marginals import family_posteriors
from calcinosis.inference.findings.encoding import encode


@examples(150)
@given(data=st.data())
def test_families_are_those_of_the_joint(networks, data):
    network = data.draw(networks)
    model = cc.Model(network)
    values, findings = data.draw(random_findings(network))
    joint = enumerate_joint(network, findings)
    if not joint.sum() > 1e-250:
        return
    names = list(network.variables)
    coded = encode(model.engine.base, [model.read(values)])
    found = dict(family_posteriors(model.engine, network, coded))
    assert set(found) == set(names)
    for name, variable in network.variables.items():
        family = (*network.parents[name], name)
        kept = [v for v in names if v in family]
        others = tuple(i for i, v in enumerate(names) if v not in family)
        margin = joint.sum(axis=others).transpose([kept.index(v) for v in family]) / joint.sum()
        if variable.repeatable:
            above, margin = margin.sum(axis=-1, keepdims=True), np.zeros_like(margin)
            for likelihood in findings.get(name, []):
                seen = network.tables[name] * np.array(likelihood)
                total = seen.sum(axis=-1, keepdims=True)
                margin = margin + above * np.divide(seen, total, out=np.zeros_like(seen), where=total > 0)
        rows = np.zeros_like(network.rows(name))
        np.add.at(rows, network.contexts[name], margin)
        np.testing.assert_allclose(found[name][0], rows, rtol=1e-9, atol=1e-12)


def test_added_up_they_are_the_expected_counts(shipped):
    patients = shipped.simulate(300, missing=0.5, repeats={"vascular_histology": 2}, seed=1)
    rows = patients.rename(columns={"diagnosis": "subtype"}).to_dict("records")
    coded = encode(shipped.engine.base, [shipped.read(row) for row in rows])
    counts = expectation_of(shipped.engine, shipped.network, coded)(
        {name: shipped.network.rows(name) for name in shipped.variables}
    ).counts
    for name, own in row_counts(shipped, coded).items():
        np.testing.assert_allclose(own.cases, counts[name], rtol=1e-9, atol=1e-10)


def test_complete_patients_tell_as_much_as_they_are(shipped):
    drawn = shipped.simulate(300, hidden=True, repeats={"vascular_histology": 2}, seed=2)
    coded = encode(
        shipped.engine.base,
        [shipped.read(r) for r in drawn.rename(columns={"diagnosis": "subtype"}).to_dict("records")],
    )
    for name, own in row_counts(shipped, coded).items():
        several = (shipped.network.rows(name) > 0).sum(axis=1) > 1
        np.testing.assert_allclose(own.informed[several], own.cases.sum(axis=1)[several], rtol=1e-9)


def test_missing_parents_take_information_away_and_never_add_it(shipped):
    drawn = shipped.simulate(300, missing=0.5, seed=3).rename(columns={"diagnosis": "subtype"})
    coded = encode(shipped.engine.base, [shipped.read(row) for row in drawn.to_dict("records")])
    told = row_counts(shipped, coded)
    for own in told.values():
        assert (own.informed <= own.cases.sum(axis=1) * (1 + 1e-12)).all()
    assert told["form"].informed.sum() < 0.9 * told["form"].cases.sum()
