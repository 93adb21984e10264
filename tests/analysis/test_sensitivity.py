"""One record of every analysis: its verdict in words, its rows, and itself as JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest

import calcinosis as cc

CASE = {"pain": "severe", "care_setting": "hospital_inpatient", "cirrhosis": "yes", "radiograph": "nodular_mass"}


@pytest.fixture(scope="module")
def judged(build):
    """A model of its own with weights, so that texts under test do not change with the shipped figures."""

    def of(weight):
        network = build(
            "disease",
            {
                "disease": ("benign grave", "", [0.7, 0.3]),
                "pain": ("no yes", "disease", [[0.8, 0.2], [0.4, 0.6]]),
                "biopsy": ("clear calcified", "disease", [[0.9, 0.1], [0.3, 0.7]]),
            },
        )
        return cc.Model(replace(network, weights={n: np.full(t.shape[:-1], weight) for n, t in network.tables.items()}))

    return of


def test_a_verdict_names_the_rows_and_the_nearest(judged):
    found = cc.sensitivity.overview(judged(20.0), pain="yes", draws=100)
    assert found.verdict == (
        "That grave leads hangs on 3 rows of the tables, each of which could take the lead away within its own "
        "interval; the nearest is disease=grave, now 0.3: at 0.25 benign leads."
    )


def test_a_verdict_on_one_row(judged):
    found = cc.sensitivity.overview(judged(45.0), draws=100)
    assert found.verdict == "No single row of the tables, within its own interval, takes the lead from benign."
    found = cc.sensitivity.overview(judged(10.0), draws=100)
    assert found.verdict == (
        "That benign leads hangs on one row of the tables, which could take the lead away within its own interval; "
        "the nearest is disease=grave, now 0.3: at 0.5 grave leads."
    )


def test_there_is_one_line_per_row_of_the_tables_that_moves_the_posterior(shipped):
    found = cc.sensitivity.overview(shipped, CASE, draws=50)
    frame = found.one_way.frame.assign(row=shipped.entries.rows)
    moved = frame[frame["swing"] > 1e-12]
    assert len(found.rows) == moved["row"].nunique()
    lines = found.rows.merge(frame[["entry", "row"]], on="entry")
    assert lines["row"].is_unique
    assert lines["swing"].to_numpy() == pytest.approx(moved.groupby("row")["swing"].max()[lines["row"]].to_numpy())
    assert (found.rows["swing"].diff().dropna() <= 1e-12).all()


@pytest.mark.slow
def test_what_it_hangs_on_is_fragile_and_sorted(shipped):
    jones = {name: value for name, value in cc.cases().loc["jones2023"].items() if name in shipped.names and value}
    found = cc.sensitivity.overview(shipped, jones, draws=50)
    hangs = found.hangs_on
    assert hangs["fragile"].all()
    assert len(hangs) == found.rows["fragile"].sum() > 1
    assert hangs["distance"].is_monotonic_increasing
    assert hangs.index.to_list() == list(range(len(hangs)))
    within = (hangs["lower"] <= hangs["flips_at"]) & (hangs["flips_at"] <= hangs["upper"])
    assert within.all()
    for line in hangs.itertuples():
        beyond = line.flips_at + 1e-9 * np.sign(line.flips_at - line.value)
        function = found.one_way.function(line.entry)
        assert function.states[int(function(beyond).argmax())] == line.flips_to


def test_it_holds_what_the_analyses_say_alone(shipped):
    pair = (
        "cirrhosis=yes@esrd=no,subtype=dystrophic/metastatic/idiopathic/iatrogenic",
        "subtype=dystrophic@care_setting=hospital_inpatient",
    )
    found = cc.sensitivity.overview(
        shipped, CASE, state="iatrogenic", probability=0.4, entries=pair, epsilon=0.03, draws=200, seed=9
    )
    assert found.posterior.probabilities_of == shipped.posterior(CASE).probabilities_of
    assert found.robust.frame.equals(cc.sensitivity.robust_bounds(shipped, CASE, epsilon=0.03).frame)
    assert found.uncertainty.frame.equals(cc.sensitivity.uncertainty(shipped, CASE, draws=200, seed=9).frame)
    changes = cc.sensitivity.smallest_changes(shipped, CASE, state="iatrogenic", probability=0.4)
    assert found.changes.goal == changes.goal == "P(iatrogenic) = 0.4"
    assert found.changes.rows.equals(changes.rows)
    assert found.two_way.boundary.equals(cc.sensitivity.two_way(shipped, CASE, *pair).boundary)


PAIR = ("subtype=dystrophic@care_setting=hospital_inpatient", "subtype=metastatic@care_setting=hospital_inpatient")


@pytest.mark.parametrize(
    ("findings", "named"),
    [
        (CASE, {"entries": PAIR}),
        ({}, {}),
        ({"subtype": "idiopathic"}, {}),
        ({"vascular_histology": ["absent", "intramural_calcification"] * 5}, {"state": "iatrogenic"}),
        (CASE, {"state": "calciphylaxis", "probability": 0.001}),
    ],
    ids=["two entries", "nothing known", "certain", "ten biopsies", "a probability"],
)
@pytest.mark.parametrize("most", [3, None])
def test_as_plain_values_it_is_json(shipped, findings, named, most):
    found = cc.sensitivity.overview(shipped, findings, draws=50, **named)
    plain = found.as_dict(most)
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert again == plain
    assert plain["verdict"] == found.verdict
    assert len(plain["rows"]) == min(len(found.rows), most or len(found.rows))
    assert plain["robust"]["leader_is_safe"] is found.robust.leader_is_safe
    assert ("changes" in plain) == (found.changes is not None)
    assert ("two_way" in plain) == ("entries" in named)
    assert {line["state"] for line in plain["uncertainty"]["by_table"]} <= {found.posterior.leading}


def test_certain_without_weights_it_is_short(judged):
    found = cc.sensitivity.overview(cc.Model(replace(judged(1.0).network, weights={})), disease="grave")
    assert (found.changes, found.uncertainty, found.two_way) == (None, None, None)
    assert set(found.as_dict()) == {"posterior", "verdict", "hangs_on", "rows", "robust", "disclaimer"}
    assert found.rows.empty
