"""Work that can wait: done piece by piece between the clicks of all visitors, so that none of them waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh.document import Document

Work = Callable[[], None]

PAUSE = 0.004
"""For how many seconds nothing is begun, in which clicks are read and answers sent."""

_WAITING: dict[Document, Work] = {}
"""What is to be done, by the page it is for, in the order in which the pages asked for it."""


def later(document: Document, work: Work) -> None:
    """Have some work done for a page once all clicks that have come in were answered.

    Of one page only the last work is done: it makes the earlier superfluous.
    """
    if not _WAITING:
        _soon()
    _WAITING[document] = work


def _soon() -> None:
    from tornado.ioloop import IOLoop

    # not at once: so whatever has come in meanwhile is read, and what was answered is on its way
    IOLoop.current().call_later(PAUSE, _step)


def _step() -> None:
    if not _WAITING:
        return
    document = next(iter(_WAITING))
    work = _WAITING.pop(document)
    if document.session_context is not None:  # else the page was closed
        document.add_next_tick_callback(work)  # which holds the document, as whoever changes it must
    if _WAITING:
        _soon()
