"""Arguments of a wrong type are refused where a function is called: by name, with what is expected."""

from __future__ import annotations

import ast
import inspect
import random
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import calcinosis as cc
from calcinosis.inference.streams import root_of
from calcinosis.interface.cohort.files import InputError
from calcinosis.knowledge import arguments

PROJECT_ERRORS = (
    cc.errors.CasesError, cc.errors.FindingsError, cc.errors.ImpossibleEvidence, cc.errors.NetworkError,
    cc.errors.PriorsError, cc.errors.QuestionError, InputError,
)  # fmt: skip
FINDINGS = {"pain": "severe", "esrd": "yes"}
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


@pytest.fixture(scope="module")
def calls(shipped) -> dict[str, Call]:
    """A call of each public function and method that works, and is quick."""
    m, case = shipped, FINDINGS
    frame = m.simulate(8, missing=0.3, seed=1)
    posterior = m.posterior(case)
    entries = m.entries.names[60], m.entries.names[160]
    draws = {"draws": 20, "seed": 0, "mass": 0.9}
    prior = m.probabilities()
    learned = cc.learn.update(m, frame).model
    return {
        "cases": (cc.cases, (None,), {}),
        "load": (cc.load, (None,), {}),
        "compare": (cc.whatif.compare, (m, case, {"pain": "none"}), {"state": "dystrophic", "against": None}),
        "decide": (cc.decide, (m, case), {"state": None, "utilities": {}, "without": (), **draws}),
        "decision_curve": (cc.decision_curve, (m, frame), {"thresholds": (0.1,), "prevalence": None, **draws}),
        "each_patient": (
            cc.sensitivity.each_patient,
            (m, {"a": posterior.evidence}, lambda e: cc.sensitivity.robust_bounds(m, e).frame),
            {},
        ),
        "explain": (cc.explain, (m, case), {"state": None, "against": None, "background": ("esrd",)}),
        "explorer": (cc.explorer, (m, case), {}),
        "flips": (cc.whatif.flips, (m, case), {"towards": None, "most_changes": 1, "kinds": ("changed",)}),
        "forget": (cc.learn.forget, (learned, frame), {"weight": 1.0, "only": None, "keep": (), "rates": False}),
        "left_out": (
            cc.learn.cross_validate,
            (m, frame),
            {"folds": 2, "weight": 1.0, "only": ("pain",), "keep": (), "seed": 0},
        ),
        "most_probable_explanation": (cc.whatif.most_probable, (m, case), {"state": None}),
        "next_test": (cc.next_test, (m, case), {"by": "information", "without": ()}),
        "one_way": (cc.sensitivity.one_way, (m, case), {"scheme": "proportional", "mass": 0.9}),
        "over_patients": (
            cc.sensitivity.across_patients,
            (m, {"a": posterior.evidence}),
            {"scheme": "uniform", **draws},
        ),
        "pairs": (cc.whatif.pairs, (m, case), {"kinds": ("changed",)}),
        "plan": (
            cc.serial_testing,
            (m, case),
            {"state": None, "variable": None, "threshold": 0.05, "steps": 2, "mass": 0.9},
        ),
        "prequential": (cc.learn.check_cohort, (m, frame), {"seed": 0}),
        "robust_bounds": (cc.sensitivity.robust_bounds, (m, case), {"epsilon": 0.01}),
        "sensitivity": (
            cc.sensitivity.overview,
            (m, case),
            {"state": None, "probability": None, "entries": None, "draws": 20},
        ),
        "smallest_changes": (cc.sensitivity.smallest_changes, (m, case), {"state": None, "probability": None}),
        "sweep": (cc.whatif.sweep, (m, case), {"kinds": ("changed",)}),
        "trajectory": (cc.whatif.trajectory, (m, case), {"order": ("esrd",), "mass": 0.9}),
        "two_way": (cc.sensitivity.two_way, (m, case, *entries), {"scheme": "proportional", "steps": 3, "mass": 0.9}),
        "uncertainty": (cc.sensitivity.uncertainty, (m, case), draws),
        "update": (
            cc.learn.update,
            (m, frame),
            {"weight": 1.0, "only": None, "keep": (), "rates": False, "name": "a", "year": "2020"},
        ),
        "validate": (cc.validate, (m, frame), {"prevalence": None, **draws}),
        "weight_of_evidence": (cc.weight_of_evidence, (prior, prior, "dystrophic", None), {}),
        "from_file": (m.from_file, ("nowhere.bif", "a", None), {}),
        "from_priors": (m.from_priors, (m.priors,), {}),
        "headings": (m.headings, (["pain"],), {}),
        "marginals": (m.marginals, (case,), {}),
        "posterior": (m.posterior, (case,), {}),
        "posteriors": (m.posteriors, (frame,), {"strict": False}),
        "probabilities": (m.probabilities, (case,), {}),
        "probabilities by name": (m.probabilities, (), case),
        "read": (m.read, (case,), {}),
        "simulate": (m.simulate, (3,), {"missing": 0.1, "repeats": {}, "numbers": False, "hidden": False, "seed": 1}),
        "with_tables": (m.with_tables, ({"pain": m.priors.table("pain")},), {}),
        "credible_set": (posterior.credible_set, (0.9,), {}),
        "interval": (posterior.interval, (0.9,), {}),
        "plot": (posterior.plot, (None,), {}),
        "get": (posterior.evidence.get, ("pain",), {}),
        "without": (posterior.evidence.without, (["pain"],), {}),
        "table": (m.priors.table, ("pain",), {}),
        "kinds": (m.priors.kinds, (m.priors.tables["pain"].rows[0],), {}),
        "cohort.run": (cc.cohort.run, (Path("nowhere.csv"), Path("out.csv"), m), {"part": 100}),
        "cohort.score": (cc.cohort.score, (frame, m), {}),
    }


def odd_values() -> list[Any]:
    frame = pd.DataFrame({"pain": ["severe", "none"]})
    return [
        None, "x", "", b"x", 0, -1, 3.5, float("nan"), float("inf"), True, 10**30, 10**5000, 1j, [], ["x"], [1, "a"],
        [[1, [2]]], {}, {"a": 1}, {1: 2}, {"pain": None}, {"pain": object()}, set(), {1}, object(), frame,
        frame["pain"], pd.Series([1.0]), np.array([1.0, 2.0]), np.array(3), np.zeros((2, 2)), np.int64(3), pd.NA,
        Path("x"), (i for i in "ab"), lambda *_: 1, cc.Model, range(3), bytearray(b"ab"),
    ]  # fmt: skip


def from_within(error: Exception) -> bool:
    """Whether an error is none that the package raises itself, in its own words."""
    if isinstance(error, PROJECT_ERRORS):
        return False
    last = traceback.extract_tb(error.__traceback__)[-1]
    raised = Path(last.filename).is_relative_to(Path(cc.__file__).parent) and "raise " in (last.line or "")
    return not (raised and type(error) in (TypeError, ValueError))


@pytest.mark.parametrize("seed", range(3))
def test_no_wrong_type_ends_in_an_error_from_within(calls, seed):
    rng = random.Random(seed)
    failures = []
    for number in range(110):
        name = list(calls)[number % len(calls)]
        function, given, named = calls[name]
        by_place, by_name = list(given), dict(named)
        places: list[Any] = [*range(len(given)), *named]
        chosen = rng.sample(places, min(len(places), rng.choice((1, 1, 2))))
        values = {place: rng.choice(odd_values()) for place in chosen}
        for place, value in values.items():
            (by_place if isinstance(place, int) else by_name)[place] = value
        try:
            function(*by_place, **by_name)
        except Exception as error:
            if from_within(error):
                failures.append(f"{name} with {list(values)}: {type(error).__name__}: {error}")
    assert not failures


TO_READ = "findings must be a mapping, Evidence or None, not list of str: give findings by name, as in pain='severe', "
TO_OPEN = "folder must be a text, a path or None, not {}: give its name as a text or a pathlib.Path"
TO_LOAD = "decide: model must be a calcinosis.Model, not {}: load one with calcinosis.load()"


@pytest.mark.parametrize(
    ("message", "ask"),
    [
        (TO_LOAD.format("str ('x')"), lambda m: cc.decide("x")),
        (TO_LOAD.format("the class Model"), lambda m: cc.decide(cc.Model)),
        (f"sweep: {TO_READ}or as a dict", lambda m: cc.whatif.sweep(m, ["pain"])),
        (f"{TO_READ}or as a dict", lambda m: m.posterior(["pain"])),
        ("load: " + TO_OPEN.format("bytes (b'x')"), lambda m: cc.load(b"x")),
        ("cases: " + TO_OPEN.format("DataFrame"), lambda m: cc.cases(pd.DataFrame())),
        ("next_test: by must be a text, not None", lambda m: cc.next_test(m, {}, by=None)),
        (
            "next_test: without must be a list of texts, not str ('biopsy'): write ['biopsy']",
            lambda m: cc.next_test(m, without="biopsy"),
        ),
        (
            "next_test: without must be a list of texts, not list of NoneType/str",
            lambda m: cc.next_test(m, without=["biopsy", None]),
        ),
        (
            "decide: utilities must be a mapping of texts to numbers or None, not dict of str to str",
            lambda m: cc.decide(m, utilities={"died": "0"}),
        ),
        (
            "uncertainty: draws must be a whole number, not str ('100')",
            lambda m: cc.sensitivity.uncertainty(m, draws="100"),
        ),
        (
            "uncertainty: draws must be a whole number, not bool (True)",
            lambda m: cc.sensitivity.uncertainty(m, draws=True),
        ),
        (
            "uncertainty: draws must be a whole number, not one of more than 300 digits",
            lambda m: cc.sensitivity.uncertainty(m, draws=10**5000),
        ),
        ("interval: mass must be a number, not None", lambda m: m.posterior().interval(None)),
        (
            "validate: cases must be a pandas.DataFrame or LabelledCases, not list: give one row per patient",
            lambda m: cc.validate(m, [1]),
        ),
        ("map: names must be a text, not tuple", lambda m: cc.decide(m, FINDINGS).map("died", ("a",))),
        ("score_batch: batch must be RecordBatch, not float (1.0)", lambda m: cc.cohort.score_batch(1.0, m)),
        (
            "answer_schema: model must be a calcinosis.Model, not None: load one with calcinosis.load()",
            lambda m: cc.cohort.answer_schema(pa.schema([]), None),
        ),
        ("simulate: patients must be a whole number, not float (3.0)", lambda m: m.simulate(3.0)),
        (
            "each_patient: analysis must return a pandas.DataFrame, not int",
            lambda m: cc.sensitivity.each_patient(m, {"a": m.read()}, lambda e: 1),
        ),
    ],
)
def test_a_wrong_type_is_named_with_what_is_expected(shipped, message, ask):
    with pytest.raises(TypeError) as caught:
        ask(shipped)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("message", "ask"),
    [
        (
            "seed must be 0 or more, not -1: give a whole number such as 0",
            lambda m: cc.sensitivity.uncertainty(m, seed=-1),
        ),
        ("seed must be 0 or more, not -1", lambda m: cc.learn.check_cohort(m, m.simulate(8, seed=1), seed=-1)),
        ("seed must be 0 or more, not -1", lambda m: cc.validate(m, m.simulate(8, seed=1), seed=-1)),
        ("give a number from 2 to 1,000,000", lambda m: cc.validate(m, cc.cases(), draws=10**30)),
        ("mass of an interval is 1.0: give a number between 0 and 1", lambda m: cc.validate(m, cc.cases(), mass=1.0)),
        (
            "a grid of 1,000,000 steps: give at most 1,000",
            lambda m: cc.sensitivity.two_way(m, {}, *m.entries.names[:2], steps=10**6),
        ),
        (
            "the weight of a patient is 1e+300, a weight above 1e+09",
            lambda m: cc.learn.update(m, m.simulate(3, seed=1), weight=1e300),
        ),
        ("give 1,000,000,000 at most", lambda m: m.simulate(10**30)),
        ("no table 'payn': did you mean 'pain'?", lambda m: m.priors.table("payn")),
        ("the posterior has no b", lambda m: cc.weight_of_evidence({"a": 0.5, "b": 0.5}, {"a": 1.0}, "a")),
    ],
)
def test_a_value_out_of_range_is_named_with_its_range(shipped, message, ask):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared
        ask(shipped)
    assert message in str(caught.value)


def test_shares_in_a_series_go_by_its_names(shipped):
    """Not by its order, which is another one after sorting."""
    shares = pd.Series({name: (place + 1) / 15 for place, name in enumerate(shipped.states)})
    frame = shipped.simulate(60, seed=1)
    ask = partial(cc.validate, shipped, frame, draws=20)
    one, other = ask(prevalence=dict(shares)), ask(prevalence=shares.sort_values(ascending=False))
    pd.testing.assert_frame_equal(one.metrics, other.metrics)


def test_seeds_draw_what_numpy_draws_of_them():
    assert np.random.default_rng(root_of(7)).random() == np.random.default_rng(7).random()


def test_a_checked_function_looks_as_it_was():
    assert inspect.signature(cc.decide).parameters["draws"].annotation == "int"
    assert cc.decide.__doc__
    assert cc.decide.__module__ == "calcinosis.analysis.decide.decision"


CLASSES = {
    "AbstractContextManager", "Axes", "Column", "DataFrame", "Entry", "Evidence", "HandOver", "Heading",
    "LabelledCases", "Model", "Path", "Priors", "Row", "Validation",
}  # fmt: skip
SPECIAL = {"Any", "Callable", "Collection", "Iterable", "Mapping", "PathLike", "Sequence"}
PLAIN = {"bool", "float", "int", "os", "pd", "str", "tuple"}


def test_each_name_in_an_annotation_is_understood(calls):
    """An alias without an explanation would be taken for the name of a class, and every value refused."""
    names = set()
    for function, *_ in calls.values():
        for parameter in inspect.signature(function).parameters.values():
            tree = ast.parse("Any" if parameter.annotation is parameter.empty else parameter.annotation)
            names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names <= CLASSES | SPECIAL | PLAIN | set(arguments._ALIASES)
