"""Small decision problems made of records, printed ones and random ones, for tests of several floors."""

from __future__ import annotations

import numpy as np

from calcinosis.inference.model import Model
from calcinosis.knowledge.decisions import TEST_HARM, Action, ClinicalTest, Decisions, Harm, Response, Utility
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import Priors, Row, Source, State, Table, Variable

SOURCES = FrozenMap({"made": Source("made", "series", "Made for a test")})


def variable(name, states, group="examination", repeatable=False):
    return Variable(name, tuple(State(state, state) for state in states), name, group, repeatable)


def table(name, parents, rows, weight=20.0):
    """A table; `rows` by the states of the parents, the last varying fastest."""
    return Table(
        name,
        tuple(parents),
        tuple(Row(tuple(given), tuple(row), weight, ("made",)) for given, row in rows),
        tuple(range(len(rows))),
    )


def utility(item, kind, value, subtype=""):
    return Utility(item, kind, subtype, item, float(value), ("made",))


def model_of(variables, tables, tests, decisions, target="disease"):
    return Model.from_priors(
        Priors(
            "made",
            target,
            FrozenMap({own.name: own for own in variables}),
            FrozenMap({own.variable: own for own in tables}),
            SOURCES,
            (),
            (),
            FrozenMap({own.name: own for own in tests}),
            decisions,
        )
    )


def printed_decision():
    """OpenMarkov's printed decision to test and treat: prevalence 0.14, sensitivity 0.91, specificity 0.97, a therapy
    and a test that cost 0.25 and 0.2, and the utilities 8, 9, 3 and 10."""
    variables = [variable("disease", ["absent", "present"], "outcome"), variable("result", ["negative", "positive"])]
    tables = [
        table("disease", [], [((), (0.86, 0.14))]),
        table("result", ["disease"], [(("absent",), (0.97, 0.03)), (("present",), (0.09, 0.91))]),
    ]
    actions = [
        Action("no_therapy", "No therapy", (), "", (), ("made",)),
        Action("therapy", "Therapy", (), "", (), ("made",)),
        Action("test_first", "Test first", (("test",),), "", (), ("made",)),
    ]
    values = {"treated": {"present": 8, "absent": 9}, "untreated": {"present": 3, "absent": 10}}
    utilities = [utility(item, "outcome", value, name) for item, own in values.items() for name, value in own.items()]
    utilities += [utility("therapy_cost", "harm", 0.25), utility(TEST_HARM, "harm", 0.2)]
    responses = [
        Response((name,), subtype, shares, 50.0, ("made",))
        for name, shares in (("no_therapy", (0.0, 1.0)), ("therapy", (1.0, 0.0)))
        for subtype in ("absent", "present")
    ]
    harms = (Harm(("therapy",), "therapy_cost", 1.0, 1.0, ("made",)),)
    test = ClinicalTest("test", "Test", ("result",), 0.0, 1.0, 0.0, ("made",))
    decisions = Decisions(
        FrozenMap({own.name: own for own in actions}),
        ("treated", "untreated"),
        tuple(responses),
        harms,
        FrozenMap({own.name: own for own in utilities}),
    )
    return model_of(variables, tables, [test], decisions)


def random_decision(seed):
    """A disease of three states, a finding, two tests that hang together within a disease, four treatments, and the
    actions to wait for one test, for both, or for one after the other with a treatment meanwhile."""
    rng = np.random.default_rng(seed)
    diseases, two, three = ["a", "b", "c"], ["no", "yes"], ["low", "middle", "high"]

    def rows(*parents, states):
        given = [()]
        for parent in parents:
            given = [(*before, state) for before in given for state in parent]
        return [(own, rng.dirichlet(np.ones(states) * 1.5)) for own in given]

    variables = [
        variable("disease", diseases, "outcome"),
        variable("finding", two),
        variable("first", three),
        variable("second", two),
    ]
    tables = [
        table("disease", [], rows(states=3)),
        table("finding", ["disease"], rows(diseases, states=2)),
        table("first", ["disease"], rows(diseases, states=3)),
        table("second", ["disease", "first"], rows(diseases, three, states=2)),
    ]
    treatments = ["t0", "t1", "t2", "t3"]
    actions = [Action(name, name, (), "", (), ("made",)) for name in treatments]
    actions += [
        Action("one", "one", (("look",),), "", (), ("made",)),
        Action("both", "both", (("look",), ("look_again",)), "", (), ("made",)),
        Action("meanwhile", "meanwhile", (("look",), ("look_again",)), "t1", (), ("made",)),
    ]
    outcomes = ("bad", "fair", "good")
    utilities = [
        utility("bad", "outcome", 10 * rng.random()),
        utility("fair", "outcome", 30 + 40 * rng.random()),
        utility("fair", "outcome", 60 * rng.random(), "b"),
        utility("good", "outcome", 80 + 20 * rng.random()),
        utility("rash", "harm", 10 * rng.random()),
        utility("rash", "harm", 10 * rng.random(), "c"),
        utility(TEST_HARM, "harm", 5 * rng.random()),
        utility("day", "delay", rng.random()),
        utility("day", "delay", 2 * rng.random(), "a"),
    ]
    responses = [
        Response((name,), disease, tuple(rng.dirichlet(np.ones(3))), 5 + 20 * rng.random(), ("made",))
        for name in treatments
        for disease in diseases
    ]
    harms = (
        Harm(("t1",), "rash", 0.1 + 0.8 * rng.random(), 10.0, ("made",)),
        Harm(("t2", "t3"), "rash", 0.1 + 0.3 * rng.random(), 10.0, ("made",)),
    )
    tests = [
        ClinicalTest("look", "look", ("first",), 0.0, 0.2 * rng.random(), 2 * rng.random(), ("made",), weight=30.0),
        ClinicalTest("look_again", "look_again", ("second",), 0.0, 0.2 * rng.random(), rng.random(), ("made",)),
    ]
    decisions = Decisions(
        FrozenMap({own.name: own for own in actions}),
        outcomes,
        tuple(responses),
        harms,
        FrozenMap({own.name: own for own in utilities}),
    )
    return model_of(variables, tables, tests, decisions)
