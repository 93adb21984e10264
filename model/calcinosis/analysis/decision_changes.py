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

from calcinosis.analysis.after import Shown, shown, with_results
from calcinosis.analysis.decision_problem import DecisionProblem, place_of
from calcinosis.analysis.stakes import Stakes, first_change
from calcinosis.analysis.table_functions import TableFunctions, table_functions
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import CREDIBLE
from calcinosis.knowledge.decisions import HIGHEST, LOWEST

if TYPE_CHECKING:
    import pandas as pd

Tables = dict[Shown, TableFunctions]
"""The functions of one table after each set of results."""

NONE: Shown = ()
"""No result of any test."""

ROW_COLUMNS = ["name", "label", "value", "weight", "source", "row", "at", "to"]

SAMPLES, ROUNDS = 33, 4
"""Where a row is seen in several results nothing is a straight line: at so many points a change is looked for, then as
many between the two that it lies between, so many times."""


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

        model, evidence = self.problem.model, self.problem.posterior.evidence
        network, entries = model.network, model.entries
        functions = {
            results: table_functions(network, with_results(model, evidence, dict(results)), "proportional")
            for results in self._possible
        }
        found = []
        for variable in network.tables:
            own = {results: every[variable] for results, every in functions.items()}
            if any(table.matters for table in own.values()):
                found += self._table_changes(entries.first[variable], own)
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
            for place, at, to in found
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

    @cached_property
    def _shown(self) -> tuple[tuple[Shown, ...], ...]:
        """For no test, and for every action with tests, the results of each of its outcomes."""
        model = self.problem.model
        every = [
            tuple(shown(model, looks.seen.reveals, row) for row in looks.seen.results.tolist())
            for looks in self.problem.looks
        ]
        return ((NONE,), *every)

    @cached_property
    def _possible(self) -> tuple[Shown, ...]:
        """Every set of results that may come, each once, no test before all."""
        joints = (looks.seen.joint.sum(axis=1) for looks in self.problem.looks)
        pairs = ((own, weight) for every, joint in zip(self._shown[1:], joints, strict=True)
                 for own, weight in zip(every, joint, strict=True))  # fmt: skip
        return tuple(dict.fromkeys([NONE, *(own for own, weight in pairs if weight > 0)]))

    def _table_changes(self, first: int, tables: Tables) -> list[tuple[int, float, int]]:
        """Of the entries of one table, those after whose change another action leads: place, value, action."""
        some = tables[NONE] if tables[NONE].matters else next(own for own in tables.values() if own.matters)
        found = []
        curved = any(own.measured is not None for own in tables.values())
        for end in (0, 2):
            joint = self._joint(tables, {results: own.at_knots[:, end] for results, own in tables.items()})
            share, to = first_change(self._present, self._present.with_joint(joint), self.leader)
            for entry in np.flatnonzero(to >= 0).tolist():
                start, stop = some.knots[entry, 1], some.knots[entry, end]
                if start == stop or start in (0.0, 1.0):  # what is so by definition stays so
                    continue
                if curved:
                    at, other = self._searched(tables, entry, float(start), float(stop))
                else:
                    at, other = float(start + share[entry] * (stop - start)), int(to[entry])
                found.append((first + entry, at, other))
        return found

    def _searched(self, tables: Tables, entry: int, start: float, stop: float) -> tuple[float, int]:
        """Where on the way of one entry another action comes to lead, and which, by ever closer points."""
        other = self.leader
        for _ in range(ROUNDS):
            x = np.linspace(start, stop, SAMPLES)
            values = self._present.with_joint(self._joint(tables, _moved(tables, entry, x))).utilities()
            lost = values.max(axis=1) > values[:, self.leader] + 1e-12
            place = int(lost.argmax())
            other = int(values[place].argmax())
            start, stop = x[max(place - 1, 0)], x[place]
        return float(stop), other

    def _joint(self, tables: Tables, weights: dict[Shown, Array]) -> list[Array]:
        """The probability of each outcome and state in many problems, from joint weights, axes `(problems, states)`.

        The weights of each set of results are known but for a factor, which is the one that gives the present ones.
        """
        found = []
        joints = (self.problem.states[None], *(looks.joint for looks in self.problem.looks))
        many = len(next(iter(weights.values())))
        for joint, own in zip(joints, self._shown, strict=True):
            flat = joint.reshape(-1, joint.shape[-1])
            moved = np.zeros((many, *flat.shape))
            for number, results in enumerate(own):
                if results in weights:
                    now = tables[results].at_knots[0, 1].sum()
                    moved[:, number] = weights[results] * (flat[number].sum() / now)
            found.append(moved.reshape(many, *(joint.shape if joint is not joints[0] else joint.shape[1:])))
        return found


def _moved(tables: Tables, entry: int, x: Array) -> dict[Shown, Array]:
    """The joint weights with one entry at each x, axes `(x, states)`."""
    found = {}
    for results, table in tables.items():
        knots = table.knots[entry]
        side = np.where(x > knots[1], 1, 0)
        start, stop = knots[side], knots[side + 1]
        share = np.divide(x - start, stop - start, out=np.zeros_like(x), where=stop > start)[:, None]
        rows = (1 - share) * table.rows[entry, side] + share * table.rows[entry, side + 1]
        factor = rows if table.measured is None else table.measured.likelihood(rows)
        found[results] = table.rest[entry] + factor @ table.gains[entry].T
    return found
