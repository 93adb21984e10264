"""The explorer as a page that this machine serves to itself: one page per visitor, and none for strangers."""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Any

from calcinosis.interface.explorer.component import component
from calcinosis.interface.explorer.rendering import HERE

if TYPE_CHECKING:
    from bokeh.document import Document
    from bokeh.server.server import Server
    from jinja2 import Template
    from tornado.httputil import HTTPServerRequest

    from calcinosis.inference.model import Model

LOOPBACK = "127.0.0.1"
"""Where the page is served unless told otherwise: to this machine only."""

TITLE = "calcinosis explorer"

LARGEST = 256 * 1024
"""How many bytes a message of the browser may have; a click has a hundred."""


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def serve(model: Model, *, address: str = LOOPBACK, port: int = 0) -> Server:
    """A server of the explorer, listening but not yet running: `server.io_loop.start()` runs it.

    `port` 0 takes any that is free; `server.port` tells which. Requests that were meant for another host, or come from
    the page of another, are refused, so that no page of the web can read a patient through the browser.

    Raises:
        OSError: if the port is taken, or the address is none of this machine.
    """
    from panel.io.server import get_server

    for name in ("bokeh", "tornado.access", "tornado.application", "panel"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they would log what a message held
    names = {address, "localhost", LOOPBACK} if is_loopback(address) else {address}
    server = get_server(
        {"/": lambda: _page(model)},
        address=address,
        port=port,
        title=TITLE,
        start=False,
        location=False,  # Panel would keep the address, and with it the patient, in step with the server
        websocket_origin=["*"],  # who may connect is decided for every request, below
        websocket_max_message_size=LARGEST,
        use_xheaders=False,
    )
    server._http.request_callback = _guard(server, names if address not in ("0.0.0.0", "::") else None)
    return server


def _page(model: Model) -> Any:
    """The page of one visitor."""
    from panel.io.state import state

    document = state.curdoc
    assert document is not None
    _dress(document)
    return component(model, embedded=False)


def _dress(document: Document) -> None:
    """The frame of the page, which lets the browser ask no other machine for anything."""
    document.template = _template()
    document.config.update(notify_connection_status=False, reconnect_session=False)


def _template() -> Template:
    from panel.io.resources import _env

    template: Template = _env.from_string((HERE / "templates" / "document.html").read_text(encoding="utf-8"))
    return template


def _guard(server: Server, names: set[str] | None) -> Any:
    """A router that passes on the requests that were meant for this server, and refuses all others.

    A page of the web can point a name of its own at this machine (DNS rebinding): then the host is foreign. Or it can
    open a socket to this machine: then the origin is. Or it can show this page within itself: then the browser says so.
    """
    from tornado.routing import Matcher, Rule, RuleRouter
    from tornado.web import Application, RequestHandler

    class Own(Matcher):
        """Whether a request names this server as host, and comes from its own page, if from any."""

        def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
            origin = request.headers.get("Origin")
            if not self.is_own(request.host) or self.is_part_of_another(request):
                return None
            return {} if origin is None or origin == f"http://{request.host}" else None

        def is_part_of_another(self, request: HTTPServerRequest) -> bool:
            """Whether a page of another site asks; it may only link to this one."""
            site, what = (request.headers.get(f"Sec-Fetch-{name}") for name in ("Site", "Dest"))
            return site == "cross-site" and what != "document"

        def is_own(self, host: str) -> bool:
            name, _, port = host.rpartition(":")
            return port == str(server.port) and (names is None or name.strip("[]") in names)

    class Refuse(RequestHandler):
        """What a foreign request gets."""

        def prepare(self) -> None:
            self.set_status(403)
            self.finish("This page is served to this machine only, by its own name.\n")

    return RuleRouter(
        [Rule(Own(), server._tornado), (r".*", Application([(r".*", Refuse)], log_function=lambda _: None))]
    )
