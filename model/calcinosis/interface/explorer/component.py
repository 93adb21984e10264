"""The explorer as a Panel component: the same object in the browser and in a cell of a notebook."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from calcinosis.interface.explorer.later import Later
from calcinosis.interface.explorer.rendering import HERE, style
from calcinosis.interface.explorer.session import Reply, Session

if TYPE_CHECKING:
    from panel.custom import JSComponent

    from calcinosis.inference.model import Model
    from calcinosis.interface.explorer.page import Page


@cache
def _component() -> type[JSComponent]:
    """The class of the component; made when it is first needed, as Panel takes a second to load."""
    import param
    from panel.custom import JSComponent
    from panel.io.state import state

    class ExplorerPage(JSComponent):
        """An open page: it hands what the browser sends to a session, and sends back what changed."""

        html = param.String(doc="The whole page as it is when it is opened.")
        css = param.String(doc="Its style sheet.")
        embedded = param.Boolean(doc="Whether it stands in a cell of a notebook, not in a window of its own.")

        _esm = HERE / "page.js"

        def __init__(self, session: Session, later: Later | None, **params: Any) -> None:
            self._session, self._later = session, later
            super().__init__(html=session.first(), css=style(), **params)  # type: ignore[no-untyped-call]

        def __repr__(self, depth: int = 0) -> str:
            return f"<Explorer of {self._session.shipped.target}: run this cell in Jupyter to use it>"

        def _handle_msg(self, data: Any) -> None:
            self._reply(self._session.begin(data if isinstance(data, dict) else {}))
            if self._later is None or state.curdoc is None:
                self._finish()
            else:
                self._later.do(state.curdoc, self._finish)

        def _finish(self) -> None:
            self._reply(self._session.finish())

        def _reply(self, reply: Reply) -> None:
            # as one text, which is several times as fast as letting Panel take the reply apart
            self._send_msg(json.dumps(reply))

    return ExplorerPage


def component(model: Model, page: Page | None = None, later: Later | None = None) -> JSComponent:
    """One open page of the explorer: of a server, which does `later` what can wait, or in a cell of a notebook."""
    session = Session(model, page)
    return _component()(session, later, embedded=later is None, sizing_mode="stretch_width")  # type: ignore[call-arg]
