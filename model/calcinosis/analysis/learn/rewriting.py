"""The priors after an update: new rows with the citation of the cohort, and the table of rows that moved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.validate.labelled_cases import LabelledCases
from calcinosis.inference.engine.expected_counts import Tables
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import REPORTING, Priors, Row, Source

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Citation:
    """The citation of a cohort by rows."""

    source: Source
    name: str

    def note(self, row: Row, cases: float, informed: float) -> str:
        """The note of a row with the cohort added."""
        note = f"{self.name}: {cases:.3g} patients, equivalent to {informed:.3g} complete ones."
        return f"{row.note} {note}".strip()


def citation_of(model: Model, cases: LabelledCases, weight: float, name: str, year: str) -> Citation | None:
    """A source with a new key for a cohort; None for a network without a priors folder."""
    if model.priors is None:
        return None
    name = " ".join(name.split())
    stem = re.sub(r"\W+", "_", name.casefold()).strip("_") or "cohort"
    taken = model.priors.sources
    number = next(n for n in range(1, len(taken) + 2) if (stem if n == 1 else f"{stem}_{n}") not in taken)
    key, name = (stem, name) if number == 1 else (f"{stem}_{number}", f"{name} ({number})")
    counted = "" if weight == 1 else f", each counted {weight:g}"
    note = "Learned by 'calcinosis update'; the former rows are in updates/."
    return Citation(Source(key, "cohort", f"{name}, {len(cases):,} patients{counted}", year, "", note), name)


def rewritten(
    model: Model, tables: Tables, gained: Mapping[str, Array], citation: Citation | None, cases: Mapping[str, Array]
) -> tuple[Model, Source | None]:
    """The model with new rows where weight was gained or lost, and the source they cite."""
    weights = {v: own + gained.get(v, 0.0) for v, own in model.network.weights.items()}
    if model.priors is None:
        moved = {v: (np.flatnonzero(own), tables[v][own != 0]) for v, own in gained.items()}
        return Model(replace(model.network.with_rows(moved), weights=FrozenMap(weights))), None
    changed = dict(model.priors.tables)
    for name, own in gained.items():
        rows = list(changed[name].rows)
        for number in np.flatnonzero(own).tolist():
            probabilities, weight = tuple(tables[name][number].tolist()), float(weights[name][number])
            if model.variables[name].group == REPORTING:  # as reporting.csv is read, to the last digit
                probabilities = (1.0 - probabilities[1], probabilities[1])
            row = replace(rows[number], probabilities=probabilities, weight=weight)
            if citation is not None:
                note = citation.note(row, float(cases[name][number]), float(own[number]))
                row = replace(row, sources=(*row.sources, citation.source.key), note=note)
            rows[number] = row
        changed[name] = replace(changed[name], rows=tuple(rows))
    any_row = any(own.any() for own in gained.values())
    sources = dict(model.priors.sources)
    if citation is not None and any_row:
        sources[citation.source.key] = citation.source
    priors: Priors = replace(model.priors, tables=FrozenMap(changed), sources=FrozenMap(sources))
    after = model.with_priors(priors)
    return after, citation.source if citation is not None and any_row else None


def moved_rows(model: Model, after: Model, gained: Mapping[str, Array], cases: Mapping[str, Array]) -> pd.DataFrame:
    """The rows that moved, the farthest first."""
    import pandas as pd

    lines: list[Sequence[Any]] = []
    for name, own in gained.items():
        states = model.variables[name].state_names
        old, new = (m.network.rows(name) for m in (model, after))
        weights = [m.network.weights[name] for m in (model, after)]
        for row in np.flatnonzero(own).tolist():
            shift = new[row] - old[row]
            most = int(np.abs(shift).argmax())
            lines.append(
                (
                    name,
                    ", ".join(model.entries.givens[name][row]),
                    float(cases[name][row]),
                    float(own[row]),
                    *(float(w[row]) for w in weights),
                    float(np.abs(shift).sum() / 2),
                    states[most],
                    float(old[row, most]),
                    float(new[row, most]),
                )
            )
    heads = [
        "table",
        "given",
        "cases",
        "informed",
        "weight_before",
        "weight_after",
        "moved",
        "state",
        "before",
        "after",
    ]
    frame = pd.DataFrame(lines, columns=heads)
    farthest = frame["moved"].sort_values(ascending=False, kind="stable").index
    return frame.loc[farthest].reset_index(drop=True)
