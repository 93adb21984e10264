"""The model: a network compiled once, asked many times. Immutable; a scenario is a new model."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.conflict.comparison import Fitting
from calcinosis.inference.engine.conditioning import Conditioned, compile_network
from calcinosis.inference.engine.engine import TINY, Engine
from calcinosis.inference.engine.impossible import why_nothing
from calcinosis.inference.engine.marginals import beliefs
from calcinosis.inference.engine.single_patient import Shortcut, Step
from calcinosis.inference.entries import Entries
from calcinosis.inference.findings.encoding import encode
from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.grammar import is_mentioned
from calcinosis.inference.findings.reader import FindingsError, certain, inferred_fault, read_findings
from calcinosis.inference.intervals.dirichlet import SecondOrder
from calcinosis.inference.network import Network
from calcinosis.inference.posterior import Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked, refused
from calcinosis.knowledge.contexts import ANY
from calcinosis.knowledge.folder import chosen_folder
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.reader import read_priors
from calcinosis.knowledge.records import ASKED, EACH, RECORD, REPORTING, Priors, Variable, mention_of

if TYPE_CHECKING:
    import pandas as pd
    from pgmpy.models import DiscreteBayesianNetwork

    from calcinosis.inference.engine.scores import Scores
    from calcinosis.inference.findings.columns import Column, Heading
    from calcinosis.inference.simulate.missingness import Missing
    from calcinosis.inference.streams import Seed


@dataclass(frozen=True, eq=False)
class Model:
    """A Bayesian network ready for questions.

    `priors` is the folder it came from, None for a network from a file or from pgmpy.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> model
    <Model of subtype: dystrophic, metastatic, idiopathic, iatrogenic, calciphylaxis; 29 variables>
    """

    network: Network
    priors: Priors | None = None
    base: Model | None = None
    record: str = ASKED

    @classmethod
    @checked
    def from_priors(cls, priors: Priors) -> Model:
        """The model that a priors folder describes."""
        return cls(Network.from_priors(priors), priors)

    @checked
    def recorded(self, record: str) -> Model:
        """The same model for findings from a kind of record, on which silence is evidence.

        Each variable whose mention is modelled (reporting.csv) and that is not given counts as not mentioned: evidence
        with the likelihood 1 − mentioned for each of its states (Peot and Shachter, Learning from what you don't
        observe, UAI 1998). One given as 'unknown' was asked for and counts as nothing. `asked` is the model itself:
        silence says nothing. `each` is for many patients, whose kind of record is in the column `record`.

        Raises:
            QuestionError: for a kind of record that these priors do not have, with those they have.

        >>> import calcinosis as cc
        >>> cc.load().recorded("case_report").record
        'case_report'
        """
        if record == self.record:
            return self
        if self.base is not None:
            return self.base.recorded(record)
        known = (ASKED, *(self.priors.reporting if self.priors else ()))
        if record not in known and not (record == EACH and len(known) > 1):
            raise QuestionError(f"no kind of record {record!r} in these priors: {choose_from(record, known)}")
        if record not in self._recorded:
            assert self.priors is not None
            priors = self.priors.with_mentions(record)
            self._recorded[record] = Model(Network.from_priors(priors), priors, self, record)
        return self._recorded[record]

    def _reading(self, record: str, findings: Mapping[str, Any] | Evidence | None) -> Model:
        """The model that reads findings from a kind of record; evidence must have been read from one already."""
        if record == EACH:
            raise QuestionError("each is for many patients: one patient has a kind of record, such as case_report")
        model = self.recorded(record)
        if isinstance(findings, Evidence):
            model._check_record(findings)
        return model

    def _check_record(self, evidence: Evidence) -> None:
        """Refuse evidence of another kind of record, unless no silence makes a difference."""
        if evidence.record in (None, self.record) or self.record == EACH:
            return
        if len(evidence.silent) or any(name not in evidence for name in self.mentions):
            raise QuestionError(
                f"this evidence was read from the record {evidence.record}, but the record here is {self.record}: give "
                "the findings by name"
            )

    def _check_one(self, findings: Mapping[str, Any] | Evidence | None, named: Mapping[str, Any]) -> None:
        """Refuse one patient's findings by name for the model of each patient's own record."""
        if self.record == EACH and (named or (findings and not isinstance(findings, Evidence))):
            raise QuestionError("this model reads each patient's own record: say record=, such as case_report")

    def of_record(self, named: dict[str, Any]) -> Model:
        """The model of the kind of record among findings by name, which is taken out of them; else this one.

        Raises:
            QuestionError: for a kind of record that these priors do not have.
        """
        record = named.pop("record", None)
        return self if record is None or record == self.record else self._reading(record, None)

    @property
    def _knows_records(self) -> bool:
        """Whether the priors say of a kind of record what it mentions."""
        priors = self.priors if self.base is None else self.base.priors
        return priors is not None and bool(priors.reporting) and RECORD not in self.variables

    @cached_property
    def _recorded(self) -> dict[str, Model]:
        return {}

    @cached_property
    def mentions(self) -> Mapping[str, str]:
        """By variable the one that says whether the record mentions it; empty where everything was asked for, and where
        each patient has a kind of record of their own."""
        return FrozenMap({} if self.record == EACH else self.mentions_by_record.get(self.record, {}))

    @cached_property
    def mentions_by_record(self) -> Mapping[str, Mapping[str, str]]:
        """The same by kind of record, for those that this model reads; `asked` mentions nothing."""
        own: dict[str, Mapping[str, str]] = {ASKED: FrozenMap({})}
        if self.record != ASKED and self.base is not None and self.base.priors is not None:
            reporting, several = self.base.priors.reporting, self.record == EACH
            for kind in reporting if several else (self.record,):
                names = reporting[kind]
                own[kind] = FrozenMap({n: mention_of(self.variables[n], kind, several=several).name for n in names})
        return FrozenMap(own)

    @cached_property
    def _silence(self) -> Mapping[str, Mapping[str, Finding]]:
        """By kind of record and variable the finding that the record does not mention it."""
        return {
            kind: {name: certain(self.variables[mention], "no") for name, mention in mentions.items()}
            for kind, mentions in self.mentions_by_record.items()
        }

    @cached_property
    def _readable(self) -> Mapping[str, Variable]:
        """The variables that a finding may be given for: whether a record mentions one follows from what is given."""
        return FrozenMap({name: v for name, v in self.variables.items() if v.group != REPORTING})

    def with_priors(self, priors: Priors) -> Model:
        """The model of other priors, for the same kind of record; `priors` has the tables that this model's have."""
        if self.base is None:
            return Model.from_priors(priors)
        return Model.from_priors(priors.without_mentions(self.record)).recorded(self.record)

    def by_record(self, columns: Iterable[Any]) -> Model:
        """The model for a table with these columns: that of each patient's own record, if one of them is `record`.

        Only a model of the record `asked` gives way to it; one of another kind reads every patient as of that kind.

        Raises:
            QuestionError: if there is such a column, and the priors say of no record what it mentions.
        """
        if self.record != ASKED or self.priors is None or RECORD in self.variables or RECORD not in columns:
            return self
        if not self.priors.reporting:
            raise QuestionError(
                "the column record names kinds of record, but these priors have no reporting.csv: remove the column"
            )
        return self.recorded(EACH)

    @classmethod
    @checked
    def from_pgmpy(cls, network: DiscreteBayesianNetwork, target: str, weight: float | None = None) -> Model:
        """The model of a pgmpy network, asking for `target`; `weight` as in `from_file`.

        Raises:
            NetworkError: if its tables are not proper.
        """
        from calcinosis.inference.formats.pgmpy_bridge import from_pgmpy

        return cls(_weighing(from_pgmpy(network, target), weight))

    @classmethod
    @checked
    def from_file(cls, path: str | os.PathLike[str], target: str, weight: float | None = None) -> Model:
        """The model of a network file, asking for `target`: BIF, XMLBIF, XDSL, NET, UAI or XBN by its ending, or .gz.

        `weight` is the equivalent sample size of every row: how many cases' worth of evidence it rests on. Such files
        do not tell; without it there are no intervals.

        Raises:
            NetworkError: if the file cannot be read as such a network, or its tables are not proper.
        """
        from calcinosis.inference.formats.pgmpy_bridge import read_file

        return cls(_weighing(read_file(path, target), weight))

    def to_pgmpy(self) -> DiscreteBayesianNetwork:
        """The same network as a pgmpy object; a repeatable variable is one node there, for one result."""
        from calcinosis.inference.formats.pgmpy_bridge import to_pgmpy

        return to_pgmpy(self.network)

    @cached_property
    def engine(self) -> Engine | Conditioned:
        """The compiled network."""
        return compile_network(self.network)

    @cached_property
    def second_order(self) -> SecondOrder | None:
        """The rows of the tables as Dirichlet distributions; None for a network whose rows have no weights."""
        return SecondOrder(self.network) if self.network.weights else None

    @cached_property
    def fitting(self) -> Fitting:
        """What tells of any patient whether the findings fit."""
        return Fitting(self.network, self.engine)

    @cached_property
    def entries(self) -> Entries:
        """The entries of the tables, by name."""
        return Entries(self.network, self.priors)

    @property
    def target(self) -> str:
        """The variable that is asked for."""
        return self.network.target

    @cached_property
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
        return (*self._readable, *covariates)

    @cached_property
    def digest(self) -> str:
        """The fingerprint of the priors, or of the network where no priors folder stands behind it."""
        if self.base is not None:
            return self.base.digest
        return self.priors.digest if self.priors else self.network.digest

    def read(
        self, findings: Mapping[str, Any] | Evidence | None = None, /, *, record: str | None = None, **named: Any
    ) -> Evidence:
        """The evidence that findings stand for, as `posterior` would understand them; of a `record`, what it does not
        mention is evidence too.

        Raises:
            FindingsError: with every finding that was not understood.
            QuestionError: for a kind of record that these priors do not have.
        """
        several = self.record == EACH and record in self.mentions_by_record
        if record is not None and record != self.record and not several:
            return self._reading(record, findings).read(findings, **named)
        if isinstance(findings, Evidence):
            if named:
                raise TypeError("give findings by name, or evidence that was read before, not both")
            self._check_record(findings)
            for finding in findings:
                variable = self.variables.get(finding.variable)
                repeated = len(finding.likelihoods) > 1
                if variable is None or finding.states != variable.state_names or repeated > variable.repeatable:
                    raise ValueError(f"this evidence was read by another model, with another {finding.variable}")
            return findings
        if findings is not None and (isinstance(findings, type) or not hasattr(findings, "keys")):
            raise refused("findings", findings, "Mapping | Evidence | None")
        given = {} if findings is None else dict(findings)
        twice = [name for name in named if name in given]
        whole = given | named
        evidence = read_findings(whole, self._readable, self.network.corrections, twice)
        silence = self._silence.get(record or self.record, {})
        silent = [finding for name, finding in silence.items() if is_mentioned(whole.get(name)) is False]
        return replace(evidence, findings=(*evidence.findings, *silent), record=record or self.record)

    def posterior(
        self, findings: Mapping[str, Any] | Evidence | None = None, /, *, record: str | None = None, **named: Any
    ) -> Posterior:
        """The posterior of the target, from findings in the grammar of `calcinosis.inference.findings.grammar`.

        With no findings it is the prior. Bayes' rule: each state's prior times the likelihood of all findings under
        it, divided by the sum, which is the probability of the evidence. With a `record`, such as `case_report`, what
        is not given counts as not mentioned, as in `recorded`.

        Raises:
            FindingsError: with every finding that was not understood.
            QuestionError: for a kind of record that these priors do not have.
            ImpossibleEvidence: if the findings have probability 0, with the smallest set that clashes.

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
    def posteriors(self, frame: pd.DataFrame, *, strict: bool = False, record: str | None = None) -> pd.DataFrame:
        """The posteriors of many patients, one row each, with the index of `frame`.

        A column `record` names each patient's kind of record, empty for `asked`, unless `record` is that of all.

        Columns of `frame` that are named as variables hold findings in the grammar; a heading may name the unit of bare
        numbers, as in `serum_calcium (mg/dL)`. Other columns are left alone, unless their name is nearly that of a
        variable. Columns of the dtype category are read fastest.

        The result has one column of probabilities per state of the target, then `leading` (the most probable state),
        `log_evidence` (natural logarithm) and `status`: 'ok', or 'invalid: …' or 'impossible: …' with the reason. Only
        where the status is not 'ok' are there no probabilities (NaN). Its `attrs` list the columns read and ignored.

        Raises:
            FindingsError: for a column of the target or of a hidden variable, or whose name looks like a slip. With
                `strict`, also for every cell that was not understood and every row whose findings are impossible
                together, all at once.

        >>> import calcinosis as cc
        >>> cc.load().posteriors(cc.cases().head(2))["leading"].to_dict()["calci_003"]
        'calciphylaxis'
        """
        import pandas as pd

        from calcinosis.inference.findings.columns import column_of

        model = self.by_record(frame.columns) if record is None else self.recorded(record)
        if model is not self:
            return model.posteriors(frame, strict=strict)
        headings = self.headings(frame.columns)
        read = [heading.column for heading in headings]
        kinds = column_of(frame[RECORD]) if self.record == EACH and RECORD in frame.columns else None
        scores = self.score(
            {heading: column_of(frame[heading.column]) for heading in headings}, len(frame), kinds=kinds
        )
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
        return answer

    @property
    def inferred(self) -> frozenset[str]:
        """The variables that are inferred: the target and the hidden variables."""
        return frozenset(n for n, v in self.variables.items() if n == self.target or not v.observable)

    @checked
    def headings(self, columns: Iterable[Any], *, inferred: bool = False) -> list[Heading]:
        """Which columns of a table hold findings, and in which units; perhaps those of `inferred` variables too.

        Raises:
            FindingsError: for a heading that looks like a slip, stands twice or has an unknown unit; for one of an
                inferred variable, unless these are allowed.
        """
        from calcinosis.inference.findings.columns import read_headings

        units = {name: variable.units for name, variable in self._readable.items()}
        units |= {correction.covariate: correction.units for correction in self.network.corrections}
        headings = read_headings(columns, self._readable, units, self._knows_records)
        faults = [inferred_fault(h.column) for h in headings if h.name in self.inferred and not inferred]
        if faults:
            raise FindingsError(faults, "some columns hold what is to be inferred")
        return headings

    @checked
    def score(
        self, columns: Mapping[Heading, Column], patients: int, cores: int = 0, *, kinds: Column | None = None
    ) -> Scores:
        """The answers for many patients as arrays, from columns of findings; `cores` is 0 for all there are. `kinds`
        is the column of each patient's kind of record, for a model of each."""
        from calcinosis.inference.engine.scores import score
        from calcinosis.inference.findings.silence import silence

        silent, faults = silence(self, columns, patients, kinds)
        return score(self.engine, self.network, {**columns, **silent}, patients, cores, faults)

    def marginals(self, findings: Mapping[str, Any] | Evidence | None = None, /, **named: Any) -> pd.DataFrame:
        """The posterior of every variable: a tidy DataFrame with the columns variable, state, probability.

        For a repeatable variable it is the distribution of the result of one more measurement.

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
        found = self.engine.beliefs(coded) if isinstance(self.engine, Conditioned) else beliefs(self.engine, coded)
        return pd.DataFrame(
            [
                (name, state, float(probability))
                for name, variable in self._readable.items()
                for state, probability in zip(variable.state_names, found[name][0], strict=True)
            ],
            columns=["variable", "state", "probability"],
        )

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
        """Patients drawn from the network, one row each: who they are in `diagnosis`, then every finding.

        The column `diagnosis` holds the true state of the target and is never missing; where a variable is called so,
        it is `true_<target>`. The others are the variables in order, as categories, NaN where missing: ready for
        `posteriors`, which does not read the first. The same seed draws the same patients, whatever of them is shown.
        Of a `recorded` model they are records: a cell is also NaN where the record does not mention the variable.

        Args:
            patients: how many rows, 0 or more.
            missing: the share (0 to 1) of every variable that is missing completely at random; or shares by variable,
                0 for the others; or a DataFrame: each patient lacks what a row of it, drawn at random, lacks, so that
                its patterns are kept, and columns that it does not have are missing for all.
            repeats: the number of results by repeatable variable, 1 for the others; more than one make cells such as
                `absent,absent`, and are independent given the states of the variable's parents.
            numbers: whether variables with bands are given as numbers, in columns such as `serum_calcium (mg/dL)`: any
                printed value in the band of the drawn state, each as probable as the next. That is a convenience, not
                how values are spread in patients. Repeated results stay words.
            hidden: whether variables of the group hidden are shown too; what is missing of them follows `missing`.
            seed: what `numpy.random.default_rng` takes; None for other patients every time.

        Raises:
            ValueError: for shares outside 0 to 1, names that are no variables, or repeats of what is not repeatable.
            FindingsError: for a heading of the DataFrame that looks like a slip.

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
    def with_tables(self, tables: Mapping[str, pd.DataFrame]) -> Model:
        """A new model with some tables replaced; this one stays as it is.

        Each table is a DataFrame with the columns of its CSV file, as `model.priors.table(name)` gives it.

        Raises:
            PriorsError: with every fault of the new tables, as the reader of the folder would tell it.
        """
        if self.priors is None:
            raise ValueError("this model has no priors folder: change the network it was made from instead")
        from calcinosis.knowledge.revise import revised

        return self.with_priors(revised(self.priors, tables))

    def with_row(self, variable: str, /, *, split: bool = False, **cells: str | float) -> Model:
        """A new model in which one row of a table has other probabilities; this one stays as it is.

        `cells` name the row and its new content by the columns of the table's CSV file: a cell per parent (a state,
        several joined by '/', or 'any', which is meant where a parent is not named), the new probability of one state
        or more, and perhaps a `weight`, `source` or `note`. The other probabilities of the row are scaled to sum to 1.
        With `split`, contexts that are only a part of a row get a row of their own.

        Raises:
            QuestionError: for a column that the table does not have, and as `Entries.row` for contexts that are no row.
            PriorsError: for probabilities that are none, as the reader of the folder reports it.

        >>> import calcinosis as cc
        >>> model = cc.load().with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=0.5)
        >>> float(model.entries.values[model.entries.first["warfarin"] + 1] > 0)
        1.0
        """
        if self.priors is None:
            raise ValueError("this model has no priors folder: change the network it was made from instead")
        from calcinosis.knowledge.revise import revised, with_row

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
        frame = with_row(self.priors, variable, row, tuple(given.values()), content)
        return self.with_priors(revised(self.priors, {variable: frame}))

    def _weigh(
        self, findings: Mapping[str, Any] | Evidence | None, named: Mapping[str, Any]
    ) -> tuple[Callable[[], Evidence], list[float], int]:
        """The evidence of a patient, once it is asked for; the joint weights; and the power of two they miss."""
        if self._shortcut and isinstance(findings, dict | None) and not (findings and named) and not self.mentions:
            short = self._shortcut.rows(findings or named)
            if short:
                rows, steps = short
                weights = self._shortcut.engine.weigh_one(rows)
                if max(weights) >= TINY:
                    return lambda: _evidence(steps), weights, sum(step.exponent for step in steps)
        evidence = self.read(findings, **named)
        found = self.engine.weigh(encode(self.engine.base, [evidence]))
        if not found.weights.any():
            raise why_nothing(self.engine, evidence)
        return lambda: evidence, found.weights[0].tolist(), int(found.exponents[0])

    @cached_property
    def _shortcut(self) -> Shortcut | None:
        return Shortcut(self.engine, self.network) if isinstance(self.engine, Engine) else None

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        return FrozenMap({state.name: state.label for state in self.variables[self.target].states})

    def __reduce__(self) -> tuple[type[Model], tuple[Network, Priors | None, Model | None, str]]:
        return type(self), (self.network, self.priors, self.base, self.record)

    def __repr__(self) -> str:
        return f"<Model of {self.target}: {', '.join(self.states)}; {len(self.variables)} variables>"


def _weighing(network: Network, weight: float | None) -> Network:
    """The same network with this weight on every row."""
    if weight is None:
        return network
    return replace(network, weights={name: np.array(weight) for name in network.variables})


def _evidence(steps: Sequence[Step]) -> Evidence:
    """The evidence of findings on the shortcut, in the order of the variables."""
    return Evidence(tuple(step.finding for step in sorted(steps, key=itemgetter(0)) if step.finding), record=ASKED)


def _total(weights: Sequence[float]) -> float:
    """The sum in order, as many patients' sums are taken; `sum` would round differently in newer Pythons."""
    total = 0.0
    for weight in weights:
        total += weight
    return total


def _shares(states: Sequence[str], weights: Sequence[float]) -> dict[str, float]:
    total = _total(weights)
    return {state: weight / total for state, weight in zip(states, weights, strict=True)}


@checked
def load(folder: str | os.PathLike[str] | None = None) -> Model:
    """The model of a priors folder: the one named, else that of CALCINOSIS_PRIORS, else the shipped one.

    Raises:
        PriorsError: with every fault of the folder.

    >>> import calcinosis as cc
    >>> cc.load().target
    'subtype'
    """
    return Model.from_priors(read_priors(chosen_folder(folder)))
