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


@pytest.mark.parametrize(
    "raised",
    [
        lambda model: model.posterior(warfarn="yes", pain="sever"),
        lambda model: model.posterior(subtype="dystrophic", form="calciphylaxis_uraemic"),
        lambda model: cc.load("nowhere"),
    ],
)
def test_an_error_comes_back_from_another_process_as_it_was(shipped, raised):
    with pytest.raises(ValueError, match=r"warfarn|impossible|nowhere") as caught:
        raised(shipped)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))


def test_evidence_of_another_model_is_refused(shipped, build):
    one = cc.Model(build("a", {"a": ("no yes", "", [0.25, 0.75])}))
    other = cc.Model(build("a", {"a": ("yes no", "", [0.75, 0.25])}))
    with pytest.raises(ValueError, match="this evidence was read by another model, with another a"):
        other.posterior(one.read(a="yes"))
    with pytest.raises(ValueError, match="another vascular_histology"):
        cc.Model.from_pgmpy(shipped.to_pgmpy(), "subtype").posterior(shipped.read(vascular_histology=["absent"] * 3))
    with pytest.raises(ValueError, match="another pain"):
        one.posterior(shipped.read(pain="severe"))


def test_the_tables_of_the_engine_cannot_be_written(shipped):
    with pytest.raises(ValueError, match="read-only"):
        shipped.engine.cliques[0].weights[:] = 0.5


def test_what_is_natural_in_python_is_understood_or_refused_in_words(shipped):
    case = cc.cases().loc["jones2023"]
    findings = case[[name for name in case.index if name in shipped.variables]]
    assert shipped.posterior(findings).leading == "dystrophic"
    assert shipped.posterior(vascular_histology=findings.loc[["vascular_histology"]]).evidence
    assert list(shipped.posterior()) == list(shipped.states)
    assert "dystrophic" in shipped.posterior()
    with pytest.raises(TypeError, match="give findings by name"):
        shipped.posterior("pain=severe")
    with pytest.raises(TypeError, match=r"frame must be a pandas.DataFrame, not dict: give one row per patient"):
        shipped.posteriors({"pain": ["severe"]})
    with pytest.raises(cc.errors.FindingsError, match="no column is a variable"):
        shipped.posteriors(cc.cases()[["hard"]])
    with pytest.raises(cc.errors.FindingsError, match="1=x: no such variable"):
        shipped.posterior({1: "x"})
