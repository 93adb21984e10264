"""Fill in the figures of MODEL_CARD.md again: python notebooks/scripts/model_card.py [FILE]."""

import csv
import re
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

import calcinosis as cc
from calcinosis.analysis.learn.cross_validation import _folds
from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.validate import metrics
from calcinosis.analysis.validate.calibration import calibration_error
from calcinosis.analysis.validate.labelled_cases import read_cases
from calcinosis.analysis.validate.patient_weights import bootstrap_weights, interval
from calcinosis.knowledge.folder import copy_folder
from calcinosis.knowledge.records import REPORTING, SOURCE_KINDS

CARD = Path(__file__).resolve().parent.parent.parent / "MODEL_CARD.md"
SHARES = ("accuracy", "top_two", "balanced_accuracy")
START = re.compile(r"starting value ([\d.]+)%, 95% range ([\d.]+) to ([\d.]+)%")
"""How the note of a learned rate says what it was before."""
FOLDS = 10


def table(heads, lines):
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in (heads, ["---"] * len(heads), *lines))


def priors_in_words(model, found):
    """What the tables rest on."""
    priors = model.priors
    rows = [row for own in priors.tables.values() for row in own.rows]
    judged = sum(priors.rests_on_judgement(row) for row in rows)
    kinds = Counter(source.kind for source in priors.sources.values())
    weights = [row.weight for row in rows]
    named = ", ".join(f"{kinds[kind]} {kind}" for kind in SOURCE_KINDS if kinds[kind])
    return (
        f"{len(priors.variables)} variables, {len(rows)} rows in {len(priors.tables)} tables, {len(priors.sources)} "
        f"sources ({named}). {judged} rows rest on judgement or definition alone. The rows weigh from "
        f"{min(weights):g} to {max(weights):g} patients, the median is {np.median(weights):g}. Priors "
        f"`{model.digest[:12]}`."
    )


def predictors(model, found):
    """Each predictor, its states, and in how many of the published patients it is known."""
    looked = {name: int(mask.sum()) for name, mask in found.cases.observed.items()}
    lines = [
        (variable.label, variable.group, ", ".join(variable.state_names), looked.get(name, 0))
        for name, variable in model.variables.items()
        if name != model.target and variable.group != "hidden"
    ]
    return table(["predictor", "group", "states", f"known in, of {len(found.cases)}"], lines)


def patients(model, found):
    """The published patients by subtype."""
    truth = Counter(found.patients["truth"])
    hard = Counter(found.patients["truth"][found.patients["hard"]])
    lines = [(state, truth[state], hard[state]) for state in model.states]
    every = ("all", len(found.cases), sum(hard.values()))
    return table(["diagnosis", "patients", "unusual or misleading"], [*lines, every])


def before_learning(model):
    """The same model with the rates of records as they were before they learned, from their notes."""
    with tempfile.TemporaryDirectory() as place:
        folder = copy_folder(Path(model.priors.folder), Path(place) / "priors")
        path = folder / "reporting.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        learned = [row for row in rows if "EM" in row["note"]]
        if not learned:
            raise ValueError("no rate says that it was learned")
        for row in learned:
            if not (start := START.search(row["note"])):
                raise ValueError(f"the note does not say where the rate started: {row['note']}")
            rate, low, high = (float(own) / 100 for own in start.groups())
            row |= {"mentioned": f"{rate:g}", "weight": f"{cc.weight_for(rate, low=low, high=high).weight:.1f}"}
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return cc.load(folder)


def cross_validated(start, prior=None):
    """The answers for each tenth of the patients, with rates learned from the other nine; the tables stay."""
    part = _folds(start, FOLDS, 0)  # those of cc.learn.cross_validate
    rates = [name for name, variable in start.model.variables.items() if variable.group == REPORTING]
    answers = np.empty((len(start), len(start.model.states)))
    for number in range(FOLDS):
        learned = cc.learn.update(start.model, start.some(np.flatnonzero(part != number)), only=rates)
        mine = np.flatnonzero(part == number)
        answers[mine] = replace(start.some(mine), model=learned.model).probabilities(prior)
    return answers


def records(model, found):
    """What silence does: the patients as asked, and as their own kind of record; with two priors."""
    truth, weights = found.cases.truth, np.ones((1, len(found.cases)))
    start = read_cases(before_learning(model), cc.cases())
    asked = read_cases(model, cc.cases(), record="asked")
    own_mix = (np.bincount(truth) / len(truth)).tolist()
    lines, losses = [], {}
    for mix, prior in (("the network's", None), ("the patients' own", own_mix)):
        for name, answers in (
            ("`asked`", asked.probabilities(prior)),
            ("own kind of record, rates before learning", start.probabilities(prior)),
            ("own kind of record, cross-validated", cross_validated(start, prior)),
            ("own kind of record, as shipped", found.cases.probabilities(prior)),
        ):
            right, second, loss, brier, error = (
                float(function(answers, truth, weights)[0])
                for function in (metrics.accuracy, metrics.top_two, metrics.log_loss, metrics.brier, calibration_error)
            )
            lines.append((mix, name, f"{right:.3f}", f"{second:.3f}", f"{loss:.3f}", f"{brier:.3f}", f"{error:.3f}"))
            losses[mix, name] = metrics.log_scores(answers, truth)
    heads = ["mix of subtypes", "read as", "right first", "first two", "log loss", "Brier score", "calibration error"]
    draws = bootstrap_weights(len(truth), 2000)
    gains = []
    for mix in ("the network's", "the patients' own"):
        saved = losses[mix, "`asked`"] - losses[mix, "own kind of record, cross-validated"]
        lower, upper = interval(draws @ saved / draws.sum(axis=1), 0.95)
        gains.append(f"{saved.mean():.3f} ({lower:.3f} to {upper:.3f}) under {mix} mix")
    return f"{table(heads, lines)}\n\nLog loss as `asked`, minus log loss cross-validated: {'; '.join(gains)}."


def performance(model, found):
    """Each metric with its interval."""
    lines = []
    for own in lines_of(found.metrics):
        if own.metric in SHARES:
            lines.append((own.label, f"{own.value:.2f}", f"{own.lower:.2f} to {own.upper:.2f}"))
        else:
            lines.append((own.label, f"{own.value:.3f}", f"{own.lower:.3f} to {own.upper:.3f}"))
    for own in lines_of(found.roc):
        lines.append((f"area under ROC, {own.subtype}", f"{own.area:.3f}", f"{own.lower:.3f} to {own.upper:.3f}"))
    return table(["metric", "value", "95 % interval"], lines)


def benefit(model, found):
    """What deciding by the probability of the gravest subtype gains, at some thresholds."""
    curve = cc.decision_curve(model, found, thresholds=[0.1, 0.2, 0.3, 0.5, 0.7])
    lines = [
        (
            f"{own.threshold:.0%}",
            f"{100 * own.net_benefit:.1f} ({100 * own.lower:.1f} to {100 * own.upper:.1f})",
            f"{100 * own.treat_all:.1f}",
            f"{100 * own.gain:.1f} ({100 * own.gain_lower:.1f} to {100 * own.gain_upper:.1f})",
        )
        for own in lines_of(curve.frame)
    ]
    heads = [f"would treat {curve.state} from", "net benefit, of 100 patients", "treating all", "gain over both"]
    return table(heads, lines)


def baselines(model, found):
    """The network beside what it is measured against."""
    lines = []
    for name in dict.fromkeys(found.baselines["baseline"]):
        own = found.baselines[found.baselines["baseline"] == name].set_index("metric")
        right, loss, brier = (own["value"][metric] for metric in ("accuracy", "log_loss", "brier"))
        lines.append((own["label"].iloc[0], f"{right:.2f}", f"{loss:.3f}", f"{brier:.3f}"))
    return table(["what answers", "right first", "log loss", "Brier score"], lines)


def groups(model, found):
    """The answers for groups of patients."""
    lines = [
        (f"{own.by}: {own.group.replace('_', ' ')}", own.patients, own.right, f"{own.log_loss:.3f}")
        for own in lines_of(found.groups)
    ]
    return table(["group", "patients", "right first", "log loss"], lines)


def weakest(model, found):
    """The variables that mislead most, and those that carry most."""
    every = lines_of(found.variables)
    lines = [
        (own.label, own.patients, f"{own.change:+.3f} ({own.lower:+.3f} to {own.upper:+.3f})", own.helped, own.misled)
        for own in [*every[:4], *every[-4:]]
    ]
    return table(["variable", "known in", "log loss without it, minus with it", "helped", "misled"], lines)


BLOCKS = {
    f.__name__: f
    for f in (priors_in_words, predictors, patients, records, performance, benefit, baselines, groups, weakest)
}


def filled(text):
    """The card with every block between its marks filled in."""
    model = cc.load()
    found = cc.validate(model, cc.cases())
    for name, block in BLOCKS.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        if len(re.findall(pattern, text, flags=re.DOTALL)) != 1:
            raise SystemExit(f"MODEL_CARD.md needs one block {name}")
        text = re.sub(pattern, lambda m, b=block: f"{m[1]}{b(model, found)}\n{m[2]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    card = Path(sys.argv[1]) if len(sys.argv) > 1 else CARD
    card.write_text(filled(card.read_text(encoding="utf-8")), encoding="utf-8")
