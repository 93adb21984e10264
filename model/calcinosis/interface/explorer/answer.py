"""The answer that is always in sight: a verdict in words, then one bar per state, in fixed order on one scale."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from calcinosis.analysis.workup.information import entropy
from calcinosis.inference.conflict.conflict import TIE, Fit
from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.numbers import percent
from calcinosis.inference.phrases import capitalised, counted, listed, phrase
from calcinosis.inference.posterior import CREDIBLE, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.words.posterior import no_interval, ranges_of

OPEN = 0.75
"""While more than this share of the uncertainty of the prior (its entropy) is left, the findings leave it open."""

FEW = 5
"""If they do, and there are fewer than this, too little was entered to say."""


class Verdict(NamedTuple):
    """What is to be said before the bars: a category for the looks, a headline, and sentences below it."""

    category: str
    headline: str
    detail: str


def answer(situation: Situation) -> dict[str, Any]:
    """What the template of the answer shows."""
    posterior = situation.posterior
    if posterior is None:
        return {"verdict": _refused(situation), "bars": (), "clash": _clash(situation)} | _own_estimate(situation)
    return {
        "verdict": verdict_of(situation, posterior),
        "bars": _bars(situation, posterior),
        "clash": (),
        "leads": leads_in_words(posterior),
        "no_interval": no_interval(posterior),
        "frequencies": frequencies(posterior),
        "notes": posterior.evidence.notes,
        "record": record_in_words(posterior),
        "given": len(posterior.evidence),
        "edits": len(situation.page.edits),
        "mass": round(100 * CREDIBLE),
    } | _own_estimate(situation)


def verdict_of(situation: Situation, posterior: Posterior) -> Verdict:
    """Whether the findings fit, whether they suffice, and what leads."""
    if not posterior.evidence:
        return Verdict(
            "empty", "Nothing entered yet", "The bars show the prior: how common each subtype is taken to be."
        )
    try:
        fit = posterior.fit
    except QuestionError as error:
        return Verdict("plain", posterior.summary, f"{capitalised(str(error))}.")
    found = _misfit(situation, fit, posterior)
    if found is not None:
        return found
    if left := _uncertainty_left(situation, posterior):
        few = len(posterior.evidence) < FEW
        headline = "Too little entered to say" if few else "The findings fit together, but leave it open"
        return Verdict("little", headline, f"{left} {posterior.summary}")
    return Verdict("fits", "The findings fit together", posterior.summary)


def _misfit(situation: Situation, fit: Fit, posterior: Posterior) -> Verdict | None:
    if fit.category == "consistent":
        return None
    detail = f"{fit.verdict} {posterior.summary}"
    leading = situation.label(posterior.leading)
    if fit.conflicting and fit.conflict_given.get(posterior.leading, np.inf) <= TIE:
        return Verdict("rare", f"An unusual presentation of {leading}", detail)
    if fit.conflicting and fit.conflicting_pairs:
        pair = [phrase(situation.model.variables[name], posterior.evidence[name]) for name in fit.conflicting_pairs[0]]
        return Verdict("conflict", f"These two findings do not go together: {listed(pair)}", detail)
    if fit.conflicting:
        return Verdict("conflict", "The findings do not go together", detail)
    if fit.fits_none:
        return Verdict("none", f"None of the {counted(len(posterior))} explains this well", detail)
    return Verdict("rare", "An unusual combination of findings", detail)


def _uncertainty_left(situation: Situation, posterior: Posterior) -> str:
    """A sentence on how little was learnt; empty if it suffices."""
    before, now = (float(entropy(np.array(list(p.values())))) for p in (situation.prior, posterior.probabilities_of))
    if before <= 0 or now < OPEN * before:
        return ""
    removed = max(0.0, 1 - now / before)
    return f"What was entered has taken away {percent(removed)} of the uncertainty."


def _refused(situation: Situation) -> Verdict:
    error = situation.refused
    if isinstance(error, ImpossibleEvidence):
        names = listed(phrase(situation.model.variables[f.variable], f) for f in error.clash)
        headline = "This finding cannot be" if len(error.clash) == 1 else "These findings cannot be true together"
        return Verdict("conflict", f"{headline}: {names}", "One of them, or a zero in the tables, must be wrong.")
    return Verdict("conflict", "No answer", capitalised(str(error)))


def _clash(situation: Situation) -> tuple[dict[str, str], ...]:
    """The findings of which one must go, for there to be an answer."""
    error = situation.refused
    if not isinstance(error, ImpossibleEvidence):
        return ()
    variables = situation.model.variables
    return tuple({"variable": f.variable, "words": phrase(variables[f.variable], f)} for f in error.clash)


def _bars(situation: Situation, posterior: Posterior) -> list[dict[str, Any]]:
    limits, ranges = posterior.limits(), ranges_of(posterior)
    return [
        {
            "state": state,
            "label": posterior.labels[state],
            "rank": rank,
            "percent": percent(probability),
            "width": f"{100 * probability:.4f}",
            "prior": f"{100 * situation.prior[state]:.2f}",
            "prior_percent": percent(situation.prior[state]),
            "was": f"{100 * situation.was[state]:.2f}" if _moved(situation, state, probability) else "",
            "was_percent": percent(situation.was[state]) if _moved(situation, state, probability) else "",
            "range": ranges[state],
            "interval": _gradient(probability, **limits[state]) if state in limits else None,
            "leading": state == posterior.leading,
        }
        for (state, probability), rank in zip(posterior.probabilities_of.items(), ranks(posterior), strict=True)
    ]


def lengths(situation: Situation) -> list[tuple[str, str, int]] | None:
    """Of each bar its length, its probability in words and its rank, as `answer` has them; None if none are shown."""
    posterior = situation.posterior
    if posterior is None or situation.page.waits:
        return None
    return [
        (f"{100 * p:.4f}", percent(p), rank)
        for p, rank in zip(posterior.probabilities_of.values(), ranks(posterior), strict=True)
    ]


def ranks(posterior: Posterior) -> list[int]:
    """The rank of each state, in their order."""
    order = sorted(posterior, key=lambda state: -posterior[state])
    return [order.index(state) + 1 for state in posterior]


def _moved(situation: Situation, state: str, probability: float) -> bool:
    """Whether the state before the last change is worth a mark: a pixel or more away."""
    return state in situation.was and abs(situation.was[state] - probability) >= 0.005


def _gradient(probability: float, lower: float, upper: float) -> dict[str, str]:
    """The interval as a band that is darkest at the posterior and fades out to its limits, in percent of the track."""
    width = max(upper - lower, 1e-9)
    middle = min(max((probability - lower) / width, 0.0), 1.0)
    return {"left": f"{100 * lower:.2f}", "width": f"{100 * width:.2f}", "middle": f"{100 * middle:.1f}"}


def leads_in_words(posterior: Posterior) -> str:
    """How sure the leading state leads, in parameter sets that the sources leave plausible; empty if not known."""
    if not posterior.limits():
        return ""
    share = float(posterior.leads[posterior.leading])
    times = "more than 99" if share > 0.99 else "fewer than 1" if share < 0.01 else f"{100 * share:.0f}"
    return f"{capitalised(posterior.labels[posterior.leading])} leads in {times} of 100 plausible parameter sets."


def record_in_words(posterior: Posterior) -> str:
    """Which kind of record was assumed. A page asks for each finding, so what is not entered says nothing.

    >>> import calcinosis as cc
    >>> record_in_words(cc.load().posterior(pain="severe"))
    'Record assumed: asked. What is not entered counts as unknown.'
    """
    silence = "is evidence" if posterior.not_mentioned else "counts as unknown"
    return f"Record assumed: {posterior.record.replace('_', ' ')}. What is not entered {silence}."


def frequencies(posterior: Posterior) -> list[dict[str, Any]]:
    """Of 100 patients like this one, how many have each state: whole patients that add up to 100."""
    shares = np.array([100 * p for p in posterior.probabilities_of.values()])
    whole = np.floor(shares).astype(int)
    for place in np.argsort(-(shares - whole), kind="stable")[: 100 - whole.sum()]:
        whole[place] += 1
    return [
        {"state": state, "label": posterior.labels[state], "count": int(count), "letter": state[:2].capitalize()}
        for state, count in zip(posterior, whole, strict=True)
    ]


def _own_estimate(situation: Situation) -> dict[str, Any]:
    """The user's first estimate beside ours, or that it is still waited for."""
    page, posterior = situation.page, situation.posterior
    found: dict[str, Any] = {
        "hidden": page.waits,
        "estimate": page.estimate,
        "blind": page.blind,
        "difference": "",
    }
    found["states"] = [(state, situation.label(state)) for state in situation.model.states]
    if page.estimate and posterior is not None:
        ours = posterior[page.estimate.state]
        leads = (
            ""
            if posterior.leading == page.estimate.state
            else (f" Here {posterior.labels[posterior.leading]} leads with {percent(posterior[posterior.leading])}.")
        )
        found["difference"] = (
            f"You said {posterior.labels[page.estimate.state]} {page.estimate.percent}%; the network says "
            f"{percent(ours)}.{leads}"
        )
    return found
