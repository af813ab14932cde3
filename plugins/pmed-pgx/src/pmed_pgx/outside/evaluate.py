"""What the outside calls of one patient say of one gene: functions, activity score, phenotype, and how sure it is.

Order of trust: the phenotype that is given, that of the activity score that is given, that of the alleles. An allele or
a phenotype that the release does not know leaves the result unknown, never normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from .. import phenotype
from ..knowledge import Gene, natural
from . import hla, structural
from .structural import INDETERMINATE, Haplotype

Row = dict[str, Any]
Message = dict[str, str]
Given = tuple[str | None, str | None, float | None, str]  # diplotype, phenotype, activity score, note
_SHORT = {"pm": "Poor Metabolizer", "im": "Intermediate Metabolizer", "nm": "Normal Metabolizer",
          "rm": "Rapid Metabolizer", "um": "Ultrarapid Metabolizer"}


@dataclass(frozen=True)
class Reading:
    """One call understood; ``phenotypes`` are all that stay possible, none where that is unknown."""

    label: str | None = None
    lookups: tuple[str, ...] = ()
    functions: tuple[str | None, ...] = ()
    phenotypes: tuple[str, ...] = ()
    score: float | None = None
    notes: list[Message] = field(default_factory=list)
    sure: bool = True


def result(gene: Gene, calls: Sequence[Given], *, male: bool) -> Row:
    """One ``gene_results`` row, without the patient; several calls are several possible results.

    A tool's no-call counts only where there is no call beside it. One allele of a gene on chromosome X is the whole
    result only of somebody known to be `male`.
    """
    real = [call for call in calls if call[:3] != (None, None, None)]
    if not real:
        text = f"the outside call gives no result for {gene.name}"
        return _row(gene, [Reading(notes=[_note("outside-no-call", text), *_remarks(calls)], sure=False)], "not-called")
    if gene.kind == "status":
        return _row(gene, _common([_hla(gene, call) for call in dict.fromkeys(real)]), "outside")
    return _row(gene, [_reading(gene, call, male=male) for call in dict.fromkeys(real)], "outside")


def _common(readings: Sequence[Reading]) -> list[Reading]:
    """HLA calls, each with only the statuses that all of them have."""
    parts = [set("; ".join(one.phenotypes).split("; ")) for one in readings]
    first = "; ".join(readings[0].phenotypes).split("; ")
    shared = [part for part in first if part and all(part in one for one in parts)]
    return [replace(one, phenotypes=("; ".join(shared),) if shared else ()) for one in readings]


def _row(gene: Gene, readings: Sequence[Reading], status: str) -> Row:
    labels = list(dict.fromkeys(one.label for one in readings if one.label))
    lookups = list(dict.fromkeys(lookup for one in readings for lookup in one.lookups))
    options = list(dict.fromkeys(name for one in readings for name in one.phenotypes))
    known = all(one.phenotypes for one in readings)
    agreed = options[0] if known and len(options) == 1 else None
    notes = [note for one in readings for note in one.notes]
    if len(readings) > 1 or (known and len(options) > 1):
        notes.append(_several(labels, options if known else []))
    return {"gene": gene.name, "status": status, "diplotypes": labels,
            "functions": list(readings[0].functions) if labels else [], "lookup_diplotypes": lookups,
            "possible_diplotypes": labels, "possible_phenotypes": options if known else [],
            "activity_score": _only([one.score for one in readings]), "phenotype": agreed,
            "complete": all(one.sure for one in readings), "missing_sites": [],
            "messages": list({(note["code"], note["text"]): note for note in notes}.values())}


def _several(labels: Sequence[str], options: Sequence[str]) -> Message:
    what = f"{len(labels)} diplotypes are possible" if len(labels) > 1 else "more than one result is possible"
    return _note("ambiguous", f"{what}: {', '.join(options) or 'the phenotype is unknown'}")


def _only(scores: Sequence[float | None]) -> float | None:
    return scores[0] if len(set(scores)) == 1 else None


def _note(code: str, text: str) -> Message:
    return {"code": code, "text": text}


def _remarks(calls: Sequence[Given]) -> list[Message]:
    return [_note("outside-note", remark) for *_, note in calls for remark in note.split("\n") if remark]


def _reading(gene: Gene, call: Given, *, male: bool) -> Reading:
    diplotype, said, score, _ = call
    notes = _remarks([call])
    looked = _looked_up(gene, diplotype, notes, male=male) if diplotype else Reading()
    name = phenotype_named(gene, said) if said else None
    if said and name is None:
        notes.append(_note("unknown-phenotype", f"{said!r} is no phenotype of {gene.name} that the release knows"))
    by_score = tuple(structural.phenotypes(gene.name, score)) if score is not None else ()
    if score is not None and not by_score:
        notes.append(_note("unknown-score", f"no phenotype is published for {gene.name} with activity score {score:g}"))
    notes += _mismatches(looked, name, score, by_score)
    given = ((name,) if name else ()) if said else by_score if score is not None else None
    found = looked.phenotypes if given is None else given
    if score is None and found == looked.phenotypes:
        score = looked.score
    sure = looked.sure if given is None else bool(given)
    return replace(looked, phenotypes=found, score=score, notes=notes, sure=sure)


def _mismatches(looked: Reading, name: str | None, score: float | None, by_score: tuple[str, ...]) -> list[Message]:
    """What is given but does not agree: phenotype, score and alleles with each other."""
    told = []
    if name and by_score and name not in by_score:
        told.append(f"the phenotype given is {name}, that of the score {score:g} is {by_score[0]}")
    if name and looked.phenotypes and name not in looked.phenotypes:
        told.append(f"the phenotype given is {name}, that of {looked.label} is {' or '.join(looked.phenotypes)}")
    if score is not None and looked.score is not None and score != looked.score:
        told.append(f"the activity score given is {score:g}, that of {looked.label} is {looked.score:g}")
    return [_note("outside-mismatch", f"{text}: what is given counts") for text in told]


def phenotype_named(gene: Gene, text: str) -> str | None:
    """The gene's phenotype that a text means: in any case, British spelling, or short (``IM``); None if there is none.

    >>> from pmed_pgx.knowledge import genes
    >>> phenotype_named(genes()["CYP2D6"], "ultrarapid metaboliser"), phenotype_named(genes()["CYP2D6"], "fast")
    ('Ultrarapid Metabolizer', None)
    """
    plain = " ".join(text.lower().replace("metaboliser", "metabolizer").split())
    known = {name.lower(): name for name in [*structural.known_phenotypes(gene), INDETERMINATE]}
    return known.get(_SHORT.get(plain, plain).lower())


def _looked_up(gene: Gene, diplotype: str, notes: list[Message], *, male: bool) -> Reading:
    """What the alleles lead to by the release's rules."""
    texts = structural.split(diplotype)
    if gene.ploidy == "MT" and len(set(texts)) == 1:
        texts = texts[:1]
    if unknown := list(dict.fromkeys(name for text in texts for name in structural.unknown(gene.name, text))):
        notes.append(_note("unknown-allele", f"the release knows no {gene.name} allele {', '.join(unknown)}: no "
                                             "phenotype follows from it"))
        return Reading(diplotype, (), tuple(None for _ in texts), sure=False)
    strands = [structural.haplotypes(gene.name, text) for text in texts]
    pairs = [_decisive(gene, pair) for pair in product(*strands)]
    notes += [_note("renamed", f"{text} is called {' or '.join(now)} today") for text in texts
              if (now := structural.renamed(gene.name, text))]
    lone = len(texts) == 1 and (gene.ploidy == "autosome" or (gene.ploidy == "X" and not male))
    found = [([], None) if lone else structural.possible(gene, pair) for pair in pairs]
    names = tuple(dict.fromkeys(name for options, _ in found for name in options))
    lookups = tuple(structural.ordered([structural.label(gene.name, one) for one in pair]) for pair in pairs)
    functions = tuple(structural.function(gene, one) for one in pairs[0])
    given = "is given" if gene.ploidy == "autosome" else "is given, and nobody says that the patient is male"
    notes += [_note("one-allele", f"only one allele of {gene.name} {given}: the other one is unknown")] if lone else (
        _unknown_functions(pairs, found, gene))
    return Reading(_shown(diplotype, texts, strands), tuple(dict.fromkeys(lookups)), functions,
                   names if all(options for options, _ in found) else (), _only([score for _, score in found]),
                   sure=not lone)


def _decisive(gene: Gene, pair: Sequence[Haplotype]) -> tuple[Haplotype, ...]:
    """In genes that are called as lists of variants the one of least function on each chromosome decides (rule 9)."""
    if gene.kind != "variants":
        return tuple(pair)
    named = [sorted((one.allele for one in strand), key=natural) for strand in pair]
    least = [phenotype.lowest(gene, alleles)[0] for alleles in named]
    return tuple((structural.Copies(allele),) for allele in least)


def _shown(diplotype: str, texts: Sequence[str], strands: Sequence[tuple[Haplotype, ...]]) -> str:
    """The diplotype by today's names where each chromosome is one allele under another name, else as it is written."""
    single = [found[0][0].allele for found in strands if len(found) == 1 and len(found[0]) == 1
              and found[0][0].least == 1 == found[0][0].most]
    plain = len(single) == len(texts) and not any("[" in text for text in texts)
    return "/".join(single) if plain else diplotype


def _unknown_functions(pairs: Sequence[Sequence[Haplotype]], found: Sequence[tuple[list[str], float | None]],
                       gene: Gene) -> list[Message]:
    if all(options for options, _ in found):
        return []
    names = {part.allele for pair in pairs for one in pair for part in one if not gene.functions.get(part.allele)}
    text = f"no published function for {', '.join(sorted(names))}"
    return [_note("function-unknown", text if names else "no published phenotype for this diplotype")]


def _hla(gene: Gene, call: Given) -> Reading:
    """Status of the HLA alleles that guidelines ask for: as given, else by the alleles."""
    diplotype, said, _, _ = call
    notes, alleles = _remarks([call]), structural.split(diplotype) if diplotype else ()
    typed = hla.from_alleles(gene.name, alleles)
    told = hla.from_text(gene.name, said) if said else dict.fromkeys(typed)
    if said and not any(told.values()):
        text = f"{said!r} says of no {gene.name} allele that guidelines ask for whether it is positive or negative"
        notes.append(_note("unknown-phenotype", text))
    notes += [_note("outside-mismatch", f"{allele} is given as {status}, by the alleles it is {typed[allele]}: what is "
                                        "given counts")
              for allele, status in told.items() if status and typed[allele] and status != typed[allele]]
    words = hla.in_words({allele: status or typed[allele] for allele, status in told.items()})
    return Reading(diplotype, (diplotype,) if diplotype else (), tuple(None for _ in alleles),
                   (words,) if words else (), None, notes, words is not None)
