"""Names of alleles as tools write them: gene prefixes, suballeles, older names, HLA fields."""

from __future__ import annotations

import re
from functools import cache

from pmed.errors import InputError

from ..knowledge import Gene, genes, today

HLA = ("HLA-A", "HLA-B")
_HLA_ALLELE = re.compile(r"(?:HLA-)?(?P<locus>[A-Z0-9]*)\*(?P<fields>[0-9]{2,3}(?::[0-9]{2,4})*)(?P<suffix>[A-Z]?)")
_TWO_FIELDS = 2
# Names that star-allele nomenclatures may have: a number, a letter of the time before numbers did, a suballele.
_STAR = re.compile(r"\*[0-9]+[A-Z]?(?:\.[0-9]+)?")


@cache
def resolve(gene_name: str, name: str) -> tuple[str, ...]:
    """What the release calls an allele; several where an older name was split, none where it is unknown.

    In genes of one site tools write ``Reference`` and the rsID for its two alleles.

    >>> resolve("CYP2D6", "*4.013"), resolve("VKORC1", "rs9923231"), resolve("CYP2D6", "*4.ALDY")
    (('*4',), ('rs9923231 variant (T)',), ())
    """
    gene = genes()[gene_name]
    if name in gene.core:
        return (gene.core[name],)
    if _STAR.fullmatch(name):
        return today(gene_name, name)
    if f"m.{name}" in gene.core:  # mitochondrial variants, whose older names had no prefix
        return (gene.core[f"m.{name}"],)
    return today(gene_name, name) if (gene_name, name) in _older() else _of_one_site(gene, name)


@cache
def _older() -> frozenset[tuple[str, str]]:
    from ..knowledge import synonyms

    return frozenset(synonyms())


def _of_one_site(gene: Gene, name: str) -> tuple[str, ...]:
    if len(gene.sites) != 1:
        return ()
    site = gene.sites[0].name
    starts = {"reference": f"{site} reference (", site.lower(): f"{site} variant ("}.get(name.lower())
    found = [allele for allele in gene.core if starts and allele.startswith(starts)]
    return tuple(found) if len(found) == 1 else ()


def split(text: str, separator: str) -> list[str]:
    """Parts between separators that are in no bracket, without blanks around them.

    >>> split("[*1/*2]/*3", "/"), split("*36 + *10", "+")
    (['[*1/*2]', '*3'], ['*36', '*10'])
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[(") - (letter in "])")
        if letter == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def clean(gene: str, text: str, where: str) -> tuple[str, list[str]]:
    """A diplotype without gene prefixes, suballeles and HLA fields beyond the second; and what was left out, in words.

    Raises:
        InputError: for more than two alleles, an empty one, or a name that no HLA allele of the gene has.
    """
    alleles = split(text, "/")
    if len(alleles) > 2:
        raise InputError(f"{gene}: {len(alleles)} alleles in {text!r}, where at most two can be", where=where,
                         hint="write several possible diplotypes on lines of their own")
    if not all(alleles):
        raise InputError(f"{gene}: an allele is missing in {text!r}", where=where)
    trim = _trim_hla if gene in HLA else _trim_star
    made = [trim(gene, allele, where) for allele in alleles]
    return "/".join(name for name, _ in made), [note for _, notes in made for note in notes]


def _trim_hla(gene: str, allele: str, where: str) -> tuple[str, list[str]]:
    match = _HLA_ALLELE.fullmatch(allele)
    if not match or match["locus"] not in {"", gene.removeprefix("HLA-")}:
        raise InputError(f"{allele!r} is no {gene} allele", where=where, hint=f"such as {gene}*02:01 or *02:01")
    fields = match["fields"].split(":")
    # A null allele (N) is not expressed: what is known of the allele without N says nothing of it.
    name = "*" + ":".join(fields[:_TWO_FIELDS]) + ("N" if match["suffix"] == "N" else "")
    longer = len(fields) > _TWO_FIELDS or match["suffix"] not in {"", "N"}
    return name, [f"{allele} is read as {name}"] if longer else []


def _trim_star(gene: str, allele: str, where: str) -> tuple[str, list[str]]:
    plain = re.sub(rf"\b{re.escape(gene)}[\s:_]*(?=\S)", "", allele).strip()
    if not plain:
        raise InputError(f"{gene}: an allele is missing in {allele!r}", where=where)
    name = re.sub(r"(\*[0-9]+)\.[0-9]+(?=$|[\sx×+\]])", r"\1", plain)
    return name, [f"{plain} is read as {name}: suballeles have the core allele's function"] if name != plain else []
