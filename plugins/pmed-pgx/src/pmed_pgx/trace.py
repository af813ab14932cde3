"""The steps from sites to diplotype, functions, phenotype and guideline row, as a person can follow them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import polars as pl

from pmed.repeats import unless_repeated

from . import phenotype
from .cases import FEW, REMEMBERED, Cases, columns, value_of
from .checks import acting_on, covered, genes_of, is_list, listing
from .guidelines import PHENOTYPE, SCORE, Drug, Row, drugs, gene_of
from .knowledge import Gene, Site, genes
from .outcomes import Outcome
from .outside.structural import function, haplotypes
from .phenoconversion import COMING
from .wording import about

SCHEMA = {"patient_id": pl.String(), "target": pl.String(), "step": pl.Int64(), "text": pl.String()}
KEY = ["patient_id", "target"]
FIRST = 1000  # the rows come after everything that was looked at
ABSENT = "\0"  # in place of a feature that there is no column of
_KEY_SITES = "{} key sites in the genome (GRCh38 positions): "
_NO_VARIANT = "no variant"
_NONE_IN_READ = "no variant in those that were read"  # what was not read may hold one
_NOT_READ = "; not read: "
# Several fit, none was called, or only a phenotype is told.
_NO_DIPLOTYPE = "{}: no single diplotype is known"
MOST_SITES = 40  # a gene with more key sites than this is told by its diplotype alone


@cache
def wants() -> tuple[str, ...]:
    """Features that only the trace reads: diplotypes, and the genotypes of the key sites."""
    return tuple(name for gene in _known(list(drugs().values()))
                 for name in (f"diplotype:{gene.name}", *(f"genotype:{site.name}" for site in _shown(gene))))


def trace(features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Numbered steps of every prediction that was assessed.

    First for each gene its key sites and its diplotype, then each input of the rows, then the rows that apply.
    """
    assessed = predictions.filter(pl.col("status") == "assessed").select(KEY)
    asked = [covered()[name] for name in assessed["target"].unique(maintain_order=True)]
    if not asked:
        return pl.DataFrame(schema=SCHEMA)
    if features.height <= FEW:
        return _of_few(features, asked, assessed)
    plan = pl.DataFrame([(drug.name, key, order) for drug in asked for order, key in enumerate(_plan(drug))],
                        schema={"target": pl.String(), "key": pl.String(), "order": pl.Int64()}, orient="row")
    looked = assessed.join(plan, on="target", maintain_order="left").join(
        _looked_at(features, asked), on=["patient_id", "key"]).select(*KEY, "order", "text")
    found = pl.concat([looked, _rows(features, asked, assessed)]).join(
        assessed.with_row_index("_rank"), on=KEY).sort("_rank", "order", maintain_order=True)
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(KEY)
    return found.with_columns(step=number).select(list(SCHEMA))


@lru_cache(maxsize=1 << 10)
def _plan(drug: Drug) -> list[str]:
    """Keys of a drug's steps, in order: for each gene its sites, its diplotype and the inputs about it."""
    about_gene = {gene: [name for name in drug.reference if gene_of(name) == gene] for gene in drug.genes}
    steps = [key for gene, names in about_gene.items() for key in (f"sites:{gene}", f"alleles:{gene}", *names)]
    return [*steps, *(name for name in drug.inputs if name not in steps)]


def _known(asked: list[Drug]) -> list[Gene]:
    """The release's genes among those that the drugs look at."""
    named = dict.fromkeys(gene for drug in asked for gene in drug.genes)
    return [genes()[name] for name in named if name in genes()]


def _looked_at(features: pl.DataFrame, asked: list[Drug]) -> pl.DataFrame:
    """patient_id, key, text of everything that is known of the genes and the inputs."""
    known = set(features.columns)
    read_of_genes = [name for name in wants() if name in known]
    genotyped = _genotyped(features[["patient_id", *read_of_genes]], tuple(gene.name for gene in _known(asked)))
    read = tuple(dict.fromkeys(name for drug in asked for name in drug.inputs))
    values = pl.DataFrame([_as_text(one) for one in columns(features, read).values()])
    told = genotyped.hstack(values.select(_input(name) for name in read))
    # Where only checks are about the drugs there is nothing to look at, and the column has no type of its own.
    return told.unpivot(index="patient_id", variable_name="key", value_name="text").with_columns(
        pl.col("text").cast(pl.String)).drop_nulls("text")


def _of_few(features: pl.DataFrame, asked: list[Drug], assessed: pl.DataFrame) -> pl.DataFrame:
    """The same steps of few people, one by one: for them joins take longer than looking."""
    place = {patient: number for number, patient in enumerate(features["patient_id"].to_list())}
    columns_of, names = features.columns, [gene.name for gene in _known(asked)]
    read = tuple(dict.fromkeys(name for drug in asked for name in drug.inputs))
    said: list[dict[str, str]] = []
    for row in features.rows():
        person = dict(zip(columns_of, row, strict=True))
        given = ((name, value_of(person, name)) for name in read)
        said.append({name: _of_value(name, value) for name, value in given if value is not None})
        for name in names:
            said[-1].update(_about_gene(name, *(person.get(one, ABSENT) for one in _read_of(name))))
    cases, number = Cases.read(features, asked), {drug.name: rank for rank, drug in enumerate(asked)}
    rows: list[tuple[str, str, int, str]] = []
    for patient, target in assessed.iter_rows():
        mine, drug = place[patient], number[target]
        own = cases.outcomes[cases.of[mine, drug]]
        texts = [said[mine][key] for key in _plan(asked[drug]) if key in said[mine]]
        rows += [(patient, target, step, text) for step, text in enumerate(
            (*texts, *(_applied(own) if own.lead else ())), start=1)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@cache
def _read_of(name: str) -> tuple[str, ...]:
    """The features about a gene that only the trace reads."""
    return f"diplotype:{name}", *(f"genotype:{site.name}" for site in _shown(genes()[name]))


@lru_cache(maxsize=REMEMBERED)
def _about_gene(name: str, diplotype: str | None, *sites: str | None) -> dict[str, str]:
    """What is known of a gene's sites and of its alleles, by the values of `_read_of` it: as `_sites` and `_diplotype`.

    ``ABSENT`` stands for the value of a feature that there is no column of.
    """
    gene, said = genes()[name], {}
    told = dict(zip(_shown(gene), sites, strict=True))
    given = {site: value for site, value in told.items() if value not in {None, ABSENT}}
    if given:
        differing = ", ".join(f"{site.name} {gene.chrom}:{site.pos} {value}" for site, value in given.items()
                              if value != _as_reference(site))
        unread = ", ".join(site.name for site in told if site not in given)
        none = _NONE_IN_READ if unread else _NO_VARIANT
        said[f"sites:{name}"] = f"{_KEY_SITES.format(name)}{differing or none}{unread and _NOT_READ + unread}"
    if diplotype != ABSENT:
        said[f"alleles:{name}"] = _NO_DIPLOTYPE.format(name) if diplotype is None else _alleles(gene, diplotype)
    return said


def _alleles(gene: Gene, diplotype: str) -> str:
    return f"{gene.name} diplotype {diplotype}{'' if gene.kind == 'status' else f': {_functions(gene, diplotype)}'}"


@unless_repeated
def _genotyped(features: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """patient_id and, for each gene, what is known of its sites and of its alleles."""
    steps = {f"{kind}:{name}": said(genes()[name], features) for name in names
             for kind, said in (("sites", _sites), ("alleles", _diplotype))}
    return features.select("patient_id", *[said.alias(key) for key, said in steps.items()])


@lru_cache(maxsize=REMEMBERED, typed=True)
def _of_value(name: str, value: Any) -> str:
    """What the value of an input is in words, as `_input` says it."""
    told: str = _as_text(pl.Series(name, [value])).to_frame().select(_input(name)).item()
    return told


def _as_text(values: pl.Series) -> pl.Series:
    """An age of 81.69589041095891 is as good as 81.7; an activity score has two digits at most."""
    return (values.round(2) if values.dtype.is_float() else values).cast(pl.String)


@lru_cache(maxsize=1 << 10)
def _input(name: str) -> pl.Expr:
    """What an input of the rows is, in words; null where it is unknown."""
    kind, gene = name.partition(":")[0], gene_of(name)
    if kind == "finding":
        return pl.when(pl.col(name).is_not_null()).then(pl.lit(f"the record holds: {about(name)}")).alias(name)
    words = {"phenotype": f"{gene} alleles together: phenotype", "diplotype": f"{gene} diplotype",
             "activity-score": f"{gene} alleles together: activity score"}.get(kind, about(name))
    return (pl.lit(f"{words} ") + pl.col(name)).alias(name)


def _rows(features: pl.DataFrame, asked: list[Drug], assessed: pl.DataFrame) -> pl.DataFrame:
    """The rows that apply, the leading one last."""
    cases = Cases.read(features, asked)
    told = [(case, FIRST + order, text) for case, one in enumerate(cases.outcomes) if one.lead
            for order, text in enumerate(_applied(one))]
    frame = pl.DataFrame(told, schema={"case": pl.Int64(), "order": pl.Int64(), "text": pl.String()}, orient="row")
    rows = cases.rows().rename({"drug": "target"}).join(assessed, on=KEY, how="semi", maintain_order="left")
    return rows.join(frame, on="case", maintain_order="left_right").select(*KEY, "order", "text")


@lru_cache(maxsize=REMEMBERED)
def _applied(one: Outcome) -> list[str]:
    missing = [f"{about(name)} is unknown and was left out" for name in one.unknown]
    rows = [f"{one.drug.guideline}, row \"{row.key}\"{_whom(row, one)}: {row.action} (concern level {row.concern:g})"
            for row in reversed(one.applied)]
    said = [*rows, *(_check(row, one) for row in reversed(one.checks))]
    return [*_today(one), *missing, *said, *(["the most concerned row leads"] if len(said) > 1 else [])]


def _today(one: Outcome) -> list[str]:
    """Medicines that act on the genes' products, and the phenotypes with them."""
    acting = {gene: [each for each in acting_on(one.drug, gene, one.given) if each.state != COMING]
              for gene in genes_of(one.drug)}
    return [f"{gene} today, with {', '.join(map(str, each))}: {_ability(gene, one)}" for gene, each in acting.items()
            if each]


def _ability(gene: str, one: Outcome) -> str:
    found = [str(one.known[name]) if name.startswith(PHENOTYPE) else f"activity score {one.known[name]:g}"
             for name in (f"{PHENOTYPE}{gene}", f"{SCORE}{gene}") if one.known.get(name) is not None]
    return ", ".join(found) or "unknown"


def _check(row: Row, one: Outcome) -> str:
    """A check that holds, the medicines that it counts, and its source."""
    named = [name for key in row.when if is_list(key) for name in listing(key, one.given, one.drug.name) or []]
    who = f" with {', '.join(dict.fromkeys(named))}" if named else ""
    source = f" ({row.evidence['source']}, {row.evidence['citation']})" if row.evidence else ""
    return f"check \"{row.key}\"{source}{who}: {row.action} (concern level {row.concern:g})"


def _whom(row: Row, one: Outcome) -> str:
    return f" for {row.population}" if len(one.applied) > 1 else ""


def _shown(gene: Gene) -> list[Site]:
    return [gene.sites[p] for p in gene.key_sites] if len(gene.key_sites) <= MOST_SITES else []


def _as_reference(site: Site) -> str:
    return f"{site.alleles[0]}/{site.alleles[0]}"


def _sites(gene: Gene, features: pl.DataFrame) -> pl.Expr:
    """Genotypes of the key sites that differ from the reference sequence, and the sites that were not read."""
    values = {site: pl.col(name).cast(pl.String) if name in features.columns else pl.lit(None, dtype=pl.String)
              for site in _shown(gene) for name in [f"genotype:{site.name}"]}
    if not values:
        return pl.lit(None, dtype=pl.String)
    differing = _together([pl.when(value != _as_reference(site))
                           .then(pl.lit(f"{site.name} {gene.chrom}:{site.pos} ") + value)
                           for site, value in values.items()])
    unread = _together([pl.when(value.is_null()).then(pl.lit(site.name)) for site, value in values.items()])
    none = pl.when(unread == "").then(pl.lit(_NO_VARIANT)).otherwise(pl.lit(_NONE_IN_READ))
    found = pl.when(differing == "").then(none).otherwise(differing)
    left = pl.when(unread == "").then(pl.lit("")).otherwise(pl.lit(_NOT_READ) + unread)
    known = pl.any_horizontal(value.is_not_null() for value in values.values())
    return pl.when(known).then(pl.lit(_KEY_SITES.format(gene.name)) + found + left)


def _together(parts: list[pl.Expr]) -> pl.Expr:
    """The parts that there are, with commas between them."""
    return pl.concat_str(parts, separator=", ", ignore_nulls=True)


def _diplotype(gene: Gene, features: pl.DataFrame) -> pl.Expr:
    """Diplotype with its alleles' functions, worked out once for each distinct diplotype."""
    name = f"diplotype:{gene.name}"
    if name not in features.columns:
        return pl.lit(None, dtype=pl.String)
    distinct = features[name].cast(pl.String).drop_nulls().unique().to_list()
    said = [_alleles(gene, one) for one in distinct]
    told = pl.col(name).cast(pl.String).replace_strict(distinct, said, default=None, return_dtype=pl.String)
    return pl.when(pl.col(name).is_null()).then(pl.lit(_NO_DIPLOTYPE.format(gene.name))).otherwise(told)


def _functions(gene: Gene, diplotype: str) -> str:
    """Each allele once, with function and the bases that define it."""
    alleles = [one for strand in diplotype.split("/") for one in strand.strip("[]").split(" + ")]
    return "; ".join(dict.fromkeys(_allele(gene, allele) for allele in alleles))


def _allele(gene: Gene, allele: str) -> str:
    known = phenotype.function(gene, allele) or _of_copies(gene, allele) or "function not known"
    score = gene.activities.get(allele)
    worth = "" if score is None else f", activity {score:g}"
    return f"{allele} = {known.lower()}{worth}{_defined(gene, allele)}"


def _of_copies(gene: Gene, text: str) -> str | None:
    """Function of copies in a row (``*1x2``), which outside calls may have."""
    found = haplotypes(gene.name, text)
    return function(gene, found[0]) if len(found) == 1 else None


def _defined(gene: Gene, allele: str) -> str:
    """The bases other than REF that define an allele, where it has a definition of its own."""
    if allele not in gene.alleles:
        return ""
    allowed = gene.allowed[gene.alleles.index(allele)]
    changes = [f"{site.name} {'/'.join(base for c, base in enumerate(site.alleles) if allowed[p, c])}"
               for p, site in enumerate(gene.sites) if not allowed[p, 0]]
    return f" ({', '.join(changes)})" if changes else ""
