"""Paths as users of Spark write them: ``file:///data/x`` is ``/data/x``; other addresses are for the engine ``spark``.

htslib and polars read and write by path: a file system that is not mounted is none to them (`away` copies).
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import OptionError

# A letter and a colon is a drive. Of two slashes `pathlib` leaves one.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")


def on_disk(path: str | Path) -> Path:
    """The path, without ``file:``.

    Raises:
        OptionError: an address of another file system (``hdfs://``, ``s3a://``).

    >>> on_disk("file:///data/genomes.bcf").as_posix(), on_disk("data/x").as_posix()
    ('/data/genomes.bcf', 'data/x')
    """
    text = str(path)
    found = _ADDRESS.match(text)
    if found is None:
        return Path(path)
    if found[1].lower() == "file":
        return Path("/" + text[found.end():])
    raise OptionError(f"{found[1]} addresses are read and written with --engine spark alone", where=text,
                      hint="mount that file system and give the path, or see docs/cohorts.md")


def is_away(path: str | Path) -> bool:
    """Whether it is an address of a file system of another kind than files on disk.

    >>> is_away("hdfs://host/x"), is_away("file:///x"), is_away("x")
    (True, False, False)
    """
    found = _ADDRESS.match(str(path))
    return found is not None and found[1].lower() != "file"
