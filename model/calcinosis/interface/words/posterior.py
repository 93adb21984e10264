"""A posterior in words: its verdict, its interval, whether the findings fit, what the record does not mention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from calcinosis.inference.intervals.dirichlet import ENOUGH
from calcinosis.inference.numbers import exact_percent, percent, percents
from calcinosis.inference.phrases import capitalised, listed, uncapitalised
from calcinosis.inference.posterior import CREDIBLE, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.words.document import (
    Bars,
    Block,
    Cells,
    Document,
    Picture,
    Published,
    TableBlock,
    foot_of,
)
from calcinosis.knowledge.records import ASKED

if TYPE_CHECKING:
    import pandas as pd


CAPTION = "The probability of each subtype, with its credible interval."


def diagnosis(posterior: Posterior, title: str = "", published: Published = None, most: int | None = None) -> Document:
    """The document on one patient: the probability of each subtype, and what it rests on."""
    given = posterior.evidence.given
    lines = [{"finding": finding.variable, "as given": finding.given} for finding in given]
    if any(finding.understood != finding.given for finding in given):
        understood = [finding.understood if finding.understood != finding.given else "" for finding in given]
        lines = [line | {"understood as": words} for line, words in zip(lines, understood, strict=True)]
    nothing = "Nothing observed" + ("." if posterior.not_mentioned else ": these are the prior probabilities.")
    digest, disclaimer = foot_of(posterior.digest)
    return Document(
        title,
        verdict(posterior),
        [],
        [
            Bars(posterior),
            sureness(posterior) or no_interval(posterior),
            misfit_of(posterior),
            TableBlock("", lines) if lines else nothing,
            "\n".join([silence_of(posterior), *(f"Note: {note}" for note in posterior.evidence.notes)]),
            published_as(published),
        ],
        (f"log evidence {posterior.log_evidence:.3f} · {digest}", disclaimer),
        {"posterior": Picture("posterior", posterior, CAPTION)},
        lambda: {"posterior": frame_of(posterior)},
    )


def diagnoses(posteriors: Mapping[str, Posterior], digest: str, most: int | None = None) -> Document:
    """The document on many patients: below each probability its interval."""
    lines: list[Cells] = []
    notes: list[str] = []
    for name, posterior in posteriors.items():
        ranges = ranges_of(posterior)
        cells = {state: (percent(p), ranges[state]) for state, p in posterior.probabilities_of.items()}
        lines.append({"patient": name, **cells})
        silence = silence_of(posterior) if posterior.not_mentioned else ""
        for note in (silence, *posterior.evidence.notes, misfit_of(posterior)):
            notes += [f"Note: patient {name}: {note}"] if note else []
    strong = [posterior.leading for posterior in posteriors.values()]
    intervals = any(posterior.drawn is not None for posterior in posteriors.values())
    below = "below each probability its 95% interval · " if intervals else ""
    first, disclaimer = foot_of(digest)
    foot = (f"{len(posteriors)} patients · {below}{first}", disclaimer)
    return Document("Patients", "", [], [TableBlock("", lines, strong), "\n".join(notes)], foot)


def on_patient(
    title: str,
    posterior: Posterior,
    published: Published,
    blocks: Sequence[Block],
    pictures: Mapping[str, Picture],
    tables: Callable[[], Mapping[str, pd.DataFrame]],
) -> Document:
    """The document of an analysis of one patient. Its head says which subtype leads, its interval, whether the findings
    fit (unless that is among the blocks), what the record does not mention, and the published diagnosis."""
    misfit = misfit_of(posterior)
    told = any(isinstance(block, str) and misfit in block for block in blocks)
    head = (
        sureness(posterior) or no_interval(posterior),
        "" if told else misfit,
        silence_of(posterior),
        published_as(published),
    )
    pictures = {"posterior": Picture("posterior", posterior, CAPTION), **pictures}
    lines = [line for line in head if line]
    return Document(title, verdict(posterior), lines, blocks, foot_of(posterior.digest), pictures, tables)


def published_as(published: Published) -> str:
    """The diagnosis of a published case, with its citation; empty for any other patient."""
    return f"Published as {published['diagnosis']}: {published['citation']}" if published else ""


def frame_of(posterior: Posterior) -> pd.DataFrame:
    """One line per subtype: its probability and, where there is an interval, its limits."""
    frame = posterior.probabilities.rename_axis("subtype").rename("probability").reset_index()
    drawn = posterior.drawn
    return frame if drawn is None else frame.assign(lower=drawn.lower, upper=drawn.upper)


def verdict(posterior: Posterior) -> str:
    """The most probable state, and every other state that cannot be excluded."""
    first, *others = posterior.credible_set()
    unsure = "" if posterior[first] >= 0.5 else "only "
    most = f"Most probable: {posterior.labels[first]}, {unsure}{percent(posterior[first])}."
    if not others:
        return f"{most} All others together: under {exact_percent(1 - CREDIBLE)}."
    rest = listed(f"{posterior.labels[state]} ({percent(posterior[state])})" for state in others)
    return f"{most} {capitalised(rest)} cannot be excluded."


def ranges_of(posterior: Posterior) -> dict[str, str]:
    """The interval of each state, such as '43–78%'; empty if there is none."""
    limits = posterior.limits()
    return {state: percents(*limits[state].values()) if limits else "" for state in posterior}


def sureness(posterior: Posterior) -> str:
    """The most probable state with its interval, and the share of samples in which it ranks first; empty if there is no
    interval."""
    drawn = posterior.drawn
    if drawn is None:
        return ""
    share = dict(zip(posterior, drawn.leads, strict=True))[posterior.leading]
    rough = f" Few samples fit these findings ({drawn.effective:,.0f} in effect), so the limits are approximate."
    label = capitalised(posterior.labels[posterior.leading])
    return (
        f"{label}: {percent(posterior[posterior.leading])}, {exact_percent(drawn.mass)} credible interval "
        f"{ranges_of(posterior)[posterior.leading]} (the uncertainty of the tables); it is the most probable in "
        f"{percent(share)} of the samples of the tables.{rough if drawn.effective < ENOUGH else ''}"
    )


def no_interval(posterior: Posterior) -> str:
    """Why there is no interval although the rows have weights; empty if there is one."""
    return f"No interval: {posterior.not_drawn}." if posterior.not_drawn else ""


def misfit_of(posterior: Posterior) -> str:
    """The conflict among the findings in words; empty where they fit, or where it is not known."""
    try:
        fit = posterior.fit
    except QuestionError:
        return ""
    return "" if fit.category == "consistent" else fit.verdict


def fit_in_words(posterior: Posterior) -> str:
    """Whether the findings fit together, with conflict and rarity in figures; or why that is not known."""
    try:
        fit = posterior.fit
    except QuestionError as error:
        return f"{capitalised(str(error))}."
    return f"{fit.verdict} {fit.figures}"


def silence_of(posterior: Posterior) -> str:
    """One line: the record that was assumed, and what it does not mention."""
    if posterior.record == ASKED:
        return "Record: asked, so findings not entered are unknown"
    variables = posterior.fitting.network.variables if posterior.fitting else {}
    names = [uncapitalised(variables[name].label) if name in variables else name for name in posterior.not_mentioned]
    record = posterior.record.replace("_", " ")
    return f"Not mentioned ({record}): {', '.join(names) or 'nothing that the tables cover'}"
