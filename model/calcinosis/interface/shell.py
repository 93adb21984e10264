"""The command line: `calcinosis COMMAND`. Each command is a short file of its own; this one only gathers them."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from calcinosis.interface.check import check
from calcinosis.interface.cohort_command import cohort
from calcinosis.interface.diagnose import diagnose
from calcinosis.interface.explain import explain
from calcinosis.interface.export import export
from calcinosis.interface.graph import graph
from calcinosis.interface.init import init
from calcinosis.interface.next_test import next_test
from calcinosis.interface.sensitivity import sensitivity
from calcinosis.interface.simulate import simulate
from calcinosis.interface.what_if import what_if

app = typer.Typer(
    name="calcinosis",
    help="The posterior probabilities of the five subtypes of calcinosis cutis, from findings, with every prior in an "
    "editable CSV file. For research and teaching. Not a medical device; no advice for a patient.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (diagnose, explain, what_if, next_test, sensitivity, cohort, simulate, check, init, export, graph):
    app.command()(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from calcinosis import __version__

        typer.echo(f"calcinosis {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command line; exit 0 if fine, 1 if the input is at fault, 2 if the usage is wrong."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console of another encoding shows a '?' instead of failing
    app()
