"""One gene and one genotype pattern: from allele codes to a row of ``gene_results``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from . import combinations, doubts, phenotype, probabilities
from .knowledge import Gene, table
from .matcher import (
    FILTERED,
    HALF_CALL,
    HAPLOID,
    HOMOZYGOUS,
    MIXED,
    OTHER,
    SINGLE,
    UNPHASED,
    Alleles,
    Codes,
    Groups,
    Match,
    is_present,
    match,
)
from .variants import completed, match_variants

Row = dict[str, Any]
Message = dict[str, str]

_REFUSED = {
    HALF_CALL: ("half-call", "only one allele was read at {sites}, so no diplotype is called"),
    HAPLOID: ("haploid-call", "one allele instead of two at {sites}, so no diplotype is called"),
    OTHER: ("undocumented-allele", "an allele that no definition knows at {sites}, so no diplotype is called"),
    MIXED: ("heteroplasmy", "more than one base was read in the mitochondrial DNA at {sites}: a mixture is not called"),
}
_NOTES = {
    "compound-mismatch": ("hapb3-exonic-without-intronic", "the exonic variant of HapB3 (rs56038477) was read without "
                          "the intronic one (rs75017182) that matters: it counts as reference"),
    "compound-by-proxy": ("hapb3-exonic-only", "HapB3 is called from its exonic variant (rs56038477) alone: the "
                          "intronic one (rs75017182) that matters was not read"),
}
AT_LEAST = "at-least"  # of a message: what is known to be wrong with a gene that is not settled
DIPLOTYPE_OPEN = "diplotype-open"  # of a message: another diplotype is possible, with the same phenotype
# Small variants say nothing of copy number and hybrid genes: no phenotype rests on them alone.
STRUCTURAL = {"CYP2D6": "copy number and hybrids not assessed: small variants alone cannot tell the CYP2D6 phenotype"}


@cache
def fallbacks() -> dict[str, tuple[str, dict[str, str]]]:
    """Gene → the one site that decides where there is no call, and the allele that each of its bases stands for."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for gene, site, base, allele in table("fallbacks").select("gene", "site", "base", "allele").iter_rows():
        found.setdefault(gene, (site, {}))[1][base] = allele
    return found


@dataclass(frozen=True)
class How:
    """What the user asked of the caller."""

    all_matches: bool = False
    combinations: bool = False


@dataclass(frozen=True)
class Called:
    """What was found: labels to show, the alleles to look the phenotype up with; of a list, all labels `possible`."""

    labels: Sequence[str]
    calls: Sequence[Alleles]
    phased: bool
    notes: list[Message] = field(default_factory=list)
    possible: Sequence[str] = ()


def call(gene: Gene, codes: Codes, groups: Groups, *, assumed: bool, how: How = How()) -> Row:
    """One ``gene_results`` row, without the patient, for one genotype pattern.

    Args:
        gene: Definitions and rules.
        codes: (sites, 2) allele codes, negative where unknown.
        groups: (sites,) phase groups.
        assumed: Some site is reference by assumption only.
        how: What was asked for.
    """
    lost = ~is_present(codes)
    row: Row = {"gene": gene.name, "complete": False, "diplotypes": [], "functions": [],
                "missing_sites": [gene.sites[p].name for p in np.flatnonzero(lost)],
                "possible_diplotypes": [], "possible_phenotypes": [], "messages": _assumed(assumed=assumed)}
    if lost.all():
        return {**row, "status": "no-data", "messages": row["messages"] + _filtered(gene, codes)}
    codes, groups, noted = _documented(gene, codes, groups)
    row["messages"] = row["messages"] + noted + _filtered(gene, codes)
    if refused := _refusals(gene, codes):
        return {**row, "status": "not-called", **_fallback(gene, codes, [*row["messages"], *refused])}
    found = _found(gene, codes, groups, how)
    if not found.calls:
        return {**row, "status": "not-called", **_uncalled(gene, codes, groups, found, row["messages"])}
    return {**row, **_outcome(gene, codes, found, row["messages"], sure=not noted)}


def _found(gene: Gene, codes: Codes, groups: Groups, how: How) -> Called:
    if gene.kind == "variants":
        # What is told is told of the first: reference where an allele was not read.
        each = [match_variants(gene, one, groups) for one in completed(gene, codes) or [codes]]
        told = [{"code": _NOTES[note][0], "text": _NOTES[note][1]} for note in dict.fromkeys(each[0].notes)]
        told += _listed(each[0].homozygous, phased=each[0].phased)
        lookups = [*dict.fromkeys(pair for listed in each for pair in listed.lookups)]
        # A list of variants has none that may be there and may not.
        shown = each if all(listed.phased for listed in each) else each[:1]
        possible = [*dict.fromkeys(label for listed in shown for label in listed.labels)]
        return Called(each[0].labels, lookups, each[0].phased, told, possible)
    found = match(gene, codes, groups, all_matches=how.all_matches)
    if how.combinations and not found.calls and not (codes == SINGLE).any():
        labels = combinations.diplotypes(gene, codes, groups)
        return Called(["/".join(pair) for pair in labels], labels, found.phased, [])
    calls: Sequence[Alleles] = found.calls
    notes: list[Message] = []
    if gene.priorities and (groups == UNPHASED).any() and not how.all_matches:
        calls, notes = _prioritised(gene, match(gene, codes, groups, all_matches=True), found)
    return Called(["/".join(one) for one in calls], calls, found.phased, notes)


def _listed(homozygous: Sequence[str], *, phased: bool) -> list[Message]:
    text = "the variants are not phased: they are taken to lie on different strands, which is the worse case"
    notes = [] if phased else [{"code": "phase-unknown", "text": text}]
    return notes + ([{"code": "homozygous", "text": f"homozygous: {', '.join(homozygous)}"}] if homozygous else [])


def _prioritised(gene: Gene, every: Match, found: Match) -> tuple[Sequence[Alleles], list[Message]]:
    """Of the unphased diplotypes that fit, the one that a published order by frequency puts first (rule 15)."""
    labels = {"/".join(call): call for call in every.calls}
    decided = next(((among, pick) for among, pick in gene.priorities.items() if among <= labels.keys()), None)
    if decided is None:
        return found.calls, []
    text = f"{' and '.join(sorted(decided[0]))} all fit; {decided[1]} is the more frequent one by the published order"
    return [labels[decided[1]]], [{"code": "priority", "text": text}]


def _outcome(gene: Gene, codes: Codes, found: Called, messages: list[Message], *, sure: bool) -> Row:
    hidden = doubts.hidden(gene, codes)
    calls, rare = doubts.plain(gene, codes, found.calls)
    strands = doubts.options(gene, codes, calls, hidden)
    half = bool((codes == HALF_CALL).any())
    phenotypes = doubts.phenotypes(gene, calls, strands) if completed(gene, codes) else []
    predicted, score = phenotype.agreed(gene, calls)
    open_still = bool(hidden) and phenotypes != [predicted]
    doubtful = open_still or not sure or gene.name in STRUCTURAL or (half and phenotypes != [predicted])
    notes = messages + found.notes + _unsure(gene, found, calls)
    # The phenotype may be sure where the diplotype is not: advice can ask for either.
    other = gene.kind == "diplotype" and any(len(one) > 1 for call in strands for one in call)
    if open_still or other:
        code = "key-site-missing" if open_still else DIPLOTYPE_OPEN
        notes += [{"code": code, "text": text} for text in doubts.in_words(gene, codes, hidden)]
    if rare:
        notes.append({"code": "rare-alleles-open", "text": f"{', '.join(rare)} differ only at sites that were not "
                      "read; they are not assumed, as no key allele is among them"})
    if gene.name in STRUCTURAL:
        phenotypes = []
        notes.append({"code": "copy-number-not-assessed", "text": STRUCTURAL[gene.name]})
    if half:
        notes.append({"code": "half-call", "text": f"only one allele was read at {_names(gene, codes, HALF_CALL)}: the "
                                                   "other one is unknown"})
    if doubtful:
        notes += _withheld(predicted)
        predicted = score = None
    elif hidden and predicted is not None and gene.by == "activity":
        score = phenotype.agreed(gene, [tuple(one) for call in strands for one in product(*call)])[1]
    if doubtful or score is None:
        notes += _at_least(gene, found.calls[0])
    one = (len(found.labels) == 1 and not open_still and not other) or (not found.phased and gene.kind == "variants")
    one = one and not half
    # Of the calls alone the most likely one would seem sure.
    weighable = len(phenotypes) > 1 and doubts.can_be_listed(strands)
    chances = probabilities.weighed(gene, doubts.diplotypes(calls, strands)) if weighable else []
    if chances:
        text = f"{probabilities.in_words(chances)} (from allele frequencies, if nothing else is known)"
        notes.append({"code": "probabilities", "text": text})
    labels = found.possible if gene.kind == "variants" or not found.calls[0] else [
        "/".join(one) for one in dict.fromkeys([*found.calls, *doubts.diplotypes(calls, strands)])]
    return _by_one_site(gene, codes, {
        "status": "called" if one else "ambiguous", "phased": found.phased, "diplotypes": list(found.labels),
        "functions": [phenotype.function(gene, allele) for allele in found.calls[0]],
        "lookup_diplotypes": ["/".join(one) for one in calls],
        "possible_diplotypes": list(labels), "possible_phenotypes": phenotypes, "probabilities": chances,
        "activity_score": score, "phenotype": predicted,
        "complete": not doubtful, "messages": notes})


def _uncalled(gene: Gene, codes: Codes, groups: Groups, found: Called, messages: list[Message]) -> Row:
    """No pair of named alleles: which variants there are, and what follows if every explanation leads to it."""
    said = combinations.conclude(gene, codes, groups)
    notes = [*messages, {"code": "no-match", "text": said.text}]
    otherwise = _out_of_phase(gene, codes, groups)
    if otherwise:
        fitting = " or ".join(otherwise[:3])
        notes.append({"code": "phase-doubt", "text": f"if the file's phase is wrong, {fitting} would fit"})
    phenotypes = () if gene.name in STRUCTURAL or otherwise else said.phenotypes
    row = _fallback(gene, codes, notes, phased=found.phased, phenotypes=phenotypes)
    return {**row, "possible_diplotypes": otherwise}


def _out_of_phase(gene: Gene, codes: Codes, groups: Groups) -> list[str]:
    """Diplotypes that would fit if the heterozygous sites were not phased; phasing by reference panels errs."""
    if not ((groups != UNPHASED) & (groups != HOMOZYGOUS)).any():
        return []
    free = np.where(groups == HOMOZYGOUS, HOMOZYGOUS, UNPHASED)
    return ["/".join(call) for call in match(gene, codes, free).calls]


def _fallback(gene: Gene, codes: Codes, notes: list[Message], *, phased: bool | None = None,
              phenotypes: Sequence[str] = ()) -> Row:
    """The result of a gene that could not be called, with what can still be concluded of its phenotype."""
    if len(phenotypes) == 1 and not doubts.hidden(gene, codes):
        only = phenotypes[0]
        notes.append({"code": "concluded", "text": f"{only}: every way to explain the genotypes leads to it"})
        return {"phased": phased, "possible_phenotypes": [only], "phenotype": only,
                "complete": True, "messages": notes}
    return _by_one_site(gene, codes, {"phased": phased, "possible_phenotypes": list(phenotypes), "messages": notes})


def _by_one_site(gene: Gene, codes: Codes, row: Row) -> Row:
    """Advice of a gene without a phenotype may rest on one site alone, where the guideline does (rule 11)."""
    name, alleles = fallbacks().get(gene.name, ("", {}))
    if row.get("phenotype") is not None or not name or (codes == OTHER).any():
        return row
    site = next(p for p, one in enumerate(gene.sites) if one.name == name)
    if (codes[site] < 0).any():
        return row
    chosen = tuple(alleles.get(gene.sites[site].alleles[code], "") for code in codes[site].tolist())
    predicted, _ = phenotype.phenotype(gene, chosen)
    if predicted is None:
        return row
    text = f"the phenotype rests on {name} alone, as the guideline allows: {'/'.join(chosen)}, {predicted}"
    return {**row, "phenotype": predicted, "complete": True,
            "lookup_diplotypes": ["/".join(chosen)], "possible_phenotypes": [predicted],
            "messages": [*(one for one in row["messages"] if one["code"] != "phenotype-withheld"),
                         {"code": "single-site", "text": text}]}


def _documented(gene: Gene, codes: Codes, groups: Groups) -> tuple[Codes, Groups, list[Message]]:
    """In the genes of severe toxicity a base that no definition knows counts as reference (rule 6), and is told."""
    if gene.undocumented != "reference" or not (codes == OTHER).any():
        return codes, groups, []
    text = (f"an allele that no definition knows at {_names(gene, codes, OTHER)} is shown as reference, as the "
            "reference tool does; its effect is unknown, so no phenotype is given")
    known = np.where(codes == OTHER, 0, codes).astype(np.int8)
    alike = known[:, 0] == known[:, 1]
    return known, np.where(alike, HOMOZYGOUS, groups), [{"code": "undocumented-as-reference", "text": text}]


def _refusals(gene: Gene, codes: Codes) -> list[Message]:
    """Why the gene cannot be called at all (rules 4, 6, 15)."""
    lenient = {HALF_CALL} if gene.kind == "variants" else set()
    refused = [{"code": name, "text": text.format(sites=_names(gene, codes, code))}
               for code, (name, text) in _REFUSED.items() if code not in lenient and (codes == code).any()]
    single = codes[:, 1] == SINGLE
    if single.any() and (~single & (codes[:, 0] != codes[:, 1]) & (codes >= 0).all(axis=1)).any():
        refused.append({"code": "mixed-ploidy", "text": "one allele at some sites and two different ones at others"})
    required = [gene.sites[p].name for p in np.flatnonzero(~is_present(codes)) if gene.sites[p].role == "required"]
    if required:
        refused.append({"code": "required-site-missing", "text": f"not called without {', '.join(required)}"})
    return refused


def _assumed(*, assumed: bool) -> list[Message]:
    text = "sites absent from the file are taken as reference, because the user said so"
    return [{"code": "absent-as-ref", "text": text}] if assumed else []


def _filtered(gene: Gene, codes: Codes) -> list[Message]:
    if not (codes == FILTERED).any():
        return []
    return [{"code": "filtered-sites", "text": f"calls that failed the file's filters were not used: "
                                               f"{_names(gene, codes, FILTERED)}"}]


def _names(gene: Gene, codes: Codes, code: int) -> str:
    return ", ".join(gene.sites[p].name for p in np.flatnonzero((codes == code).any(axis=1)))


def _withheld(predicted: str | None) -> list[Message]:
    """A phenotype that rests on what nobody looked at is unknown: absence must never read as normal."""
    text = f"{predicted} only if nothing differs where nobody looked"
    return [{"code": "phenotype-withheld", "text": text}] if predicted else []


def _at_least(gene: Gene, call: Alleles) -> list[Message]:
    """Of a list of variants, those that were read and lower the function, whatever else there is."""
    lowered = [allele for allele in dict.fromkeys(call) if gene.kind == "variants" and phenotype.rank(gene, allele) < 1]
    text = f"at least {' and '.join(lowered)} was read, and what was not read can only add to it"
    return [{"code": AT_LEAST, "text": text}] if lowered else []


def _unsure(gene: Gene, found: Called, calls: Sequence[Alleles]) -> list[Message]:
    notes: list[Message] = []
    if len(found.labels) > 1 and (found.phased or gene.kind != "variants"):
        notes.append({"code": "ambiguous", "text": f"{len(found.labels)} diplotypes fit the genotypes equally well"})
    unknown = sorted({allele for pair in calls for allele in pair if allele not in gene.functions})
    if unknown:
        notes.append({"code": "function-unknown", "text": f"no published function for {', '.join(unknown)}"})
    return notes
