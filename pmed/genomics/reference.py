"""A reference sequence in a FASTA file, read through htslib where an indel has to be moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pmed.errors import GenomeError

from .alleles import Sites, with_chr
from .files import is_bgzf, quiet_htslib

if TYPE_CHECKING:
    import pysam

# Bases are fetched in pieces of this size: an indel is moved through its repeat base by base.
_PIECE = 1_000


@dataclass(frozen=True)
class Reference:
    """An indexed FASTA file (``.fai`` beside it), contigs by their names with 'chr'."""

    path: Path
    pieces: dict[tuple[str, int], str] = field(default_factory=dict)

    def base(self, chrom: str, pos: int) -> str:
        """The base at a 1-based position, "" beyond the contig's ends or where the file says N."""
        if pos < 1:
            return ""
        number, place = divmod(pos - 1, _PIECE)
        if (chrom, number) not in self.pieces:
            self.pieces[chrom, number] = self._fetch(chrom, number * _PIECE)
        return self.pieces[chrom, number][place:place + 1].replace("N", "")

    def _fetch(self, chrom: str, start: int) -> str:
        contig = self._contigs.get(chrom)
        if contig is None:
            return ""
        try:
            with quiet_htslib():
                return str(self._file.fetch(contig, start, start + _PIECE)).upper()
        except (OSError, ValueError) as error:
            raise GenomeError(f"cannot be read at {contig}:{start + 1}", where=str(self.path)) from error

    @cached_property
    def _file(self) -> pysam.FastaFile:
        import pysam

        if not self.path.is_file():
            raise GenomeError("no such FASTA file", where=str(self.path), hint="name the reference sequence")
        packed = is_bgzf(self.path)
        for suffix in (".fai", ".gzi") if packed else (".fai",):
            if not self.path.with_name(self.path.name + suffix).is_file():
                # htslib would write the index beside the file, which may be anywhere: that is the user's to decide.
                raise GenomeError("the FASTA file has no index", where=str(self.path),
                                  hint=f"there is no {suffix} beside it; make one with: samtools faidx FASTA")
        try:
            with quiet_htslib():
                return pysam.FastaFile(str(self.path))
        except (OSError, ValueError) as error:
            raise GenomeError("cannot be read as an indexed FASTA file", where=str(self.path),
                              hint="plain text or bgzip, and an index made of this very file") from error

    @cached_property
    def _contigs(self) -> dict[str, str]:
        return {with_chr(name): name for name in reversed(self._file.references)}

    def must_fit(self, sites: Sites) -> None:
        """Check that the sequence is the build of `sites`.

        Raises:
            GenomeError: at most half of the sites' REF are what the sequence has there.
        """
        there = [(self.base(with_chr(site.chrom), site.pos), site.ref[0].upper()) for site in sites.rows]
        known = [base == ref for base, ref in there if base]
        if sites.rows and not known:
            raise GenomeError("has none of the contigs that are needed", where=str(self.path),
                              hint="give the reference that the genome was aligned to")
        if sites.rows and sum(known) * 2 <= len(known):
            raise GenomeError(f"is not {sites.build}: it has other bases at {len(known) - sum(known)} of "
                              f"{len(known)} known sites", where=str(self.path),
                              hint="give the reference that the genome was aligned to")
