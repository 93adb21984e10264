"""`calcinosis diagnose`: the posterior of a patient, or of each patient in a file."""

from __future__ import annotations

from collections.abc import Mapping

from calcinosis.inference.posterior import Posterior
from calcinosis.interface.shell.question import Forms, Question, question
from calcinosis.interface.words.document import Document
from calcinosis.interface.words.posterior import diagnoses, diagnosis


@question(most=None, unique=False)
def diagnose(ask: Question) -> None:
    """Show how probable each subtype is, given a patient's findings.

    Example: calcinosis diagnose cirrhosis=yes weight_loss=yes pain=intermittent vascular_histology=absent,absent
    """

    def many(results: Mapping[str, Posterior], digest: str, most: int | None) -> Document:
        if len(results) == 1:
            return diagnosis(next(iter(results.values())))
        return diagnoses(results, digest)

    forms: Forms[Posterior] = Forms(plain=lambda result: result.to_dict(), one=diagnosis, many=many)
    ask.answer(lambda patient: patient.model.posterior(patient.evidence), forms)
