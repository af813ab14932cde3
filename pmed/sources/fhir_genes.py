"""Genotypes that the record holds already → ``outside_calls``.

A genotype is an Observation of HL7's Genomics Reporting guide (https://hl7.org/fhir/uv/genomics-reporting/): LOINC
84413-4 with the gene (48018-6) as a component and the diplotype as its value.
"""

from __future__ import annotations

import re

from ..normalise.loinc import LOINC
from .fhir_resource import Resource
from .fhir_rows import prefer
from .fhir_types import CodeableConcept, Observation
from .recorded import Issue

GENOTYPE, HAPLOTYPE, GENE = "84413-4", "84414-2", "48018-6"
TOOL = "FHIR record"
_FINAL = ("final", "amended", "corrected")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9-]*[A-Z0-9]")
_LEADING = re.compile(r"\s*([A-Z][A-Z0-9-]*[A-Z0-9])\s*\*")
Call = dict[str, object]


def gene_call(resource: Resource, found: Observation, name: str, issues: list[Issue]) -> Call | None:
    """The outside call of a genotype; None for other observations, and for one that cannot be used (reported)."""
    codings = found.code.coding if found.code else []
    if len(codings) == 1 and codings[0].code not in (GENOTYPE, HAPLOTYPE):  # as of nearly all
        return None
    named = [one for one in codings if one.code in (GENOTYPE, HAPLOTYPE)]
    kinds = {one.code for one in named if one.system in (LOINC, None)}
    if not kinds:
        return None
    text, gene = _text(found), _gene(found)
    if fault := _fault(found, text, gene, kinds):
        issues.append(resource.issue("warning", "genotype-not-used", f"{fault}; the genotype was not used",
                                     patient_id=name, path="$"))
        return None
    issues.append(resource.issue("info", "genotype-in-record", f"the recorded genotype of {gene} is an outside call: "
                                 "it takes the place of what a genome file says, where the gene is known",
                                 patient_id=name))
    return {"sample": name, "patient_id": name, "gene": gene, "diplotype": _diplotype(text or "", gene or ""),
            "tool": TOOL, "file": resource.file,
            "note": f"{resource.name}, {(found.effective_date_time or found.issued or 'undated')[:10]}"}


def _fault(found: Observation, text: str | None, gene: str | None, kinds: set[str | None]) -> str | None:
    """Why it cannot be used, if so."""
    if GENOTYPE not in kinds:
        return "a haplotype alone does not tell both alleles"
    if found.status not in _FINAL:
        return f"its status is {(found.status or 'unknown')[:20]}, not final"
    if gene is None:
        return "it names no gene, or more than one"
    return None if text else "it has no value"


def _text(found: Observation) -> str | None:
    """The diplotype as written: a coded value's text, else its display."""
    concept = found.value_codeable_concept
    if concept:
        return concept.text or next((one.display for one in concept.coding if one.display), None)
    return found.value_string


def _gene(found: Observation) -> str | None:
    """The one gene that the components name, else the one that the value begins with."""
    parts = [part.value_codeable_concept for part in found.component if prefer(part.code, LOINC).code == GENE]
    named = {_symbol(one) for one in parts}
    if not parts and (lead := _LEADING.match(_text(found) or "")):
        named = {lead[1]}
    return named.pop() if len(named) == 1 else None


def _symbol(concept: CodeableConcept | None) -> str | None:
    """The HGNC symbol: systems write it as display, text or code."""
    if concept is None:
        return None
    texts = [text for one in concept.coding for text in (one.display, one.code)] + [concept.text]
    return next((text for text in texts if text and _SYMBOL.fullmatch(text)), None)


def _diplotype(text: str, gene: str) -> str:
    """Both alleles without the gene's name: "CYP2C19 *2/CYP2C19 *17" is "*2/*17"."""
    bare = re.sub(rf"(?<![A-Z0-9-]){re.escape(gene)}[\s:]*", "", text)
    return re.sub(r"\s*/\s*", "/", bare).strip()
