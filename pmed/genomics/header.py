"""The head of a VCF file: is it one, whom does it hold, what does it say of itself."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pmed.errors import GenomeError

from .files import Kind, check_whole, kind_of, quiet_htslib, unpacked

FIXED = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,>]*)')
_AHEAD = 1 << 15  # no more than a header has: what follows it is not for this module
_NOT_VCF = "is not a VCF file: "


@dataclass(frozen=True)
class Header:
    """Sample names in file order, the ``##key=value`` lines before them, and what kind of file it is."""

    path: Path
    samples: tuple[str, ...]
    meta: tuple[tuple[str, str], ...]
    kind: Kind = "vcf"

    def values(self, key: str) -> list[str]:
        """The values of every ``##key=`` line."""
        return [value for name, value in self.meta if name == key]

    def structured(self, key: str) -> list[dict[str, str]]:
        """The ``##key=<ID=…,…>`` lines as mappings."""
        return [{name: text.strip('"') for name, text in _PAIR.findall(value)} for value in self.values(key)]


def read_header(path: Path) -> Header:
    """Read the head of one genome file.

    Raises:
        GenomeError: no such file, a folder, truncated, not a VCF, no samples, a sample twice.
    """
    check_whole(path)
    if kind_of(path) == "bcf":
        return _parsed(_bcf_head(path), path, "bcf")
    with unpacked(path, _AHEAD) as stream:
        return _parsed(list(_head(stream, path)), path, "vcf")


def _parsed(lines: Sequence[str], path: Path, kind: Kind) -> Header:
    meta = tuple(_key_value(line) for line in lines[:-1])
    return Header(path, _samples(lines[-1].split("\t"), path), meta, kind)


def _bcf_head(path: Path) -> list[str]:
    import pysam

    try:
        with quiet_htslib(), pysam.VariantFile(str(path)) as file:
            return str(file.header).rstrip("\n").split("\n")
    except (OSError, ValueError, AssertionError, NotImplementedError) as error:
        raise GenomeError("cannot be read: a damaged BCF file", where=str(path),
                          hint="copy or convert it again") from error


def chosen_samples(headers: Sequence[Header], wanted: Sequence[str]) -> list[tuple[str, ...]]:
    """The samples to read from each file, in file order; all where none is `wanted`.

    Raises:
        GenomeError: a name that no file has, with up to five names that are there.
    """
    there = dict.fromkeys(name for header in headers for name in header.samples)
    asked = frozenset(wanted)
    more = f" and {len(headers) - 1} more" if len(headers) > 1 else ""
    files = "".join(str(header.path) for header in headers[:1]) + more
    for name in wanted:
        if name not in there:
            near = dict.fromkeys([*difflib.get_close_matches(name, there, n=5, cutoff=0.5), *list(there)[:5]])
            raise GenomeError(f"no sample {name!r}", where=files, hint="there are " + ", ".join(list(near)[:5]))
    return [tuple(name for name in header.samples if not asked or name in asked) for header in headers]


def _head(stream: BinaryIO, path: Path) -> Iterator[str]:
    """The lines up to and with ``#CHROM``, without line ends."""
    for number, raw in enumerate(stream, 1):
        line = raw.decode("utf-8", "replace").rstrip("\r\n").removeprefix("\ufeff")
        if number == 1 and not line.startswith("##fileformat=VCF"):
            raise GenomeError(_NOT_VCF + "the first line is not ##fileformat=VCF…", where=str(path))
        if number == 1 and not line.startswith("##fileformat=VCFv4."):
            raise GenomeError(f"{line.removeprefix('##fileformat=')} is not read", where=str(path),
                              hint="convert it to VCF 4.1 or later")
        if not line.startswith("#"):
            break
        yield line
        if not line.startswith("##"):
            return
    raise GenomeError(_NOT_VCF + "there is no #CHROM line", where=str(path))


def _samples(columns: list[str], path: Path) -> tuple[str, ...]:
    if columns[:8] != FIXED[:8]:
        raise GenomeError(_NOT_VCF + "the #CHROM line does not name the eight fixed columns", where=str(path))
    names = tuple(columns[9:])
    if columns[8:9] != FIXED[8:] or not names:
        raise GenomeError("has no genotypes: there is no FORMAT column, or no sample after it", where=str(path),
                          hint="give the VCF with the sample's genotypes")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise GenomeError(f"has sample {twice[0]!r} more than once", where=str(path))
    if "" in names:
        raise GenomeError(_NOT_VCF + "a sample in the #CHROM line has no name", where=str(path))
    return names


def _key_value(line: str) -> tuple[str, str]:
    key, _, value = line[2:].partition("=")
    return key, value


# bcftools merge -0, the plugins missing2ref and setGT -n 0: what a file did not have became 0/0.
_FILLED = re.compile(r"\bmerge\b.*\s(-\w*0\b|--missing-to-ref\b)|\bmissing2ref\b|\bsetGT\b.*\s-n\s*0")


def fills_missing(header: Header) -> bool:
    """Whether the header tells that calls which were missing have been written as reference."""
    return any(key.startswith("bcftools_") and _FILLED.search(value) for key, value in header.meta)
