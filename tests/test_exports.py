"""One public door."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

import pmed


def test_all_names_what_is_there_sorted():
    assert pmed.__all__ == sorted(pmed.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert set(pmed._module_of) == set(pmed.__all__) <= set(dir(pmed))
    for name in pmed.__all__:
        assert getattr(pmed, name) is getattr(import_module(f"pmed.{pmed._module_of[name]}"), name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(pmed, "nothing")  # noqa: B009 - a plain access is what mypy would refuse
    assert all(inspect.getdoc(getattr(pmed, name)) for name in pmed.__all__)
