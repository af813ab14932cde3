"""Sample columns of VCF records to arrays of allele numbers.

Lines whose FORMAT is exactly GT and whose calls are all diploid with one digit an allele are read through a
fixed-width view (``0|1`` and a tab are four bytes), checked line by line. All other lines go the general way,
where each distinct genotype text is decoded once. Both ways give the same cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.errors import GenomeError
from pmed.tables import STATES

from .records import Record

CALLED, HALF, NO_CALL, FILTERED, ABSENT, ASSUMED = range(len(STATES))
PASSED = (None, "PASS")
NUMBERS = {"PS": "phase_set", "DP": "dp", "GQ": "gq"}
_TAB, _BAR, _SLASH, _DOT, _ZERO, _NINE = (ord(c) for c in "\t|/.09")
_GENOTYPE = re.compile(r"[/|]?(?:\.|\d{1,4})(?:[/|](?:\.|\d{1,4}))*")


class Genotype(NamedTuple):
    """One decoded GT: allele numbers (-1 unknown or none), ploidy (-1 none), phased (-1 does not apply)."""

    first: int
    second: int
    ploidy: int
    phased: int


@dataclass
class Calls:
    """Decoded sample columns, each array records × samples; -1 stands for null.

    `first` and `second` number the alleles as the record does: 0 REF, 1 the first ALT. `state` indexes
    ``STATES``, `filter` the texts in `filters`. `numbers` holds PS, DP and GQ where any record has them.
    """

    first: NDArray[np.int16]
    second: NDArray[np.int16]
    ploidy: NDArray[np.int8]
    phased: NDArray[np.int8]
    state: NDArray[np.int8]
    filter: NDArray[np.int16]
    filters: list[str] = field(default_factory=list)
    numbers: dict[str, NDArray[np.int64]] = field(default_factory=dict)


def parse_genotype(text: str) -> Genotype | None:
    """Decode one GT (VCF 4.3 specification, section 1.6.2); None if it is malformed.

    A lone ``.`` has no ploidy; more than two alleles keep their number and become unknown; a haploid call
    counts as phased. The leading separator of VCF 4.4 is accepted.

    >>> parse_genotype("0|1"), parse_genotype("./1"), parse_genotype(".")
    (Genotype(first=0, second=1, ploidy=2, phased=1), Genotype(first=-1, second=1, ploidy=2, phased=0), \
Genotype(first=-1, second=-1, ploidy=-1, phased=-1))
    """
    if not _GENOTYPE.fullmatch(text):
        return None
    alleles = [-1 if a == "." else int(a) for a in re.split(r"[/|]", text.lstrip("/|"))]
    phased = int("/" not in text)
    if len(alleles) == 1:
        return Genotype(alleles[0], -1, 1, 1) if alleles[0] >= 0 else Genotype(-1, -1, -1, -1)
    return Genotype(alleles[0], alleles[1], 2, phased) if len(alleles) == 2 else Genotype(-1, -1, len(alleles), phased)


def decode(records: Sequence[Record], columns: NDArray[np.intp], width: int, *, keep_filtered: bool = False) -> Calls:
    """Decode the sample `columns` (numbers of `width` in all) of `records`.

    Records, and calls by their own FT, that did not pass their filters become unknown with state ``filtered``,
    unless `keep_filtered`.

    Raises:
        GenomeError: a record has no GT, too few or too many columns, a malformed genotype, an allele beyond ALT.
    """
    calls = _blank(len(records), len(columns))
    plain = [n for n, r in enumerate(records) if r.format == "GT" and len(r.calls.rstrip()) == 4 * width - 1]
    fitted = _fixed_width(calls, records, plain, columns, width)
    _general(calls, records, sorted(set(range(len(records))) - fitted), columns, width)
    _check_alleles(calls, records)
    _set_states(calls)
    _set_filters(calls, records, keep_filtered=keep_filtered)
    return calls


def states(first: NDArray[np.integer], second: NDArray[np.integer], ploidy: NDArray[np.integer]) -> NDArray[np.int8]:
    """Called, half-call or no-call from the alleles that are known."""
    known = (first >= 0).astype(np.int8) + (second >= 0)
    whole = (known == ploidy) & (known > 0)
    return np.where(whole, CALLED, np.where((known == 1) & (ploidy == 2), HALF, NO_CALL)).astype(np.int8)


def _blank(records: int, samples: int) -> Calls:
    shape = (records, samples)
    return Calls(*(np.full(shape, -1, np.int16) for _ in range(2)), *(np.full(shape, -1, np.int8) for _ in range(3)),
                 filter=np.full(shape, -1, np.int16))


def _fixed_width(calls: Calls, records: Sequence[Record], plain: list[int], columns: NDArray[np.intp],
                 width: int) -> set[int]:
    """Fill `calls` from the lines of `plain` that really are four bytes a sample; say which they were."""
    if not plain:
        return set()
    joined = b"".join(records[n].calls.rstrip() + b"\t" for n in plain)
    cells = np.frombuffer(joined, np.uint8).reshape(len(plain), width, 4)
    one, sep, two, end = (cells[:, :, i] for i in range(4))
    good = ((end == _TAB) & ((sep == _BAR) | (sep == _SLASH)) & _is_allele(one) & _is_allele(two)).all(axis=1)
    rows = np.asarray(plain)[good]
    at = np.ix_(good, columns)
    calls.first[rows], calls.second[rows] = _allele(one[at]), _allele(two[at])
    calls.ploidy[rows], calls.phased[rows] = 2, sep[at] == _BAR
    return set(rows.tolist())


def _is_allele(byte: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return ((byte >= _ZERO) & (byte <= _NINE)) | (byte == _DOT)


def _allele(byte: NDArray[np.uint8]) -> NDArray[np.int16]:
    return np.where(byte == _DOT, -1, byte.astype(np.int16) - _ZERO).astype(np.int16)


def _general(calls: Calls, records: Sequence[Record], rows: list[int], columns: NDArray[np.intp], width: int) -> None:
    by_format: dict[str, list[int]] = {}
    for row in rows:
        by_format.setdefault(records[row].format, []).append(row)
    for form, group in by_format.items():
        keys = form.split(":")
        if "GT" not in keys:
            raise GenomeError("the record has no GT", where=records[group[0]].where, hint="pmed needs called genotypes")
        texts = [text for row in group for text in _columns(records[row], columns, width)]
        fields = _fields(pl.Series(texts, dtype=pl.String), keys)
        _fill_genotypes(calls, fields["GT"], records, group)
        _fill_numbers(calls, fields, group)
        if "FT" in fields:
            failed = fields["FT"].replace([".", "PASS", ""], [None, None, None])
            calls.filter[group] = _codes(failed, calls.filters).reshape(len(group), -1)


def _columns(record: Record, columns: NDArray[np.intp], width: int) -> list[str]:
    texts = record.calls.decode("latin-1").rstrip("\r\n").split("\t")
    if len(texts) != width:
        raise GenomeError(f"the record has {len(texts)} sample columns, the header {width}", where=record.where)
    return texts if len(columns) == width else [texts[i] for i in columns]


def _fields(texts: pl.Series, keys: list[str]) -> dict[str, pl.Series]:
    """The FORMAT fields that are used; trailing ones may be left out of a call."""
    if keys == ["GT"]:
        return {"GT": texts}
    parts = texts.str.split(":")
    return {key: parts.list.get(keys.index(key), null_on_oob=True) for key in ("GT", "FT", *NUMBERS) if key in keys}


def _fill_genotypes(calls: Calls, texts: pl.Series, records: Sequence[Record], group: list[int]) -> None:
    distinct: list[str] = []
    codes = _codes(texts, distinct).reshape(len(group), -1)
    decoded = [parse_genotype(text) for text in distinct]
    for number, genotype in enumerate(decoded):
        if genotype is None:
            row = group[int(np.argmax((codes == number).any(axis=1)))]
            raise GenomeError(f"malformed genotype {distinct[number]!r}", where=records[row].where)
    table = np.array(decoded, np.int16).reshape(-1, 4)
    calls.first[group], calls.second[group], calls.ploidy[group], calls.phased[group] = (
        table[codes, i] for i in range(4))


def _fill_numbers(calls: Calls, fields: dict[str, pl.Series], group: list[int]) -> None:
    for key in NUMBERS.keys() & fields.keys():
        array = calls.numbers.setdefault(key, np.full(calls.first.shape, -1, np.int64))
        values = fields[key].cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
        array[group] = values.fill_null(-1).clip(-1, None).to_numpy().reshape(len(group), -1)


def _codes(texts: pl.Series, known: list[str]) -> NDArray[np.int16]:
    """Number each text in the list of `known` ones, which grows by the new; null is -1."""
    known.extend(text for text in texts.drop_nulls().unique(maintain_order=True).to_list() if text not in known)
    numbered = texts.replace_strict(known, range(len(known)), default=-1, return_dtype=pl.Int16) if known else None
    return np.full(len(texts), -1, np.int16) if numbered is None else numbered.fill_null(-1).to_numpy().astype(np.int16)


def _check_alleles(calls: Calls, records: Sequence[Record]) -> None:
    if not calls.first.size:
        return
    highest = np.maximum(calls.first, calls.second).max(axis=1)
    for record, allele in zip(records, highest.tolist(), strict=True):
        if allele > len(record.alts):
            raise GenomeError(f"genotype names allele {allele}, but the record has {len(record.alts)} ALT",
                              where=record.where)


def _set_states(calls: Calls) -> None:
    calls.state[:] = states(calls.first, calls.second, calls.ploidy)


def _set_filters(calls: Calls, records: Iterable[Record], *, keep_filtered: bool) -> None:
    """Blank what did not pass; name the filter of every call, a call's own FT before its record's FILTER."""
    texts = pl.Series([record.filter for record in records], dtype=pl.String)
    codes = _codes(texts, calls.filters)[:, None]
    failed = (calls.filter >= 0) | ~np.array([text in PASSED for text in texts], bool)[:, None]
    calls.filter[:] = np.where(calls.filter >= 0, calls.filter, codes)
    if not keep_filtered:
        calls.first[failed] = calls.second[failed] = -1
        calls.state[failed] = FILTERED
