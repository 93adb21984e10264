"""How fast are the analyses of one posterior? python tests/benchmarks/sensitivity.py [--out DIR]

Asks them of one published case, jones2023, and writes sensitivity.json and sensitivity.md. Needs the extra `dev` and
about a minute.

pgmpy has no sensitivity analysis, so it is asked by brute force: a table is changed, the query is put again. An entry
takes two queries, at 0 and at 1, the rest of its row moving in proportion: these and the present posterior give its
whole function. A draw takes new tables, from numpy, and one query. Both are timed on a sample and extrapolated; all
entries are also asked once, when the answers are compared. Nothing is timed before they agree to 1e-10. Three biopsies
are three nodes with the same table.

How a table is changed, and in which form the query is put, is chosen by trying: a copy of the network with another CPD,
as a manual would have it; the same network with the numbers of its CPD overwritten; and a Markov network, of all tables
or of those only that the findings have to do with, overwritten too. The fastest is compared with, and, on a line of its
own, the copy. As in the other benchmarks the engines take turns within each round.
"""

import argparse
import json
import subprocess
import sys
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from statistics import median
from time import perf_counter

import machine
import numpy as np
from first_calls import CASE, DRAWS, findings_of, sweep
from peers import pgmpy
from pgmpy.factors.discrete import TabularCPD
from race import OURS, agreed, alone, line, race, seconds
from subjects import shipped
from table import table

import calcinosis as cc
from calcinosis.inference.pgmpy_bridge import to_pgmpy

ROUNDS = 15
SAMPLE = 15
"""How many entries pgmpy is asked about in a round."""

DRAWN = 20
"""How many draws pgmpy is asked about in a round."""

PARTS = ("variables", "parents", "tables")

HERE = Path(__file__).parent


class Overwritten:
    """the network itself, its CPD overwritten"""

    def __init__(self, network, findings):
        self.target = network.target
        self.evidence, self.nodes, self.net = _one_node_per_result(self.part(network, findings), findings)
        self.factors = self.prepare()

    def part(self, network, findings):
        """The part of the network that is asked."""
        return network

    def prepare(self):
        """Make the engine; the factors whose numbers it takes, in the order of the network's CPDs."""
        self.engine = pgmpy.inference.VariableElimination(self.net)
        return self.net.cpds

    @cached_property
    def views(self):
        """The numbers of each table, its own axis last, to be overwritten."""
        return {
            cpd.variable: np.moveaxis(factor.values, 0, -1)
            for cpd, factor in zip(self.net.cpds, self.factors, strict=True)
        }

    def change(self, tables):
        """Give these variables other tables, axes `(*parents, own)`."""
        for name, numbers in tables.items():
            for node in self.nodes.get(name, ()):
                self.views[node][...] = numbers

    def ask(self):
        """The posterior of the target with the tables as they are."""
        found = self.engine.query(
            [self.target], evidence=self.evidence, elimination_order="greedy", show_progress=False
        ).values
        return found / found.sum()


class Copied(Overwritten):
    """a copy of the network with another CPD"""

    def change(self, tables):
        self.net = self.net.copy()
        for name, numbers in tables.items():
            for node in self.nodes[name]:
                old = self.net.get_cpds(node)
                values = numbers.reshape(-1, numbers.shape[-1]).T
                parents, cards = old.variables[1:] or None, old.cardinality[1:].tolist() or None
                self.net.add_cpds(TabularCPD(node, len(values), values, parents, cards, old.state_names))
        self.engine = pgmpy.inference.VariableElimination(self.net)


class Markov(Overwritten):
    """the Markov network of all tables, its factor overwritten"""

    def prepare(self):
        flat = self.net.to_markov_model()
        self.engine = pgmpy.inference.VariableElimination(flat)
        return flat.factors


class Relevant(Markov):
    """the Markov network of the tables that matter, its factor overwritten"""

    def part(self, network, findings):
        kept = relevant(network, findings)
        parts = {part: {name: getattr(network, part)[name] for name in kept} for part in PARTS}
        return replace(network, **parts, weights={})


FORMS = (Overwritten, Copied, Markov, Relevant)


def relevant(network, findings):
    """The variables whose tables the findings have to do with: the target, what was observed, and all ancestors."""
    kept = {network.target, *findings}
    while more := {parent for name in kept for parent in network.parents[name]} - kept:
        kept |= more
    return [name for name in network.variables if name in kept]


def _one_node_per_result(network, findings):
    """The evidence, the nodes of each variable, and a pgmpy network in which each repeated result has its own."""
    evidence, nodes = {}, {name: [name] for name in network.variables}
    parts = {part: dict(getattr(network, part)) for part in PARTS}
    for name, given in findings.items():
        results = given.split(",") if network.variables[name].repeatable else [given]
        nodes[name] += [f"{name}_{number}" for number in range(2, len(results) + 1)]
        for node, result in zip(nodes[name], results, strict=True):
            evidence[node] = result
            for part in parts.values():
                part[node] = part[name]
    return evidence, nodes, to_pgmpy(replace(network, **parts, weights={}))


def moved(network, entry, x):
    """A table in which one entry is x, the others of its row in proportion, or equal if they were all 0."""
    rows = network.rows(entry.variable)
    own = rows[entry.row]
    others = np.delete(np.arange(len(own)), entry.column)
    rest = own[others].sum()
    own[others] = (1 - x) * (own[others] / rest if rest > 0 else 1 / len(others))
    own[entry.column] = x
    return rows[network.contexts[entry.variable]]


def both_ends(peer, network, entry):
    """The posteriors with an entry at 0 and at 1; afterwards the table is as it was."""
    found = []
    for x in (0.0, 1.0):
        peer.change({entry.variable: moved(network, entry, x)})
        found.append(peer.ask())
    peer.change({entry.variable: network.tables[entry.variable]})
    return found


def draw(network, names, rng):
    """The tables of these variables, each row drawn from its Dirichlet distribution."""
    found = {}
    for name in names:
        shares = rng.standard_gamma(network.rows(name) * network.weights[name][:, None])
        found[name] = (shares / shares.sum(axis=-1, keepdims=True))[network.contexts[name]]
    return found


def one_way(model, findings, rng):
    """Every entry of the tables, both engines."""
    network, entries = model.network, list(model.entries)
    chosen = [entries[i] for i in rng.choice(len(entries), SAMPLE, replace=False)]
    peers = {form.__doc__: form(network, findings) for form in FORMS}
    swept = cc.sensitivity.one_way(model, findings)
    worst = max(
        _difference(both_ends(peer, network, entry), swept.function(entry)(np.array([0.0, 1.0])))
        for peer in peers.values()
        for entry in chosen
    )
    name, peer = _fastest(peers, lambda peer: [both_ends(peer, network, entry) for entry in chosen[:5]])
    start = perf_counter()
    every = [both_ends(peer, network, entry) for entry in entries]
    whole = perf_counter() - start
    ours = [swept.function(entry)(np.array([0.0, 1.0])) for entry in entries]
    worst = agreed(max(worst, _difference(every, ours)))

    def brute(peer):
        for entry in chosen:
            both_ends(peer, network, entry)
        return SAMPLE / len(entries)

    question = f"all {len(entries)} entries"
    lines = _side_by_side(question, lambda: sweep(model, findings), brute, peer, peers[Copied.__doc__])
    patients = [findings_of(model, case) for case in cc.cases().index]
    others = [seconds(lambda patient=patient: sweep(model, patient)) for patient in patients]
    return {
        "title": f"What each entry of the tables does to each of {len(swept.posterior)} states",
        "lines": lines,
        "asked": {"pgmpy": f"VariableElimination, greedy; {name}; two queries per entry"},
        "difference": worst,
        "first": _first("one_way"),
        "whole": whole,
        "over_cases": {"median": median(others), "max": max(others)},
        "notes": [
            f"pgmpy: extrapolated from a sample of {SAMPLE} entries; all {len(entries)} once: {whole:.2f} s",
            f"largest difference of a probability, all entries at 0 and at 1: {worst:.1e}",
            f"the {len(patients)} published cases once each: median {_ms(median(others))}, at most {_ms(max(others))}",
        ],
    }


def draws(model, findings, rng):
    """All rows drawn at once, both engines."""
    network, names = model.network, relevant(model.network, findings)
    peers = {form.__doc__: form(network, findings) for form in FORMS}

    def drawn(peer):
        peer.change(draw(network, names, rng))
        return peer.ask()

    def brute(peer):
        for _ in range(DRAWN):
            drawn(peer)
        return DRAWN / DRAWS

    worst = 0.0
    for peer in peers.values():
        tables = draw(network, names, rng)
        peer.change(tables)
        other = cc.Model(replace(network, tables={**network.tables, **tables}))
        worst = max(worst, _difference(peer.ask(), list(other.probabilities(findings).values())))
    worst = agreed(worst)
    name, peer = _fastest(peers, lambda peer: [drawn(peer) for _ in range(5)])
    seeds = iter(range(1, ROUNDS + 1))
    lines = _side_by_side(
        f"{DRAWS:,} draws of all rows",
        lambda: cc.sensitivity.uncertainty(model, findings, draws=DRAWS, seed=next(seeds)).frame,
        brute,
        peer,
        peers[Copied.__doc__],
    )
    return {
        "title": f"{DRAWS:,} draws of all rows of the tables, and their quantiles",
        "lines": lines,
        "asked": {"pgmpy": f"VariableElimination, greedy; {name}; tables drawn by numpy, one query per draw"},
        "difference": worst,
        "first": _first("uncertainty"),
        "notes": [
            f"pgmpy: extrapolated from a sample of {DRAWN} draws, quantiles not counted",
            f"largest difference of a probability in the same drawn tables: {worst:.1e}",
        ],
    }


def intervals(model):
    """The interval beside a posterior, for every published case: in turn, and the same case again.

    In turn, rows that were drawn for one patient may have been forgotten when another needs them.
    """
    patients = {case: findings_of(model, case) for case in cc.cases().index}
    asked = {case: lambda own=own: model.posterior(own).interval(0.95) for case, own in patients.items()}
    rounds = [{case: seconds(ask) for case, ask in asked.items()} for _ in range(7)]
    in_turn = {case: median(found[case] for found in rounds[1:]) for case in patients}
    again = {case: median([seconds(ask) for _ in range(6)][1:]) for case, ask in asked.items()}
    lines = []
    for words, found in (("in turn", in_turn), ("the same case again", again)):
        slowest = max(found, key=found.__getitem__)
        lines.append(alone(f"95 % interval, {len(patients)} cases, {words}, median", median(found.values())))
        lines.append(alone(f"95 % interval, {words}, the slowest case, {slowest}", found[slowest]))
    first = list(rounds[0].values())
    return {
        "title": "The interval beside a posterior",
        "lines": lines,
        "first_round": {"median": median(first), "max": max(first)},
        "first": _first("interval"),
        "by_case": {"in_turn": in_turn, "again": again},
        "notes": [f"the first round of all cases: median {_ms(median(first))}, at most {_ms(max(first))}"],
    }


def others(model, findings):
    """What is measured for our engine alone."""
    frame = cc.sensitivity.one_way(model, findings).frame.sort_values("swing", ascending=False)
    first = frame.iloc[0]
    pair = first["entry"], frame[frame["table"] != first["table"]].iloc[0]["entry"]
    evidence = model.read(findings)
    asked = {
        "two-way surface, 101 × 101": (lambda: cc.sensitivity.two_way(model, evidence, *pair), ROUNDS),
        "smallest changes": (lambda: cc.sensitivity.smallest_changes(model, findings), ROUNDS),
        "robust bounds": (lambda: cc.sensitivity.robust_bounds(model, findings), ROUNDS),
        "every analysis, `sensitivity(...)`": (lambda: cc.sensitivity.overview(model, findings), 7),
        "every analysis, with all tables of the record": (
            lambda: cc.sensitivity.overview(model, findings).to_dict(),
            3,
        ),
        f"over {len(cc.cases())} patients": (lambda: cc.sensitivity.across_patients(model, cc.cases()), 2),
    }
    return {
        "title": "Ours alone",
        "lines": [
            alone(question, median([seconds(ask) for _ in range(times)])) for question, (ask, times) in asked.items()
        ],
        "notes": [f"two-way: {pair[0]} and {pair[1]}"],
    }


def markdown(figures):
    """The table in Markdown, with the machine and the date."""
    swept, drawn, interval = figures["one_way"], figures["draws"], figures["intervals"]
    rows = ["| | calcinosis | pgmpy | × pgmpy | the first in a process |", "| --- | --- | --- | --- | --- |"]
    for section in (swept, drawn):
        for own, first in zip(section["lines"], (_ms(section["first"]), ""), strict=True):
            ours, theirs = own["seconds"][OURS], own["seconds"]["pgmpy"]
            ratio = f"{own['ratios']['pgmpy']['median']:,.0f}"
            rows.append(_row(own["question"], _ms(ours), f"{theirs:.2f} s", ratio, first))
    for number, own in enumerate(interval["lines"]):
        first = "" if number else _ms(interval["first"])
        rows.append(_row(own["question"], _ms(own["seconds"][OURS]), "", "", first))
    rows += [_row(own["question"], _ms(own["seconds"][OURS])) for own in figures["others"]["lines"]]
    about = figures["machine"]
    words = (
        f"The published case {CASE}; medians. pgmpy by brute force, a changed table and a query each time, in the form "
        "in which it is the fastest, or with a copy of its network: extrapolated from a sample of "
        f"{SAMPLE} entries, two queries each (all of them, asked once in the first form, took {swept['whole']:.2f} s), "
        f"and from {DRAWN} draws. The probabilities differ by at most "
        f"{max(swept['difference'], drawn['difference']):.0e}. "
        f"Measured on {figures['date']} on {about['processor']} with {about['cores']} cores."
    )
    return "\n".join([*rows, "", words, ""])


def _row(*cells):
    return f"| {' | '.join([*cells, *[''] * (5 - len(cells))])} |"


def _fastest(peers, ask):
    """The name and the peer that takes the least time; of three rounds the best counts."""
    best = {name: min(seconds(lambda peer=peer: ask(peer)) for _ in range(3)) for name, peer in peers.items()}
    name = min(best, key=best.__getitem__)
    return name, peers[name]


def _first(question):
    """The median seconds of the first answer in three fresh processes."""
    command = [sys.executable, str(HERE / "first_calls.py"), question]
    return median(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3))


def _difference(theirs, ours):
    """The largest difference; where one says that the findings cannot be, the other must say so too."""
    theirs, ours = np.asarray(theirs), np.asarray(ours)
    if not np.array_equal(np.isnan(theirs), np.isnan(ours)):
        return float("inf")
    return float(np.nanmax(np.abs(theirs - ours), initial=0.0))


def _side_by_side(question, ours, brute, peer, copied):
    """Two lines: beside the fastest form of asking the peer, and beside copies of its network."""

    def once(number):
        ours()
        return 1

    entrants = {OURS: once, "pgmpy": lambda number: brute(peer), "copied": lambda number: brute(copied)}
    taken = race(entrants, ROUNDS)
    plain = taken.pop("copied")
    return [line(question, taken), line(f"{question}, pgmpy's network copied", taken | {"pgmpy": plain})]


def _ms(seconds):
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="the analyses of one posterior, beside brute force with pgmpy")
    parser.add_argument("--out", type=Path, metavar="DIR", default=HERE / "results", help="where the figures go")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    start = perf_counter()
    model, rng = shipped(), np.random.default_rng(4)
    findings = findings_of(model, CASE)
    figures = {"date": datetime.now(UTC).date().isoformat(), "case": CASE, "machine": machine.describe()}
    print(machine.words(figures["machine"]))
    sections = {
        "one_way": lambda: one_way(model, findings, rng),
        "draws": lambda: draws(model, findings, rng),
        "intervals": lambda: intervals(model),
        "others": lambda: others(model, findings),
    }
    for name, measure in sections.items():
        found = figures[name] = measure()
        if "first" in found:
            found["notes"].append(f"the first in a process: {_ms(found['first'])}")
        print(f"\n{table(found)}", flush=True)
    figures["seconds"] = round(perf_counter() - start)
    print(f"\n{figures['seconds']} seconds")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "sensitivity.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (options.out / "sensitivity.md").write_text(markdown(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
