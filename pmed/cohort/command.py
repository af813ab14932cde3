"""What ``pmed cohort`` says and how it ends."""

from __future__ import annotations

from collections.abc import Mapping

import click

from ..errors import EXIT_PARTIAL
from ..terminal import counting
from . import Here, Inputs, cohort
from .work import Asked

_NAMED = 10
_PEOPLE = 3


def work_out(inputs: Inputs, asked: Asked, files: Here, *, engine: str, jobs: int, memory: int) -> None:
    """Work the cohort out and say how it went.

    Raises:
        click.exceptions.Exit: exit code 3, where a file, a person or a part of a result is missing.
    """
    with counting("people") as count:
        done = files.finished(cohort(inputs, asked, engine=engine, jobs=jobs, memory=memory, count=count,
                                     files=files))
    click.echo(f"wrote {done}")
    said = [*(f"not read: {why}" for why in done.unread.values()),
            *(f"no result for {who}: {why}" for why, who in _by_reason(done.lost).items()),
            *(f"partial result: {why}" for why in done.failures)]
    for line in said[:_NAMED]:
        click.echo(f"pmed: {line}", err=True)
    if len(said) > _NAMED:
        click.echo(f"pmed: and {len(said) - _NAMED} more; {files.address or asked.folder}/state.json has all", err=True)
    if said:
        raise click.exceptions.Exit(EXIT_PARTIAL)


def _by_reason(lost: Mapping[str, str]) -> dict[str, str]:
    """Reason → those for whom it is why there is no result, the first few of them named.

    >>> _by_reason({"a": "is odd", "b": "is lost", "c": "is odd"})
    {'is odd': 'a, c', 'is lost': 'b'}
    """
    found: dict[str, list[str]] = {}
    for who, why in lost.items():
        found.setdefault(why, []).append(who)
    return {why: ", ".join(some[:_PEOPLE]) + (f" and {len(some) - _PEOPLE} more" if some[_PEOPLE:] else "")
            for why, some in found.items()}
