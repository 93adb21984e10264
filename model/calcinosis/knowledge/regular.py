"""Reading of regular files only; a pipe, a device or a socket would block forever."""

from __future__ import annotations

import errno
import os
from pathlib import Path


class NotAFileError(OSError):
    """A path that is not a file but a folder, a pipe, a device, a socket, or a broken link."""


def check_regular(path: Path) -> None:
    """Raise an error unless the path, links followed, is a regular file.

    Raises:
        NotAFileError: if it is something else.
        FileNotFoundError: if it does not exist.
        OSError: if it cannot be accessed.
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
