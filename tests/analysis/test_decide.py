"""Decisions: what is told of thresholds, changes, draws and tests is what deciding anew gives."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from decision_folders import random_decision
from hypothesis import given
from hypothesis import strategies as st

import calcinosis as cc
from calcinosis.analysis.decide import row_changes as moved_rows
from calcinosis.analysis.decide.decision import decide
from calcinosis.analysis.decide.thresholds import UtilityLine, by_choice, envelope
from calcinosis.analysis.decide.utility_map import utility_map
from calcinosis.inference.model import Model
from calcinosis.knowledge.decisions import Utility
from calcinosis.knowledge.frozen import FrozenMap

SEEDS = range(12)
JONES = {
    "care_setting": "hospital_inpatient",
    "cirrhosis": "yes",
    "weight_loss": "yes",
    "connective_tissue_disease": "no",
    "tissue_injury": "no",
    "sex": "female",
    "age_group": "adult",
    "serum_calcium": "normal",
    "serum_phosphate": "normal",
    "autoantibodies": "negative",
    "pain": "intermittent",
    "ulceration": "yes",
    "lesion_site": "proximal_adipose",
    "radiograph": "nodular_mass",
}
BIOPSY = {"vascular_histology": "absent", "vasculopathy": "no", "extravascular_calcification": "yes"}


@pytest.fixture(scope="module")
def model():
    return cc.load()


def utilities_of(decision):
    return dict(zip([own.name for own in decision.problem.actions], decision.utilities.tolist(), strict=True))


def with_decisions(model, **changes):
    """The model with other decisions."""
    return Model.from_priors(replace(model.priors, decisions=replace(model.priors.decisions, **changes)))


def with_prior(model, state, probability):
    """A random decision's model with the prior of a state at a probability, the others in proportion."""
    table = model.priors.table("disease")
    others = [name for name in model.states if name != state]
    share = table[others].to_numpy(float)[0]
    table[others] = share / share.sum() * (1 - probability)
    table[state] = probability
    return model.with_tables({"disease": table})


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=12),
    st.sampled_from([[0.0, 1.0], [0.0, 0.3, 0.4, 1.0]]),
)
def test_the_envelope_of_lines_is_their_largest_everywhere(lines, asked):
    own = [UtilityLine(number, level, slope) for number, (level, slope) in enumerate(lines)]
    pieces = by_choice(envelope(lambda points: [max(own, key=lambda line: line(x)) for x in points], asked))
    assert (pieces[0].start, pieces[-1].stop) == (0.0, 1.0)
    assert all(one.stop == two.start and one.line != two.line for one, two in pairwise(pieces))
    for x in np.linspace(0, 1, 41):
        here = next(piece for piece in pieces if piece.start <= x <= piece.stop)
        assert here.line(x) == pytest.approx(max(line(x) for line in own), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_thresholds_are_where_deciding_anew_changes_its_mind(seed):
    model = random_decision(seed)
    decision = decide(model, state="b")
    frame = decision.thresholds.frame
    assert (frame["from"].iloc[0], frame["to"].iloc[-1]) == (0.0, 1.0)
    curve = decision.thresholds.curve
    for line in frame.itertuples():
        start, stop = line[3], line[4]
        for at in np.linspace(start, stop, 5)[1:-1]:
            own = decide(with_prior(model, "b", float(at)))
            best = max(utilities_of(own).values())
            assert utilities_of(own)[line.action] == pytest.approx(best, abs=1e-9)
    for point in curve.iloc[10:200:40].to_dict("records"):
        own = utilities_of(decide(with_prior(model, "b", point.pop("probability"))))
        assert own == pytest.approx(point, abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tie_with_a_rival_is_a_tie(seed):
    model = random_decision(seed)
    decision = decide(model, state="a")
    for line in decision.thresholds.rivals.itertuples():
        own = utilities_of(decide(with_prior(model, "a", line.at)))
        assert own[line.below] == pytest.approx(own[line.above], abs=1e-8)
        assert decision.leading in (line.below, line.above)
    ties = decision.thresholds.rivals
    if len(ties):
        first = ties.iloc[0]
        assert decision.thresholds.between(first["below"], first["above"]) == pytest.approx(first["at"])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_utility_at_its_change_makes_a_tie_and_beyond_it_the_other_leads(seed):
    decision = decide(random_decision(seed))
    for line in decision.changes.utilities.itertuples():
        own = utilities_of(decision.with_utilities({line.name: float(np.clip(line.at, 0, 100))}))
        assert own[line.to] == pytest.approx(max(own.values()), abs=1e-7)
        assert own[decision.leading] == pytest.approx(max(own.values()), abs=1e-7)
        beyond = line.at + np.sign(line.change) * 0.01
        if 0 <= beyond <= 100:
            assert decision.with_utilities({line.name: float(beyond)}).leading != decision.leading
        inside = line.value + 0.5 * line.change
        assert decision.with_utilities({line.name: float(inside)}).leading == decision.leading
    untold = {item.name for item in decision.problem.items} - set(decision.changes.utilities["name"])
    for name in untold:
        for end in (0.0, 100.0):
            own = utilities_of(decision.with_utilities({name: end}))
            assert own[decision.leading] == pytest.approx(max(own.values()), abs=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_response_at_its_change_makes_a_tie(seed):
    model = random_decision(seed)
    decision = decide(model)
    own = model.priors.decisions
    for line in decision.changes.responses.itertuples():
        if "," not in line.name:
            item, actions = line.name.split("@")
            harms = [
                replace(harm, probability=line.at) if (harm.harm, ";".join(harm.actions)) == (item, actions) else harm
                for harm in own.harms
            ]
            changed = with_decisions(model, harms=tuple(harms))
        else:
            outcome, where = line.name.split("@")
            actions, subtype = where.rsplit(",", 1)
            place = own.outcomes.index(outcome)
            rows = []
            for row in own.responses:
                if (";".join(row.actions), row.subtype) == (actions, subtype):
                    shares = np.array(row.probabilities) * (1 - line.at) / (1 - row.probabilities[place])
                    shares[place] = line.at
                    rows.append(replace(row, probabilities=tuple(shares.tolist())))
                else:
                    rows.append(row)
            changed = with_decisions(model, responses=tuple(rows))
        found = utilities_of(decide(changed))
        assert found[line.to] == pytest.approx(max(found.values()), abs=1e-7)
        assert found[decision.leading] == pytest.approx(max(found.values()), abs=1e-7)


def moved(model, entry, value):
    """The model with one entry of its tables moved, the rest of the row in proportion."""
    found = model.entries.find(entry)
    table = model.priors.table(found.variable)
    states = list(model.variables[found.variable].state_names)
    row = table[states].to_numpy(float)[found.row].copy()
    row *= (1 - value) / (1 - row[found.column])
    row[found.column] = value
    table.loc[found.row, states] = row
    return model.with_tables({found.variable: table})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_rows_of_a_random_decision_at_their_change_and_none_left_out(seed):
    model = random_decision(seed)
    decision = decide(model, finding="yes")
    frame = decision.changes.tables
    for line in frame.itertuples():
        found = utilities_of(decide(moved(model, line.name, line.at), finding="yes"))
        assert found[line.to] == pytest.approx(max(found.values()), abs=1e-7)
        assert found[decision.leading] == pytest.approx(max(found.values()), abs=1e-7)
    told = {(model.entries.find(name).variable, model.entries.find(name).row) for name in frame["name"]}
    for entry in model.entries:
        if (entry.variable, entry.row) not in told:
            for end in (1e-9, 1 - 1e-9):
                found = utilities_of(decide(moved(model, entry, end), finding="yes"))
                assert found[decision.leading] == pytest.approx(max(found.values()), abs=1e-6), (entry, end)


def test_rows_in_small_blocks_are_told_as_all_at_once(model, monkeypatch):
    whole = decide(model, JONES).changes.tables
    monkeypatch.setattr(moved_rows, "MOST_NUMBERS", 5000)  # seven entries at a time
    blocks = decide(model, JONES).changes.tables
    pd.testing.assert_frame_equal(blocks, whole, atol=1e-9)


def test_where_two_actions_are_equal_for_a_while_the_one_that_leads_after_is_told(model):
    """Deep biopsy and biopsy are equal well before 0.71, as a second look at the same biopsy changes nothing there, and
    excision leads from 0.718 on."""
    case = cc.cases().loc["dys_033"]
    known = {name: value for name, value in case.items() if name in model.names and value and name not in BIOPSY}
    frame = decide(model, known).changes.tables
    line = frame[frame["name"].str.startswith("vessel_calcification") & (frame["to"] == "excision")]
    line = line[line["name"].str.contains("esrd=any,subtype=calciphylaxis")].iloc[0]
    assert decide(model, known).leading == "wedge_first"
    at = {x: utilities_of(decide(moved(model, line["name"], x), known)) for x in (0.71, 0.73, line["at"])}
    assert at[0.71]["wedge_first"] == pytest.approx(at[0.71]["biopsy_first"], abs=1e-12)
    assert at[0.73]["excision"] > max(at[0.73]["wedge_first"], at[0.73]["biopsy_first"])
    assert at[line["at"]]["wedge_first"] == pytest.approx(at[line["at"]]["excision"], abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("biopsies", [0, 1, 2])
@pytest.mark.parametrize("without", [(), ("excision", "intralesional_sts")], ids=["all", "without"])
def test_a_row_of_the_tables_at_its_change_makes_a_tie(model, biopsies, without):
    findings = JONES | ({**BIOPSY, "vascular_histology": ["absent"] * biopsies} if biopsies else {})
    decision = decide(model, findings, without=without)
    frame = decision.changes.tables
    assert len(frame) > 5
    shown = frame.head(6)["name"].to_list() + [n for n in frame["name"] if n.startswith("vascular_histology")]
    for line in frame[frame["name"].isin(shown)].itertuples():
        if not 0 < line.at < 1:
            continue
        found = utilities_of(decide(moved(model, line.name, line.at), findings, without=without))
        assert found[line.to] == pytest.approx(max(found.values()), abs=1e-3)
        assert found[decision.leading] == pytest.approx(max(found.values()), abs=1e-3)
        beyond = line.at + 1e-3 * (float(line.change > 0) - line.at)
        found = utilities_of(decide(moved(model, line.name, beyond), findings, without=without))
        assert found[line.to] == pytest.approx(max(found.values()), abs=1e-9)
        assert found[decision.leading] < found[line.to]
    assert frame["likely"].to_list() == sorted(frame["likely"], reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_of_sure_rows_are_the_expected_utility(seed):
    """With rows that rest on a million patients every draw is the tables themselves."""
    model = random_decision(seed)
    priors, own = model.priors, model.priors.decisions
    tables = {
        name: replace(table, rows=tuple(replace(row, weight=1e9) for row in table.rows))
        for name, table in priors.tables.items()
    }
    sure = replace(
        priors,
        tables=FrozenMap(tables),
        tests=FrozenMap({name: replace(test, weight=1e9) for name, test in priors.tests.items()}),
        decisions=replace(
            own,
            responses=tuple(replace(row, weight=1e9) for row in own.responses),
            harms=tuple(replace(harm, weight=1e9) for harm in own.harms),
        ),
    )
    decision = decide(Model.from_priors(sure), finding="yes", draws=50)
    assert decision.drawn == pytest.approx(np.tile(decision.utilities[:, None], 50), abs=0.02)
    assert decision.spread["regret"].iloc[0] == pytest.approx(0, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_draws_are_those_of_plain_sampling(seed):
    """The same distribution as numpy's Dirichlet draws, every outcome enumerated by hand, weighed by the evidence."""
    model = random_decision(seed)
    decision = decide(model, finding="yes", draws=40_000)
    rng = np.random.default_rng(1)
    draws = 40_000
    priors, own = model.priors, model.priors.decisions
    states = list(model.states)

    def table(name):
        found = priors.tables[name]
        rows = [rng.dirichlet(np.array(row.probabilities) * row.weight, draws) for row in found.rows]
        return np.stack(rows)

    disease, finding, first, second = (table(name) for name in ("disease", "finding", "first", "second"))
    base = disease[0] * finding[:, :, 1].T  # axes (draws, states)
    weights = base.sum(axis=1) / base.sum()
    worth = np.zeros((4, 3, draws))
    for row in own.responses:
        shares = rng.dirichlet(np.array(row.probabilities) * row.weight, draws)
        value = [own.utility(outcome, row.subtype).value for outcome in own.outcomes]
        worth[int(row.actions[0][1]), states.index(row.subtype)] += shares @ value
    for harm in own.harms:
        drawn = rng.beta(harm.probability * harm.weight, (1 - harm.probability) * harm.weight, draws)
        for name in harm.actions:
            for number, state in enumerate(states):
                worth[int(name[1]), number] -= drawn * own.utility(harm.harm, state).value
    posterior = base / base.sum(axis=1, keepdims=True)
    plain = {f"t{number}": (posterior * worth[number].T).sum(axis=1) for number in range(4)}
    look = priors.tests["look"]
    harmed = rng.beta(look.harm * look.weight, (1 - look.harm) * look.weight, draws)
    cost = np.stack(
        [
            harmed * own.utility("test_complication", state).value + look.days * own.utility("day", state).value
            for state in states
        ],
        axis=1,
    )
    chosen = decision.then[decision.then["action"] == "one"].set_index("result")["treatment"]
    one = -(posterior * cost).sum(axis=1)
    for result, state in enumerate(["low", "middle", "high"]):
        joint = posterior * first[:, :, result].T
        one += (joint * worth[int(chosen[f"first={state}"][1])].T).sum(axis=1)
    plain["one"] = one
    names = [action.name for action in decision.problem.actions]
    for name, values in plain.items():
        ours = decision.drawn[names.index(name)]
        mean, ours_mean = weights @ values, decision.draws.weights @ ours
        assert ours_mean == pytest.approx(mean, abs=0.3)
        assert ours_mean == pytest.approx(decision.utilities[names.index(name)], abs=0.3)
        spread = np.sqrt(weights @ (values - mean) ** 2)
        assert np.sqrt(decision.draws.weights @ (ours - ours_mean) ** 2) == pytest.approx(spread, rel=0.05, abs=0.05)
    assert second.shape == (9, draws, 2)


def test_the_spread_adds_up_and_the_best_has_the_least_regret(model):
    spread = decide(model, JONES).spread
    assert spread["best"].sum() == pytest.approx(1)
    assert (spread["lower"] <= spread["upper"]).all()
    assert spread["regret"].min() == pytest.approx(spread["regret"].iloc[0], abs=0.3)
    # regret is the best one's mean less one's own
    ours = spread["expected_utility"] + spread["regret"]
    assert ours.to_numpy() == pytest.approx(np.full(len(ours), ours.mean()), abs=0.8)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_test_is_worth_is_what_enumerating_its_results_gives(seed):
    model = random_decision(seed)
    decision = decide(model)
    treatments = [action.name for action in decision.problem.treatments]
    now = max(utilities_of(decision)[name] for name in treatments)
    gross = 0.0
    for state in ("low", "middle", "high"):
        after = decide(model, first=state)
        chance = np.exp(after.posterior.log_evidence - decision.posterior.log_evidence)
        gross += chance * max(utilities_of(after)[name] for name in treatments)
    found = decision.value_of_information.frame.set_index(["kind", "test"])
    price = found.loc[("test", "look"), ["harm", "delay"]].sum()
    if found.loc[("test", "look"), "changes"] > 0:
        assert found.loc[("test", "look"), "evsi"] == pytest.approx(gross - now, abs=1e-9)
    assert found.loc[("test", "look"), "net_evsi"] == pytest.approx(
        found.loc[("test", "look"), "evsi"] - price, abs=1e-9
    )
    assert (found["evsi"].drop(("action", "meanwhile")) <= decision.value_of_information.evpi + 1e-9).all()
    assert found["evsi"].drop(("action", "meanwhile")).min() >= -1e-9


def test_where_all_treatments_are_alike_no_test_can_change_anything(model):
    alike = decide(model, JONES, utilities=dict.fromkeys(["improved", "not_improved", "not_improved@calciphylaxis"], 0))
    free = dict.fromkeys(["infusion_effects", "infusions", "injection_pain", "surgical_complication"], 0.0)
    alike = alike.with_utilities(free | dict.fromkeys(["improved", "not_improved", "not_improved@calciphylaxis"], 0.0))
    assert not alike.value_of_information.can_change
    assert "could change which treatment" in alike.summary
    assert alike.value_of_information.evpi == pytest.approx(0)


def test_a_treatment_that_needs_a_finding_is_offered_only_when_it_is_known(model):
    def offered(**findings):
        return {action.name for action in decide(model, **findings).problem.actions}

    assert {"stop_vka", "stop_vka_iv_sts"} <= offered(warfarin="yes")
    for findings in ({}, {"warfarin": "no"}, {"warfarin": "no/yes"}, {"warfarin": "no:0.1,yes:0.9"}):
        assert not {"stop_vka", "stop_vka_iv_sts"} & offered(**findings)


def test_a_first_biopsy_is_offered_while_there_is_none_then_a_repeat(model):
    first, again = decide(model, JONES), decide(model, JONES | BIOPSY)
    tests = {own.action.name: [test.name for test in own.tests] for own in first.problem.workups}
    assert tests["biopsy_first"] == ["punch_biopsy"]
    assert tests["biopsies_first"] == ["punch_biopsy", "repeat_biopsy", "repeat_biopsy"]
    tests = {own.action.name: [test.name for test in own.tests] for own in again.problem.workups}
    assert tests["biopsy_first"] == ["repeat_biopsy"]
    assert tests["biopsies_first"] == ["repeat_biopsy"] * 3
    assert "wedge_first" not in tests


def test_an_action_left_out_takes_those_that_lean_on_it_along(model):
    names = {action.name for action in decide(model, JONES, without=["iv_sts"]).problem.actions}
    assert not {"iv_sts", "iv_sts_and_biopsy"} & names


def test_what_is_to_be_expected_does_not_depend_on_the_utilities_of_a_treatment(model):
    one = decide(model, JONES).frame.set_index("action").loc["iv_sts"]
    other = decide(model, JONES, utilities={"died": 20, "improved": 70}).frame.set_index("action").loc["iv_sts"]
    columns = ["died", "not_improved", "improved", "infusions", "days"]
    assert one[columns].to_list() == other[columns].to_list()
    assert one[["died", "not_improved", "improved"]].sum() == pytest.approx(1)


def threshold_by_hand(model, decision):
    """The probability of calciphylaxis at which sodium thiosulfate and wound care are worth the same, the others in
    proportion, from the rows of decisions/ alone."""
    own = model.priors.decisions

    def worth(action, subtype):
        (row,) = (row for row in own.responses if action in row.actions and row.subtype == subtype)
        harms = [harm for harm in own.harms if action in harm.actions]
        values = [own.utility(outcome, subtype).value for outcome in own.outcomes]
        lost = sum(harm.probability * own.utility(harm.harm, subtype).value for harm in harms)
        return np.dot(row.probabilities, values) - lost

    gain = {state: worth("iv_sts", state) - worth("wound_care", state) for state in model.states}
    probability = decision.posterior.probabilities
    rest = [state for state in model.states if state != "calciphylaxis"]
    loss = -sum(probability[s] * gain[s] for s in rest) / sum(probability[s] for s in rest)
    return loss / (loss + gain["calciphylaxis"])


def test_the_story_of_the_article(model):
    """Operation and injections were not available, and there were no minerals to lower. Before histology sodium
    thiosulfate leads, after one biopsy and after three waiting; the threshold does not move."""
    have = {"without": ["excision", "intralesional_sts", "treat_minerals"]}
    before, one, three = (
        decide(model, JONES, **have),
        decide(model, JONES | BIOPSY, **have),
        decide(model, JONES | BIOPSY | {"vascular_histology": ["absent"] * 3}, **have),
    )
    assert [own.leading for own in (before, one, three)] == ["iv_sts", "wound_care", "wound_care"]
    turns = [own.thresholds.between("wound_care", "iv_sts") for own in (before, one, three)]
    assert turns == pytest.approx([0.492] * 3, abs=0.005)
    for own, turn in zip((before, one, three), turns, strict=True):
        assert turn == pytest.approx(threshold_by_hand(model, own), abs=1e-9)
    assert before.posterior["calciphylaxis"] > turns[0] > one.posterior["calciphylaxis"]
    sure = [own.spread["best"].iloc[0] for own in (before, one, three)]
    assert all(0.45 < share < 0.75 for share in sure)  # the evidence does not settle it
    assert before.changes.utilities["name"].iloc[0] == "infusions"
    assert not before.value_of_information.worthwhile or before.value_of_information.frame["cost"].iloc[0] == 0


@pytest.mark.parametrize("names", [("died", "improved"), ("infusions", "day_of_waiting@calciphylaxis", "improved")])
def test_a_map_is_what_deciding_at_its_points_gives(model, names):
    decision = decide(model, JONES)
    found = decision.map(*names)
    assert found.leading.shape == (1 if len(names) == 2 else 3, 61, 61)
    for line in found.frame.sample(12, random_state=3).to_dict("records"):
        own = decision.with_utilities({name: line[name] for name in names})
        assert utilities_of(own)[line["leading"]] == pytest.approx(max(own.utilities))
    assert found.present == tuple(decision.problem.decisions.utilities[name].value for name in names)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"utilities": {"dyed": 3}}, "no utility 'dyed': did you mean 'died'? One of: died, "),
        ({"utilities": {"died": 101}}, "the utility of died is 101: give a number of points from 0 to 100"),
        ({"utilities": {"died": float("nan")}}, "the utility of died is nan: give a number of points from 0 to 100"),
        ({"without": ["excison"]}, "no action 'excison': did you mean 'excision'? One of: wound_care, "),
        ({"state": "calciphylaxi"}, "no state 'calciphylaxi' of subtype: did you mean 'calciphylaxis'? One of: "),
        ({"draws": 1}, "1 samples: give a number from 2 to 1,000,000"),
        ({"mass": 1.0}, "the mass of an interval is 1.0: give a number between 0 and 1"),
        (
            {"without": ["wound_care", "iv_sts", "intralesional_sts", "excision", "treat_minerals"]},
            "no treatment is left to choose: exclude fewer actions",
        ),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_so(model, asked, told):
    with pytest.raises(cc.errors.QuestionError) as caught:
        decide(model, JONES, **asked)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize("names", [("died",), ("died", "died"), ("died", "improved", "infusions", "not_improved")])
def test_a_map_has_two_or_three_utilities(model, names):
    with pytest.raises(cc.errors.QuestionError, match="two or three utilities, each once"):
        utility_map(decide(model, JONES).problem, names)


def test_a_network_without_decisions_says_so(model):
    bare = Model.from_priors(replace(model.priors, decisions=None))
    with pytest.raises(cc.errors.QuestionError, match="have no decisions: add a folder decisions/"):
        decide(bare, JONES)


def test_waiting_costs_nothing_where_there_is_no_delay(model):
    kept = {name: own for name, own in model.priors.decisions.utilities.items() if own.kind != "delay"}
    found = decide(with_decisions(model, utilities=FrozenMap(kept)), JONES)
    assert (found.value_of_information.frame["delay"] == 0).all()
    assert isinstance(next(iter(kept.values())), Utility)


def test_the_answer_has_everything_and_can_be_written(model):
    import json

    found = json.loads(json.dumps(decide(model, JONES, draws=500).to_dict(5)))
    assert found["actions"][0]["action"] == "wedge_first"
    assert {"lower", "upper", "best", "regret", "died"} <= set(found["actions"][0])
    assert found["thresholds"]["state"] == "calciphylaxis"
    assert len(found["changes"]["tables"]) == 5
    assert "not advice" in found["no_advice"]
    assert "not a medical device" in found["disclaimer"].lower()
