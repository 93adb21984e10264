"""`calcinosis diagnose`: the posterior of a patient, or of each patient in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.model import Model, load
from calcinosis.inference.numbers import percent
from calcinosis.inference.posterior import DISCLAIMER, Posterior, bar
from calcinosis.interface.shell.options import (
    CaseOption,
    FileOption,
    FindingsArgument,
    JsonOption,
    PriorsOption,
    RecordOption,
    no_findings_with_file,
    show_columns,
    show_json,
    telling_errors,
)
from calcinosis.interface.shell.patients import Patient, published_case, read_file, read_words
from calcinosis.interface.words.printing import console
from calcinosis.knowledge.visible import visible

NARROW = 12
"""The fewest characters that bars have beside an interval."""


def diagnose(
    findings: FindingsArgument = None,
    case: CaseOption = None,
    file: FileOption = None,
    record: RecordOption = None,
    priors: PriorsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how probable each subtype is, given what is known of a patient.

    Example: calcinosis diagnose cirrhosis=yes weight_loss=yes pain=intermittent vascular_histology=absent,absent
    """
    no_findings_with_file(file, case, findings)
    with telling_errors(as_json):
        words = read_words(findings or [])
        model = load(priors)
        if file:
            _show_file(model, file, record, as_json)
            return
        known, published = ({}, None) if case is None else published_case(case, priors, model)
        record = published["record"] if record is None and published else record
        answer = model.posterior(known | words, record=record)
        if as_json:
            show_json(answer.as_dict() | ({"published": published} if published else {}))
        else:
            _show(answer, published)


def _show(answer: Posterior, published: dict[str, str] | None) -> None:
    from rich.table import Table
    from rich.text import Text

    shown = console()
    shown.print(Text(answer.verdict, style="bold"))
    bars = Table.grid(padding=(0, 2))
    bars.add_column(overflow="fold")
    ranges = {state: _encodable(words, shown.encoding) for state, words in answer.ranges.items()}
    longest, widest = max(map(len, answer.labels.values())), max(map(len, ranges.values()))
    room = shown.width - longest - len("> 99%") - widest - 8
    # in a narrow terminal the interval stands below the probability, so that the bars keep their room
    beside = room >= NARROW
    room = min(30, max(8, room if beside else shown.width - longest - max(widest, len("> 99%")) - 4))
    for _ in range(2 if beside else 1):
        bars.add_column(justify="right", no_wrap=True)
    bars.add_column(no_wrap=True)
    for state, probability in answer.probabilities_of.items():
        style = "bold cyan" if state == answer.leading else ""
        line = bar(probability, room, shown.encoding)
        figures = [percent(probability), ranges[state]]
        figures = figures if beside else ["\n".join(figures).rstrip()]
        bars.add_row(Text(answer.labels[state]), *map(Text, figures), Text(line), style=style)
    shown.print("", bars, "", sep="\n")
    for words in (answer.sureness or answer.no_interval, answer.misfit):
        if words:
            shown.print(Text(words), "", sep="\n")
    given = answer.evidence.given
    known = Table(box=None, padding=(0, 2, 0, 0), show_header=len(given) > 0)
    known.add_column("finding", overflow="fold")
    known.add_column("as given", overflow="fold")
    known.add_column("understood as" if any(map(_understood_anew, given)) else "", overflow="fold")
    for finding in given:
        known.add_row(*map(Text, map(visible, (finding.variable, finding.given, _understood_anew(finding)))))
    if len(given):
        shown.print(known)
    else:
        shown.print("Nothing observed" + ("." if answer.not_mentioned else ": these are the prior probabilities."))
    shown.print("", Text(answer.silence), sep="\n")
    for note in answer.evidence.notes:
        shown.print(Text(f"Note: {note}"))
    if published:
        shown.print("", Text(f"Published as {published['diagnosis']}: {published['citation']}"), sep="\n")
    shown.print("", Text(f"log evidence {answer.log_evidence:.3f} · priors {answer.digest[:12]}"), sep="\n")
    shown.print(Text(DISCLAIMER, style="dim"))


def _encodable(words: str, encoding: str) -> str:
    """An interval with a hyphen for the dash where the encoding has none."""
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        return words.replace("–", "-")
    return words


def _answers(patients: Sequence[Patient]) -> list[Posterior]:
    """The posterior of each patient; those whose findings cannot be true together are told by name, all at once."""
    answers, faults = [], []
    for patient in patients:
        try:
            answers.append(patient.model.posterior(patient.evidence))
        except ImpossibleEvidence as error:
            faults.append(error.fault(f"patient {patient.name}"))
    if faults:
        raise FindingsError(faults, "some patients have findings that cannot be true together")
    return answers


def _understood_anew(finding: Finding) -> str:
    """What a finding was understood as, where that is not what was given."""
    return "" if finding.understood == finding.given else finding.understood


def _show_file(model: Model, path: Path, record: str | None, as_json: bool) -> None:
    patients = read_file(path, model, record)
    answers = _answers(patients)
    if as_json:
        show_json(
            [
                {"patient": p.name, "columns_read": p.read, "columns_ignored": p.ignored} | a.as_dict()
                for p, a in zip(patients, answers, strict=True)
            ]
        )
        return
    read = list(dict.fromkeys(name for patient in patients for name in patient.read))
    ignored = list(dict.fromkeys(name for patient in patients for name in patient.ignored))
    if len(answers) == 1:
        _show(answers[0], None)
        show_columns(read, ignored, "not read")
        return
    from rich.table import Table
    from rich.text import Text

    shown = console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("patient")
    for state in model.states:
        table.add_column(Text(state), justify="right", no_wrap=True)
    for patient, answer in zip(patients, answers, strict=True):
        # the interval stands below the probability, where the headings leave it room
        cells = [
            Text.assemble(
                (percent(p), "bold cyan" if state == answer.leading else ""),
                (f"\n{_encodable(answer.ranges[state], shown.encoding)}".rstrip(), "dim"),
            )
            for state, p in answer.probabilities_of.items()
        ]
        table.add_row(Text(visible(patient.name)), *cells)
    shown.print(table)
    for patient, answer in zip(patients, answers, strict=True):
        silence = answer.silence if answer.not_mentioned else ""
        for note in filter(None, (silence, *answer.evidence.notes, answer.misfit)):
            shown.print(Text(f"Note: patient {visible(patient.name)}: {note}"))
    below = "below each probability its 95% interval · " if any(answer.sureness for answer in answers) else ""
    show_columns(read, ignored, "not read")
    kinds = "record " + ", ".join(sorted({answer.record for answer in answers}))
    shown.print("", Text(f"{len(answers)} patients · {kinds} · {below}priors {model.digest[:12]}"), sep="\n")
    shown.print(Text(DISCLAIMER, style="dim"))
