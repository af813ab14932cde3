"""Packages whose public names are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from .collecting import lasting


def late(package: str, home: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package: `home` says which of its modules has which names."""
    module = sys.modules[package]
    module_of = {name: where for where, names in home.items() for name in names}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with lasting():
            found = getattr(import_module(f"{package}.{module_of[name]}"), name)
        module.__dict__[name] = found
        return found

    module.__dict__["_module_of"] = module_of
    module.__class__ = _Late
    return get


class _Late(ModuleType):
    """Such a package, where ``pmed.demo`` and ``pmed.plugins`` are functions though modules are called so too."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep the function when the import of a module of the same name would put that in its place."""
        if not (name in self.__dict__["_module_of"] and isinstance(value, ModuleType)):
            super().__setattr__(name, value)
