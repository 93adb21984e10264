"""The tables of a model: imported, exported, changed and sampled from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Self

import numpy as np

from calcinosis.inference.entries import Entries
from calcinosis.inference.network import Network
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.reading import ReadingModel
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.contexts import ANY
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import ASKED, MENTIONED

if TYPE_CHECKING:
    import pandas as pd
    from pgmpy.models import DiscreteBayesianNetwork

    from calcinosis.inference.simulate.missingness import Missing
    from calcinosis.inference.streams import Seed


@dataclass(frozen=True, eq=False)
class TableModel(ReadingModel):
    """The part of a model that reads, writes, changes and samples its tables."""

    @classmethod
    @checked
    def from_pgmpy(cls, network: DiscreteBayesianNetwork, target: str, weight: float | None = None) -> Self:
        """The model of a pgmpy network.

        Args:
            network: the pgmpy object, with a table (CPD) for each node.
            target: the variable whose posterior is wanted.
            weight: as in `from_file`.

        Raises:
            NetworkError: if a table is missing or is not a conditional probability distribution.
        """
        from calcinosis.inference.pgmpy_bridge import from_pgmpy

        return cls(_weighing(from_pgmpy(network, target), weight))

    @classmethod
    @checked
    def from_file(cls, path: str | os.PathLike[str], target: str, weight: float | None = None) -> Self:
        """The model of a network file.

        Args:
            path: a BIF, XMLBIF, XDSL or NET file, recognised by its extension; it may be gzipped (.gz).
            target: the variable whose posterior is wanted.
            weight: the equivalent sample size of every row. These formats do not store it, and without it there are
                no credible intervals.

        Raises:
            NetworkError: if the file cannot be read as such a network, or a table is not a conditional probability
                distribution.
        """
        from calcinosis.inference.pgmpy_bridge import read_file

        return cls(_weighing(read_file(path, target), weight))

    def to_pgmpy(self) -> DiscreteBayesianNetwork:
        """The same network as a pgmpy object. A repeatable variable becomes one node, for a single result."""
        from calcinosis.inference.pgmpy_bridge import to_pgmpy

        return to_pgmpy(self.network)

    @cached_property
    def entries(self) -> Entries:
        """The entries of the tables, by name."""
        return Entries(self.network, self.priors)

    @checked
    def simulate(
        self,
        patients: int,
        *,
        missing: Missing = 0.0,
        repeats: Mapping[str, int] | None = None,
        numbers: bool = False,
        hidden: bool = False,
        seed: Seed = None,
    ) -> pd.DataFrame:
        """Patients simulated from the network, one row per patient: the diagnosis, then every finding.

        The column `diagnosis` holds the true state of the target and is never missing; if a variable has that name,
        the column is `true_<target>`. The other columns are the variables in order, as categories, NaN where missing.
        `posteriors` accepts the frame and ignores the diagnosis. The same seed draws the same patients, whichever of
        their findings are shown. From a `recorded` model, a cell is also NaN where the record does not mention the
        variable.

        Args:
            patients: the number of rows, 0 or more.
            missing: the share (0 to 1) of every variable that is missing completely at random; or shares by variable,
                0 for the others; or a DataFrame: each patient takes the missingness pattern of a random row of it, and
                variables that are not among its columns are missing for all.
            repeats: the number of results of each repeatable variable, 1 by default. Several results make cells such
                as `absent,absent`; they are independent given the states of the variable's parents.
            numbers: report variables with bands as numbers, in columns such as `serum_calcium (mg/dL)`: uniform over
                the printed values in the band of the sampled state. This is a convenience, not the distribution of
                values in patients. Repeated results stay words, and so do missing ones whose silence would count.
            hidden: include variables of the group hidden; `missing` applies to them too.
            seed: anything `numpy.random.default_rng` takes; None gives different patients each time.

        Raises:
            ValueError: for shares outside 0 to 1, unknown variables, or repeats of a variable that is not repeatable.
            FindingsError: for a heading of the DataFrame that looks misspelled.

        >>> import calcinosis as cc
        >>> model = cc.load()
        >>> patients = model.simulate(1000, missing=0.3, seed=1)
        >>> patients.columns[0], patients["diagnosis"].cat.categories.to_list() == list(model.states)
        ('diagnosis', True)
        >>> set(model.posteriors(patients)["status"])
        {'ok'}
        """
        import pandas as pd

        from calcinosis.inference.simulate.simulation import simulate_blocks

        blocks = simulate_blocks(
            self.network, patients, missing=missing, repeats=repeats, numbers=numbers, hidden=hidden, seed=seed
        )
        return pd.concat(blocks)

    @checked
    def with_tables(self, tables: Mapping[str, pd.DataFrame]) -> Self:
        """A new model with some tables replaced; this model does not change.

        Args:
            tables: by variable, a DataFrame with the columns of its CSV file, as `model.priors.table(name)` returns.

        Raises:
            PriorsError: listing every error in the new tables, as when a folder is read.
        """
        if self.priors is None:
            raise ValueError("this model has no priors folder: change the network it was made from instead")
        from calcinosis.knowledge.revise import revised

        return self.with_priors(revised(self.priors, tables))

    def with_row(self, variable: str, /, *, split: bool = False, **cells: str | float) -> Self:
        """A new model with one row of a table changed; this model does not change.

        Args:
            variable: the table.
            split: give contexts that are only part of a row a row of their own.
            cells: the row and its new content, by the columns of the table's CSV file: a cell per parent (a state,
                several joined by '/', or 'any', the default), new probabilities of some states, and optionally
                `weight`, `source` or `note`. The other probabilities of the row are scaled so that it sums to 1.

        Raises:
            QuestionError: for a column that the table does not have, and as `Entries.row` for contexts that are no row.
            PriorsError: for numbers that are not probabilities, as when a folder is read.

        >>> import calcinosis as cc
        >>> model = cc.load().with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=0.5)
        >>> float(model.entries.values[model.entries.first["warfarin"] + 1] > 0)
        1.0
        """
        if self.priors is None:
            raise ValueError("this model has no priors folder: change the network it was made from instead")
        from calcinosis.knowledge.revise import revised, with_row

        if variable.startswith(MENTIONED) and variable not in self.variables and self.record == ASKED:
            raise QuestionError(
                f"{variable}: a rate of one kind of record: take model.recorded(...) of that kind first"
            )
        if variable not in self.variables:
            raise QuestionError(f"no table {variable!r}: {choose_from(variable, list(self.variables))}")
        parents, states = self.network.parents[variable], self.variables[variable].state_names
        columns = (*parents, *states, "weight", "source", "note")
        for name in cells:
            if name not in columns:
                raise QuestionError(f"the table of {variable} has no column {name!r}: {choose_from(name, columns)}")
        given = {parent: str(cells.get(parent, ANY)) for parent in parents}
        row = self.entries.row(variable, given, part=split)
        content = {name: value for name, value in cells.items() if name not in parents}
        for name, value in content.items():
            if name in states and not isinstance(value, Real):
                raise QuestionError(f"{variable}: {name}={value!r} is not a probability: give a number from 0 to 1")
        frame = with_row(self.priors, variable, row, tuple(given.values()), content)
        return self.with_priors(revised(self.priors, {variable: frame}))


def _weighing(network: Network, weight: float | None) -> Network:
    """The same network with this equivalent sample size on every row."""
    if weight is None:
        return network
    return replace(network, weights={name: np.array(weight) for name in network.variables})
