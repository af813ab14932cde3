"""The head of a scoring file, formats 1 and 2 of the PGS Catalog, and which columns have its positions on a build."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pmed.errors import InputError

_GZIP = b"\x1f\x8b"
BLOCK = 1 << 22  # bytes of text; what is made of them takes some 16 times as much
# Lambert et al., Nat Genet 2021;53:420 (doi:10.1038/s41588-021-00783-5); keys of format 1 read as those of format 2.
_FIRST_KEYS = {"pgs id": "pgs_id", "pgs name": "pgs_name", "original genome build": "genome_build",
               "number of variants": "variants_number"}
_BUILDS = {"GRCh38": re.compile(r"grch38|hg38", re.IGNORECASE), "GRCh37": re.compile(r"grch37|hg19", re.IGNORECASE)}
_LINE = re.compile(r"#+\s*([^=]+?)\s*=\s*(.*?)\s*$")


@dataclass(frozen=True)
class Head:
    """The ``#key=value`` lines of a scoring file, the names of its columns, and how many lines these are."""

    path: Path
    said: Mapping[str, str]
    columns: tuple[str, ...]
    lines: int

    @property
    def name(self) -> str:
        """PGS id, else name, else that of the file."""
        return self.said.get("pgs_id") or self.said.get("pgs_name") or self.path.name.partition(".")[0]

    def places(self, build: str) -> tuple[str, str]:
        """Names of the columns with chromosome and position on `build`; harmonised ones come first.

        Raises:
            InputError: the file has no positions, or not on that build.
        """
        ways = (("HmPOS_build", "hm_chr", "hm_pos"), ("genome_build", "chr_name", "chr_position"))
        there = [(build_named(self.said.get(key, "")), chrom, pos) for key, chrom, pos in ways
                 if {chrom, pos} <= set(self.columns)]
        if not there:
            raise InputError("has no positions (chr_name and chr_position, or hm_chr and hm_pos)", where=str(self.path),
                             hint="download the harmonised file of the PGS Catalog")
        for known, chrom, pos in there:
            if known == build:
                return chrom, pos
        known = " and ".join(sorted({known for known, _, _ in there if known})) or "no stated build"
        raise InputError(f"has positions on {known}, the genome is on {build}", where=str(self.path),
                         hint=f"download the file that is harmonised to {build}")


def build_named(text: str) -> str:
    """GRCh38, GRCh37, or "" for anything else (NR, NCBI36).

    >>> [build_named(text) for text in ("hg19", "GRCh38.p13", "NR")]
    ['GRCh37', 'GRCh38', '']
    """
    return next((build for build, pattern in _BUILDS.items() if pattern.search(text)), "")


def blocks(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """A scoring file's text, unpacked if need be, in blocks of whole lines of about `size` bytes.

    Raises:
        InputError: it is not there, or broken off.
    """
    rest = b""
    try:
        with path.open("rb") as raw:
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            file = gzip.GzipFile(fileobj=raw) if packed else raw
            while piece := file.read(size):
                text = rest + piece
                cut = text.rfind(b"\n") + 1
                if cut:
                    yield text[:cut]
                rest = text[cut:]
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError("is cut off or damaged (gzip)", where=str(path), hint="download it again") from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if rest:
        yield rest + b"\n"


def head_of(path: Path) -> Head:
    """The head of a scoring file.

    Raises:
        InputError: it cannot be read, has no columns, or one twice.
    """
    said: dict[str, str] = {}
    first = next(blocks(path), b"")  # holds the whole head, which is some KB at most
    if not first.strip():
        raise InputError("is empty, not a scoring file", where=str(path))
    for number, line in enumerate(first.decode("utf-8", "replace").split("\n")):
        if line.startswith("#"):
            said |= _pair(line)
        elif line.strip():
            return Head(path, said, _columns(path, line.split("\t")), number + 1)
    raise InputError("has no line with column names", where=str(path))


def _pair(line: str) -> dict[str, str]:
    if not (found := _LINE.match(line.strip())):
        return {}
    key, value = found.groups()
    return {_FIRST_KEYS.get(key.lower(), key): value}


def _columns(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    stripped = tuple(name.strip().removeprefix("\ufeff") for name in names)
    if twice := sorted({name for name in stripped if stripped.count(name) > 1}):
        raise InputError(f"has column {twice[0]!r} twice", where=str(path))
    return stripped
