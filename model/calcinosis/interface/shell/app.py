"""The command line: `calcinosis COMMAND`, from its first moment to its last.

Nothing is imported at the head that takes its time, so that Ctrl+C is caught from the start.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
"""As in typing, whose import takes its time."""

if TYPE_CHECKING:
    from typing import TextIO


def __getattr__(name: str) -> object:
    if name == "app":
        from calcinosis.interface.shell.commands import app_of

        return app_of()
    raise AttributeError(name)


def main() -> None:
    """Run the command line; exit 0 if fine, 1 if the input is at fault or the answer cannot be written, 2 if the usage
    is wrong, 130 on Ctrl+C."""
    try:
        import signal

        from calcinosis.interface.shell.commands import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done but the end of the interpreter
        for stream in (sys.stdout, sys.stderr):
            _give_up_unwritten(stream)


def _give_up_unwritten(stream: TextIO | None) -> None:
    """Let the interpreter not try again, at its end, to write what cannot be written."""
    if stream is None or stream.closed:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
