"""How a record is written: what the VCF specification forbids and yet is found in files.

A fault that leaves the meaning clear is told and the record used; an allele that is none is unknown. Sections are those
of the VCF 4.3 specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pmed.errors import GenomeError


class Fault(NamedTuple):
    """Something wrong with a file that could be read all the same: an ``issues`` row."""

    where: str
    code: str
    text: str


_CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./;?@^_|~-][0-9A-Za-z!#$%&+./;=?@^_|~-]*|<[^<>\s]+>|HLA-[^\s,<>]+")
_BASES = re.compile(r"[ACGTN]+")
_MATE = r"[\[\]][^\[\]\s,]+[\[\]]"
_ALT = re.compile(rf"[ACGTN]+|\*|\.[ACGTN]+|[ACGTN]+\.|<[^<>\s,]+>|(?:[ACGTN.]+){_MATE}|{_MATE}(?:[ACGTN.]+)")
_KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.]*")
_SEMICOLON_WORDS = ("", ".", "0")


def contig_fault(name: str) -> str:
    """What is wrong with a contig's name (1.4.7), "" for nothing; HLA contigs have colons and stars."""
    return "" if _CONTIG.fullmatch(name) else f"{name!r} is not a contig name"


def is_base_text(ref: str) -> bool:
    """Whether a REF is plain bases (1.6.1)."""
    return _BASES.fullmatch(ref) is not None


def is_alt(alt: str) -> bool:
    """Whether an ALT is bases, ``*``, symbolic, a breakend or a single breakend (1.6.1, 5.4), in upper case."""
    return _ALT.fullmatch(alt) is not None


def record_faults(ref: str, alts: tuple[str, ...], flt: str | None, form: str, where: str) -> Iterator[tuple[str, str]]:
    """(code, text) of each fault of one record's columns.

    Raises:
        GenomeError: an empty ALT or a FORMAT key given twice: what the numbers and values belong to is unclear.
    """
    if not is_base_text(ref):
        yield "ref-malformed", f"REF {ref} is not bases: the record was not used"
    for number, alt in enumerate(alts, 1):
        if not alt:
            raise GenomeError(f"ALT {number} is empty", where=where)
        if not is_alt(alt):
            yield "alt-malformed", f"ALT {alt} is no allele: calls of it are unknown"
    if flt is not None and _bad_filter(flt):
        yield "filter-malformed", f"FILTER {flt!r} is not a list of filters: read as failed"
    if twice := _twice(form):
        raise GenomeError(f"FORMAT names {twice} twice", where=where)
    if odd := _odd_keys(form):
        yield "format-malformed", f"FORMAT {form!r} has the key {odd!r}"


@lru_cache(maxsize=1024)
def _bad_filter(flt: str) -> bool:
    words = flt.split(";")
    return (len(words) > 1 and any(word in _SEMICOLON_WORDS for word in words)) or len(set(words)) < len(words) \
        or any(word == "0" or " " in word for word in words)


@lru_cache(maxsize=1024)
def _twice(form: str) -> str:
    keys = form.split(":")
    return next((key for key in keys if key and keys.count(key) > 1), "")


@lru_cache(maxsize=1024)
def _odd_keys(form: str) -> str | None:
    return next((key or "''" for key in form.split(":") if not _KEY.fullmatch(key)), None)
