"""What the tests of the inference floor share beside what all do: a small clinic."""

import matplotlib as mpl
import numpy as np
import pytest

import calcinosis as cc
from calcinosis.inference.network import Network
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import Band, Correction

mpl.use("Agg")


@pytest.fixture(scope="session")
def clinic(variable):
    """A small model of its own, so that texts under test do not change with the shipped figures."""
    variables = [
        variable("disease", ["benign", "grave"]),
        variable("pain", ["none", "intermittent", "severe"]),
        variable("warfarin", ["no", "yes"]),
        variable("biopsy", ["absent", "calcified"], repeatable=True),
        variable(
            "calcium",
            ["low", "normal", "high"],
            units={"mg/dL": 1.0, "mmol/L": 4.0078},
            bands=[Band(4, 8.5), Band(8.5, 10.5), Band(10.5, 25, above=True)],
        ),
    ]
    tables = {
        "disease": [0.75, 0.25],
        "pain": [[0.6, 0.4, 0.0], [0.1, 0.3, 0.6]],
        "warfarin": [[0.9, 0.1], [0.5, 0.5]],
        "biopsy": [[1.0, 0.0], [0.4, 0.6]],
        "calcium": [[0.1, 0.8, 0.1], [0.2, 0.6, 0.2]],
    }
    parents = {name: () if name == "disease" else ("disease",) for name in tables}
    albumin = Correction(
        "calcium", "albumin", "g/dL", FrozenMap({"g/dL": 1.0, "g/L": 0.1}), 4.0, 0.8, 0.5, 7.0, "payne1973"
    )
    return cc.Model(
        Network(
            "disease", {v.name: v for v in variables}, parents, {n: np.array(t) for n, t in tables.items()}, (albumin,)
        )
    )
