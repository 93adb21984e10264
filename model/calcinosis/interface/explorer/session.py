"""One open page: what it holds, what it held before, and what of it the browser has."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from calcinosis.inference.model import Model
from calcinosis.inference.phrases import capitalised
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer import answer, downloads, entry, views
from calcinosis.interface.explorer.actions import ActionError, act
from calcinosis.interface.explorer.asked import Asked
from calcinosis.interface.explorer.edits import edited
from calcinosis.interface.explorer.link import LinkError, fragment_of, page_of
from calcinosis.interface.explorer.page import TABS, Edit, Findings, Page
from calcinosis.interface.explorer.previews import previews
from calcinosis.interface.explorer.published import Published
from calcinosis.interface.explorer.rendering import render
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.paths import InputError
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.records import ASKED

DEPTH = 100
"""How many steps can be undone."""

LOG = logging.getLogger("calcinosis.explorer")

FAILED = "The program made an error, so this was not done. What you entered is kept."

Reply = dict[str, Any]
State = tuple[Page, list[Page], list[Page], Mapping[str, float], Situation]


class Session:
    """An open page. The only thing here that changes: what the user does replaces its `page` by another.

    >>> import calcinosis as cc
    >>> session = Session(cc.load())
    >>> reply = session.handle({"do": "set", "variable": "pain", "value": "severe"})
    >>> session.page.findings["pain"], reply["fragment"][:11]
    ('severe', 'pain=severe')
    """

    def __init__(self, model: Model, page: Page | None = None) -> None:
        self.shipped = model = model.recorded(ASKED)  # a page asks for each finding
        self.page = page or Page()
        self.published = Published.of(model)
        self._edited: tuple[tuple[Edit, ...], Model] = ((), model)
        self._asked: list[Asked] = []
        self._forget()
        self.situation = self._situation()
        self._sent: dict[str, str] = {}
        self._rows: dict[str, tuple[dict[str, Any], str]] = {}
        self._seq: Any = 0
        self._notice = "", ""
        self._more: Reply = {}
        self._finished = self._state

    def _forget(self) -> None:
        """Forget every earlier page."""
        self._past: list[Page] = []
        self._future: list[Page] = []
        self._was: Mapping[str, float] = {}

    def first(self) -> str:
        """The whole page as HTML."""
        self._sent = self._regions("", "")
        return render("page", regions=self._sent, groups=entry.groups(self.shipped), model=self.shipped)

    def handle(self, message: Mapping[str, Any]) -> Reply:
        """The whole reply to what the user has done: `begin`, then `finish`."""
        self.begin(message)
        return self.finish()

    def begin(self, message: Mapping[str, Any]) -> Reply:
        """Do what the user has done, and give the bars alone, which are there at once; `finish` gives all else."""
        before = self._state
        self._seq = message.get("seq", 0)
        try:
            try:
                notice, more = self._do(str(message.get("do", "")), message)
                self._more |= more
                if notice:
                    self._notice = notice, "note"
            except (ActionError, LinkError, InputError, QuestionError, PriorsError) as error:
                self._notice = capitalised(str(error)), "fault"
            return {"seq": self._seq, "bars": answer.lengths(self.situation)}
        except Exception as error:  # whatever went wrong, the page stays as it was and says so
            self._go_back(before, error)
            return {"seq": self._seq, "bars": None}

    def finish(self) -> Reply:
        """What the browser is to show after all that has begun; whatever happens, nothing entered is lost.

        The reply has the `regions` of the page that have changed, the `fragment` of its link, and whether that is a
        step (`push`) that the browser's back button goes back from.
        """
        before = self._finished
        try:
            regions, looks = self._regions(*self._notice), previews(self.situation)
        except Exception as error:  # likewise
            self._go_back(before, error)
            regions, looks = self._sent | {"notice": render("notice", notice=FAILED, kind="fault")}, {}
        # the notice goes along each time: the browser may have closed the last one, or written one of its own; and all
        # of the page after a fault, as it may show as chosen what was not done
        again = set(regions) if self._notice[1] == "fault" else {"notice"}
        reply = {
            "seq": self._seq,
            "regions": {n: html for n, html in regions.items() if n in again or self._sent.get(n) != html},
            "fragment": fragment_of(self.page, self.situation.model.digest),
            "push": _content(before[0]) != _content(self.page),
            "previews": looks,
            **self._more,
        }
        self._sent, self._finished, self._notice, self._more = regions, self._state, ("", ""), {}
        return reply

    @property
    def _state(self) -> State:
        """All that an action changes."""
        return self.page, self._past, self._future, self._was, self.situation

    def _go_back(self, state: State, error: Exception) -> None:
        """Undo what an error of the program has left half done, and say so."""
        self.page, self._past, self._future, self._was, self.situation = state
        self._notice = FAILED, "fault"
        _log(error)

    def _do(self, what: str, message: Mapping[str, Any]) -> tuple[str, Reply]:
        """Do it; a notice for the user, and more for the browser."""
        own: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, Reply]]] = {
            "hello": lambda message: ("", {}),
            "link": self._link,
            "undo": self._undo,
            "redo": self._redo,
            "new": self._new,
            "case": self._case,
            "download": self._download,
        }
        if what in own:
            return own[what](message)
        self._turn_to(act(self.page, message, self.shipped))
        return "", {}

    def _turn_to(self, page: Page) -> None:
        """Show another page, from which undo leads back to this one if it holds something else."""
        if _content(page) != _content(self.page):
            self._past = [*self._past, self.page][-DEPTH:]
            self._future = []
        self._show(page)

    def _show(self, page: Page) -> None:
        if _content(page) != _content(self.page) and self.situation.posterior is not None:
            self._was = dict(self.situation.posterior.probabilities_of)
        self.page = page
        self.situation = self._situation()

    def _unmark(self) -> None:
        """Take the marks of the answer before away: it was another patient's."""
        self._was = {}
        self.situation = self._situation()

    def _situation(self) -> Situation:
        if self._edited[0] != self.page.edits:
            self._edited = self.page.edits, edited(self.shipped, self.page.edits)
        page = self.page
        asked, other = self._ask(page.findings), None if page.other is None else self._ask(page.other)
        self._asked = [own for own in (asked, other) if own is not None]
        return Situation(page, asked, self.shipped, other, self._was)

    def _ask(self, findings: Findings) -> Asked:
        """The model asked of some findings; what was asked before the last change need not be asked again."""
        model = self._edited[1]
        known = (own for own in self._asked if own.model is model and own.findings == findings)
        return next(known, Asked(model, findings))

    def _link(self, message: Mapping[str, Any]) -> tuple[str, Reply]:
        """The page that a link holds; if it cannot be opened, the empty page and a notice."""
        try:
            page, notice = page_of(str(message.get("fragment", "")), self.shipped)
        except LinkError:
            self._forget()
            self._show(Page())
            raise
        self._turn_to(page)
        self._unmark()
        return notice, {}

    def _undo(self, message: Mapping[str, Any]) -> tuple[str, Reply]:
        if not self._past:
            return "There is nothing to undo.", {}
        *self._past, page = self._past
        self._future = [*self._future, self.page]
        self._show(page.seen_as(self.page))
        return "", {}

    def _redo(self, message: Mapping[str, Any]) -> tuple[str, Reply]:
        if not self._future:
            return "There is nothing to do again.", {}
        *self._future, page = self._future
        self._past = [*self._past, self.page]
        self._show(page.seen_as(self.page))
        return "", {}

    def _new(self, message: Mapping[str, Any]) -> tuple[str, Reply]:
        """A new patient: nothing of the last one is kept, neither here nor in what can be undone."""
        page, fresh = self.page, Page(blind=self.page.blind)
        # what is so here, whoever the patient is, stays
        here = {name: getattr(page, name) for name in ("away", "edits", "utilities", "unavailable")}
        self._show(fresh.changed(**here))
        self._forget()
        self._unmark()
        return "", {"cleared": True}

    def _case(self, message: Mapping[str, Any]) -> tuple[str, Reply]:
        name = str(message.get("value", ""))
        if not name:
            return "", {}
        findings, _ = self.published.findings(name, self.shipped)
        self._turn_to(
            self.page.changed(
                findings=FrozenMap(findings), drafts=FrozenMap({}), dates=FrozenMap({}), case=name, estimate=None
            )
        )
        self._unmark()
        return "", {}

    def _download(self, message: Mapping[str, Any]) -> tuple[str, Reply]:
        return "", downloads.download(str(message.get("value", "")), self.situation, self._published())

    def _published(self) -> dict[str, str] | None:
        """What was published of the case that the findings began as."""
        case = self.page.case
        return self.published.findings(case, self.shipped)[1] if case in self.published.titles else None

    def _regions(self, notice: str, kind: str) -> dict[str, str]:
        """The HTML of every region of the page."""
        situation, page = self.situation, self.page
        shown = answer.answer(situation)
        regions = {
            "notice": render("notice", notice=notice, kind=kind),
            "patient": render(
                "patient",
                page=page,
                cases=self.published.titles,
                published=self._published(),
                undo=bool(self._past),
                redo=bool(self._future),
            ),
            "answer": render("answer", **shown),
            "about": render("about", **shown),
            "tabs": render("tabs", tabs=TABS, page=page),
            "panel": self._panel(),
            "foot": render("foot", digest=situation.model.digest[:12], edits=len(page.edits)),
        }
        regions |= {f"count-{name}": words for name, words in entry.counts(situation).items()}
        return regions | {f"row-{name}": self._row(name, row) for name, row in entry.entry_rows(situation).items()}

    def _row(self, name: str, row: dict[str, Any]) -> str:
        """The HTML of a row of the entry, made anew only where something of it has changed."""
        if name not in self._rows or self._rows[name][0] != row:
            self._rows[name] = row, render("finding", row=row)
        return self._rows[name][1]

    def _panel(self) -> str:
        """The view below the answer."""
        if self.page.waits:
            return render("words", words="This is shown once you have given your own estimate.")
        try:
            return views.view(self.situation)
        except QuestionError as error:
            return render("words", words=str(error))
        except Exception as error:  # a view that fails takes nothing else with it
            _log(error)
            return render("words", words="The program made an error in this view. The answer is not touched by it.")


def _content(page: Page) -> Page:
    """The page but for how it is looked at: what undo and the back button bring back."""
    return page.seen_as(Page())


def _log(error: Exception) -> None:
    """Tell where the program went wrong, but not with which values: they are a patient's."""
    last = traceback.extract_tb(sys.exc_info()[2])[-1]
    LOG.error("%s in %s, line %s, %s", type(error).__name__, last.filename, last.lineno, last.name)
