"""Work that can wait: done piece by piece between the clicks of all visitors, so that none of them waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bokeh.document import Document

Work = Callable[[], None]

PAUSE = 0.004
"""For how many seconds nothing is begun after a piece of work: clicks are read then, and answers sent."""

PATIENCE = 1.0
"""After how many seconds a piece of work is given up that was never begun, as its page was closed."""


class Later:
    """What is to be done for the pages of a server, in the order in which they asked for it.

    Of one page only the last work is done: it makes the earlier superfluous.
    """

    def __init__(self) -> None:
        self._waiting: dict[Document, Work] = {}
        self._next: Any = None

    def do(self, document: Document, work: Work) -> None:
        """Have some work done for a page, once all clicks that have come in were answered."""
        self._waiting[document] = work
        if self._next is None:
            self._go_on(PAUSE)

    def _go_on(self, seconds: float) -> None:
        from tornado.ioloop import IOLoop

        loop = IOLoop.current()
        if self._next is not None:
            loop.remove_timeout(self._next)
        self._next = loop.call_later(seconds, self._step)

    def _step(self) -> None:
        self._next = None
        if not self._waiting:
            return
        document = next(iter(self._waiting))
        work = self._waiting.pop(document)
        if document.session_context is None:  # the page was closed
            self._go_on(0)
            return
        self._go_on(PATIENCE)
        # a piece of work holds its page, as whoever changes it must
        document.add_next_tick_callback(lambda: self._done(work))

    def _done(self, work: Work) -> None:
        try:
            work()
        finally:
            self._go_on(PAUSE)
