"""`calcinosis init`, `export` and `graph`: written whole or not at all, never over what is there."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.inference.pgmpy_bridge import FORMATS, largest_difference
from calcinosis.interface.shell.app import app


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.chdir(tmp_path)


def run(*words):
    return CliRunner().invoke(app, list(words))


def test_init_makes_a_copy_that_answers_as_the_shipped_one(tmp_path):
    assert run("init", "mine").exit_code == 0
    assert cc.load("mine").digest == cc.load().digest
    assert (tmp_path / "mine" / "README.md").exists()
    assert cc.cases("mine").equals(cc.cases())


def test_init_of_a_copy_copies_the_copy(tmp_path):
    run("init", "mine")
    sources = tmp_path / "mine" / "sources.csv"
    sources.write_text(sources.read_text(encoding="utf-8").replace("Medscape", "Medscape online"), encoding="utf-8")
    assert run("init", "second", "--priors", "mine").exit_code == 0
    assert cc.load("second").digest == cc.load("mine").digest != cc.load().digest


def test_init_refuses_to_overwrite_and_to_copy_a_faulty_folder(tmp_path):
    run("init", "mine")
    (tmp_path / "mine" / "tables" / "pain.csv").write_text("lost\n")
    refused = run("init", "mine")
    assert refused.exit_code == 1
    assert "exists: name another folder, or replace it with --force" in refused.stderr
    assert (tmp_path / "mine" / "tables" / "pain.csv").read_text() == "lost\n"
    faulty = run("init", "second", "--priors", "mine")
    assert faulty.exit_code == 1
    assert not (tmp_path / "second").exists()
    assert run("init", "mine", "--force").exit_code == 0
    assert cc.load("mine").digest == cc.load().digest
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.slow
@pytest.mark.parametrize("ending", FORMATS)
def test_export_can_be_read_back_and_is_the_same_network(ending):
    file = f"network{ending}"
    result = run("export", file)
    assert result.exit_code == 0, result.stderr
    model = cc.load()
    again = cc.Model.from_file(file, target="subtype")
    assert largest_difference(model.network, again.network) < 1e-12
    assert again.posterior().probabilities.to_numpy() == pytest.approx(model.posterior().probabilities.to_numpy())


@pytest.mark.parametrize("command", ["export", "graph"])
def test_a_file_is_not_overwritten_without_force(command, tmp_path):
    name = {"export": "a.xdsl", "graph": "a.svg"}[command]
    (tmp_path / name).write_text("mine")
    refused = run(command, name)
    assert refused.exit_code == 1
    assert f"{name} exists: name another file, or replace it with --force" in refused.stderr
    assert (tmp_path / name).read_text() == "mine"
    assert run(command, name, "--force").exit_code == 0
    assert (tmp_path / name).read_text() != "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "network.doc"], "the name must end in one of .bif, .xmlbif, .xdsl, .net"),
        (["graph", "network.doc"], "the name must end in one of .svg, .png, .pdf"),
        (["graph", "nowhere/network.svg"], "No such file or directory"),
        (["graph", "a.svg", "--priors", "nowhere"], "there is no such folder"),
        (["export", "a.bif", "--priors", "nowhere"], "there is no such folder"),
    ],
)
def test_what_cannot_be_written_is_told(words, message, tmp_path):
    result = run(*words)
    assert result.exit_code == 1
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_graph_shows_every_variable_and_group_and_is_drawn_the_same_each_time(tmp_path):
    assert run("graph", "a.svg").exit_code == 0
    assert run("graph", "b.svg").exit_code == 0
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    for variable in cc.load().variables.values():
        assert f">{variable.label}<" in drawn
        assert f">{variable.group}<" in drawn
    assert (tmp_path / "b.svg").read_text(encoding="utf-8") == drawn
    for name, magic in (("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")):
        run("graph", name)
        assert (tmp_path / name).read_bytes().startswith(magic)


def test_help_is_there_for_every_command_and_names_an_example():
    assert run("--version").stdout.startswith("calcinosis ")
    for command in ("diagnose", "check", "init", "export", "graph"):
        result = run(command, "--help")
        assert result.exit_code == 0
        assert f"calcinosis {command}" in result.stdout
    assert run().exit_code == 2


def test_json_tells_programs_what_was_written():
    assert json.loads(run("init", "mine", "--json").stdout) == {"folder": "mine", "digest": cc.load().digest}
    assert json.loads(run("export", "a.bif", "--json").stdout)["variables"] == 29
    assert json.loads(run("graph", "a.svg", "--json").stdout)["variables"] == 29
    assert json.loads(run("check", "--priors", "mine", "--contexts", "1", "--json").stdout)["folder"] == "mine"
    assert json.loads(run("graph", "a.svg", "--json").stdout)["error"] == "InputError"


@pytest.mark.parametrize("words", [("simulate", "3"), ("cohort", "in.csv")])
def test_tables_are_written_where_a_link_leads_and_over_nothing_but_files(words, tmp_path):
    (tmp_path / "in.csv").write_text("pain\nsevere\n")
    (tmp_path / "latest.csv").symlink_to("of_today.csv")
    for force in ((), ("--force",)):
        assert run(*words, "latest.csv", *force).exit_code == 0
        assert (tmp_path / "latest.csv").is_symlink()
        assert (tmp_path / "of_today.csv").is_file()
    os.mkfifo("pipe.csv")
    refused = run(*words, "pipe.csv", "--force")
    assert refused.exit_code == 1
    assert "pipe.csv: not a file" in refused.stderr
    assert (tmp_path / "pipe.csv").is_fifo()
