"""One row of a table is given other cells: the rest is scaled, a part of a row needs a row of its own."""

import numpy as np
import pytest

import calcinosis as cc


@pytest.fixture(scope="module")
def warfarin(shipped):
    """The first row that holds in several contexts, by its cells, and one of its contexts."""
    row = next(row for row in shipped.priors.tables["warfarin"].rows if "/" in row.given[1])
    whole = dict(zip(shipped.priors.tables["warfarin"].parents, row.given, strict=True))
    return whole, whole | {"subtype": whole["subtype"].split("/")[0]}


def row_of(model, variable, **given):
    """The row that holds in one context."""
    table = model.network.tables[variable]
    place = tuple(model.variables[p].state_names.index(given[p]) for p in model.network.parents[variable])
    return table[place]


def test_a_whole_row_is_changed_in_all_its_contexts_and_nowhere_else(shipped, warfarin):
    whole, _ = warfarin
    changed = shipped.with_row("warfarin", yes=0.25, **whole)
    number = shipped.entries.row("warfarin", whole)
    assert changed.network.rows("warfarin")[number].tolist() == [0.75, 0.25]
    others = np.arange(len(shipped.network.rows("warfarin"))) != number
    assert np.array_equal(changed.network.rows("warfarin")[others], shipped.network.rows("warfarin")[others])
    for name in set(shipped.variables) - {"warfarin"}:
        assert np.array_equal(changed.network.tables[name], shipped.network.tables[name])
    for state in whole["subtype"].split("/"):
        assert row_of(changed, "warfarin", esrd=whole["esrd"], subtype=state).tolist() == [0.75, 0.25]
    assert shipped.network.rows("warfarin")[number, 1] != 0.25  # the former model stays as it was


def test_a_list_may_be_in_any_order_and_a_parent_left_out_means_any(shipped, warfarin):
    whole, _ = warfarin
    turned = whole | {"subtype": "/".join(reversed(whole["subtype"].split("/")))}
    assert shipped.with_row("warfarin", yes=0.2, **turned).digest == (
        shipped.with_row("warfarin", yes=0.2, **whole).digest
    )
    row = next(row for row in shipped.priors.tables["age_group"].rows if "any" in row.given)
    given = {p: s for p, s in zip(shipped.priors.tables["age_group"].parents, row.given, strict=True) if s != "any"}
    changed = shipped.with_row("age_group", child=0.5, **given)
    number = shipped.entries.row("age_group", given | dict.fromkeys({"esrd"} - set(given), "any"))
    assert changed.network.rows("age_group")[number, 0] == 0.5


def test_the_other_probabilities_are_scaled_and_keep_their_ratios(shipped):
    table = shipped.priors.tables["pain"]
    given = dict(zip(table.parents, table.rows[0].given, strict=True))
    none, some, severe = table.rows[0].probabilities
    new = shipped.with_row("pain", severe=0.5, **given).priors.tables["pain"].rows[0]
    assert new.probabilities[2] == 0.5
    assert new.probabilities[0] / new.probabilities[1] == pytest.approx(none / some, rel=1e-12)
    assert sum(new.probabilities) == pytest.approx(1, abs=1e-12)
    two = shipped.with_row("pain", severe=0.5, none=0.3, **given).priors.tables["pain"].rows[0]
    assert two.probabilities == pytest.approx((0.3, 0.2, 0.5), abs=1e-12)
    assert severe == shipped.priors.tables["pain"].rows[0].probabilities[2]


def test_a_part_of_a_row_is_refused_with_an_offer_to_split(shipped, warfarin):
    whole, part = warfarin
    with pytest.raises(cc.errors.UnknownEntry) as caught:
        shipped.with_row("warfarin", yes=0.25, **part)
    name = ", ".join(part[parent] for parent in shipped.network.parents["warfarin"])
    shared = ", ".join(whole[parent] for parent in shipped.network.parents["warfarin"])
    assert str(caught.value) == (
        f"warfarin ({name}): this context shares a row with others ({shared}): name that row, or give the context a "
        "row of its own with model.with_row(..., split=True)"
    )


def test_with_split_a_part_has_a_row_of_its_own_and_the_others_keep_theirs(shipped, warfarin):
    whole, part = warfarin
    changed = shipped.with_row("warfarin", split=True, yes=0.25, weight=12, **part)
    states = whole["subtype"].split("/")
    assert row_of(changed, "warfarin", **part).tolist() == [0.75, 0.25]
    for state in states[1:]:
        given = part | {"subtype": state}
        assert row_of(changed, "warfarin", **given).tolist() == row_of(shipped, "warfarin", **given).tolist()
    assert len(changed.network.rows("warfarin")) == len(shipped.network.rows("warfarin")) + 1
    weight = changed.network.weights["warfarin"]
    assert weight[changed.entries.row("warfarin", part)] == 12
    rest = changed.entries.row("warfarin", whole | {"subtype": "/".join(states[1:])})
    old = shipped.network.weights["warfarin"][shipped.entries.row("warfarin", whole)]
    assert weight[rest] == old
    expected = shipped.posterior(warfarin="yes", subtype=states[1], esrd=whole["esrd"]).log_evidence
    assert changed.posterior(warfarin="yes", subtype=states[1], esrd=whole["esrd"]).log_evidence == expected


def test_with_split_a_whole_row_is_not_split(shipped, warfarin):
    whole, _ = warfarin
    one, other = (shipped.with_row("warfarin", split=split, yes=0.25, **whole) for split in (False, True))
    assert one.digest == other.digest


@pytest.mark.parametrize("split", [False, True])
def test_contexts_of_several_rows_are_refused(shipped, split):
    with pytest.raises(cc.errors.UnknownEntry, match=r"these contexts are in several rows \(.*\): name one of them"):
        shipped.with_row("warfarin", split=split, yes=0.25)


def test_what_is_no_column_or_state_or_table_is_refused(shipped, warfarin):
    whole, _ = warfarin
    with pytest.raises(cc.errors.QuestionError, match="no table 'wafarin': did you mean 'warfarin'"):
        shipped.with_row("wafarin", yes=0.2)
    with pytest.raises(cc.errors.QuestionError, match="the table of warfarin has no column 'yess': did you mean 'yes'"):
        shipped.with_row("warfarin", yess=0.2, **whole)
    with pytest.raises(cc.errors.UnknownEntry, match="no state 'noo' of esrd: did you mean 'no'"):
        shipped.with_row("warfarin", yes=0.2, **whole | {"esrd": "noo"})
    with pytest.raises(cc.errors.UnknownEntry, match="'no' twice in a list of states of esrd: name it once"):
        shipped.with_row("warfarin", yes=0.2, **whole | {"esrd": "no/no"})


@pytest.mark.parametrize("cells", [{"yes": 1.5}, {"yes": -0.1}, {"yes": 0.6, "no": 0.6}, {"yes": 0.2, "weight": 0}])
def test_a_row_that_is_none_is_refused_as_in_a_folder(shipped, warfarin, cells):
    with pytest.raises(cc.errors.PriorsError, match=r"tables/warfarin\.csv:"):
        shipped.with_row("warfarin", **cells, **warfarin[0])


def test_a_model_without_a_folder_says_so(clinic):
    with pytest.raises(ValueError, match="this model has no priors folder"):
        clinic.with_row("pain", severe=0.2, disease="grave")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("50%", "yes='50%': a percentage: write 0.5"),
        ("often", "yes='often': not a number: write digits with a decimal point, such as 0.52"),
        (None, "yes=None: not a number: write one such as 0.52"),
        ([0.5], "yes=[0.5]: not a number: write one such as 0.52"),
        (float("nan"), "yes=nan: not a number: write one such as 0.52"),
        (True, "yes=True: not a number: write one such as 0.52"),
        (10**400, ": not a number: write one such as 0.52"),
    ],
)
def test_a_probability_that_is_no_number_is_refused_with_its_row_and_argument(shipped, value, fault):
    with pytest.raises(cc.errors.QuestionError) as caught:
        shipped.with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=value)
    assert str(caught.value).startswith("warfarin (no, calciphylaxis): yes=")
    assert str(caught.value).endswith(fault)
    with pytest.raises(cc.errors.QuestionError, match=r"^mentioned:esrd \(yes\): yes="):
        shipped.recorded("case_report").with_row("mentioned:esrd", esrd="yes", yes=value)
    changed = shipped.with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=" 0.5 ")
    assert changed.digest == shipped.with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=0.5).digest
