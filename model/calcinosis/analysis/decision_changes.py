"""What would have to change, and by how much, for another action to lead: one utility, or one row, at a time.

The rest of a row moves with an entry in proportion. Each of them changes the value of any fixed strategy along a
straight line, so the change is the crossing of two lines, computed for all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decision_problem import DecisionProblem, place_of
from calcinosis.analysis.moved_rows import MovedRows
from calcinosis.analysis.stakes import Stakes, first_change
from calcinosis.inference.posterior import CREDIBLE
from calcinosis.knowledge.decisions import HIGHEST, LOWEST

if TYPE_CHECKING:
    import pandas as pd

ROW_COLUMNS = ["name", "label", "value", "weight", "source", "row", "at", "to"]


@dataclass(frozen=True, eq=False)
class DecisionChanges:
    """The single changes after which another action leads.

    The tables have one line per thing that can be changed and action that comes to lead by it: name, label, value (as
    it is), at (from where on another action leads), change (at − value), to (that action's name) and to_label. Those of
    rows also have lower and upper, the interval of the entry by the weight of its row, likely (whether `at` lies
    within), weight and source.
    """

    problem: DecisionProblem
    leader: int

    @cached_property
    def utilities(self) -> pd.DataFrame:
        """The utilities, from 0 to 100 points; the smallest change first."""
        import pandas as pd

        problem = self.problem
        many = len(problem.items)
        ends = np.tile(problem.values, (2 * many, 1))
        for side, end in enumerate((LOWEST, HIGHEST)):
            ends[np.arange(many) + side * many, np.arange(many)] = end
        share, to = first_change(self._present, Stakes.of(problem, ends), self.leader)
        lines = [
            {
                "name": item.name,
                "label": item.label,
                "value": float(problem.values[number]),
                "at": float(problem.values[number] + share[place] * (end - problem.values[number])),
                "to": to[place],
            }
            for side, end in enumerate((LOWEST, HIGHEST))
            for number, item in enumerate(problem.items)
            for place in [number + side * many]
            if to[place] >= 0
        ]
        return self._told(pd.DataFrame(lines, columns=["name", "label", "value", "at", "to"]))

    @cached_property
    def responses(self) -> pd.DataFrame:
        """The rows of responses.csv and harms.csv, from 0 to 1; those that are likely first, then the smallest change.

        A name reads like an entry of the tables: `improved@iv_sts,dystrophic`.
        """
        import pandas as pd

        entries = list(self._entries())
        parts = np.stack([parts for entry in entries for parts, _ in entry["ends"]])
        harms = np.stack([harms for entry in entries for _, harms in entry["ends"]])
        share, to = first_change(
            self._present, Stakes.made(self.problem, parts, harms, self.problem.values[None]), self.leader
        )
        lines = [
            {key: value for key, value in entry.items() if key != "ends"}
            | {"at": entry["value"] + float(share[place]) * (end - entry["value"]), "to": to[place]}
            for number, entry in enumerate(entries)
            for side, end in enumerate((0.0, 1.0))
            for place in [2 * number + side]
            if to[place] >= 0
        ]
        return self._told(pd.DataFrame(lines, columns=ROW_COLUMNS))

    @cached_property
    def tables(self) -> pd.DataFrame:
        """The rows of the network's tables: per row and action that comes to lead the entry with the smallest change,
        those that are likely first.

        Every result of every test on offer is computed anew with each entry moved, which takes a tenth of a second.
        """
        import pandas as pd

        entries = self.problem.model.entries
        frame = entries.frame
        lines = [
            {
                "name": frame["entry"].iat[place],
                "label": frame["table"].iat[place],
                "value": float(entries.values[place]),
                "weight": float(entries.weights[place]),
                "source": frame["source"].iat[place] if "source" in frame else "",
                "at": at,
                "to": to,
                "row": int(entries.rows[place]),
            }
            for place, at, to in MovedRows(self.problem, self.leader).changes()
        ]
        return self._told(pd.DataFrame(lines, columns=ROW_COLUMNS))

    @cached_property
    def _present(self) -> Stakes:
        return Stakes.of(self.problem)

    def _told(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The lines with change, interval and labels, in order."""
        actions = self.problem.actions
        frame = frame.copy()
        frame["change"] = frame["at"] - frame["value"]
        frame["to_label"] = [actions[int(number)].label for number in frame["to"]]
        frame["to"] = [actions[int(number)].name for number in frame["to"]]
        by = ["size"]
        if "weight" in frame:
            from scipy.special import betaincinv

            tail = (1 - CREDIBLE) / 2
            value, weight = frame["value"].to_numpy(float), frame["weight"].to_numpy(float)
            open_ = (value > 0) & (value < 1)
            a, b = np.where(open_, value * weight, 1.0), np.where(open_, (1 - value) * weight, 1.0)
            frame["lower"] = np.where(open_, betaincinv(a, b, tail), value)
            frame["upper"] = np.where(open_, betaincinv(a, b, 1 - tail), value)
            frame["likely"] = (frame["at"] >= frame["lower"]) & (frame["at"] <= frame["upper"])
            by = ["unlikely", "size"]
            frame["unlikely"] = ~frame["likely"].astype(bool)
        frame["size"] = frame["change"].abs()
        frame = frame.sort_values(by, kind="stable")
        if "row" in frame:  # what one entry of a row gains the others lose: the same change, told once
            frame = frame.drop_duplicates(["row", "to"]).drop(columns="row")
        return frame.drop(columns=by).reset_index(drop=True)

    def _entries(self) -> Sequence[dict[str, Any]]:
        """Every entry of the responses and harms of the treatments on offer, with the parts and harms at its ends."""
        problem = self.problem
        states, items = problem.model.states, problem.items
        names = [action.name for action in problem.treatments]
        found: list[dict[str, Any]] = []
        for row in problem.decisions.responses:
            own = [names.index(name) for name in row.actions if name in names]
            state = states.index(row.subtype)
            places = [place_of(items, outcome, row.subtype) for outcome in problem.decisions.outcomes]
            for number, outcome in enumerate(problem.decisions.outcomes):
                value = row.probabilities[number]
                if not own or value >= 1:
                    continue
                ends = []
                for end in (0.0, 1.0):
                    moved = np.array(row.probabilities) * (1 - end) / (1 - value)
                    moved[number] = end
                    parts = problem.parts.copy()
                    for treatment in own:
                        np.add.at(parts[treatment, state], places, moved - row.probabilities)
                    ends.append((parts, problem.harms))
                name = f"{outcome}@{';'.join(row.actions)},{row.subtype}"
                label = items[places[number]].label
                found.append(
                    {"name": name, "label": label, "value": value, "weight": row.weight, "row": f"response {row.line}"}
                    | {"source": ";".join(row.sources), "ends": ends}
                )
        for harm in problem.decisions.harms:
            own = [names.index(name) for name in harm.actions if name in names]
            if not own or harm.probability >= 1:
                continue
            ends = []
            for end in (0.0, 1.0):
                change = np.zeros_like(problem.harms)
                for number, name in enumerate(states):
                    change[own, number, place_of(items, harm.harm, name)] = harm.probability - end
                ends.append((problem.parts + change, problem.harms + change))
            label = items[place_of(items, harm.harm, states[0])].label
            found.append(
                {"name": f"{harm.harm}@{';'.join(harm.actions)}", "label": label, "value": harm.probability}
                | {"weight": harm.weight, "source": ";".join(harm.sources), "row": f"harm {harm.line}", "ends": ends}
            )
        return found
