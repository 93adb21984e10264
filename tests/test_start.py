"""Starting costs little: the shell answers without pgmpy, matplotlib, pandas or panel, and well before pgmpy loads."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import pytest

SLOW = ("pgmpy", "matplotlib", "pandas", "panel", "scipy")
RUN = "import sys; sys.argv = ['calcinosis', *{words}]\nfrom calcinosis.interface.shell.app import app\n" + (
    "try:\n    app(standalone_mode=False)\nfinally:\n"
    "    print([name for name in {slow} if name in sys.modules], file=sys.stderr)\n"
)


@pytest.mark.parametrize("words", [["--help"], ["diagnose", "--case", "jones2023"], ["diagnose", "--help"], ["check"]])
def test_the_shell_does_not_load_slow_packages(words):
    program = RUN.format(words=words, slow=SLOW)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("[]"), done.stderr


@pytest.mark.slow
def test_a_diagnosis_from_cold_takes_at_most_two_fifths_of_importing_pgmpy(figure):
    """Processor time in the same run, the two taken in turn, so that a slow moment of the machine meets both.

    Browsers that other tests drive meanwhile make wall times of half a second worth little.

    Both have their bytecode at hand, as what pip installs has; the first run writes ours where it is not there yet.
    """
    resource = pytest.importorskip("resource", reason="this system does not tell the processor time of a process")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ours = [
        sys.executable,
        "-c",
        "from calcinosis.interface.shell.app import main; main()",
        "diagnose",
        "--case",
        "jones2023",
    ]
    theirs = [sys.executable, "-W", "ignore", "-c", "import pgmpy.models"]

    def seconds(command: list[str]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    seconds(ours)
    # other tests run meanwhile: where they disturb, it is measured again
    for _ in range(3):
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(3)]
        ratio = statistics.median(a / b for a, b in pairs)
        figure(f"diagnose from cold: {pairs[0][0]:.2f} s of the processor, {ratio:.2f} of importing pgmpy.models")
        if ratio <= 0.4:
            break
    assert ratio <= 0.4
