"""The model: a network compiled once, asked many times. Immutable; a scenario is a new model."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.beliefs import beliefs
from calcinosis.inference.coding import encode
from calcinosis.inference.conditioning import Conditioned, compile_network
from calcinosis.inference.engine import Engine
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.findings import Fault, FindingsError, read_findings
from calcinosis.inference.impossible import ImpossibleEvidence, smallest_clash
from calcinosis.inference.network import Array, Network
from calcinosis.inference.posterior import Posterior
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import nearest
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import Priors, Variable

if TYPE_CHECKING:
    import pandas as pd
    from pgmpy.models import DiscreteBayesianNetwork

ENTRIES_AT_ONCE = 2**22
"""How many entries of the largest bucket a batch may fill: 32 MiB, so that memory stays bounded for any number."""


@dataclass(frozen=True, eq=False)
class Model:
    """A Bayesian network ready for questions.

    `priors` is the folder it came from, None for a network from a file or from pgmpy.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> model
    <Model of subtype: dystrophic, metastatic, idiopathic, iatrogenic, calciphylaxis; 28 variables>
    """

    network: Network
    priors: Priors | None = None

    @classmethod
    def from_priors(cls, priors: Priors) -> Model:
        """The model that a priors folder describes."""
        return cls(Network.from_priors(priors), priors)

    @classmethod
    def from_pgmpy(cls, network: DiscreteBayesianNetwork, target: str) -> Model:
        """The model of a pgmpy network, asking for `target`. Raises NetworkError if its tables are not proper."""
        from calcinosis.inference.pgmpy_bridge import from_pgmpy

        return cls(from_pgmpy(network, target))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], target: str) -> Model:
        """The model of a network file, asking for `target`: BIF, XMLBIF, XDSL, NET, UAI or XBN by its ending, or .gz.

        Raises:
            NetworkError: if the file cannot be read as such a network, or its tables are not proper.
        """
        from calcinosis.inference.pgmpy_bridge import read_file

        return cls(read_file(path, target))

    def to_pgmpy(self) -> DiscreteBayesianNetwork:
        """The same network as a pgmpy object; a repeatable variable is one node there, for one result."""
        from calcinosis.inference.pgmpy_bridge import to_pgmpy

        return to_pgmpy(self.network)

    @cached_property
    def engine(self) -> Engine | Conditioned:
        """The compiled network."""
        return compile_network(self.network)

    @property
    def target(self) -> str:
        """The variable that is asked for."""
        return self.network.target

    @property
    def states(self) -> tuple[str, ...]:
        """The states of the target, in order."""
        return self.variables[self.target].state_names

    @property
    def variables(self) -> Mapping[str, Variable]:
        """The variables by name, in order."""
        return self.network.variables

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All that findings may be given for: the variables, then covariates such as albumin."""
        covariates = dict.fromkeys(correction.covariate for correction in self.network.corrections)
        return (*self.variables, *covariates)

    def slip(self, column: Hashable) -> str | None:
        """The name that the heading of a column nearly spells, if it is not one itself."""
        if not isinstance(column, str) or column in self.names:
            return None
        return nearest(column, self.names, cutoff=0.8)

    @cached_property
    def digest(self) -> str:
        """The fingerprint of the priors, or of the network where no priors folder stands behind it."""
        return self.priors.digest if self.priors else self.network.digest

    def read(self, findings: Mapping[str, Any] | Evidence | None = None, /, **named: Any) -> Evidence:
        """The evidence that findings stand for, as `posterior` would understand them.

        Raises:
            FindingsError: with every finding that was not understood.
        """
        if isinstance(findings, Evidence):
            if named:
                raise TypeError("give findings by name, or evidence that was read before, not both")
            for finding in findings:
                variable = self.variables.get(finding.variable)
                repeated = len(finding.likelihoods) > 1
                if variable is None or finding.states != variable.state_names or repeated > variable.repeatable:
                    raise ValueError(f"this evidence was read by another model, with another {finding.variable}")
            return findings
        if isinstance(findings, str):
            raise TypeError("give findings by name, as in pain='severe', or as a dict")
        given = {} if findings is None else dict(findings)
        twice = [name for name in named if name in given]
        return read_findings(given | named, self.variables, self.network.corrections, twice)

    def posterior(self, findings: Mapping[str, Any] | Evidence | None = None, /, **named: Any) -> Posterior:
        """The posterior of the target, from findings in the grammar of `calcinosis.inference.grammar`.

        With no findings it is the prior. Bayes' rule: each state's prior times the likelihood of all findings under
        it, divided by the sum, which is the probability of the evidence.

        Raises:
            FindingsError: with every finding that was not understood.
            ImpossibleEvidence: if the findings have probability 0, with the smallest set that clashes.

        >>> import calcinosis as cc
        >>> p = cc.load().posterior(cirrhosis="yes", pain="intermittent", vascular_histology=["absent"] * 3)
        >>> round(sum(p.probabilities), 12)
        1.0
        """
        evidence = self.read(findings, **named)
        weights, exponents = self._weigh([evidence])
        total = float(weights[0].sum())
        if total <= 0:
            raise ImpossibleEvidence(smallest_clash(self.engine, evidence))
        values = (weights[0] / total).tolist()
        return Posterior(
            target=self.target,
            probabilities_of=FrozenMap(dict(zip(self.states, values, strict=True))),
            labels=FrozenMap({s.name: s.label for s in self.variables[self.target].states}),
            evidence=evidence,
            log_evidence=math.log(total) + float(exponents[0]) * math.log(2),
            digest=self.digest,
        )

    def posteriors(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The posteriors of many patients, one row each, with the index of `frame`.

        Columns of `frame` that are named as variables hold findings in the grammar; other columns are left alone,
        unless their name is nearly that of a variable. The result has one column of probabilities per state of the
        target, then `leading` (the most probable state) and `log_evidence` (natural logarithm).

        Raises:
            FindingsError: with every cell that was not understood, every row whose findings are impossible together,
                and every column whose name looks like a slip.

        >>> import calcinosis as cc
        >>> cc.load().posteriors(cc.cases().head(2))["leading"].to_dict()["calci_003"]
        'calciphylaxis'
        """
        import pandas as pd

        patients = self._read_frame(frame)
        weights, exponents = self._weigh(patients)
        totals = weights.sum(axis=1)
        faults = []
        for i in np.flatnonzero(totals <= 0).tolist():
            clash = smallest_clash(self.engine, patients[i])
            faults.append(ImpossibleEvidence(clash).fault(f"row {frame.index[i]}"))
        if faults:
            raise FindingsError(faults, "some patients have findings that cannot be true together")
        answer = pd.DataFrame(weights / totals[:, None], index=frame.index, columns=pd.Index(self.states))
        leading = np.array(self.states, dtype=object)[weights.argmax(axis=1)]
        return answer.assign(leading=leading, log_evidence=np.log(totals) + exponents * math.log(2))

    def marginals(self, findings: Mapping[str, Any] | Evidence | None = None, /, **named: Any) -> pd.DataFrame:
        """The posterior of every variable: a tidy DataFrame with the columns variable, state, probability.

        For a repeatable variable it is the distribution of the result of one more measurement.

        Raises:
            FindingsError, ImpossibleEvidence: as `posterior`.
        """
        import pandas as pd

        evidence = self.read(findings, **named)
        if self._weigh([evidence])[0].sum() <= 0:
            raise ImpossibleEvidence(smallest_clash(self.engine, evidence))
        coded = encode(self.engine.base, [evidence])
        found = self.engine.beliefs(coded) if isinstance(self.engine, Conditioned) else beliefs(self.engine, coded)
        return pd.DataFrame(
            [
                (name, state, float(probability))
                for name, variable in self.variables.items()
                for state, probability in zip(variable.state_names, found[name][0], strict=True)
            ],
            columns=["variable", "state", "probability"],
        )

    def with_tables(self, tables: Mapping[str, pd.DataFrame]) -> Model:
        """A new model with some tables replaced; this one stays as it is.

        Each table is a DataFrame with the columns of its CSV file, as `model.priors.table(name)` gives it.

        Raises:
            PriorsError: with every fault of the new tables, as the reader of the folder would tell it.
        """
        if self.priors is None:
            raise ValueError("this model has no priors folder: change the network it was made from instead")
        from calcinosis.knowledge.revise import revised

        return Model.from_priors(revised(self.priors, tables))

    def _read_frame(self, frame: pd.DataFrame) -> list[Evidence]:
        if not hasattr(frame, "columns"):
            raise TypeError(f"give a DataFrame with one row per patient, not a {type(frame).__name__}")
        columns = [column for column in frame.columns if column in self.names]
        faults = [
            Fault(str(column), "", "a column that is not read", f"did you mean {near}? Otherwise rename it")
            for column in frame.columns
            if (near := self.slip(column))
        ]
        if len(frame.columns) and not columns and not faults:
            mend = f"name columns after variables: {', '.join(self.variables)}"
            faults.append(Fault(", ".join(map(str, frame.columns)), "", "no column is a variable", mend))
        doubled = sorted({column for column in columns if columns.count(column) > 1})
        if doubled:
            faults += [Fault(column, "", "the column stands twice", "remove one of the two") for column in doubled]
            raise FindingsError(faults)
        patients = []
        cells = {column: frame[column].tolist() for column in columns}
        for i, label in enumerate(frame.index):
            try:
                patients.append(self.read({column: values[i] for column, values in cells.items()}))
            except FindingsError as error:
                faults += [replace(fault, variable=f"row {label}: {fault.variable}") for fault in error.faults]
        if faults:
            raise FindingsError(faults)
        return patients

    def _weigh(self, patients: list[Evidence]) -> tuple[Array, Array]:
        """The joint weights of target and evidence, axes `(patients, states)` and `(patients,)`, in bounded memory."""
        coded = encode(self.engine.base, patients)
        found = self.engine.weigh(coded)
        return found.weights, found.exponents

    def __reduce__(self) -> tuple[type[Model], tuple[Network, Priors | None]]:
        return type(self), (self.network, self.priors)

    def __repr__(self) -> str:
        return f"<Model of {self.target}: {', '.join(self.states)}; {len(self.variables)} variables>"


def load(folder: str | os.PathLike[str] | None = None) -> Model:
    """The model of a priors folder: the one named, else that of CALCINOSIS_PRIORS, else the shipped one.

    Raises:
        PriorsError: with every fault of the folder.

    >>> import calcinosis as cc
    >>> cc.load().target
    'subtype'
    """
    return Model.from_priors(read_priors(chosen_folder(folder)))
