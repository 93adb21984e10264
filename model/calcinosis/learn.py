"""Tables that learn from patients with a known subtype, forget them again, and the checks before and after."""

from calcinosis.analysis.learn.cross_validation import cross_validate as cross_validate
from calcinosis.analysis.learn.update import forget as forget
from calcinosis.analysis.learn.update import update as update
from calcinosis.analysis.validate.cohort_check import check_cohort as check_cohort

__all__ = [
    "check_cohort",
    "cross_validate",
    "forget",
    "update",
]
