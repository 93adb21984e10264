"""Sensitivity figures that others have printed, to their digits, each with its source.

bnmonitor: pkgdown pages at gh-pages 671b187 and tests at master cab71e6. Values marked own were recomputed by plain
enumeration, where no printed ones exist.
"""

from dataclasses import replace

import numpy as np
import pytest
from printed_networks import ALARM, ASIA, POOLE, SCANNED, SYNTHETIC, TRAVEL, YES_NO, yes

import calcinosis as cc
from calcinosis.analysis.sensitivity.covariation import knots
from calcinosis.analysis.sensitivity.distance import distance, divergence, row_distance
from calcinosis.inference.network import Network
from calcinosis.knowledge.records import State, Variable


def model(target, tables):
    """A model from {name: (states, parents, rows)}, rows in the order of the parents' states."""
    states = {name: own.split() for name, (own, _, _) in tables.items()}
    parents = {name: tuple(own.split()) for name, (_, own, _) in tables.items()}
    arrays = {
        name: np.reshape(rows, [*(len(states[p]) for p in parents[name]), len(states[name])])
        for name, (_, _, rows) in tables.items()
    }
    variables = {name: Variable(name, tuple(State(s, s) for s in own), label=name) for name, own in states.items()}
    return cc.Model(Network(target, variables, parents, arrays))


def entries(changes):
    """Per entry its new value and its distance."""
    return {row.entry: (row.new, row.distance) for row in changes.entries.itertuples()}


# bnmonitor, sensquery: S1 to S3. Its code keeps one parameter per node, so the printed rows are among ours.


@pytest.mark.parametrize(
    ("tables", "target", "known", "state", "wanted", "printed", "tolerance"),
    [
        (
            ALARM, "report", {}, "yes", 0.4,
            {
                "leaving=yes@alarm=malfunction": (0.7983961, 0.3816771),
                "report=yes@leaving=yes": (0.8164951, 0.3941673),
                "tampering=yes": (0.2018769, 2.5172158),
                "fire=yes": (0.1252059, 2.6510913),
                "alarm=true@fire=no,tampering=no": (0.1106591, 7.1262142),
                # own: nearer than any printed
                "alarm=false@fire=no,tampering=no": (0.2884647, 0.2833737),
                "alarm=malfunction@fire=no,tampering=no": (0.7114585, 0.2834388),
            },
            1e-7,
        ),
        (
            SYNTHETIC, "y3", {}, "3", 0.3,
            {
                "y1=2": (0.6236559, 1.352393),
                "y2=3@y1=1": (0.9479167, 2.901422),
                "y3=1@y1=2,y2=1": (0.8166667, 3.691150),
                # own: the true optimum first
                "y3=3@y1=3,y2=1": (0.3771429, 0.5016931),
                "y3=2@y1=3,y2=1": (0.472, 0.7351806),
                "y3=1@y1=3,y2=1": (0.3965714, 0.9665229),
                "y2=1@y1=3": (0.442, 1.0803469),
            },
            1e-6,
        ),
        (
            ALARM, "report", {"alarm": "true"}, "yes", 0.3,
            {"report=yes@leaving=yes": (0.339545, None), "leaving=yes@alarm=true": (0.391892, None)},
            1e-6,
        ),
    ],
)  # fmt: skip
def test_s1_to_s3_single_changes_that_reach_a_probability(tables, target, known, state, wanted, printed, tolerance):
    changes = cc.sensitivity.smallest_changes(model(target, tables), known, state=state, probability=wanted)
    found = entries(changes)
    for entry, (new, far) in printed.items():
        assert found[entry][0] == pytest.approx(new, abs=tolerance, rel=0), entry
        if far is not None:
            assert found[entry][1] == pytest.approx(far, abs=10 * tolerance, rel=0), entry
    distances = [far for _, far in printed.values() if far is not None]
    assert changes.entries["distance"].iloc[0] <= min(distances, default=np.inf) + 10 * tolerance


def test_s4_a_prior_moved_in_proportion():
    travel = model("E", TRAVEL)
    function = cc.sensitivity.one_way(travel, {"O": "self"}).function("A=old")
    assert function(0.2)[0] == pytest.approx(0.594134, abs=5e-7)
    assert function(0.6383142)[0] == pytest.approx(0.7, abs=1e-6)


def test_s5_a_row_moved_in_proportion():
    function = cc.sensitivity.one_way(model("report", ALARM), {}).function("alarm=false@fire=yes,tampering=no")
    assert function.row(0.1) == pytest.approx([0.83636364, 0.06363636, 0.1], abs=6e-9)


def test_s6_the_only_two_single_changes_that_do_it():
    # Chan & Darwiche, from memory: .036 and .0047; beyond these digits by enumeration
    changes = cc.sensitivity.smallest_changes(
        model("tampering", POOLE), {"report": "yes", "smoke": "no"}, state="yes", probability=0.65
    )
    found = entries(changes)
    assert found["tampering=yes"] == pytest.approx((0.0364049, 0.6158512), abs=1e-7)
    assert found["report=yes@leaving=no"] == pytest.approx((0.0047047, 0.7593519), abs=1e-7)
    assert set(found) == {"tampering=yes", "tampering=no", "report=yes@leaving=no", "report=no@leaving=no"}


PRINTED = """
.05 2.2512918 2.0971411 .099278412 .097128206   .50  .9808293  .8472979 .026835069 .024684864
.10 1.5040774 1.3499267 .048249282 .046099076   .55 1.1814999 1.0479686 .040382862 .038232656
.15 1.0414539  .8873032 .023760689 .021610483   .60 1.3862944 1.2527630 .057286275 .055136069
.20  .6931472  .5389965 .010600473 .008450267   .65 1.5998685 1.4663371 .078124024 .075973818
.25  .4054651  .2513144 .004070643 .001920437   .70 1.8281271 1.6945957 .103825949 .101675743
.30  .2876821 0         .002150206 0            .75 2.0794415 1.9459101 .135904118 .133753912
.35  .3617900  .2282587 .003839319 .001689113   .80 2.3671236 2.2335922 .176955797 .174805591
.40  .5753641  .4418328 .008630462 .006480256   .85 2.7154303 2.5818989 .231912816 .229762610
.45  .7801586  .6466272 .016302378 .014152172   .90 3.1780538 3.0445224 .311916231 .309766025
                                                .95 3.9252682 3.7917368 .452611089 .450460883
"""
NUMBERS = np.array(PRINTED.split(), dtype=float).reshape(-1, 5)


@pytest.mark.parametrize("printed", NUMBERS, ids=lambda row: f"{row[0]:.2f}")
def test_distances_and_divergences_of_bnmonitor(printed):
    new, *values = printed
    synthetic = model("y3", SYNTHETIC)
    found = {"far": [], "divergence": []}
    for scheme in ("uniform", "proportional"):
        row = cc.sensitivity.one_way(synthetic, {}, scheme=scheme).function("y2=1@y1=2").row(new)
        table = synthetic.network.tables["y2"].copy()
        table[1] = row
        changed = replace(synthetic.network, tables={**synthetic.network.tables, "y2": table})
        found["far"].append(distance(synthetic.network, changed))
        found["divergence"].append(divergence(synthetic.network, changed))
        assert found["far"][-1] == pytest.approx(float(row_distance(synthetic.network.tables["y2"][1], row)), abs=1e-12)
    assert found["far"] == pytest.approx(values[:2], abs=6e-8)
    assert found["divergence"] == pytest.approx(values[2:], abs=6e-10)


def test_an_entry_that_stays_still_moves_a_row_made_uniform():
    synthetic = model("y3", SYNTHETIC)
    table = synthetic.network.tables["y1"].copy()
    table[:] = cc.sensitivity.one_way(synthetic, {}, scheme="uniform").function("y1=2").row(0.3)
    assert table == pytest.approx([0.35, 0.3, 0.35])
    changed = replace(synthetic.network, tables={**synthetic.network.tables, "y1": table})
    assert distance(synthetic.network, changed) == pytest.approx(0.9162907, abs=5e-8)
    assert divergence(synthetic.network, changed) == pytest.approx(0.06641431, abs=5e-9)


def test_order_preserving_covariation_of_bnmonitor():
    x, rows = knots(np.array([[0.2, 0.3, 0.5]]), "order-preserving")
    share = (0.3 - x[0, 0, 1]) / (x[0, 0, 2] - x[0, 0, 1])
    assert (1 - share) * rows[0, 0, 1] + share * rows[0, 0, 2] == pytest.approx([0.3, 0.325, 0.375])


CANCER_CT = (SCANNED, "B", {"CT": "yes"})
POOLE_ASKED = {"report": "yes", "smoke": "no"}


@pytest.mark.parametrize(
    ("tables", "target", "known", "entry", "state", "coefficients"),
    [
        # O1: HUGIN help, ParameterSensitivityAnalysis.html: a straight line; O2 to O8 own
        (ASIA, "bronc", {}, "smoke=yes", "yes", (0.3, 0.3, 0, 1)),
        (POOLE, "tampering", POOLE_ASKED, "tampering=yes", "yes", (0.55275071, 0, 0.54150599, 0.01124472)),
        (
            POOLE, "tampering", POOLE_ASKED, "report=yes@leaving=no", "yes",
            (0.00494795, 0.01100553, 0.96452724, 0.01242957),
        ),
        (POOLE, "fire", {"report": "yes"}, "fire=yes", "yes", (0.64832089, 0, 0.62645933, 0.02186157)),
        (ALARM, "report", {}, "alarm=false@fire=yes,tampering=no", "yes", (-0.00629759, 0.36790768, 0, 1)),
        (SYNTHETIC, "y1", {"y3": "3"}, "y1=2", "1", (-0.097143, 0.097143, -0.132857, 0.382857)),
        (SYNTHETIC, "y1", {"y3": "3"}, "y1=2", "2", (0.25, 0, -0.132857, 0.382857)),
        (SYNTHETIC, "y1", {"y3": "3"}, "y1=2", "3", (-0.285714, 0.285714, -0.132857, 0.382857)),
        (ASIA, "lung", {"xray": "yes"}, "xray=yes@either=no", "yes", (0, 0.0539, 0.935172, 0.06353144)),
        (*CANCER_CT, "MC=yes", "yes", (0.1425, 0.0475, 0.1275, 0.1425)),
    ],
)  # fmt: skip
def test_one_way_functions(tables, target, known, entry, state, coefficients):
    function = cc.sensitivity.one_way(model(target, tables), known).function(entry)
    a, b, c, d = coefficients
    x = np.array([0.1, 0.37, 0.9])
    place = function.states.index(state)
    assert function(x)[:, place] == pytest.approx((a * x + b) / (c * x + d), abs=2e-5)
    found = function.coefficients.query("state == @state and side == 'above'").iloc[0]
    assert found[["alpha", "beta", "gamma", "delta"]].to_list() == pytest.approx(
        [a / d, b / d, c / d, 1], rel=1e-4, abs=1e-6
    )


@pytest.mark.parametrize(
    ("tables", "target", "known", "entry", "leader", "below", "above"),
    [
        (ASIA, "bronc", {}, "smoke=yes", "no", np.inf, 1 / 6),
        (SYNTHETIC, "y1", {"y3": "3"}, "y1=2", "3", np.inf, 0.533333 - 0.3),
        (SYNTHETIC, "y1", {"y3": "3"}, "y2=1@y1=3", "3", np.inf, np.inf),
        # a knife's edge: the lead changes at .0199376
        (POOLE, "tampering", POOLE_ASKED, "tampering=yes", "yes", 0.0000624, np.inf),
    ],
)
def test_admissible_deviations(tables, target, known, entry, leader, below, above):
    found = cc.sensitivity.one_way(model(target, tables), known)
    line = found.frame.set_index("entry").loc[entry]
    assert found.posterior.leading == leader
    assert line["admissible_below"] == pytest.approx(below, abs=1e-6)
    assert line["admissible_above"] == pytest.approx(above, abs=1e-6)


def test_two_way_functions():
    surface = cc.sensitivity.two_way(
        model("tampering", POOLE), POOLE_ASKED, "tampering=yes", "report=yes@leaving=no", steps=4
    )
    got = surface.surface(np.array([0.02, 0.03]), np.array([0.01, 0.006]))[:, 0]
    assert got == pytest.approx([0.500797, 0.699581], abs=6e-7)
    rows = surface.coefficients
    ratio = rows.loc["yes", ["a", "b", "c", "d"]].to_numpy() / rows.loc["yes", "b"] * 0.550276736
    assert ratio == pytest.approx([0.247397685, 0.550276736, 0, 0], abs=1e-8)
    total = rows[["a", "b", "c", "d"]].sum().to_numpy() / rows.loc["yes", "b"] * 0.550276736
    assert total == pytest.approx([-0.731764854, 0.548823641, 0.979162539, 0.001453096], abs=1e-8)
    tables, target, known = CANCER_CT
    tumour = cc.sensitivity.two_way(model(target, tables), known, "MC=yes", "CT=yes@B=no", steps=4)
    x, y = np.array([0.1, 0.7]), np.array([0.3, 0.2])
    expected = (0.1425 * x + 0.0475) / (-0.15 * x * y + 0.1425 * x + 0.95 * y + 0.0475)
    assert tumour.surface(x, y)[:, 0] == pytest.approx(expected, abs=1e-12)


def test_error_bars_by_the_first_order():
    """Section of Van Allen, Greiner and Hooper's model: Beta(3,7), Beta(18,2), Beta(4,16); own, two methods each."""
    disease = model("disease", {"disease": (YES_NO, "", yes(0.3)), "test": (YES_NO, "disease", yes(0.9, 0.2))})
    line = (
        cc.sensitivity.one_way(disease, {"test": "yes"})
        .by_state.query("disease == 'yes'")
        .set_index("entry")["derivative"]
    )
    slopes = line[["disease=yes", "test=yes@disease=yes", "test=yes@disease=no"]].to_numpy()
    assert slopes == pytest.approx([1.0707912, 0.2498513, -1.1243308], abs=6e-8)
    variances = slopes**2 * np.array([0.21 / 11, 0.09 / 21, 0.16 / 21])
    assert variances == pytest.approx([0.0218895, 0.0002675, 0.0096314], abs=6e-8)
    assert variances.sum() == pytest.approx(0.0317884, abs=6e-8)
