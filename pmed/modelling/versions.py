"""With what a model was made."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

_LIBRARIES = ("pmed", "lightgbm", "numpy", "polars", "scikit-learn")


def made_with(*more: str) -> dict[str, str]:
    """Version of each library that the bytes of a model depend on, as far as it is installed."""
    found = {}
    for name in (*_LIBRARIES, *more):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
