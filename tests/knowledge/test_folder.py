"""Which folder is read, and copies that are made whole or not at all."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from calcinosis.knowledge import folder as module
from calcinosis.knowledge.folder import VARIABLE, chosen_folder, copy_folder, shipped_folder, write_whole
from calcinosis.knowledge.problem import PriorsError
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
    stale = mine / "decisions" / "harms.csv"
    stale.parent.mkdir(exist_ok=True)
    stale.write_text("of the former priors")
    copy_folder(tiny, mine, force=True)
    assert old.read_text() == "precious"
    old.unlink()
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
@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (os, "replace"), (Path, "mkdir")])
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
        last = path.name == "new" or (path.name == "variables.csv" and path.parent.name == "new")
        return failing() if last else rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", only_the_new_one_fails)
        with pytest.raises(OSError, match="the disk is full"):
            copy_folder(tiny, tmp_path / "mine", force=True)
    assert everything(tmp_path) == before


def test_a_copy_that_fails_leaves_no_new_folders_above_it(tiny, tmp_path, monkeypatch):
    before = everything(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
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


@pytest.mark.parametrize("name", ["replace", "fsync"])
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


def test_force_replaces_the_files_of_the_priors_and_keeps_all_else(tiny, tmp_path):
    mine = copy_folder(tiny, tmp_path / "mine")
    kept = {
        mine / name for name in (".git/config", "notes.txt", "sub/deep/a.csv", ".hidden", "tables/.x", "tables/a.md")
    }
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious")
    (mine / "tables" / "gone.csv").write_text("stale")
    (mine / "updates").mkdir()
    (mine / "updates" / "01_ward.csv").write_text("stale")
    (mine / "variables.csv").write_text("stale")
    (tiny / "notes.txt").write_text("of the source")
    copy_folder(tiny, mine, force=True)
    assert all(path.read_text() == "precious" for path in kept)
    assert read_priors(mine).digest == read_priors(tiny).digest
    assert not (mine / "updates").exists()
    assert {p for p in mine.rglob("*") if p.is_file()} - kept == {
        mine / p.relative_to(tiny) for p in tiny.rglob("*") if p.is_file()
    } - kept


def test_a_report_is_no_priors_folder_that_force_replaces(tiny, tmp_path):
    (tmp_path / "variables.csv").write_text("variable,patients\n")
    (tmp_path / "index.html").write_text("the report")
    with pytest.raises(FileExistsError, match="no priors folder"):
        copy_folder(tiny, tmp_path, force=True)


@pytest.mark.parametrize("name", ["tables/pain_before.csv", "decisions/my_notes.csv"])
def test_force_deletes_no_file_that_priors_have_no_use_for(tmp_path, name):
    mine = copy_folder(shipped_folder(), tmp_path / "mine")
    (mine / name).write_text("precious")
    before = everything(tmp_path)
    with pytest.raises(PriorsError, match=Path(name).stem):
        copy_folder(shipped_folder(), mine, force=True)
    assert everything(tmp_path) == before


def test_a_folder_in_the_way_of_a_file_leaves_everything_as_it_was(tiny, tmp_path):
    mine = copy_folder(tiny, tmp_path / "mine")
    (mine / "units.csv").unlink()
    (mine / "units.csv").mkdir()
    (mine / "units.csv" / "a").write_text("precious")
    before = everything(tmp_path)
    with pytest.raises(OSError, match="directory"):
        copy_folder(tiny, mine, force=True)
    assert everything(tmp_path) == before


def test_a_file_that_would_be_a_fault_of_the_new_folder_is_named(tiny, tmp_path):
    mine = copy_folder(tiny, tmp_path / "mine")
    (mine / "decisions").mkdir(exist_ok=True)
    (mine / "decisions" / "notes.txt").write_text("precious")
    (tiny / "expectations.csv").read_bytes()
    shutil.rmtree(tiny / "decisions", ignore_errors=True)
    before = everything(tmp_path)
    with pytest.raises(PriorsError, match="decisions/"):
        copy_folder(tiny, mine, force=True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["within", "around", "same", "by a link", "a linked table"])
def test_the_source_is_never_written_to(tiny, tmp_path, kind, force):
    inner = copy_folder(tiny, tmp_path / "outer" / "inner")
    outer = inner.parent
    for path in tiny.iterdir():
        if path.is_file():
            shutil.copy(path, outer)
    (tmp_path / "link").symlink_to(inner)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "variables.csv").write_text("")
    (tmp_path / "other" / "tables").symlink_to(outer)
    source, destination = {
        "within": (outer, inner),
        "around": (inner, outer),
        "same": (inner, inner),
        "by a link": (inner, tmp_path / "link"),
        "a linked table": (tmp_path / "other", inner),
    }[kind]
    before = everything(tmp_path)
    with pytest.raises(FileExistsError):
        copy_folder(source, destination, force=force)
    assert everything(tmp_path) == before


def test_a_linked_folder_is_written_through_and_a_linked_table_folder_is_not(tiny, tmp_path):
    mine = copy_folder(tiny, tmp_path / "mine")
    (mine / "tables").rename(tmp_path / "shared")
    (mine / "tables").symlink_to(tmp_path / "shared")
    (tmp_path / "link").symlink_to(mine)
    before = everything(tmp_path / "shared")
    copy_folder(tiny, tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink()
    assert not (mine / "tables").is_symlink()
    assert everything(tmp_path / "shared") == before


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o022])
def test_the_umask_is_obeyed_whatever_the_modes_of_the_source(tiny, tmp_path, umask):
    for path in tiny.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)
    former = os.umask(umask)
    try:
        copy = copy_folder(tiny, tmp_path / "mine")
        write_whole(tmp_path / "page.html", "patients")
    finally:
        os.umask(former)
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o666 & ~umask
    for path in (copy, *copy.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o777 if path.is_dir() else 0o666) & ~umask


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, real=real, name=name: (calls.append(name), real(*a))[1])
    write_whole(tmp_path / "page.html", "new")
    assert calls == ["fsync", "replace"]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", "new", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def make(path, kind):
    """Something else than a file at a path."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(path))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to("nowhere")


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "device", "link"])
@pytest.mark.parametrize("name", ["variables.csv", "tables/fever.csv", "tests.csv", "corrections.csv"])
def test_what_is_no_file_is_told_and_never_read(tiny, tmp_path, monkeypatch, name, kind):
    """A pipe or a device would block for ever; a link to nothing would be taken for an optional file left out."""
    monkeypatch.chdir(tmp_path)
    (tiny / name).unlink(missing_ok=True)
    make(tiny / name, kind)
    with pytest.raises(PriorsError, match=f"{name}:1: -: -: not a file: "):
        read_priors(tiny)
    if kind != "folder":
        with pytest.raises(OSError, match="not a file"):
            copy_folder(tiny, tmp_path / "mine")
        with pytest.raises(OSError, match="not a file"):
            write_whole(tiny / name, "", force=True)
    assert not (tmp_path / "mine").exists()
