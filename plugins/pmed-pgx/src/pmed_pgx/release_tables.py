"""The tables of a knowledge release: columns, meaning, units and keys; ``schemas/pgx-release`` is made from them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import polars as pl

from pmed.schema import Schema, table_schema
from pmed.tables import Column, Table

FORMAT = "pmed/pgx-release/1"
# What the columns that name a kind may hold.
PLOIDIES = ("autosome", "X", "MT")
KINDS = ("diplotype", "variants", "status")  # pairs of named alleles; lists of variants; outside calls only
ROLES = ("defining", "required", "extra")  # extra: read for advice, part of no allele
MODIFIER_STRENGTHS = ("strong", "moderate", "weak")
UNDOCUMENTED = ("refuse", "reference")


def _text(doc: str, *values: str, null: bool = False) -> Column:
    return Column(pl.String(), doc, null=null, values=values)


def _whole(doc: str, *, null: bool = False) -> Column:
    return Column(pl.Int64(), doc, null=null)


def _number(doc: str, unit: str = "1", *, null: bool = True) -> Column:
    return Column(pl.Float64(), doc, unit, null)


_GENE, _ALLELE = _text("HGNC symbol"), _text("name of the allele, as published")
_SOURCE = _text("publisher and version, or PMID")
_DRUG = _text("RxNorm ingredient name in lower case")
_CITATION = _text("PMID, DOI or the address of a public authority's page")

_ALL = (
    Table("genes", "Genes of the release.", {
        "gene": _GENE, "chrom": _text("contig with 'chr' prefix"),
        "ploidy": _text("copies that a genome holds", *PLOIDIES),
        "kind": _text("pairs of named alleles, lists of variants, or status by outside calls only", *KINDS),
        "undocumented": _text("what a base does that no definition knows", *UNDOCUMENTED),
        "reference_allele": _text("allele that names every site; none for a status gene", null=True),
        "source": _SOURCE}, ("gene",)),
    Table("sites", "Positions that define alleles or are read for advice; 1-based, forward strand.", {
        "gene": _GENE, "site": _text("rsID, or place and change"), "role": _text("what the site is for", *ROLES),
        "pos": _whole("position on GRCh38"), "ref": _text("REF on GRCh38"), "alts": _text("ALTs, joined by '|'"),
        "pos37": _whole("position on GRCh37; null where not published", null=True),
        "ref37": _text("REF on GRCh37", null=True), "source": _SOURCE}, ("gene", "site")),
    Table("regions", "Where a gene's transcripts begin and end; 1-based, whatever the strand.", {
        "gene": _GENE, "start": _whole("first position on GRCh38"), "end": _whole("last position on GRCh38"),
        "start37": _whole("first position on GRCh37"), "end37": _whole("last position on GRCh37"), "source": _SOURCE},
        ("gene",)),
    Table("alleles", "Named alleles, with or without definition.", {
        "gene": _GENE, "allele": _ALLELE, "core": _text("name under which the allele is called"),
        "function": _text("published function; null where none is", null=True),
        "activity": Column(pl.Float64(), "published activity value", "1"),
        "tier1": _whole("1: its sites must have been read before a phenotype is relied on"), "source": _SOURCE},
        ("gene", "allele")),
    Table("definitions", "Sites that define an allele.", {
        "gene": _GENE, "allele": _ALLELE, "site": _text("site of table sites"),
        "bases": _text("base, or bases joined by '|' (wobble)")}, ("gene", "allele", "site")),
    Table("phenotypes", "Rules from two functions (or activity values) to a phenotype.", {
        "gene": _GENE, "by": _text("what the two keys are", "function", "activity"),
        "first": _text("function or activity value", null=True),
        "second": _text("the other one; null with one copy", null=True), "phenotype": _text("phenotype, as published"),
        "activity_score": _number("sum of the activity values"), "source": _SOURCE}, ("gene", "first", "second")),
    Table("older", "What an allele was called by tests that did not look at all that defines it today.", {
        "gene": _GENE, "allele": _ALLELE, "older": _text("name of that time, as today's alleles are named"),
        "source": _SOURCE}, ("gene", "allele", "older")),
    Table("scores", "Phenotype of an activity score; for calls of other tools, whose scores the rules need not list.", {
        "gene": _GENE, "phenotype": _text("phenotype, as published"),
        "low": _number("lowest score", null=False),
        "high": _number("score that is too high, or the same as `low` for that score alone; null without limit"),
        "source": _SOURCE}, ("gene", "phenotype")),
    Table("copies", "Alleles of which many copies in a row are published under one name.", {
        "gene": _GENE, "allele": _ALLELE, "least": _whole("copies from which the name holds"),
        "name": _text("published name"), "source": _SOURCE}, ("gene", "allele")),
    Table("priorities", "Which of several unphased diplotypes is taken.", {
        "gene": _GENE, "among": _text("diplotypes, joined by '|'"), "pick": _text("the one that is taken"),
        "source": _SOURCE}, ("gene", "among")),
    Table("fallbacks", "Alleles named from one site where no diplotype can be called.", {
        "gene": _GENE, "site": _text("site of table sites"), "base": _text("base at the site"), "allele": _ALLELE,
        "source": _SOURCE}, ("gene", "site", "base")),
    Table("synonyms", "Older names of alleles and what they are called today.", {
        "gene": _GENE, "name": _text("older name"), "now": _text("names of today, joined by '|' where it was split"),
        "source": _SOURCE}, ("gene", "name")),
    Table("frequencies", "How frequent an allele is in a population.", {
        "gene": _GENE, "allele": _ALLELE, "population": _text("population group"),
        "frequency": _number("share of chromosomes, 0 to 1", null=False),
        "n": _whole("chromosomes counted; null where the source does not say", null=True), "source": _SOURCE},
        ("gene", "allele", "population")),
    Table("proxies", "Variants that hint at an HLA allele; never a call.", {
        "gene": _GENE, "allele": _text("HLA allele that is hinted at"), "site": _text("rsID"),
        "chrom": _text("contig with 'chr' prefix"), "pos": _whole("position on GRCh38"), "ref": _text("REF on GRCh38"),
        "alt": _text("ALT on GRCh38"), "pos37": _whole("position on GRCh37"), "ref37": _text("REF on GRCh37"),
        "tagged": _text("base that goes with the allele"), "population": _text("where it was studied"),
        "note": _text("how well it stands for the allele"), "source": _SOURCE}, ("allele", "site")),
    Table("modifiers", "Drugs that inhibit or induce an enzyme or transporter.", {
        "gene": _GENE, "drug": _DRUG, "kind": _text("what it does", "inhibitor", "inducer"),
        "strength": _text("how strongly, by the source", *MODIFIER_STRENGTHS),
        "from_dose": _number("daily dose from which it is that strong; null at any dose", "mg/d"),
        "lasts_days": _whole("whole days that it goes on after the last dose"), "source": _SOURCE,
        "citation": _CITATION}, ("gene", "drug", "kind", "from_dose")),
    Table("ladders", "What inhibitors and inducers make of a genetic phenotype; a row without one is for any.", {
        "gene": _GENE, "phenotype": _text("genetic phenotype", null=True),
        "one_down": _text("with a moderate inhibitor", null=True), "lowest": _text("with a strong inhibitor"),
        "one_up": _text("with an inducer", null=True), "citation": _CITATION}, ("gene", "phenotype")),
    Table("classes", "Sets of drugs that checks speak of.", {
        "class": _text("name of the set"), "drug": _DRUG, "source": _SOURCE, "citation": _CITATION},
        ("class", "drug")),
    Table("washouts", "How long medicines still count for checks after they ended.", {
        "drug": _DRUG, "class": _text("set that it still counts in; null for all of its sets", null=True),
        "days": _number("days after the last dose; 1.5 are 36 hours", "d", null=False),
        "means": _text("whether a label asks for so many days between, or the medicine may last so long in the body",
                       "between", "lasts"), "source": _SOURCE, "citation": _CITATION}, ("drug", "class")),
    Table("allergies", "What an allergy on record speaks against, beside the allergen itself.", {
        "allergen": _text("ingredient or class"), "drug_or_class": _text("ingredient or class"),
        "reason": _text("why"), "severity": _text("what follows", "ruled-out", "caution"), "source": _SOURCE,
        "citation": _CITATION}, ("allergen", "drug_or_class")),
    Table("allergens", "Classes of medicines as records name them when somebody is allergic to one.", {
        "allergen": _text("class of table allergies"), "kind": _text("what the name is", "name", "snomed"),
        "name": _text("whole text in lower case, or code"), "source": _SOURCE, "citation": _CITATION},
        ("allergen", "kind", "name")),
    Table("substitutes", "Drugs that can stand for each other, by use.", {
        "use": _text("what they are given for"), "drug": _DRUG}, ("use", "drug")),
    Table("exceptions", "Faults of the release that are known and have a reason; verify does not count them.", {
        "gene": _GENE, "check": _text("check of verify"), "name": _text("allele, site or rule"),
        "reason": _text("why it is allowed")}, ("gene", "check", "name")),
    Table("guidance", "Recommendations of other publishers, in their words; only in a folder made by import.", {
        "drug": _text("drug, as published"), "publisher": _text("who recommends"),
        "keys": _text("gene=phenotype, joined by '; '"), "population": _text("whom it is for", null=True),
        "strength": _text("classification, as published", null=True), "text": _text("recommendation, as published"),
        "source": _text("PMIDs, joined by ', ', or the guideline's address")}),
)
RELEASE: Mapping[str, Table] = {table.name: table for table in _ALL}
# Without these there is no release; every other table falls back to the embedded one.
CORE = ("genes", "sites", "alleles", "definitions", "phenotypes")


def release_schema_texts() -> dict[str, str]:
    """JSON Schema of a row of every table, and of the manifest, as indented JSON by name."""
    schemas: dict[str, Schema] = {name: table_schema(table) for name, table in RELEASE.items()}
    schemas["release"] = {**Manifest.schema(), "title": FORMAT}
    return {name: msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
            for name, schema in schemas.items()}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``release.json``: which release a folder holds, and from whom."""

    format: str
    name: str
    version: str
    date: str
    licence: str
    source: str

    @staticmethod
    def schema() -> Schema:
        """JSON Schema of the manifest."""
        made = msgspec.json.schema(Manifest)
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made["$defs"]["Manifest"]}
