"""The explorer as a page that this machine serves to itself: one page per visitor, and none for strangers."""

from __future__ import annotations

import ipaddress
import logging
import socket
from typing import TYPE_CHECKING, Any

from calcinosis.interface.explorer.component import component
from calcinosis.interface.explorer.guard import guard
from calcinosis.interface.explorer.later import Later
from calcinosis.interface.explorer.rendering import HERE

if TYPE_CHECKING:
    from bokeh.document import Document
    from bokeh.server.server import Server
    from jinja2 import Template

    from calcinosis.inference.model import Model

LOOPBACK = "127.0.0.1"
"""Where the page is served unless told otherwise: to this machine only."""

TITLE = "calcinosis explorer"

LARGEST = 256 * 1024
"""How many bytes a message of the browser may have; a click has a hundred."""


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address, however it is spelled.

    >>> is_loopback("127.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    return all(ipaddress.ip_address(own[4][0]).is_loopback for own in socket.getaddrinfo(address, None))


def serve(model: Model, *, address: str = LOOPBACK, port: int = 0) -> Server:
    """A server of the explorer, listening but not yet running: `server.io_loop.start()` runs it.

    `port` 0 takes any that is free; `server.port` tells which. Requests that were meant for another host, or come from
    the page of another, are refused, so that no page of the web can read a patient through the browser.

    Raises:
        OSError: if the port is taken, or the address is none of this machine.
    """
    from panel.io.server import get_server

    for name in ("bokeh", "tornado", "panel"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they would log what a message held
    later = Later()
    server = get_server(
        {"/": lambda: _page(model, later)},
        address=address,
        port=port,
        title=TITLE,
        start=False,
        location=False,  # Panel would keep the address, and with it the patient, in step with the server
        websocket_origin=["*"],  # who may connect is decided for every request, below
        websocket_max_message_size=LARGEST,
    )
    server._http.request_callback = guard(server, {address.lower(), "localhost", LOOPBACK})
    _hurry(server)
    return server


def _page(model: Model, later: Later) -> Any:
    """The page of one visitor."""
    from panel.io.state import state

    document = state.curdoc
    assert document is not None
    _dress(document)
    return component(model, later=later)


def _dress(document: Document) -> None:
    """The frame of the page, which lets the browser ask no other machine for anything."""
    document.template = _template()
    document.config.update(notify_connection_status=False, reconnect_session=False)


def _template() -> Template:
    from panel.io.resources import _env

    template: Template = _env.from_string((HERE / "templates" / "document.html").read_text(encoding="utf-8"))
    return template


def _hurry(server: Server) -> None:
    """Have every answer sent at once.

    It goes out in small pieces, of which each would else wait until the browser has confirmed the one before: 40 ms.
    """
    from bokeh.server.views.ws import WSHandler

    for rule in server._tornado.wildcard_router.rules:
        if isinstance(rule.target, type) and issubclass(rule.target, WSHandler):
            rule.target = _hurried(rule.target)


def _hurried(handler: Any) -> Any:
    """A kind of socket that does not wait to send."""

    class Hurried(handler):  # type: ignore[misc]
        """Such a socket."""

        def open(self) -> None:
            self.set_nodelay(True)
            super().open()

    return Hurried
