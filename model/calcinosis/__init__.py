"""calcinosis: the posterior probabilities of the five subtypes of calcinosis cutis, given what is known of a patient.

>>> import calcinosis as cc
>>> model = cc.load()
>>> p = model.posterior(esrd="yes", warfarin="yes", pain="severe", ulceration="yes")
>>> p.leading
'calciphylaxis'

For research and teaching. Not a medical device; no advice for a patient.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""As in typing, whose import takes its time."""

if TYPE_CHECKING:
    from typing import Any

    __version__: str

    from calcinosis.analysis.decide.curve import decision_curve as decision_curve
    from calcinosis.analysis.decide.decision import decide as decide
    from calcinosis.analysis.explain.explanation import explain as explain
    from calcinosis.analysis.explain.hypothesis import weight_of_evidence as weight_of_evidence
    from calcinosis.analysis.learn.cross_validation import left_out as left_out
    from calcinosis.analysis.learn.update import forget as forget
    from calcinosis.analysis.learn.update import update as update
    from calcinosis.analysis.sensitivity.across_patients import each_patient as each_patient
    from calcinosis.analysis.sensitivity.across_patients import over_patients as over_patients
    from calcinosis.analysis.sensitivity.one_way import one_way as one_way
    from calcinosis.analysis.sensitivity.overview import sensitivity as sensitivity
    from calcinosis.analysis.sensitivity.robust import robust_bounds as robust_bounds
    from calcinosis.analysis.sensitivity.smallest_changes import smallest_changes as smallest_changes
    from calcinosis.analysis.sensitivity.two_way import two_way as two_way
    from calcinosis.analysis.sensitivity.uncertainty import uncertainty as uncertainty
    from calcinosis.analysis.validate.cohort_check import prequential as prequential
    from calcinosis.analysis.validate.labelled_cases import CasesError as CasesError
    from calcinosis.analysis.validate.validation import validate as validate
    from calcinosis.analysis.whatif.compare import compare as compare
    from calcinosis.analysis.whatif.flips import flips as flips
    from calcinosis.analysis.whatif.most_probable import most_probable_explanation as most_probable_explanation
    from calcinosis.analysis.whatif.sweep import pairs as pairs
    from calcinosis.analysis.whatif.sweep import sweep as sweep
    from calcinosis.analysis.whatif.trajectory import trajectory as trajectory
    from calcinosis.analysis.workup.ranking import next_test as next_test
    from calcinosis.analysis.workup.serial import plan as plan
    from calcinosis.inference.cases import cases as cases
    from calcinosis.inference.engine.impossible import ImpossibleEvidence as ImpossibleEvidence
    from calcinosis.inference.entries import UnknownEntry as UnknownEntry
    from calcinosis.inference.findings.evidence import Evidence as Evidence
    from calcinosis.inference.findings.evidence import Finding as Finding
    from calcinosis.inference.findings.reader import FindingsError as FindingsError
    from calcinosis.inference.intervals.weighing import weight_for as weight_for
    from calcinosis.inference.model import Model as Model
    from calcinosis.inference.model import load as load
    from calcinosis.inference.network import NetworkError as NetworkError
    from calcinosis.inference.posterior import DISCLAIMER as DISCLAIMER
    from calcinosis.inference.posterior import Posterior as Posterior
    from calcinosis.inference.question_error import QuestionError as QuestionError
    from calcinosis.interface import cohort as cohort
    from calcinosis.interface.explorer.notebook import explorer as explorer
    from calcinosis.knowledge.problem import PriorsError as PriorsError
    from calcinosis.knowledge.problem import Problem as Problem
    from calcinosis.knowledge.records import Priors as Priors

_HOMES = {
    "CasesError": "analysis.validate.labelled_cases",
    "DISCLAIMER": "inference.posterior",
    "Evidence": "inference.findings.evidence",
    "Finding": "inference.findings.evidence",
    "FindingsError": "inference.findings.reader",
    "ImpossibleEvidence": "inference.engine.impossible",
    "Model": "inference.model",
    "NetworkError": "inference.network",
    "Posterior": "inference.posterior",
    "Priors": "knowledge.records",
    "PriorsError": "knowledge.problem",
    "Problem": "knowledge.problem",
    "QuestionError": "inference.question_error",
    "UnknownEntry": "inference.entries",
    "cases": "inference.cases",
    "cohort": "interface",
    "compare": "analysis.whatif.compare",
    "decide": "analysis.decide.decision",
    "decision_curve": "analysis.decide.curve",
    "each_patient": "analysis.sensitivity.across_patients",
    "explain": "analysis.explain.explanation",
    "explorer": "interface.explorer.notebook",
    "flips": "analysis.whatif.flips",
    "forget": "analysis.learn.update",
    "left_out": "analysis.learn.cross_validation",
    "load": "inference.model",
    "most_probable_explanation": "analysis.whatif.most_probable",
    "next_test": "analysis.workup.ranking",
    "one_way": "analysis.sensitivity.one_way",
    "over_patients": "analysis.sensitivity.across_patients",
    "pairs": "analysis.whatif.sweep",
    "plan": "analysis.workup.serial",
    "prequential": "analysis.validate.cohort_check",
    "robust_bounds": "analysis.sensitivity.robust",
    "sensitivity": "analysis.sensitivity.overview",
    "smallest_changes": "analysis.sensitivity.smallest_changes",
    "sweep": "analysis.whatif.sweep",
    "trajectory": "analysis.whatif.trajectory",
    "two_way": "analysis.sensitivity.two_way",
    "uncertainty": "analysis.sensitivity.uncertainty",
    "update": "analysis.learn.update",
    "validate": "analysis.validate.validation",
    "weight_for": "inference.intervals.weighing",
    "weight_of_evidence": "analysis.explain.hypothesis",
}
"""The public names, each with the module it lives in: looked up at first use, so that importing costs nothing."""

_MODULES = ("cohort",)
"""Those of them that are modules."""

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604 - the keys are the names


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("calcinosis")
    if name not in _HOMES:
        raise AttributeError(f"calcinosis has no {name!r}; its public names are {', '.join(_HOMES)}")
    home = f"calcinosis.{_HOMES[name]}"
    return import_module(f"{home}.{name}") if name in _MODULES else getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
