"""The result as JSON, format ``pmed/result/1``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from ..result import Result
from .view import general_issues, patient_views

FORMAT = "pmed/result/1"


@dataclass(frozen=True)
class JsonExporter:
    """The whole result as JSON, every patient in it; unknown is null and numbers are finite."""

    name: ClassVar[str] = "json"
    suffix: ClassVar[str] = ".json"

    def export(self, result: Result) -> bytes:
        """Indented UTF-8 JSON with a newline at its end; dates are ISO 8601."""
        # msgspec writes what JSON cannot hold (NaN, infinity) as null, which is what they mean here: unknown.
        whole = {"format": FORMAT, "patients": patient_views(result), "issues": general_issues(result),
                 "provenance": dict(result.provenance)}
        return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"
