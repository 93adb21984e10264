"""`calcinosis explore`: what it prints, whom it lets in, and what it says of an address or a port that cannot be."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

import pytest

RUN = [sys.executable, "-c", "from calcinosis.interface.shell.app import main; main()", "explore", "--no-browser"]


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


@pytest.mark.slow
def test_ctrl_c_ends_it_quietly(explore):
    _, process = explore("--port", "0")
    process.send_signal(2)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.slow
def test_an_address_that_others_can_reach_is_warned_of(explore):
    _, process = explore("--port", "0", "--address", "0.0.0.0")
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert errors.startswith("calcinosis: warning: 0.0.0.0 can be reached from other machines, without a password")


@pytest.mark.slow
def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = failing("--port", str(port))
    assert code == 1
    assert errors == f"calcinosis: port {port} is taken: name another with --port, or any that is free with --port 0\n"


@pytest.mark.slow
def test_an_address_of_another_machine_is_told():
    code, errors = failing("--port", "0", "--address", "192.0.2.1")
    assert code == 1
    assert (
        errors
        == "calcinosis: 192.0.2.1 is no address of this machine: leave --address out to serve this machine only\n"
    )


@pytest.mark.slow
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


def response_to(port, path="/", host="127.0.0.1:{port}", headers=(), to="127.0.0.1"):
    """The response to a request."""
    connection = http.client.HTTPConnection(to, port, timeout=30)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host.format(port=port))
    for name, value in headers:
        connection.putheader(name, value.format(port=port))
    connection.endheaders()
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def port_of(said):
    """The port of the address that the command says."""
    return urlsplit(said.split("is at ")[1].split()[0]).port


NO_ROUTES = (
    *(f"/components/{name}/x/y/z" for name in ("this", "unittest.__main__", "calcinosis.__main__")),
    *("/autoload.js", "/metadata", "/favicon.ico", "/components/", "/index", "/ws/x", "//", "/static", "/wsx"),
    *("/%2e/components/this/x/y/z", "/static/../components/this/x/y/z", "/static/%2e%2e/%2e%2e/__init__.py"),
)


@pytest.mark.slow
def test_nothing_but_the_page_its_socket_and_its_files_is_served(explore):
    said, process = explore("--port", "0", "pain=severe")
    port = port_of(said)
    for path in NO_ROUTES:
        for headers in ((), (("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "document"))):
            assert response_to(port, path, headers=headers).status in (403, 404), path
    for path in ("/static/js/%00", "/?bokeh-session-id=", "/?bokeh-session-id=of+another"):
        assert response_to(port, path).status in (403, 404), path
    assert response_to(port, headers=(("Bokeh-Session-Id", "of another"),)).status == 403
    assert response_to(port).status == 200
    assert response_to(port, "/static/js/bokeh.min.js").status == 200
    assert process.poll() is None
    process.terminate()
    assert process.communicate(timeout=20) == ("", "")  # no module was run that could print


def test_every_response_forbids_frames_and_guessed_types(explore):
    port = port_of(explore("--port", "0")[0])
    for path, host in (("/", "127.0.0.1:{port}"), ("/static/js/bokeh.min.js", "127.0.0.1:{port}"),
                       ("/nowhere", "127.0.0.1:{port}"), ("/static/nowhere", "127.0.0.1:{port}"),
                       ("/ws", "127.0.0.1:{port}"), ("/", "evil.example:{port}")):  # fmt: skip
        headers = response_to(port, path, host).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'", path


def test_a_page_of_another_port_may_link_to_the_page_but_not_frame_it(explore):
    port = port_of(explore("--port", "0")[0])
    for site in ("same-site", "cross-site"):
        for what, status in (("document", 200), ("iframe", 403), ("frame", 403), ("embed", 403), ("script", 403)):
            headers = (("Sec-Fetch-Site", site), ("Sec-Fetch-Dest", what))
            assert response_to(port, headers=headers).status == status, (site, what)
    for site in ("same-origin", "none"):
        assert response_to(port, headers=(("Sec-Fetch-Site", site),)).status == 200


@pytest.mark.parametrize("address", ["0.0.0.0", "0"])
def test_a_foreign_name_is_refused_also_where_others_may_connect(explore, address):
    """A page of the web can point a name of its own at this machine (DNS rebinding)."""
    port = port_of(explore("--port", "0", "--address", address)[0])
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.localhost", "8.8.8.8"):
        origin = ("Origin", f"http://{host}:{{port}}")
        for headers in ((), (origin,)):
            assert response_to(port, host=f"{host}:{{port}}", headers=headers).status == 403, host
    machine = {own[4][0] for own in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for own in {"127.0.0.1", *machine}:
        assert response_to(port, host=f"{own}:{{port}}", to=own).status == 200, own
    assert response_to(port, host="localhost:{port}").status == 200


@pytest.mark.slow
def test_an_empty_address_is_refused():
    for address in ("", " "):
        code, errors = failing("--port", "0", "--address", address)
        assert code == 1
        assert errors == "calcinosis: --address is empty: leave it out to serve this machine only\n"


@pytest.mark.slow
def test_what_can_be_no_name_of_a_machine_is_told():
    code, errors = failing("--port", "0", "--address", "a" * 70)
    assert code == 1
    assert errors.endswith("leave --address out to serve this machine only\n")
    assert errors.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.1", "2130706433", "LOCALHOST", "127.0.0.2"])
def test_this_machine_in_another_spelling_is_served_without_a_warning(explore, address):
    said, process = explore("--port", "0", "--address", address)
    host = {"127.0.0.2": "127.0.0.2"}.get(address, "127.0.0.1")
    assert response_to(port_of(said), host=f"{host}:{{port}}", to=host).status == 200
    process.terminate()
    assert process.communicate(timeout=20)[1] == ""
