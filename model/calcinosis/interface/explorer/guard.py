"""Who may use the page: requests that were meant for it, and come from itself."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from bokeh.server.server import Server
    from tornado.httputil import HTTPServerRequest


ROUTES = r"/(?:ws|static/(?!.*%00).*)?"
"""What is served: the page, its socket and its files, which have no null byte in their names, and no more."""

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every response: the page is never shown in a frame, and the type of a file is never guessed."""


def guard(server: Server, names: Collection[str]) -> Any:
    """A router that passes on the requests that were meant for the server, by the address at which they arrived or by
    one of its names, and refuses all others.

    A page of the web can point a name of its own at this machine (DNS rebinding): then the host is foreign. Or it can
    open a socket to this machine: then the origin is. Or it can show this page within itself: then the browser says so.
    """
    from tornado.routing import Matcher, Rule, RuleRouter
    from tornado.web import Application, RequestHandler

    class Own(Matcher):
        """Whether a request names this server as host, comes from its own page, if from any, and brings no name for its
        session, which only the server gives."""

        def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
            origin = request.headers.get("Origin")
            named = "bokeh-session-id" in request.query_arguments or "Bokeh-Session-Id" in request.headers
            if named or not self.is_own(request) or self.is_part_of_another(request):
                return None
            return {} if origin is None or origin == f"http://{request.host}" else None

        def is_part_of_another(self, request: HTTPServerRequest) -> bool:
            """Whether a page of another site, or of another port, asks; it may only link to this one."""
            site, what = (request.headers.get(f"Sec-Fetch-{name}") for name in ("Site", "Dest"))
            return site in ("cross-site", "same-site") and what != "document"

        def is_own(self, request: HTTPServerRequest) -> bool:
            arrived: Any = request.connection
            try:
                asked = urlsplit(f"//{request.host}")
                own = {*names, arrived.stream.socket.getsockname()[0]}
                return (asked.port or 80) == server.port and asked.hostname in own
            except (ValueError, AttributeError):  # it is no host at all, or has gone
                return False

    class Refuse(RequestHandler):
        """What any other request gets."""

        def initialize(self, status: int, words: str) -> None:
            self.status, self.words = status, words

        def prepare(self) -> None:
            self.set_status(self.status)
            self.finish(self.words)

    class Guard(RuleRouter):
        """The router, which adds the headers to every response."""

        def find_handler(self, request: HTTPServerRequest, **named: Any) -> Any:
            connection: Any = request.connection
            write: Callable[..., Any] = connection.write_headers

            def write_headers(line: Any, headers: Any, *rest: Any) -> Any:
                headers.update(HEADERS)
                return write(line, headers, *rest)

            connection.write_headers = write_headers
            return super().find_handler(request, **named)

    def refusal(status: int, words: str) -> Any:
        return r".*", Application([(r".*", Refuse, {"status": status, "words": words})], log_function=lambda _: None)

    routes = RuleRouter([(ROUTES, server._tornado), refusal(404, "There is no such page.\n")])
    return Guard([Rule(Own(), routes), refusal(403, "This page is served under the address of its machine only.\n")])
