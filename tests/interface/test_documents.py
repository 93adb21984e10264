"""An answer reads the same in the shell, in a report and in a notebook, and holds every number of its tables."""

from __future__ import annotations

import html
import io
import re

import pandas as pd
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface import presenting
from calcinosis.interface.reports.page import fragment_of, page_of
from calcinosis.interface.shell.app import app
from calcinosis.interface.words.document import TableBlock, lines_in
from calcinosis.interface.words.terminal import console, show
from calcinosis.knowledge.folder import shipped_folder

FINDINGS = {"cirrhosis": "yes", "weight_loss": "yes", "pain": "severe", "vascular_histology": "absent,absent"}
WORDS = [f"{name}={value}" for name, value in FINDINGS.items()]
MODEL = cc.load(shipped_folder())
CALLS = {
    "diagnose": lambda: MODEL.posterior(FINDINGS),
    "explain": lambda: cc.explain(MODEL, FINDINGS),
    "next-test": lambda: cc.next_test(MODEL, FINDINGS),
    "decide": lambda: cc.decide(MODEL, FINDINGS),
}


def flat(text):
    return " ".join(text.split())


def read(page):
    """The text of a page."""
    return flat(html.unescape(re.sub(r"<[^>]*>", " ", page)))


def printed(document):
    page = io.StringIO()
    show(document, console(file=page, width=1000, color_system=None))
    return page.getvalue()


@pytest.fixture(scope="module", params=CALLS)
def answer(request):
    return request.param, CALLS[request.param]()


def test_every_word_stands_in_terminal_page_and_notebook(answer):
    document = presenting.document(answer[1], 5)
    surfaces = [flat(printed(document)), read(page_of(document)), read(fragment_of(document))]
    tables = [block for block in document.blocks if isinstance(block, TableBlock)]
    words = [document.lead, *document.head, *(block for block in document.blocks if isinstance(block, str))]
    words += [words for table in tables for line in table.lines for cell in line.values() for words in lines_in(cell)]
    words += [heading for table in tables for line in table.lines[:1] for heading in line]
    assert len(tables) > 0
    for text in [*words, *document.foot]:
        for surface in surfaces:
            assert flat(text) in surface, text


def test_the_shell_prints_the_document_of_the_result(answer):
    command, result = answer
    most = [] if command == "diagnose" else ["--most", "5"]
    done = CliRunner().invoke(app, [command, *WORDS, *most], env={"COLUMNS": "1000"})
    assert done.exit_code == 0, done.stderr
    assert flat(done.stdout) == flat(printed(presenting.document(result, 5)))


def test_a_notebook_shows_what_the_shell_prints(answer):
    assert answer[1]._repr_html_() == fragment_of(presenting.document(answer[1], presenting.MOST))
    assert cc.DISCLAIMER in answer[1]._repr_html_()


OTHER = MODEL.with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=0.05)
RESULTS = {
    "posterior": lambda: MODEL.posterior(FINDINGS),
    "explain": lambda: cc.explain(MODEL, FINDINGS),
    "trajectory": lambda: cc.whatif.trajectory(MODEL, FINDINGS),
    "flips": lambda: cc.whatif.flips(MODEL, FINDINGS, most_changes=1),
    "one_way": lambda: cc.sensitivity.one_way(MODEL, FINDINGS),
    "robust": lambda: cc.sensitivity.robust_bounds(MODEL, FINDINGS),
    "compare": lambda: cc.compare(
        MODEL, MODEL.with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=0.05), FINDINGS
    ),
    "serial": lambda: cc.serial_testing(MODEL, {"pain": "severe"}, state="calciphylaxis"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_has_a_frame_words_and_a_report(name, tmp_path):
    result = RESULTS[name]()
    if name != "posterior":
        assert isinstance(result.frame, pd.DataFrame)
    assert result.summary
    assert result.summary.split()[0] in result._repr_html_()
    assert cc.DISCLAIMER in repr(result)
    assert cc.DISCLAIMER in result._repr_html_()
    files = result.save(tmp_path / "out")
    assert {path.name for path in files} >= {"index.html"}
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert cc.DISCLAIMER in page
    assert re.search(r"<h1>\w", page)
    with pytest.raises(ValueError, match="holds files already"):
        result.save(tmp_path / "out")
    assert result.save(tmp_path / "out", force=True) == files


def test_a_result_without_a_picture_says_which_there_are():
    with pytest.raises(
        TypeError, match=r"RobustBounds has no picture of its own: those of calcinosis\.plot are actions"
    ):
        RESULTS["robust"]().plot()
