"""calcinosis: the posterior probabilities of the five subtypes of calcinosis cutis, given a patient's findings.

>>> import calcinosis as cc
>>> model = cc.load()
>>> p = model.posterior(esrd="yes", warfarin="yes", pain="severe", ulceration="yes")
>>> p.leading
'calciphylaxis'

The questions with one answer are here; the others are in modules: `cc.whatif`, `cc.sensitivity`, `cc.learn`,
`cc.cohort`, `cc.plot`, `cc.errors`.

For research and teaching. Not a medical device; not medical advice.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""As in typing, whose import takes its time."""

if TYPE_CHECKING:
    from typing import Any

    __version__: str

    from calcinosis import cohort as cohort
    from calcinosis import errors as errors
    from calcinosis import learn as learn
    from calcinosis import plot as plot
    from calcinosis import sensitivity as sensitivity
    from calcinosis import whatif as whatif
    from calcinosis.analysis.decide.curve import decision_curve as decision_curve
    from calcinosis.analysis.decide.decision import decide as decide
    from calcinosis.analysis.explain.explanation import explain as explain
    from calcinosis.analysis.explain.hypothesis import weight_of_evidence as weight_of_evidence
    from calcinosis.analysis.validate.validation import validate as validate
    from calcinosis.analysis.whatif.models import compare as compare
    from calcinosis.analysis.workup.ranking import next_test as next_test
    from calcinosis.analysis.workup.serial import serial_testing as serial_testing
    from calcinosis.inference.cases import cases as cases
    from calcinosis.inference.findings.evidence import Evidence as Evidence
    from calcinosis.inference.findings.evidence import Finding as Finding
    from calcinosis.inference.intervals.weighing import weight_for as weight_for
    from calcinosis.inference.model import Model as Model
    from calcinosis.inference.model import load as load
    from calcinosis.inference.posterior import DISCLAIMER as DISCLAIMER
    from calcinosis.inference.posterior import Posterior as Posterior
    from calcinosis.interface.explorer.notebook import explorer as explorer
    from calcinosis.knowledge.records import Priors as Priors

_HOMES = {
    "DISCLAIMER": "inference.posterior",
    "Evidence": "inference.findings.evidence",
    "Finding": "inference.findings.evidence",
    "Model": "inference.model",
    "Posterior": "inference.posterior",
    "Priors": "knowledge.records",
    "cases": "inference.cases",
    "compare": "analysis.whatif.models",
    "decide": "analysis.decide.decision",
    "decision_curve": "analysis.decide.curve",
    "explain": "analysis.explain.explanation",
    "explorer": "interface.explorer.notebook",
    "load": "inference.model",
    "next_test": "analysis.workup.ranking",
    "serial_testing": "analysis.workup.serial",
    "validate": "analysis.validate.validation",
    "weight_for": "inference.intervals.weighing",
    "weight_of_evidence": "analysis.explain.hypothesis",
}
"""The public names, each with the module that defines it: imported at first use, so that importing costs nothing."""

_MODULES = ("cohort", "errors", "learn", "plot", "sensitivity", "whatif")
"""The public modules."""

_MOVED = {
    "each_patient": "sensitivity.each_patient",
    "flips": "whatif.flips",
    "forget": "learn.forget",
    "left_out": "learn.cross_validate",
    "most_probable_explanation": "whatif.most_probable",
    "one_way": "sensitivity.one_way",
    "over_patients": "sensitivity.across_patients",
    "pairs": "whatif.pairs",
    "plan": "serial_testing",
    "prequential": "learn.check_cohort",
    "robust_bounds": "sensitivity.robust_bounds",
    "smallest_changes": "sensitivity.smallest_changes",
    "sweep": "whatif.sweep",
    "trajectory": "whatif.trajectory",
    "two_way": "sensitivity.two_way",
    "uncertainty": "sensitivity.uncertainty",
    "update": "learn.update",
}
"""Former names, each with the present one."""

__all__ = [*_HOMES, *_MODULES, "__version__"]  # noqa: PLE0604 - the keys are the names


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("calcinosis")
    if name in _MODULES:
        return import_module(f"calcinosis.{name}")
    if name in _HOMES:
        return getattr(import_module(f"calcinosis.{_HOMES[name]}"), name)
    if name in _MOVED:
        raise AttributeError(f"calcinosis.{name} is now calcinosis.{_MOVED[name]}")
    if name.endswith("Error") or name in ("ImpossibleEvidence", "Problem", "UnknownEntry"):
        raise AttributeError(f"calcinosis has no {name!r}: errors are in calcinosis.errors")
    raise AttributeError(f"calcinosis has no {name!r}: its public names are {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
