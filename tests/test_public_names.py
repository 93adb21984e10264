"""The public names are pinned, and every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import calcinosis as cc

PUBLIC = {
    "CasesError", "DISCLAIMER", "Evidence", "Finding", "FindingsError", "ImpossibleEvidence", "Model",
    "NetworkError", "Posterior", "Priors", "PriorsError", "Problem", "QuestionError", "UnknownEntry", "__version__",
    "cases", "cohort", "compare", "decide", "decision_curve", "each_patient", "explain", "explorer", "flips", "forget",
    "left_out", "load",
    "most_probable_explanation", "next_test", "one_way", "over_patients", "pairs", "plan", "prequential",
    "robust_bounds", "sensitivity", "smallest_changes", "sweep", "trajectory", "two_way", "uncertainty", "update",
    "validate", "weight_for", "weight_of_evidence",
}  # fmt: skip
MODULES = sorted(m.name for m in pkgutil.walk_packages(cc.__path__, "calcinosis."))


def test_the_public_names_are_these():
    assert set(cc.__all__) == PUBLIC
    assert set(dir(cc)) == PUBLIC
    for name in PUBLIC:
        assert getattr(cc, name) is not None


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(AttributeError, match="calcinosis has no 'diagnose'; its public names are"):
        _ = cc.diagnose


@pytest.mark.parametrize("name", ["calcinosis", *MODULES])
def test_the_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", ["calcinosis", *MODULES])
def test_every_module_class_and_public_function_says_what_it_is(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for key, value in vars(module).items():
        if not key.startswith("_") and getattr(value, "__module__", None) == name and callable(value):
            assert value.__doc__, f"{name}.{key}"
