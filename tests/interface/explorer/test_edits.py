"""Rows edited in the page: what they do to the answer, the link that holds them, the folder they are taken away in."""

import csv
import hashlib
import io
import math
import statistics
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed_networks import ASIA
from properties import examples

import calcinosis as cc
from calcinosis.inference.intervals.dirichlet import SecondOrder
from calcinosis.inference.model import Model
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.actions import ActionError, act
from calcinosis.interface.explorer.edits import edited
from calcinosis.interface.explorer.folder_zip import FOLDER, folder_zip
from calcinosis.interface.explorer.link import LONGEST, fragment_of, page_of
from calcinosis.interface.explorer.page import Edit, Page
from calcinosis.interface.explorer.session import Session
from calcinosis.knowledge.folder import copy_folder, shipped_folder
from calcinosis.knowledge.frozen import FrozenMap

PAIN = {"do": "edit", "variable": "pain", "given": "dystrophic,no"}
FORM = {"do": "edit", "variable": "form", "given": "no,dystrophic"}


def asked(session, **message):
    """The reply to a message, whose notice must not tell of a fault."""
    reply = session.handle(message)
    assert "notice fault" not in reply["regions"].get("notice", ""), reply["regions"]["notice"]
    return reply


def free_cells(model):
    """The cells that can be edited, as actions without a value."""
    return [
        {"do": "edit", "variable": name, "given": ",".join(row.given), "state": state}
        for name, table in model.priors.tables.items()
        for row in table.rows
        for state, p in zip(model.variables[name].state_names, row.probabilities, strict=True)
        if 0 < p < 1
    ]


def test_the_rest_of_a_row_moves_along_in_proportion(shipped):
    page = act(Page(), {**PAIN, "state": "none", "value": "0.5"}, shipped)
    assert page.edits == (Edit("pain", ("dystrophic", "no"), (0.5, 0.4375, 0.0625), 75.0),)
    assert math.fsum(page.edits[0].probabilities) == 1
    assert act(page, {**PAIN, "state": "none", "value": "0.68"}, shipped).edits == ()  # and back


@pytest.mark.parametrize("text", ["0.5", " .5 ", "0,5", "50%", "50 %", "50,0 %", "5e-1"])
def test_a_number_may_be_typed_as_people_type(shipped, text):
    page = act(Page(), {**PAIN, "state": "none", "value": text}, shipped)
    assert page.edits[0].probabilities[0] == 0.5


@pytest.mark.parametrize(
    "text", ["", "0", "1", "-0.1", "1.5", "50", "nan", "inf", "1e-9", "0.9999999", "abc", "<b>", "1,234"]
)
def test_a_number_that_cannot_be_is_refused_and_changes_nothing(shipped, text):
    session = Session(shipped)
    reply = session.handle({**PAIN, "state": "none", "value": text})
    assert "notice fault" in reply["regions"]["notice"]
    assert "<b>" not in reply["regions"]["notice"]
    assert session.page.edits == ()
    assert session.situation.model is shipped


@pytest.mark.parametrize("text", ["0", "-4", "1e10", "many", ""])
def test_a_weight_that_cannot_be_is_refused(shipped, text):
    with pytest.raises(ActionError):
        act(Page(), {**PAIN, "field": "weight", "value": text}, shipped)


@pytest.mark.parametrize(
    "message",
    [
        {**FORM, "state": "idiopathic_genital", "value": "0.1"},  # 0 by definition
        {**FORM, "state": "nonsense", "value": "0.1"},
        {**PAIN, "value": "0.1"},
        {**PAIN, "given": "dystrophic", "state": "none", "value": "0.1"},
        {**PAIN, "variable": "nonsense", "state": "none", "value": "0.1"},
        {**PAIN, "variable": ["pain"], "state": "none", "value": "0.1"},
    ],
)
def test_what_is_no_cell_or_is_defined_cannot_be_edited(shipped, message):
    with pytest.raises(ActionError):
        act(Page(), message, shipped)


def test_zeros_by_definition_stay_zeros(shipped):
    page = act(Page(), {**FORM, "state": "dystrophic_damage", "value": "0.2"}, shipped)
    was = next(row for row in shipped.priors.tables["form"].rows if row.given == ("no", "dystrophic")).probabilities
    assert [p == 0 for p in page.edits[0].probabilities] == [p == 0 for p in was]


def test_a_row_cannot_be_driven_to_zero_by_many_edits(shipped):
    page = act(Page(), {**PAIN, "state": "none", "value": "0.999999"}, shipped)
    with pytest.raises(ActionError, match="too near to 0"):
        act(page, {**PAIN, "state": "severe", "value": "0.999"}, shipped)


def test_an_edit_moves_the_answer_and_restoring_it_brings_it_back(shipped):
    session = Session(shipped)
    asked(session, do="set", variable="pain", value="severe")
    asked(session, do="set", variable="ulceration", value="no")
    before = session.situation.posterior.probabilities_of
    asked(session, **PAIN, state="severe", value="0.9")
    there = session.situation.posterior.probabilities_of
    assert there["dystrophic"] > 2 * before["dystrophic"]
    asked(session, **PAIN, state="severe", value="0.9")  # the same again
    assert len(session.page.edits) == 1
    asked(session, **PAIN, field="restore")
    assert session.situation.model is shipped
    asked(session, do="undo")
    assert session.situation.posterior.probabilities_of == there
    asked(session, do="unedit")
    assert session.situation.posterior.probabilities_of == before


def test_a_weight_moves_the_interval_but_not_the_answer(shipped):
    session = Session(shipped)
    asked(session, do="set", variable="care_setting", value="hospital_inpatient")

    def width():
        limits = session.situation.posterior.limits()["dystrophic"]
        return limits["upper"] - limits["lower"]

    before, answer = width(), session.situation.posterior.probabilities_of
    asked(session, do="edit", variable="subtype", given="hospital_inpatient", field="weight", value="800")
    assert width() < before / 4
    for state, probability in answer.items():
        assert session.situation.posterior[state] == pytest.approx(probability, abs=1e-12)


def test_an_edited_row_says_so_and_keeps_what_it_was(shipped):
    model = edited(shipped, [Edit("pain", ("dystrophic", "no"), (0.5, 0.4, 0.1), 7.5)])
    row = next(row for row in model.priors.tables["pain"].rows if row.given == ("dystrophic", "no"))
    assert row.sources == ("judgement",)
    assert row.note.startswith("Edited in the explorer; was 0.68 0.28 0.04, weight 75, from valenzuela2020;")
    assert "No tenderness in 71% of 215" in row.note
    form = edited(shipped, act(Page(), {**FORM, "state": "dystrophic_damage", "value": "0.2"}, shipped).edits)
    sources = next(row for row in form.priors.tables["form"].rows if row.given == ("no", "dystrophic")).sources
    assert sources == ("judgement", "definition")  # its zeros rest on it


def test_an_edit_that_changes_nothing_leaves_the_model_as_it_was(shipped):
    row = shipped.priors.tables["pain"].rows[0]
    assert edited(shipped, [Edit("pain", row.given, row.probabilities, row.weight)]).digest == shipped.digest
    assert edited(shipped, []) is shipped


@pytest.mark.parametrize(
    "edits",
    [
        [Edit("nonsense", (), (1.0,), 1.0)],
        [Edit("pain", ("dystrophic",), (0.5, 0.4, 0.1), 1.0)],
        [Edit("pain", ("dystrophic", "no"), (0.5, 0.4, 0.1), 1.0)] * 2,
        [Edit("pain", ("dystrophic", "no"), (0.5, 0.5, 0.0), 1.0)],
        [Edit("pain", ("dystrophic", "no"), (0.5, 0.5, 0.1), 1.0)],
        [Edit("pain", ("dystrophic", "no"), (0.5, 0.6, -0.1), 1.0)],
        [Edit("form", ("no", "dystrophic"), (0.4, 0.4, 0.1, 0.1, *[0.0] * 9), 1.0)],
    ],
)
def test_rows_that_cannot_be_are_refused(shipped, edits):
    with pytest.raises(ValueError):  # noqa: PT011 - PriorsError, which names every fault, is one
        edited(shipped, edits)


def test_what_is_drawn_of_the_other_tables_is_what_would_be_drawn_anew(shipped):
    findings = {"pain": "severe", "ulceration": "yes", "serum_calcium": "normal", "radiograph": "nodular_mass"}
    shipped.posterior(findings).limits()
    model = edited(shipped, [Edit("pain", ("calciphylaxis", "yes"), (0.5, 0.4, 0.1), 7.5)])
    kept = {key[0] for key in model.second_order.kept}
    assert "ulceration" in kept
    assert "pain" not in kept
    anew = SecondOrder(model.network).spread(model.read(findings), 0.95)
    assert model.posterior(findings).spread(0.95) == anew


def test_a_network_without_a_folder_cannot_be_edited(build):
    model = Model(build("lung", ASIA))
    with pytest.raises(ActionError, match="no such table"):
        act(Page(), {"do": "edit", "variable": "lung", "given": "yes", "state": "yes", "value": "0.3"}, model)
    with pytest.raises(ValueError, match="no priors folder"):
        edited(model, [Edit("lung", ("yes",), (0.3, 0.7), 1.0)])


# --- the link


@st.composite
def edited_pages(draw, model, cells):
    page = Page(findings=FrozenMap({"pain": "severe"}))
    for cell in draw(st.lists(st.sampled_from(cells), min_size=1, max_size=12)):
        try:
            page = act(page, {**cell, "value": repr(draw(st.floats(1e-6, 1 - 1e-6)))}, model)
            if draw(st.booleans()):
                page = act(page, {**cell, "field": "weight", "value": repr(draw(st.floats(1e-3, 1e9)))}, model)
        except ActionError:
            continue  # too near to 0
    return page


def test_edits_come_back_from_their_link(shipped):
    @examples(60)
    @given(edited_pages(shipped, free_cells(shipped)))
    def check(page):
        model = edited(shipped, page.edits)
        fragment = fragment_of(page, model.digest)
        assert page_of(fragment, shipped) == (page, "")  # and it is known to be of these very priors
        for edit in page.edits:
            assert abs(math.fsum(edit.probabilities) - 1) < 1e-12
            assert min(p for p in edit.probabilities if p) > 0

    check()


def test_a_link_has_room_for_many_edited_rows_and_says_when_it_has_no_more(shipped):
    seen = [name for name, own in shipped.variables.items() if name != shipped.target and own.group != "hidden"]
    findings = FrozenMap({name: shipped.variables[name].state_names[-1] for name in seen})
    page, refused = Page(findings=findings, other=findings), ""
    rows = {(cell["variable"], cell["given"]): cell for cell in free_cells(shipped)}
    for cell in rows.values():
        try:
            page = act(page, {**cell, "value": "0.123456"}, shipped)
        except ActionError as error:
            refused = str(error)
    assert "no room for more edited rows: download the edited folder" in refused
    assert len(page.edits) > 75
    fragment = fragment_of(page, edited(shipped, page.edits).digest)
    assert len(fragment) < LONGEST
    assert page_of(fragment, shipped)[0] == page


@pytest.mark.parametrize(
    "words",
    [
        "pain",
        "pain:dystrophic,no",
        "pain:dystrophic,no:1:0:0:60",
        "pain:dystrophic,no:nan:.5:.5:60",
        "pain:dystrophic,no:.5:.4:.1:-1",
        "pain:dystrophic,no:.5:.4:.1:1e300",
        "pain:dystrophic,no:.5:.4:60",
        "pain:dystrophic,maybe:.5:.4:.1:60",
        "pain:dystrophic,no:.5:.4:.1:60;pain:dystrophic,no:.5:.4:.1:61",
        "__class__::.5:.5:60",
        "<script>:<script>:1:1",
        "form:no,dystrophic:.4:.4:.1:.1:0:0:0:0:0:0:0:0:0:10",
    ],
)
def test_a_link_with_a_row_that_cannot_be_is_refused_in_words(shipped, words):
    session = Session(shipped)
    reply = session.handle({"do": "link", "fragment": f"pain=severe&~edits={words}"})
    assert "The link holds an edited row that" in reply["regions"]["notice"]
    assert session.page == Page()


# --- the folder


def every_file(folder):
    """The content of each file below a folder, as a fingerprint."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def unzipped(session, tmp_path):
    content = folder_zip(session.situation)
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    return tmp_path / FOLDER


@pytest.fixture
def session(shipped):
    """A session in which three rows of two tables are edited, and one finding is known."""
    session = Session(shipped)
    asked(session, do="case", value="jones2023")
    asked(session, **PAIN, state="none", value="0.612345678")
    asked(session, do="edit", variable="pain", given="calciphylaxis,yes", field="weight", value="3")
    asked(session, **FORM, state="dystrophic_damage", value="45 %")
    return session


@pytest.mark.slow
def test_the_folder_taken_away_gives_the_answer_of_the_page(session, tmp_path, shell):
    before = every_file(shipped_folder())
    folder = unzipped(session, tmp_path)
    model = cc.load(folder)
    assert model.digest == session.situation.model.digest != session.shipped.digest
    here, there = session.situation.posterior, model.posterior(session.situation.page.findings)
    np.testing.assert_allclose(there.probabilities, here.probabilities, rtol=0, atol=1e-12)
    checked = shell("check", folder)
    assert checked.exit_code == 0, checked.output
    after = every_file(shipped_folder())
    assert after == before  # nothing of all that touched the shipped folder
    different = {name for name in before if every_file(folder)[name] != before[name]}
    assert different == {"tables/pain.csv", "tables/form.csv"}


def test_only_the_edited_rows_differ(session, tmp_path):
    folder = unzipped(session, tmp_path)
    for name, changed in (("pain", 2), ("form", 1)):
        old, new = ((own / "tables" / f"{name}.csv").read_bytes().split(b"\n") for own in (shipped_folder(), folder))
        assert len(old) == len(new)
        assert sum(a != b for a, b in zip(old, new, strict=True)) == changed
    lines = (folder / "tables" / "form.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("dystrophic,no,0.348333,0.45,0.201667,0,0,0,0,0,0,0,0,0,0,18,judgement;definition,")


def test_a_row_of_several_contexts_is_edited_as_one(shipped, tmp_path):
    """In the model, in the link and in the folder: all contexts of a list and of 'any', and no others."""
    session = Session(shipped)
    vessels = {"do": "edit", "variable": "vessel_calcification", "given": "any,calciphylaxis"}
    asked(session, **vessels, state="yes", value="0.7")
    asked(session, do="edit", variable="livedo", given="metastatic/idiopathic/iatrogenic", state="yes", value="0.3")
    model, page = session.situation.model, session.page
    changed = {
        name: np.argwhere((model.network.tables[name] != shipped.network.tables[name]).any(axis=-1)).tolist()
        for name in ("vessel_calcification", "livedo")
    }
    assert changed == {"vessel_calcification": [[0, 4], [1, 4]], "livedo": [[1], [2], [3]]}
    assert page_of(fragment_of(page, model.digest), shipped) == (page, "")
    folder = unzipped(session, tmp_path)
    assert cc.load(folder).digest == model.digest
    for name in changed:
        old, new = ((own / "tables" / f"{name}.csv").read_bytes().split(b"\n") for own in (shipped_folder(), folder))
        (line,) = [b for a, b in zip(old, new, strict=True) if a != b]
        assert line.startswith((b"calciphylaxis,any,0.3,0.7,", b"metastatic/idiopathic/iatrogenic,0.7,0.3,"))
    refused = session.handle({**vessels, "given": "no,calciphylaxis", "state": "yes", "value": "0.7"})
    assert "vessel_calcification has no such row" in refused["regions"]["notice"].lower()


def test_the_same_edits_make_the_same_zip_file(session):
    first = folder_zip(session.situation)
    time.sleep(0.01)
    assert folder_zip(session.situation) == first


def test_a_page_without_edits_hands_out_the_folder_as_it_is(shipped, tmp_path):
    folder = unzipped(Session(shipped), tmp_path)
    assert every_file(folder) == every_file(shipped_folder())


@pytest.mark.slow
def test_the_page_hands_it_out(session):
    import base64

    reply = asked(session, do="download", value="folder")
    assert reply["download"]["name"].endswith(".zip")
    assert base64.b64decode(reply["download"]["base64"]) == folder_zip(session.situation)


def test_a_folder_as_a_spreadsheet_saves_it_keeps_its_ways(tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "own")
    path = folder / "tables" / "pain.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    rows = [row[::-1] for row in rows]  # other order of columns
    rows[1][0] = 'a note\nof "two" lines, with a comma'
    rows.insert(2, [])
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    session = Session(cc.load(folder))
    asked(session, **PAIN, state="none", value="0.5")
    other = unzipped(session, tmp_path / "new")
    model = cc.load(other)
    assert model.digest == session.situation.model.digest
    new = (other / "tables" / "pain.csv").read_bytes()
    assert new.startswith(b"\xef\xbb\xbf")
    assert new.count(b"\r\n") == path.read_bytes().count(b"\r\n")
    row = next(row for row in model.priors.tables["pain"].rows if row.given == ("dystrophic", "no"))
    assert row.note.endswith('a note\nof "two" lines, with a comma')
    assert new.split(b"\r\n")[-5:] == path.read_bytes().split(b"\r\n")[-5:]


def test_a_folder_that_knows_no_judgement_keeps_its_sources(tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "own")
    for path in (folder / "sources.csv",):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("judgement,judgement", "judgement,review"), encoding="utf-8")
    session = Session(cc.load(folder))
    asked(session, **PAIN, state="none", value="0.5")
    row = session.situation.model.priors.tables["pain"].rows[0]
    assert len(row.sources) > 1
    assert row.note.startswith("Edited")
    assert cc.load(unzipped(session, tmp_path / "new")).digest == session.situation.model.digest


@pytest.mark.parametrize("what", ["changed", "faulty", "gone"])
def test_a_folder_that_is_no_longer_the_same_is_not_handed_out(tmp_path, what):
    folder = copy_folder(shipped_folder(), tmp_path / "own")
    session = Session(cc.load(folder))
    asked(session, **PAIN, state="none", value="0.5")
    path = folder / "tables" / "pain.csv"
    if what == "gone":
        path.unlink()
    else:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(",17,", ",16," if what == "changed" else ",x,"), encoding="utf-8")
    reply = session.handle({"do": "download", "value": "folder"})
    assert "is no longer as it was when this page was opened" in reply["regions"]["notice"]
    assert "download" not in reply


def test_a_network_without_a_folder_has_none_to_take_away(build):
    with pytest.raises(QuestionError, match="not read from a priors folder"):
        folder_zip(Session(Model(build("lung", ASIA))).situation)


@pytest.mark.slow
def test_how_long_an_edit_takes(shipped, figure):
    session = Session(shipped)
    asked(session, do="case", value="jones2023")
    asked(session, do="tab", value="priors")
    edits, clicks = [], []
    for turn in range(9):
        for took, message in (
            (edits, {**PAIN, "state": "none", "value": f"0.{turn + 1}"}),
            (clicks, {"do": "set", "variable": "obesity", "value": ("no", "yes")[turn % 2]}),
        ):
            start = time.perf_counter()
            asked(session, **message)
            took.append(1000 * (time.perf_counter() - start))
    edit, click = statistics.median(edits), statistics.median(clicks)
    figure(f"explorer: an edit takes {edit:.0f} ms, a click after it {click:.0f} ms")
    assert edit < 1000  # 80 ms, on a machine that does nothing else
