"""The notebooks run, and print what they are kept with.

Of the cell that shows the explorer only its line of text is kept and compared: what it sends to a browser is 6 MB of
scripts, worth nothing without the kernel they belong to. Whoever runs that notebook anew takes them out again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.docs

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def texts(notebook) -> list[str]:
    """What each cell printed and showed as text; a kernel may hand over what is printed in one piece or several."""
    return [
        "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.filterwarnings("ignore")  # the kernel's own: event loops, open sockets
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_and_prints_what_it_is_kept_with(path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    kept = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    NotebookClient(fresh, timeout=120, iopub_timeout=60, kernel_name="python3").execute()
    assert any(texts(kept))
    assert texts(fresh) == texts(kept)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_keeps_no_scripts(path):
    import nbformat

    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            assert not [kind for kind in data if "javascript" in kind or "holoviews" in kind], cell.id
            assert "<script" not in data.get("text/html", ""), cell.id


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_says_what_it_is_not(path):
    assert "Not a medical device" in path.read_text(encoding="utf-8")
