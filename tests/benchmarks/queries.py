"""One patient: a Python dict of ten findings in, the probabilities of the target out.

No patient is asked twice. Ours answers more of them in a round than its peers do, so that its share is as long as
theirs. The rich object is `model.posterior`, with evidence, log evidence and labels; bare is `model.probabilities`.
"""

import numpy as np
from patients import few
from peers import FORMS, NAMES, fastest
from race import OURS, line, race, ratio, turns
from subjects import shipped

FINDINGS = 10


def measure(effort):
    """The time of one query, ours bare and rich, pyAgrum's and pgmpy's."""
    model, rng = shipped(), np.random.default_rng(3)
    network = model.network
    trial = few(network, effort.tried, FINDINGS, rng)
    asked = {name: fastest(FORMS[name](network), trial, whole=True) for name in NAMES}
    each = {"pyAgrum": effort.pyagrum, "pgmpy": effort.pgmpy}
    patients = few(network, effort.rounds * effort.ours, FINDINGS, rng)
    entrants = {name: turns(asked[name], patients, each[name]) for name in NAMES}
    entrants |= {
        OURS: turns(model.probabilities, patients, effort.ours),
        "rich": turns(model.posterior, patients, effort.ours),
    }
    for patient in trial:  # the words of findings are read once; whoever asks a second patient has them
        model.probabilities(patient)
    taken = race(entrants, effort.rounds)
    rich = taken.pop("rich")
    over = ratio(rich, taken[OURS])
    return {
        "title": f"One patient, {FINDINGS} findings",
        "asked": {name: form.name for name, form in asked.items()},
        "lines": [line("bare probabilities", taken), line("rich object", taken | {OURS: rich})],
        "rich_over_bare": over,
        "notes": [
            f"the rich object takes {over['median']:.2f} times as long as the bare probabilities "
            f"({over['min']:.2f}–{over['max']:.2f})"
        ],
    }
