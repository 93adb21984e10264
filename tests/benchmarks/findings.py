"""How fast are the questions about a patient's findings? python tests/benchmarks/findings.py [--out DIR]

Explanation, what-if and next test of one published case, jones2023, written to findings.json and findings.md. Needs the
extra `dev` and about two minutes.

pyAgrum has Shapley values of its own, for every state against the rest: they are asked for the same findings and must
agree to 1e-10 before anything is timed. What no peer has is asked of both by brute force, one query for each set of
findings that our engine weighs, in the form that is the fastest (peers.py), on a sample, and extrapolated. Three
biopsies are three nodes with the same table. As in the other benchmarks the engines take turns within each round.
"""

import argparse
import json
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import machine
import numpy as np
import pyagrum.explain
from first_calls import CASE, findings_of
from peers import FORMS, NAMES, fastest, to_pyagrum
from race import OURS, agreed, alone, line, race, seconds
from subjects import shipped
from table import table

import calcinosis as cc
from calcinosis.analysis.explain.explanation import MOST_FINDINGS
from calcinosis.analysis.whatif.changes import changes_of
from calcinosis.analysis.workup.outcomes import offered, outcomes, tests_of
from calcinosis.inference.conflict.comparison import Fitting

ROUNDS = 9
SAMPLE = 40
"""How many queries each peer is asked in a round."""

HERE = Path(__file__).parent


def one_node_per_result(network, findings):
    """The findings and the network in which each repeated result has a node of its own, with the same table."""
    parts = {part: dict(getattr(network, part)) for part in ("variables", "parents", "tables")}
    evidence = {}
    for name, given in findings.items():
        for number, result in enumerate(given.split(",") if network.variables[name].repeatable else [given]):
            node = f"{name}_{number + 1}" if number else name
            evidence[node] = result
            for part in parts.values():
                part[node] = part[name]
    return evidence, replace(network, **parts, weights={})


def shapley(model, findings):
    """Shapley values of every state against the rest, beside pyAgrum's own; ours alone for more findings."""
    single = [(name, value) for name, value in findings.items() if "," not in value]
    few = dict(single[:10])
    peer = pyagrum.explain.ConditionalShapValues(to_pyagrum(model.network), model.target, logit=True)

    def ours():
        return [cc.explain(model, few, state=state).frame for state in model.states]

    theirs = peer.compute(few)
    worst = max(
        abs(theirs[number][line.variable] - line.contribution)
        for number, frame in enumerate(ours())
        for line in frame.itertuples()
    )
    taken = race({OURS: lambda _: ours() and 1, "pyAgrum": lambda _: peer.compute(few) and 1}, ROUNDS)
    lines = [line(f"Shapley values, {len(few)} findings, every state against the rest", taken)]
    every = {v.name: v.state_names[0] for v in model.variables.values() if v.group not in ("hidden", "outcome")}
    for count in (15, 20, MOST_FINDINGS):
        known = model.read(dict(list(every.items())[:count]))
        asked = partial(cc.explain, model, known)
        lines.append(alone(f"Shapley values, {count} findings, one state", _median(asked, 3 if count > 20 else ROUNDS)))
    return {
        "title": "What each finding contributed",
        "lines": lines,
        "asked": {"pyAgrum": "ConditionalShapValues, logit"},
        "difference": agreed(worst),
        "notes": [f"largest difference of a value: {worst:.1e}"],
    }


def what_if(model, findings, rng):
    """Every single change, the fewest that change who leads, two tests ahead; the peers by brute force."""
    evidence = model.read(findings)
    changes = [c for c in changes_of(model, evidence) if c.kind in ("added", "changed")]
    sets = cc.whatif.flips(model, evidence).tried
    ahead = _outcomes_ahead(model, evidence)
    known, network = one_node_per_result(model.network, findings)
    patients = []
    for change in rng.choice(len(changes), SAMPLE):
        patient = dict(known)
        for number, result in enumerate(changes[change].value.split(",")):
            patient[f"{changes[change].variable}_{number + 1}" if number else changes[change].variable] = result
        patients.append(patient)
    forms = {name: fastest(FORMS[name](network), patients[:10], whole=True) for name in NAMES}
    worst = max(
        abs(theirs - ours)
        for form in forms.values()
        for patient in patients[:20]
        for theirs, ours in zip(form(patient), cc.Model(network).probabilities(patient).values(), strict=True)
    )
    asked = {
        f"sweep: every single change, {len(changes)} queries": (lambda: cc.whatif.sweep(model, evidence), len(changes)),
        f"flips: every set of up to three, {sets:,} queries": (lambda: cc.whatif.flips(model, evidence), sets),
        f"next test, two steps ahead, {ahead:,} queries": (lambda: cc.next_test(model, evidence), ahead),
    }
    lines = []
    for question, (ask, queries) in asked.items():
        entrants = {OURS: lambda _, ask=ask: _once(ask)}
        for name, form in forms.items():
            entrants[name] = lambda _, form=form, queries=queries: [form(p) for p in patients] and SAMPLE / queries
        lines.append(line(question, race(entrants, ROUNDS)))
    return {
        "title": "What if, and what next",
        "lines": lines,
        "asked": {name: form.name for name, form in forms.items()},
        "difference": agreed(worst),
        "notes": [
            f"the peers: extrapolated from {SAMPLE} queries a round",
            f"largest difference of a probability: {worst:.1e}",
        ],
    }


def others(model, findings):
    """What is measured for our engine alone."""
    evidence = model.read(findings)
    asked = {
        "does it fit? the first time": lambda: Fitting(model.network, model.engine).fit(evidence),
        "does it fit? again": lambda: model.fitting.fit(evidence),
        "explanation with the rows behind it": lambda: cc.explain(model, evidence).rows,
        "every two changes": lambda: cc.whatif.pairs(model, evidence),
        "trajectory with intervals": lambda: cc.whatif.trajectory(model, evidence),
        "most probable explanation": lambda: cc.whatif.most_probable(model, evidence),
        "plan of six biopsies with intervals": lambda: cc.serial_testing(model, evidence, state="calciphylaxis"),
    }
    return {"title": "Ours alone", "lines": [alone(question, _median(ask, ROUNDS)) for question, ask in asked.items()]}


def _outcomes_ahead(model, evidence):
    """How many outcomes of a test, and of a second after it, there are."""
    known = {finding.variable for finding in evidence}
    total = 0
    for test in offered(model, tests_of(model), known):
        first = len(outcomes(model, evidence, [test.reveals])[0].joint)
        total += first
        for second in offered(model, tests_of(model), {*known, *test.reveals}):
            total += first * len(outcomes(model, evidence, [second.reveals])[0].joint)
    return total


def markdown(figures):
    """The table in Markdown, with the machine and the date."""
    rows = ["| | calcinosis | pyAgrum | pgmpy | × pyAgrum | × pgmpy |", "| --- | --- | --- | --- | --- | --- |"]
    for section in ("shapley", "what_if", "others"):
        for own in figures[section]["lines"]:
            times = [_time(own["seconds"].get(name)) for name in (OURS, *NAMES)]
            ratios = [f"{own['ratios'][name]['median']:,.0f}" if name in own["ratios"] else "" for name in NAMES]
            rows.append(f"| {' | '.join([own['question'], *times, *ratios])} |")
    about = figures["machine"]
    words = (
        f"The published case {CASE}; medians. Shapley values: pyAgrum's own. The rest of the peers by brute force, one "
        "query for each set of findings, in the form in which they are the fastest, extrapolated from "
        f"{SAMPLE} queries. "
        f"The values differ by at most {max(figures[s]['difference'] for s in ('shapley', 'what_if')):.0e}. "
        f"Measured on {figures['date']} on {about['processor']} with {about['cores']} cores."
    )
    return "\n".join([*rows, "", words, ""])


def _once(ask):
    ask()
    return 1


def _median(ask, times):
    ask()
    return median([seconds(ask) for _ in range(times)])


def _time(seconds):
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="the questions about a patient's findings, beside the peers")
    parser.add_argument("--out", type=Path, metavar="DIR", default=HERE / "results", help="where the figures go")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    start = perf_counter()
    model = shipped()
    findings = findings_of(model, CASE)
    figures = {"date": datetime.now(UTC).date().isoformat(), "case": CASE, "machine": machine.describe()}
    print(machine.words(figures["machine"]))
    sections = {
        "shapley": lambda: shapley(model, findings),
        "what_if": lambda: what_if(model, findings, np.random.default_rng(5)),
        "others": lambda: others(model, findings),
    }
    for name, measure in sections.items():
        figures[name] = measure()
        print(f"\n{table(figures[name])}", flush=True)
    figures["seconds"] = round(perf_counter() - start)
    print(f"\n{figures['seconds']} seconds")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "findings.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (options.out / "findings.md").write_text(markdown(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
