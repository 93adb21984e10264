"""Models and answers can be copied, pickled and sent to other processes, and cannot be changed in place."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

import calcinosis as cc
from calcinosis.knowledge.frozen import FrozenMap


def leading(model, pain):
    return model.posterior(pain=pain).leading


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_answers_the_same(shipped, again):
    twin = again(shipped)
    assert twin.digest == shipped.digest
    posterior = shipped.posterior(pain="severe", serum_calcium="9.1 mg/dL")
    assert twin.posterior(pain="severe", serum_calcium="9.1 mg/dL") == posterior
    assert again(posterior) == posterior
    assert hash(again(posterior)) == hash(posterior)


def test_a_model_goes_to_another_process(shipped):
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(leading, shipped, "severe").result() == leading(shipped, "severe")


def test_nothing_can_be_changed_in_place(shipped):
    posterior = shipped.posterior()
    for mapping in (shipped.variables, shipped.priors.tables, shipped.network.tables, posterior.probabilities_of):
        with pytest.raises(TypeError):
            mapping["pain"] = None
        with pytest.raises(TypeError):
            del mapping["pain"]
    with pytest.raises(AttributeError):
        shipped.network = None
    before = posterior.probabilities.to_list()
    series = posterior.probabilities
    series["dystrophic"] = 2.0
    assert posterior.probabilities.to_list() == before
    table = shipped.priors.table("pain")
    table["none"] = 2.0
    assert not shipped.priors.table("pain").equals(table)


def test_a_frozen_map_is_a_mapping():
    frozen = FrozenMap({"b": 1, "a": 2})
    assert list(frozen) == ["b", "a"]
    assert frozen == {"a": 2, "b": 1}
    assert hash(frozen) == hash(FrozenMap({"a": 2, "b": 1}))
    assert repr(frozen) == "{'b': 1, 'a': 2}"
    with pytest.raises(AttributeError, match="read-only"):
        frozen.other = 1


def test_models_are_told_apart_by_what_they_are_not_by_their_arrays():
    one, other = cc.load(), cc.load()
    assert one == one
    assert one != other
    assert one.digest == other.digest
    assert len({one, other}) == 2
