"""Other findings: the posterior after each change, the fewest changes, two scenarios, the work-up in order."""

from calcinosis.analysis.whatif.compare import compare as compare
from calcinosis.analysis.whatif.flips import flips as flips
from calcinosis.analysis.whatif.most_probable import most_probable as most_probable
from calcinosis.analysis.whatif.sweep import pairs as pairs
from calcinosis.analysis.whatif.sweep import sweep as sweep
from calcinosis.analysis.whatif.trajectory import trajectory as trajectory

__all__ = [
    "compare",
    "flips",
    "most_probable",
    "pairs",
    "sweep",
    "trajectory",
]
