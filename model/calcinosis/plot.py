"""Every figure: each function takes a result and returns the matplotlib axes it was drawn on."""

from calcinosis.interface.figures.decide import action_plot as actions
from calcinosis.interface.figures.decide import decision_curve_plot as decision_curve
from calcinosis.interface.figures.decide import threshold_plot as thresholds
from calcinosis.interface.figures.decide import utilities_plot as utilities
from calcinosis.interface.figures.decide import utility_map_plot as utility_map
from calcinosis.interface.figures.decide import worth_of_testing as value_of_testing
from calcinosis.interface.figures.findings import trajectory as trajectory
from calcinosis.interface.figures.findings import waterfall as waterfall
from calcinosis.interface.figures.findings import what_if_map as what_if
from calcinosis.interface.figures.learn import moved_plot as learned_rows
from calcinosis.interface.figures.sensitivity import curves as curves
from calcinosis.interface.figures.sensitivity import distributions as distributions
from calcinosis.interface.figures.sensitivity import tornado as tornado
from calcinosis.interface.figures.sensitivity import two_way_map as two_way
from calcinosis.interface.figures.sensitivity import variance_by_source as variance_by_source
from calcinosis.interface.figures.sensitivity import variance_by_table as variance_by_table
from calcinosis.interface.figures.validate import baseline_plot as baselines
from calcinosis.interface.figures.validate import calibration_plot as calibration
from calcinosis.interface.figures.validate import confusion_plot as confusion
from calcinosis.interface.figures.validate import fit_plot as cohort_check
from calcinosis.interface.figures.validate import roc_plot as roc
from calcinosis.interface.figures.validate import variables_plot as variable_importance
from calcinosis.interface.figures.workup import next_test_bars as next_test
from calcinosis.interface.figures.workup import plan_tree as serial_testing

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
