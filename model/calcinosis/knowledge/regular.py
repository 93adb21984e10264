"""Reading regular files only: a pipe, a device or a socket of that name would block for ever."""

from __future__ import annotations

import errno
import os
from pathlib import Path


class NotAFileError(OSError):
    """A path with something else than a file: a folder, a pipe, a device, a socket, or a link to nothing."""


def check_regular(path: Path) -> None:
    """Refuse a path that has no regular file, links followed.

    Raises:
        NotAFileError: if something else is there.
        FileNotFoundError: if nothing is there.
        OSError: if the path cannot be looked up.
    """
    if not path.is_file():
        if os.path.lexists(path):
            raise NotAFileError(errno.EINVAL, "not a file", str(path))
        path.stat()  # the system's own reason


def read_regular(path: Path) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: as `check_regular`, or if it cannot be read.
    """
    check_regular(path)
    return path.read_bytes()
