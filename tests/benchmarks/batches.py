"""Many patients: complete rows, and rows with half of the cells missing, each cell by itself.

Ours is given a DataFrame of category columns and answers with a DataFrame: probabilities, the leading state, log
evidence, status. It uses all cores; a second line shows it on one. The peers answer one row after another, on one core;
their rows were made ready beforehand in the form they like best, which is not timed. Were their loops run on all cores,
they would be at most so many times as fast. pgmpy's own call for many rows, `predict_probability`, takes complete rows
only (a missing cell raises KeyError) and is timed there; the faster of it and the loop stands in the table.
"""

import os
from functools import partial

import numpy as np
from patients import as_dicts, as_frame, draw, forget
from peers import FORMS, NAMES, fastest
from race import OURS, line, race, turns
from subjects import shipped

from calcinosis.inference.pgmpy_bridge import to_pgmpy


def measure(effort):
    """The time of each per row, complete and half missing."""
    model, rng = shipped(), np.random.default_rng(4)
    complete = draw(model.network, effort.rows, rng)
    found = {
        "title": f"{effort.rows:,} patients, rows per second",
        "rates": True,
        "rows": effort.rows,
        "asked": {},
        "lines": [],
        "notes": [],
    }
    for words, codes in (("complete rows", complete), ("half missing", forget(complete, rng))):
        taken, asked = time_rows(model, codes, effort, NAMES, effort.rounds, one_core=True)
        if words == "complete rows":
            taken["predict_probability"] = _whole_frame(model, codes, effort)
            if min(taken["predict_probability"]) < min(taken["pgmpy"]):
                taken["pgmpy"], asked["pgmpy"] = taken["predict_probability"], "predict_probability"
            rate = 1 / np.median(taken.pop("predict_probability"))
            found["notes"] += [f"pgmpy's predict_probability on complete rows: {rate:,.0f} rows/s"]
        one = taken.pop("one core", None)
        found["lines"] += [line(words, taken)]
        if one:
            found["lines"] += [line(f"{words}, one core", taken | {OURS: one})]
        found["asked"] |= {f"{name}, {words}": form for name, form in asked.items()}
    return found


def time_rows(model, codes, effort, names, rounds, one_core=False):
    """The seconds per row of ours and those peers, by round, and the form in which each peer was asked."""
    rows = len(next(iter(codes.values())))
    frame = as_frame(model.network, codes)
    each = {"pyAgrum": effort.pyagrum, "pgmpy": effort.pgmpy}
    needed = effort.tried + rounds * max(each.values())
    dicts = as_dicts(model.network, {name: found[:needed] for name, found in codes.items()})
    asked = {name: fastest(FORMS[name](model.network), dicts[: effort.tried], whole=False) for name in names}
    entrants = {
        name: turns(form.answer, list(map(form.ready, dicts[effort.tried :])), each[name])
        for name, form in asked.items()
    }
    entrants[OURS] = lambda _: len(model.posteriors(frame))
    if one_core and hasattr(os, "sched_setaffinity"):
        entrants["one core"] = partial(_on_one_core, entrants[OURS])
    model.posteriors(frame[: rows // 10])
    return race(entrants, rounds), {name: form.name for name, form in asked.items()}


def _whole_frame(model, codes, effort):
    net = to_pgmpy(model.network)
    few = as_frame(model.network, {name: found[: effort.pgmpy] for name, found in codes.items()}).astype(object)

    def run(_):
        return len(net.predict_probability(few))

    return race({"predict_probability": run}, 3)["predict_probability"]


def _on_one_core(run, number):
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        return run(number)
    finally:
        os.sched_setaffinity(0, cores)
