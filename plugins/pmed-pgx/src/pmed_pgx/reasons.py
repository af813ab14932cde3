"""Why: the gene results behind a drug's advice in words, and what is missing where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import polars as pl

from pmed.plans import as_written
from pmed.repeats import unless_repeated
from pmed.tables import TABLES

from .calls import AT_LEAST, DIPLOTYPE_OPEN
from .checks import covered, genes_of
from .copies import MORE
from .evidence import WEAK
from .guidelines import gene_of
from .knowledge import genes
from .outcomes import Outcome
from .phenoconversion import RECENT

KEY = ["patient_id", "drug"]
SHOWN = 3
_ROW = "_row"
ASSUMED, HINT = "absent-as-ref", "hint"
_DOUBTS = ("key-site-missing", "copy-number-not-assessed", "half-call", "undocumented-as-reference",
           "unknown-allele", "unknown-phenotype", "unknown-score", "one-allele", "outside-no-call", MORE,
           DIPLOTYPE_OPEN)
_UNTYPED = " is not known: it needs HLA typing, which a file of small variants cannot replace"
_UNREAD = " was not read: no genome is given"
_UNSETTLED = " does not settle what the guideline asks for"
_CAUTIONS = TABLES["suggestions"].columns["cautions"].dtype


def today(gene_results: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """`in_words`, with the present phenotypes in ``who``; ``plain`` is without, ``causes`` what changed them."""
    return _with_today(in_words(gene_results), present)


def reasons(rows: pl.DataFrame, outcomes: list[Outcome], results: pl.DataFrame) -> pl.DataFrame:
    """Beside `rows` (patient_id, drug, case): ``who``, the results, and ``gap``, why those asked for are missing.

    `results` are those of `today`.
    """
    told, numbered = results.lazy(), rows.with_row_index(_ROW).lazy()
    # A drug does not change what its own guideline says of it.
    itself = (pl.col("causes").list.len() == 1) & (pl.col("causes").list.first() == pl.col("drug"))
    who = numbered.join(_looked_at().lazy(), on="drug", maintain_order="left").join(
        told, on=["patient_id", "gene"], maintain_order="left").select(
        _ROW, who=pl.when(itself).then("plain").otherwise("who"))
    asked = [(case, gene) for case, one in enumerate(outcomes) for gene in dict.fromkeys(map(gene_of, one.missing))]
    missing = pl.DataFrame(asked, schema={"case": pl.Int64, "gene": pl.String}, orient="row")
    gap = numbered.join(missing.lazy(), on="case", maintain_order="left").join(
        told, on=["patient_id", "gene"], how="left", maintain_order="left").select(_ROW, gap=_gap_or_unread())
    # By number: to join by patients' and drugs' names takes longer.
    return (numbered.select(_ROW).join(_listed(who, "who", " and "), on=_ROW, how="left", maintain_order="left")
            .join(_listed(gap, "gap", "; "), on=_ROW, how="left", maintain_order="left").drop(_ROW).pipe(as_written))


class _Result(NamedTuple):
    """One gene of a patient, as `today` has it."""

    status: str | None = None
    who: str | None = None
    gap: str | None = None
    causes: list[str] | None = None
    plain: str | None = None


def reasons_of_few(rows: pl.DataFrame, outcomes: Sequence[Outcome], results: pl.DataFrame) -> pl.DataFrame:
    """The same as `reasons` of few people, gene by gene: for them joins take longer than looking."""
    known = {(patient, gene): _Result(*one) for patient, gene, *one in
             results[["patient_id", "gene", *_Result._fields]].iter_rows()}
    looked, said = _genes_of_each(), []
    for patient, drug, case in rows[[*KEY, "case"]].iter_rows():
        behind = [one for gene in looked.get(drug, ()) if (one := known.get((patient, gene)))]
        who = [one.plain if one.causes == [drug] else one.who for one in behind]
        gap = [_gap_of(gene, known.get((patient, gene), _Result())) for gene in
               dict.fromkeys(map(gene_of, outcomes[case].missing))]
        said.append((_joined(who, " and "), _joined(gap, "; ")))
    return pl.DataFrame(said, schema={"who": pl.String(), "gap": pl.String()}, orient="row")


def _joined(texts: Sequence[str | None], between: str) -> str | None:
    return between.join(text for text in texts if text is not None) if texts else None


def _gap_of(gene: str, one: _Result) -> str | None:
    """`_gap_or_unread` of one gene."""
    if gene.startswith("HLA-") and one.status in {None, "no-data"}:
        return f"{gene}{_UNTYPED}"
    if one.status is None:
        return f"{gene}{_UNREAD}"
    return one.gap if one.gap is not None else None if one.who is None else f"{one.who}{_UNSETTLED}"


@cache
def _genes_of_each() -> dict[str, list[str]]:
    """`_looked_at`, by drug."""
    found: dict[str, list[str]] = {}
    for drug, gene in _looked_at().iter_rows():
        found.setdefault(drug, []).append(gene)
    return found


def _listed(texts: pl.LazyFrame, name: str, between: str) -> pl.LazyFrame:
    """The texts of each row as one."""
    # To join lists takes a quarter of the time of joining texts group by group.
    return texts.group_by(_ROW, maintain_order=True).agg(name).with_columns(pl.col(name).list.join(between))


@unless_repeated
def _with_today(told: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """`told` with the present phenotype behind the genetic one; an enzyme blocked whatever the genes say, too."""
    changed = present.lazy().filter(pl.col("because").list.len() > 0, pl.col("present_phenotype").is_not_null())
    stopped = pl.col("acting").list.join(";").str.contains(RECENT)
    over = pl.when(stopped & pl.col("reverts_after").is_not_null()).then(pl.format(
        ", which was stopped and wears off in about {} days", "reverts_after")).otherwise(pl.lit(""))
    now = changed.select("patient_id", "gene", causes="because", now=pl.format(
        "today {} because of {}{}", "present_phenotype", pl.col("because").list.join(" and "), over))
    both = told.lazy().join(now, on=["patient_id", "gene"], how="full", coalesce=True, maintain_order="left_right")
    who = pl.coalesce("who", pl.col("gene") + pl.lit(" (genes unknown)"))
    return both.with_columns(plain="who", who=pl.when(pl.col("now").is_null()).then("who").otherwise(
        pl.format("{}, {}", who, "now"))).drop("now").pipe(as_written)


def _gap_or_unread() -> pl.Expr:
    typed = pl.col("gene").str.starts_with("HLA-")
    untyped, unread = pl.col("gene") + pl.lit(_UNTYPED), pl.col("gene") + pl.lit(_UNREAD)
    unsettled = pl.col("who") + pl.lit(_UNSETTLED)
    return (pl.when(typed & (pl.col("status").is_null() | (pl.col("status") == "no-data"))).then(untyped)
            .when(pl.col("status").is_null()).then(unread)
            .otherwise(pl.coalesce("gap", unsettled)))


@unless_repeated
def assumptions(gene_results: pl.DataFrame) -> pl.DataFrame:
    """For patients and drugs: the caution `assumed`, where a result rests on reading absent sites as reference."""
    text = pl.lit("sites of ") + pl.col("gene").sort().str.join(" and ") + pl.lit(
        " that are absent from the file were taken as reference, because the user said so")
    each = _messages(gene_results, ASSUMED).unique(["patient_id", "drug", "gene"], maintain_order=True)
    said = each.group_by(KEY, maintain_order=True).agg(text=text)
    return said.select(*KEY, assumed=pl.concat_list(pl.struct(code=pl.lit(ASSUMED), text="text")).cast(_CAUTIONS))


@unless_repeated
def hints(gene_results: pl.DataFrame) -> pl.DataFrame:
    """For patients and drugs: the cautions `hinted`, low evidence that is told and never acted upon."""
    return _cautions(_messages(gene_results, HINT), "hinted")


@unless_repeated
def remarks(gene_results: pl.DataFrame) -> pl.DataFrame:
    """For patients and drugs: the cautions `remarked`, of a variant in an open gene, of few reads or a low quality."""
    each = pl.concat([_messages(gene_results, code) for code in (AT_LEAST, WEAK)])
    return _cautions(each.with_columns(text=pl.format("{}: {}", "gene", "text")), "remarked")


def _cautions(said: pl.DataFrame, name: str) -> pl.DataFrame:
    """For patients and drugs: the column `name`, what was `said` as cautions."""
    told = pl.struct("code", "text").unique(maintain_order=True).alias(name)
    return said.group_by(KEY, maintain_order=True).agg(told).with_columns(pl.col(name).cast(_CAUTIONS))


def _messages(gene_results: pl.DataFrame, code: str) -> pl.DataFrame:
    """patient_id, drug, gene, code, text of each message with that code, for every drug whose rows look at the gene."""
    has = pl.col("messages").list.eval(pl.element().struct.field("code") == code).list.any()
    each = gene_results.filter(has).select("patient_id", "gene", "messages").explode(
        "messages", empty_as_null=False).unnest("messages")
    return each.filter(code=code).join(_looked_at(), on="gene", maintain_order="left")


@cache
def genes_looked_at() -> dict[str, tuple[str, ...]]:
    """Drug → the genes whose results its rows and checks look at."""
    return {name: tuple(dict.fromkeys((*drug.genes, *genes_of(drug)))) for name, drug in covered().items()}


@cache
def _looked_at() -> pl.DataFrame:
    return pl.DataFrame([(name, gene) for name, genes in genes_looked_at().items() for gene in genes],
                        schema={"drug": pl.String, "gene": pl.String}, orient="row")


@unless_repeated
def in_words(gene_results: pl.DataFrame) -> pl.DataFrame:
    """patient_id, gene, status, who and gap, each result in words; `gap` is null where the result can be relied on."""
    fits = pl.col("diplotypes").list.head(SHOWN).list.join(" or ") + pl.when(
        pl.col("diplotypes").list.len() > SHOWN).then(pl.lit(" or others")).otherwise(pl.lit(""))
    score = pl.lit(", activity score ") + pl.col("activity_score").cast(pl.String)
    result = pl.col("phenotype") + pl.when(pl.col("activity_score").is_not_null()).then(score).otherwise(pl.lit(""))
    named = pl.col("gene") + pl.lit(" ")
    called = pl.col("diplotypes").list.len() > 0
    alone = pl.col("diplotypes").list.len() == 1  # several say by themselves that nothing is certain
    doubt = pl.when(alone & ~pl.col("complete")).then(
        pl.lit(" as far as it was read, not certain")).otherwise(pl.lit(""))
    return gene_results.select(
        "patient_id", "gene", "status",
        who=pl.when(called | result.is_not_null()).then(
            named + pl.when(called).then(fits).otherwise(pl.lit("not called")) +
            pl.when(result.is_not_null()).then(pl.format(" ({})", result)).otherwise(pl.lit("")) + doubt),
        gap=_gap(named, fits))


def _gap(named: pl.Expr, fits: pl.Expr) -> pl.Expr:
    texts = pl.col("messages").list.eval(pl.element().struct.field("text")).list.join("; ")
    doubtful = pl.element().struct.field("code").is_in(_DOUBTS)
    doubts = pl.col("messages").list.eval(pl.element().filter(doubtful).struct.field("text")).list.join("; ")
    scored = [gene.name for gene in genes().values() if gene.by == "activity"]
    unscored = pl.col("gene").is_in(scored) & pl.col("activity_score").is_null()
    called, several = (pl.col("diplotypes").list.len() > least for least in (0, 1))
    outside, options = pl.col("status") == "outside", pl.col("possible_phenotypes")
    unread = pl.when(texts != "").then(texts).otherwise(pl.lit("none of its sites has a call in the file"))
    return (pl.when(pl.col("status") == "no-data").then(named + pl.lit("was not read: ") + unread)
            .when(~pl.col("complete") & (pl.col("status") == "not-called"))
            .then(named + pl.lit("could not be called: ") + texts)
            .when(~pl.col("complete") | pl.col("messages").list.eval(
                pl.element().struct.field("code") == DIPLOTYPE_OPEN).list.any())
            .then(named + pl.lit("is not certain: ") + doubts)
            .when(outside & (options.list.len() > 1))
            .then(named + pl.lit("is ambiguous: ") + options.list.join(" or ") + pl.lit(" are possible"))
            .when(outside & unscored & ~called)
            .then(named + pl.lit("was given by another tool, without the activity score that the guideline asks for"))
            .when(several & (pl.col("phenotype").is_null() | unscored))
            .then(named + pl.lit("is ambiguous: ") + fits + pl.lit(" fit equally well"))
            .when(pl.col("phenotype").is_null() | unscored)
            .then(named + fits + pl.lit(" has an allele of unknown function")))
