"""How the time grows: with the rows of a batch, the findings of one patient, and the size of the network.

The peers answer row by row, so their time per row does not depend on how many there are. With no finding at all the
same question is asked again and again, and pyAgrum may keep its answer.
"""

import numpy as np
from batches import time_rows
from patients import as_frame, draw, few, forget
from peers import fastest, pyagrum_forms
from race import OURS, line, race, turns
from subjects import random_model, shipped


def measure(effort):
    """Three tables: by rows, by findings, by nodes."""
    return {
        "title": "Growth",
        "parts": [_by_rows(effort), _by_findings(effort), _by_nodes(effort), _by_nodes_rows(effort)],
    }


def _by_rows(effort):
    model, rng = shipped(), np.random.default_rng(6)
    codes = forget(draw(model.network, max(effort.growing_rows), rng), rng)
    lines = []
    for rows in effort.growing_rows:
        frame = as_frame(model.network, {name: found[:rows] for name, found in codes.items()})
        again = max(1, 3 * 10**4 // rows)
        model.posteriors(frame[: min(rows, 10**5)])

        def run(_, frame=frame, again=again):
            return sum(len(model.posteriors(frame)) for _ in range(again))

        lines += [line(f"{rows:,} rows", race({OURS: run}, min(effort.rounds, 5))) | {"rows": rows}]
    return {"title": "Rows with half of the cells missing, rows per second", "rates": True, "lines": lines}


def _by_findings(effort):
    model, rng = shipped(), np.random.default_rng(7)
    asked = fastest(pyagrum_forms(model.network), few(model.network, effort.tried, 10, rng), whole=True)
    rounds = min(effort.rounds, 5)
    model.probabilities()
    lines = []
    for findings in effort.findings:
        patients = few(model.network, rounds * effort.ours, findings, rng)
        taken = race(
            {
                OURS: turns(model.probabilities, patients, effort.ours),
                "pyAgrum": turns(asked, patients, effort.pyagrum),
            },
            rounds,
        )
        lines += [line(f"findings: {findings}", taken) | {"findings": findings}]
    return {"title": "One patient, by number of findings", "asked": {"pyAgrum": asked.name}, "lines": lines}


def _by_nodes(effort):
    rng, rounds, lines = np.random.default_rng(8), min(effort.rounds, 5), []
    for nodes in effort.nodes:
        model = random_model(nodes)
        findings = min(10, nodes // 2)
        patients = few(model.network, effort.tried + rounds * effort.ours // 4, findings, rng)
        asked = fastest(pyagrum_forms(model.network), patients[: effort.tried], whole=True)
        model.probabilities()
        taken = race(
            {
                OURS: turns(model.probabilities, patients, effort.ours // 4),
                "pyAgrum": turns(asked, patients, effort.pyagrum // 2),
            },
            rounds,
        )
        lines += [line(f"{nodes} nodes, {findings} findings", taken) | {"nodes": nodes}]
    return {"title": "One patient, random networks of treewidth 3", "lines": lines}


def _by_nodes_rows(effort):
    rng, lines = np.random.default_rng(9), []
    for nodes in effort.nodes:
        model = random_model(nodes)
        codes = forget(draw(model.network, effort.network_rows, rng), rng)
        taken, _ = time_rows(model, codes, effort, ("pyAgrum",), 3)
        lines += [line(f"{nodes} nodes", taken) | {"nodes": nodes}]
    title = f"{effort.network_rows:,} rows half missing, random networks of treewidth 3, rows per second"
    return {"title": title, "rates": True, "lines": lines}
