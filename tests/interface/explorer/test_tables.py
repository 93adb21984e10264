"""The priors in the page: each table as it stands in its file, with its sources; what is edited is marked."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from printed_networks import ASIA, SHAP
from properties import examples

import calcinosis as cc
from calcinosis.inference.model import Model
from calcinosis.interface.explorer import views
from calcinosis.interface.explorer.rendering import render
from calcinosis.interface.explorer.session import Session
from calcinosis.interface.explorer.tables import view
from calcinosis.knowledge.folder import copy_folder, shipped_folder

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"
PAIN = {"do": "edit", "variable": "pain", "given": "dystrophic,no"}


def panel(session, table=""):
    """The HTML of a table, from a session whose page shows it."""
    session.handle({"do": "tab", "value": "priors"})
    session.handle({"do": "table", "value": table})
    return views.view(session.situation)


def rows_of(html):
    """Each row of the table as (whole text of its part, its numbers)."""
    found = []
    for body in re.findall(r"<tbody.*?</tbody>", html, re.DOTALL):
        row = body.partition("</tr>")[0]
        cells = re.findall(r'<td class="number">(.*?)</td>', row, re.DOTALL)
        numbers = [re.search(r'value="([^"]*)"|>([^<]+)<', f">{cell}<") for cell in cells]
        found.append((body, [float(next(filter(None, number.groups()))) for number in numbers]))
    return found


def test_every_table_stands_as_in_its_file(shipped):
    session = Session(shipped)
    for name, table in shipped.priors.tables.items():
        html = panel(session, name)
        rows = rows_of(html)
        assert len(rows) == len(table.rows)
        for (body, numbers), row in zip(rows, table.rows, strict=True):
            assert np.allclose(numbers, [*row.probabilities, row.weight], rtol=6e-4)
            text = unescape(body)
            assert row.note in text
            for key in row.sources:
                source = shipped.priors.sources[key]
                assert source.citation in text
                assert source.kind in text
                if source.doi:
                    assert f'href="https://doi.org/{source.doi}"' in text


def test_the_table_of_the_target_comes_first_and_another_can_be_chosen(shipped):
    session = Session(shipped)
    assert '<option value="subtype" selected>' in panel(session)
    html = panel(session, "form")
    assert '<option value="form" selected>' in html
    assert html.count('<th scope="col"') == 13 + 2


def test_headers_and_fields_have_names_that_can_be_read_aloud(shipped):
    html = panel(Session(shipped), "pain")
    assert '<th scope="row" class="patients"><span class="with">dystrophic calcification</span>' in html
    assert '<span class="with">no ulceration</span>' in html
    assert 'aria-label="Probability of severe, dystrophic calcification, no ulceration"' in html
    fields = re.findall(r'<input[^>]* id="([^"]*)"', html)
    assert len(fields) == len(set(fields)) == 28
    assert html.count("aria-label=") >= 28


@pytest.mark.parametrize("table", ["form", "tissue_injury", "care_setting", "subtype"])
def test_what_is_defined_is_text_and_what_is_not_is_a_field(shipped, table):
    html = panel(Session(shipped), table)
    rows = shipped.priors.tables[table].rows
    free = sum(0 < p < 1 for row in rows for p in row.probabilities)
    assert html.count("data-state=") == free
    assert html.count('title="by definition"') == sum(p in (0, 1) for row in rows for p in row.probabilities)
    assert html.count('data-field="weight"') == sum(max(row.probabilities) < 1 for row in rows)


def test_every_field_can_be_edited_and_no_other(shipped):
    session = Session(shipped)
    html = panel(session, "form")
    fields = re.findall(r'data-given="([^"]*)" data-state="([^"]*)"', html)
    for given_, state in fields:
        reply = session.handle({"do": "edit", "variable": "form", "given": given_, "state": state, "value": "0.37"})
        assert "notice fault" not in reply["regions"].get("notice", "")
    assert {edit.given for edit in session.page.edits} == {tuple(given_.split(",")) for given_, _ in fields}


def test_an_edited_row_is_marked_and_can_be_restored(shipped):
    session = Session(shipped)
    assert "No row is edited." in panel(session, "pain")
    session.handle({**PAIN, "state": "none", "value": "0,5"})
    session.handle({**PAIN, "field": "weight", "value": "7.5"})
    session.handle({"do": "edit", "variable": "sex", "given": "dystrophic_damage", "state": "male", "value": "0.6"})
    html = panel(session, "pain")
    assert "2 rows are edited." in html
    assert "Pain of the lesion (1 edited)" in html
    assert "Sex (1 edited)" in html
    body, numbers = rows_of(html)[0]
    assert numbers == [0.5, 0.4375, 0.0625, 7.5]
    assert ">edited<" in body
    assert [float(was) for was in re.findall(r"<small>was ([^<]*)</small>", body)] == [0.68, 0.28, 0.04, 75]
    assert "As shipped it rests on: cohort" in body
    assert "No tenderness in 71% of 215" in body
    others = "".join(body for body, _ in rows_of(html)[1:])
    assert "edited" not in others
    assert "was " not in re.sub(r"<details.*?</details>", "", others, flags=re.DOTALL)
    button = re.search(r'<button type="button" id="restore-[^>]*>', body).group()
    message = {
        key: re.search(rf'data-{key}="([^"]*)"', button).group(1) for key in ("do", "field", "variable", "given")
    }
    session.handle(message)
    html = panel(session, "pain")
    assert "1 row is edited." in html
    assert ">edited<" not in html
    session.handle({"do": "unedit"})
    assert "No row is edited." in panel(session, "pain")


def test_the_rows_of_this_patient_are_marked(shipped):
    session = Session(shipped)
    assert "this patient" not in panel(session)
    session.handle({"do": "set", "variable": "care_setting", "value": "dialysis_unit"})
    marked = ["this patient" in body for body, _ in rows_of(panel(session))]
    assert marked == [False, False, True]
    session.handle({"do": "set", "variable": "care_setting", "value": "dialysis_unit/hospital_inpatient"})
    marked = ["this patient" in body for body, _ in rows_of(panel(session))]
    assert marked == [False, True, True]
    session.handle({"do": "set", "variable": "ulceration", "value": "yes"})
    marked = ["this patient" in body for body, _ in rows_of(panel(session, "pain"))]
    assert marked == [row.given[1] == "yes" for row in shipped.priors.tables["pain"].rows]
    session.handle({"do": "set", "variable": "esrd", "value": "yes"})
    marked = ["this patient" in body for body, _ in rows_of(panel(session, "vessel_calcification"))]
    assert marked == [row.given[0] != "no" for row in shipped.priors.tables["vessel_calcification"].rows]


def test_the_answer_above_follows_at_once(shipped):
    session = Session(shipped)
    session.handle({"do": "set", "variable": "care_setting", "value": "dialysis_unit"})
    panel(session)
    cell = {"do": "edit", "variable": "subtype", "given": "dialysis_unit", "state": "iatrogenic", "value": "0.9"}
    reply = session.handle(cell)
    assert 'data-state="iatrogenic"' in reply["regions"]["answer"]
    assert "90 %" in reply["regions"]["answer"]
    assert "not as shipped" in reply["regions"]["about"]
    assert "1 row edited here" in reply["regions"]["foot"]


def test_it_says_that_the_shipped_tables_are_never_touched(shipped):
    assert "The shipped tables are never touched: this changes only this page." in panel(Session(shipped))


def test_the_priors_can_be_seen_where_there_is_no_answer(build):
    session = Session(Model(build("lung", ASIA)))
    session.handle({"do": "set", "variable": "tub", "value": "yes"})
    session.handle({"do": "set", "variable": "either", "value": "no"})
    assert session.situation.posterior is None
    assert '<table class="lines prior">' in panel(session)


def test_a_network_without_a_folder_is_shown_but_not_edited(build):
    network = build("Z", SHAP)
    html = panel(Session(Model(network)))
    assert "not read from a folder of tables" in html
    assert "<input" not in html
    assert "download" not in html
    assert "there are no weights, and so no intervals" in html
    shown = [numbers for _, numbers in rows_of(html)]
    assert np.allclose(shown, network.tables["Z"].reshape(-1, 2), rtol=6e-4)


def test_a_network_with_weights_shows_them(build):
    network = replace(build("lung", ASIA), weights={name: np.array(50.0) for name in ASIA})
    html = panel(Session(Model(network)), "lung")
    assert [numbers[-1] for _, numbers in rows_of(html)] == [50, 50]
    assert "<input" not in html


def test_a_long_table_is_shown_in_part(build):
    tables = {f"p{number}": ("no yes", "", [0.5, 0.5]) for number in range(8)}
    tables["all"] = ("no yes", " ".join(tables), np.full((256, 2), 0.5))
    html = panel(Session(Model(build("all", tables))))
    assert len(rows_of(html)) == 120
    assert "136 more rows of this table are not shown here." in html


def test_any_network_is_shown(networks):
    @examples(40)
    @given(networks)
    def check(network):
        session = Session(Model(network))
        for name in network.variables:
            shown = np.array([numbers for _, numbers in rows_of(panel(session, name))])
            if len(shown) < 120:
                assert np.allclose(shown[network.contexts[name]], network.tables[name], rtol=6e-4)
            assert np.allclose(shown, network.rows(name)[:120], rtol=6e-4)

    check()


def test_texts_of_a_folder_are_only_ever_text(tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "own")
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    for name, old in (
        ("states.csv", "intermittent or mild"),
        ("variables.csv", "Ulceration"),
        ("sources.csv", "Judgement of the authors of this table; the reasoning is in the note of each row"),
    ):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(re.sub(rf'"?{re.escape(old)}"?', lambda _: quoted, text, count=1), encoding="utf-8")
    path = folder / "tables" / "pain.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = f"dystrophic,no,0.28,0.56,0.16,16,judgement,{quoted}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    session = Session(cc.load(folder))
    session.handle({"do": "edit", "variable": "pain", "given": "dystrophic,no", "state": "none", "value": "0.5"})
    html = panel(session, "pain")
    assert "<script" not in html
    assert "<img" not in html
    assert unescape(html).count(HOSTILE) > 10


def test_a_look_at_it_costs_little(shipped, figure):
    import time

    session = Session(shipped)
    took = {}
    for name in shipped.priors.tables:
        panel(session, name)
        start = time.perf_counter()
        render("tables", **view(session.situation))
        took[name] = 1000 * (time.perf_counter() - start)
    figure(f"explorer: the slowest of the tables takes {max(took.values()):.1f} ms")
    assert max(took.values()) < 200  # 2 ms, on a machine that does nothing else
