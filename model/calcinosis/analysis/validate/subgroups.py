"""Performance in subgroups: by number of findings, difficulty, subtype and setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from calcinosis.analysis.validate.labelled_cases import LabelledCases, Mask
from calcinosis.analysis.validate.metrics import brier_scores, log_scores
from calcinosis.analysis.validate.patient_weights import interval, share_interval
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.network import Array

if TYPE_CHECKING:
    import pandas as pd

NOT_GIVEN = "not given"
"""The subgroup of patients without a setting."""


def subgroups(
    cases: LabelledCases, probabilities: Array, case_weights: Array, weights: Array, mass: float
) -> pd.DataFrame:
    """One line per non-empty subgroup: by, group, patients, right, then accuracy and log_loss, each with its interval
    (_lower, _upper), and brier.

    `case_weights`, axis `(patients,)`, are the patients' weights, `weights`, axes `(draws, patients)`, those of the
    bootstrap.
    """
    import pandas as pd

    right = probabilities.argmax(axis=1) == cases.truth
    losses, squares = log_scores(probabilities, cases.truth), brier_scores(probabilities, cases.truth)
    lines = []
    for by, group, who in _groups(cases):
        if not who.any():
            continue
        share, loss, square = (float(np.average(x[who], weights=case_weights[who])) for x in (right, losses, squares))
        drawn = weights[:, who] / weights[:, who].sum(axis=1, keepdims=True)
        accuracy = share_interval(drawn @ right[who], share, int(who.sum()), mass)
        loss_interval = interval(drawn @ losses[who], mass)
        line = (by, group, int(who.sum()), int(right[who].sum()), share, *accuracy, loss, *loss_interval, square)
        lines.append(line)
    metrics = [f"{name}{end}" for name in ("accuracy", "log_loss") for end in ("", "_lower", "_upper")]
    return pd.DataFrame(lines, columns=["by", "group", "patients", "right", *metrics, "brier"])


def _groups(cases: LabelledCases) -> Iterator[tuple[str, str, Mask]]:
    """The grouping, the subgroup's label, and its members."""
    for words, who in _by_number(cases.known):
        yield "known", words, who
    if cases.hard is not None:
        yield "hard", "yes", cases.hard
        yield "hard", "no", ~cases.hard
    for number, state in enumerate(cases.model.states):
        yield "subtype", state, cases.truth == number
    for name, variable in cases.model.variables.items():
        if variable.group == "setting" and name in cases.findings.codes:
            codes = cases.findings.codes[name]
            for number, state in enumerate(variable.state_names):
                yield "setting", state, codes == number
            yield "setting", NOT_GIVEN, codes >= len(variable.states)


def _by_number(known: Codes) -> Iterator[tuple[str, Mask]]:
    """Three subgroups of about equal size, by number of findings."""
    limits = sorted({int(np.quantile(known, share, method="inverted_cdf")) for share in (1 / 3, 2 / 3, 1.0)})
    lowest = int(known.min())
    for limit in limits:
        who = (known >= lowest) & (known <= limit)
        words = f"{lowest}" if lowest == limit else f"{lowest}–{limit}"
        yield f"{words} finding{'s' if limit != 1 else ''}", who
        lowest = limit + 1
