"""The figures of MODEL_CARD.md are those that the command fills in, and it says what TRIPOD asks for."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CARD = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    spec = importlib.util.spec_from_file_location("model_card", ROOT / "notebooks" / "scripts" / "model_card.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_figures_are_those_of_the_code(script):
    assert script.filled(CARD) == CARD


def test_a_block_that_is_missing_is_told(script):
    with pytest.raises(SystemExit, match="needs one block performance"):
        script.filled(CARD.replace("<!-- performance -->", ""))


def test_every_item_of_tripod_is_there():
    items = {int(n) for heads in re.findall(r"^## ([\d and]+) ·", CARD, flags=re.M) for n in heads.split(" and ")}
    assert items == set(range(1, 23))


def test_it_says_what_it_is_not():
    assert "Not a medical device; no advice for a patient" in CARD
