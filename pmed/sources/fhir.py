"""The FHIR R4 source: patient records as JSON bundles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import polars as pl

from ..types import ReadRequest, SourceKind
from .fhir_bundle import read_bundle
from .fhir_records import Records
from .recorded import asked_day, make_tables


@dataclass(frozen=True)
class FhirSource:
    """FHIR R4 bundles → patients, conditions, medications, observations, allergies, issues."""

    name: ClassVar[str] = "fhir"
    kind: ClassVar[SourceKind] = "history"

    def matches(self, path: Path) -> bool:
        """A ``.json`` file that begins like a JSON object."""
        if path.suffix.lower() != ".json" or not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(256).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")

    def read(self, paths: Sequence[Path], request: ReadRequest) -> dict[str, pl.DataFrame]:
        """Read bundles of one or many patients; `request.index_date` is an ISO date or "".

        A resource that cannot be used is a row of ``issues``; the rest of the record is kept.

        Raises:
            HistoryError: a file that is no bundle, or a patient that cannot be used.
            OptionError: `request.index_date` is not a date.
        """
        index_date = asked_day(request.index_date)
        records = Records()
        for path in paths:
            records.add(read_bundle(path), str(path))
        return make_tables(records.rows, records.issues, index_date)
