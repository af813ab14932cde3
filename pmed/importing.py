"""``pmed import``: genomes into one file that is read again at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import OptionError
from .genomics.cache import About, write_cache
from .genomics.header import read_header

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Imported:
    """What was written: `path` and its size in bytes, samples, records, contigs, and what is wrong with the files."""

    path: Path
    size: int
    samples: tuple[str, ...]
    records: int
    contigs: tuple[str, ...]
    faults: tuple[str, ...]

    def __str__(self) -> str:
        who = self.samples[0] if len(self.samples) == 1 else f"{len(self.samples):,} samples"
        return f"{self.records:,} records of {who} on {len(self.contigs)} contigs, {self.size / 1e6:.1f} MB"


def import_genomes(paths: Sequence[Path], output: Path, progress: Progress = lambda _: None) -> Imported:
    """Write all records of genome files (VCF or BCF, the same samples in each) into one compressed file.

    Raises:
        GenomeError: a file that cannot be read, or files that do not belong together.
        OptionError: no file, or `output` is one of them.
        PmedError: `output` cannot be written.
    """
    if not paths:
        raise OptionError("there is no genome to import", hint="name the genome files")
    if output.resolve() in {path.resolve() for path in paths}:
        raise OptionError("would overwrite an input", where=str(output), hint="choose another name")
    about = write_cache([read_header(path) for path in paths], output, progress)
    return _summary(output, about)


def _summary(output: Path, about: About) -> Imported:
    faults = tuple(f"{place}: {text}" for place, _, text in about.faults)
    return Imported(output, output.stat().st_size, tuple(about.samples),
                    sum(source.records for source in about.sources), tuple(about.contigs), faults)
