"""How a model reads findings: by name, by column, and by the kind of record that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.grammar import is_mentioned
from calcinosis.inference.findings.reader import FindingsError, certain, inferred_fault, read_findings
from calcinosis.inference.network import Network
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked, refused
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import ASKED, EACH, RECORD, REPORTING, Priors, Variable, mention_of

if TYPE_CHECKING:
    from calcinosis.inference.findings.columns import Heading


@dataclass(frozen=True, eq=False)
class ReadingModel:
    """The part of a model that turns findings into evidence.

    `record` is the kind of record that findings come from, and `base` the same model for findings that were all asked
    for; None for that model itself.
    """

    network: Network
    priors: Priors | None = None
    base: Self | None = None
    record: str = ASKED

    @classmethod
    @checked
    def from_priors(cls, priors: Priors) -> Self:
        """The model of a priors folder."""
        return cls(Network.from_priors(priors), priors)

    @checked
    def recorded(self, record: str) -> Self:
        """The same model for findings from one kind of record, in which silence is evidence.

        A variable whose reporting is modelled (reporting.csv) and that is not given counts as not mentioned: soft
        evidence with likelihood 1 − mentioned for each of its states (Peot and Shachter, Learning from what you don't
        observe, UAI 1998). A variable given as 'unknown' was asked for and is no evidence.

        Args:
            record: a kind of record, such as `case_report`; `asked` for the model in which silence is no evidence;
                `each` for many patients, each with a kind of record in the column `record`.

        Raises:
            QuestionError: for a kind of record that these priors do not have; the message lists theirs.

        >>> import calcinosis as cc
        >>> cc.load().recorded("case_report").record
        'case_report'
        """
        record = record.strip()
        if record == self.record:
            return self
        if self.base is not None:
            return self.base.recorded(record)
        kinds = (ASKED, *(self.priors.reporting if self.priors else ()))
        if record not in kinds and not (record == EACH and self.priors is not None):
            raise QuestionError(f"no kind of record {record!r} in these priors: {choose_from(record, kinds)}")
        if record not in self._recorded:
            assert self.priors is not None
            priors = self.priors.with_mentions(record)
            self._recorded[record] = type(self)(Network.from_priors(priors), priors, self, record)
        return self._recorded[record]

    def _reading(self, record: str, findings: Mapping[str, Any] | Evidence | None) -> Self:
        """The model that reads findings from a kind of record; `Evidence` must already have been read from one."""
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
        if self.record == EACH and not isinstance(findings, Evidence):
            raise QuestionError("this model reads each patient's own record: say record=, such as case_report")

    def of_record(self, named: dict[str, Any]) -> Self:
        """The model of the kind of record among the findings by name, which is removed from them; otherwise this one.

        Raises:
            QuestionError: for a kind of record that these priors do not have.
        """
        record = named.pop("record", None)
        return self if record is None or record == self.record else self._reading(record, None)

    @property
    def knows_records(self) -> bool:
        """Whether the priors have rates for any kind of record."""
        priors = self.priors if self.base is None else self.base.priors
        return priors is not None and bool(priors.reporting) and RECORD not in self.variables

    @cached_property
    def _recorded(self) -> dict[str, Self]:
        return {}

    @cached_property
    def mentions(self) -> Mapping[str, str]:
        """By variable, the variable that says whether the record mentions it.

        Empty if everything was asked for, and if each patient has their own kind of record.
        """
        return FrozenMap({} if self.record == EACH else self.mentions_by_record.get(self.record, {}))

    @cached_property
    def mentions_by_record(self) -> Mapping[str, Mapping[str, str]]:
        """The same for each kind of record that this model reads; empty for `asked`."""
        mentions: dict[str, Mapping[str, str]] = {ASKED: FrozenMap({})}
        if self.record != ASKED and self.base is not None and self.base.priors is not None:
            reporting, several = self.base.priors.reporting, self.record == EACH
            for kind in reporting if several else (self.record,):
                names = reporting[kind]
                mentions[kind] = FrozenMap(
                    {n: mention_of(self.variables[n], kind, several=several).name for n in names}
                )
        return FrozenMap(mentions)

    @cached_property
    def _silence(self) -> Mapping[str, Mapping[str, Finding]]:
        """By kind of record and variable, the finding that the record does not mention the variable."""
        return {
            kind: {name: certain(self.variables[mention], "no") for name, mention in mentions.items()}
            for kind, mentions in self.mentions_by_record.items()
        }

    @cached_property
    def _readable(self) -> Mapping[str, Variable]:
        """The variables that can be given as findings; whether a record mentions one follows from those."""
        return FrozenMap({name: v for name, v in self.variables.items() if v.group != REPORTING})

    def with_priors(self, priors: Priors) -> Self:
        """The model of other priors with the same tables, for the same kind of record."""
        if self.base is None:
            return self.from_priors(priors)
        return self.from_priors(priors.without_mentions(self.record)).recorded(self.record)

    def by_record(self, columns: Iterable[Any]) -> Self:
        """The model for a table with these columns: the model of `each` record if one column is `record`.

        Only a model of the record `asked` switches; a model of another kind of record reads all patients as that kind.
        """
        if self.record != ASKED or self.priors is None or RECORD in self.variables or RECORD not in columns:
            return self
        return self.recorded(EACH)

    @property
    def target(self) -> str:
        """The variable whose posterior is computed."""
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
        """Every name a finding can have: the variables, then covariates such as albumin."""
        covariates = dict.fromkeys(correction.covariate for correction in self.network.corrections)
        return (*self._readable, *covariates)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the priors, or of the network if it has no priors folder."""
        if self.base is not None:
            return self.base.digest
        return self.priors.digest if self.priors else self.network.digest

    def read(
        self, findings: Mapping[str, Any] | Evidence | None = None, /, *, record: str | None = None, **named: Any
    ) -> Evidence:
        """The evidence in a patient's findings, as `posterior` reads them.

        Args:
            findings: by variable, in the grammar of `calcinosis.inference.findings.grammar`, or `Evidence`.
            record: the kind of record they come from; what it does not mention is evidence too.
            named: findings as keyword arguments.

        Raises:
            FindingsError: listing every finding that was not understood.
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
        all_findings = given | named
        evidence = read_findings(all_findings, self._readable, self.network.corrections, twice)
        silence = self._silence.get(record or self.record, {})
        silent = [finding for name, finding in silence.items() if is_mentioned(all_findings.get(name)) is False]
        return replace(evidence, findings=(*evidence.findings, *silent), record=record or self.record)

    @property
    def inferred(self) -> frozenset[str]:
        """The variables that are inferred: the target and the hidden variables."""
        return frozenset(n for n, v in self.variables.items() if n == self.target or not v.observable)

    @checked
    def headings(self, columns: Iterable[Any], *, inferred: bool = False) -> list[Heading]:
        """The columns of a table that hold findings, with their units.

        Args:
            columns: the headings of the table.
            inferred: allow columns of the target and of hidden variables.

        Raises:
            FindingsError: for a heading that looks misspelled, is repeated or has an unknown unit, or that names a
                variable the network infers, unless `inferred`.
        """
        from calcinosis.inference.findings.columns import read_headings

        units = {name: variable.units for name, variable in self._readable.items()}
        units |= {correction.covariate: correction.units for correction in self.network.corrections}
        headings = read_headings(columns, self._readable, units, self.knows_records)
        faults = [inferred_fault(h.column) for h in headings if h.name in self.inferred and not inferred]
        if faults:
            raise FindingsError(faults, "some columns hold what is to be inferred")
        return headings
