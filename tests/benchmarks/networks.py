"""Two published networks, ALARM (37 variables) and HEPAR II (70), with random evidence.

One query: a random target and ten random findings of a random patient. The engines for the targets are built
beforehand, ours as well as the peers'; how long that takes, with the first answer, is told beside it. A batch: one
target, a disease in the middle of the network, and half of all other cells missing.
"""

from statistics import median
from time import perf_counter

import numpy as np
from batches import time_rows
from patients import draw, few, forget
from peers import FORMS, NAMES, PLAIN, fastest
from race import OURS, line, race
from subjects import PUBLISHED, asking_for, published, targets

FINDINGS = 10


def measure(effort):
    """The time of one query and the time per row of a batch, for each network."""
    found = {"title": "Published networks", "asked": {}, "lines": [], "notes": []}
    for name in PUBLISHED:
        rng = np.random.default_rng(5)
        taken, asked = _queries(name, effort, rng)
        found["lines"] += [line(f"{name}, one query", taken)]
        found["asked"] |= {f"{peer}, {name}, one query": form for peer, form in asked.items()}
        model = published(name)
        codes = forget(draw(model.network, effort.network_rows, rng), rng)
        taken, asked = time_rows(model, codes, effort, NAMES, min(effort.rounds, 5))
        words = f"{name}, {effort.network_rows:,} rows half missing, per row"
        found["lines"] += [line(words, taken)]
        found["asked"] |= {f"{peer}, {name}, rows": form for peer, form in asked.items()}
        found["notes"] += [_first_answer(name, targets(name, effort), rng)]
    return found


def _queries(name, effort, rng):
    models = [asking_for(published(name), target) for target in targets(name, effort)]
    trial = few(models[0].network, effort.tried, FINDINGS, rng)
    best = {peer: fastest(FORMS[peer](models[0].network), trial, whole=True).name for peer in NAMES}
    each = {"pyAgrum": effort.pyagrum, "pgmpy": effort.pgmpy, OURS: effort.ours // 4}
    share = max(1, max(each.values()) * effort.rounds // len(models))
    questions = [(number, row) for number, m in enumerate(models) for row in few(m.network, share, FINDINGS, rng)]
    questions = [questions[i] for i in rng.permutation(len(questions))]
    engines = {peer: [FORMS[peer](m.network)[best[peer]]() for m in models] for peer in NAMES}
    engines[OURS] = [m.probabilities for m in models]
    for answer, model in zip(engines[OURS], models, strict=True):
        answer(few(model.network, 1, FINDINGS, rng)[0])

    def entrant(peer):
        answers, count = engines[peer], each[peer]

        def run(number):
            asked = questions[number * count : (number + 1) * count]
            for target, row in asked:
                answers[target](row)
            return len(asked)

        return run

    return race({peer: entrant(peer) for peer in engines}, effort.rounds), best


def _first_answer(name, targets, rng):
    """In words, how long it takes from a network in memory to the first answer."""
    taken = {peer: [] for peer in (OURS, "pyAgrum")}
    for target in targets:
        model = asking_for(published(name), target)
        row = few(model.network, 1, FINDINGS, rng)[0]
        start = perf_counter()
        model.probabilities(row)
        taken[OURS] += [perf_counter() - start]
        start = perf_counter()
        FORMS["pyAgrum"](model.network)[PLAIN["pyAgrum"]]()(row)
        taken["pyAgrum"] += [perf_counter() - start]
    words = ", ".join(f"{peer} {1000 * median(times):.0f} ms" for peer, times in taken.items())
    return f"{name}, from a network to its first answer: {words}"
