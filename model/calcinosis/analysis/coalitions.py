"""The weights of any of a patient's findings together: each is switched on or off, as nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calcinosis.analysis.shapley import Coalitions
from calcinosis.inference.coding import Coder, Codes
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array


@dataclass(frozen=True, eq=False)
class Switches:
    """Variables that are switched between what two scenarios have of them; what both have alike stays as it is.

    `off` and `on` are the codes of each variable in `names` under the first and the second scenario.
    """

    model: Model
    coder: Coder
    names: tuple[str, ...]
    off: Mapping[str, int]
    on: Mapping[str, int]
    fixed: Mapping[str, int]

    @classmethod
    def between(cls, model: Model, first: Evidence, second: Evidence) -> Switches:
        """The switches from one scenario to another: every variable of which they have not the same."""
        coder = Coder(model.engine.base)
        codes = [{f.variable: coder.code(f.variable, f.likelihoods)[0] for f in own} for own in (first, second)]
        known = [name for name in model.variables if name in codes[0] or name in codes[1]]
        off, on = ({name: own.get(name, model.engine.base[name][()]) for name in known} for own in codes)
        names = tuple(name for name in known if off[name] != on[name])
        return cls(model, coder, names, off, on, {name: off[name] for name in known if name not in names})

    def weigh(self, coalitions: Coalitions) -> Array:
        """The joint weight of each state of the target, axes `(coalitions, states)`, where variable i of `names` is
        switched on in the coalitions that have bit i; all states of one coalition on one scale."""
        count = len(coalitions)
        codes: dict[str, Codes] = {name: np.full(count, code, dtype=np.int32) for name, code in self.fixed.items()}
        for bit, name in enumerate(self.names):
            chosen = (coalitions >> bit & 1).astype(np.int32)
            codes[name] = self.off[name] + chosen * (self.on[name] - self.off[name])
        scale = np.zeros(count, dtype=np.int64)
        return self.model.engine.weigh(self.coder.coded(count, codes, scale)).weights
