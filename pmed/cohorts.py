"""The genotypes of whole files as arrays, for plugins that need every record and not only known sites.

`opened` says who is in the files and on which build; `chunks` gives the records of one of them, some at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import GenomeError, OptionError
from .genomics.builds import known_build
from .genomics.contigs import chromosome
from .genomics.files import check_whole, kind_of
from .genomics.header import Header
from .genomics.matrix import Chunk, Columns, Heads, variants
from .genomics.matrix import chunks as _chunks

__all__ = ["Chunk", "Cohort", "Columns", "Heads", "chromosome", "chunks", "opened", "variants"]

_KINDS = ("vcf", "bcf", "cache")


@dataclass(frozen=True)
class Cohort:
    """Files of the same people: one, or one for each chromosome.

    Attributes:
        paths: VCF or BCF files, or caches of `pmed import`.
        samples: Their sample names, in the order of the first file.
        build: GRCh38 or GRCh37.
    """

    paths: tuple[Path, ...]
    samples: tuple[str, ...]
    build: str


def opened(paths: Sequence[Path], build: str = "") -> Cohort:
    """Read the heads of genome files.

    Args:
        paths: VCF or BCF files, or caches of `pmed import`, all of the same people.
        build: The build, for files whose header does not say it.

    Raises:
        GenomeError: a file that cannot be read, other people in another file, several builds, or none said.
        OptionError: no file, or one twice.
    """
    if not paths or len({path.resolve() for path in paths}) < len(paths):
        raise OptionError("a genome file is given twice" if paths else "there is no genome", hint="name each file once")
    heads = [_head(path) for path in paths]
    for head in heads[1:]:
        if set(head.samples) != set(heads[0].samples):
            raise GenomeError(f"does not hold the same people as {heads[0].path}", where=str(head.path),
                              hint="give the cohorts one at a time")
    known = {found: str(head.path) for head in heads if (found := known_build(head, build)[0])}
    if len(known) != 1:
        text = f"the files are on {' and '.join(sorted(known))}" if known else "the genome build is not declared"
        raise GenomeError(text, where=str(paths[0]), hint="pass --build GRCh38 or --build GRCh37")
    return Cohort(tuple(paths), heads[0].samples, next(iter(known)))


def chunks(path: Path, *, samples: Sequence[str] = (), megabytes: int = 64) -> Iterator[Chunk]:
    """All records of a genome file as arrays, in file order.

    Args:
        path: VCF (plain, gzip or BGZF), BCF, or a cache that `pmed import` has made of them.
        samples: Read only these, in the order of the file.
        megabytes: About how much memory a chunk may take while it is made; one record at least. Of a cache a chunk is
            as many records as it has packed together.

    Raises:
        GenomeError: no such file or sample, a file that breaks off, a line that is malformed.
    """
    if kind_of(path) == "cache":
        from .genomics.cache_matrix import cache_chunks  # polars comes with it, which most cohorts do not need

        return cache_chunks(path, samples)
    return _chunks(path, samples=samples, megabytes=megabytes)


def _head(path: Path) -> Header:
    if path.is_file() and (kind := kind_of(path)) not in _KINDS:
        check_whole(path)
        what = f"not from {kind} files" if kind else "and this is none of them"
        raise GenomeError(f"whole genomes are read from VCF, BCF and pmed's own cache only, {what}", where=str(path))
    from .genomics.opening import head_of  # polars comes with it

    return head_of(path)
