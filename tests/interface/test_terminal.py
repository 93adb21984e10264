"""What reaches the terminal: text of others steers nothing, and no way in which a run ends shows a traceback."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from calcinosis.interface.words.document import Document, TableBlock
from calcinosis.interface.words.terminal import say, show
from calcinosis.knowledge.folder import shipped_folder

RUN = [sys.executable, "-c", "from calcinosis.interface.shell.app import main; main()"]

HOSTILE = "a\x1b]0;title\x07\x1b[2J\x1b[31m\x08\x7f\x9b2J\u202e\u2066\u2028z"
"""Signs that set the title, clear the screen, colour, delete, turn the direction of writing, break the line."""

OWN = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r")
"""What styles a text or moves a progress bar: of all that steers, only this may come, and only from the program."""

STEERING = re.compile("[\x00-\x09\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def in_terminal(*words, folder, environment=None):
    """What a command writes into a terminal, both streams together."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*RUN, *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "COLUMNS": "200", "TERM": "xterm", **(environment or {})},
    )
    os.close(follower)
    written = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    os.close(leader)
    process.wait(timeout=60)
    return written.decode()


@pytest.fixture
def folder(tmp_path):
    """A folder with patients whose names and cells would steer the terminal."""
    (tmp_path / "names.csv").write_text(f'id,pain\n"{HOSTILE}\nb",severe\nc,none\n', encoding="utf-8")
    (tmp_path / "cells.csv").write_text(f'id,pain\na,"{HOSTILE}\nb"\n', encoding="utf-8")
    (tmp_path / "names.json").write_text(json.dumps([{"id": HOSTILE, "pain": HOSTILE}]), encoding="utf-8")
    (tmp_path / "cases.csv").write_text(f"case_id,diagnosis,pain\nb,dystrophic,none\n{HOSTILE},metastatic,none\n")
    shutil.copy(tmp_path / "cells.csv", tmp_path / f"[b]{HOSTILE}.csv")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("diagnose", "--file", "names.csv"),
        ("diagnose", "--file", "cells.csv"),
        ("diagnose", "--file", "names.json"),
        ("diagnose", f"pain={HOSTILE}"),
        ("diagnose", f"{HOSTILE}=x", "--json"),
        ("diagnose", "--case", HOSTILE),
        ("diagnose", "--priors", HOSTILE),
        ("explain", "--file", "names.csv"),
        ("sensitivity", "--file", "names.csv"),
        ("cohort", f"[b]{HOSTILE}.csv", f"{HOSTILE}.csv"),
        ("validate", "cases.csv", "--draws", "2"),
        ("init", HOSTILE),
        ("check", HOSTILE),
        (HOSTILE,),
        (f"--{HOSTILE}",),
        ("diagnose", f"--{HOSTILE}"),
    ],
    ids=lambda words: " ".join(words).replace(HOSTILE, "HOSTILE"),
)
def test_text_of_others_steers_no_terminal(folder, words):
    written = in_terminal(*words, folder=folder).replace("\r\n", "\n")
    assert "Traceback" not in written
    assert not STEERING.findall(OWN.sub("", written))
    assert "\\x1b[31m" in written  # the colour of others is shown as well


@pytest.mark.slow
def test_labels_and_sources_of_priors_steer_no_terminal(tmp_path):
    shutil.copytree(shipped_folder(), tmp_path / "priors")
    for path in (tmp_path / "priors" / "states.csv", tmp_path / "priors" / "sources.csv"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("ystrophic", f"ystr{HOSTILE}ophic").replace("et al", f"et{HOSTILE}al"), "utf-8")
    for words in (("diagnose", "pain=severe"), ("explain", "pain=severe"), ("next-test",), ("check", "priors")):
        written = in_terminal(*words, "--priors", "priors", folder=tmp_path).replace("\r\n", "\n")
        assert "Traceback" not in written
        assert not STEERING.findall(OWN.sub("", written)), words


def test_styles_of_the_program_survive(folder):
    assert "\x1b[1m" in in_terminal("diagnose", "pain=severe", folder=folder)


def test_json_with_such_signs_stays_json_and_the_same(folder):
    """C1 controls, DEL and half a surrogate pair are no escapes of JSON's own printer."""
    done = subprocess.run(
        [*RUN, "diagnose", "--json", "--file", "names.csv"], cwd=folder, capture_output=True, check=True
    )
    text = done.stdout.decode()
    assert not STEERING.findall(text)
    assert [patient["patient"] for patient in json.loads(text)] == [f"{HOSTILE}\nb", "c"]


def test_a_name_that_is_not_utf_8_is_shown(tmp_path):
    done = subprocess.run([*RUN, "diagnose", "--file", b"p\xe4.json"], cwd=tmp_path, capture_output=True, check=False)
    assert done.stderr == b"calcinosis: p\\udce4.json: there is no such file\n"


@pytest.mark.slow
def test_a_message_is_one_line_whatever_it_repeats(folder):
    for words, lines in (
        (("diagnose", "pain=a\nb"), 2),
        (("diagnose", "a\nb"), 1),
        (("diagnose", "--file", "a\nb.csv"), 1),
        (("diagnose", "--file", "cells.csv"), 2),
        (("diagnose", "--file", "names.json"), 2),
        (("diagnose", "--priors", "a\nb"), 2),
        (("cohort", "cells.csv", "a\nb/out.csv"), 1),
        (("diagnose", "--case", "a\nb"), 1),
    ):
        done = subprocess.run([*RUN, *words], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (1, lines), (words, done.stderr)


def test_only_one_door_leads_to_the_terminal():
    """Every command prints by say() and console()."""
    for path in Path(say.__code__.co_filename).parent.glob("*.py"):
        if path.name != "terminal.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"typer\.echo|^ *print\(|[^\w]Console\(", text, re.M), path.name


def test_a_table_and_a_line_are_harmless(capsys):
    say(f"one\n{HOSTILE}")
    show(Document("", "", [], [TableBlock("Title", [{"name": f"{HOSTILE}\nb", "other": "c"}])], [""]))
    printed = capsys.readouterr().out
    assert not STEERING.findall(printed)
    assert printed.count("\\x1b]0;title") == 2
    assert "z\\n" in printed


CALLS = [
    ("check",),
    ("check", "nowhere"),
    ("check", "--json"),
    ("--version",),
    ("-h",),
    ("diagnose", "-h"),
    ("diagnose", "pain=severe"),
    ("diagnose", "--json", "pain=severe"),
    ("diagnose", "--json", "pain=sever"),
    ("explore", "--no-browser", "--port", "0"),
    ("what-if", "pain=severe", "--json"),
]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no disk that is always full")
@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_a_full_disk_behind_the_output_is_told(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*RUN, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (1, "calcinosis: No space left on device\n")


@pytest.mark.slow
@pytest.mark.parametrize("words", CALLS[:-2], ids=" ".join)
def test_a_reader_that_has_gone_is_not_told(words):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*RUN, *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.slow
def test_ctrl_c_shows_no_traceback_while_the_program_is_loaded():
    """The moment is that of the first import that takes its time, whatever the machine."""
    for module in ("typer", "rich", "numpy", "calcinosis.inference.model", "calcinosis.interface.shell.diagnose"):
        code = (
            "import sys, os, signal\n"
            "class Pressed:\n"
            "    def find_spec(self, name, *_):\n"
            f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
            "sys.meta_path.insert(0, Pressed())\n"
            "sys.argv = ['calcinosis', 'diagnose', 'pain=severe']\n"
            "from calcinosis.interface.shell.app import main\n"
            "main()"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (130, ""), module


@pytest.mark.parametrize("wait", [0.1, 0.2, 0.3])
def test_ctrl_c_shows_no_traceback_at_any_moment(wait):
    process = subprocess.Popen([*RUN, "diagnose"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert (process.returncode in (0, 130), errors) == (True, "")


def test_what_is_loaded_before_ctrl_c_is_caught_takes_no_time():
    code = (
        f"import sys; sys.path = {sys.path!r}; before = set(sys.modules)\n"
        "import calcinosis.interface.shell.app\n"
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"typing", "re", "enum", "typer", "numpy"} & set(done.stdout.split())
