"""Which folder is read, and copies that are made whole or not at all."""

import os
import shutil
from pathlib import Path

import pytest

from calcinosis.knowledge import folder as module
from calcinosis.knowledge.folder import VARIABLE, chosen_folder, copy_folder, shipped_folder, write_whole
from calcinosis.knowledge.reader import read_priors


def test_the_shipped_folder_holds_the_priors():
    assert {"variables.csv", "tables", "cases"} <= {path.name for path in shipped_folder().iterdir()}


def test_an_installed_package_carries_its_own_priors(tmp_path, monkeypatch):
    package = tmp_path / "model" / "calcinosis"
    (package / "priors").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(package / "knowledge" / "folder.py"))
    assert shipped_folder() == package / "priors"
    (package / "priors").rmdir()
    assert shipped_folder() == tmp_path / "priors"  # a checkout


def test_the_shipped_folder_is_chosen_if_none_is_named(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen_folder() == shipped_folder()
    monkeypatch.setenv(VARIABLE, "")
    assert chosen_folder() == shipped_folder()


def test_the_environment_chooses_a_folder(monkeypatch):
    monkeypatch.setenv("CALCINOSIS_PRIORS", "elsewhere")
    assert chosen_folder() == Path("elsewhere")


@pytest.mark.parametrize("named", ["here", Path("here")])
def test_a_named_folder_wins_over_the_environment(monkeypatch, named):
    monkeypatch.setenv("CALCINOSIS_PRIORS", "elsewhere")
    assert chosen_folder(named) == Path("here")


def everything(folder):
    """Every path below a folder, hidden ones too, with the bytes of files."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_a_copy_reads_the_same_and_can_be_written(tiny, tmp_path):
    for path in tiny.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (tiny / "tables").chmod(0o755)
    (tiny / "tables" / ".hidden").write_text("not for the copy")
    copy = copy_folder(tiny, tmp_path / "new" / "mine")
    assert copy == tmp_path / "new" / "mine"
    assert read_priors(copy).digest == read_priors(tiny).digest
    assert all(path.stat().st_mode & 0o200 for path in (copy, *copy.rglob("*")))
    assert not list(copy.rglob(".*"))
    assert os.listdir(copy.parent) == ["mine"]


def test_the_shipped_priors_can_be_copied(still, tmp_path):
    assert read_priors(copy_folder(still, tmp_path / "mine")).digest == read_priors(still).digest


def test_a_copy_may_fill_an_empty_folder(tiny, tmp_path):
    (tmp_path / "mine").mkdir()
    assert read_priors(copy_folder(tiny, tmp_path / "mine"))


def test_a_former_copy_is_replaced_only_by_force(tiny, tmp_path):
    mine = copy_folder(tiny, tmp_path / "mine")
    old = mine / "old.csv"
    old.write_text("precious")
    with pytest.raises(FileExistsError, match="mine exists: name another folder, or replace it with --force"):
        copy_folder(tiny, mine)
    assert old.read_text() == "precious"
    copy_folder(tiny, mine, force=True)
    assert {path.relative_to(mine) for path in mine.rglob("*")} == {path.relative_to(tiny) for path in tiny.rglob("*")}
    assert sorted(os.listdir(tmp_path)) == ["mine", "tiny"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_priors_folder_is_never_replaced(tiny, tmp_path, kind, force):
    mine = tmp_path / "thesis"
    old = mine / "chapter1.txt" if kind == "folder" else mine
    old.parent.mkdir(exist_ok=True)
    old.write_text("precious")
    with pytest.raises(FileExistsError, match="thesis exists and is no priors folder: name another folder"):
        copy_folder(tiny, mine, force=force)
    assert old.read_text() == "precious"


def test_a_relative_name_is_a_folder_below_the_current_one(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert copy_folder(tiny, Path("mine")) == tmp_path / "mine"


@pytest.mark.parametrize("name", [".", "", "../here", "../here/mine/.."])
@pytest.mark.parametrize("force", [False, True])
def test_the_current_folder_is_never_replaced(tiny, tmp_path, monkeypatch, name, force):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(FileExistsError, match="here is the folder you stand in"):
        copy_folder(tiny, Path(name), force=force)


def test_a_folder_that_holds_the_current_one_is_never_replaced(tiny, tmp_path, monkeypatch):
    here = tmp_path / "project" / "here"
    here.mkdir(parents=True)
    (tmp_path / "project" / "thesis.txt").write_text("precious")
    monkeypatch.chdir(here)
    with pytest.raises(FileExistsError):
        copy_folder(tiny, Path(".."), force=True)
    assert (tmp_path / "project" / "thesis.txt").read_text() == "precious"


def failing(*args, **kwargs):
    raise OSError("the disk is full")


@pytest.mark.parametrize("kind", ["nothing", "an empty folder", "a full folder"])
@pytest.mark.parametrize(("owner", "name"), [(shutil, "copytree"), (Path, "chmod")])
def test_a_copy_that_fails_leaves_everything_as_it_was(tiny, tmp_path, monkeypatch, kind, owner, name):
    if kind != "nothing":
        (tmp_path / "mine").mkdir()
    if kind == "a full folder":
        (tmp_path / "mine" / "variables.csv").write_text("precious")
    before = everything(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing)
        with pytest.raises(OSError, match="the disk is full"):
            copy_folder(tiny, tmp_path / "mine", force=True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("kind", ["nothing", "an empty folder", "a full folder"])
def test_a_copy_that_cannot_take_its_place_gives_the_former_one_back(tiny, tmp_path, monkeypatch, kind):
    if kind != "nothing":
        (tmp_path / "mine").mkdir()
    if kind == "a full folder":
        (tmp_path / "mine" / "variables.csv").write_text("precious")
    before, rename = everything(tmp_path), Path.rename

    def only_the_new_one_fails(path, target):
        return failing() if path.name == "new" else rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", only_the_new_one_fails)
        with pytest.raises(OSError, match="the disk is full"):
            copy_folder(tiny, tmp_path / "mine", force=True)
    assert everything(tmp_path) == before


def test_a_copy_that_fails_leaves_no_new_folders_above_it(tiny, tmp_path, monkeypatch):
    before = everything(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copytree", failing)
        with pytest.raises(OSError, match="the disk is full"):
            copy_folder(tiny, tmp_path / "new" / "mine")
    assert everything(tmp_path) == before


def test_a_source_that_is_not_there_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        copy_folder(tmp_path / "no", tmp_path / "mine")
    assert everything(tmp_path) == {}


@pytest.mark.parametrize(("content", "written"), [("é\r\n", b"\xc3\xa9\r\n"), (b"\x00\xff", b"\x00\xff"), ("", b"")])
def test_a_file_is_written_to_the_byte_and_can_be_read_by_others(tmp_path, content, written):
    path = write_whole(tmp_path / "page.html", content)
    assert path == tmp_path / "page.html"
    assert path.read_bytes() == written
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_is_written_below_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole(Path("page.html"), "new")
    assert everything(tmp_path) == {tmp_path / "page.html": b"new"}


def test_a_file_that_exists_is_replaced_only_by_force(tmp_path):
    path = write_whole(tmp_path / "page.html", "old")
    with pytest.raises(FileExistsError, match=r"page\.html exists: name another file, or replace it with --force"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert write_whole(path, "new", force=True).read_text() == "new"


@pytest.mark.parametrize("name", ["replace", "chmod", "fdopen"])
def test_a_file_that_cannot_be_written_leaves_the_former_one(tmp_path, monkeypatch, name):
    path = write_whole(tmp_path / "page.html", "old")
    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing)
        with pytest.raises(OSError, match="the disk is full"):
            write_whole(path, "new", force=True)
    assert everything(tmp_path) == {path: b"old"}


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "page.html", "new", force=True)
    assert everything(tmp_path) == {tmp_path / "page.html": None}


def test_a_file_in_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no" / "page.html", "new")
    assert everything(tmp_path) == {}
