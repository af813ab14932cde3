"""Random people for the tests of pmed-pgx: two alleles of a gene, some sites changed, lost, phased or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl
from hypothesis import strategies as st

from pmed.tables import TABLES
from pmed_pgx import caller
from pmed_pgx.caller import PgxCaller
from pmed_pgx.hints import hints
from pmed_pgx.knowledge import Gene, genes

from .slow_matcher import UNDOCUMENTED, Definitions, Genotype, Seen, definitions, hapb3

ALL = tuple(gene.name for gene in genes().values() if gene.sites)
DIPLOID = tuple(name for name in ALL if genes()[name].ploidy != "MT")
LISTED = tuple(name for name in ALL if genes()[name].kind == "variants")
NAMED = tuple(name for name in ALL if genes()[name].kind == "diplotype")
PHASES = ("unphased", "one set", "sets", "mixed")
MOST_FLIPS = 6
Calls = dict[str, dict[str, Any]]


@st.composite
def people(draw: st.DrawFn, gene: str, *, lose: bool = True, phases: tuple[str, ...] = PHASES,
           undocumented: bool = False, published: bool = False) -> Genotype:
    """One diploid person whose strands are near two alleles of the gene; or are just these, if `published`."""
    known = definitions(gene)
    strands = [draw(haplotypes(known, start, published=published)) for start in draw(starts(known))]
    phase = draw(st.sampled_from(phases))
    person = {}
    for site in known.refs:
        bases = strands[0][site], strands[1][site]
        person[site] = Seen(bases, draw(group(phase)) if bases[0] != bases[1] else None)
    if undocumented and draw(st.integers(0, 3)) == 0:
        site = draw(st.sampled_from(sorted(known.refs)))
        person[site] = Seen((known.refs[site], UNDOCUMENTED))
    lost = draw(st.sets(st.sampled_from(sorted(known.refs)), max_size=len(known.refs) // 3)) if lose else set()
    if lose:
        lost |= draw(st.sets(st.sampled_from(sorted(spots(gene))), max_size=1)) if spots(gene) else set()
    return few_flips({site: seen for site, seen in person.items() if site not in lost})


def spots(gene: str) -> set[str]:
    """Sites where a rule of its own applies."""
    return {change.split()[0] for one in hapb3(gene) for change in one[:2]}


def starts(known: Definitions) -> st.SearchStrategy[tuple[str, str]]:
    """Two alleles to begin with; those with a wobble, of HapB3 and of published priorities come often."""
    names = sorted(known.bases)
    odd = [name for name in names if name != known.reference
           and (len(known.named[name]) > 1 or any(len(known.bases[name][site]) > 1 for site in known.named[name]))]
    one = st.one_of(st.sampled_from(names), st.sampled_from(odd or names))
    tied = [tuple(label.split("/")) for among, _ in known.priorities for label in sorted(among)]
    return st.one_of(st.tuples(one, one), st.sampled_from(tied)) if tied else st.tuples(one, one)


@st.composite
def haplotypes(draw: st.DrawFn, known: Definitions, start: str, *, published: bool) -> dict[str, str]:
    """One strand: an allele's bases; unless it is to be `published`, now and then those of one or two more on top."""
    strand = {site: min(bases) for site, bases in known.bases[known.reference].items()}
    on_top = 0 if published else draw(st.sampled_from((0, 0, 0, 0, 1, 2)))
    for name in (start, *draw(st.lists(st.sampled_from(sorted(known.bases)), min_size=on_top, max_size=on_top))):
        for site in sorted(known.named[name]) if name != known.reference else ():
            strand[site] = draw(st.sampled_from(sorted(known.bases[name][site])))
    return strand if published else {**strand, **draw(at_spots(known))}


def at_spots(known: Definitions) -> st.SearchStrategy[dict[str, str]]:
    """Bases at the sites where a rule of its own applies, often."""
    places = {site: st.sampled_from(sorted({base for bases in known.bases.values() for base in bases[site]}))
              for site in ("rs75017182", "rs56038477") if site in known.refs}
    return st.one_of(st.just({}), st.fixed_dictionaries(places))


def group(phase: str) -> st.SearchStrategy[str | None]:
    """Phase group of one site."""
    return {"unphased": st.none(), "one set": st.just("set"), "sets": st.sampled_from(["7", "8", "9"]),
            "mixed": st.sampled_from([None, "set", "7", "8"])}[phase]


def few_flips(person: Genotype) -> Genotype:
    """The person with at most `MOST_FLIPS` sites that nothing ties to another one; the others are one set."""
    alone = [site for site, seen in person.items() if seen.group is None and len(set(seen.bases)) > 1]
    return {**person, **{site: Seen(person[site].bases, "set") for site in alone[MOST_FLIPS:]}}


def one_strand(person: Genotype) -> Genotype:
    """The first strand alone, as of a man's chromosome X."""
    return {site: Seen(seen.bases[:1]) for site, seen in person.items()}


def call(gene: str, crowd: Mapping[str, Genotype] | Iterable[Genotype], monkeypatch: Any, **options: Any) -> Calls:
    """``gene_results`` rows by person, of one gene only, through the caller that users run."""
    named = crowd if isinstance(crowd, Mapping) else {f"p{number}": person for number, person in enumerate(crowd)}
    one = genes()[gene]
    monkeypatch.setattr(caller, "genes", lambda: {gene: one})
    monkeypatch.setattr(caller, "_hints", lambda *_: hints(pl.Series("patient_id", [], dtype=pl.String), lambda _: ()))
    results = PgxCaller(**options).run(tables(one, named), ())["gene_results"].filter(gene=gene)
    return {row["patient_id"]: row for row in results.iter_rows(named=True)}


def tables(gene: Gene, crowd: Mapping[str, Genotype]) -> dict[str, pl.DataFrame]:
    """``samples`` and ``genotypes`` of one gene's sites on GRCh38."""
    keys = sorted((pos, ref, alt, site.name) for site in gene.sites for pos, ref, alt in site.rows("GRCh38"))
    cells = [{"sample": name, "chrom": gene.chrom, "pos": pos, "ref": ref, "alt": alt,
              **cell(person.get(site), ref, alt)} for pos, ref, alt, site in keys for name, person in crowd.items()]
    samples = [{"sample": name, "patient_id": name, "source": "made", "build": "GRCh38"} for name in crowd]
    return {"samples": TABLES["samples"].frame(samples), "genotypes": TABLES["genotypes"].frame(cells)}


def cell(seen: Seen | None, ref: str, alt: str) -> dict[str, Any]:
    """One row of the grid; 2 is an allele that another row of the site may know."""
    if seen is None:
        return {"state": "absent"}
    codes: list[int | None] = [{ref: 0, alt: 1}.get(base, 2) for base in seen.bases]
    tied = seen.group is not None
    return {"allele_1": codes[0], "allele_2": codes[1] if len(codes) > 1 else None, "ploidy": len(codes),
            "phased": tied, "phase_set": int(seen.group) if seen.group and seen.group.isdigit() else None,
            "state": "called"}


def without(person: Genotype, lost: Iterable[str]) -> Genotype:
    """The person with those sites not read."""
    gone = set(lost)
    return {site: seen for site, seen in person.items() if site not in gone}


def certain(row: Mapping[str, Any]) -> bool:
    """Whether the result may be relied on."""
    return bool(row["complete"]) and row["phenotype"] is not None


def crowds(gene: str, size: int = 4, *, shape: Callable[[Genotype], Genotype] = lambda person: person,
           **options: Any) -> st.SearchStrategy[list[Genotype]]:
    """Some people of one gene."""
    return st.lists(people(gene, **options).map(shape), min_size=1, max_size=size)
