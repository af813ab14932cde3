"""A bar for long work, in a notebook or at a terminal: what is given to `progress=` of `pmed.run` and others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from markupsafe import escape

from ..engine import STEPS

Progress = Callable[[str], None]


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar that shows what is being done and how far it is, and is gone when the work is done.

    In a notebook it is HTML, at a terminal text on standard error, and elsewhere nothing.
    """
    shell = _notebook()
    if shell is not None:
        from IPython import display as ipython

        shown: Any = ipython
        handle = shown.display(shown.HTML(bar_html("starting")), display_id=True)
        try:
            yield lambda doing: handle.update(shown.HTML(bar_html(doing)))
        finally:
            handle.update(shown.HTML(""))
    elif sys.stderr.isatty():
        with _terminal() as say:
            yield say
    else:
        yield lambda _: None


def done(doing: str) -> int:
    """How many steps of a run are over when it says this; 0 for what is no step of a run."""
    return STEPS.index(doing) if doing in STEPS else 0


def bar_html(doing: str) -> str:
    """The bar as HTML; what is no step of a run is shown without an end in sight."""
    value = f' value="{done(doing)}"' if doing in STEPS else ""
    return f'<label>{escape(doing)} <progress max="{len(STEPS)}"{value}></progress></label>'


@contextmanager
def _terminal() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("starting", total=None)
        yield lambda doing: shown.update(task, description=doing, completed=done(doing),
                                         total=len(STEPS) if doing in STEPS else None)


def _notebook() -> Any:
    """The shell of a notebook's kernel, or None; IPython is looked at only where it runs already."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return shell if shell is not None and getattr(shell, "kernel", None) is not None else None
