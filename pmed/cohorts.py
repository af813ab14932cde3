"""The genotypes of whole files as arrays, for plugins that need every record and not only known sites.

`opened` says who is in the files and on which build; `chunks` gives the records of one of them, some at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import GenomeError, OptionError
from .genomics.builds import known_build
from .genomics.contigs import chromosome
from .genomics.files import check_whole, kind_of
from .genomics.header import read_header
from .genomics.matrix import Chunk, Columns, Heads, chunks, variants

__all__ = ["Chunk", "Cohort", "Columns", "Heads", "chromosome", "chunks", "opened", "variants"]


@dataclass(frozen=True)
class Cohort:
    """Files of the same people: one, or one for each chromosome.

    Attributes:
        paths: VCF or BCF files.
        samples: Their sample names, in the order of the first file.
        build: GRCh38 or GRCh37.
    """

    paths: tuple[Path, ...]
    samples: tuple[str, ...]
    build: str


def opened(paths: Sequence[Path], build: str = "") -> Cohort:
    """Read the heads of genome files.

    Args:
        paths: VCF or BCF files, all of the same people.
        build: The build, for files whose header does not say it.

    Raises:
        GenomeError: a file that cannot be read, other people in another file, several builds, or none said.
        OptionError: no file, or one twice.
    """
    if not paths or len({path.resolve() for path in paths}) < len(paths):
        raise OptionError("a genome file is given twice" if paths else "there is no genome", hint="name each file once")
    heads = [read_header(_readable(path)) for path in paths]
    for head in heads[1:]:
        if set(head.samples) != set(heads[0].samples):
            raise GenomeError(f"does not hold the same people as {heads[0].path}", where=str(head.path),
                              hint="give the cohorts one at a time")
    known = {found: str(head.path) for head in heads if (found := known_build(head, build)[0])}
    if len(known) != 1:
        text = f"the files are on {' and '.join(sorted(known))}" if known else "the genome build is not declared"
        raise GenomeError(text, where=str(paths[0]), hint="pass --build GRCh38 or --build GRCh37")
    return Cohort(tuple(paths), heads[0].samples, next(iter(known)))


def _readable(path: Path) -> Path:
    if path.is_file() and (kind := kind_of(path)) not in {"vcf", "bcf"}:
        check_whole(path)
        what = f"not from {kind} files" if kind else "and this is neither"
        raise GenomeError(f"whole genomes are read from VCF and BCF only, {what}", where=str(path))
    return path
