"""`calcinosis init`, `diff`, `weigh`, `export` and `graph`: the priors copied, compared, and written for others."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from calcinosis.inference.model import load
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.paths import InputError, check_out_file
from calcinosis.interface.shell.options import FindingsArgument, RecordOption, given_path
from calcinosis.interface.shell.patients import read_words
from calcinosis.interface.shell.question import Question, command
from calcinosis.interface.words.terminal import show
from calcinosis.knowledge.folder import chosen_folder, copy_folder, write_whole
from calcinosis.knowledge.reader import read_priors

PICTURES = (".svg", ".png", ".pdf")
"""The endings of a picture of the network."""


@command("force", "priors")
def init(
    ask: Question,
    folder: Annotated[Path, typer.Argument(metavar="DIR", parser=given_path, help="The folder to make.")],
) -> None:
    """Copy the priors into a folder of your own, to edit and to use with --priors.

    Example: calcinosis init my-priors
    """
    source = chosen_folder(ask.priors)
    digest = read_priors(source).digest  # a faulty folder is not worth copying
    copy_folder(source, folder, force=ask.output.force)
    ask.output.tell(
        {"folder": str(folder), "digest": digest},
        f"{folder}: the priors {digest[:12]}, ready to edit (its README.md says how).",
        f"Check them with: calcinosis check {folder}",
        f"Use them with:   calcinosis diagnose --priors {folder} ...",
    )


@command(most=20)
def diff(
    ask: Question,
    first: Annotated[Path, typer.Argument(metavar="A", help="A priors folder.", parser=given_path)],
    second: Annotated[Path, typer.Argument(metavar="B", help="The priors folder to compare.", parser=given_path)],
    findings: FindingsArgument = None,
    record: RecordOption = None,
) -> None:
    """Compare two priors folders: the rows that differ, and what that does to the answers.

    Without findings the published cases of A are compared. Example: calcinosis diff priors my-priors pain=severe
    """
    from calcinosis.analysis.whatif.models import compare
    from calcinosis.inference.cases import cases
    from calcinosis.interface.words.whatif import comparison

    one, other = load(first), load(second)
    patients = read_words(findings) if findings else cases(first)
    result = compare(one, other, patients, record=record)
    ask.output.show(result.to_dict, lambda: show(comparison(result, most=ask.most)), dict)


@command()
def weigh(
    ask: Question,
    probability: Annotated[float, typer.Argument(help="The probability in the row, between 0 and 1.")],
    limits: Annotated[
        tuple[float, float],
        typer.Option(
            "--range", metavar="LOW HIGH", help="Its 95% range: it holds the true value with odds of 19 to 1."
        ),
    ],
) -> None:
    """Find the weight of a row from the 95% range of an expert.

    Example: calcinosis weigh 0.02 --range 0.003 0.05
    """
    from calcinosis.inference.intervals.weighing import weight_for

    result = weight_for(probability, low=limits[0], high=limits[1])
    ask.output.tell(asdict(result), result.summary, DISCLAIMER)


@command("force", "priors")
def export(
    ask: Question,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", parser=given_path, help="The file to write: .bif, .xmlbif, .xdsl or .net."),
    ],
) -> None:
    """Write the network for another program, then read it back and compare every probability.

    A repeatable variable is one node, for one result.

    Example: calcinosis export calcinosis.bif
    """
    from calcinosis.inference.pgmpy_bridge import FORMATS, as_file

    ending = _ending(file, FORMATS, ask)
    with ask.output.progress(f"Writing {file.name} and reading it back"):
        content = as_file(ask.model.network, ending)
    write_whole(file, content, force=ask.output.force)
    variables = len(ask.model.variables)
    ask.output.tell(
        {"file": str(file), "digest": ask.model.digest, "variables": variables},
        f"{file}: {variables} variables, read back and found the same to eight decimals.",
    )


@command("force", "priors")
def graph(
    ask: Question,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=given_path, help="The file to write: .svg, .png or .pdf.")
    ],
) -> None:
    """Draw the network, coloured by group. Arrows run as the figures are published, not as causes.

    Example: calcinosis graph network.svg
    """
    ending = _ending(file, PICTURES, ask)
    network = ask.model.network
    from calcinosis.interface.figures.network import draw_network

    write_whole(file, draw_network(network, ending[1:]), force=ask.output.force)
    variables, arrows = len(network.variables), sum(map(len, network.parents.values()))
    ask.output.tell(
        {"file": str(file), "variables": variables, "arrows": arrows},
        f"{file}: {variables} variables, {arrows} arrows.",
    )


def _ending(file: Path, allowed: tuple[str, ...], ask: Question) -> str:
    """The ending of a file that can be written.

    Raises:
        InputError, OSError: as `check_out_file`, and for another ending than those allowed.
    """
    if file.suffix.lower() not in allowed:
        raise InputError(f"{file}: the name must end in one of {', '.join(allowed)}")
    check_out_file(file, ask.output.force)
    return file.suffix.lower()
