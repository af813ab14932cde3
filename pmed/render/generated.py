"""The Python that jinja2 makes of templates, made before: it is the same each time, and a third of a first display.

``generated.json`` lies beside a folder of templates. What it says is used for a template of the very text and by the
very jinja2 that it was made of; any other is made as ever. After a change: ``python -m tests.templates``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket


class Made(msgspec.Struct):
    """Python of one template."""

    name: str
    python: str


class Kept(msgspec.Struct):
    """Python of all templates of a package, by jinja2's hash of their texts, and the jinja2 that made it."""

    jinja2: str
    templates: dict[str, Made]


class Generated(BytecodeCache):
    """Gives the kept Python; keeps nothing itself."""

    def __init__(self, package: str) -> None:
        self.path = path_of(package)
        self.kept: Mapping[str, Made] = {}
        if self.path.is_file():
            found = msgspec.json.decode(self.path.read_bytes(), type=Kept)
            self.kept = found.templates if found.jinja2 == _version() else {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket if its template is known."""
        made = self.kept.get(bucket.checksum)
        if made is not None:
            bucket.code = compile(made.python, made.name, "exec")

    def dump_bytecode(self, bucket: Bucket) -> None:
        """What was not kept is made again by the next process."""


def path_of(package: str) -> Traversable:
    """Where the Python of a package's templates is."""
    return files(package) / "generated.json"


def generated(environment: Environment) -> bytes:
    """The content of ``generated.json`` for the templates of `environment`."""
    loader, keys = environment.loader, Generated("pmed")
    assert loader is not None  # noqa: S101 - an environment of a package has one
    made = {}
    for name in environment.list_templates(filter_func=lambda name: name.endswith(".j2")):
        text = loader.get_source(environment, name)[0]
        made[keys.get_source_checksum(text)] = Made(name, environment.compile(text, name, name, raw=True))
    return msgspec.json.format(msgspec.json.encode(Kept(_version(), made)), indent=1) + b"\n"


def _version() -> str:
    return metadata.version("jinja2")
