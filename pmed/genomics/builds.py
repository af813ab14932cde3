"""Which genome build a file's positions are on: declared, stated, or inferred, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pmed.errors import GenomeError

from .alleles import with_chr
from .header import Header

BUILDS = ("GRCh38", "GRCh37")
_HINT = "add assembly= to the ##contig lines of the header or pass --build GRCh38"
_NAMES = {
    "GRCh38": re.compile(r"(?:grch38|hg38|hs38|(?<![a-z0-9])b38)(?![0-9])", re.IGNORECASE),
    "GRCh37": re.compile(r"(?:grch37|hg19|hs37|g1k_v37|(?<![a-z0-9])b37)(?![0-9])", re.IGNORECASE),
}
# Lengths of chromosomes 1 to 22, X and Y in the two assemblies (Genome Reference Consortium; GCA_000001405.15, .1).
_LENGTHS = {
    "GRCh38": (248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717,
               133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285,
               58617616, 64444167, 46709983, 50818468, 156040895, 57227415),
    "GRCh37": (249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431,
               135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248,
               59128983, 63025520, 48129895, 51304566, 155270560, 59373566),
}
# Records on the other build's sites that are no longer chance, when none is on a site of the build that was said.
_CONVINCING = 3
_CONTIGS = tuple(f"chr{name}" for name in (*range(1, 23), "X", "Y"))
_BY_LENGTH = {(chrom, length): build for build, lengths in _LENGTHS.items()
              for chrom, length in zip(_CONTIGS, lengths, strict=True)}


@dataclass(frozen=True)
class Evidence:
    """How a file's records fit one build's sites.

    `matches` are records that carry a site's own change, or its rsID with the same REF; `against` are
    records at a site's position whose REF is another base.
    """

    matches: int
    against: int

    @property
    def fits(self) -> bool:
        """More than chance: on the wrong build three REF bases of four disagree."""
        return self.matches > 2 * self.against


def declared_build(header: Header) -> str:
    """The build the header names, by ``assembly=``, ``##reference=`` or contig lengths; "" if it does not.

    A length that fits neither build says nothing: some writers put the last position there.

    Raises:
        GenomeError: the header contradicts itself.
    """
    contigs = header.structured("contig")
    texts = [*header.values("reference"), *header.values("assembly"), *(c.get("assembly", "") for c in contigs)]
    named = {build for text in texts if (build := build_named(text))}
    named |= {build for c in contigs if (build := _by_length(c))}
    if len(named) > 1:
        raise GenomeError("the header names both GRCh37 and GRCh38", where=str(header.path),
                          hint="correct its ##contig and ##reference lines")
    return next(iter(named), "")


def build_named(text: str) -> str:
    """The one build a text names, "" if it names none or both.

    >>> build_named("file:///refs/human_g1k_v37.fasta"), build_named("hg38"), build_named("hg19ToHg38")
    ('GRCh37', 'GRCh38', '')
    """
    found = [build for build, pattern in _NAMES.items() if pattern.search(text)]
    return found[0] if len(found) == 1 else ""


def known_build(header: Header, stated: str) -> tuple[str, str]:
    """Build and how it is known (``header``, ``stated``); two empty texts where the records must tell.

    Raises:
        GenomeError: header and statement differ, or a build that is not read.
    """
    declared, said = declared_build(header), build_named(stated) or stated
    if said and said not in BUILDS:
        raise GenomeError(f"unknown genome build {stated!r}", where=str(header.path), hint="GRCh38 or GRCh37")
    if declared and said and declared != said:
        raise GenomeError(f"the header says {declared}, but {said} was stated", where=str(header.path))
    build, source = (declared, "header") if declared else (said, "stated" if said else "")
    return refuse_unsupported(build, header), source


def inferred_build(header: Header, evidence: Mapping[str, Evidence]) -> str:
    """The only build whose sites the file's own records fit.

    Raises:
        GenomeError: no build fits, or more than one has matches.
    """
    fitting = [build for build, found in evidence.items() if found.fits]
    matched = [build for build, found in evidence.items() if found.matches]
    if len(fitting) != 1 or matched != fitting:
        raise GenomeError("the genome build is not declared", where=str(header.path), hint=_HINT)
    return refuse_unsupported(fitting[0], header)


def must_not_contradict(header: Header, build: str, evidence: Mapping[str, Evidence]) -> None:
    """Check a declared or stated build against the records.

    Raises:
        GenomeError: records fit the sites of the other build, several times, and of this one not at all.
    """
    for other, found in evidence.items():
        mine = evidence.get(build)
        if other != build and found.fits and found.matches >= _CONVINCING and not (mine and mine.matches):
            raise GenomeError(f"the file is said to be {build}, but its records fit {other}", where=str(header.path),
                              hint="check the build it was made on")


def refuse_unsupported(build: str, header: Header) -> str:
    """Return `build`, unless it is one that is not read yet.

    Raises:
        GenomeError: GRCh37.
    """
    if build == "GRCh37":
        raise GenomeError("GRCh37 is not supported yet", where=str(header.path), hint="give the GRCh38 file")
    return build


def _by_length(contig: Mapping[str, str]) -> str:
    length = contig.get("length", "")
    return _BY_LENGTH.get((with_chr(contig.get("ID", "")), int(length)), "") if length.isdecimal() else ""
