"""Tasks of a cohort by processes of this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ..pools import Call, Pool
from ..pools import processes as pooled
from . import work
from .work import Asked

__all__ = ["Call", "Pool", "processes"]


def processes(asked: Asked, number: int) -> AbstractContextManager[Pool]:
    """Something that makes calls, by so many processes, and gives what they return in the order they are done."""
    return pooled(number, work.begin, asked,
                  hint="run the same again: what is done stays; --memory makes smaller chunks")
