"""`calcinosis explore`: what it prints, whom it lets in, and what it says of an address or a port that cannot be."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request

import pytest

RUN = [sys.executable, "-c", "from calcinosis.interface.shell import main; main()", "explore", "--no-browser"]


@pytest.fixture
def explore():
    """A function that starts the command with some words, and gives what it says once it serves."""
    running = []

    def start(*words):
        process = subprocess.Popen(
            [*RUN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        running.append(process)
        lines = []
        while line := process.stdout.readline():
            lines.append(line)
            if "Not a medical device" in line:
                break
        if "--json" in words:
            lines.append(process.stdout.readline())
        return "".join(lines), process

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=20)


def failing(*words):
    """The exit code and the message of a call that does not come to serving."""
    done = subprocess.run([*RUN, *words], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stderr


def test_it_says_where_the_page_is_and_holds_the_case_behind_the_sign_that_is_not_sent(explore):
    said, _ = explore("--port", "0", "--json", "--case", "jones2023", "pain=severe")
    found = json.loads(said)
    address, _, fragment = found["url"].partition("#")
    assert "pain=severe" in fragment
    assert "~case=jones2023" in fragment
    assert "?" not in found["url"]
    with urllib.request.urlopen(address) as page:
        assert "calcinosis explorer" in page.read().decode()


def test_ctrl_c_ends_it_quietly(explore):
    _, process = explore("--port", "0")
    process.send_signal(2)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_an_address_that_others_can_reach_is_warned_of(explore):
    _, process = explore("--port", "0", "--address", "0.0.0.0")
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert errors.startswith("calcinosis: warning: 0.0.0.0 can be reached from other machines, without a password")


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = failing("--port", str(port))
    assert code == 1
    assert errors == f"calcinosis: port {port} is taken: name another with --port, or any that is free with --port 0\n"


def test_an_address_of_another_machine_is_told():
    code, errors = failing("--port", "0", "--address", "192.0.2.1")
    assert code == 1
    assert (
        errors
        == "calcinosis: 192.0.2.1 is no address of this machine: leave --address out to serve this machine only\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("pain=sever",), "pain=sever: no state 'sever': did you mean 'severe'?"),
        (("--case", "jones2032"), "no published case 'jones2032': did you mean 'jones2023'?"),
        (("--priors", "nowhere"), "nowhere"),
        (("form=dystrophic_damage",), "form cannot be entered in the page: nobody can observe it"),
    ],
)
def test_findings_that_are_not_understood_are_told_before_anything_is_served(words, message):
    code, errors = failing("--port", "0", *words)
    assert code == 1
    assert message in errors
