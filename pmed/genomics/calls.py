"""The sample columns of one record as arrays over samples.

Most cohort files carry nothing but diploid single-digit genotypes, four bytes a sample: those are read as a
fixed-width view, checked line by line. Everything else is split, and each distinct GT text is decoded once.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pmed.errors import GenomeError

from . import local, mixtures, support, sureness
from .coded import MEANINGS, Coded
from .contigs import MITOCHONDRION
from .reads import Reads, judged
from .syntax import Fault

if TYPE_CHECKING:
    from .records import Record

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
NONE = -1
_MOST_DIGITS = 4
_EVEN_ODDS = 3  # phred: one in two
MOST_CELLS = 4_000_000
_SEPARATOR = re.compile(r"[/|]")


@dataclass(frozen=True)
class Calls:
    """One record's genotypes, one entry a sample; -1 is unknown or not given.

    Attributes:
        alleles: (samples, 2) index into REF, ALT…; the second is -1 where haploid.
        ploidy: alleles in the call, 0 where there is none.
        phased: ``|`` between the alleles.
        phase_set: PS.
        dp: DP; where MIN_DP is given, the lesser of the two.
        gq: GQ, or where that is not given RGQ or GQX, or what `sureness` makes of other fields.
        failed: FT is neither PASS nor ``.``.
        length: LEN, bases that a block of VCF 4.5 covers, each sample for itself.
        uneven: AD does not fit the call; None where the records were not read as text, or have no AD.
        against: AD contradicts the call (`reads.judged`); None likewise.
        unlikely: Likelihoods or posteriors contradict the call (`sureness.contradicted`); None likewise.
        copies: CN, copies of the stretch that the record spans; None where no sample has it.
    """

    alleles: Ints
    ploidy: Ints
    phased: NDArray[np.bool_]
    phase_set: Ints
    dp: Ints
    gq: Ints
    failed: NDArray[np.bool_]
    length: Ints | None = None
    uneven: NDArray[np.bool_] | None = None
    against: NDArray[np.bool_] | None = None
    unlikely: NDArray[np.bool_] | None = None
    copies: Ints | None = None

    def of(self, samples: NDArray[Any]) -> Calls:
        """The calls of the samples at those places."""
        return Calls(**{name: values[samples] for name, values in vars(self).items() if values is not None})

    def ends(self, pos: int, last: int) -> Ints:
        """(samples,) last position that a record at `pos` says something about: `last`, or by LEN each its own."""
        if self.length is None:
            return np.full(len(self.ploidy), last)
        return np.where(self.length == NONE, last, np.minimum(pos + np.maximum(self.length, 1) - 1, last))

    def weak(self, least_dp: int, least_gq: int) -> NDArray[np.bool_]:
        """(samples,) calls below one of the thresholds, or without the number; 0 asks nothing."""
        return (self.ploidy > 0) & ((self.dp < least_dp) & (least_dp > 0) | (self.gq < least_gq) & (least_gq > 0))

    def unfounded(self) -> NDArray[np.bool_]:
        """(samples,) calls without evidence: no read, one for two copies, or as likely wrong as right (GQ 3: 50 %).

        GATK, for one, writes 0/0 where there was no read.
        """
        copies = (self.alleles != NONE).sum(axis=1)
        few, unsure = (self.dp != NONE) & (self.dp < copies), (self.gq != NONE) & (self.gq <= _EVEN_ODDS)
        return np.asarray((copies > 0) & (few | unsure))

    def without(self, who: NDArray[np.bool_], failed: NDArray[np.bool_]) -> Calls:
        """The same with the alleles of `who` unknown and `failed` for the filters."""
        return replace(self, alleles=np.where(who[:, None], NONE, self.alleles), failed=failed)


@dataclass(frozen=True)
class Shared:
    """`Calls`, those that are alike once; `of` says which of them each sample has, None that each has its own."""

    calls: Calls
    of: NDArray[np.uint8] | None = None

    @classmethod
    def coded(cls, coded: Coded) -> Shared:
        """Those of a record with a byte a sample."""
        found, of = coded.parts()
        said = {name: values[found] for name, values in MEANINGS.items()}
        alleles = np.stack([said["allele_1"], said["allele_2"]], axis=-1).astype(np.int64)
        nothing = np.full(len(found), NONE)
        return cls(Calls(alleles, said["ploidy"].astype(np.int64), said["phased"], nothing, nothing, nothing,
                         np.zeros(len(found), dtype=bool)), of)

    @property
    def whole(self) -> Calls:
        """One entry a sample."""
        return self.calls if self.of is None else self.calls.of(self.of)

    def at(self, samples: Ints) -> Shared:
        """The calls of the samples at those places."""
        return Shared(self.calls.of(samples)) if self.of is None else Shared(self.calls, self.of[samples])

    def number(self, which: NDArray[np.bool_]) -> int:
        """How many samples have one of those `calls`."""
        return int(self.each(which).sum()) if which.any() else 0

    def each(self, values: NDArray[Any]) -> NDArray[Any]:
        """What was worked out of `calls`, one entry a sample."""
        return values if self.of is None else values[self.of]


@dataclass(frozen=True)
class Packed:
    """The sample columns of one record, deflated: those of a cohort are long, and mostly alike."""

    data: bytes

    @classmethod
    def of(cls, text: bytes) -> Packed:
        """Pack a text; quickly rather than tightly."""
        return cls(zlib.compress(text, 1))

    @property
    def text(self) -> bytes:
        """What was packed."""
        return zlib.decompress(self.data)


@dataclass(frozen=True)
class Alike:
    """`Calls` in little room: a column in which everybody is alike is one value, and small numbers are bytes.

    Attributes:
        samples: How many there are.
        columns: The fields of `Calls` but `alleles`, which are ``allele_1`` and ``allele_2``: (samples,) or (1,) each.
    """

    samples: int
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]]) -> Alike:
        """Columns of one value a sample."""
        return cls(len(columns["allele_1"]), {name: _little(values) for name, values in columns.items()})

    def at(self, samples: Ints) -> Alike:
        """The calls of the samples at those places."""
        return Alike(len(samples), {name: values if len(values) == 1 else values[samples]
                                    for name, values in self.columns.items()})

    @property
    def calls(self) -> Calls:
        """One entry a sample."""
        whole = {name: np.broadcast_to(values, self.samples) for name, values in self.columns.items()}
        alleles = np.stack([whole.pop("allele_1"), whole.pop("allele_2")], axis=-1).astype(np.int64)
        return Calls(alleles, **{name: np.array(values, dtype=bool if values.dtype == np.bool_ else np.int64)
                                 for name, values in whole.items()})


def _little(values: NDArray[Any]) -> NDArray[Any]:
    if len(values) and (values == values[0]).all():
        return values[:1].copy()
    small = values.dtype != np.bool_ and values.min(initial=0) >= NONE and values.max(initial=0) < 1 << 7
    return values.astype(np.int8) if small else values.copy()


class _Genotype(NamedTuple):
    first: int
    second: int
    ploidy: int
    phased: bool


def decode(records: Sequence[Record], samples: int) -> tuple[list[Calls], list[Fault]]:
    """As `decode_shared`, with one entry a sample."""
    found, faults = decode_shared(records, samples)
    return [one.whole for one in found], faults


def decode_shared(records: Sequence[Record], samples: int) -> tuple[list[Shared], list[Fault]]:
    """Read the calls of all `samples` of each record; records with the same FORMAT are read together.

    Also gives what is wrong with them and could be read all the same.

    Raises:
        GenomeError: another number of samples than the header names, a genotype that is none.
    """
    faults: list[Fault] = []
    records = [_unpacked(one) for one in records]
    plain = [_at_once(record, samples) for record in records]
    left = [number for number, calls in enumerate(plain) if calls is None]
    found = {number: calls for number, calls in enumerate(plain) if calls is not None}
    for batch in _batches(records, left, samples):
        found.update(zip(batch, map(Shared, _general([records[number] for number in batch], samples)), strict=True))
        faults += _odd_cells([records[number] for number in batch])
    return [_known(records[number], found[number], faults) for number in range(len(records))], faults


def _unpacked(record: Record) -> Record:
    calls = record.calls
    if isinstance(calls, Packed):
        return replace(record, calls=calls.text)
    return replace(record, calls=calls.calls) if isinstance(calls, Alike) else record


def _odd_cells(records: Sequence[Record]) -> Iterator[Fault]:
    """Records of one FORMAT without a GT, or with a sample that has more values than FORMAT has keys."""
    form = records[0].format
    for record in records:
        if not local.has_genotype(form.split(":")):
            yield Fault(record.where, "no-genotype", "the record has no GT: nobody was called there")
        most = max((cell.count(b":") for cell in bytes(record.calls).split(b"\t")), default=0)  # type: ignore[arg-type]
        if most > form.count(":"):
            yield Fault(record.where, "values-malformed", f"a sample has more values than FORMAT {form} has keys")


def _batches(records: Sequence[Record], numbers: Sequence[int], samples: int) -> Iterator[list[int]]:
    """Numbers of records with the same FORMAT, mitochondrial ones for themselves; so many that memory stays bounded."""
    most = max(1, MOST_CELLS // max(1, samples))
    by_format: dict[tuple[str, bool], list[int]] = {}
    for number in numbers:
        one = records[number]
        by_format.setdefault((one.format, one.chrom == MITOCHONDRION), []).append(number)
    for same in by_format.values():
        yield from (same[start:start + most] for start in range(0, len(same), most))


def _known(record: Record, shared: Shared, faults: list[Fault]) -> Shared:
    """The same, with alleles that the record does not have unknown."""
    calls = shared.calls
    highest = int(calls.alleles.max(initial=NONE))
    if highest <= len(record.alts):
        return shared
    faults.append(Fault(record.where, "allele-unknown",
                        f"a genotype names allele {highest}, but there are {len(record.alts)} ALTs: it is unknown"))
    known = replace(calls, alleles=np.where(calls.alleles > len(record.alts), NONE, calls.alleles))
    return replace(shared, calls=known)


def _at_once(record: Record, samples: int) -> Shared | None:
    """Calls that need no splitting, or None."""
    if isinstance(record.calls, Calls):
        return Shared(record.calls)
    if isinstance(record.calls, Coded):
        return Shared.coded(record.calls)
    text = record.calls if isinstance(record.calls, bytes) and record.format == "GT" else b""
    coded = Coded.of_text(text, samples, record.format)
    return None if coded is None else Shared.coded(coded)


def _general(records: Sequence[Record], samples: int) -> list[Calls]:
    """Calls of records with one FORMAT; each distinct GT text is decoded once."""
    keys = records[0].format.split(":")
    fields = pl.Series([cell for record in records for cell in _cells(record, samples)]).str.split(":")
    key, of = "GT" if "GT" in keys else local.GENOTYPE, local.indices(fields, keys)
    nothing = pl.Series(["."]).new_from_index(0, len(fields))
    texts = fields.list.get(keys.index(key), null_on_oob=True).fill_null(".") if key in keys else nothing
    found = _genotypes(texts, records, samples)
    if key != "GT":
        found = np.column_stack([local.to_record(found[:, :2], of), found[:, 2:]])
    mixed = records[0].chrom == MITOCHONDRION and any(key in mixtures.KEYS for key in keys)
    found, denied = mixtures.resolved(found, fields, keys) if mixed else (found, None)
    dp, least, gq, rgq, gqx = (_numbers(fields, keys, key) for key in ("DP", "MIN_DP", "GQ", "RGQ", "GQX"))
    phase_set, unreadable = _phase_sets(fields, keys)
    dp = np.where(least == NONE, dp, np.where(dp == NONE, least, np.minimum(dp, least)))
    gq, phased = np.where(gq == NONE, np.where(rgq == NONE, gqx, rgq), gq), (found[:, 3] == 1) & ~unreadable
    known = _Known(np.repeat([len(record.alts) + 1 for record in records], samples), of)
    uneven, against, unlikely, quality = _evidence(fields, keys, found, gq, known)
    against = denied if against is None else against if denied is None else against | denied
    whole = Calls(found[:, :2], found[:, 2], phased, phase_set, dp, quality, _failed(fields, keys),
                  _numbers(fields, keys, "LEN") if "LEN" in keys else None,
                  uneven, against, unlikely, _numbers(fields, keys, "CN") if "CN" in keys else None)
    parts = {name: np.split(values, len(records)) for name, values in vars(whole).items() if values is not None}
    return [Calls(**{name: values[number] for name, values in parts.items()}) for number in range(len(records))]


class _Known(NamedTuple):
    """(calls,) how many alleles each call's record has, and the local ones: the text that lists them."""

    many: Ints
    local: pl.Series


def _evidence(fields: pl.Series, keys: list[str], found: Ints, gq: Ints,
              known: _Known) -> tuple[Bools | None, Bools | None, Bools | None, Ints]:
    """What reads and likelihoods, of all alleles or the local ones, say of each call, and its quality."""
    alleles, ploidy, uneven, against, unlikely = found[:, :2], found[:, 2], None, None, None
    own = local.to_local(alleles, known.local) if any(key in keys for key in ("LAD", "LPL")) else alleles
    if support.counted(keys):
        mine = own if support.is_local(keys) else alleles
        uneven, against = judged(mine, ploidy, _reads(fields, keys, mine))
    if any(key in sureness.JUDGED for key in keys):
        unlikely = sureness.contradicted(fields, keys, alleles, ploidy, quality=gq, many=known.many)
    if (gq == NONE).any() and any(key in sureness.KEYS for key in keys):
        gq = np.where(gq == NONE, sureness.quality(fields, keys, alleles, ploidy), gq)
    if "LPL" in keys:
        renamed = ["" if key in sureness.JUDGED else "PL" if key == "LPL" else key for key in keys]
        worse = sureness.contradicted(fields, renamed, own, ploidy, quality=gq, many=local.numbers(known.local))
        unlikely = worse if unlikely is None else unlikely | worse
        gq = np.where(gq == NONE, sureness.quality(fields, renamed, own, ploidy), gq)
    return uneven, against, unlikely, gq


def _cells(record: Record, samples: int) -> list[str]:
    assert isinstance(record.calls, bytes)  # noqa: S101 - the others were taken at once
    cells = record.calls.decode("latin-1").split("\t")
    if len(cells) != samples:
        raise GenomeError(f"the record has {len(cells)} samples, the header names {samples}", where=record.where)
    return cells


def _genotypes(texts: pl.Series, records: Sequence[Record], samples: int) -> Ints:
    """(records × samples, 4) first, second, ploidy, phased."""
    distinct = texts.unique(maintain_order=True)
    first = [texts.index_of(text) or 0 for text in distinct]
    decoded = np.array([_genotype(text, records[cell // samples]) for text, cell in zip(distinct, first, strict=True)],
                       dtype=np.int64)
    which = pl.DataFrame({"gt": texts}).join(
        pl.DataFrame({"gt": distinct}).with_row_index("n"), on="gt", how="left", maintain_order="left")["n"]
    return np.asarray(decoded[which.to_numpy()])


def _genotype(text: str, record: Record) -> _Genotype:
    """One GT; a leading separator tells the phase of the first allele (VCF 4.4, section 1.6.2)."""
    bare = text[1:] if text[:1] in ("/", "|") else text
    parts = _SEPARATOR.split(bare)
    if not all(part == "." or (part.isdecimal() and len(part) <= _MOST_DIGITS) for part in parts):
        raise GenomeError(f"the genotype {text!r} cannot be read", where=record.where)
    alleles = [NONE if part == "." else int(part) for part in parts]
    if alleles == [NONE]:
        return _Genotype(NONE, NONE, 0, phased=False)
    return _Genotype(alleles[0], alleles[1] if len(alleles) > 1 else NONE, len(alleles),
                     phased="/" not in text and len(alleles) > 1)


def _reads(fields: pl.Series, keys: list[str], found: Ints) -> Reads:
    """What AD (or what stands for it) and DP say of the alleles of each call."""
    frame = pl.DataFrame({"reads": support.reads_of(fields, keys), "one": found[:, 0], "two": found[:, 1]})
    one, two = (pl.when(pl.col(name) >= 0).then(pl.col("reads").list.get(pl.col(name).clip(0), null_on_oob=True))
                for name in ("one", "two"))
    told = frame.select(one=one, two=two, total=pl.col("reads").list.sum()).fill_null(NONE)
    first, second, total = (told[name].to_numpy() for name in ("one", "two", "total"))
    return Reads(first, second, total, _numbers(fields, keys, "DP"))


def _failed(fields: pl.Series, keys: list[str]) -> NDArray[np.bool_]:
    """Calls that did not pass the filters of their own (FT, VCF 4.3 section 1.6.2)."""
    if "FT" not in keys:
        return np.zeros(len(fields), dtype=bool)
    texts = fields.list.get(keys.index("FT"), null_on_oob=True).fill_null(".")
    return ~np.isin(texts.to_list(), (".", "PASS", ""))


def _phase_sets(fields: pl.Series, keys: list[str]) -> tuple[Ints, NDArray[np.bool_]]:
    """PS, and whether one is given that is none: then nothing is known of the phase."""
    if "PS" not in keys:
        return np.full(len(fields), NONE), np.zeros(len(fields), dtype=bool)
    texts = fields.list.get(keys.index("PS"), null_on_oob=True).replace([".", ""], None)
    values = texts.cast(pl.Int64, strict=False)
    unreadable = (texts.is_not_null() & ~(values >= 0).fill_null(value=False)).to_numpy()
    return np.where(unreadable, NONE, values.fill_null(NONE).to_numpy()), unreadable


def _numbers(fields: pl.Series, keys: list[str], key: str) -> Ints:
    if key not in keys:
        return np.full(len(fields), NONE)
    # A quality may be written with a fraction; what is no number is not known.
    values = fields.list.get(keys.index(key), null_on_oob=True).cast(pl.Float64, strict=False)
    return values.fill_nan(None).fill_null(NONE).clip(NONE, 2**31 - 1).cast(pl.Int64).to_numpy()
