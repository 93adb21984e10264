"""How much an answer depends on the tables: one entry, two entries, the smallest changes, all rows at once."""

from calcinosis.analysis.sensitivity.across_patients import across_patients as across_patients
from calcinosis.analysis.sensitivity.across_patients import each_patient as each_patient
from calcinosis.analysis.sensitivity.one_way import one_way as one_way
from calcinosis.analysis.sensitivity.overview import overview as overview
from calcinosis.analysis.sensitivity.robust import robust_bounds as robust_bounds
from calcinosis.analysis.sensitivity.smallest_changes import smallest_changes as smallest_changes
from calcinosis.analysis.sensitivity.two_way import two_way as two_way
from calcinosis.analysis.sensitivity.uncertainty import uncertainty as uncertainty

__all__ = [
    "across_patients",
    "each_patient",
    "one_way",
    "overview",
    "robust_bounds",
    "smallest_changes",
    "two_way",
    "uncertainty",
]
