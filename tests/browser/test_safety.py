"""What comes from a priors folder is shown as text, strangers are refused, and nothing of a patient leaves the page."""

from __future__ import annotations

import csv
import http.client
import json
import shutil
import socket
from urllib.parse import urlsplit

import pytest

from calcinosis.interface.explorer.page import TABS
from calcinosis.knowledge.folder import shipped_folder

pytestmark = pytest.mark.browser

PAYLOAD = """<img src=x onerror="window.__hacked=1"><script>window.__hacked=1</script> '">&lt;"""

TEXTS = {
    "variables.csv": ("label", "description"),
    "states.csv": ("label", "description"),
    "sources.csv": ("citation", "note"),
    "corrections.csv": ("note",),
    "units.csv": ("note",),
    "tests.csv": ("label", "note"),
    "cases/published_cases.csv": ("source_title",),
    "tables/*.csv": ("note",),
}
"""The columns of a priors folder that hold free text."""

FOREIGN_HOSTS = ("evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "")
FOREIGN_ORIGINS = ("http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://127.0.0.1", "null")
OWN = ("127.0.0.1:{port}", "localhost:{port}")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A priors folder in which every text is hostile."""
    folder = tmp_path_factory.mktemp("hostile") / "priors"
    shutil.copytree(shipped_folder(), folder)
    for pattern, columns in TEXTS.items():
        for path in folder.glob(pattern):
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            for row in rows:
                row.update({name: f"{row[name]} {PAYLOAD}" for name in columns})
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def hostile_server(serve, hostile):
    """The explorer on the hostile folder; it writes nothing on stderr."""
    running = serve("--case", "jones2023", priors=hostile)
    yield running
    assert running.stop() == ""


def test_hostile_texts_of_a_priors_folder_are_shown_as_texts(page, hostile_server):
    page.open(hostile_server.url)
    assert PAYLOAD in page.window.locator("#f-pain-name").text_content()
    page.window.locator("#f-livedo").get_by_role("radio").nth(3).hover()
    page.window.locator("#preview table").wait_for()
    page.window.locator("#f-pain-what").click()
    page.window.locator("#published summary").click()
    for name in TABS:
        with page.answered():
            page.window.locator(f"#tab-{name}").click()
        unfold(page)
        assert page.window.evaluate("window.__hacked") is None, name
        assert page.window.locator(".explorer img, .explorer > div script").count() == 0, name


def unfold(page):
    """Unfold everything in the view that can be unfolded."""
    for details in page.window.locator("#panel details").all():
        details.evaluate("own => { own.open = true; }")
    for button in page.window.locator('#panel [data-do="open"][aria-expanded="false"]').all()[:3]:
        with page.answered():
            button.click()


def test_the_report_of_hostile_texts_is_harmless(page, hostile_server, tmp_path):
    page.open(hostile_server.url)
    page.window.get_by_text("Copy, print, save").click()
    with page.window.expect_download() as download:
        page.window.get_by_role("button", name="Report to print").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    page.window.goto("about:blank")
    page.window.set_content(report.read_text(encoding="utf-8"))
    assert page.window.evaluate("window.__hacked") is None
    assert page.window.locator("img, script").count() == 0


def answer_of(server, path="/", host=None, origin=None, upgrade=False, headers=()):
    """The status and the text that a request gets; of a websocket only the status."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("GET", path, skip_host=True)
    if host is not None:
        connection.putheader("Host", host.format(port=server.port))
    if origin is not None:
        connection.putheader("Origin", origin.format(port=server.port))
    for name, value in [*headers, *(UPGRADE.items() if upgrade else ())]:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = "" if upgrade and answer.status == 101 else answer.read().decode()
    connection.close()
    return answer.status, text


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "bokeh, token",
}


@pytest.mark.parametrize("upgrade", [False, True], ids=["page", "websocket"])
def test_a_foreign_host_or_origin_is_refused(server, upgrade):
    path = "/ws" if upgrade else "/"
    for host in FOREIGN_HOSTS:
        status, text = answer_of(server, path, host, upgrade=upgrade)
        assert status in (400, 403), host
        assert "calcinosis" not in text
    for origin in FOREIGN_ORIGINS:
        status, text = answer_of(server, path, OWN[0], origin, upgrade)
        assert status == 403, origin
        assert "calcinosis" not in text
    assert answer_of(server, path, OWN[0], f"http://{OWN[1]}", upgrade)[0] == 403


def test_its_own_names_are_answered(server):
    for host in OWN:
        status, text = answer_of(server, host=host)
        assert status == 200
        assert "calcinosis" in text
        assert answer_of(server, host=host, origin=f"http://{host}")[0] == 200
        assert answer_of(server, "/ws", host, f"http://{host}", upgrade=True)[0] == 101


def test_another_site_may_link_to_the_page_but_not_show_it_within_its_own(server):
    for what, allowed in (("document", True), ("iframe", False), ("script", False), ("image", False)):
        headers = (("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", what))
        assert answer_of(server, host=OWN[0], headers=headers)[0] == (200 if allowed else 403), what


def test_only_this_machine_can_connect(server):
    addresses = {own[4][0] for own in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, server.port), timeout=5)


def test_nothing_of_the_patient_is_in_an_address_or_in_what_the_program_writes(page, serve):
    server = serve()
    for name in ("127.0.0.1", "localhost"):
        page.open(f"http://{name}:{server.port}/#pain=severe&serum_calcium=9.1%20mg/dL")
        page.choose("Livedo", "yes").press("What if", "tab")
        page.reload()
        page.type_number("Serum phosphate", "7777777")  # refused, with what was typed
        with page.answered():
            page.window.evaluate("location.hash = 'cirrhosis=maybe'")
        assert "maybe" in page.notice
    page.window.goto("about:blank")
    for url in page.requests:
        parts = urlsplit(url)
        for word in ("pain", "severe", "livedo", "calcium", "9.1", "7777777", "cirrhosis", "maybe"):
            assert word not in parts.netloc + parts.path + parts.query, url
    assert server.stop() == ""
    assert set(json.loads(server.printed)) == {"url", "priors", "disclaimer"}


def test_the_fragment_never_reaches_the_server(page):
    """A server that only listens sees what the browser asks for: the address without what is behind the '#'."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        page.window.goto("about:blank")
        page.window.evaluate(f"void window.open('http://127.0.0.1:{listener.getsockname()[1]}/#pain=severe')")
        with listener.accept()[0] as connection:
            connection.settimeout(30)
            asked = connection.recv(65536)
    assert asked.startswith(b"GET / HTTP/1.1")
    assert b"severe" not in asked


def test_the_page_may_ask_no_other_machine_for_anything(page, server):
    page.open(server.url)
    page.expected = ("Content Security Policy", "Refused to", "violates the following")
    for url in ("http://192.0.2.1/", f"http://127.0.0.1:{server.port + 1}/", "https://example.org/a"):
        for way in WAYS:
            assert page.window.evaluate(way, url) == "refused", (way, url)


def refused(attempt):
    """JavaScript that tells whether the policy of the page refuses an attempt to ask for an address."""
    return f"""url => new Promise(done => {{
        document.addEventListener("securitypolicyviolation", () => done("refused"), {{ once: true }});
        try {{ {attempt} }} catch (error) {{ done("refused"); }}
        setTimeout(() => done("not refused"), 3000);
    }})"""


WAYS = (
    refused("fetch(url).catch(() => null);"),
    refused("new Image().src = url;"),
    refused("new WebSocket(url.replace('http', 'ws'));"),
    refused("navigator.sendBeacon(url, 'x');"),
    refused("const own = document.createElement('script'); own.src = url; document.head.append(own);"),
    refused("const own = document.createElement('iframe'); own.src = url; document.body.append(own);"),
    refused("const own = document.createElement('form'); own.action = url; document.body.append(own); own.submit();"),
)
