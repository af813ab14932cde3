"""Reading little FHIR by several processes, which otherwise only much is worth."""

from __future__ import annotations

from typing import Any

import pytest

from pmed.sources import fhir_shares


def sharing(monkeypatch: pytest.MonkeyPatch, name: str) -> list[bool]:
    """Whether several processes could, to be told at each read; `name` is the reader in `fhir_shares`."""
    told: list[bool] = []
    inner = getattr(fhir_shares, name)

    def noted(*asked: Any) -> Any:
        told.append((found := inner(*asked)) is not None)
        return found
    monkeypatch.setattr(f"pmed.sources.fhir.{name}", noted)
    monkeypatch.setattr(fhir_shares, "LEAST", 1)
    monkeypatch.setattr(fhir_shares, "START", 0)
    return told
