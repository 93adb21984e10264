"""A scenario is a new model: tables replaced, checked as strictly as a folder, the old model untouched."""

import pandas as pd
import pytest

import calcinosis as cc


def test_a_new_table_gives_a_new_model_and_leaves_the_old_one(shipped):
    before = shipped.posterior(pain="severe")
    table = shipped.priors.table("care_setting")
    table[["dermatology_clinic", "hospital_inpatient", "dialysis_unit"]] = [0.0625, 0.0625, 0.875]
    scenario = shipped.with_tables({"care_setting": table})
    assert scenario is not shipped
    assert scenario.posterior(pain="severe")["calciphylaxis"] > before["calciphylaxis"]
    assert shipped.posterior(pain="severe") == before
    assert scenario.digest != shipped.digest
    marginals = scenario.marginals().set_index(["variable", "state"])["probability"]
    assert marginals["care_setting", "dialysis_unit"] == 0.875


def test_changing_a_table_by_itself_changes_no_model(shipped):
    before = shipped.posterior()
    table = shipped.priors.table("care_setting")
    table.loc[:, "weight"] = 1.0
    assert shipped.posterior() == before
    assert shipped.priors.table("care_setting")["weight"].tolist() != [1.0]


def test_the_same_tables_give_the_same_model(shipped):
    same = shipped.with_tables({name: shipped.priors.table(name) for name in shipped.variables})
    assert same.digest == shipped.digest
    assert same.posterior(pain="severe") == shipped.posterior(pain="severe")


def test_the_order_of_rows_and_columns_is_of_no_account(shipped):
    shuffled = {
        name: shipped.priors.table(name).sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=1)
        for name in shipped.variables
    }
    other = shipped.with_tables(shuffled)
    assert other.digest == shipped.digest
    assert other.posterior(pain="severe") == shipped.posterior(pain="severe")


def test_every_fault_of_the_new_tables_is_told(shipped):
    pain = shipped.priors.table("pain")
    pain.loc[0, "severe"] += 0.005
    histology = shipped.priors.table("vascular_histology")
    histology.loc[1, "weight"] = 0.0
    with pytest.raises(cc.errors.PriorsError) as caught:
        shipped.with_tables({"pain": pain, "vascular_histology": histology, "pian": pain})
    found = {(p.file, p.line, p.what) for p in caught.value.problems}
    assert found == {
        ("tables/pain.csv", 2, "the probabilities do not sum to 1"),
        ("tables/pian.csv", 1, "a table for no variable"),
        ("tables/vascular_histology.csv", 3, "a weight that is not positive"),
    }
    assert str(caught.value).startswith("3 problems in the tables given\n")


def test_a_table_with_a_missing_value_is_refused(shipped):
    pain = shipped.priors.table("pain")
    pain.loc[0, "severe"] = float("nan")
    with pytest.raises(cc.errors.PriorsError, match="no number"):
        shipped.with_tables({"pain": pain})


def test_arrows_in_a_circle_are_refused(shipped):
    row = shipped.priors.table("care_setting")
    states = pd.DataFrame({"pain": shipped.variables["pain"].state_names})
    with pytest.raises(cc.errors.PriorsError, match="the arrows form a cycle"):
        shipped.with_tables({"care_setting": states.merge(row, how="cross")})


def test_a_model_without_a_folder_says_so(clinic):
    with pytest.raises(ValueError, match="this model has no priors folder"):
        clinic.with_tables({})
