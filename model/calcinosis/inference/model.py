"""The model: a network compiled once and queried many times. It is immutable; a variation is a new model."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.conflict.comparison import Fitting
from calcinosis.inference.engine.conditioning import Conditioned, compile_network
from calcinosis.inference.engine.engine import TINY, Engine
from calcinosis.inference.engine.impossible import why_nothing
from calcinosis.inference.engine.marginals import posterior_marginals
from calcinosis.inference.engine.single_patient import FindingStep, SinglePatient
from calcinosis.inference.findings.encoding import encode
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.intervals.dirichlet import SecondOrder
from calcinosis.inference.network import Array, Network
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.tables import TableModel
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import ASKED, EACH, RECORD, Priors

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.inference.engine.scores import Scores
    from calcinosis.inference.findings.columns import Column, Heading


@dataclass(frozen=True, eq=False)
class Model(TableModel):
    """A Bayesian network, ready for queries.

    `priors` is the folder it was read from; None for a network from a file or from pgmpy.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> model
    <Model of subtype: dystrophic, metastatic, idiopathic, iatrogenic, calciphylaxis; 29 variables>
    """

    @cached_property
    def engine(self) -> Engine | Conditioned:
        """The compiled network."""
        return compile_network(self.network)

    @cached_property
    def second_order(self) -> SecondOrder | None:
        """Monte Carlo draws of the tables, each row from its Dirichlet distribution; None if rows have no weights."""
        return SecondOrder(self.network) if self.network.weights else None

    @cached_property
    def fitting(self) -> Fitting:
        """Measures of conflict and rarity for any patient's findings."""
        return Fitting(self.network, self.engine)

    def posterior(
        self, findings: Mapping[str, Any] | Evidence | None = None, /, *, record: str | None = None, **named: Any
    ) -> Posterior:
        """The posterior distribution of the target, given a patient's findings.

        By Bayes' rule, each state's prior is multiplied by the likelihood of all findings under that state and divided
        by the sum, the probability of the evidence. Without findings the result is the prior.

        Args:
            findings: by variable, in the grammar of `calcinosis.inference.findings.grammar`, or `Evidence`.
            record: the kind of record the findings come from, such as `case_report`; a variable that is not given
                then counts as not mentioned, as in `recorded`.
            named: findings as keyword arguments.

        Raises:
            FindingsError: listing every finding that was not understood.
            QuestionError: for a kind of record that these priors do not have.
            ImpossibleEvidence: if the findings have probability 0; it holds the smallest contradictory subset.

        >>> import calcinosis as cc
        >>> p = cc.load().posterior(cirrhosis="yes", pain="intermittent", vascular_histology=["absent"] * 3)
        >>> round(sum(p.probabilities), 12)
        1.0
        """
        if record is not None and record != self.record:
            return self._reading(record, findings).posterior(findings, **named)
        self._check_one(findings, named)
        evidence, weights, exponent = self._weigh(findings, named)
        mantissa, power = math.frexp(_total(weights))
        return Posterior(
            target=self.target,
            probabilities_of=FrozenMap(_shares(self.states, weights)),
            labels=self._labels,
            evidence=evidence(),
            log_evidence=math.log(mantissa) + (power + exponent) * math.log(2),
            digest=self.digest,
            second_order=self.second_order,
            fitting=self.fitting,
            record=self.record,
        )

    def probabilities(
        self, findings: Mapping[str, Any] | Evidence | None = None, /, *, record: str | None = None, **named: Any
    ) -> dict[str, float]:
        """The bare probabilities of the posterior by state of the target: the fastest answer for one patient.

        Raises:
            FindingsError, ImpossibleEvidence: as `posterior`.

        >>> import calcinosis as cc
        >>> list(cc.load().probabilities(pain="severe"))
        ['dystrophic', 'metastatic', 'idiopathic', 'iatrogenic', 'calciphylaxis']
        """
        if record is not None and record != self.record:
            return self._reading(record, findings).probabilities(findings, **named)
        self._check_one(findings, named)
        return _shares(self.states, self._weigh(findings, named)[1])

    @checked
    def posteriors(
        self, frame: pd.DataFrame, *, strict: bool = False, record: str | None = None, intervals: bool = False
    ) -> pd.DataFrame:
        """The posteriors of many patients, one row per patient, with the index of `frame`.

        The result has one column of probabilities per state of the target, then `leading` (the most probable state),
        `log_evidence` (natural logarithm) and `status`: 'ok', or 'invalid: …' or 'impossible: …' with the reason.
        Probabilities are NaN exactly where the status is not 'ok'. `attrs` lists the columns read and ignored.

        Args:
            frame: columns named after variables hold findings in the grammar; a heading may give the unit of bare
                numbers, as in `serum_calcium (mg/dL)`. Other columns are ignored, unless their name is nearly that of
                a variable. Columns of dtype category are read fastest.
            strict: raise instead of returning rows whose status is not 'ok'.
            record: the kind of record of all patients. Without it, a column `record` gives each patient's own; an
                empty cell means `asked`.
            intervals: add the 95% credible interval of each state, in columns such as `dystrophic_lower`; NaN where
                there is none. It takes some milliseconds for each patient.

        Raises:
            FindingsError: for a column of the target or of a hidden variable, or one whose name looks misspelled. With
                `strict`, also for every cell that was not understood and every row with contradictory findings; all
                are reported together.

        >>> import calcinosis as cc
        >>> cc.load().posteriors(cc.cases().head(2))["leading"].to_dict()["calci_003"]
        'calciphylaxis'
        """
        import pandas as pd

        from calcinosis.inference.findings.columns import column_of

        model = self.by_record(frame.columns) if record is None else self.recorded(record)
        if model is not self:
            return model.posteriors(frame, strict=strict, intervals=intervals)
        headings = self.headings(frame.columns)
        read = [heading.column for heading in headings]
        kinds = column_of(frame[RECORD]) if self.record == EACH and RECORD in frame.columns else None
        columns = {heading: column_of(frame[heading.column]) for heading in headings}
        scores = self.score(columns, len(frame), kinds=kinds)
        if strict and scores.faults:
            raise FindingsError(
                replace(fault, variable=f"row {frame.index[row]}: {fault.variable}")
                for row in sorted(scores.faults)
                for fault in scores.faults[row]
            )
        answer = pd.DataFrame(dict(zip(self.states, scores.probabilities, strict=True)), index=frame.index, copy=False)
        answer["leading"] = pd.Categorical.from_codes(scores.leading, pd.Index(self.states))
        answer["log_evidence"] = scores.log_evidence
        answer["status"] = pd.Categorical.from_codes(scores.status, pd.Index(scores.statuses))
        answer.attrs |= {
            "record": self.record,
            "columns_read": read,
            "columns_ignored": [c for c in frame.columns if c not in read and (c != RECORD or kinds is None)],
        }
        if intervals:
            for name, limits in self._intervals(columns, kinds, scores.status == 0).items():
                answer[name] = limits
        return answer

    def _intervals(self, columns: Mapping[Heading, Column], kinds: Column | None, fine: Array) -> dict[str, Array]:
        """The limits of each state's interval, patient by patient; NaN where a patient is not `fine`, or has none."""
        from calcinosis.inference.findings.batch import with_unit
        from calcinosis.inference.findings.silence import record_kind

        limits = np.full((len(fine), len(self.states), 2), np.nan)
        for row in np.flatnonzero(fine).tolist():
            kind = self.record if kinds is None else record_kind(kinds.cell(row), self.mentions_by_record)
            cells = {heading.name: with_unit(column.cell(row), heading.unit) for heading, column in columns.items()}
            drawn = self.recorded(kind).posterior(cells).limits()
            if drawn:
                limits[row] = [[drawn[state]["lower"], drawn[state]["upper"]] for state in self.states]
        return {
            f"{state}_{end}": limits[:, number, side]
            for number, state in enumerate(self.states)
            for side, end in enumerate(("lower", "upper"))
        }

    @checked
    def score(
        self, columns: Mapping[Heading, Column], patients: int, cores: int = 0, *, kinds: Column | None = None
    ) -> Scores:
        """The posteriors of many patients as arrays.

        Args:
            columns: findings by heading.
            patients: the number of patients, the length of each column.
            cores: the number of cores to use; 0 for all.
            kinds: each patient's kind of record, for a model of the record `each`.
        """
        from calcinosis.inference.engine.scores import score
        from calcinosis.inference.findings.silence import silence

        silent, faults = silence(self, columns, patients, kinds)
        return score(self.engine, self.network, {**columns, **silent}, patients, cores, faults)

    def marginals(self, findings: Mapping[str, Any] | Evidence | None = None, /, **named: Any) -> pd.DataFrame:
        """The posterior of every variable: a long-format DataFrame with the columns variable, state, probability.

        For a repeatable variable it is the predictive distribution of one further result.

        Raises:
            FindingsError, ImpossibleEvidence: as `posterior`.
        """
        import pandas as pd

        model = self.of_record(named)
        if model is not self:
            return model.marginals(findings, **named)
        evidence = self.read(findings, **named)
        coded = encode(self.engine.base, [evidence])
        if not self.engine.weigh(coded).weights.any():
            raise why_nothing(self.engine, evidence)
        posteriors = (
            self.engine.posterior_marginals(coded)
            if isinstance(self.engine, Conditioned)
            else posterior_marginals(self.engine, coded)
        )
        return pd.DataFrame(
            [
                (name, state, float(probability))
                for name, variable in self._readable.items()
                for state, probability in zip(variable.state_names, posteriors[name][0], strict=True)
            ],
            columns=["variable", "state", "probability"],
        )

    def _weigh(
        self, findings: Mapping[str, Any] | Evidence | None, named: Mapping[str, Any]
    ) -> tuple[Callable[[], Evidence], list[float], int]:
        """A function that returns the patient's evidence; the joint weights; and the power of two they lack."""
        if (
            self._single_patient
            and isinstance(findings, dict | None)
            and not (findings and named)
            and not self.mentions
        ):
            short = self._single_patient.rows(findings or named)
            if short:
                rows, steps = short
                weights = self._single_patient.engine.weigh_one(rows)
                if max(weights) >= TINY:
                    return lambda: _evidence(steps), weights, sum(step.exponent for step in steps)
        evidence = self.read(findings, **named)
        joint = self.engine.weigh(encode(self.engine.base, [evidence]))
        if not joint.weights.any():
            raise why_nothing(self.engine, evidence)
        return lambda: evidence, joint.weights[0].tolist(), int(joint.exponents[0])

    @cached_property
    def _single_patient(self) -> SinglePatient | None:
        return SinglePatient(self.engine, self.network) if isinstance(self.engine, Engine) else None

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        return FrozenMap({state.name: state.label for state in self.variables[self.target].states})

    def __reduce__(self) -> tuple[type[Model], tuple[Network, Priors | None, Model | None, str]]:
        return type(self), (self.network, self.priors, self.base, self.record)

    def __repr__(self) -> str:
        return f"<Model of {self.target}: {', '.join(self.states)}; {len(self.variables)} variables>"


def _evidence(steps: Sequence[FindingStep]) -> Evidence:
    """The evidence of the remembered findings, in the order of the variables."""
    return Evidence(tuple(step.finding for step in sorted(steps, key=itemgetter(0)) if step.finding), record=ASKED)


def _total(weights: Sequence[float]) -> float:
    """The sum from left to right, as for many patients at once; `sum` rounds differently in newer Pythons."""
    total = 0.0
    for weight in weights:
        total += weight
    return total


def _shares(states: Sequence[str], weights: Sequence[float]) -> dict[str, float]:
    total = _total(weights)
    return {state: weight / total for state, weight in zip(states, weights, strict=True)}


@checked
def load(folder: str | os.PathLike[str] | None = None) -> Model:
    """The model of a priors folder.

    Args:
        folder: the folder; by default the one that CALCINOSIS_PRIORS names, or else the shipped priors.

    Raises:
        PriorsError: listing every error in the folder.

    >>> import calcinosis as cc
    >>> cc.load().target
    'subtype'
    """
    return Model.from_priors(read_priors(chosen_folder(folder)))
