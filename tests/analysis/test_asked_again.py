"""Two-way surfaces, smallest changes, robust bounds and draws against asking changed networks again."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc
from calcinosis.analysis.distance import distance, row_distance
from calcinosis.inference.network import Network
from calcinosis.knowledge.folder import shipped_folder
from calcinosis.knowledge.records import State, Variable

MODEL = cc.load(shipped_folder())
CASES = cc.cases(shipped_folder())


def known(case):
    """What is known of a published patient."""
    return {name: value for name, value in CASES.loc[case].items() if name in MODEL.names and value}


def with_rows(network, rows):
    """The network with other rows, by variable and number."""
    tables = dict(network.tables)
    for (variable, number), row in rows.items():
        table = tables[variable].reshape(-1, len(row)).copy()
        table[number] = row
        tables[variable] = table.reshape(tables[variable].shape)
    return cc.Model(replace(network, tables=tables))


def asked(model, findings):
    """The posterior, NaN where the evidence cannot be."""
    try:
        return np.array(list(model.probabilities(findings).values()))
    except cc.ImpossibleEvidence:
        return np.full(len(model.states), np.nan)


PAIRS = [
    ("cirrhosis=yes@esrd=no,subtype=dystrophic", "subtype=dystrophic@care_setting=hospital_inpatient"),
    ("cirrhosis=yes@esrd=no,subtype=dystrophic", "cirrhosis=no@esrd=no,subtype=iatrogenic"),
    ("subtype=calciphylaxis@care_setting=hospital_inpatient", "subtype=metastatic@care_setting=hospital_inpatient"),
    ("vascular_histology=absent@vessel_calcification=yes", "vascular_histology=absent@vessel_calcification=no"),
    ("vascular_histology=absent@vessel_calcification=yes", "vessel_calcification=yes@esrd=no,subtype=calciphylaxis"),
    ("form=metastatic_renal@esrd=no,subtype=dystrophic", "esrd=yes@care_setting=dialysis_unit,subtype=idiopathic"),
]


@pytest.mark.parametrize("case", ["jones2023", "calci_003", "idio_025", "iatro_019"])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: " × ".join(name.split("@")[0] for name in pair))
def test_a_two_way_surface_is_what_changed_tables_answer(case, pair):
    findings = known(case)
    found = cc.two_way(MODEL, findings, *pair, steps=10)
    random = np.random.default_rng(len(case))
    x = random.uniform(0, 1, 6)
    y = random.uniform(0, 1, 6) * ((1 - x) if found.surface.one_row else 1)
    rows = found.surface.rows(x, y)
    for i in range(6):
        changed = with_rows(MODEL.network, {place: own[:, i] for place, own in rows.items()})
        assert found.surface(x, y)[i] == pytest.approx(asked(changed, findings), abs=1e-10)
    for line in found.boundary.itertuples():
        p = dict(zip(found.posterior, found.surface(np.array([line.x]), np.array([line.y]))[0], strict=True))
        assert p[line.one] == pytest.approx(p[line.other], abs=1e-9)
        assert max(p.values()) == pytest.approx(p[line.one], abs=1e-9)


def test_two_entries_of_one_row_cannot_sum_to_more_than_one():
    found = cc.two_way(MODEL, {"pain": "severe"}, *PAIRS[2], steps=10)
    beyond = found.x[:, None] + found.y > 1 + 1e-9
    assert np.isnan(found.probabilities[beyond]).all()
    assert (found.leading[beyond] == -1).all()
    assert not np.isnan(found.probabilities[~beyond]).any()


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((PAIRS[0][0], PAIRS[0][0]), "is named twice: name two entries"),
        ((PAIRS[0][0], "cirrhosis=no@esrd=no,subtype=dystrophic"), "sum to 1: one of them says it all"),
        ((PAIRS[0][0], "pain=severe"), "pain=severe: name a state of subtype, ulceration, as in pain=none@subtype="),
    ],
)
def test_pairs_that_cannot_be_moved_are_told(pair, message):
    with pytest.raises(cc.QuestionError, match=message):
        cc.two_way(MODEL, {}, *pair)


GOALS = [
    ("jones2023", "calciphylaxis", None), ("jones2023", "calciphylaxis", 0.5), ("jones2023", "dystrophic", 0.3),
    ("calci_003", "dystrophic", None), ("idio_025", "metastatic", None), ("meta_018", "idiopathic", 0.7),
]  # fmt: skip


@pytest.mark.parametrize(("case", "state", "probability"), GOALS)
def test_each_smallest_change_reaches_its_goal_and_is_as_far_as_it_says(case, state, probability):
    findings = known(case)
    found = cc.smallest_changes(MODEL, findings, state=state, probability=probability)
    swept = cc.one_way(MODEL, findings)
    states = list(found.posterior)

    def reached(model):
        p = asked(model, findings)
        own = p[states.index(state)]
        return abs(own - (probability if probability is not None else p.max())) < 1e-7

    for line in found.entries.head(12).itertuples():
        function = swept.function(line.entry)
        changed = with_rows(MODEL.network, {(function.entry.variable, function.entry.row): function.row(line.new)})
        assert reached(changed), line.entry
        assert distance(MODEL.network, changed.network) == pytest.approx(line.distance, abs=1e-8)
        assert found.bound <= line.distance + 1e-9
    least = {}
    for line in found.rows.head(12).itertuples():
        entry = next(e for e in MODEL.entries if e.variable == line.table and ", ".join(e.given.values()) == line.given)
        after = np.array([float(part.rsplit(" ", 1)[1]) for part in line.after.split(", ")])
        before = MODEL.network.tables[line.table].reshape(-1, len(after))[entry.row]
        assert float(row_distance(before, after)) == pytest.approx(line.distance, abs=0.02)  # printed to four digits
        least[line.table] = min(least.get(line.table, np.inf), line.distance)
    assert min(found.rows["distance"], default=np.inf) <= min(found.entries["distance"], default=np.inf) + 1e-9
    for line in found.tables.itertuples():
        assert line.distance <= least.get(line.table, np.inf) + 1e-6
    assert reached(cc.Model(found.network))
    assert distance(MODEL.network, found.network) == pytest.approx(found.together_distance, abs=1e-6)
    assert found.bound <= found.together_distance + 1e-6


def test_no_nearer_row_reaches_the_goal():
    findings = known("jones2023")
    found = cc.smallest_changes(MODEL, findings, state="calciphylaxis")
    row, limit = MODEL.network.tables["radiograph"].reshape(-1, 3), found.rows.set_index(["table", "given"])["distance"]
    place = next(
        e.row for e in MODEL.entries if e.given == {"form": "calciphylaxis_nonuraemic"} and e.variable == "radiograph"
    )
    random = np.random.default_rng(0)
    tilts = np.exp(random.uniform(0, 0.999 * limit["radiograph", "calciphylaxis_nonuraemic"], (300, 3)))
    rows = row[place] * tilts
    rows /= rows.sum(axis=1, keepdims=True)
    for tried in rows:
        p = asked(with_rows(MODEL.network, {("radiograph", place): tried}), findings)
        assert MODEL.states[int(p.argmax())] != "calciphylaxis"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"state": "dystrofic"}, "no state 'dystrofic' of subtype: did you mean 'dystrophic'"),
        ({"probability": 0.5}, "name the state that shall reach this probability"),
        ({"state": "dystrophic", "probability": 1.0}, "a probability to reach lies between 0 and 1, not at 1.0"),
        ({"state": "calciphylaxis"}, "calciphylaxis leads already"),
    ],
)
def test_goals_that_cannot_be_are_told(named, message):
    with pytest.raises(cc.QuestionError, match=message):
        cc.smallest_changes(MODEL, {"pain": "severe"}, **named)


def test_what_is_certain_has_no_smallest_change():
    with pytest.raises(cc.QuestionError, match="idiopathic is certain: only new zeros change that"):
        cc.smallest_changes(MODEL, {"subtype": "idiopathic"})


def small(seed, repeatable):
    """A small random model: target a, hidden h, finding b below both, and c below h, which may be repeatable."""
    random = np.random.default_rng(seed)
    sizes = {"a": 2 + seed % 2, "h": 2, "b": 2, "c": 2}
    parents = {"a": (), "h": ("a",), "b": ("a", "h"), "c": ("h",)}
    tables = {name: random.dirichlet(np.ones(sizes[name]), [sizes[p] for p in parents[name]] or None) for name in sizes}
    variables = {
        name: Variable(
            name, tuple(State(s, s) for s in "stu"[:size]), label=name, repeatable=repeatable and name == "c"
        )
        for name, size in sizes.items()
    }
    weights = {name: np.full(table.shape[:-1], 12.0) for name, table in tables.items()}
    return cc.Model(Network("a", variables, parents, {n: np.asarray(t) for n, t in tables.items()}, (), weights))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("epsilon", [0.05, 0.3])
def test_robust_bounds_enclose_every_corner_and_are_reached(seed, epsilon):
    model = small(seed, repeatable=False)
    findings = {"b": "s", "c": "t"}
    network = model.network
    rows = [(name, i) for name, table in network.tables.items() for i in range(table[..., 0].size)]
    rows = [place for place in rows if place[0] not in ("b", "c")]  # of these the ends are known: see below
    lowest, highest = np.ones(len(model.states)), np.zeros(len(model.states))
    ends = [(name, i) for name in ("b", "c") for i in range(network.tables[name][..., 0].size)]
    corners = [range(network.tables[name].shape[-1]) for name, _ in [*rows, *ends]]
    arrays = {name: table.reshape(-1, table.shape[-1]) for name, table in network.tables.items()}
    for chosen in product(*corners):
        moved = {name: array.copy() for name, array in arrays.items()}
        for (name, i), corner in zip([*rows, *ends], chosen, strict=True):
            moved[name][i] = (1 - epsilon) * arrays[name][i] + epsilon * np.eye(arrays[name].shape[1])[corner]
        a, h = moved["a"][0], moved["h"]
        weights = a * (h * moved["b"][:, 0].reshape(len(a), 2) * moved["c"][:, 1]).sum(axis=1)
        p = weights / weights.sum()
        lowest, highest = np.minimum(lowest, p), np.maximum(highest, p)
    frame = cc.robust_bounds(model, findings, epsilon=epsilon).frame
    assert (frame["lower_bound"] <= lowest + 1e-12).all()
    assert (frame["upper_bound"] >= highest - 1e-12).all()
    assert (frame["lower_attained"] >= lowest - 1e-12).all()
    assert (frame["upper_attained"] <= highest + 1e-12).all()
    if epsilon < 0.1:  # with much doubt, moving one table after the other may end before the very best
        assert frame["lower_attained"].to_numpy() == pytest.approx(lowest, abs=1e-9)
        assert frame["upper_attained"].to_numpy() == pytest.approx(highest, abs=1e-9)


def test_robust_bounds_of_repeated_results_enclose_tables_at_random():
    model, findings = small(3, repeatable=True), {"b": "s", "c": ["s", "t", "t"]}
    frame = cc.robust_bounds(model, findings, epsilon=0.2).frame
    random = np.random.default_rng(1)
    for _ in range(300):
        tables = {
            name: 0.8 * table + 0.2 * random.dirichlet(np.full(table.shape[-1], 0.3), table.shape[:-1] or None)
            for name, table in model.network.tables.items()
        }
        p = asked(cc.Model(replace(model.network, tables=tables)), findings)
        assert (p >= frame["lower_bound"] - 1e-12).all()
        assert (p <= frame["upper_bound"] + 1e-12).all()


def test_robust_bounds_of_the_published_cases(figure):
    gaps = []
    for case in CASES.index:
        frame = cc.robust_bounds(MODEL, known(case)).frame
        assert (frame["lower_bound"] <= frame["probability"]).all()
        assert (frame["upper_bound"] >= frame["probability"]).all()
        gaps.append(frame["gap"].max())
    figure(f"robust bounds at 1 %, 59 cases: apart by {np.median(gaps):.4f} in the median, {max(gaps):.4f} at most")


def test_draws_are_those_of_the_seed_and_agree_with_numpy():
    findings = {"b": "s", "c": "t"}
    model = small(1, repeatable=False)
    one, same, other = (cc.uncertainty(cc.Model(model.network), findings, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.drawn, same.drawn)
    assert not np.array_equal(one.drawn, other.drawn)
    random = np.random.default_rng(2)
    arrays = {name: table.reshape(-1, table.shape[-1]) for name, table in model.network.tables.items()}
    drawn = {name: np.array([random.dirichlet(12 * row, 40_000) for row in array]) for name, array in arrays.items()}
    a, h = drawn["a"][0].T, drawn["h"]
    b, c = drawn["b"][:, :, 0].reshape(len(a), 2, -1), drawn["c"][:, :, 1]
    weights = a * (h.transpose(0, 2, 1) * b * c).sum(axis=1)
    p = weights / weights.sum(axis=0)
    assert one.frame["mean"].to_numpy() == pytest.approx(p.mean(axis=1), abs=0.01)
    assert one.frame["sd"].to_numpy() == pytest.approx(p.std(axis=1), abs=0.01)
    assert one.frame["median"].to_numpy() == pytest.approx(np.median(p, axis=1), abs=0.015)


def test_shares_of_the_variance_are_near_those_of_the_first_order():
    # Beta(3,7), Beta(18,2), Beta(4,16): parts of the variance .0218895, .0002675 and .0096314 of .0317884, own
    variables = {name: Variable(name, (State("yes", "yes"), State("no", "no")), label=name) for name in ("d", "t")}
    tables = {"d": np.array([0.3, 0.7]), "t": np.array([[0.9, 0.1], [0.2, 0.8]])}
    weights = {"d": np.array(10.0), "t": np.array([20.0, 20.0])}
    model = cc.Model(Network("d", variables, {"d": (), "t": ("d",)}, tables, (), weights))
    found = cc.uncertainty(model, {"t": "yes"}, draws=100_000)
    assert found.frame["mean"].iloc[0] == pytest.approx(0.6377413, abs=0.002)
    assert found.frame["sd"].iloc[0] == pytest.approx(0.1785699, abs=0.002)
    assert found.frame.loc[0, ["lower", "median", "upper"]].to_list() == pytest.approx(
        [0.2453, 0.6606, 0.9154], abs=0.006
    )
    shares = found.by_table.query("state == 'yes'").set_index("table")
    assert shares.loc["d", "first_order"] == pytest.approx(0.0218895 / 0.0317884, abs=0.05)
    assert shares.loc["t", "first_order"] == pytest.approx((0.0002675 + 0.0096314) / 0.0317884, abs=0.05)
    assert (shares["total"] >= shares["first_order"] - 0.01).all()
    assert found.by_source.empty


@pytest.mark.parametrize("draws", [1, 10**8])
def test_numbers_of_draws_that_cannot_be_are_told(draws):
    with pytest.raises(ValueError, match="the number of draws lies between 2 and 10,000,000"):
        cc.uncertainty(MODEL, {}, draws=draws)


def test_many_patients_are_asked_as_each_is_alone():
    frame = CASES.iloc[[0, 20, 40]]
    found = cc.over_patients(MODEL, frame, draws=200)
    assert found.patients["patient"].to_list() == frame.index.to_list()
    alone = cc.one_way(MODEL, known("jones2023"))
    assert found.patients.loc[0, "fragile"] == int(alone.frame["fragile"].sum())
    assert found.patients.loc[0, "probability"] == alone.posterior[alone.posterior.leading]
    swings = [cc.one_way(MODEL, known(case)).frame["swing"].to_numpy() for case in frame.index]
    by_entry = found.entries.set_index("entry")["swing"]
    assert by_entry[list(MODEL.entries.names)].to_numpy() == pytest.approx(np.mean(swings, axis=0), abs=1e-12)
    units = pd.DataFrame({"serum_calcium (mg/dL)": [9.1, 11.4]}, index=["ann", "bob"])
    assert cc.over_patients(MODEL, units, draws=50).patients["patient"].to_list() == ["ann", "bob"]
    with pytest.raises(ValueError, match="there is no patient"):
        cc.over_patients(MODEL, frame.head(0))


EXTREMES = {
    "nothing": {},
    "the answer": {"subtype": "dystrophic"},
    "a form": {"form": "idiopathic_genital"},
    "likelihoods": {"subtype": "dystrophic/metastatic", "pain": "none:0.2,severe:0.8"},
    "300 biopsies": {"vascular_histology": ["absent"] * 300},
    "mixed biopsies": {"vascular_histology": ["absent", "intramural_calcification"] * 10},
}


@pytest.mark.parametrize("weight", [None, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("findings", EXTREMES.values(), ids=EXTREMES)
def test_extreme_questions_have_finite_answers(findings, weight):
    model = MODEL
    if weight is not None:
        weights = {name: np.full(table.shape[:-1], weight) for name, table in MODEL.network.tables.items()}
        model = cc.Model(replace(MODEL.network, weights=weights))
    found = cc.sensitivity(model, findings, draws=100)
    json.dumps(found.as_dict(None), allow_nan=False)
    numbers = found.one_way.frame[["lower", "upper", "at_lower", "at_upper", "derivative"]].to_numpy()
    assert np.isfinite(numbers).all()
    assert found.uncertainty.frame.drop(columns=model.target).notna().all(axis=None)


def test_every_variable_observed_has_an_answer():
    for patient in MODEL.simulate(3, hidden=True, seed=2).drop(columns="diagnosis").to_dict("records"):
        found = cc.sensitivity(MODEL, patient, draws=50)
        assert np.isfinite(found.one_way.frame[["at_lower", "at_upper", "derivative"]].to_numpy()).all()


def test_a_network_without_weights_has_sensitivities_and_no_intervals():
    model = cc.Model(replace(MODEL.network, weights={}))
    found = cc.sensitivity(model, {"pain": "severe"})
    assert found.uncertainty is None
    assert (found.one_way.frame["lower"] == found.one_way.frame["value"]).all()
    with pytest.raises(ValueError, match="no row of this network has a weight"):
        cc.uncertainty(model, {"pain": "severe"})
