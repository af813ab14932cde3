"""``pmed qc``: the quality of genomes as tables, plots and a page that holds them all.

The files are read once, a chunk at a time; what is kept grows with the people, not with the records.

=============  ======================================================================================================
samples.tsv    a row for each person: calls, heterozygosity, Ti/Tv, singletons, sex
sites.tsv      a row for each record: calls, allele counts and frequencies, Hardy-Weinberg p
pairs.tsv      duplicates and first-degree relatives
components.tsv principal components
linkage.tsv    mean r² by distance
summary.json   all files together, with the limits that were used and why something was not done
index.html     summary and plots; the plots are also there as PNG
=============  ======================================================================================================
"""

from __future__ import annotations

import importlib.util
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import polars as pl

from . import __version__
from .compatibility import install_extra
from .errors import GenomeError, OptionError, PmedError
from .files import whole_folder
from .genomics import relatives
from .genomics.builds import known_build
from .genomics.header import Header, chosen_samples, read_header
from .genomics.matrix import Chunk, chunks
from .genomics.qc import Counted, Kinds, People, allele_counts, person_counts, site_rows
from .genomics.qc_plots import Findings, Picture, pictures
from .genomics.qc_tables import LIMITS, SMALL_P, WINDOW, SiteTotals, person_table
from .genomics.relatives import Picker, Snvs

Progress = Callable[[str], None]

_LAB = ("allel", "matplotlib")
_MOST_FAULTS = 20
_TITLE = "Quality of genomes"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{ title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top }
figure { margin: 1.5rem 0 } img { max-width: 100% } figcaption { font-weight: 600 }
</style>
<h1>{{ title }}</h1>
<p>{{ summary.samples }} samples, {{ summary.records }} records. Research software, not a medical device.</p>
<table>{% for name, value in rows %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
{% if pairs %}<h2>Closest pairs</h2>
<table><tr><th>sample</th><th>sample</th><th>kinship</th><th>relation</th></tr>
{% for pair in pairs %}<tr><td>{{ pair.sample_1 }}</td><td>{{ pair.sample_2 }}</td>
<td>{{ "%.3f"|format(pair.kinship) }}</td><td>{{ pair.relation }}</td></tr>{% endfor %}</table>{% endif %}
{% for picture in pictures %}<figure><figcaption>{{ picture.title }}</figcaption>
<img alt="{{ picture.title }}" src="data:image/png;base64,{{ picture.data }}"></figure>{% endfor %}
</html>
"""


@dataclass(frozen=True)
class _File:
    header: Header
    samples: tuple[str, ...]
    build: str


@dataclass
class _Held:
    """What is kept of all files."""

    people: People
    picker: Picker
    sites: SiteTotals = field(default_factory=SiteTotals)
    faults: int = 0
    first_faults: list[str] = field(default_factory=list)

    def add(self, chunk: Chunk, kinds: Kinds) -> pl.DataFrame:
        """Count a chunk; returns its rows of ``sites.tsv``."""
        calls, counts = Counted.of(chunk), allele_counts(chunk)
        rows = site_rows(chunk, kinds, calls, counts)
        self.people.add(chunk.samples, person_counts(chunk, kinds, calls, counts))
        self.picker.add(chunk, kinds, calls)
        self.sites.add(rows, kinds, counts, len(chunk.samples))
        self.faults += len(chunk.faults)
        room = _MOST_FAULTS - len(self.first_faults)
        self.first_faults += [f"{fault.where}: {fault.text}" for fault in chunk.faults[:room]]
        return rows


def quality(paths: Sequence[Path], output: Path, build: str = "", samples: Sequence[str] = (),
            progress: Progress = lambda _: None) -> dict[str, Any]:
    """Look at genome files and write tables and plots into the new folder `output`; returns ``summary.json``.

    The same sample in several files (of other chromosomes or genes) is one person.

    Args:
        paths: VCF or BCF files.
        output: A folder that is not there yet, or is empty; it is written whole or not at all.
        build: GRCh38 or GRCh37, where the files do not say; only X and Y depend on it.
        samples: Look only at these.
        progress: Told what is being done.

    Raises:
        GenomeError: a file that cannot be read, no such sample, files of different builds, no record at all.
        OptionError: no file, or one twice.
        PmedError: `output` is there already or cannot be written; scikit-allel or matplotlib is not installed.
    """
    _need_lab()
    files = _opened(paths, build, samples)
    names = list(dict.fromkeys(name for file in files for name in file.samples))
    everywhere = set(names).intersection(*(file.samples for file in files))
    held = _Held(People(names), Picker(tuple(name for name in names if name in everywhere)))
    with whole_folder(output) as folder:
        with (folder / "sites.tsv").open("wb") as sites:
            for file in files:
                _count(file, held, sites, progress)
        if not held.sites.records:
            raise GenomeError("there is no record", where=", ".join(map(str, paths)))
        progress("comparing people")
        common = held.picker.snvs()
        unlinked = relatives.thinned(common)
        found = Findings(person_table(held.people.frame()), held.sites, relatives.related(unlinked),
                         relatives.principal_axes(unlinked), relatives.linkage(common))
        summary = _summary(files, held, found, common, unlinked)
        progress("drawing")
        _write(folder, found, summary)
    return summary


def _need_lab() -> None:
    if missing := [name for name in _LAB if importlib.util.find_spec(name) is None]:
        known = {"allel": "scikit-allel"}
        raise PmedError(f"{known.get(missing[0], missing[0])} is not installed",
                        hint=install_extra("lab"))


def _opened(paths: Sequence[Path], build: str, samples: Sequence[str]) -> list[_File]:
    """The files that hold any of the samples."""
    if not paths:
        raise OptionError("there is no genome to look at", hint="name the genome files")
    if len({path.resolve() for path in paths}) < len(paths):
        raise OptionError("a genome file is given twice", hint="its calls would be counted twice")
    headers = [read_header(path) for path in paths]
    files = [_File(header, names, known_build(header, build)[0])
             for header, names in zip(headers, chosen_samples(headers, samples), strict=True) if names]
    if len(builds := {file.build for file in files if file.build}) > 1:
        raise GenomeError(f"the files are on {' and '.join(sorted(builds))}", where=", ".join(map(str, paths)),
                          hint="look at each build by itself")
    told = next(iter(builds), "")
    return [_File(file.header, file.samples, told) for file in files]


def _count(file: _File, held: _Held, sites: BinaryIO, progress: Progress) -> None:
    name, before = file.header.path.name, held.sites.records
    windows: set[int] = set()
    for chunk in chunks(file.header.path, samples=file.samples):
        kinds = Kinds.of(chunk, file.build)
        windows.update((chunk.heads.pos[kinds.x & kinds.snv] // WINDOW).tolist())
        rows = held.add(chunk, kinds).select(pl.lit(name).alias("file"), pl.all())
        rows.write_csv(sites, separator="\t", include_header=sites.tell() == 0)
        progress(f"{name}: {held.sites.records - before:,} records")
    held.people.add(file.samples, {"x_windows": np.array(len(windows))})


def _summary(files: Sequence[_File], held: _Held, found: Findings, common: Snvs, unlinked: Snvs) -> dict[str, Any]:
    sites, rates = held.sites, found.people["call_rate"]
    all_calls = sites.called / sites.calls if sites.calls else None
    related, axes = found.related, found.axes
    relations = related.pairs["relation"].to_list()
    return {
        "pmed": __version__,
        "files": [{"path": str(file.header.path), "samples": len(file.samples)} for file in files],
        "build": files[0].build or None, "samples": found.people.height, "records": sites.records,
        "filter_failed": sites.failed, "kinds": dict(sorted(sites.kinds.items())),
        "transitions": sites.transitions, "transversions": sites.transversions,
        "ti_tv": sites.transitions / sites.transversions if sites.transversions else None,
        "call_rate": {"all": all_calls, "lowest_sample": rates.min(), "median_sample": rates.median()},
        "hardy_weinberg": {"tested": sites.tested, "below": SMALL_P, "unlikely": sites.unlikely},
        "sex": dict(sorted(found.people.group_by("sex").len().iter_rows())),
        "sex_limits": LIMITS,
        "common_snps": len(common.dosage), "unlinked_snps": len(unlinked.dosage),
        "relatives": {"not_done": related.reason or None, "snps": related.snvs, "pairs": related.compared,
                      "duplicates": relations.count("duplicate"), "first_degree": relations.count("first-degree"),
                      "kinship_limits": [relatives.DUPLICATE, relatives.FIRST_DEGREE]},
        "components": {"not_done": axes.reason or None, "snps": axes.snvs, "explained": list(axes.explained)},
        "faults": {"number": held.faults, "first": held.first_faults},
    }


def _write(folder: Path, found: Findings, summary: Mapping[str, Any]) -> None:
    drawn = list(pictures(found))
    tables = {"samples": found.people, "pairs": found.related.pairs, "components": found.axes.people,
              "linkage": found.linkage}
    for name, table in tables.items():
        table.write_csv(folder / f"{name}.tsv", separator="\t")
    for picture in drawn:
        (folder / f"{picture.name}.png").write_bytes(picture.png)
    encoded = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    (folder / "summary.json").write_bytes(encoded + b"\n")
    (folder / "index.html").write_text(_page(found, summary, drawn), encoding="utf-8")


def _page(found: Findings, summary: Mapping[str, Any], drawn: Sequence[Picture]) -> str:
    from jinja2 import Environment

    shown = [{"title": picture.title, "data": b64encode(picture.png).decode()} for picture in drawn]
    pairs = found.related.pairs.head(_MOST_FAULTS).to_dicts()
    return Environment(autoescape=True).from_string(_PAGE).render(
        title=_TITLE, summary=summary, rows=_told(summary), pairs=pairs, pictures=shown)


def _told(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The summary in words."""
    related, axes, rate, hwe = (summary[name] for name in ("relatives", "components", "call_rate", "hardy_weinberg"))
    ratio = f"{summary['ti_tv']:.3f}" if summary["ti_tv"] is not None else "no transversions"
    faults = "; ".join(summary["faults"]["first"])
    return [
        ("files", ", ".join(Path(file["path"]).name for file in summary["files"])),
        ("build", summary["build"] or "not said"),
        ("records", ", ".join(f"{many:,} {kind}" for kind, many in summary["kinds"].items())),
        ("failed FILTER", f"{summary['filter_failed']:,} records; they count as the others, but not between people"),
        ("Ti/Tv", f"{ratio} ({summary['transitions']:,} / {summary['transversions']:,})"),
        ("call rate", "no record but of Y" if rate["all"] is None else
         f"{rate['all']:.5f}; lowest sample {rate['lowest_sample']:.5f}"),
        ("Hardy-Weinberg", f"{hwe['unlikely']:,} of {hwe['tested']:,} sites with p < {hwe['below']:g}"),
        ("sex", ", ".join(f"{many:,} {sex}" for sex, many in summary["sex"].items())),
        ("relatives", related["not_done"] or f"{related['duplicates']:,} duplicates and {related['first_degree']:,} "
         f"first-degree pairs among {related['pairs']:,}, by {related['snps']:,} SNPs"),
        ("components", axes["not_done"] or f"of {axes['snps']:,} SNPs"),
        ("faults", f"{summary['faults']['number']:,}" + (f": {faults}" if faults else ""))]
