"""Rule files (TOML), and what was read of the embedded ones before: reading that again takes a fortieth of the time.

``rules_read.json`` has a line for each text, by its sha256, so that a text that is another is always read itself.
After a change of ``data/*.toml`` make it again: ``python tools/read_rules.py``.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

READ = "rules_read.json"


def loads(text: str) -> dict[str, Any]:
    """What a rule file says.

    Raises:
        tomllib.TOMLDecodeError: it is not TOML.
    """
    known = _read_before().get(_hash(text))
    return dict(msgspec.json.decode(known)) if known is not None else tomllib.loads(text)


def read(texts: Iterable[str]) -> str:
    """The content of ``rules_read.json`` for `texts`."""
    lines = (f'"{_hash(text)}": {json.dumps(tomllib.loads(text), allow_nan=False)}' for text in texts)
    return "{\n" + ",\n".join(lines) + "\n}\n"


def embedded_texts() -> list[str]:
    """The rule files of the embedded release, by name."""
    paths = (path for path in (files("pmed_pgx") / "data").iterdir() if path.name.endswith(".toml"))
    return [path.read_text("utf-8") for path in sorted(paths, key=lambda path: path.name)]


@cache
def _read_before() -> dict[str, msgspec.Raw]:
    return msgspec.json.decode((files("pmed_pgx") / READ).read_bytes(), type=dict[str, msgspec.Raw])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
