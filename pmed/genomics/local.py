"""Local alleles: a sample's own few of many, as VCF 4.5 (section 1.6.2), Hail and GATK write them.

LAA lists the ALTs that matter for the sample, by their number in the record (1 is the first). In LGT, LAD and LPL
allele 0 is REF and allele i the i-th of LAA. Hail's LA is the same with REF's 0 in front of it. Where there is none,
REF alone is local.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NONE = -1
KEYS = ("LAA", "LA")
GENOTYPE = "LGT"


def has_genotype(keys: Sequence[str]) -> bool:
    """Whether records of a FORMAT have genotypes."""
    return "GT" in keys or GENOTYPE in keys


def indices(fields: pl.Series, keys: Sequence[str]) -> pl.Series:
    """(calls,) the text that names each call's local alleles, REF's 0 in front."""
    name = next((key for key in KEYS if key in keys), "")
    if not name:
        return pl.Series(["0"]).new_from_index(0, len(fields))
    texts = fields.list.get(keys.index(name), null_on_oob=True).replace([".", ""], None)
    return ("0," + texts).fill_null("0") if name == "LAA" else texts.fill_null("0")


def numbers(of: pl.Series) -> Ints:
    """(calls,) how many local alleles there are."""
    return of.str.count_matches(",", literal=True).to_numpy().astype(np.int64) + 1


def to_record(alleles: Ints, of: pl.Series) -> Ints:
    """(calls, 2) local alleles as those of the record; one that is not listed is unknown."""
    return _through(alleles, of, lambda listed, one: listed[one] if one < len(listed) else NONE)


def to_local(alleles: Ints, of: pl.Series) -> Ints:
    """(calls, 2) alleles of the record as local ones; one that is not listed is unknown."""
    return _through(alleles, of, lambda listed, one: listed.index(one) if one in listed else NONE)


def _through(alleles: Ints, of: pl.Series, find: Callable[[list[int], int], int]) -> Ints:
    """What `find` makes of each allele that is known; each distinct call is looked at once."""
    frame = pl.DataFrame({"of": of, "one": alleles[:, 0], "two": alleles[:, 1]})
    distinct = frame.unique(maintain_order=True)
    made = [[NONE if one == NONE else find(_listed(text), one) for one in pair] for text, *pair in distinct.iter_rows()]
    found = distinct.with_columns(pl.Series("to_one", [one for one, _ in made], pl.Int64),
                                  pl.Series("to_two", [two for _, two in made], pl.Int64))
    return frame.join(found, on=["of", "one", "two"], how="left", maintain_order="left").select(
        "to_one", "to_two").to_numpy()


def _listed(text: str) -> list[int]:
    """The numbers that a text lists; what is none stands for no allele."""
    return [int(one) if one.isdecimal() else NONE for one in text.split(",")]
