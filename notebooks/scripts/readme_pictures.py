"""Draw the pictures of README.md again: python notebooks/scripts/readme_pictures.py [FOLDER]."""

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import calcinosis as cc
from calcinosis.interface.figures.network import draw_network

FOLDER = Path(__file__).resolve().parent.parent / "pictures"
HISTOLOGY = ("vascular_histology", "vasculopathy", "extravascular_calcification")


def patient(model: cc.Model, folder: Path) -> None:
    """The article's patient, read as a case report, before any biopsy and with all of them: the answers, why, and what
    they depend on."""
    model = model.recorded("case_report")
    case = cc.cases().loc["jones2023"]
    known = {name: value for name, value in case.items() if name in model.variables}
    before = {name: value for name, value in known.items() if name not in HISTOLOGY}
    with mpl.rc_context({"svg.hashsalt": "calcinosis", "svg.fonttype": "none"}):
        figure = Figure(figsize=(10, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        model.posterior(before).plot(left).set_title("before any biopsy", fontsize=11)
        model.posterior(known).plot(right).set_title("with three biopsies", fontsize=11)
        right.tick_params(left=False)
        figure.savefig(folder / "jones2023.svg", metadata={"Date": None})
        rows = Figure(figsize=(11, 6.4), layout="constrained")
        cc.plot.tornado(cc.sensitivity.one_way(model, known), most=7, ax=rows.add_subplot())
        rows.savefig(folder / "tornado.svg", metadata={"Date": None})
        why = Figure(figsize=(10.5, 7.2), layout="constrained")
        cc.plot.waterfall(cc.explain(model, known, state="dystrophic", against="calciphylaxis"), ax=why.add_subplot())
        why.savefig(folder / "waterfall.svg", metadata={"Date": None})
        decision = Figure(figsize=(9.4, 6), layout="constrained")
        cc.plot.thresholds(cc.decide(model, before).thresholds, ax=decision.add_subplot())
        decision.savefig(folder / "decision.svg", metadata={"Date": None})
        biopsies = Figure(figsize=(12, 4), layout="constrained")
        cc.plot.serial_testing(cc.serial_testing(model, before, state="calciphylaxis"), ax=biopsies.add_subplot())
        biopsies.savefig(folder / "plan.svg", metadata={"Date": None})


def calibration(model: cc.Model, folder: Path) -> None:
    """How often what was said of the published patients, each read as their own kind of record, came true."""
    cases = cc.cases()
    with mpl.rc_context({"svg.hashsalt": "calcinosis", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6.6, 5.6), layout="constrained")
        cc.plot.calibration(cc.validate(model, cases), ax=figure.add_subplot())
        figure.savefig(folder / "calibration.svg", metadata={"Date": None})


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    shipped = cc.load()
    (target / "network.svg").write_bytes(draw_network(shipped.network, "svg"))
    patient(shipped, target)
    calibration(shipped, target)
