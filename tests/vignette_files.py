"""The files of a vignette: a GRCh38 VCF, a FHIR R4 bundle and a table of outside calls, as `pmed report` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pmed_pgx.knowledge import genes, table
from pmed_pgx.model import Gene

RXNORM, SNOMED, ICD10 = ("http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct",
                         "http://hl7.org/fhir/sid/icd-10-cm")
LOINC, UCUM, XHTML = "http://loinc.org", "http://unitsofmeasure.org", "http://www.w3.org/1999/xhtml"
TERMS = "http://terminology.hl7.org/CodeSystem"
TEST_DATA = {"tag": [{"system": f"{TERMS}/v3-ActReason", "code": "HTEST", "display": "test health data"}]}
FORMAT = "GT:DP:GQ"
# Contigs with a gene of the release, and their lengths in GRCh38 (Genome Reference Consortium).
LENGTHS = {"chr1": 248956422, "chr2": 242193529, "chr4": 190214555, "chr6": 170805979, "chr7": 159345973,
           "chr8": 145138636, "chr10": 133797422, "chr12": 133275309, "chr13": 114364328, "chr16": 90338345,
           "chr19": 58617616, "chr22": 50818468, "chrX": 156040895, "chrM": 16569}
Vignette = Mapping[str, Any]
Place = tuple[str, int, str]
Strands = list[str]


def write(vignette: Vignette, folder: Path) -> dict[str, list[Path]]:
    """The vignette's files in `folder`, as the arguments of ``pmed.run``; what it has not is left out."""
    made: dict[str, list[Path]] = {}
    for argument, name, text in (("genome", "genome.vcf", genome(vignette)),
                                 ("history", "record.json", record(vignette)),
                                 ("outside_calls", "outside.tsv", outside(vignette))):
        if text:
            made[argument] = [folder / name]
            made[argument][0].write_text(text, encoding="utf-8")
    return made


def outside(vignette: Vignette) -> str:
    """Outside calls in PharmCAT's format: gene and diplotype with a tab between."""
    return "".join(f"{gene}\t{call}\n" for gene, call in vignette.get("outside", {}).items())


# --- genome ----------------------------------------------------------------------------------------------------------


def genome(vignette: Vignette) -> str:
    """Phased calls at every site of every gene that the vignette knows; the sample is the patient.

    Positions are 1-based. Men have one copy of the X outside its pseudo-autosomal ends, everybody has one of MT.
    """
    if vignette.get("genome") is False:
        return ""
    order = [*LENGTHS]
    lines = ["##fileformat=VCFv4.3", "##source=a vignette of the pmed tests: nobody's genome",
             '##FILTER=<ID=PASS,Description="All filters passed">',
             *(f"##contig=<ID={name},length={size},assembly=GRCh38>" for name, size in LENGTHS.items()),
             '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
             '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
             '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
             f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{vignette['name']}"]
    places = genotypes(vignette)
    for (chrom, pos, ref), strands in sorted(places.items(), key=lambda one: (order.index(one[0][0]), *one[0][1:])):
        alts = _alts(chrom, pos, ref)
        call = "|".join(str([ref, *alts].index(base)) for base in strands)
        lines.append(f"{chrom}\t{pos}\t.\t{ref}\t{','.join(alts)}\t.\tPASS\t.\t{FORMAT}\t{call}:38:99")
    return "\n".join(lines) + "\n"


def genotypes(vignette: Vignette) -> dict[Place, Strands]:
    """(chrom, pos, REF) → the base of each strand, for all genes of the vignette."""
    found: dict[Place, Strands] = {}
    for gene in genes().values():
        if not gene.sites or not _known(vignette, gene.name):
            continue
        for site, strands in _bases(gene, alleles(vignette, gene)):
            place = gene.chrom, site.pos, site.alleles[0]
            # Two published changes of one base are two sites; a strand carries one of them.
            before = found.setdefault(place, strands)
            found[place] = [one if one != place[2] else other for one, other in zip(before, strands, strict=True)]
    return found


def alleles(vignette: Vignette, gene: Gene) -> list[str]:
    """The named alleles on the strands of a gene: those asked for, else *1 or the reference.

    Raises:
        KeyError: an allele that the gene has not.
    """
    normal = "*1" if "*1" in gene.alleles else _references()[gene.name]
    copies = 1 if gene.ploidy == "MT" or (gene.ploidy == "X" and vignette["sex"] == "male") else 2
    asked = vignette.get("diplotypes", {}).get(gene.name, "/".join([normal] * copies)).split("/")
    if strange := [name for name in asked if name not in gene.alleles]:
        raise KeyError(f"{vignette['name']}: {gene.name} has no allele {strange[0]}")
    if len(asked) != copies:
        raise KeyError(f"{vignette['name']}: {gene.name} is on {copies} strands here, not {len(asked)}")
    return asked


@cache
def _references() -> dict[str, str]:
    return dict(table("genes").select("gene", "reference_allele").iter_rows())


def _known(vignette: Vignette, gene: str) -> bool:
    if vignette.get("genes") == "only":
        return gene in vignette.get("diplotypes", {})
    return gene not in vignette.get("unknown", [])


def _bases(gene: Gene, names: list[str]) -> Iterator[tuple[Any, Strands]]:
    rows = [gene.allowed[gene.alleles.index(name)] for name in names]
    for p, site in enumerate(gene.sites):
        # Where an allele may carry either base, the file's REF comes first.
        yield site, [site.alleles[int(row[p].argmax())] for row in rows]
    for site in gene.extras:
        yield site, [site.alleles[0]] * len(names)


def _alts(chrom: str, pos: int, ref: str) -> list[str]:
    return list(dict.fromkeys(
        alt for gene in genes().values() if gene.chrom == chrom for site in (*gene.sites, *gene.extras)
        if site.pos == pos and site.alleles[0] == ref for alt in site.alleles[1:]))


# --- record ----------------------------------------------------------------------------------------------------------


def record(vignette: Vignette) -> str:
    """A transaction bundle with the person and everything that the vignette says was recorded."""
    if vignette.get("record") is False:
        return ""
    resources = [person(vignette)]
    for kind, make in (("conditions", condition), ("medications", medication), ("observations", observation),
                       ("allergies", allergy)):
        for number, row in enumerate(vignette.get(kind, ()), 1):
            about = {"id": f"{kind}-{number}", "meta": TEST_DATA, **make(row)}
            who = "patient" if kind == "allergies" else "subject"
            resources.append({**about, who: {"reference": _link(vignette["name"])}})
    entries = [{"fullUrl": _link(one["id"]), "resource": one,
                "request": {"method": "POST", "url": one["resourceType"]}} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "meta": TEST_DATA, "entry": entries},
                      indent=1, default=str)


def person(vignette: Vignette) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": vignette["name"], "meta": TEST_DATA, "active": True,
            "text": {"status": "generated", "div": f'<div xmlns="{XHTML}">Nobody: a vignette.</div>'},
            "gender": vignette["sex"], "birthDate": vignette["born"]}


def condition(row: Mapping[str, Any]) -> dict[str, Any]:
    state = "resolved" if "end" in row else "active"
    system, code = (SNOMED, row["snomed"]) if "snomed" in row else (ICD10, row["icd10"])
    return {"resourceType": "Condition", "clinicalStatus": _term("condition-clinical", state),
            "verificationStatus": _term("condition-ver-status", "confirmed"), "code": _coded(system, code, row["text"]),
            "onsetDateTime": row["start"], "recordedDate": row["start"],
            **({"abatementDateTime": row["end"]} if "end" in row else {})}


def medication(row: Mapping[str, Any]) -> dict[str, Any]:
    """An order with its daily dose; one that has ended was stopped on its last day."""
    unit, form = row.get("unit", "mg"), row.get("form", "Oral Tablet")
    strength = f" {row['dose']:g} {unit.upper()}" if "dose" in row else ""
    amount = {"doseAndRate": [{"doseQuantity": {"value": row["dose"], "unit": unit, "system": UCUM, "code": unit}}]}
    often = {"timing": {"repeat": {"frequency": row.get("times_a_day", 1), "period": 1, "periodUnit": "d"}}}
    period = {key: row[name] for key, name in (("start", "start"), ("end", "end")) if name in row}
    return {"resourceType": "MedicationRequest", "status": row.get("status", "stopped" if "end" in row else "active"),
            "intent": "order", "authoredOn": row["start"],
            "medicationCodeableConcept": _coded(RXNORM, row.get("rxnorm"), f"{row['drug']}{strength} {form}"),
            "dosageInstruction": [{**often, **(amount if "dose" in row else {})}],
            **({"dispenseRequest": {"validityPeriod": period}} if "end" in row else {})}


def observation(row: Mapping[str, Any]) -> dict[str, Any]:
    quantity = {"value": row["value"], "unit": row["unit"], "system": UCUM, "code": row["unit"]}
    return {"resourceType": "Observation", "status": "final", "code": _coded(LOINC, row["loinc"], row["text"]),
            "effectiveDateTime": row["start"], "valueQuantity": quantity}


def allergy(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "clinicalStatus": _term("allergyintolerance-clinical", "active"),
            "verificationStatus": _term("allergyintolerance-verification", "confirmed"), "category": ["medication"],
            "code": _coded(SNOMED, row.get("snomed"), row["drug"]), "recordedDate": row.get("start", date(2015, 1, 1))}


def _link(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, name)}"


def _term(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{TERMS}/{system}", "code": code}]}


def _coded(system: str, code: str | None, text: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "display": text, **({"code": code} if code else {})}], "text": text}
