"""`calcinosis explore`: the what-if page, in the browser."""

from __future__ import annotations

import errno
from typing import Annotated

import typer

from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.patients import published_case, read_words
from calcinosis.interface.shell.question import Question, command
from calcinosis.interface.words.terminal import say


@command("findings", "case", "priors")
def explore(
    ask: Question,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where the page is served; 0 takes any that is free.")
    ] = 5006,
    address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Who may reach it: only this machine, unless told otherwise.")
    ] = "127.0.0.1",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Open the what-if page: every click moves the posterior at once. Nothing leaves this machine.

    Example: calcinosis explore --case jones2023
    """
    from calcinosis.interface.explorer.entered import entered
    from calcinosis.interface.explorer.link import fragment_of
    from calcinosis.interface.explorer.page import Page
    from calcinosis.interface.explorer.server import is_loopback, serve

    if not address.strip():
        raise InputError("--address is empty: leave it out to serve this machine only")
    case = ask.named.case
    published = {} if case is None else published_case(case, ask.priors, ask.model)[0]
    findings = entered(ask.model, published | read_words(ask.named.findings or []))
    try:
        server = serve(ask.model, address=address, port=port)
    except (OSError, UnicodeError) as error:
        raise InputError(_why_not(error, address, port)) from None
    fragment = fragment_of(Page(findings=findings, case=case or ""), ask.model.digest)
    host = "127.0.0.1" if address in ("0.0.0.0", "::") else f"[{address}]" if ":" in address else address
    url = f"http://{host}:{server.port}/" + (f"#{fragment}" if fragment else "")
    if not is_loopback(address):
        say(
            f"calcinosis: warning: {address} can be reached from other machines, without a password and unencrypted: "
            "anyone who can open the page can use it, and what is entered can be read in transit.",
            err=True,
        )
    ask.output.tell(
        {"url": url, "priors": ask.model.digest, "disclaimer": DISCLAIMER},
        f"The explorer is at {url} until you press Ctrl+C here.",
        DISCLAIMER,
    )
    if not no_browser:
        import webbrowser

        server.io_loop.call_later(0.1, lambda: webbrowser.open(url))
    server.start()
    server.io_loop.start()


def _why_not(error: OSError | UnicodeError, address: str, port: int) -> str:
    if not isinstance(error, OSError):
        return f"{address} is no address: leave --address out to serve this machine only"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken: name another with --port, or any that is free with --port 0"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used: name one from 1024 up with --port"
    return f"{address} is no address of this machine: leave --address out to serve this machine only"
