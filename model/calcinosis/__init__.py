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

    from calcinosis.analysis.changes import smallest_changes as smallest_changes
    from calcinosis.analysis.compare import compare as compare
    from calcinosis.analysis.decide import decide as decide
    from calcinosis.analysis.decision_curve import decision_curve as decision_curve
    from calcinosis.analysis.diagnosed import CasesError as CasesError
    from calcinosis.analysis.explanation import explain as explain
    from calcinosis.analysis.flips import flips as flips
    from calcinosis.analysis.hypothesis import weight_of_evidence as weight_of_evidence
    from calcinosis.analysis.learning import forget as forget
    from calcinosis.analysis.learning import update as update
    from calcinosis.analysis.left_out import left_out as left_out
    from calcinosis.analysis.next_test import next_test as next_test
    from calcinosis.analysis.one_way import one_way as one_way
    from calcinosis.analysis.over_patients import each_patient as each_patient
    from calcinosis.analysis.over_patients import over_patients as over_patients
    from calcinosis.analysis.plan import plan as plan
    from calcinosis.analysis.prequential import prequential as prequential
    from calcinosis.analysis.robust import robust_bounds as robust_bounds
    from calcinosis.analysis.sensitivity import sensitivity as sensitivity
    from calcinosis.analysis.trajectory import trajectory as trajectory
    from calcinosis.analysis.two_way import two_way as two_way
    from calcinosis.analysis.uncertainty import uncertainty as uncertainty
    from calcinosis.analysis.validation import validate as validate
    from calcinosis.analysis.what_if import pairs as pairs
    from calcinosis.analysis.what_if import sweep as sweep
    from calcinosis.inference.cases import cases as cases
    from calcinosis.inference.entries import UnknownEntry as UnknownEntry
    from calcinosis.inference.evidence import Evidence as Evidence
    from calcinosis.inference.evidence import Finding as Finding
    from calcinosis.inference.findings import FindingsError as FindingsError
    from calcinosis.inference.impossible import ImpossibleEvidence as ImpossibleEvidence
    from calcinosis.inference.model import Model as Model
    from calcinosis.inference.model import load as load
    from calcinosis.inference.most_probable import most_probable_explanation as most_probable_explanation
    from calcinosis.inference.network import NetworkError as NetworkError
    from calcinosis.inference.posterior import DISCLAIMER as DISCLAIMER
    from calcinosis.inference.posterior import Posterior as Posterior
    from calcinosis.inference.question_error import QuestionError as QuestionError
    from calcinosis.inference.weighing import weight_for as weight_for
    from calcinosis.interface import cohort as cohort
    from calcinosis.interface.explorer.notebook import explorer as explorer
    from calcinosis.knowledge.problem import PriorsError as PriorsError
    from calcinosis.knowledge.problem import Problem as Problem
    from calcinosis.knowledge.records import Priors as Priors

_HOMES = {
    "CasesError": "analysis.diagnosed",
    "DISCLAIMER": "inference.posterior",
    "Evidence": "inference.evidence",
    "Finding": "inference.evidence",
    "FindingsError": "inference.findings",
    "ImpossibleEvidence": "inference.impossible",
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
    "compare": "analysis.compare",
    "decide": "analysis.decide",
    "decision_curve": "analysis.decision_curve",
    "each_patient": "analysis.over_patients",
    "explain": "analysis.explanation",
    "explorer": "interface.explorer.notebook",
    "flips": "analysis.flips",
    "forget": "analysis.learning",
    "left_out": "analysis.left_out",
    "load": "inference.model",
    "most_probable_explanation": "inference.most_probable",
    "next_test": "analysis.next_test",
    "one_way": "analysis.one_way",
    "over_patients": "analysis.over_patients",
    "pairs": "analysis.what_if",
    "plan": "analysis.plan",
    "prequential": "analysis.prequential",
    "robust_bounds": "analysis.robust",
    "sensitivity": "analysis.sensitivity",
    "smallest_changes": "analysis.changes",
    "sweep": "analysis.what_if",
    "trajectory": "analysis.trajectory",
    "two_way": "analysis.two_way",
    "uncertainty": "analysis.uncertainty",
    "update": "analysis.learning",
    "validate": "analysis.validation",
    "weight_for": "inference.weighing",
    "weight_of_evidence": "analysis.hypothesis",
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
