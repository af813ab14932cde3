"""Counts of one chunk, which add up to those of the cohort: so a summary of millions of people reads no person."""

from __future__ import annotations

import polars as pl

COUNTS = {"kind": pl.String, "group": pl.String, "drug": pl.String, "gene": pl.String, "name": pl.String,
          "n": pl.Int64}
EVERYBODY = "all"
INDETERMINATE = "Indeterminate"  # the phenotype of alleles whose function nobody knows
CHANGES = ("avoid", "alternative", "adjust")
_BY = tuple(COUNTS)[:-1]


def counted(people: pl.DataFrame, taken: pl.DataFrame, genes: pl.DataFrame, suggestions: pl.DataFrame) -> pl.DataFrame:
    """People by kind of thing and group; each person is also in the group "all".

    Kinds: ``people``, ``recorded`` (with a record), ``genome``, ``exposed`` (takes anything), ``actionable`` (their
    genes or record change any drug's use), ``actionable-now`` (a drug they take), ``status``, ``phenotype`` and
    ``diplotype`` of a gene, ``allele`` (chromosomes, of certain pairs only), ``missing-sites``, ``drug`` (takes it),
    ``drug-phenotype`` (takes it, with that phenotype of a gene; null where unknown).
    """
    group = people.select("patient_id", "group")
    # The columns first: to leave rows out of the lists of suggestions takes longer than to count.
    changing = suggestions["patient_id", "current", "action"].filter(pl.col("action").is_in(CHANGES)).drop("action")
    known = _known(genes)
    rows = {
        "people": people, "recorded": people.filter("recorded"),
        "genome": people.filter(pl.col("sample").is_not_null()),
        "exposed": taken.select("patient_id").unique(), "actionable": changing.select("patient_id").unique(),
        "actionable-now": changing.filter("current").select("patient_id").unique(),
        "status": known.with_columns(name="status"),
        "phenotype": known.with_columns(name="phenotype").drop_nulls("name"),
        "diplotype": known.with_columns(name="pair").drop_nulls("name"),
        "allele": known.with_columns(name="first").drop_nulls("name"),
        "missing-sites": known.filter("missing"),
        "drug": taken,
        "drug-phenotype": taken.join(known.with_columns(name="phenotype"), on="patient_id"),
    }
    made = [_by_group(kind, frame, group) for kind, frame in rows.items()]
    second = _by_group("allele", known.with_columns(name="second").drop_nulls("name"), group)
    return added([*made, second])


def _known(genes: pl.DataFrame) -> pl.DataFrame:
    """What is counted of gene results, without their lists, which are slow to copy.

    ``pair`` is the diplotype where there is one only and no site that was not read can change it, ``first`` and
    ``second`` its alleles where it names two.
    """
    settled = pl.col("complete") & pl.col("status").is_in(["called", "outside"])
    pair = pl.when(settled, pl.col("diplotypes").list.len() == 1).then(pl.col("diplotypes").list.first())
    two = pl.when(pair.str.count_matches("/", literal=True) == 1).then(pair).str.split_exact("/", 1)
    # A call that cannot be relied on (CYP2D6 of small variants, half calls) is not among those that can.
    unsure = ~pl.col("complete") & pl.col("status").is_in(["called", "outside"])
    status = pl.col("status") + pl.when(unsure).then(pl.lit(", incomplete")).otherwise(pl.lit(""))
    named = genes.select("patient_id", "gene", "phenotype", status=status, pair=pair, _two=two,
                         missing=pl.col("missing_sites").list.len() > 0)
    return named.with_columns(pl.col("_two").struct.rename_fields(["first", "second"])).unnest("_two")


def _by_group(kind: str, frame: pl.DataFrame, group: pl.DataFrame) -> pl.DataFrame:
    text = pl.lit(None, dtype=pl.String)
    columns = [pl.col(name) if name in frame.columns else text.alias(name) for name in ("drug", "gene", "name")]
    rows = frame.select("patient_id", *columns)
    named = rows.join(group, on="patient_id").group_by("group", "drug", "gene", "name").agg(n=pl.len().cast(pl.Int64))
    everybody = named.with_columns(group=pl.lit(EVERYBODY))
    return pl.concat([named, everybody]).with_columns(kind=pl.lit(kind)).select(*COUNTS)


def added(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The sum of several, in one order."""
    return pl.concat([pl.DataFrame(schema=COUNTS), *parts]).group_by(_BY).agg(pl.col("n").sum()).sort(_BY)
