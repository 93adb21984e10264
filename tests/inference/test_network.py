"""A network exists only if its tables fit its variables: what is refused, and in which words."""

from dataclasses import replace

import numpy as np
import pytest

import calcinosis as cc

TWO = {"cause": ("no yes", "", [0.5, 0.5]), "effect": ("no yes", "cause", [[0.9, 0.1], [0.2, 0.8]])}


def refusal(build, target="effect", repeatable=(), **changed):
    with pytest.raises(cc.errors.NetworkError) as caught:
        build(target, TWO | changed, repeatable)
    return str(caught.value)


@pytest.mark.parametrize("row", [[0.5, 0.495], [0.5, 0.50001]])
def test_rows_that_do_not_sum_to_one(build, row):
    told = f"the table of cause has probabilities that sum to {sum(row):.6g}, not to 1"
    assert refusal(build, cause=("no yes", "", row)) == told


@pytest.mark.parametrize("row", [[np.nan, 1.0], [-0.5, 1.5], [np.inf, 0.0]])
def test_values_that_are_no_probabilities(build, row):
    told = "the table of cause holds values that are not probabilities"
    assert refusal(build, cause=("no yes", "", row)) == told


def test_a_target_that_is_not_there(build):
    assert refusal(build, "efect") == "no variable 'efect': the target must be one of cause, effect"


def test_arrows_in_a_circle(build):
    told = refusal(build, cause=("no yes", "effect", [[0.9, 0.1], [0.2, 0.8]]))
    assert told == "the arrows run in a circle: cause → effect → cause"


def test_a_table_that_does_not_fit_its_states(build):
    network = build("effect", TWO)
    tables = {**network.tables, "cause": np.array([0.2, 0.3, 0.5])}
    with pytest.raises(cc.errors.NetworkError) as caught:
        replace(network, tables=tables)
    assert str(caught.value) == "the table of cause has shape (3,), its parents and states make (2,)"


def test_a_repeatable_variable_must_be_a_leaf(build):
    """Two results are two looks at what the parents say; a child would have to choose between them."""
    assert "cause" in refusal(build, repeatable=["cause"])


def test_a_repeatable_variable_cannot_be_the_target(build):
    """It has as many values as it was measured, so there is no one posterior of it."""
    assert "effect" in refusal(build, repeatable=["effect"])


def test_thirds_in_six_digits_are_meant_as_thirds(build):
    model = cc.Model(build("kind", {"kind": ("a b c", "", [0.333333] * 3)}))
    assert model.posterior()["a"] == pytest.approx(1 / 3, abs=1e-16)
    assert model.posterior().log_evidence == pytest.approx(0, abs=1e-15)


def test_a_network_made_of_the_tables_of_another_is_the_same_to_the_last_bit(build):
    rng = np.random.default_rng(7)
    rows = rng.dirichlet([1.0, 1.0, 1.0], size=500)
    network = build(
        "leaf", {"root": (" ".join(map(str, range(500))), "", [1 / 500] * 500), "leaf": ("a b c", "root", rows)}
    )
    again = replace(network)
    assert all(np.array_equal(again.tables[name], network.tables[name]) for name in network.tables)
    assert again.digest == network.digest


def test_its_tables_cannot_be_written(build):
    network = build("effect", TWO)
    with pytest.raises(ValueError, match="read-only"):
        network.tables["cause"][0] = 1.0
    with pytest.raises(TypeError):
        network.tables["cause"] = np.array([1.0, 0.0])


@pytest.mark.slow
def test_a_network_too_tightly_knit_for_memory_is_refused_in_words(build):
    """Fifty causes with one effect in common, each two of which share another: no table of them fits anywhere."""
    causes = [f"cause{i:02d}" for i in range(50)]
    tables = {name: ("no yes", "", [0.5, 0.5]) for name in causes}
    for i, one in enumerate(causes):
        for other in causes[i + 1 :]:
            tables[f"{one}_{other}"] = ("no yes", f"{one} {other}", [[0.9, 0.1]] * 4)
    with pytest.raises(cc.errors.NetworkError, match="too tightly knit for exact inference: summing out cause"):
        cc.Model(build(causes[0], tables)).posterior()
