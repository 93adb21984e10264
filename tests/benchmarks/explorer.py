"""How fast the explorer is in a real browser: from click to redrawn bars, alone and with twenty pages open at once.

    python tests/benchmarks/explorer.py            # a minute of twenty pages; exits with 1 if a limit is broken
    python tests/benchmarks/explorer.py --minutes 5 --write

Everything is measured in the page itself: of one page from the click until the frame in which the bars are drawn anew;
of twenty pages until the bars are laid out anew, as no user has twenty windows drawn by one processor. The server runs
as a user starts it, in a process of its own. Memory is that of the server process.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import machine
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

RESULT = Path(__file__).parent / "results" / "explorer.md"
COMMAND = [sys.executable, "-c", "from calcinosis.interface.shell.app import main; main()"]
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PAGES = 20

MINUTES = (0.5, 1.0, 2.0, 5.0)
"""When the memory of the server is read."""

READY = "from the command to the first page, s"
BARS, REST = "click to bars", "click to all else"

LIMITS = {
    READY: 3.0,
    f"{BARS}, median, ms": 100.0,
    f"{BARS}, 95th percentile, ms": 200.0,
    f"{PAGES} pages: {BARS}, 95th percentile, ms": 500.0,
}
"""What must hold, by the name of the figure."""

CLICKS = """
async ([count, period, seed]) => {
  const every = (node, found = []) => {
    for (const child of node.querySelectorAll("*")) {
      if (child.matches(".explorer")) found.push(child);
      if (child.shadowRoot) every(child.shadowRoot, found);
    }
    return found;
  };
  const root = every(document)[0];
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const pick = (list) => list[Math.floor(random() * list.length)];
  const drawn = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(null);
  }));
  const laidOut = () => root.querySelector(".bars")?.getBoundingClientRect();
  const painted = period ? laidOut : drawn;
  const changed = (root, name) => new Promise((done, failed) => {
    const before = root.getAttribute(name);
    const timer = setTimeout(() => failed(new Error("no answer in 20 s")), 20000);
    new MutationObserver((_, observer) => {
      if (root.getAttribute(name) === before) return;
      observer.disconnect();
      clearTimeout(timer);
      done();
    }).observe(root, { attributes: true, attributeFilter: [name] });
  });
  const CHOICES = "input[type=radio]:not(:checked), .adding button, .result button";
  await new Promise((done) => setTimeout(done, period * random())); // people do not click all at once
  const found = [];
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    const findings = [...root.querySelectorAll("[data-finding]")];
    const choices = [...pick(findings).querySelectorAll(CHOICES)];
    if (choices.length) {
      const bars = changed(root, "data-bars");
      const all = changed(root, "data-seq");
      const start = performance.now();
      pick(choices).click();
      await bars;
      await painted();
      const first = performance.now() - start;
      await all;
      await painted();
      found.push([first, performance.now() - start]);
      if (root.querySelector(".notice.fault")) throw new Error(root.querySelector(".notice.fault").textContent);
    }
    if (period) await new Promise((done) => setTimeout(done, Math.max(0, period - (performance.now() - begin))));
  }
  return found;
}
"""
"""Click at random on findings, and tell after how many milliseconds each time the bars stood there anew, and after how
many all else: intervals, verdict, the view below."""


def chromium() -> str:
    """The browser to measure in."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("there is no Chromium on this machine: apt-get install chromium")
    return found


def memory(process: subprocess.Popen[str]) -> float:
    """How many MiB the process holds."""
    for line in Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def start() -> tuple[subprocess.Popen[str], str]:
    """The server and the address of its page."""
    process = subprocess.Popen(
        [*COMMAND, "explore", "--no-browser", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    text = ""
    while not text.rstrip().endswith("}"):
        text += process.stdout.readline()
    return process, json.loads(text)["url"]


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share of the values stays below."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def opened(page: Page, url: str) -> Page:
    """The page, once its bars are drawn."""
    page.goto(url)
    page.wait_for_selector(".explorer[data-seq] .bar")
    return page


def measured(minutes: float) -> tuple[dict[str, float], list[str]]:
    """The figures by name, and what went wrong."""
    found: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        found[READY] = statistics.median(first_page(browser) for _ in range(3))
        server, url = start()
        try:
            page = opened(browser.new_page(), url)
            page.evaluate(CLICKS, [20, 0, 11])
            found |= figures("", page.evaluate(CLICKS, [200, 0, 7]))
            page.close()
            found |= together(browser.new_context(), url, server, minutes)
        finally:
            server.terminate()
            server.wait()
        browser.close()
    broken = [f"{name}: {found[name]:.1f}, at most {limit:g}" for name, limit in LIMITS.items() if found[name] > limit]
    return found, broken


def first_page(browser: Browser) -> float:
    """How many seconds it takes from the command until the first page shows its bars."""
    begin = time.perf_counter()
    server, url = start()
    page = opened(browser.new_page(), url)
    seconds = time.perf_counter() - begin
    page.close()
    server.terminate()
    server.wait()
    return seconds


def together(context: BrowserContext, url: str, server: subprocess.Popen[str], minutes: float) -> dict[str, float]:
    """Twenty pages that each click once a second, and the memory of the server on the way."""
    pages = [opened(context.new_page(), url) for _ in range(PAGES)]
    begin = time.perf_counter()
    for number, page in enumerate(pages):
        script = f"(given) => {{ window.done = ({CLICKS})(given); }}"
        page.evaluate(script, [round(60 * minutes), 1000, 101 + number])
    found: dict[str, float] = {}
    for minute in MINUTES:
        if minute <= minutes:
            pages[0].wait_for_timeout(max(0.0, 1000 * (60 * minute - (time.perf_counter() - begin))))
            found[f"{PAGES} pages: memory of the server after {minute:g} min, MiB"] = memory(server)
    times = [value for page in pages for value in page.evaluate("window.done")]
    found[f"{PAGES} pages: clicks, all answered"] = len(times)
    return found | figures(f"{PAGES} pages: ", times)


def figures(who: str, times: list[tuple[float, float]]) -> dict[str, float]:
    """How long the bars, and all else, took: median and 95th percentile."""
    found = {}
    for what, values in zip((BARS, REST), zip(*times, strict=True), strict=True):
        found[f"{who}{what}, median, ms"] = statistics.median(values)
        found[f"{who}{what}, 95th percentile, ms"] = percentile(list(values), 0.95)
    return found


def markdown(found: dict[str, float]) -> str:
    """The figures as a table in Markdown, with the machine and the day."""
    lines = ["| | measured | at most |", "| --- | ---: | ---: |"]
    for name, value in found.items():
        limit = f"{LIMITS[name]:g}" if name in LIMITS else ""
        lines.append(f"| {name} | {f'{value:.1f}' if name == READY else f'{value:,.0f}'} | {limit} |")
    own = machine.describe()
    day = datetime.now(UTC).date()
    return "\n".join([*lines, "", f"Measured on {day} on {own['processor']} with {own['cores']} cores.", ""])


def main() -> None:
    """Measure, print, and say what is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long twenty pages click")
    parser.add_argument("--write", action="store_true", help="write results/explorer.md")
    given = parser.parse_args()
    found, broken = measured(given.minutes)
    if broken:  # something else may have kept the machine busy
        print("measured again, as", "; ".join(broken), flush=True)
        found, broken = measured(given.minutes)
    text = markdown(found)
    print(text)
    if given.write:
        RESULT.write_text(text, encoding="utf-8")
    if broken:
        raise SystemExit("\n".join(broken))


if __name__ == "__main__":
    main()
