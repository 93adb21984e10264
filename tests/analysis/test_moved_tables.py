"""Rows moved beside many sets of results at once: the weights are those of a network with that row, asked anew."""

from itertools import product

import numpy as np
from hypothesis import assume, event, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.analysis.decide.moved_tables import moved_tables
from calcinosis.analysis.workup.results import shown, with_results


def asked(model, evidence):
    """The posterior; None where the evidence is impossible."""
    try:
        return model.posterior(evidence)
    except cc.errors.ImpossibleEvidence:
        return None


@examples(80)
@given(data=st.data())
def test_each_set_of_results_is_weighed_as_asked_anew(networks, data):
    model = cc.Model(data.draw(networks))
    names = [name for name in model.variables if name != model.target]
    assume(names)
    known = [name for name in names if data.draw(st.booleans())]
    evidence = model.read({name: data.draw(st.sampled_from(model.variables[name].state_names)) for name in known})
    looked = [name for name in names if name not in known or model.variables[name].repeatable][:3]
    looked += [name for name in looked[:1] if model.variables[name].repeatable]
    codes = product(*(range(len(model.variables[name].states)) for name in looked))
    sets = {shown(model, looked, row) for row in codes}
    every = [with_results(model, evidence, dict(own)) for own in sorted(sets)]
    present = [(own, found) for own in every if (found := asked(model, own)) is not None]
    assume(present)
    event(f"{len(present)} sets of {len(looked)} looks, repeated: {len(set(looked)) < len(looked)}")
    tables = moved_tables(model.network, [own for own, _ in present])
    table = data.draw(st.sampled_from(tables))
    entry = data.draw(st.integers(0, len(table.numbers) - 1))
    share, end = data.draw(st.floats(0, 1)), data.draw(st.sampled_from([0, 2]))
    row = (1 - share) * table.moved[entry, 1] + share * table.moved[entry, end]
    both = table.weights(np.array([entry]), np.stack([table.moved[entry, 1], row])[None])[0]
    number = table.numbers[entry] // len(row)
    other = cc.Model(model.network.with_rows({table.variable: (np.array([number]), row[None])}))
    for place, (own, before_it) in enumerate(present):
        now, then = both[:, place] / both[0, place].sum()
        np.testing.assert_allclose(now, before_it.probabilities, rtol=0, atol=1e-12)
        found = asked(other, own)
        expected = 0.0 if found is None else np.exp(found.log_evidence - before_it.log_evidence) * found.probabilities
        np.testing.assert_allclose(then, expected, rtol=1e-10, atol=1e-12)
