"""Opening genome files: whole or not, plain or packed, and one clear error when they break."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pmed.errors import GenomeError

# The empty block that ends every complete BGZF file (SAM specification, section 4.1.2).
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BOM = b"\xef\xbb\xbf"
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)


def looks_like_vcf(path: Path) -> bool:
    """Whether the first bytes, unpacked if need be, are those of a VCF file; never raises."""
    try:
        with unpacked(path) as lines:
            return lines.read(len(_BOM) + 16).removeprefix(_BOM).startswith(b"##fileformat=VCF")
    except (OSError, GenomeError):
        return False


def check_whole(path: Path) -> None:
    """Refuse what is no file, empty, or a BGZF file without its end block.

    Raises:
        GenomeError: saying which of them it is.
    """
    if not path.exists():
        raise GenomeError("no such file", where=str(path))
    if not path.is_file():
        raise GenomeError("is not a file", where=str(path), hint="name the VCF files themselves")
    size = path.stat().st_size
    if not size:
        raise GenomeError("is empty, not a VCF file", where=str(path))
    if is_bgzf(path) and not _ends_well(path, size):
        raise GenomeError("is truncated: the BGZF end-of-file block is missing", where=str(path),
                          hint="copy or download it again")


def is_bgzf(path: Path) -> bool:
    """Whether the file starts with a BGZF block."""
    with path.open("rb") as file:
        head = file.read(18)
    return head[:4] == b"\x1f\x8b\x08\x04" and head[12:14] == b"BC"


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a plain, gzip or BGZF file as a buffered stream.

    Raises:
        GenomeError: when unpacking fails, also later while the stream is being read.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            yield _gunzip(raw) if packed else cast("BinaryIO", raw)
    except _BROKEN as error:
        raise GenomeError(f"cannot be unpacked: {error}", where=str(path), hint="copy or download it again") from error
    except OSError as error:
        raise GenomeError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _gunzip(raw: io.BufferedReader) -> BinaryIO:
    # BufferedReader iterates lines in C; GzipFile by itself does so in Python.
    return cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=raw), 1 << 20))


def _ends_well(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, size - len(BGZF_END)))
        return file.read() == BGZF_END
