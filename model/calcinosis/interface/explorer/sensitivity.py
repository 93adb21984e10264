"""The view 'sensitivity': which rows of the tables the answer hangs on, each moved between its limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.entries import Entry
from calcinosis.inference.model import Model
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer.cited import cited
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.words.entries import entry_in_words

if TYPE_CHECKING:
    from calcinosis.analysis.sensitivity.one_way import OneWay

MOST = 10
"""How many rows of the tables are shown."""

MAINLY = 3
"""How many of them are named in the sentence on where the width comes from."""

WIDE = 1000
"""More characters than any entry has: the page breaks its lines itself."""

STEP = 0.01
"""The small change of an entry by which rows are told whose limits are not known."""

Line = Mapping[Any, Any]


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows."""
    found, model = situation.one_way, situation.model
    posterior = found.posterior
    shared = {"leading": posterior.labels[posterior.leading], "now": percent(posterior[posterior.leading])}
    if not model.network.weights:
        return shared | {"weighed": False, "rows": _steps(found, model), "mainly": [], "fragile": 0, "moving": 0}
    rows = found.rows
    lines = rows.head(MOST).to_dict("records")
    entries = _entries(model, (line["entry"] for line in lines))
    shown = [_row(found, model, line, entries[line["entry"]]) for line in lines]
    return shared | {
        "weighed": True,
        "rows": shown,
        "mainly": [{"words": own["words"], "worth": own["worth"]} for own in shown[:MAINLY]],
        "fragile": len(np.unique(found.entries.rows[found.frame["fragile"].to_numpy(bool)])),
        "moving": len(rows),
        "tick": f"{100 * posterior[posterior.leading]:.2f}",
    }


def _entries(model: Model, names: Iterable[str]) -> dict[str, Entry]:
    """The entries of these names, found in one pass."""
    wanted = set(names)
    return {name: own for name, own in zip(model.entries.names, model.entries, strict=True) if name in wanted}


def _row(found: OneWay, model: Model, line: Line, entry: Entry) -> dict[str, Any]:
    """A row of the tables: the bar between what its limits make of the answer, and what it rests on."""
    ends = [
        {"which": which, "value": number(line[which]), "percent": percent(at), "at": at}
        for which, at in (("lower", line["at_lower"]), ("upper", line["at_upper"]))
    ]
    left, right = sorted(ends, key=lambda end: end["at"])
    return _told(model, entry) | {
        "value": number(line["value"]),
        "left": left,
        "right": right,
        "start": f"{100 * left['at']:.2f}",
        "width": f"{100 * (right['at'] - left['at']):.2f}",
        "flips": [words for words, inside in _flips(found, line) if inside],
        "beyond": [words for words, inside in _flips(found, line) if not inside],
        "worth": worth(line["weight"]),
    }


def _flips(found: OneWay, line: Line) -> list[tuple[str, bool]]:
    """Where another state comes to lead, in words, and whether that lies between the limits."""
    labels, flips = found.posterior.labels, []
    for side, sign in (("below", -1), ("above", 1)):
        at = line[f"flip_{side}"]
        if not math.isnan(at):
            limit = line["lower"] if sign < 0 else line["upper"]
            flips.append((f"{labels[line[f'leader_{side}']]} leads {side} {number(at)}", sign * (at - limit) <= 0))
    return flips


def _told(model: Model, entry: Entry) -> dict[str, Any]:
    """An entry in words, and the sources and note of its row."""
    what, *given = entry_in_words(entry, model.network, WIDE).split("\n")
    row = model.priors.tables[entry.variable].rows[entry.row] if model.priors else None
    return {
        "id": str(entry),
        "words": " ".join([what, *given]),
        "what": what,
        "given": " ".join(given),
        "sources": cited(model.priors, row.sources if row else ()),
        "note": row.note if row else "",
    }


def _steps(found: OneWay, model: Model) -> list[dict[str, Any]]:
    """The rows that move the answer most for a small change, where nothing is known of their limits."""
    frame = found.frame
    slopes = frame["derivative"].to_numpy(float)
    values = found.entries.values
    # what is 0 or 1 is so by definition, and stays so
    size = np.where((values > 0) & (values < 1), np.nan_to_num(np.abs(slopes), posinf=0.0), 0.0)
    order = np.lexsort((-np.arange(len(size)), -size.round(12)))
    # of a row of two states, as in `rows`, the later state is the one that is named in a finding
    _, first = np.unique(found.entries.rows[order], return_index=True)
    chosen = [place for place in order[np.sort(first)][:MOST] if size[place] > 1e-12]
    lines = frame.iloc[chosen].to_dict("records")
    entries = _entries(model, (line["entry"] for line in lines))
    return [
        _told(model, entries[line["entry"]])
        | {
            "value": number(line["value"]),
            "step": f"{100 * STEP * line['derivative']:+.1f}".replace("-", "\N{MINUS SIGN}"),
            "beyond": [words for words, _ in _flips(found, line)],
        }
        for line in lines
    ]


def number(probability: float) -> str:
    """A probability of the tables, which are not told in percent so that they are not taken for the answer's.

    >>> number(0.35), number(0.02), number(0.998978), number(0.0000042)
    ('0.35', '0.02', '0.999', '< 0.001')
    """
    if 0 < probability < 0.001:
        return "< 0.001"
    if 0.999 < probability < 1:
        return "> 0.999"
    digits = 2 if 0.1 <= probability <= 0.9 else 3
    return f"{probability:.{digits}f}".rstrip("0").rstrip(".")


def worth(weight: float) -> str:
    """How many patients' worth of evidence a row rests on, in words.

    >>> worth(14.0), worth(1.0)
    ("14 patients' worth", "1 patient's worth")
    """
    return "1 patient's worth" if weight == 1 else f"{weight:,.3g} patients' worth"
