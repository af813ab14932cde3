"""Outside calls put into ``gene_results``: they take the place of what the genome says, and say so."""

from __future__ import annotations

from typing import Any

import polars as pl

from pmed.errors import InputError
from pmed.tables import TABLES

from ..knowledge import genes
from .evaluate import Given, Row, result

KEY = ["patient_id", "gene"]
_GIVEN = ("diplotype", "phenotype", "activity_score", "note")
_CALLED = ("called", "ambiguous")
_MESSAGE = pl.Struct({"code": pl.String(), "text": pl.String()})
_SHOWN = 3
# The tool of genotypes that a patient's record holds.
_RECORD = "FHIR record"


def apply(results: pl.DataFrame, outside: pl.DataFrame, samples: pl.DataFrame,
          patients: pl.DataFrame | None = None) -> pl.DataFrame:
    """``gene_results`` in which the genes that were called outside have the outside result.

    Args:
        results: ``gene_results`` from genomes.
        outside: ``outside_calls``; calls without patient belong to that of their sample, or to the only sample.
        samples: ``samples``.
        patients: ``patients``: of whom nobody says that they are male, one allele of a gene on chromosome X is half.

    Raises:
        InputError: where a call's patient or gene is not known.
    """
    # A record tells of any gene; only files written for this are held to the release.
    outside = outside.filter(pl.col("gene").is_in(list(genes())) | (pl.col("tool") != _RECORD))
    if outside.is_empty():
        return results
    calls = _placed(outside, samples).with_columns(_said=_text_of(*_GIVEN))
    each = calls.group_by(KEY, maintain_order=True).agg("_said", *_GIVEN, _from=_origins())
    each = each.with_columns(_male=pl.col("patient_id").is_in(_men(samples, patients).implode()))
    each = each.with_columns(_said=pl.col("_said").list.join("\2") + pl.col("_male").cast(pl.String))
    before = results.select(*KEY, _was=_text_before()).join(each.select(KEY), on=KEY, how="semi")
    each = each.join(before, on=KEY, how="left", maintain_order="left")
    new = each.select(*KEY, "_said", "_was", "_from").join(
        _evaluated(each, results), on=["gene", "_said", "_was"], nulls_equal=True, maintain_order="left")
    made = new.with_columns(messages=pl.concat_list("_from", "messages")).select(results.columns)
    kept = results.join(made, on=KEY, how="anti", maintain_order="left")
    order = results.select(KEY).with_row_index("_order")
    return pl.concat([kept, made]).join(order, on=KEY, how="left", maintain_order="left").sort(
        "_order", nulls_last=True, maintain_order=True).drop("_order")


def _men(samples: pl.DataFrame, patients: pl.DataFrame | None) -> pl.Series:
    """Patients who are male by the record, or else by the genome."""
    told = [samples] if patients is None else [patients, samples]
    both = pl.concat([frame.select("patient_id", "sex").drop_nulls() for frame in told])
    return both.unique("patient_id", keep="first").filter(sex="male")["patient_id"]


def _placed(outside: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    only = samples["patient_id"][0] if samples.height == 1 else None
    known = samples.select("sample", _by_sample="patient_id")
    placed = outside.join(known, on="sample", how="left", maintain_order="left").with_columns(
        patient_id=pl.coalesce("patient_id", "_by_sample", pl.when(pl.col("sample").is_null()).then(
            pl.lit(only, dtype=pl.String))))
    lost = placed.filter(pl.col("patient_id").is_null() | ~pl.col("gene").is_in(list(genes())))
    for row in lost.head(1).iter_rows(named=True):
        what = f"{row['gene']} is no gene of the release" if row["gene"] not in genes() else "nobody here is meant"
        raise InputError(f"an outside call cannot be used: {what}", where=f"{row['file']} line {row['line']}")
    return placed


def _text_of(*names: str) -> pl.Expr:
    """A row's fields as one text, with null apart from empty."""
    return pl.concat_str([pl.col(name).cast(pl.String).fill_null("\0") for name in names], separator="\1")


def _text_before() -> pl.Expr:
    """What a genome says of the gene, as one text to group by."""
    lists = [pl.col(name).list.join("\1") for name in ("diplotypes", "possible_diplotypes", "lookup_diplotypes")]
    return pl.concat_str([pl.col("status"), *lists, pl.col("phenotype").fill_null("\0")], separator="\2")


def _origins() -> pl.Expr:
    """A message for each file that calls of a gene are from."""
    name = pl.col("file").str.extract(r"([^/\\]+)$")
    lines = pl.col("line").cast(pl.String)
    text = pl.format("{} is from outside: {} ({}, line {})", "gene", "tool", name, lines.fill_null("?"))
    return pl.struct(code=pl.lit("outside-call"), text=text).cast(_MESSAGE)


def _evaluated(each: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Columns of ``gene_results`` for each distinct gene, calls and earlier result."""
    distinct = each.unique(["gene", "_said", "_was"], maintain_order=True)
    was = results.select(*KEY, "status", "diplotypes", "possible_diplotypes", "lookup_diplotypes", before="phenotype")
    joined = distinct.join(was, on=KEY, how="left", maintain_order="left")
    rows = [{"_said": row["_said"], "_was": row["_was"], **_result(row)} for row in joined.iter_rows(named=True)]
    columns = TABLES["gene_results"].columns
    schema = {name: column.dtype for name, column in columns.items() if name != "patient_id"}
    return pl.DataFrame([{name: row.get(name) for name in ("_said", "_was", *schema)} for row in rows],
                        schema={"_said": pl.String(), "_was": pl.String(), **schema}, orient="row")


def _result(row: dict[str, Any]) -> Row:
    given = zip(*(row[name] for name in _GIVEN), strict=True)
    calls: list[Given] = [(diplotype, said, score, note or "") for diplotype, said, score, note in given]
    found = result(genes()[row["gene"]], calls, male=row["_male"])
    notes = _overridden(row, found) if row["status"] in _CALLED else []
    return {**found, "messages": notes + found["messages"]}


def _overridden(row: dict[str, Any], found: Row) -> list[dict[str, str]]:
    """What is said where the genome had been called: that it is not used, and where the two disagree."""
    mine = " or ".join(row["diplotypes"][:_SHOWN]) + (" or others" if len(row["diplotypes"]) > _SHOWN else "")
    said = " or ".join(found["diplotypes"][:_SHOWN]) or found["phenotype"] or "unknown"
    notes = [{"code": "outside-overrides",
              "text": f"{row['gene']} of the genome file ({mine}) is not used: the outside call takes its place"}]
    if _disagree(row, found):
        notes.append({"code": "outside-conflict", "text": f"the genome file says {row['gene']} {mine}, the outside "
                                                          f"call {said}: please find out which is right"})
    return notes


def _disagree(row: dict[str, Any], found: Row) -> bool:
    """No diplotype in common; where the outside call has none, another phenotype."""
    names = ("diplotypes", "possible_diplotypes", "lookup_diplotypes")
    mine, theirs = ({_alleles(one) for name in names for one in of[name] or ()} for of in (row, found))
    if theirs:
        return not mine & theirs
    before, after = row["before"], found["possible_phenotypes"]
    return before is not None and bool(after) and before not in after


def _alleles(diplotype: str) -> tuple[str, ...]:
    return tuple(sorted(diplotype.split("/")))
