"""What the tests in the browser share: Debian's Chromium, the explorer as its command starts it, and a user's page.

Every page asserts at its end that all its requests went to this machine, and that nothing went wrong in it unseen.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

import calcinosis as cc
from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer.link import fragment_of
from calcinosis.interface.explorer.page import Page
from calcinosis.knowledge.folder import shipped_folder
from calcinosis.knowledge.frozen import FrozenMap

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
PATIENCE = 30_000
"""Milliseconds that are waited for anything: many, as the other tests keep the machine busy."""

COMMAND = "from calcinosis.interface.shell.app import main; main()"


class Server:
    """The explorer as `calcinosis explore` starts it, in its own process; `before` is Python that it runs first."""

    def __init__(self, *words, priors=None, port=0, before=""):
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when it stops
        environment = {name: own for name, own in os.environ.items() if name != "CALCINOSIS_PRIORS"}
        words = [*words, *(["--priors", str(priors)] if priors else [])]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"{before}\n{COMMAND}",
                "explore",
                *words,
                "--no-browser",
                "--json",
                "--port",
                str(port),
            ],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
        )
        self.pid = self._process.pid
        self.printed = ""
        while not self.printed.endswith("}\n"):
            line = self._process.stdout.readline()
            assert line, f"the explorer did not start: {self.printed}{self.stop()}"
            self.printed += line
        self.url = json.loads(self.printed)["url"]
        self.port = urlsplit(self.url).port

    def stop(self):
        """What it wrote on stderr, having been stopped as Ctrl+C does; all of stdout is in `printed` then."""
        if self._process.stdout.closed:
            return self.errors
        with self._process.stdout as output, self._errors as errors:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            finally:
                self._process.kill()
            self.printed += output.read()
            errors.seek(0)
            self.errors = errors.read()
        return self.errors

    def written(self):
        """What it has written on stderr so far."""
        return os.pread(self._errors.fileno(), 1_000_000, 0).decode()

    def die(self):
        """End it at once, as if it had crashed."""
        self._process.kill()
        self._process.wait()
        self.stop()


class Bar(NamedTuple):
    """A bar as it is drawn: the texts, and the widths in pixels."""

    state: str
    label: str
    percent: str
    fill: float
    track: float


class OpenPage:
    """An open page, with the hands and the eyes of a user, who goes by words; `window` is Playwright's page."""

    def __init__(self, window):
        self.window = window
        self.requests, self.refused, self.problems = [], [], []
        self.expected = ()
        window.set_default_timeout(PATIENCE)
        window.on("request", lambda request: self.requests.append(request.url))
        window.on("requestfailed", lambda own: self.refused.append(own.url) if own.failure == "csp" else None)
        window.on("websocket", lambda socket: self.requests.append(socket.url))
        window.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        window.on("console", lambda own: self.problems.append(f"console: {own.text}") if own.type == "error" else None)

    # --- opening

    def open(self, url):
        """Open an address anew, and wait for the page to have its first answer."""
        self.window.goto("about:blank")
        self.window.goto(url)
        return self.ready()

    def reload(self):
        """Reload the page."""
        self.window.reload()
        return self.ready()

    def ready(self):
        """Wait until the page has an answer."""
        self.window.wait_for_selector(".explorer[data-seq]")
        return self

    @property
    def fragment(self):
        """The part of the address behind the '#'."""
        return urlsplit(self.window.url).fragment

    # --- doing

    @contextmanager
    def answered(self, times=1):
        """Wait until what is done inside has been answered: it sends so many messages."""
        root = self.window.locator(".explorer")
        before = int(root.get_attribute("data-seq"))
        yield
        self.window.wait_for_selector(f'.explorer[data-seq="{before + times}"]:not(.updating)')

    def finding(self, label):
        """The part of the page where a finding is entered, by its words."""
        return self.window.get_by_role("group", name=label, exact=True)

    def radio(self, label, state):
        """The radio button of a state of a finding."""
        return self.finding(label).get_by_role("radio", name=state, exact=True)

    def button(self, label, result):
        """The button that adds a result to a finding that may be repeated."""
        return self.finding(label).get_by_role("button", name=result, exact=True)

    def choose(self, label, *states):
        """Click one state of a finding after the other."""
        for state in states:
            with self.answered():
                self.radio(label, state).check()
        return self

    def add(self, label, result):
        """Add a result of a finding that may be repeated."""
        with self.answered():
            self.button(label, result).click()
        return self

    def type_number(self, label, number, unit=None):
        """Type a number and press Enter; then choose its unit, if there is one to be chosen."""
        field = self.window.get_by_label(f"{label} as a number", exact=True)
        with self.answered():
            field.fill(number)
            field.press("Enter")
        if unit is not None:
            self.choose_unit(label, unit)
        return self

    def choose_unit(self, label, unit):
        """Choose the unit of a number."""
        with self.answered():
            self.window.get_by_label(f"Unit of {label}", exact=True).select_option(unit)
        return self

    def press(self, name, role="button"):
        """Press a button, or choose a tab, by its name."""
        with self.answered():
            self.window.get_by_role(role, name=name, exact=True).click()
        return self

    def new_patient(self):
        """Clear the page for a new patient."""
        return self.press("New patient")

    def search(self, words):
        """Type into the search field."""
        self.window.get_by_label("Find a finding").fill(words)
        return self

    # --- seeing

    def bars(self):
        """The bars, from top to bottom."""
        return [Bar(*bar) for bar in self.window.locator(".bars").evaluate(_BARS)]

    def words(self, region):
        """The text of a region of the page, as it is seen."""
        return self.window.locator(f'[data-region="{region}"]').inner_text()

    @property
    def headline(self):
        """The verdict in words."""
        return self.window.locator(".verdict strong").inner_text()

    @property
    def notice(self):
        """The notice above the answer, without its button; empty if there is none."""
        return self.words("notice").removesuffix("×").strip()

    def echo(self, label):
        """What a number was understood as; empty if it was not."""
        return "".join(self.finding(label).locator(".echo").all_inner_texts())

    def fault(self, label):
        """What is wrong with a number; empty if nothing is."""
        return "".join(self.finding(label).locator(".fault").all_inner_texts())

    def chosen(self):
        """What is chosen and typed in the entry, by the id of the element or the name of the radio buttons."""
        return self.window.locator(".entry").evaluate(_CHOSEN)

    def look(self):
        """All of the page that is about the patient: the texts as they are shown, and what is chosen and typed."""
        names = ("notice", "answer", "about", "patient", "tabs", "panel", "foot")
        texts = {name: self.words(name) for name in names}
        return texts | {"entry": self.window.locator(".entry").inner_text(), "chosen": self.chosen()}

    def text(self):
        """Everything that stands in the page, shown or not."""
        return self.window.locator(".explorer > div").text_content()

    def shows(self, posterior):
        """Assert that the bars are a posterior: to the digit in words, to one pixel in width, on one scale."""
        bars = self.bars()
        assert [bar.state for bar in bars] == list(posterior)
        assert [bar.label for bar in bars] == [posterior.labels[state] for state in posterior]
        assert [bar.percent for bar in bars] == [percent(posterior[state]) for state in posterior]
        assert len({bar.track for bar in bars}) == 1
        for bar in bars:
            assert abs(bar.fill - posterior[bar.state] * bar.track) <= 1, bar

    # --- the end

    def check(self):
        """Assert that every request went to this machine, and that no error happened but those `expected`."""
        for url in set(self.requests) - set(self.refused):  # what the page's own policy refuses is not sent
            parts = urlsplit(url)
            assert parts.scheme in ("blob", "data") or parts.hostname in ("127.0.0.1", "localhost"), url
        unseen = [own for own in self.problems if not any(words in own for words in self.expected)]
        assert not unseen


_BARS = """bars => [...bars.querySelectorAll(".bar")].map(bar => [
    bar.dataset.state,
    bar.querySelector(".label").firstChild.textContent,
    bar.querySelector(".percent").textContent,
    bar.querySelector(".fill").getBoundingClientRect().width,
    bar.querySelector(".track").getBoundingClientRect().width])"""

_CHOSEN = """entry => Object.fromEntries([...entry.querySelectorAll("input, select")]
    .filter(own => own.type !== "radio" || own.checked)
    .map(own => [own.id || own.name + "=" + own.value, own.type === "checkbox" ? own.checked : own.value]))"""


@pytest.fixture(scope="session")
def browser_program():
    """The path of Chromium on this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium here to show the page in; on Debian: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def chromium(browser_program):
    """Chromium, running. Per module: while Playwright runs, no other test of this process could run an event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server():
    """The explorer on the shipped priors; it writes nothing on stderr."""
    running = Server()
    yield running
    assert running.stop() == ""


@pytest.fixture(scope="module")
def serve():
    """A function that starts another explorer, stopped at the end of the module."""
    running = []

    def start(*words, **named):
        running.append(Server(*words, **named))
        return running[-1]

    yield start
    for own in running:
        own.stop()


@pytest.fixture
def window_of(chromium):
    """A function that opens a window of its own; at the end each is checked."""
    opened = []

    def open_window(width=1280, height=900, **named):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, permissions=["clipboard-read", "clipboard-write"], **named
        )
        opened.append(OpenPage(context.new_page()))
        return opened[-1]

    yield open_window
    for page in opened:
        page.window.context.close()
        page.check()


@pytest.fixture
def page(window_of):
    """A window of its own, 1280 by 900."""
    return window_of()


@pytest.fixture(scope="session")
def model():
    """The model that the page is asked of."""
    return cc.load(shipped_folder())


@pytest.fixture
def link_of(server, model):
    """A function that makes the address of the page with some findings."""
    return lambda **findings: f"{server.url}#{fragment_of(Page(FrozenMap(findings)), model.digest)}"


@pytest.fixture(scope="session")
def with_a_zero(tmp_path_factory):
    """A priors folder like the shipped one, in which there is no severe pain without an ulcer."""
    folder = tmp_path_factory.mktemp("zero") / "priors"
    shutil.copytree(shipped_folder(), folder)
    table = folder / "tables" / "pain.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        subtype, ulceration, none, _, _, weight, source, note = next(csv.reader([line]))
        if ulceration == "no":
            lines[place] = f'{subtype},no,{none},{1 - float(none)},0,{weight},{source};definition,"{note}"'
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
