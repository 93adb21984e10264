"""The picture of the explorer in the README, taken anew: python notebooks/scripts/explorer_picture.py

It needs the extra `dev` and Chromium. Unlike the other pictures it depends on the fonts of the machine, so that no test
compares it; what it shows is tested in tests/browser.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent.parent / "pictures" / "explorer.png"
COMMAND = [sys.executable, "-c", "from calcinosis.interface.shell.app import main; main()"]
ROOM = {"width": 1440, "height": 1060}


def main():
    """Open the page with the article's patient, look from the nearest rival's side, and keep what is seen."""
    words = ["explore", "--no-browser", "--port", "0", "--json", "--case", "jones2023"]
    server = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, text=True)
    text = ""
    while not text.rstrip().endswith("}"):
        text += server.stdout.readline()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport=ROOM, color_scheme="light")
        page.goto(json.loads(text)["url"] + "&~against=calciphylaxis")
        page.wait_for_selector('.explorer[data-seq="1"]')
        page.screenshot(path=PICTURE)
        chromium.close()
    server.terminate()
    server.wait()


if __name__ == "__main__":
    main()
