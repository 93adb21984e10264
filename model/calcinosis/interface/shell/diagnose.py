"""`calcinosis diagnose`: the posterior of a patient, or of each patient in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.numbers import percent
from calcinosis.inference.posterior import DISCLAIMER, Posterior, bar
from calcinosis.interface.shell.question import Forms, Question, question
from calcinosis.interface.words.printing import console
from calcinosis.knowledge.problem import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from calcinosis.interface.reports.page import Report

NARROW = 12
"""The fewest characters that bars have beside an interval."""


@question(most=None, unique=False)
def diagnose(ask: Question) -> None:
    """Show how probable each subtype is, given a patient's findings.

    Example: calcinosis diagnose cirrhosis=yes weight_loss=yes pain=intermittent vascular_histology=absent,absent
    """
    forms: Forms[Posterior] = Forms(
        plain=lambda result: result.as_dict(), one=_show, many=_show_file, report=diagnose_report
    )
    ask.answer(lambda patient: patient.model.posterior(patient.evidence), forms)


def diagnose_report(result: Posterior, title: str) -> Report:
    """The report on one patient: the posterior with its intervals, and whether the findings fit."""
    from calcinosis.interface.reports.page import Report, paragraph

    frame = result.probabilities.rename_axis("subtype").rename("probability").reset_index()
    if result.sureness:
        frame = frame.assign(**result.interval().reset_index(drop=True))
    figures = {"posterior": (result.plot, "The probability of each subtype, with its credible interval.")}
    words = (result.sureness or result.no_interval, result.misfit)
    return Report.on_patient(title, result, [paragraph(text) for text in words], figures, {"posterior": frame})


def _show(answer: Posterior, published: dict[str, str] | None) -> None:
    from rich.text import Text

    shown = console()
    shown.print(Text(answer.verdict, style="bold"))
    shown.print("", _bars(answer, shown), "", sep="\n")
    for words in (answer.sureness or answer.no_interval, answer.misfit):
        if words:
            shown.print(Text(words), "", sep="\n")
    if len(answer.evidence.given):
        shown.print(_findings(answer))
    else:
        shown.print("Nothing observed" + ("." if answer.not_mentioned else ": these are the prior probabilities."))
    shown.print("", Text(answer.silence), sep="\n")
    for note in answer.evidence.notes:
        shown.print(Text(f"Note: {note}"))
    if published:
        shown.print("", Text(f"Published as {published['diagnosis']}: {published['citation']}"), sep="\n")
    shown.print("", Text(f"log evidence {answer.log_evidence:.3f} · priors {answer.digest[:12]}"), sep="\n")
    shown.print(Text(DISCLAIMER, style="dim"))


def _bars(answer: Posterior, shown: Console) -> Table:
    """The probabilities with their intervals, as bars; in a narrow terminal the intervals are below."""
    from rich.table import Table
    from rich.text import Text

    bars = Table.grid(padding=(0, 2))
    bars.add_column(overflow="fold")
    ranges = {state: _encodable(words, shown.encoding) for state, words in answer.ranges.items()}
    longest, widest = max(map(len, answer.labels.values())), max(map(len, ranges.values()))
    room = shown.width - longest - len("> 99%") - widest - 8
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
    return bars


def _findings(answer: Posterior) -> Table:
    """The findings as they were given, and as they were understood where that differs."""
    from rich.table import Table
    from rich.text import Text

    given = answer.evidence.given
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("finding", overflow="fold")
    table.add_column("as given", overflow="fold")
    table.add_column("understood as" if any(map(_understood, given)) else "", overflow="fold")
    for finding in given:
        table.add_row(*map(Text, map(visible, (finding.variable, finding.given, _understood(finding)))))
    return table


def _encodable(words: str, encoding: str) -> str:
    """An interval with a hyphen for the dash where the encoding has none."""
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        return words.replace("–", "-")
    return words


def _understood(finding: Finding) -> str:
    """What a finding was understood as, where that is not what was given."""
    return "" if finding.understood == finding.given else finding.understood


def _show_file(answers: Sequence[tuple[str, Posterior]]) -> None:
    if len(answers) == 1:
        _show(answers[0][1], None)
        return
    from rich.table import Table
    from rich.text import Text

    shown = console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("patient")
    first = answers[0][1]
    for state in first.labels:
        table.add_column(Text(state), justify="right", no_wrap=True)
    for name, answer in answers:
        # the interval is below the probability, where the headings leave it room
        cells = [
            Text.assemble(
                (percent(p), "bold cyan" if state == answer.leading else ""),
                (f"\n{_encodable(answer.ranges[state], shown.encoding)}".rstrip(), "dim"),
            )
            for state, p in answer.probabilities_of.items()
        ]
        table.add_row(Text(name), *cells)
    shown.print(table)
    for name, answer in answers:
        silence = answer.silence if answer.not_mentioned else ""
        for note in filter(None, (silence, *answer.evidence.notes, answer.misfit)):
            shown.print(Text(f"Note: patient {name}: {note}"))
    below = "below each probability its 95% interval · " if any(answer.sureness for _, answer in answers) else ""
    shown.print("", Text(f"{len(answers)} patients · {below}priors {first.digest[:12]}"), sep="\n")
    shown.print(Text(DISCLAIMER, style="dim"))
