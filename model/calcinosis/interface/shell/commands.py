"""The commands of the command line, gathered from the modules of this folder.

Only the module of the command that is called is loaded, so that none has to wait for what another needs.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from calcinosis.interface.shell.output import error_in_words
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.problem import visible

COMMANDS = {
    "diagnose": "answers",
    "explain": "answers",
    "what-if": "answers",
    "next-test": "answers",
    "decide": "decide",
    "sensitivity": "sensitivity",
    "cohort": "cohort",
    "validate": "validate",
    "update": "update",
    "simulate": "simulate",
    "check": "check",
    "diff": "folders",
    "weigh": "folders",
    "init": "folders",
    "export": "folders",
    "graph": "folders",
    "explore": "explore",
}
"""The module of each command in this folder, in the order of the help."""


@contextmanager
def _harmless_usage_errors() -> Iterator[None]:
    """Show what would steer the terminal in the words that a usage error repeats."""
    try:
        yield
    except Exception as error:
        if isinstance(words := getattr(error, "message", None), str):
            error.message = visible(words)  # type: ignore[attr-defined]
        raise


class Commands(TyperGroup):
    """The commands, whose usage errors steer no terminal."""

    def make_context(self, *words: Any, **options: Any) -> Any:
        with _harmless_usage_errors():
            return super().make_context(*words, **options)

    def invoke(self, ctx: Any) -> Any:
        with _harmless_usage_errors():
            return super().invoke(ctx)


def app_of(names: Collection[str] = COMMANDS) -> typer.Typer:
    """The command line with some of its commands."""
    app = typer.Typer(
        name="calcinosis",
        cls=Commands,
        help="The posterior probabilities of the five subtypes of calcinosis cutis, from findings, with every prior in "
        "an editable CSV file. For research and teaching. Not a medical device; not medical advice.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in names:
        module = import_module(f"calcinosis.interface.shell.{COMMANDS[name]}")
        app.command(name)(getattr(module, name.replace("-", "_")))
    app.callback()(_root)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from calcinosis import __version__

        say(f"calcinosis {__version__}")
        raise typer.Exit()


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
) -> None: ...


def run() -> None:
    """Run the command that the words of the shell call."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console of another encoding shows a '?' instead of failing
    called = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    try:
        app_of([called] if called in COMMANDS else COMMANDS)()
    except OSError as error:  # what was printed cannot be written
        with suppress(OSError):
            say(f"calcinosis: {error_in_words(error)}", err=True)
        sys.exit(1)
