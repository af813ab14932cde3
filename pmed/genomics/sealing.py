"""The check of a cache: the CRC-32 of the file, in its own metadata with zeros for itself.

Parquet itself would not notice a damaged file, and a damaged genotype looks like any other.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from pmed.errors import GenomeError

MAGIC = b"PAR1"
_CHUNK = 1 << 20
# The value stands behind its key as Thrift's compact protocol has it: field 2, binary, 14 bytes.
KEY = "pmed:check"
_BEFORE_CHECK = KEY.encode() + b"\x18\x0ecrc32="
NO_CHECK = "00000000"
AGAIN = "import the genome again with pmed import"


def seal(path: Path) -> None:
    """Put the check where the zeros are."""
    at = _check_at(path)
    if at is None:
        raise RuntimeError("polars has written the metadata in a way that pmed does not know")
    check = _crc(path, at)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(check)


def must_be_sound(path: Path) -> None:
    """Refuse a file that is not a cache as it was written.

    Raises:
        GenomeError: no such file, cut off, damaged, or a Parquet file of somebody else.
    """
    if not path.is_file():
        raise GenomeError("no such file", where=str(path))
    try:
        at = _check_at(path)
        if at is None:
            raise GenomeError("is a Parquet file, but not one of a genome that pmed has written", where=str(path),
                              hint="give the genome's VCF file")
        if _bytes(path, at, len(NO_CHECK)) != _crc(path, at):
            raise damaged(path)
    except OSError as error:
        raise GenomeError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _check_at(path: Path) -> int | None:
    """Where in the file the check stands; None in a Parquet file of somebody else.

    Raises:
        GenomeError: it does not end like a Parquet file: with its footer, the footer's length, and ``PAR1``.
    """
    end = path.stat().st_size - 8
    length = int.from_bytes(_bytes(path, max(end, 0), 4), "little")
    if length > end or _bytes(path, end + 4, 4) != MAGIC:
        raise damaged(path)
    at = _bytes(path, end - length, length).find(_BEFORE_CHECK)
    return end - length + at + len(_BEFORE_CHECK) if at >= 0 else None


def _bytes(path: Path, at: int, many: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(many)


def _crc(path: Path, at: int) -> bytes:
    """CRC-32 of a file as eight hexadecimal digits, with zeros for those that stand at `at`."""
    crc, place = 0, 0
    with path.open("rb") as file:
        while chunk := file.read(at - place if 0 < at - place < _CHUNK else _CHUNK):
            if place == at:
                chunk = NO_CHECK.encode() + chunk[len(NO_CHECK):]
            crc, place = zlib.crc32(chunk, crc), place + len(chunk)
    return b"%08x" % crc


def damaged(path: Path) -> GenomeError:
    """What is said of a file that is not as it was written."""
    return GenomeError("is damaged or cut off: it is not as pmed has written it", where=str(path), hint=AGAIN)
