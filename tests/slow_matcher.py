"""The matching rules over again, slowly: every way in which the strands can lie is written out and looked at.

Written from ``notes/pgx.md`` (rules 1 to 7, 9, 10, 14, 15 and 20) and the release's text files, without pmed's code, so
that the fast matcher has something to be compared with. A genotype is a mapping from site to `Seen`.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

UNDOCUMENTED = "N"


@dataclass(frozen=True)
class Seen:
    """Bases of a site: one of a haploid call, else two; `group` names what flips together, None: nothing."""

    bases: tuple[str, ...]
    group: str | None = None


Genotype = Mapping[str, Seen]
Strand = dict[str, str]


@dataclass(frozen=True)
class Definitions:
    """One gene as published: REF of each site, and each allele's bases, blanks filled from the reference allele."""

    refs: dict[str, str]
    bases: dict[str, dict[str, frozenset[str]]]
    named: dict[str, frozenset[str]]
    core: dict[str, str]
    functions: dict[str, str]
    activities: dict[str, float]
    reference: str
    priorities: tuple[tuple[frozenset[str], str], ...]
    required: frozenset[str]
    lenient: bool


def rows(name: str, gene: str) -> list[dict[str, str]]:
    """Rows of one text file of the release about a gene."""
    with (files("pmed_pgx") / "data" / f"{name}.tsv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["gene"] == gene]


@cache
def definitions(gene: str) -> Definitions:
    """Read a gene's definitions."""
    about = rows("genes", gene)[0]
    sites = [row for row in rows("sites", gene) if row["role"] != "extra"]
    refs = {row["site"]: row["ref"] for row in sites}
    named: dict[str, dict[str, frozenset[str]]] = {}
    for row in rows("definitions", gene):
        named.setdefault(row["allele"], {})[row["site"]] = frozenset(row["bases"].split("|"))
    first = named[about["reference_allele"]]
    blank = {site: first[site] if len(first[site]) == 1 else frozenset([ref]) for site, ref in refs.items()}
    alleles = rows("alleles", gene)
    return Definitions(
        refs, {name: {**blank, **own} for name, own in named.items()},
        {name: frozenset(own) for name, own in named.items()}, {row["allele"]: row["core"] for row in alleles},
        {row["allele"]: row["function"] for row in alleles if row["function"]},
        {row["allele"]: float(row["activity"]) for row in alleles if row["activity"]}, about["reference_allele"],
        tuple((frozenset(row["among"].split("|")), row["pick"]) for row in rows("priorities", gene)),
        frozenset(row["site"] for row in sites if row["role"] == "required"), about["undocumented"] == "reference")


def order(name: str) -> tuple[object, ...]:
    """Natural order of names, ``Reference`` first."""
    return (name != "Reference", *((0, int(part)) if part.isdigit() else (1, part)
                                   for part in re.split(r"(\d+)", name) if part))


def usable(known: Definitions, genotype: Genotype) -> Genotype | None:
    """The genotype with undocumented bases as the gene's rule has it (rule 6); None where the gene is not called."""
    if known.required - genotype.keys():
        return None
    if any(UNDOCUMENTED in seen.bases for seen in genotype.values()) and not known.lenient:
        return None
    return {site: Seen(tuple(known.refs[site] if base == UNDOCUMENTED else base for base in seen.bases), seen.group)
            for site, seen in genotype.items()}


def strands(genotype: Genotype) -> Iterator[tuple[Strand, Strand]]:
    """Both strands, each way in which they can lie."""
    # Sites that differ come first: an allele that does not fit is then soon found out.
    first = sorted(genotype.items(), key=lambda item: len(set(item[1].bases)) == 1)
    flips = sorted({group_of(site, seen) for site, seen in first if len(set(seen.bases)) > 1})
    for turned in product((0, 1), repeat=len(flips)):
        turn = dict(zip(flips, turned, strict=True))
        one, two = ({site: seen.bases[strand ^ turn.get(group_of(site, seen), 0)] for site, seen in first}
                    for strand in (0, 1))
        yield one, two


def group_of(site: str, seen: Seen) -> str:
    return f"site {site}" if seen.group is None else f"group {seen.group}"


def diplotypes(gene: str, genotype: Genotype, *, every: bool = False) -> list[str]:
    """Calls of a gene of named alleles, best first."""
    known = definitions(gene)
    seen = usable(known, genotype)
    if not seen:
        return []
    if all(len(one.bases) == 1 for one in seen.values()):
        return single(known, {site: one.bases[0] for site, one in seen.items()})
    scores = pair_scores(known, seen)
    unphased = any(one.group is None and len(set(one.bases)) > 1 for one in seen.values())
    if known.priorities and unphased and not every:
        for among, pick in known.priorities:
            if among <= {"/".join(pair) for pair in scores}:
                return [pick]
    best = max(scores.values(), default=0)
    kept = [pair for pair in scores if every or scores[pair] == best]
    return ["/".join(pair) for pair in sorted(kept, key=lambda pair: (-scores[pair], *map(order, pair)))]


def pair_scores(known: Definitions, seen: Genotype) -> dict[tuple[str, ...], int]:
    """Every pair that explains both strands, with its best score."""
    scores: dict[tuple[str, ...], int] = {}
    for one, two in strands(seen):
        seconds = [(name, points(known, name, two)) for name in fitting(known, two)]
        for first in fitting(known, one):
            score = points(known, first, one)
            for second, more in seconds:
                pair = tuple(sorted((known.core[first], known.core[second]), key=order))
                scores[pair] = max(score + more, scores.get(pair, 0))
    return scores


def single(known: Definitions, strand: Strand) -> list[str]:
    """Alleles of a gene that has one strand (rule 14)."""
    scores: dict[str, int] = {}
    for name in fitting(known, strand):
        own = known.core[name]
        scores[own] = max(len(known.named[name] & strand.keys()), scores.get(own, 0))
    return sorted((name for name in scores if scores[name] == max(scores.values())), key=order)


def fitting(known: Definitions, strand: Strand) -> list[str]:
    """Alleles that explain a strand and have a site among those that were read (rules 2 to 4)."""
    return [name for name, bases in known.bases.items() if known.named[name] & strand.keys()
            and all(base in bases[site] for site, base in strand.items())]


def points(known: Definitions, name: str, strand: Strand) -> int:
    """Defining sites of an allele that a strand has (rule 1); a wobble with REF earns nothing (rule 5)."""
    return sum(len(known.bases[name][site]) == 1 or strand[site] != known.refs[site]
               for site in known.named[name] & strand.keys())


def variants(gene: str, genotype: Genotype) -> tuple[list[str], list[tuple[float, ...]]]:
    """Calls of a gene of variants: labels in order, and the ranks of the two that decide, for each label's strands."""
    known = definitions(gene)
    seen = usable(known, genotype)
    if not seen:
        return [], []
    mixed = {site: one for site, one in seen.items() if len(set(one.bases)) > 1}
    flips = {group_of(site, one) for site, one in mixed.items()}
    if len(flips) > 1 and any(one.group is None for one in mixed.values()):
        return unphased(gene, known, seen)
    pairs = {tuple(sorted((carried(gene, known, one, seen), carried(gene, known, two, seen)),
                          key=lambda strand: (len(strand), *map(order, strand)))) for one, two in strands(seen)}
    ordered = sorted(pairs, key=lambda pair: tuple((len(strand), tuple(map(order, strand))) for strand in pair))
    ranks = [tuple(sorted(min((rank(known, name) for name in strand), default=1.0) for strand in pair))
             for pair in ordered]
    return ["/".join(map(written, pair)) for pair in ordered], ranks


def unphased(gene: str, known: Definitions, seen: Genotype) -> tuple[list[str], list[tuple[float, ...]]]:
    """A list of variants where nobody knows which strand has which (rule 9)."""
    times: Counter[str] = Counter()
    mismatch = False
    for site, one in seen.items():
        for base in one.bases:
            if base not in known.bases[known.reference][site]:
                times[f"{site} {base}"] += 1
    named: Counter[str] = Counter()
    for main, other, both, alone in hapb3(gene):
        m, o = times.pop(main, 0), times.pop(other, 0)
        if main.split()[0] in seen:
            named.update({both: min(m, o), alone: max(m - o, 0)})
            mismatch |= o > m
        else:
            named[both] += o
    for change, n in times.items():
        named[change_names(gene)[change]] += n
    listed = sorted((name for name in named if named[name]), key=order)
    two = [*sorted(rank(known, name) for name in listed for _ in range(named[name])), 1.0, 1.0][:2]
    if mismatch and not any(named[both] + named[alone] for _, _, both, alone in hapb3(gene)):
        listed = ["Reference", *listed]
    if len(listed) == 1 and named[listed[0]] == 1:
        return [f"Reference/{listed[0]}"], [tuple(two)]
    return listed or ["Reference/Reference"], [tuple(two)]


def carried(gene: str, known: Definitions, strand: Strand, seen: Genotype) -> tuple[str, ...]:
    """Names of the variants on one strand, in order (rules 9 and 10)."""
    changes = {f"{site} {base}" for site, base in strand.items() if base not in known.bases[known.reference][site]}
    found = []
    for main, other, both, alone in hapb3(gene):
        if main in changes:
            found.append(both if other in changes else alone)
        elif other in changes and main.split()[0] not in seen:
            found.append(both)
        changes -= {main, other}
    return tuple(sorted((*found, *(change_names(gene)[change] for change in changes)), key=order))


def hapb3(gene: str) -> list[tuple[str, str, str, str]]:
    """HapB3: its intronic change, its exonic one, the name of both, and the name of the intronic one alone."""
    if gene != "DPYD":
        return []
    return [("rs75017182 C", "rs56038477 T", "c.1129-5923C>G, c.1236G>A (HapB3)", "c.1129-5923C>G")]


@cache
def change_names(gene: str) -> dict[str, str]:
    """``site base`` → the allele that this one change defines."""
    known = definitions(gene)
    return {f"{site} {base}": name for name, sites in known.named.items() if name != known.reference and len(sites) == 1
            for site in sites for base in known.bases[name][site]}


def rank(known: Definitions, name: str) -> float:
    """Activity value; in a gene without any, what is associated with malignant hyperthermia comes first."""
    if known.activities:
        return known.activities.get(name, 1.0)
    return 0.0 if known.functions.get(name, "").endswith("Associated") else 1.0


def written(strand: tuple[str, ...]) -> str:
    """One strand as text."""
    return "Reference" if not strand else strand[0] if len(strand) == 1 else f"[{' + '.join(strand)}]"
