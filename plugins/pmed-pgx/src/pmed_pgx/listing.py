"""``pmed genes`` and ``pmed drugs``: what the release covers, what it does not, and where each of it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import click
import msgspec
import polars as pl

from pmed.errors import OptionError

from .checks import checks
from .guidelines import ENDLESS, Drug, Range, drugs
from .guidelines import Row as CheckRow
from .knowledge import Gene, genes, release, table

Row = dict[str, Any]
SHORTEST, ALIKE = 5, 0.85  # letters a name needs before another is offered for it, and how alike they must be
HOW = {"diplotype": "star alleles", "variants": "variant list", "status": "outside calls only"}
_ONLY_OUTSIDE = "nothing is called from a genome file: the status comes from outside calls"


def gene_rows() -> list[Row]:
    """One row a gene: where it is, how much is known of it, how it is called and what is not assessed."""
    return [_gene_row(gene) for gene in genes().values()]


def drug_rows(names: Sequence[str] = ()) -> list[Row]:
    """One row a covered drug; all, or those named by ingredient or brand.

    Raises:
        OptionError: for a name that is no covered drug.
    """
    known = drugs()
    chosen = dict.fromkeys(_ingredient(name, known) for name in names) if names else known
    return [_drug_row(known[name]) for name in chosen]


def check_rows(names: Sequence[str] = ()) -> list[Row]:
    """One row a drug and check of the release: what has to hold, what follows, and the source.

    Raises:
        OptionError: for a name of which the release has no check.
    """
    known = checks()
    if unknown := [name for name in names if name.lower() not in known]:
        near = _one_slip_away(unknown[0].lower(), known)
        raise OptionError(f"the release has no check for {unknown[0]!r}",
                          hint=f"did you mean {', '.join(near)}?" if near else "see pmed drugs --checks")
    chosen = dict.fromkeys(name.lower() for name in names) if names else sorted(known)
    return [_check_row(drug, row) for drug in chosen for row in known[drug]]


def _check_row(drug: str, row: CheckRow) -> Row:
    source: Mapping[str, str] = row.evidence or {}
    when = [f"{name} {' or '.join(map(_condition, wanted))}" for name, wanted in row.when.items()]
    return {"drug": drug, "check": row.key, "action": row.action, "strength": row.strength,
            "source": source.get("source", ""), "citation": source.get("citation", ""), "when": when}


def _condition(wanted: Any) -> str:
    if not isinstance(wanted, Range):
        return {True: "yes", False: "no"}.get(wanted, str(wanted))
    low = "" if wanted.low == -ENDLESS else f"from {wanted.low:g}"
    return " ".join(filter(None, [low, "" if wanted.high == ENDLESS else f"below {wanted.high:g}"]))


def _gene_row(gene: Gene) -> Row:
    known37 = sum(site.pos37 is not None for site in gene.sites)
    return {"gene": gene.name, "chrom": gene.chrom, "called_as": HOW[gene.kind], "sites": len(gene.sites),
            "sites_grch37": known37, "alleles": len(gene.alleles),
            "key_sites": [gene.sites[site].name for site in gene.key_sites],
            "not_assessed": _not_assessed(gene), "source": gene.source}


def _not_assessed(gene: Gene) -> list[str]:
    """What cannot be seen: named alleles without a definition, sites without a place on GRCh37, stated limits."""
    if gene.kind == "status":
        return [_ONLY_OUTSIDE]
    said = table("limits").filter(gene=gene.name)["limit"].to_list()
    undefined = [name for name in table("alleles").filter(gene=gene.name)["allele"] if name not in gene.alleles]
    if undefined:
        said.append(f"alleles that no small variants define: {', '.join(undefined)}")
    if lost := [site.name for site in gene.sites if site.pos37 is None]:
        said.append(f"on GRCh37: {', '.join(lost)}")
    return said


def _ingredient(name: str, known: Mapping[str, Drug]) -> str:
    wanted = name.lower().strip()
    if wanted in known:
        return wanted
    names = table("drug_names").filter(pl.col("ingredient").is_in(list(known)), pl.col("kind") != "code")
    found = dict(names.select("name", "ingredient").iter_rows())
    if wanted in found:
        return str(found[wanted])
    near = _one_slip_away(wanted, found)
    otherwise = f"checks besides the genes: pmed drugs --checks {wanted}" if wanted in checks() else "see pmed drugs"
    raise OptionError(f"the release has no guideline for {name!r}",
                      hint=f"did you mean {', '.join(near)}?" if near else otherwise)


def _one_slip_away(wanted: str, known: Iterable[str]) -> list[str]:
    """Names that a slip of the pen makes of `wanted`: a medicine whose name merely looks similar is another one."""
    if wanted in checks() or len(wanted) < SHORTEST:
        return []
    return get_close_matches(wanted, [one for one in known if one[:2] == wanted[:2]], n=3, cutoff=ALIKE)


def _drug_row(drug: Drug) -> Row:
    main, year = drug.evidence[0], re.search(r"\b(?:19|20)\d\d\b", drug.guideline)
    populations = dict.fromkeys(getattr(row, "population", "") or drug.population for row in drug.rows)
    return {"drug": drug.name, "genes": list(drug.genes), "guideline": main["source"],
            "year": int(year[0]) if year else None, "citation": main["citation"], "url": main["url"],
            "level": main["level"], "populations": list(populations), "rows": len(drug.rows),
            "actions": list(dict.fromkeys(row.action for row in sorted(drug.rows, key=lambda row: -row.concern)))}


def _release() -> dict[str, str]:
    made = release()
    return {"name": made.name, "version": made.version, "date": made.date, "source": made.source,
            "licence": made.licence, "sha256": made.sha256}


def _as_json(what: str, rows: Sequence[Row]) -> str:
    said = {"format": f"pmed/{what}/1", "release": _release(), what: rows}
    return msgspec.json.format(msgspec.json.encode(said), indent=1).decode()


def _as_tsv(_: str, rows: Sequence[Row]) -> str:
    """One line a row; lists are joined by '; '."""
    return pl.DataFrame([{name: _cell(value) for name, value in row.items()} for row in rows]).write_csv(
        separator="\t").rstrip("\n")


def _as_table(what: str, rows: Sequence[Row]) -> str:
    """Aligned columns under the release; key sites are counted, what is long comes last."""
    shown = [{name: str(len(value)) if name == "key_sites" else _cell(value) for name, value in row.items()
              if name not in {"source", "url"}} for row in rows]
    lines = [tuple(shown[0]), *(tuple(row.values()) for row in shown)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    made = _release()
    head = f"{len(rows)} {what} of {made['name']} {made['version']} ({made['date']}): {made['source']}"
    body = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join([head, "", *body])


def _cell(value: Any) -> str:
    return "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)


WRITERS: Mapping[str, Callable[[str, Sequence[Row]], str]] = {"table": _as_table, "json": _as_json, "tsv": _as_tsv}
_format = click.option("--format", "kind", default="table", type=click.Choice(list(WRITERS)), show_default=True)


@click.command("genes")
@_format
def list_genes(kind: str) -> None:
    """Genes of the release: sites, alleles, how each is called, and what is not assessed."""
    click.echo(WRITERS[kind]("genes", gene_rows()))


@click.command("drugs")
@click.argument("name", nargs=-1)
@click.option("--checks", "checked", is_flag=True, help="What besides the genes speaks against a drug: all checks.")
@_format
def list_drugs(name: tuple[str, ...], checked: bool, kind: str) -> None:
    """Drugs with guideline advice, all or those of NAME (ingredient or brand): genes, guideline, citation, actions."""
    what, rows = ("checks", check_rows(name)) if checked else ("drugs", drug_rows(name))
    click.echo(WRITERS[kind](what, rows))
