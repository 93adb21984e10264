"""Which variables carry the answers, and which mislead: every one left out in turn."""

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
"""Changes of a log score below this are none."""


def variable_importance(
    cases: LabelledCases,
    probabilities: Array,
    own: Array,
    weights: Array,
    prevalence: Sequence[float] | None = None,
    mass: float = 0.95,
) -> pd.DataFrame:
    """One line per variable that was looked at in anybody, the most misleading first.

    The columns: variable, label, group, patients (in whom it was looked at), change (of the log loss of all patients
    when it is left out, in nats: below 0 the answers are better without it), lower and upper (its interval), helped and
    misled (in how many patients it raised or lowered the probability of the true subtype).

    Args:
        probabilities: the answers with every finding, axes `(patients, states)`.
        own: the weight of each patient, axis `(patients,)`.
        weights: the weights of the bootstrap, axes `(draws, patients)`.

    >>> import calcinosis as cc
    >>> import numpy as np
    >>> from calcinosis.analysis.validate.labelled_cases import read_cases
    >>> known = read_cases(cc.load(), cc.cases())
    >>> found = variable_importance(known, known.probabilities(), np.ones(len(known)), np.ones((1, len(known))))
    >>> bool((found["helped"] + found["misled"] <= found["patients"]).all())
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
                variable.label or name,
                variable.group,
                int(looked.sum()),
                float(own @ change / own.sum()),
                *interval(drawn, mass),
                int((change > NOTABLE).sum()),
                int((change < -NOTABLE).sum()),
            )
        )
    heads = ["variable", "label", "group", "patients", "change", "lower", "upper", "helped", "misled"]
    return pd.DataFrame(lines, columns=heads).sort_values("change", kind="stable", ignore_index=True)
