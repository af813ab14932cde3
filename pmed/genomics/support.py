"""The reads of each allele as callers write them: AD of most, and what others have in its place.

VarScan has RD for REF and in AD the one number of the change; freebayes RO and AO, older versions and samtools DPR or
DV; Platypus NR and NV; bcftools ADF and ADR by strand; others only the share (AF, VAF) of DP reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_DIRECT, _SHARES = ("AD", "LAD", "DPR"), ("AF", "VAF")
_OF_ALL = (("NR", "NV"), ("DP", "DV"))
_SEVERAL = (("RO", "AO"), ("ADF", "ADR"), *_OF_ALL)
_ALL = ("RD", *_DIRECT, *_SHARES, *(key for pair in _SEVERAL for key in pair))
_PERCENT = 100  # reads where the depth is not given: a share is a share


def counted(keys: Sequence[str]) -> bool:
    """Whether a FORMAT tells the reads of each allele."""
    return any(key in keys for key in (*_DIRECT, *_SHARES)) or any(set(pair) <= set(keys) for pair in _SEVERAL)


def is_local(keys: Sequence[str]) -> bool:
    """Whether it tells them of local alleles."""
    return "LAD" in keys and "AD" not in keys


def reads_of(fields: pl.Series, keys: Sequence[str]) -> pl.Series:
    """(calls,) list of the reads of REF and each ALT; null where they are not given.

    Args:
        fields: (calls,) each call's values, by `keys`.
        keys: FORMAT, of which `counted` holds.
    """
    def lists(key: str) -> pl.Series:
        texts = fields.list.get(keys.index(key), null_on_oob=True).str.split(",")
        return texts.list.eval(pl.element().cast(pl.Float64, strict=False)).alias(key)

    frame = pl.DataFrame([lists(key) for key in keys if key in _ALL])
    return frame.select(_expression(keys).cast(pl.List(pl.Int64), strict=False).alias("reads")).to_series()


def _expression(keys: Sequence[str]) -> pl.Expr:
    if "RD" in keys and "AD" in keys:
        with_ref = pl.concat_list(pl.col("RD").list.first(), pl.col("AD"))
        return pl.when(pl.col("AD").list.len() == 1).then(with_ref).otherwise("AD")
    for key in _DIRECT:
        if key in keys:
            return pl.col(key)
    if "RO" in keys and "AO" in keys:
        return pl.concat_list(pl.col("RO").list.first(), pl.col("AO"))
    if "ADF" in keys and "ADR" in keys:
        return pl.col("ADF") + pl.col("ADR")
    for total, alts in _OF_ALL:
        if total in keys and alts in keys:
            return pl.concat_list(pl.col(total).list.max() - pl.col(alts).list.sum(), pl.col(alts))
    share = pl.col(next(key for key in _SHARES if key in keys))
    depth = pl.col("DP").list.first().fill_null(_PERCENT) if "DP" in keys else pl.lit(float(_PERCENT))
    return pl.concat_list((1 - share.list.sum()) * depth, share * depth).list.eval(pl.element().round())
