"""What the genome says, as FHIR: genotypes, haplotypes and what they mean for a medicine (Genomics Reporting 3.0.0)."""

from __future__ import annotations

from typing import Any

from .coding import (
    ASSEMBLY,
    BUILDS,
    CONTEXT,
    EVIDENCE,
    GENE,
    GENOTYPE,
    HAPLOTYPE,
    LOINC,
    MEDICATION,
    PHENOTYPES,
    drug_codings,
    gene_codings,
)
from .facts import alleles, assumed, diplotype, open_reason, possible
from .fhir_entries import CODES, Entries, Json, absent_reason, coding, concept, notes, profile, unknown
from .view import View
from .words import web_link

LABORATORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
GENETICS = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "GE"}
CATEGORIES = [{"coding": [LABORATORY]}, {"coding": [GENETICS]}]
IMPLICATION = {"system": CODES, "code": "therapeutic-implication"}
CONCLUSION = {"system": CODES, "code": "conclusion-string"}
ARTIFACT = "http://hl7.org/fhir/StructureDefinition/workflow-relatedArtifact"
MOST_SITES = 10  # of those that were not read; the tables have all
PRESENT = "Phenotype today, with the other medicines"


def genotypes(view: View, about: Json, entries: Entries) -> dict[str, Json]:
    """Gene → reference to its genotype; every gene has one, and an open one says that it is unknown and why.

    Args:
        view: The patient's view.
        about: Elements of every observation: subject, device, specimen.
        entries: Where the resources go; haplotypes come before what is made of them.
    """
    return {gene: entries.add(_genotype(gene, view, about, entries)) for gene in view["genes"]}


def _genotype(gene: str, view: View, about: Json, entries: Entries) -> Json:
    row = view["genes"][gene]
    settled = diplotype(row)
    parts = [entries.add(_haplotype(gene, one, view, about)) for one in alleles(settled or "")]
    told = [message["text"] or message["code"] for message in row["messages"]]
    value = concept(text=f"{gene} {settled}") if settled else {"extension": unknown()}
    return {
        **_finding("genotype", GENOTYPE, about), "status": _status(row) if settled else "preliminary",
        "valueCodeableConcept": value, "derivedFrom": parts,
        "note": notes(*([] if settled else [open_reason(gene, view)]), *told,
                      _unread(row["missing_sites"])),
        "component": [*_located(gene, view), *([] if settled else _conclusion(_open_words(row)))],
    }


def _unread(sites: list[str]) -> str:
    left = len(sites) - MOST_SITES
    return f"Not read: {', '.join(sites[:MOST_SITES])}{f' and {left} more' if left > 0 else ''}" if sites else ""


def _status(row: View) -> str:
    """Of a settled gene: not final where it rests on sites that nobody saw."""
    return "preliminary" if assumed(row) else "final"


def _open_words(row: View) -> str:
    return f"Not settled; possible: {possible(row)}" if possible(row) else ""


def _haplotype(gene: str, allele: str, view: View, about: Json) -> Json:
    return {**_finding("haplotype", HAPLOTYPE, about), "status": _status(view["genes"][gene]),
            "valueCodeableConcept": concept(text=f"{gene} {allele}"), "component": _located(gene, view)}


def _finding(kind: str, code: tuple[str, str], about: Json) -> Json:
    return {"resourceType": "Observation", "meta": profile(kind), "category": CATEGORIES,
            "code": concept(coding(LOINC, code)), **about}


def _located(gene: str, view: View) -> list[Json]:
    """The gene, and the assembly where all samples share one."""
    builds = {row["build"] for row in view["samples"]}
    known = [BUILDS[build] for build in builds if build in BUILDS and len(builds) == 1]
    return [_component(coding(LOINC, GENE), concept(*gene_codings(gene), text=gene)),
            *(_component(coding(LOINC, ASSEMBLY), concept(coding(LOINC, one))) for one in known)]


def implication(row: View, genes: list[str], view: View, found: dict[str, Json], about: Json) -> Json:
    """What genes mean for one medicine: a therapeutic-implication that rests on the genes' genotypes."""
    phenotypes = [(gene, view["genes"][gene]["phenotype"]) for gene in genes if view["genes"][gene]["phenotype"]]
    return {
        "resourceType": "Observation", "meta": profile("therapeutic-implication"), "category": CATEGORIES,
        "status": "preliminary" if row["action"] in {"test", "not-assessed"} or any(
            assumed(view["genes"][gene]) for gene in genes) else "final",
        "code": concept(IMPLICATION), **about,
        "extension": [_artifact(one) for one in row["evidence"]],
        "dataAbsentReason": None if phenotypes else absent_reason(),
        "derivedFrom": [found[gene] for gene in genes], "note": notes(row["why"] or ""),
        "component": [
            *_conclusion(row["text"]),
            _component(coding(LOINC, MEDICATION), concept(*drug_codings(row["drug"]), text=row["drug"])),
            *(_component(IMPLICATION, _phenotype(gene, name)) for gene, name in phenotypes),
            *(_component(coding(LOINC, EVIDENCE), concept(text=f"{one['source']} level {one['level']}"))
              for one in row["evidence"] if one["level"]),
            *([_component(coding(LOINC, CONTEXT), concept(text=row["population"]))] if row["population"] else []),
            *(_changed(gene, view["genes"][gene]) for gene, _ in phenotypes if _is_changed(view["genes"][gene]))],
    }


def _phenotype(gene: str, name: str) -> Json:
    known = PHENOTYPES.get(name.lower())
    return concept(*([coding(LOINC, known)] if known else []), text=f"{gene} {name}")


def _is_changed(row: View) -> bool:
    return bool(row["present_phenotype"] != row["phenotype"])


def _changed(gene: str, row: View) -> Json:
    """The phenotype of today where other medicines change it; unknown where they may."""
    name, acting = row["present_phenotype"], ", ".join(row["acting"] or row["because"])
    value = concept(text=f"{gene} {name} ({acting})") if name else {"extension": unknown()}
    return {"code": concept(text=PRESENT), "valueCodeableConcept": value}


def _artifact(evidence: View) -> Json:
    cited = ", ".join(part for part in (evidence["source"], evidence["citation"]) if part)
    return {"url": ARTIFACT, "valueRelatedArtifact": {
        "type": "citation", "citation": cited, "url": web_link(evidence["url"])}}


def _conclusion(text: str) -> list[Json]:
    return [{"code": concept(CONCLUSION), "valueString": text}] if text else []


def _component(code: Json, value: Any) -> Json:
    return {"code": concept(code), "valueCodeableConcept": value}
