"""Before anything is timed: do all engines give the same answers?

Our answers for many rows are compared, row by row, with those one by one and with the plain form of each peer; and
every form of asking a peer is compared on a few patients with ten findings or all. A difference above TOLERANCE ends
the run.
"""

import numpy as np
from patients import as_dicts, as_frame, draw, few, forget, observable
from peers import FORMS, NAMES, PLAIN
from subjects import PUBLISHED, asking_for, published, random_model, shipped, targets

TOLERANCE = 1e-12


def measure(effort):
    """The largest difference of any probability, by network and peer; ends the run if one is too large."""
    rng = np.random.default_rng(1)
    lines = [_rows("calcinosis, complete rows", shipped(), 0.0, NAMES, effort, rng)]
    lines += [_rows("calcinosis, half missing", shipped(), 0.5, NAMES, effort, rng)]
    for name in PUBLISHED:
        lines += [_rows(f"{name}, half missing", published(name), 0.5, NAMES, effort, rng)]
        others = [_alone(asking_for(published(name), target), NAMES, rng) for target in targets(name, effort)]
        worst = {peer: np.max([found[peer] for found in others]) for peer in NAMES}
        lines += [{"question": f"{name}, random targets", "differences": worst}]
    for nodes in effort.nodes:
        lines += [_rows(f"{nodes} random nodes, half missing", random_model(nodes), 0.5, ("pyAgrum",), effort, rng)]
    wrong = [line for line in lines if not all(found <= TOLERANCE for found in line["differences"].values())]
    if wrong:
        raise SystemExit(f"the engines do not agree: {wrong}")
    return {"title": "Largest difference of a probability, compared before anything is timed", "lines": lines}


def _rows(question, model, missing, names, effort, rng):
    codes = forget(draw(model.network, effort.compared, rng), rng, missing)
    rows = as_dicts(model.network, codes)
    ours = model.posteriors(as_frame(model.network, codes))[list(model.states)].to_numpy()
    found = {
        "one by one": _largest((model.probabilities(row).values() for row in rows), ours),
        "rich object": _largest((model.posterior(row).probabilities_of.values() for row in rows), ours),
    }
    alone = _alone(model, names, rng)
    for name in names:
        compared = effort.compared_pgmpy if name == "pgmpy" else effort.compared
        plain = FORMS[name](model.network)[PLAIN[name]]()
        found[name] = np.max([_largest(map(plain, rows[:compared]), ours[:compared]), alone[name]])
    return {"question": question, "differences": found}


def _alone(model, names, rng):
    """Every form of asking, on patients with ten findings each, then on patients of whom everything is known."""
    everything = len(observable(model.network))
    rows = few(model.network, 3, min(10, everything), rng) + few(model.network, 3, everything, rng)
    ours = [list(model.probabilities(row).values()) for row in rows]
    return {
        name: np.max([_largest(map(make(), rows), ours) for make in FORMS[name](model.network).values()])
        for name in names
    }


def _largest(theirs, ours):
    """The largest difference; NaN if any number is NaN."""
    return float(np.abs(np.array([list(one) for one in theirs]) - np.asarray(ours)).max())
