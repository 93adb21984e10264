"""The public names are pinned, and every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import calcinosis as cc

PUBLIC = {
    "": "DISCLAIMER Evidence Finding Model Posterior Priors __version__ cases cohort compare decide decision_curve "
    "errors explain explorer learn load next_test plot sensitivity serial_testing validate weight_for "
    "weight_of_evidence whatif",
    "cohort": "Summary answer_schema on_cluster run score score_batch",
    "errors": "CasesError FindingsError ImpossibleEvidence NetworkError PriorsError Problem QuestionError UnknownEntry",
    "learn": "check_cohort cross_validate forget update",
    "plot": "actions baselines calibration cohort_check confusion curves decision_curve distributions learned_rows "
    "next_test posterior roc serial_testing thresholds tornado trajectory two_way utilities utility_map "
    "value_of_testing variable_importance variance_by_source variance_by_table waterfall what_if",
    "sensitivity": "across_patients each_patient one_way overview robust_bounds smallest_changes two_way uncertainty",
    "whatif": "compare flips most_probable pairs sweep trajectory",
}
MODULES = sorted(m.name for m in pkgutil.walk_packages(cc.__path__, "calcinosis."))


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_these(module):
    here = getattr(cc, module) if module else cc
    assert set(here.__all__) == set(PUBLIC[module].split())
    for name in here.__all__:
        assert getattr(here, name) is not None


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(AttributeError, match="calcinosis has no 'diagnose': its public names are"):
        _ = cc.diagnose
    with pytest.raises(AttributeError, match=r"calcinosis has no 'QuestionError': errors are in calcinosis\.errors"):
        _ = cc.QuestionError


@pytest.mark.parametrize("name", cc._MOVED)
def test_a_former_name_says_the_present_one(name):
    with pytest.raises(AttributeError, match=rf"calcinosis\.{name} is now calcinosis\.\w") as caught:
        getattr(cc, name)
    module, _, function = str(caught.value).split()[-1].removeprefix("calcinosis.").rpartition(".")
    assert function in PUBLIC[module].split()


@pytest.mark.docs
def test_the_examples_in_docstrings_run():
    results = {name: doctest.testmod(importlib.import_module(name)) for name in ["calcinosis", *MODULES]}
    assert not [name for name, result in results.items() if result.failed]
    assert sum(result.attempted for result in results.values()) > 0


def test_every_module_class_and_public_function_has_a_docstring():
    missing = []
    for name in ["calcinosis", *MODULES]:
        module = importlib.import_module(name)
        public = {
            f"{name}.{key}": value
            for key, value in vars(module).items()
            if not key.startswith("_") and getattr(value, "__module__", None) == name and callable(value)
        }
        missing += [place for place, value in {name: module, **public}.items() if not value.__doc__]
    assert not missing, "\n".join(missing)
