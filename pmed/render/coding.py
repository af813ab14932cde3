"""Code systems and codes that more than one export uses; what has no code here is sent as text and nothing else.

LOINC terms and answers are those of HL7's Genomics Reporting guide, version 3.0.0 (http://hl7.org/fhir/uv/genomics-reporting).
"""

from __future__ import annotations

from typing import Any

from ..normalise.identifiers import atc, hgnc, rxnorm

LOINC = "http://loinc.org"
HGNC = "http://www.genenames.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"

REPORT = ("51969-4", "Genetic analysis report")
GENE = ("48018-6", "Gene studied [ID]")
GENOTYPE = ("84413-4", "Genotype display name")
HAPLOTYPE = ("84414-2", "Haplotype name")
ASSEMBLY = ("62374-4", "Human reference sequence assembly version")
MEDICATION = ("51963-7", "Medication assessed [ID]")
METABOLISM = ("53040-2", "Genetic variation's effect on drug metabolism interpretation")
CONTEXT = ("81259-4", "Probable associated phenotype")
EVIDENCE = ("93044-6", "Level of evidence")
SUGGESTION_TYPE = ("82116-5", "Medication usage suggestion [Type]")
SUGGESTION = ("83010-9", "Medication usage suggestion [Narrative]")

BUILDS = {"GRCh38": ("LA26806-2", "GRCh38"), "GRCh37": ("LA14029-5", "GRCh37")}
# Value set genetic-therapeutic-implications-vs, by the phenotypes' names in lower case.
PHENOTYPES = {
    "ultrarapid metabolizer": ("LA10315-2", "Ultrarapid metabolizer"),
    "rapid metabolizer": ("LA25390-8", "Rapid metabolizer"),
    "normal metabolizer": ("LA25391-6", "Normal metabolizer"),
    "intermediate metabolizer": ("LA10317-8", "Intermediate metabolizer"),
    "poor metabolizer": ("LA9657-3", "Poor metabolizer"),
    "increased function": ("LA25392-4", "Increased function"),
    "normal function": ("LA25393-2", "Normal function"),
    "decreased function": ("LA25395-7", "Decreased function"),
    "poor function": ("LA25394-0", "Poor function"),
}
# Answer lists LL4049-4 (medication usage suggestion) and LL1037-2 (follow-up).
OTHER_MEDICINE = ("LA26421-0", "Consider alternative medication")
LOWER_DOSE = ("LA26422-8", "Decrease dose")
HIGHER_DOSE = ("LA26423-6", "Increase dose")
MORE_TESTS = ("LA14022-0", "Additional testing recommended")


def usage(action: str, dose_factor: float | None) -> tuple[str, str] | None:
    """The LOINC answer that an action is; None where none says the same (watch, or a change of unknown direction)."""
    if action in {"avoid", "alternative"}:
        return OTHER_MEDICINE
    if action == "adjust" and dose_factor is not None and dose_factor != 1:
        return LOWER_DOSE if dose_factor < 1 else HIGHER_DOSE
    return None


def drug_codings(ingredient: str) -> list[dict[str, Any]]:
    """RxNorm and ATC codings of an ingredient, as far as the tables know them."""
    code = rxnorm(ingredient)
    return [*([{"system": RXNORM, "code": code, "display": ingredient}] if code else []),
            *({"system": ATC, "code": one, "display": ingredient} for one in atc(ingredient))]


def gene_codings(symbol: str) -> list[dict[str, Any]]:
    """The HGNC coding of a gene; empty where the table does not have it."""
    code = hgnc(symbol)
    return [{"system": HGNC, "code": code, "display": symbol}] if code else []
