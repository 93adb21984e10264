"""Every figure: each function takes a result and returns the matplotlib axes it was drawn on."""

from calcinosis.interface.figures.decide import (
    actions,
    decision_curve,
    thresholds,
    utilities,
    utility_map,
    value_of_testing,
)
from calcinosis.interface.figures.findings import posterior, trajectory, waterfall, what_if
from calcinosis.interface.figures.learn import learned_rows
from calcinosis.interface.figures.sensitivity import (
    curves,
    distributions,
    tornado,
    two_way,
    variance_by_source,
    variance_by_table,
)
from calcinosis.interface.figures.validate import (
    baselines,
    calibration,
    cohort_check,
    confusion,
    roc,
    variable_importance,
)
from calcinosis.interface.figures.workup import next_test, serial_testing

__all__ = [
    "actions",
    "baselines",
    "calibration",
    "cohort_check",
    "confusion",
    "curves",
    "decision_curve",
    "distributions",
    "learned_rows",
    "next_test",
    "posterior",
    "roc",
    "serial_testing",
    "thresholds",
    "tornado",
    "trajectory",
    "two_way",
    "utilities",
    "utility_map",
    "value_of_testing",
    "variable_importance",
    "variance_by_source",
    "variance_by_table",
    "waterfall",
    "what_if",
]
