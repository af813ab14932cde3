"""The files of one read, one after the other: bundles become rows at once, what is loose is kept for later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..errors import HistoryError
from .fhir_bundle import NO_TYPE, Reading, read_document
from .fhir_damaged import BAD_FILE
from .fhir_files import EXPORT_HINT, content, inside, is_lines
from .fhir_lines import LineReading
from .fhir_many import take_all
from .fhir_outcome import of_manifest
from .fhir_parts import is_part, readings
from .fhir_records import Records
from .fhir_resource import file_issue

#: A file, and whether it was asked for by its name.
Asked = tuple[Path, bool]


def files_of(paths: Sequence[Path]) -> Iterator[Asked]:
    """Each file, those of folders by name.

    Raises:
        HistoryError: a folder without any.
    """
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        found = inside(path)
        if not found:
            raise HistoryError("the folder holds no JSON or NDJSON file", where=str(path), hint=EXPORT_HINT)
        yield from ((file, False) for file in found)


def take_bundles(records: Records, files: Iterable[Asked],
                 faults: list[HistoryError]) -> Iterator[Reading | LineReading]:
    """Take in all bundles, each for itself; gives what is loose, and adds to `faults` why files were left out.

    Raises:
        HistoryError: a file that was asked for by its name is no FHIR; a patient that cannot be used.
    """
    for file, strict in files:
        if is_part(file):
            yield from readings(file)
            continue
        reading = _open(file, records, faults, strict=strict)
        if isinstance(reading, Reading) and reading.bundled:
            records.bundles.add(reading.file)
            take_all(records, reading.pieces(), records.meet(reading))
            reading = None  # so that the next one takes its place in memory
        elif reading:
            yield reading


def _open(file: Path, records: Records, faults: list[HistoryError], *, strict: bool) -> Reading | LineReading | None:
    """One file; None for one of a folder that is no FHIR, which is reported.

    Raises:
        HistoryError: where the file was asked for by its name.
    """
    try:
        return LineReading(file) if is_lines(file) else read_document(file)
    except HistoryError as error:
        if strict:
            raise
        if error.message == NO_TYPE and (said := of_manifest(content(file), file.name)) is not None:
            records.issues += said
            return None
        faults.append(error)
        code = "not-fhir" if error.message == NO_TYPE else BAD_FILE
        if code == BAD_FILE:
            records.damaged[file.name] = file
        records.issues.append(file_issue(file.name, "", "error", code, f"{error.message}; the file was left out"))
        return None
