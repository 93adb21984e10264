"""Who may use the page: requests that were meant for it, and come from itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from bokeh.server.server import Server
    from tornado.httputil import HTTPServerRequest


def guard(server: Server, names: Collection[str] | None) -> Any:
    """A router that passes on the requests that were meant for the server by one of its names, and refuses all others;
    any name will do, if none are given.

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
            try:
                asked = urlsplit(f"//{host}")
                return (asked.port or 80) == server.port and (names is None or asked.hostname in names)
            except ValueError:  # it is no host at all
                return False

    class Refuse(RequestHandler):
        """What a foreign request gets."""

        def prepare(self) -> None:
            self.set_status(403)
            self.finish("This page is served to this machine only, by its own name.\n")

    return RuleRouter(
        [Rule(Own(), server._tornado), (r".*", Application([(r".*", Refuse)], log_function=lambda _: None))]
    )
