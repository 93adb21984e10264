"""One covariate may correct several variables, each by its own line."""

from dataclasses import replace

import pytest

import calcinosis as cc


@pytest.fixture(scope="module")
def model(shipped):
    (albumin,) = shipped.network.corrections
    other = replace(albumin, variable="serum_phosphate", slope=0.5)
    return cc.Model(replace(shipped.network, corrections=(albumin, other)))


def test_each_variable_is_corrected_by_its_own_slope(model):
    evidence = model.read(serum_calcium="9.9 mg/dL", serum_phosphate="4.0 mg/dL", albumin="2.4 g/dL")
    assert evidence["serum_calcium"].understood.startswith("11.18 mg/dL corrected for albumin 2.4 g/dL")
    assert evidence["serum_phosphate"].understood.startswith("4.8 mg/dL corrected for albumin 2.4 g/dL")
    assert evidence["serum_phosphate"].understood.endswith("→ high")


def test_a_bad_covariate_is_told_once(model):
    with pytest.raises(cc.errors.FindingsError) as caught:
        model.read(serum_calcium="9.9 mg/dL", albumin="24 g/dL")
    assert [str(fault) for fault in caught.value.faults] == [
        "albumin=24 g/dL: 24 g/dL is not plausible: it should lie between 0.5 and 7 g/dL; check number and unit"
    ]
