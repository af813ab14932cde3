"""Paths as users of Spark write them: ``file:///data/x`` is ``/data/x``; addresses of other file systems are refused.

The executors' Python reads and writes files, and htslib and polars do so by path: a file system that is not mounted is
none to them.
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
    raise OptionError(f"{found[1]} addresses are neither read nor written", where=text,
                      hint="mount that file system on every machine and give the path (docs/cohorts.md)")
