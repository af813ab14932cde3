"""Allele, diplotype, phenotype and status frequencies of a cohort by group, with exact binomial intervals.

Who is not resolved is counted beside the denominator and never as ``*1``: a person counts for alleles and diplotypes
with one diplotype that rests on no missing key site, for phenotypes with a phenotype, for the status always.
Everything is done on the distinct results of a gene and group, so the number of people hardly matters.
"""

from __future__ import annotations

import polars as pl

from pmed.errors import InputError
from pmed.tables import Column, Table

from .knowledge import natural, table

NEEDS = ("patient_id", "gene", "status", "complete", "diplotypes", "phenotype", "messages")
KINDS = ("allele", "diplotype", "phenotype", "status")
EVERYBODY = "all"
UNGROUPED = "(no group)"
LEVEL = 0.95

_COUNT, _SHARE = pl.Int64(), pl.Float64()
FREQUENCIES = Table("frequencies", "How often each allele, diplotype, phenotype and status is in a group.", {
    "group": Column(pl.String(), "group of people; 'all' where none were given", null=False),
    "gene": Column(pl.String(), "HGNC symbol", null=False),
    "kind": Column(pl.String(), "what is counted", null=False, values=KINDS),
    "name": Column(pl.String(), "the allele, diplotype, phenotype or status", null=False),
    "count": Column(_COUNT, "chromosomes that carry the allele; else people", null=False),
    "of": Column(_COUNT, "the denominator: chromosomes, or people, of those who are resolved", null=False),
    "frequency": Column(_SHARE, "count / of; null where nobody is resolved", "1"),
    "low": Column(_SHARE, "lower end of the 95 % Clopper-Pearson interval", "1"),
    "high": Column(_SHARE, "upper end of the 95 % Clopper-Pearson interval", "1"),
    "resolved": Column(_COUNT, "people of the group with one answer", null=False),
    "unresolved": Column(_COUNT, "people of the group without: ambiguous, not called, no data, key site missing",
                         null=False),
    "people": Column(_COUNT, "people of the group", null=False),
}, key=("group", "gene", "kind", "name"))

_BY = ["group", "gene", "kind"]
_MARK = r" \((?:hetero|homo)zygous\)$"


def frequencies(results: pl.DataFrame, groups: pl.DataFrame | None = None) -> pl.DataFrame:
    """Count a cohort's ``gene_results`` by group.

    An allele that one group has is also listed, with count 0, in the others. In genes that are called as lists of
    variants an allele's count is the chromosomes that carry it, so these do not add up to `of`.

    Args:
        results: ``gene_results`` rows (see `pmed.TABLES`), or their columns `NEEDS`.
        groups: Columns ``patient_id`` and ``group``; a person may be in several. Who is in none is counted under
            "(no group)". None puts everybody into "all".

    Returns:
        A ``FREQUENCIES`` frame, by group, gene and kind.
    """
    grouped = _with_twice(_grouped(results, groups))
    # Each distinct result once, with the people who have it.
    seen = grouped.group_by("group", "gene", "status", "complete", "diplotypes", "phenotype", "twice").agg(n=pl.len())
    seen = seen.with_columns(pl.col("n").cast(pl.Int64))
    people = seen.group_by("group", "gene").agg(people=pl.col("n").sum())
    counted = pl.concat([_alleles(seen), _named("diplotype", _resolved(seen), pl.col("diplotypes").list.join("; ")),
                         _named("phenotype", seen.drop_nulls("phenotype"), pl.col("phenotype")),
                         _named("status", seen, _status())])
    return FREQUENCIES.check(_sorted(_with_shares(_filled(counted, people))).select(FREQUENCIES.names))


def interval(count: pl.Series, of: pl.Series, level: float = LEVEL) -> tuple[pl.Series, pl.Series]:
    """Exact two-sided (Clopper-Pearson) interval of a binomial share; null where `of` is 0.

    Clopper and Pearson, Biometrika 1934;26:404-413 (doi:10.1093/biomet/26.4.404), as quantiles of the beta
    distribution.

    >>> low, high = interval(pl.Series([0, 7]), pl.Series([20, 20]))
    >>> low.round(4).to_list(), high.round(4).to_list()
    ([0.0, 0.1539], [0.1684, 0.5922])
    """
    from scipy.special import betaincinv  # here, so that no other command waits for scipy

    hits, tries, tail = count.to_numpy(), of.to_numpy(), (1 - level) / 2
    # The beta distribution needs both parameters above 0; the ends that would not have them are 0 and 1.
    low = betaincinv(hits.clip(1), tries - hits + 1, tail)
    high = betaincinv(hits + 1, (tries - hits).clip(1), 1 - tail)
    ends = pl.DataFrame({"count": count, "of": of, "low": low, "high": high}).select(
        pl.when(pl.col("of") > 0).then(pl.when(pl.col("count") == 0).then(0.0).otherwise("low")).alias("low"),
        pl.when(pl.col("of") > 0).then(pl.when(pl.col("count") == pl.col("of")).then(1.0).otherwise("high"))
        .alias("high"))
    return ends["low"], ends["high"]


def read_groups(text: str, where: str) -> pl.DataFrame:
    """Read ``patient_id`` and ``group`` from two columns, sample and group, with a tab between.

    The line ``sample<TAB>group`` and lines that begin with ``#`` are headings.

    Raises:
        InputError: for a line that is not two columns, a repeated line, or no line at all.
    """
    lines = pl.DataFrame({"text": text.splitlines()}, schema={"text": pl.String}).with_row_index("line", 1)
    lines = lines.with_columns(pl.col("text").str.strip_chars("\r ")).filter(
        (pl.col("text") != "") & ~pl.col("text").str.starts_with("#") & (pl.col("text") != "sample\tgroup"))
    cells = lines.with_columns(pl.col("text").str.split("\t").alias("cells"))
    wrong = cells.filter((pl.col("cells").list.len() != 2) | pl.col("cells").list.contains(""))
    if wrong.height:
        raise InputError(f"expected sample, a tab and group. Got {wrong['text'][0]!r}",
                         where=f"{where}: line {wrong['line'][0]}")
    found = cells.select(pl.col("cells").list.get(0).alias("patient_id"), pl.col("cells").list.get(1).alias("group"))
    if found.is_empty():
        raise InputError("no line says sample and group", where=where)
    if (double := found.is_duplicated()).any():
        raise InputError("a line is repeated", where=f"{where}: line {cells['line'][double.arg_true()[1]]}")
    return found


def _grouped(results: pl.DataFrame, groups: pl.DataFrame | None) -> pl.DataFrame:
    if groups is None:
        return results.with_columns(group=pl.lit(EVERYBODY))
    joined = results.join(groups.select("patient_id", "group"), on="patient_id", how="left")
    return joined.with_columns(pl.col("group").fill_null(UNGROUPED))


def _with_twice(results: pl.DataFrame) -> pl.DataFrame:
    """The variants of an unphased list that are on both chromosomes, as the caller's message has them."""
    names = table("genes").filter(kind="variants")["gene"].to_list()
    listed = results.filter(pl.col("gene").is_in(names))
    said = pl.when(pl.element().struct.field("code") == "homozygous").then(pl.element().struct.field("text"))
    twice = pl.col("messages").list.eval(said).list.drop_nulls().list.first().str.strip_prefix("homozygous: ")
    others = results.filter(~pl.col("gene").is_in(names)).with_columns(twice=pl.lit(None, dtype=pl.String))
    return pl.concat([others, listed.with_columns(twice=twice)])


def _resolved(seen: pl.DataFrame) -> pl.DataFrame:
    """Results with one answer; where a call is a list of variants that is the whole list."""
    many = pl.col("diplotypes").list.len()
    return seen.filter("complete", ((pl.col("status") == "called") & (many > 0))
                       | ((pl.col("status") == "outside") & (many == 1)))


def _status() -> pl.Expr:
    doubtful = pl.col("status").is_in(["called", "ambiguous", "outside"]) & ~pl.col("complete")
    return pl.col("status") + pl.when(doubtful).then(pl.lit(", key site missing")).otherwise(pl.lit(""))


def _named(kind: str, seen: pl.DataFrame, name: pl.Expr) -> pl.DataFrame:
    """People by `name`, and how many of the group and gene that are in all."""
    rows = seen.select("group", "gene", kind=pl.lit(kind), name=name, count="n", resolved="n", size="n")
    totals = rows.group_by(_BY).agg(pl.col("resolved", "size").sum())
    return rows.group_by(*_BY, "name").agg(pl.col("count").sum()).join(totals, on=_BY).rename({"size": "of"})


def _alleles(seen: pl.DataFrame) -> pl.DataFrame:
    """Chromosomes by allele: two for most genes, one where the call is haploid."""
    how = table("genes").select("gene", called_as="kind", reference="reference_allele")
    rows = _resolved(seen).join(how, on="gene", how="left").with_columns(strand="diplotypes")
    first = pl.col("diplotypes").list.first()
    unphased = (pl.col("called_as") == "variants") & ~first.str.contains("/") & ~first.str.contains(_MARK)
    strands = rows.filter(~unphased).explode("strand", empty_as_null=False).with_columns(strand=_strands()).explode(
        "strand", empty_as_null=False)
    lists = rows.filter(unphased)
    place = ["group", "gene"]
    paired = strands.with_columns(name=_on_one_strand()).explode("name", empty_as_null=False).select(
        *place, "name", "n")
    carried = pl.concat([paired, _listed(lists)])
    size = pl.concat([strands.select(*place, "n"), lists.select(*place, n=pl.col("n") * 2)])
    counts = carried.group_by(*place, "name").agg(count=pl.col("n").sum()).with_columns(kind=pl.lit("allele"))
    return (counts.join(rows.group_by(place).agg(resolved=pl.col("n").sum()), on=place)
            .join(size.group_by(place).agg(of=pl.col("n").sum()), on=place)
            .select(*_BY, "name", "count", "resolved", "of"))


def _listed(lists: pl.DataFrame) -> pl.DataFrame:
    """Unphased lists of variants: each is on one chromosome, or on both where a message says so."""
    name = ", " + pl.col("strand") + ", "
    both = (", " + pl.col("twice").fill_null("") + ", ").str.contains(name, literal=True)
    rows = lists.explode("strand", empty_as_null=False).filter(pl.col("strand") != pl.col("reference"))
    return rows.select("group", "gene", name="strand", n=pl.col("n") * (1 + both.cast(pl.Int64)))


def _strands() -> pl.Expr:
    """The two strands of a diplotype; ``X (heterozygous)`` is X beside the reference, ``X (homozygous)`` X twice."""
    text = pl.col("strand")
    alone = text.str.replace(_MARK, "")
    beside = pl.col("reference").fill_null("Reference")
    return (pl.when(text.str.ends_with(" (heterozygous)")).then(pl.concat_list(alone, beside))
            .when(text.str.ends_with(" (homozygous)")).then(pl.concat_list(alone, alone))
            .otherwise(text.str.split("/")))


def _on_one_strand() -> pl.Expr:
    """What one strand carries: in a gene called as lists of variants ``[a + b]`` are two on it."""
    listed = pl.col("strand").str.strip_prefix("[").str.strip_suffix("]").str.split(" + ").list.unique()
    return pl.when(pl.col("called_as") == "variants").then(listed).otherwise(pl.concat_list("strand"))


def _filled(counted: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Every name of a gene in every group, and the people of the group."""
    names = counted.select("gene", "kind", "name").unique()
    whole = people.join(names, on="gene")
    totals = counted.select(*_BY, "resolved", "of").unique()
    return (whole.join(counted.select(*_BY, "name", "count"), on=[*_BY, "name"], how="left")
            .join(totals, on=_BY, how="left")
            .with_columns(pl.col("count", "resolved", "of").fill_null(0))
            .with_columns(unresolved=pl.col("people") - pl.col("resolved")))


def _with_shares(rows: pl.DataFrame) -> pl.DataFrame:
    low, high = interval(rows["count"], rows["of"])
    share = pl.when(pl.col("of") > 0).then(pl.col("count") / pl.col("of"))
    return rows.with_columns(low.alias("low"), high.alias("high"), frequency=share)


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    """By group, gene and kind as ``KINDS`` has them, names in natural order."""
    names = sorted(rows["name"].unique(), key=natural)
    order = pl.DataFrame({"name": names}, schema={"name": pl.String}).with_row_index("order")
    kind = pl.col("kind").replace_strict(KINDS, range(len(KINDS)), return_dtype=pl.Int64)
    return rows.join(order, on="name").sort("group", "gene", kind, "order")
