"""How fast is a decision? python tests/benchmarks/decisions.py

One published patient, jones2023, before histology, with every action of the shipped priors: what is asked of the
decision, part by part, and 10,000 draws of all rows. Beside it pyAgrum solves one of the actions, a biopsy and then the
best treatment, as an influence diagram of the same network; both must agree to 1e-9 before anything is timed, and they
take turns within each round.
"""

import warnings
from statistics import median
from time import perf_counter

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyagrum
    import pyagrum.influence_diagram

from peers import fill

import calcinosis as cc

ROUNDS = 15
HISTOLOGY = ("vascular_histology", "vasculopathy", "extravascular_calcification")


def diagram_of(model, problem, looks):
    """The network of the priors with a decision after the results of one test, as pyAgrum has it."""
    own = pyagrum.influence_diagram.InfluenceDiagram()
    fill(own, model.network, own.addChanceNode)
    own.addDecisionNode(pyagrum.LabelizedVariable("then", "then", [action.name for action in problem.treatments]))
    own.addUtilityNode(pyagrum.LabelizedVariable("worth", "worth", 1))
    for name in looks.tests[0].reveals:
        own.addArc(name, "then")
    own.addArc(model.target, "worth")
    own.addArc("then", "worth")
    worth = problem.parts @ problem.values - (looks.costs[0] @ problem.values)
    for number, action in enumerate(problem.treatments):
        for place, state in enumerate(model.states):
            own.utility("worth")[{"then": action.name, model.target: state}] = float(worth[number, place])
    return own


def main():
    model = cc.load()
    case = cc.cases().loc["jones2023"]
    known = {name: value for name, value in case.items() if name in model.names and value and name not in HISTOLOGY}
    decision = cc.decide(model, known)
    looks = next(own for own in decision.problem.looks if own.action.name == "biopsy_first")
    diagram = diagram_of(model, decision.problem, looks)

    def peer():
        inference = pyagrum.influence_diagram.ShaferShenoyLIMIDInference(diagram)
        inference.setEvidence(known)
        inference.makeInference()
        return inference.MEU()["mean"]

    expected = decision.frame.set_index("action").loc["biopsy_first", "expected_utility"]
    difference = abs(peer() - expected)
    assert difference < 1e-9, difference

    def whole():
        own = cc.decide(model, known)
        return (
            own.frame, own.then, own.thresholds.frame, own.thresholds.rivals, own.thresholds.curve, own.testing.frame,
            own.changes.utilities, own.changes.responses, own.changes.tables,
        )  # fmt: skip

    asked = {
        "pyAgrum: one action as an influence diagram": peer,
        "expected utility and strategy of every action": lambda: cc.decide(model, known).then,
        "and thresholds, testing, what would have to change": whole,
        "10,000 draws of all rows": lambda: cc.decide(model, known).spread,
        "rows of the tables that would change it, alone": lambda: cc.decide(model, known).changes.tables,
        "a map of two utilities": lambda: cc.decide(model, known).map("infusions", "improved"),
    }
    taken = {name: [] for name in asked}
    for one in asked.values():
        one()
    for _ in range(ROUNDS):
        for name, one in asked.items():
            start = perf_counter()
            one()
            taken[name].append(perf_counter() - start)
    first = taken["pyAgrum: one action as an influence diagram"]
    second = taken["expected utility and strategy of every action"]
    for name, times in taken.items():
        print(f"{1e3 * median(times):8.1f} ms  {name}")
    ratio = median(a / b for a, b in zip(first, second, strict=True))
    count = len(decision.problem.actions)
    print(f"for one action of {count} pyAgrum takes {ratio:.1f} times as long as all {count} take here")
    print(f"the expected utility of that action differs by {difference:.1e}")


if __name__ == "__main__":
    main()
