"""Variable importance: the change of the log loss when each variable is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calcinosis.analysis.validate.labelled_cases import LabelledCases
from calcinosis.analysis.validate.metrics import log_scores
from calcinosis.analysis.validate.patient_weights import interval
from calcinosis.inference.network import Array

if TYPE_CHECKING:
    import pandas as pd

NOTABLE = 1e-9
"""Changes of a log score below this are rounding."""


def variable_importance(
    cases: LabelledCases,
    probabilities: Array,
    case_weights: Array,
    weights: Array,
    prevalence: Sequence[float] | None = None,
    mass: float = 0.95,
) -> pd.DataFrame:
    """One line per observed variable, the most misleading first.

    The columns: variable, label, group, patients (in whom it was observed), change (of the log loss of all patients
    when it is left out, in nats: negative if predictions are better without it), lower and upper (its interval), helped
    and misled (number of patients in whom it raised or lowered the probability of the true subtype).

    Args:
        probabilities: the predictions with every finding, axes `(patients, states)`.
        case_weights: the weight of each patient, axis `(patients,)`.
        weights: the weights of the bootstrap, axes `(draws, patients)`.

    >>> import calcinosis as cc
    >>> import numpy as np
    >>> from calcinosis.analysis.validate.labelled_cases import read_cases
    >>> cases = read_cases(cc.load(), cc.cases())
    >>> frame = variable_importance(cases, cases.probabilities(), np.ones(len(cases)), np.ones((1, len(cases))))
    >>> bool((frame["helped"] + frame["misled"] <= frame["patients"]).all())
    True
    """
    import pandas as pd

    now = log_scores(probabilities, cases.truth)
    lines = []
    for name, looked in cases.observed.items():
        if not looked.any():
            continue
        rest = cases.only(other for other in cases.findings.codes if other != name)
        change = log_scores(cases.probabilities(prevalence, rest), cases.truth) - now
        change[~looked] = 0.0
        variable = cases.model.variables[name]
        drawn = weights @ change / weights.sum(axis=1)
        lines.append(
            (
                name,
                variable.label,
                variable.group,
                int(looked.sum()),
                float(case_weights @ change / case_weights.sum()),
                *interval(drawn, mass),
                int((change > NOTABLE).sum()),
                int((change < -NOTABLE).sum()),
            )
        )
    heads = ["variable", "label", "group", "patients", "change", "lower", "upper", "helped", "misled"]
    return pd.DataFrame(lines, columns=heads).sort_values("change", kind="stable", ignore_index=True)
