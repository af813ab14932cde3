"""Opening genome files: what kind, whole or not, plain or packed, and one clear error when they break."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Literal, cast

from pmed.errors import GenomeError

from .array_files import from_zip, is_array, is_zip

Kind = Literal["vcf", "bcf", "cache", "array", ""]

# The empty block that ends every complete BGZF file (SAM specification, section 4.1.2).
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
# A block's head with the one extra field that has its size, and the CRC-32 and size behind its data.
_BGZF_MAGIC, _BGZF_FIELD, _BGZF_HEAD, _BGZF_TAIL = b"\x1f\x8b\x08\x04", b"BC\x02\x00", 18, Struct("<II")
_BGZF_MOST = 1 << 16
_BOM = b"\xef\xbb\xbf"
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile)
_AGAIN = "copy or download it again"
_HEAD = 4096


def kind_of(path: Path) -> Kind:
    """What the first bytes, unpacked if need be, say that a file is; "" for none of ours. Never raises."""
    try:
        if is_zip(path):
            return "array" if is_array(from_zip(path, _HEAD)) else ""
        with unpacked(path, _HEAD) as stream:
            head = stream.read(_HEAD).removeprefix(_BOM)
    except (OSError, GenomeError):
        return ""
    if is_array(head):
        return "array"
    if head.startswith(b"##fileformat=VCF"):
        return "vcf"
    if head.startswith(b"PAR1"):
        return "cache"
    return "bcf" if head.startswith(b"BCF\2") else ""


def check_whole(path: Path) -> None:
    """Refuse what is no file, empty, or a BGZF file without its end block.

    Raises:
        GenomeError: saying which of them it is.
    """
    if not path.exists():
        raise GenomeError("no such file", where=str(path))
    if not path.is_file():
        raise GenomeError("is not a file", where=str(path), hint="name the genome files themselves")
    size = path.stat().st_size
    if not size:
        raise GenomeError("is empty, not a VCF file", where=str(path))
    if is_bgzf(path) and not _ends_well(path, size):
        raise GenomeError("is truncated: the BGZF end-of-file block is missing", where=str(path), hint=_AGAIN)


def is_bgzf(path: Path) -> bool:
    """Whether the file starts with a BGZF block."""
    with path.open("rb") as file:
        head = file.read(18)
    return head[:4] == _BGZF_MAGIC and head[12:14] == b"BC"


def pieces(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    """The bytes of a plain, gzip or BGZF file, some at a time.

    BGZF is unpacked block by block here: `unpacked`, which reads every sort of gzip, takes half as long again.

    Raises:
        GenomeError: when unpacking fails.
    """
    with _failing_clearly(path), path.open("rb") as file:
        head = file.read(_BGZF_HEAD)
        while head.startswith(_BGZF_MAGIC) and head[12:16] == _BGZF_FIELD:
            left = int.from_bytes(head[16:18], "little") + 1 - _BGZF_HEAD
            body = file.read(left + _BGZF_HEAD)  # with the head of the next block
            yield _inflated(body[:left], left)
            head = body[left:]
        file.seek(-len(head), io.SEEK_CUR)
        rest = _gunzip(file, size) if head.startswith(b"\x1f\x8b") else cast("BinaryIO", file)
        while piece := rest.read(size):
            yield piece


def _inflated(body: bytes, size: int) -> bytes:
    """What is in a block that has `size` bytes behind its head (SAM specification, section 4.1)."""
    if size < _BGZF_TAIL.size or len(body) < size:
        raise EOFError("the file ends within a block")
    check, length = _BGZF_TAIL.unpack_from(body, size - _BGZF_TAIL.size)
    data = zlib.decompress(body, -zlib.MAX_WBITS, min(max(length, 1), _BGZF_MOST))  # that is only where it starts
    if len(data) != length or zlib.crc32(data) != check:
        raise gzip.BadGzipFile("CRC check failed")
    return data


@contextmanager
def unpacked(path: Path, ahead: int = 1 << 20) -> Iterator[BinaryIO]:
    """The bytes of a plain, gzip or BGZF file as a buffered stream, which unpacks so many at a time.

    Raises:
        GenomeError: when unpacking fails, also later while the stream is being read.
    """
    with _failing_clearly(path), path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        yield _gunzip(raw, ahead) if packed else cast("BinaryIO", raw)


@contextmanager
def _failing_clearly(path: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise GenomeError(f"cannot be unpacked: {error}", where=str(path), hint=_AGAIN) from error
    except OSError as error:
        raise GenomeError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


@contextmanager
def quiet_htslib() -> Iterator[None]:
    """Keep htslib from writing to standard error; its errors come back as exceptions."""
    import pysam

    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)


def _gunzip(raw: io.BufferedReader, ahead: int) -> BinaryIO:
    # BufferedReader iterates lines in C; GzipFile by itself does so in Python.
    return cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=raw), ahead))


def _ends_well(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, size - len(BGZF_END)))
        return file.read() == BGZF_END
