"""What a raw data export of a consumer array looks like from outside: its first lines, and the zip it comes in.

Nothing here needs another module of the package, so that `files` can ask.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pmed.errors import GenomeError

ZIP = b"PK\x03\x04"
_COLUMNS = re.compile(r"^#?[ \t]*rsid[ \t]+chromosome[ \t]+position[ \t]+(genotype|allele1[ \t]+allele2)[ \t]*\r?$",
                      re.IGNORECASE | re.MULTILINE)
# What zipfile lets through of a damaged archive; a packing that it does not know is a RuntimeError.
_BROKEN = (BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)
_ENCRYPTED = 1  # bit 0 of a member's flags (PKWARE APPNOTE, 4.4.4)
_HINT = "unpack it and give the text file"


class Head(NamedTuple):
    """The first lines of an export: whose it is, how many columns its rows have, the comments as one text a line."""

    source: str
    columns: int
    comments: tuple[str, ...]


def head_of(start: bytes) -> Head | None:
    """Read the first few KB of an unpacked file, or None if it is no such export.

    Both companies name themselves in comments and the columns in a line that 23andMe writes as a comment too. A file of
    the same columns from somebody else is not taken: nobody says which strand it is on.
    """
    text = start.decode("utf-8", "replace").removeprefix("\ufeff")
    found = _COLUMNS.search(text)
    if found is None or text.startswith("##fileformat"):
        return None
    comments = [line.strip() for line in text[:found.start()].splitlines() if line.strip()]
    head = Head("23andMe", 4, ()) if found[1].lower() == "genotype" else Head("AncestryDNA", 5, ())
    named = any(head.source.lower() in line.lower() for line in comments)
    if not named or not all(line.startswith("#") for line in comments):
        return None
    return head._replace(comments=tuple(line.lstrip("# \t") for line in comments))


def is_array(start: bytes) -> bool:
    """Whether the first few KB of an unpacked file are those of a 23andMe or AncestryDNA export."""
    return head_of(start) is not None


def is_zip(path: Path) -> bool:
    """Whether the file starts like a zip archive."""
    with path.open("rb") as file:
        return file.read(len(ZIP)) == ZIP


def from_zip(path: Path, most: int) -> bytes:
    """The first `most` bytes of the one file in a zip archive; what macOS puts beside it does not count.

    Raises:
        GenomeError: a damaged or encrypted archive, or one with no or several files.
    """
    try:
        with ZipFile(path) as archive:
            member = _only(archive.infolist(), path)
            with archive.open(member) as stream:
                return stream.read(most)
    except _BROKEN as error:
        raise GenomeError("cannot be unpacked: a damaged zip archive", where=str(path),
                          hint="copy or download it again") from error
    except OSError as error:
        raise GenomeError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _only(members: list[ZipInfo], path: Path) -> ZipInfo:
    files = [one for one in members if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if len(files) != 1:
        raise GenomeError(f"the zip archive holds {len(files)} files, where one export is expected", where=str(path),
                          hint=_HINT)
    if files[0].flag_bits & _ENCRYPTED or files[0].compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise GenomeError("the zip archive is encrypted or packed in an unusual way", where=str(path), hint=_HINT)
    return files[0]
