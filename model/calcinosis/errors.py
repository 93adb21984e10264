"""The errors that calcinosis raises, and the record of one mistake in a priors folder."""

from calcinosis.analysis.validate.labelled_cases import CasesError as CasesError
from calcinosis.inference.engine.impossible import ImpossibleEvidence as ImpossibleEvidence
from calcinosis.inference.entries import UnknownEntry as UnknownEntry
from calcinosis.inference.findings.reader import FindingsError as FindingsError
from calcinosis.inference.network import NetworkError as NetworkError
from calcinosis.inference.question_error import QuestionError as QuestionError
from calcinosis.knowledge.problem import PriorsError as PriorsError
from calcinosis.knowledge.problem import Problem as Problem

__all__ = [
    "CasesError",
    "FindingsError",
    "ImpossibleEvidence",
    "NetworkError",
    "PriorsError",
    "Problem",
    "QuestionError",
    "UnknownEntry",
]
