"""The steps from sites to diplotype, functions, phenotype and guideline row, as a person can follow them."""

from __future__ import annotations

from functools import cache

import polars as pl

from . import phenotype
from .guidelines import Drug, drugs
from .knowledge import Gene, Site, genes

SCHEMA = {"patient_id": pl.String(), "target": pl.String(), "step": pl.Int64(), "text": pl.String()}


@cache
def wants() -> tuple[str, ...]:
    """Features that only the trace reads: diplotypes, and the genotypes of the key sites."""
    used = [genes()[name] for name in dict.fromkeys(gene for drug in drugs().values() for gene in drug.genes)]
    return tuple(name for gene in used
                 for name in (f"diplotype:{gene.name}", *(f"genotype:{site.name}" for site in _shown(gene))))


def trace(features: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Numbered steps of every prediction that was assessed."""
    assessed = predictions.filter(pl.col("status") == "assessed").select("patient_id", "target", "label")
    parts = [pl.DataFrame(schema=SCHEMA)]
    for (name,), rows in assessed.group_by("target", maintain_order=True):
        drug = drugs()[str(name)]
        joined = rows.join(features, on="patient_id", how="left", maintain_order="left")
        columns = [step for gene in drug.genes for step in _gene_steps(genes()[gene], drug, joined)]
        parts.append(_numbered(joined.select("patient_id", "target", steps=pl.concat_list(*columns, _last(drug)))))
    return pl.concat(parts)


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a step; steps of which nothing is known are left out."""
    steps = rows.explode("steps", empty_as_null=True, keep_nulls=True).drop_nulls("steps").rename({"steps": "text"})
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("patient_id", "target")
    return steps.with_columns(step=number).select(list(SCHEMA))


def _shown(gene: Gene) -> list[Site]:
    return [gene.sites[p] for p in gene.key_sites]


def _gene_steps(gene: Gene, drug: Drug, features: pl.DataFrame) -> list[pl.Expr]:
    return [_sites(gene, features), _diplotype(gene, features), _phenotype(gene, drug)]


def _sites(gene: Gene, features: pl.DataFrame) -> pl.Expr:
    """Genotypes of the key sites that differ from the reference sequence."""
    columns = {site: f"genotype:{site.name}" for site in _shown(gene) if f"genotype:{site.name}" in features.columns}
    if not columns:
        return pl.lit(None, dtype=pl.String)
    differing = [pl.when(pl.col(name) != f"{site.alleles[0]}/{site.alleles[0]}")
                 .then(pl.lit(f"{site.name} {gene.chrom}:{site.pos} ") + pl.col(name).cast(pl.String))
                 for site, name in columns.items()]
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in columns.values())
    found = pl.concat_str(differing, separator=", ", ignore_nulls=True)
    said = pl.when(found == "").then(pl.lit("no variant")).otherwise(found)
    return pl.when(known).then(pl.lit(f"{gene.name} key sites in the genome (GRCh38 positions): ") + said)


def _diplotype(gene: Gene, features: pl.DataFrame) -> pl.Expr:
    """Diplotype with its alleles' functions, worked out once for each distinct diplotype."""
    name = f"diplotype:{gene.name}"
    if name not in features.columns:
        return pl.lit(None, dtype=pl.String)
    distinct = features[name].cast(pl.String).drop_nulls().unique().to_list()
    said = [f"{gene.name} diplotype {one}: {_functions(gene, one)}" for one in distinct]
    several = pl.lit(f"{gene.name}: several diplotypes fit, and all lead to the same phenotype")
    told = pl.col(name).cast(pl.String).replace_strict(distinct, said, default=None, return_dtype=pl.String)
    return pl.when(pl.col(name).is_null()).then(several).otherwise(told)


def _functions(gene: Gene, diplotype: str) -> str:
    """Each allele once, with function and the bases that define it."""
    pair = diplotype.split("/")
    return "; ".join(dict.fromkeys(_allele(gene, allele) for allele in pair))


def _allele(gene: Gene, allele: str) -> str:
    known = phenotype.function(gene, allele) or "function not known"
    score = gene.activities.get(allele)
    worth = "" if score is None else f", activity {score:g}"
    return f"{allele} = {known.lower()}{worth}{_defined(gene, allele)}"


def _defined(gene: Gene, allele: str) -> str:
    """The bases other than REF that define an allele, where it has a definition of its own."""
    if allele not in gene.alleles:
        return ""
    allowed = gene.allowed[gene.alleles.index(allele)]
    changes = [f"{site.name} {'/'.join(base for c, base in enumerate(site.alleles) if allowed[p, c])}"
               for p, site in enumerate(gene.sites) if not allowed[p, 0]]
    return f" ({', '.join(changes)})" if changes else ""


def _phenotype(gene: Gene, drug: Drug) -> pl.Expr:
    """What the input of the guideline row is."""
    inputs = [name for name in drug.reference if name.partition(":")[2] == gene.name]
    said = [pl.lit(f"{name.partition(':')[0].replace('-', ' ')} ") + pl.col(name).cast(pl.String) for name in inputs]
    return pl.lit(f"{gene.name} alleles together: ") + pl.concat_str(said, separator=", ")


def _last(drug: Drug) -> pl.Expr:
    said = {row.key: f"{drug.guideline}, row \"{row.key}\": {row.action} (concern level {row.concern:g})"
            for row in drug.rows}
    return pl.col("label").replace_strict(said, default=None, return_dtype=pl.String)
