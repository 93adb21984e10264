"""One path for every command that takes findings: its common options, its patients, and its answer in every form."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import typer

from calcinosis.inference.model import Model, load
from calcinosis.interface.shell.options import (
    CaseOption,
    FileOption,
    FindingsArgument,
    ForceOption,
    JsonOption,
    MostOption,
    OutOption,
    PriorsOption,
    RecordOption,
    listed_files,
    show_columns,
    show_json,
    tell_files,
    tell_records,
    telling_errors,
)
from calcinosis.interface.shell.output import Output
from calcinosis.interface.shell.patients import Asked, Named, Patient, asked_of
from calcinosis.interface.words.document import Document
from calcinosis.interface.words.terminal import show
from calcinosis.knowledge.problem import visible

if TYPE_CHECKING:
    import pandas as pd


Result = TypeVar("Result")

BEFORE = {
    "findings": FindingsArgument,
    "case": CaseOption,
    "file": FileOption,
    "record": RecordOption,
}
"""The options that come before those of the command itself, and default to None."""

AFTER = {"out": OutOption, "force": ForceOption, "priors": PriorsOption, "as_json": JsonOption}
"""The options that come after them."""


@dataclass(frozen=True)
class Forms(Generic[Result]):
    """The forms of a result: plain values, the document on one patient, and that on many by their names.

    The first document is made of a result and, by name, its `title`, what is `published`, and the `most` lines of each
    table, None for all; the second of the results by patient, the digest of the priors, and the most lines.
    """

    plain: Callable[[Result], dict[str, Any]]
    one: Callable[..., Document]
    many: Callable[[Mapping[str, Result], str, int | None], Document] | None = None


@dataclass
class Question:
    """A command's patients and its output, as the common options name them."""

    named: Named
    priors: Path | None
    most: int | None
    output: Output
    unique: bool

    @cached_property
    def model(self) -> Model:
        """The model of the priors folder."""
        return load(self.priors)

    @cached_property
    def asked(self) -> Asked:
        """The patients, read before any analysis, so that every mistake is reported first.

        Raises:
            QuestionError, InputError, PriorsError, FindingsError: as `asked_of`.
        """
        return asked_of(self.model, self.named, self.priors, self.unique)

    def answer(self, analyse: Callable[[Patient], Result], forms: Forms[Result]) -> None:
        """Analyse each patient and show the results.

        Raises:
            InputError, OSError: as `write_report`; what `analyse` raises.
        """
        asked = self.asked
        results = [(patient.name, analyse(patient)) for patient in asked.patients]
        if asked.many:
            self._show_many(results, forms)
            return
        ((name, result),), (patient,) = results, asked.patients
        self.output.show(
            lambda: {"record": patient.model.record, **forms.plain(result), **self.published},
            lambda: show(forms.one(result, published=asked.published, most=self.most)),
            lambda: forms.one(result, title=name, published=asked.published),
        )

    def _show_many(self, results: Sequence[tuple[str, Result]], forms: Forms[Result]) -> None:
        """Show a list of results in JSON, a summary of each in text, and the tables of all in a folder."""
        files = self.output.written(
            lambda: tables_of_each([(name, forms.one(result, title=name)) for name, result in results])
        )
        if self.output.as_json:
            show_json(
                [
                    {"patient": p.name, "record": p.model.record}
                    | {"columns_read": p.read, "columns_ignored": p.ignored}
                    | forms.plain(result)
                    | listed_files(files)
                    for p, (_, result) in zip(self.asked.patients, results, strict=True)
                ]
            )
            return
        assert forms.many is not None
        show(forms.many({visible(name): result for name, result in results}, self.model.digest, self.most))
        self.show_file()
        tell_files(self.output.out, files)

    def show_file(self) -> None:
        """Say which kind of record each patient of the file has, and which columns were read."""
        patients = self.asked.patients
        tell_records({patient.name: patient.model.record for patient in patients})
        read = dict.fromkeys(name for patient in patients for name in patient.read)
        ignored = dict.fromkeys(name for patient in patients for name in patient.ignored)
        show_columns(list(read), list(ignored), "not read")

    @property
    def published(self) -> dict[str, Any]:
        """What was published of the patient, for JSON."""
        return {"published": self.asked.published} if self.asked.published else {}


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


def question(most: int | None, *, unique: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function: it gets a `Question` first, then its own options.

    The command has the common options too, among them --most unless it has no default. The patients of
    a file have `unique` names, or the file is refused. Errors of the input are
    reported, and an output folder that cannot be written is refused before any work.
    """

    def made(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def command(**options: Any) -> None:
            named = Named(*(options.pop(name) for name in BEFORE))
            out, force, priors, as_json = (options.pop(name) for name in AFTER)
            if named.file and (named.case or named.findings):
                raise typer.BadParameter("--file brings its own findings: give neither words nor --case with it")
            output = Output(as_json, out, force)
            with telling_errors(as_json):
                output.check()
                function(Question(named, priors, options.pop("most", None), output, unique), **options)

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        parameters = [
            *_options(BEFORE, dict.fromkeys(BEFORE)),
            *(option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in own),
            *([] if most is None else _options({"most": MostOption}, {"most": most})),
            *_options(AFTER, {"out": None, "priors": None}),
        ]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {option.name: option.annotation for option in parameters}
        return command

    return made


def _options(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> Sequence[inspect.Parameter]:
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name, False), annotation=annotation
        )
        for name, annotation in options.items()
    ]
