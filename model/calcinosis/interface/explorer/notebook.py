"""The explorer in a cell of a notebook."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calcinosis.inference.model import Model, load
from calcinosis.interface.explorer.component import component
from calcinosis.interface.explorer.entered import entered
from calcinosis.interface.explorer.page import Page
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    from panel.custom import JSComponent


@checked
def explorer(model: Model | None = None, findings: Mapping[str, Any] | None = None) -> JSComponent:
    """The what-if page in a cell of a notebook: every click moves the posterior at once.

    It is that of the shipped priors, unless told otherwise, and begins with the `findings`, given by name as to
    `model.posterior`, or as `unknown` or `pending`. It works in JupyterLab and in Jupyter Notebook from version 7 on,
    while the kernel runs. What the browser needs comes along with the output of the cell, so that nothing is loaded
    from the web: 6 MB if the notebook is saved with it. The object is one of Panel, to be laid out and served as any.

    Raises:
        FindingsError: with every finding that was not understood.
        QuestionError: for a finding that cannot be entered in the page, such as the target.

    >>> import calcinosis as cc
    >>> cc.explorer(findings={"pain": "severe"})
    <Explorer of subtype: run this cell in Jupyter to use it>
    """
    model = model or load()
    page = Page(findings=entered(model, {} if findings is None else dict(findings)))
    _load_scripts()
    return component(model, page)


def _load_scripts() -> None:
    """Put what the browser needs into the output of the cell that is being run, if it is one of a notebook.

    That is done each time: in a page that was loaded anew the scripts of an earlier cell are gone, while the kernel
    that sent them lives on.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if hasattr(shell, "kernel"):
        import panel

        panel.extension(inline=True)
