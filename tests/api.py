"""The public API as text: every public name with its signature. ``python -m tests.api`` writes the golden file anew."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pmed.plugins import HOOKS

GOLDEN = Path(__file__).parent / "golden" / "public-api.txt"


def modules() -> list[str]:
    """What plugins may import, and what their tests and templates use."""
    from tests.test_layers import PUBLIC

    return sorted({*PUBLIC, "pmed.testing"})


def described() -> str:
    """One line a name; a class has a line for each of its public attributes and methods."""
    lines = [f"hook {hook}{_signature(getattr(import_module('pmed.hookspecs'), hook))}" for hook in HOOKS]
    lines += [line for module in modules() for line in _of_module(module)]
    return "\n".join(lines) + "\n"


def _of_module(name: str) -> Iterator[str]:
    module = import_module(name)
    for one in getattr(module, "__all__", None) or _own(module):
        yield from _of_object(f"{name}.{one}", getattr(module, one))


def _own(module: Any) -> list[str]:
    """Names that the module defines itself; what it imports is another's."""
    return sorted(name for name, value in vars(module).items() if not name.startswith("_") and name != "annotations"
                  and not inspect.ismodule(value) and getattr(value, "__module__", module.__name__) == module.__name__)


def _of_object(name: str, value: Any) -> Iterator[str]:
    if inspect.isclass(value):
        yield f"class {name}({', '.join(base.__name__ for base in value.__bases__)})"
        yield from _members(name, value)
    elif callable(value) and hasattr(value, "__name__"):
        yield f"def {name}{_signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def _members(name: str, value: type) -> Iterator[str]:
    if is_dataclass(value):
        yield from (f"  {name}.{one.name}: {one.type}" for one in fields(value) if not one.name.startswith("_"))
    else:
        yield from (f"  {name}.{one}: {kind}" for one, kind in inspect.get_annotations(value).items()
                    if not one.startswith("_"))
    for one, member in sorted(vars(value).items()):
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if one.startswith("_"):
            continue
        if inspect.isfunction(plain):
            yield f"  {name}.{one}{_signature(plain)}"
        elif isinstance(member, property):
            yield f"  {name}.{one}: property"


def _signature(value: Any) -> str:
    try:
        return re.sub(r"<function (\w+) at 0x\w+>", r"\1", str(inspect.signature(value)))
    except ValueError:
        return "(...)"


if __name__ == "__main__":
    GOLDEN.write_text(described(), encoding="utf-8")
