"""One public door."""

from __future__ import annotations

import inspect

import pmed


def test_all_names_what_is_there_sorted():
    assert pmed.__all__ == sorted(pmed.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    public = {name for name, value in vars(pmed).items()
              if not name.startswith("_") and name != "annotations" and not inspect.ismodule(value)}
    assert public == set(pmed.__all__)
    assert all(inspect.getdoc(getattr(pmed, name)) for name in pmed.__all__)
