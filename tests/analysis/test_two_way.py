"""A two-way surface is what changed tables answer, its coefficients are its own, and the lead changes on its boundary.

The other way round is independent: both rows go into a new network, and the engine answers.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from printed_networks import POOLE, SCANNED
from properties import examples

import calcinosis as cc
from calcinosis.knowledge.folder import shipped_folder

CASES = cc.cases(shipped_folder())
THREE_BIOPSIES = ["absent", "intramural_calcification", "absent"]


def known(model, case):
    return {name: value for name, value in CASES.loc[case].items() if name in model.names and value}


def answered(network, rows, findings):
    """The posterior of the network with other rows, by variable and number; NaN where the evidence cannot be."""
    tables = {name: table.copy() for name, table in network.tables.items()}
    for (variable, number), row in rows.items():
        tables[variable][network.contexts[variable] == number] = row
    try:
        return np.array([*cc.Model(replace(network, tables=tables)).probabilities(findings).values()])
    except cc.errors.ImpossibleEvidence:
        return np.full(len(network.variables[network.target].states), np.nan)


def moved(network, entry, x, scheme):
    """The row of an entry when it is x."""
    row = network.rows(entry.variable)[entry.row]
    others = np.arange(len(row)) != entry.column
    left = row[others].sum()
    shares = row[others] / left if scheme == "proportional" and left > 0 else np.ones(others.sum()) / others.sum()
    changed = np.empty(len(row))
    changed[entry.column], changed[others] = x, (1 - x) * shares
    return changed


def both(network, one, other, x, y, scheme):
    """The rows of two entries when they are x and y."""
    if (one.variable, one.row) != (other.variable, other.row):
        pair = ((one, x), (other, y))
        return {(entry.variable, entry.row): moved(network, entry, value, scheme) for entry, value in pair}
    row = network.rows(one.variable)[one.row].copy()
    rest = np.delete(np.arange(len(row)), [one.column, other.column])
    if len(rest):
        left = row[rest].sum()
        shares = row[rest] / left if scheme == "proportional" and left > 0 else np.ones(len(rest)) / len(rest)
        row[rest] = shares * (1 - x - y)
    row[one.column], row[other.column] = x, y
    return {(one.variable, one.row): row}


def pairs(model, findings, random):
    """A pair of every kind, of entries that bear on the posterior: two tables, two rows of one table, one row."""
    frame = cc.sensitivity.one_way(model, findings).frame
    weighed = frame.index[np.abs(frame["derivative"]) > 1e-9].to_numpy()
    every = list(model.entries)
    kinds = {
        "two tables": lambda a, b: a.variable != b.variable,
        "two rows": lambda a, b: a.variable == b.variable and a.row != b.row,
        "one row": lambda a, b: (
            (a.variable, a.row) == (b.variable, b.row)
            and a.column != b.column
            and len(model.variables[a.variable].states) > 2
        ),
    }
    for kind, fits in kinds.items():
        while True:
            one, other = (every[i] for i in random.choice(weighed, 2))
            if fits(one, other):
                yield kind, one, other
                break


@pytest.mark.parametrize("scheme", ["proportional", "uniform"])
@pytest.mark.parametrize("case", ["jones2023", "calci_003", "meta_018", "dys_008", "idio_025", "iatro_019"])
def test_a_surface_is_what_changed_tables_answer_on_published_cases(shipped, case, scheme):
    random = np.random.default_rng(sum(map(ord, case + scheme)))
    findings = known(shipped, case)
    for kind, one, other in pairs(shipped, findings, random):
        x = random.uniform(0, 1, 3)
        y = random.uniform(0, 1, 3) * (1 - x if kind == "one row" else 1)
        got = cc.sensitivity.two_way(shipped, findings, one, other, scheme=scheme, steps=2).surface(x, y)
        expected = [answered(shipped.network, both(shipped.network, one, other, *at, scheme), findings)
                    for at in zip(x, y, strict=True)]  # fmt: skip
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10, err_msg=f"{one} × {other}")


@pytest.mark.parametrize(
    "other",
    [
        "vascular_histology=absent@vessel_calcification=no",
        "vessel_calcification=yes@esrd=any,subtype=calciphylaxis",
        "subtype=calciphylaxis@care_setting=hospital_inpatient",
    ],
)
def test_a_surface_of_three_biopsies_is_what_changed_tables_answer(shipped, other):
    one, other = map(shipped.entries.find, ("vascular_histology=absent@vessel_calcification=yes", other))
    findings = known(shipped, "jones2023") | {"vascular_histology": THREE_BIOPSIES}
    found = cc.sensitivity.two_way(shipped, findings, one, other, steps=4)
    random = np.random.default_rng(3)
    places = {tuple(at) for at in random.integers(0, 5, (8, 2)).tolist()}
    for i, j in places:
        rows = both(shipped.network, one, other, found.x[i], found.y[j], "proportional")
        expected = answered(shipped.network, rows, findings)
        np.testing.assert_allclose(found.probabilities[i, j], expected, rtol=0, atol=1e-10)


@st.composite
def questions(draw, networks):
    """A random model, findings that can be, and two entries that can be moved."""
    model = cc.Model(draw(networks))
    findings = {}
    for name, variable in model.variables.items():
        if name != model.target and draw(st.booleans()):
            results = draw(st.lists(st.sampled_from(variable.state_names), min_size=1, max_size=3))
            findings[name] = results if variable.repeatable else results[0]
    try:
        model.posterior(findings)
    except cc.errors.ImpossibleEvidence:
        findings = {}
    every = list(model.entries)
    one = draw(st.sampled_from(every))
    near = [e for e in every if e.variable == one.variable and (e.row, e.column) != (one.row, one.column)]
    near = [e for e in near if e.row != one.row or len(model.variables[one.variable].states) > 2]
    other = draw(st.sampled_from(near if near and draw(st.booleans()) else every))
    assume(other in near or other.variable != one.variable)
    event("one row" if other.row == one.row and other.variable == one.variable else "two rows")
    return model, findings, one, other


@given(data=st.data())
@examples(60)
def test_a_surface_is_what_changed_tables_answer_on_random_networks(networks, data):
    model, findings, one, other = data.draw(questions(networks))
    scheme = data.draw(st.sampled_from(["proportional", "uniform"]))
    found = cc.sensitivity.two_way(model, findings, one, other, scheme=scheme, steps=2)
    x = np.array(data.draw(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=2)))
    y = np.array(data.draw(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=2)))
    y = y * (1 - x) if found.surface.one_row else y
    expected = [answered(model.network, both(model.network, one, other, *at, scheme), findings)
                for at in zip(x, y, strict=True)]  # fmt: skip
    np.testing.assert_allclose(found.surface(x, y), expected, rtol=0, atol=1e-10)
    if scheme == "proportional":
        now = found.surface(*np.reshape(found.present, (2, 1)))[0]
        np.testing.assert_allclose(now, list(found.posterior.probabilities_of.values()), rtol=0, atol=1e-10)


@given(data=st.data())
@examples(60)
def test_coefficients_reproduce_the_surface(networks, data):
    model, findings, one, other = data.draw(questions(networks))
    found = cc.sensitivity.two_way(model, findings, one, other, steps=5)
    if found.surface.repeated:
        with pytest.raises(cc.errors.QuestionError) as caught:
            _ = found.coefficients
        assert str(caught.value) == f"{one} or {other} enters several results: no such coefficients"
        return
    x, y = np.meshgrid(found.x, found.y, indexing="ij")
    a, b, c, d = found.coefficients[["a", "b", "c", "d"]].to_numpy().T[:, :, None, None]
    weights = a * x * y + b * x + c * y + d
    total = weights.sum(axis=0)
    can = ~np.isnan(found.probabilities).any(axis=-1)
    assert can.any()
    np.testing.assert_allclose((weights[:, can] / total[can]).T, found.probabilities[can], rtol=0, atol=1e-9)
    if one.variable == other.variable:
        assert found.coefficients["a"].abs().max() < 1e-12


@pytest.mark.parametrize(
    ("case", "one", "other"),
    [
        (
            "jones2023",
            "cirrhosis=yes@esrd=no,subtype=iatrogenic/dystrophic/metastatic/idiopathic",
            "cirrhosis=no@esrd=no,subtype=calciphylaxis",
        ),
        (
            "calci_003",
            "subtype=calciphylaxis@care_setting=hospital_inpatient",
            "subtype=dystrophic@care_setting=hospital_inpatient",
        ),
        (
            "jones2023",
            "vascular_histology=absent@vessel_calcification=yes",
            "subtype=calciphylaxis@care_setting=hospital_inpatient",
        ),
    ],
)
def test_two_states_share_the_lead_on_the_boundary_and_every_change_of_it_is_there(shipped, case, one, other):
    found = cc.sensitivity.two_way(shipped, known(shipped, case), one, other, steps=40)
    boundary, states = found.boundary, list(found.posterior)
    assert len(boundary)
    p = found.surface(boundary["x"].to_numpy(), boundary["y"].to_numpy())
    at = np.arange(len(p))
    ahead, after = (p[at, [states.index(s) for s in boundary[name]]] for name in ("one", "other"))
    np.testing.assert_allclose(ahead, after, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ahead, p.max(axis=1), rtol=0, atol=1e-9)
    assert (boundary["one"] != boundary["other"]).all()
    lead = found.leading
    changes = [(a != b) & (a >= 0) & (b >= 0) for a, b in ((lead[1:], lead[:-1]), (lead[:, 1:], lead[:, :-1]))]
    assert len(boundary) == sum(int(c.sum()) for c in changes)


def test_outside_the_simplex_of_one_row_there_is_nothing(shipped):
    pair = [f"subtype={s}@care_setting=hospital_inpatient" for s in ("calciphylaxis", "metastatic")]
    found = cc.sensitivity.two_way(shipped, {"pain": "severe"}, *pair, steps=20)
    beyond = np.add.outer(np.arange(21), np.arange(21)) > 20
    assert np.isnan(found.probabilities[beyond]).all()
    assert (found.leading[beyond] == -1).all()
    np.testing.assert_allclose(found.probabilities[~beyond].sum(axis=1), 1, rtol=0, atol=1e-12)
    assert (found.leading[~beyond] >= 0).all()
    lines = found.frame
    assert lines["leading"].isna().sum() == beyond.sum()
    line = lines.iloc[3 * 21 + 5]
    assert (line["x"], line["y"]) == (found.x[3], found.y[5])
    assert line[list(found.posterior)].to_list() == found.probabilities[3, 5].tolist()


def test_where_the_findings_cannot_be_there_is_nothing(build):
    model = cc.Model(build("d", {"d": ("a b", "", [0.5, 0.5]), "t": ("n p", "d", [[0.9, 0.1], [1, 0]])}))
    found = cc.sensitivity.two_way(model, {"t": "p"}, "t=p@d=a", "d=a", steps=4)
    assert np.isnan(found.probabilities[0]).all()
    assert np.isnan(found.probabilities[:, 0]).all()
    assert (found.leading == np.pad(np.zeros((4, 4)), ((1, 0), (1, 0)), constant_values=-1)).all()


@pytest.mark.parametrize(
    ("target", "tables", "findings", "pair", "numerator", "denominator"),
    [
        (
            "tampering", POOLE, {"report": "yes", "smoke": "no"}, ("tampering=yes", "report=yes@leaving=no"),
            [0.247397685, 0.550276736, 0, 0], [-0.731764854, 0.548823641, 0.979162539, 0.001453096],
        ),
        ("B", SCANNED, {"CT": "yes"}, ("MC=yes", "CT=yes@B=no"), [0, 0.1425, 0, 0.0475], [-0.15, 0.1425, 0.95, 0.0475]),
    ],
)  # fmt: skip
def test_coefficients_worked_out_by_enumeration(build, target, tables, findings, pair, numerator, denominator):
    rows = cc.sensitivity.two_way(cc.Model(build(target, tables)), findings, *pair, steps=2).coefficients
    factor = numerator[1] / rows.loc["yes", "b"]
    assert (rows.loc["yes"] * factor).to_list() == pytest.approx(numerator, abs=2e-9)
    assert (rows.sum() * factor).to_list() == pytest.approx(denominator, abs=2e-9)


def test_values_worked_out_by_enumeration(build):
    model = cc.Model(build("tampering", POOLE))
    found = cc.sensitivity.two_way(
        model, {"report": "yes", "smoke": "no"}, "tampering=yes", "report=yes@leaving=no", steps=2
    )
    got = found.surface(np.array([0.02, 0.03]), np.array([0.01, 0.006]))[:, 0]
    assert got == pytest.approx([0.500797, 0.699581], abs=5e-7)
    assert found.present == (0.02, 0.01)


@pytest.mark.parametrize(
    ("one", "other", "named", "message"),
    [
        ("d=a", "d=a", {}, "d=a is named twice: name two entries"),
        ("t=n@d=a", "t=p@d=a", {}, "t=n@d=a and t=p@d=a sum to 1: use one-way sensitivity for one of them"),
        ("t=n", "d=a", {}, "t=n: name a state of d, as in t=n@d=a"),
        ("t=n@d=a", "d=z", {}, "d=z: no state 'z' of d: write one of: a, b, c"),
        ("t=n@d=a", "u=n", {}, "u=n: no table 'u': write one of: d, t"),
        ("d=a", "d=b", {"scheme": "order-preserving"},
         "no covariation scheme 'order-preserving' for two entries: give proportional or uniform"),
        ("d=a", "d=b", {"steps": 1}, "a grid of 1 steps: give a number from 2 to 1,000"),
        ("d=a", "d=b", {"mass": 1.0}, "the mass of an interval is 1.0: give a number between 0 and 1"),
    ],
)  # fmt: skip
def test_pairs_that_cannot_be_moved_are_told(build, one, other, named, message):
    model = cc.Model(
        build("d", {"d": ("a b c", "", [0.2, 0.3, 0.5]), "t": ("n p", "d", [[0.9, 0.1], [0.4, 0.6], [1, 0]])})
    )
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        cc.sensitivity.two_way(model, {"t": "p"}, one, other, **named)
    assert str(caught.value) == message
