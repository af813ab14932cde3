"""``pmed knowledge``: which releases there are, what they say, importing, verifying and comparing them."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

import click
import msgspec

from pmed.errors import EXIT_EXPECTED, OptionError
from pmed.files import write_all
from pmed.vocabularies import PUBLISHERS as VOCABULARIES
from pmed.vocabularies import import_vocabulary

from .importing import PUBLISHERS, import_release
from .knowledge import embedded, folder, genes, release, table
from .release_folder import manifest, read_release
from .release_tables import CORE, release_schema_texts

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def knowledge() -> None:
    """Knowledge releases: list, show, import, verify, diff."""


@knowledge.command("list")
def list_releases() -> None:
    """The release in use, with version, date, licence and hash; and the embedded one, where it is another."""
    used = release()
    click.echo(f"{used.name}  {used.version}  {used.date}  {used.licence}  sha256:{used.sha256[:12]}  in use")
    click.echo(f"  {used.source}")
    about = manifest(embedded())
    if about.name != used.name:
        click.echo(f"{about.name}  {about.version}  {about.date}  {about.licence}\n  {about.source}")


@knowledge.command()
@click.argument("name")
def show(name: str) -> None:
    """What the release says of a gene, or a whole table of it, by NAME."""
    if name in genes():
        click.echo(_gene(name))
    elif (folder() / f"{name}.tsv").is_file():
        click.echo((folder() / f"{name}.tsv").read_text("utf-8"), nl=False)
    else:
        files = sorted(file.name for file in folder().iterdir() if file.name.endswith(".tsv"))
        tables = ", ".join(file.removesuffix(".tsv") for file in files)
        raise OptionError(f"no gene and no table {name!r}", hint=f"genes: {', '.join(genes())}; tables: {tables}")


def _gene(name: str) -> str:
    gene = genes()[name]
    about = f"{name} ({gene.chrom}, {gene.ploidy}, {gene.kind}), {gene.source}"
    sites = [f"  {site.name}  {gene.chrom}:{site.pos} {site.alleles[0]}>{','.join(site.alleles[1:])}"
             f"  GRCh37 {site.pos37 or 'not published'}  {site.role}" for site in (*gene.sites, *gene.extras)]
    rows = table("alleles").filter(gene=name).select("allele", "function", "activity").iter_rows()
    alleles = [f"  {allele}  {function or 'function not published'}{f'  {value}' if value else ''}"
               for allele, function, value in rows]
    rules = [f"  {' + '.join(filter(None, pair))}: {said}{f' (score {score:g})' if score is not None else ''}"
             for pair, (said, score) in gene.rules.items()]
    return "\n".join([about, f"sites ({len(sites)})", *sites, f"alleles ({len(alleles)})", *alleles,
                      f"rules by {gene.by} ({len(rules)})", *rules])


@knowledge.command("import")
@click.argument("source", type=FOLDER)
@click.option("--from", "publisher", required=True, type=click.Choice([*PUBLISHERS, *VOCABULARIES]),
              help="Whose files they are.")
@click.option("--cpic-tables", type=FOLDER, help="CPIC's *-table.csv, to complete PharmCAT's files.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help="New folder for the release; of a drug vocabulary a Parquet file.")
def import_(source: Path, publisher: str, cpic_tables: Path | None, output: Path) -> None:
    """Make a release of your own from the official files in SOURCE; use it by PMED_PGX_RELEASE=FOLDER.

    RxNorm's RRF files and an OMOP vocabulary become a file of drug names; use it by PMED_DRUG_NAMES=FILE.
    """
    if cpic_tables and publisher != "pharmcat":
        raise click.UsageError("--cpic-tables goes with --from pharmcat")
    if publisher in VOCABULARIES:
        rows = import_vocabulary(publisher, source, output)
        click.echo(f"wrote {output}: {rows:,} names and codes; use it with PMED_DRUG_NAMES={output}", err=True)
        return
    about = import_release(publisher, source, output, cpic_tables)
    click.echo(f"wrote {output}: {about.name} {about.version}; use it with PMED_PGX_RELEASE={output}", err=True)


@knowledge.command()
@click.argument("place", metavar="[DIR]", required=False, type=FOLDER)
@click.option("--against", type=FOLDER, help="Also print what differs from this release.")
def verify(place: Path | None, against: Path | None) -> None:
    """Check the release in a folder (default: the embedded one): one line a fault, exit code 1 if there is any."""
    from .differences import as_text, differences
    from .verify import verify as faults_of

    looked_at: Traversable = place or embedded()
    faults = faults_of(looked_at, embedded())
    tables = read_release(looked_at, embedded()) if not faults or against else {}
    for fault in faults:
        click.echo(fault)
    if against:
        click.echo(as_text(differences(read_release(against, embedded()), tables)))
    if faults:
        raise click.exceptions.Exit(EXIT_EXPECTED)
    about = manifest(looked_at)
    counts = ", ".join(f"{tables[name].height} {name}" for name in CORE)
    click.echo(f"{about.name} {about.version} is sound: {counts}", err=True)


@knowledge.command()
@click.argument("old", type=str)
@click.argument("new", type=str)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def diff(old: str, new: str, *, as_json: bool) -> None:
    """What changed from release OLD to NEW: folders, or "embedded"."""
    from .differences import as_text, differences

    before, after = (read_release(_place(name), embedded()) for name in (old, new))
    found = differences(before, after)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found.to_dicts()), indent=2).decode())
    else:
        click.echo(as_text(found))


def _place(name: str) -> Traversable:
    return embedded() if name == "embedded" else Path(name)


@knowledge.command()
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder to write them to.")
def schema(output: Path) -> None:
    """JSON Schema of every table of a release, a file each."""
    output.mkdir(parents=True, exist_ok=True)
    write_all({output / f"{name}.json": text.encode() for name, text in release_schema_texts().items()})
    click.echo(f"wrote {output}", err=True)
