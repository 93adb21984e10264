"""One path for every command: its common options, its patients if it has any, and its answer in every form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from calcinosis.inference.model import Model, load
from calcinosis.interface.shell import output, patients
from calcinosis.interface.shell.options import OTHERS, PATIENTS, MostOption
from calcinosis.interface.shell.patient_files import Patient
from calcinosis.interface.words.document import Document
from calcinosis.interface.words.terminal import show
from calcinosis.knowledge.problem import visible

if TYPE_CHECKING:
    import pandas as pd

Result = TypeVar("Result")


@dataclass
class Question:
    """What a command is asked: its patients, the priors, the most rows per table, and where the answer goes."""

    named: patients.Named
    priors: Path | None
    most: int | None
    output: output.Output

    @cached_property
    def model(self) -> Model:
        """The model of the priors folder."""
        return load(self.priors)

    @cached_property
    def asked(self) -> patients.Asked:
        """The patients, read before any analysis, so that every mistake is reported first.

        Raises:
            QuestionError, InputError, PriorsError, FindingsError: as `asked_of`.
        """
        return patients.asked_of(self.model, self.named, self.priors)

    def answer(
        self,
        analyse: Callable[[Patient], Result],
        plain: Callable[[Result], dict[str, Any]],
        one: Callable[..., Document],
        many: Callable[[Mapping[str, Result], str, int | None], Document] | None = None,
    ) -> None:
        """Analyse each patient and show the results: as `plain` values, or as a document on one patient or on many.

        `one` is called with a result and, by name, its `title`, what is `published`, and the `most` rows of each table,
        None for all; `many` with the results by patient, the digest of the priors, and the most rows.

        Raises:
            InputError, OSError: as `write_report`; what `analyse` raises.
        """
        published = {"published": self.asked.published} if self.asked.published else {}
        results = [(patient, analyse(patient)) for patient in self.asked.patients]
        if not self.asked.many:
            ((patient, result),) = results
            self.output.show(
                lambda: {"record": patient.model.record, **plain(result), **published},
                lambda: show(one(result, published=self.asked.published, most=self.most)),
                lambda: one(result, title=patient.name, published=self.asked.published),
            )
            return
        files = self.output.written(lambda: tables_of_each([(p.name, one(r, title=p.name)) for p, r in results]))
        if self.output.as_json:
            output.show_json(
                [
                    {"patient": p.name, "record": p.model.record}
                    | {"columns_read": p.read, "columns_ignored": p.ignored}
                    | plain(result)
                    | output.listed_files(files)
                    for p, result in results
                ]
            )
            return
        assert many is not None
        show(many({visible(p.name): result for p, result in results}, self.model.digest, self.most))
        self.show_file()
        self.output.tell_files(files)

    def show_file(self) -> None:
        """Say which kind of record each patient of the file has, and which columns were read."""
        asked = self.asked.patients
        output.tell_records({patient.name: patient.model.record for patient in asked})
        read = dict.fromkeys(name for patient in asked for name in patient.read)
        output.show_columns(list(read), list(dict.fromkeys(name for patient in asked for name in patient.ignored)))


def tables_of_each(documents: Sequence[tuple[str, Document]]) -> dict[str, pd.DataFrame]:
    """The tables of many reports joined, with the patient in the first column."""
    import pandas as pd

    tables: dict[str, list[pd.DataFrame]] = {}
    for patient, document in documents:
        for name, frame in document.tables().items():
            lines = frame.rename(columns={"patient": "patient_"})
            lines.insert(0, "patient", patient)
            tables.setdefault(name, []).append(lines)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}


def command(*shared: str, most: int | None = None, unique: bool = True) -> Callable[..., Callable[..., None]]:
    """Make a command of a function: it gets a `Question` first, then its own options.

    The command also has the `shared` options of PATIENTS and OTHERS, --json always, and --most if it has a default. The
    patients of a file have `unique` names, or the file is refused. Errors of the input are reported, and an output
    folder that cannot be written is refused before any work.
    """
    before = {name: option for name, option in PATIENTS.items() if name in shared}
    after: dict[str, Any] = {"most": MostOption} if most else {}
    after |= {name: option for name, option in OTHERS.items() if name in (*shared, "as_json")}
    defaults = {"most": most, "force": False, "as_json": False}

    def made(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def run(**options: Any) -> None:
            given = defaults | {name: options.pop(name) for name in (*before, *after)}
            named = patients.Named(**{name: given.get(name) for name in PATIENTS}, unique=unique)
            if named.file and (named.case or named.findings):
                raise typer.BadParameter("--file brings its own findings: give neither words nor --case with it")
            place = output.Output(given["as_json"], given.get("out"), given["force"])
            with output.telling_errors(place.as_json):
                place.check()
                function(Question(named, given.get("priors"), given["most"], place), **options)

        own = list(signature(function, eval_str=True).parameters.values())[1:]
        parameters = [
            *_parameters(before, defaults),
            *(option.replace(kind=Parameter.KEYWORD_ONLY) for option in own),
            *_parameters(after, defaults),
        ]
        run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {option.name: option.annotation for option in parameters}
        return run

    return made


question = partial(command, *PATIENTS, *OTHERS)
"""Make a command of a function that answers a question on patients: with all shared options, as `command`."""


def _parameters(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[Parameter]:
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=option)
        for name, option in options.items()
    ]
