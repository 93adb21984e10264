"""From findings as people write them to evidence. All values are read, and all errors reported together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.grammar import LONGEST, Reading, is_missing, plain, read_value, readable, shallow
from calcinosis.inference.findings.measurement import Measurement, NotUnderstood, convert, split_measurement
from calcinosis.knowledge.problem import LONGEST_SHOWN, nearest, shown, visible
from calcinosis.knowledge.records import RECORD, Correction, Variable

TWO_RESULTS = ("two results for a variable that is not repeatable", "give one result")
"""The error, and its fix, for two results of a variable that has only one."""


@dataclass(frozen=True)
class Fault:
    """A finding that was not understood: the variable, the value as given, what is wrong, and a fix."""

    variable: str
    value: str
    what: str
    fix: str

    def __post_init__(self) -> None:
        for name in ("variable", "value"):
            if len(getattr(self, name)) > LONGEST_SHOWN:
                object.__setattr__(self, name, shown(getattr(self, name)))

    def __str__(self) -> str:
        given = f"{self.variable}={self.value}" if self.value else self.variable
        return visible(f"{given}: {self.what}: {self.fix}")


def inferred_fault(name: str) -> Fault:
    """The error of a column or key that holds a variable the network infers."""
    return Fault(name, "", "inferred by the network, so not read as a finding", "rename it or remove it")


class FindingsError(ValueError):
    """Findings that were not understood; `faults` lists every error."""

    def __init__(self, faults: Iterable[Fault], heading: str = "") -> None:
        self.faults, self.heading = tuple(faults), heading
        count = f"{len(self.faults)} finding{' is' if len(self.faults) == 1 else 's are'} not understood"
        super().__init__("\n".join([visible(heading) or count, *map(str, self.faults)]))

    def __reduce__(self) -> tuple[type[FindingsError], tuple[tuple[Fault, ...], str]]:
        return type(self), (self.faults, self.heading)


def read_findings(
    findings: Mapping[str, Any],
    variables: Mapping[str, Variable],
    corrections: Iterable[Correction] = (),
    twice: Iterable[str] = (),
) -> Evidence:
    """The evidence in a patient's findings, in the order of the variables.

    Args:
        findings: values by variable or covariate, in the grammar.
        variables: the variables by name.
        corrections: laboratory corrections and their covariates.
        twice: names that were given twice, which is an error.

    Raises:
        FindingsError: listing every finding that was not understood.
    """
    faults = [Fault(name, show(findings[name]), "given twice", "give it once") for name in twice]
    corrections = tuple(corrections)
    names = [*variables, *(correction.covariate for correction in corrections)]
    for name in findings:
        if name not in names:
            fix = _other_name(shallow(name), variables, names)
            if str(name).strip().casefold() == RECORD:
                fix = "the kind of record is no finding: say it as --record, or record= in Python"
            faults.append(Fault(shallow(name), show(findings[name]), "no such variable", fix))
    covariates = {
        correction.variable: measured
        for correction in corrections
        if (measured := _read_covariate_once(findings.get(correction.covariate), correction, faults)) is not None
    }
    used: set[str] = set()
    evidence = []
    for name, variable in variables.items():
        value = findings.get(name)
        try:
            readings = read_value(value, variable)
            if len(readings) > 1 and not variable.repeatable:
                raise NotUnderstood(*TWO_RESULTS)
            if not readings:
                continue
            place = placing(variable, covariates.get(name))
            if any(isinstance(reading, Measurement) for reading in readings):
                used.add(name)
            placed = {reading: place(reading) for reading in dict.fromkeys(readings)}
            evidence.append(finding_of(variable, show(value), [placed[reading] for reading in readings]))
        except NotUnderstood as fault:
            faults.append(Fault(name, show(value), fault.what, fault.fix))
    if faults:
        raise FindingsError(faults)
    notes = tuple(
        f"{covariate.text} {correction.covariate} was not used: {name} is not given as a number"
        for name, (correction, covariate) in covariates.items()
        if name not in used
    )
    return Evidence(tuple(evidence), notes)


def show(value: Any, levels: int = 1) -> str:
    """A value as it would be written in a cell.

    Nested lists, which are an error, are shown to a depth of `levels`, because they may be infinite.

    >>> show(["absent", "absent"]), show({"none": 0.2, "severe": 0.8}), show({"severe"})
    ('absent,absent', 'none:0.2,severe:0.8', 'severe')
    """
    value = plain(value)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        return ",".join(f"{shallow(state)}:{shallow(number)}" for state, number in value.items())
    if isinstance(value, set | frozenset):
        return "/".join(sorted(map(shallow, value)))
    if isinstance(value, list | tuple):
        return ",".join(show(item, levels - 1) if levels else shallow(item) for item in value)
    return "" if is_missing(value) else shallow(value)


def _other_name(name: str, variables: Iterable[str], names: Iterable[str]) -> str:
    near = nearest(name, names)
    listed = f"he variables are {', '.join(variables)}"
    return f"did you mean {near}? T{listed}" if near else f"t{listed}"


def _read_covariate_once(
    value: Any, correction: Correction, faults: list[Fault]
) -> tuple[Correction, Measurement] | None:
    """A measured covariate with its correction; an error is added to `faults` once."""
    try:
        measured = read_covariate(value, correction)
    except NotUnderstood as fault:
        fault_of_covariate = Fault(correction.covariate, show(value), fault.what, fault.fix)
        if fault_of_covariate not in faults:
            faults.append(fault_of_covariate)
        return None
    return None if measured is None else (correction, measured)


def read_covariate(value: Any, correction: Correction) -> Measurement | None:
    """The measured covariate of a laboratory correction, such as albumin, in its own unit; None if missing.

    Raises:
        NotUnderstood: if it is not a measurement, or not plausible.
    """
    if is_missing(value):
        return None
    number, unit = _one_measurement(value)
    measured = convert(number, unit, correction.units, correction.covariate)
    if not correction.lower <= measured <= correction.upper:
        raise NotUnderstood(*off_scale(measured, correction.lower, correction.upper, correction.unit))
    return Measurement(f"{number} {unit}", measured)


def _one_measurement(value: Any) -> tuple[str, str]:
    """The number and the unit of a covariate, which has a single value."""
    value = plain(value)
    several = [item for item in value if not is_missing(item)] if isinstance(value, list | tuple) else []
    if len(several) > 1:
        raise NotUnderstood("given twice", "give it once")
    text = readable(show(several[0] if several else value))
    number, unit = split_measurement(text)
    if all(all(split_measurement(part.strip())) for part in text.split(",")) and "," in text:
        raise NotUnderstood("given twice", "give it once")
    return number, unit


def placing(
    variable: Variable, covariate: tuple[Correction, Measurement] | None
) -> Callable[[Reading], tuple[tuple[float, ...], str]]:
    """A function that turns a number, corrected if there is a covariate, into the state of its band."""

    def place(reading: Reading) -> tuple[tuple[float, ...], str]:
        if not isinstance(reading, Measurement):
            return reading
        value, steps = rounded(reading.value), [reading.text]
        if covariate is not None:
            correction, measured = covariate
            value = corrected(value, correction, measured.value)
            steps.append(
                f"{_digits(value, variable)} {variable.unit} corrected for {correction.covariate} {measured.text} "
                f"({correction.source})"
            )
        elif f"{value:g} {variable.unit}" != reading.text:
            steps.append(f"{_digits(value, variable)} {variable.unit}")
        state = variable.state_of(value)
        if state is None:
            bands = [state.band for state in variable.states if state.band is not None]
            lower, upper = min(band.lower for band in bands), max(band.upper for band in bands)
            raise NotUnderstood(*off_scale(value, lower, upper, variable.unit))
        chosen = tuple(float(other is state) for other in variable.states)
        return chosen, " → ".join([*steps[1:], state.name])

    return place


def corrected(value: float, correction: Correction, covariate: float) -> float:
    """A value corrected for a covariate, both in their own units."""
    return rounded(rounded(value) + correction.slope * (correction.reference - covariate))


def rounded(value: float) -> float:
    """A value rounded to 12 digits, so that unit conversion does not move it across a limit."""
    return float(f"{value:.12g}")


def _digits(value: float, variable: Variable) -> str:
    """A value with four digits, or as many as show on which side of a limit it lies."""
    texts = (f"{value:.{digits}g}" for digits in range(4, 13))
    return next((text for text in texts if variable.state_of(float(text)) == variable.state_of(value)), f"{value:g}")


def off_scale(value: float, lower: float, upper: float, unit: str) -> tuple[str, str]:
    """The error and the fix for a value outside the plausible range."""
    what = f"{value:.4g} {unit} is not plausible"
    return what, f"it should lie between {lower:g} and {upper:g} {unit}; check number and unit"


def finding_from(variable: Variable, likelihoods: Iterable[Sequence[float]]) -> Finding:
    """The finding with these likelihoods, one tuple per result, written in the grammar.

    >>> from calcinosis.knowledge.records import State
    >>> pain = Variable("pain", (State("none", ""), State("mild", ""), State("severe", "")))
    >>> finding_from(pain, [(0.0, 1.0, 1.0)]).given, finding_from(pain, [(0.2, 0.0, 0.8)]).given
    ('mild/severe', 'none:0.2,mild:0,severe:0.8')
    """
    every = [tuple(result) for result in likelihoods]
    words = {result: _written(variable, result) for result in set(every)}
    results = [(result, words[result]) for result in every]
    return finding_of(variable, ",".join(word for _, word in results), results)


def certain(variable: Variable, *states: str) -> Finding:
    """The finding with one result for each of these states."""
    return finding_from(variable, [tuple(float(other == state) for other in variable.state_names) for state in states])


def _written(variable: Variable, likelihoods: Sequence[float]) -> str:
    """A result written in the grammar."""
    pairs = list(zip(variable.state_names, likelihoods, strict=True))
    if set(likelihoods) <= {0.0, max(likelihoods)}:
        return "/".join(state for state, likelihood in pairs if likelihood)
    return ",".join(f"{state}:{likelihood:g}" for state, likelihood in pairs)


def finding_of(variable: Variable, given: str, results: list[tuple[tuple[float, ...], str]]) -> Finding:
    """The finding of a variable, from its results: the likelihoods of each, and its meaning in words."""
    times = Counter(word for _, word in results)
    counted = ", ".join(f"{word}, {count} times" if count > 1 else word for word, count in times.items())
    understood = counted if len(times) == 1 else ", ".join(word for _, word in results)
    if understood.replace(" or ", "/").replace(", ", ",") == given:
        understood = given
    if max(len(given), len(understood)) > LONGEST:  # too long to read
        given = understood = counted
    likelihoods = tuple(likelihood for likelihood, _ in results)
    return Finding(variable.name, given, understood, likelihoods, variable.state_names)
