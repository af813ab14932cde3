"""Which genome build a file's positions are on: declared, stated, or inferred, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pmed.errors import GenomeError

from .contigs import CHROMOSOMES, MITOCHONDRION, accession_build, chromosome
from .header import Header

BUILDS = ("GRCh38", "GRCh37")
_HINT = "add assembly= to the ##contig lines of the header or pass --build GRCh38 or --build GRCh37"
_OLD = "NCBI36"
_NAMES = {
    "GRCh38": re.compile(r"(?:grch38|hg38|hs38|sapiens_assembly38|(?<![a-z0-9])b38)(?![0-9])", re.IGNORECASE),
    "GRCh37": re.compile(r"(?:grch37|hg19|hs37|g1k_v37|sapiens_assembly19|(?<![a-z0-9])b37)(?![0-9])", re.IGNORECASE),
    _OLD: re.compile(r"(?:ncbi[ _-]?(?:build[ _-]?)?36|grch36|hg18|hs36|sapiens_assembly18|(?<![a-z0-9])b36)(?![0-9])",
                     re.IGNORECASE),
}
# Lengths of chromosomes 1 to 22, X and Y (Genome Reference Consortium: GCA_000001405.15 and .1; UCSC: hg18).
_LENGTHS = {
    "GRCh38": (248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717,
               133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285,
               58617616, 64444167, 46709983, 50818468, 156040895, 57227415),
    "GRCh37": (249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431,
               135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248,
               59128983, 63025520, 48129895, 51304566, 155270560, 59373566),
    _OLD: (247249719, 242951149, 199501827, 191273063, 180857866, 170899992, 158821424, 146274826, 140273252,
           135374737, 134452384, 132349534, 114142980, 106368585, 100338915, 88827254, 78774742, 76117153, 63811651,
           62435964, 46944323, 49691432, 154913754, 57772954),
}
# The mitochondrion of GRCh37 and GRCh38 (revised Cambridge sequence, NC_012920.1) and of UCSC's hg19 (NC_001807).
_RCRS_LENGTH, _OTHER_LENGTH = "16569", "16571"
# Other sequences of the human genome, on which none of our positions hold.
_ELSE = re.compile(r"chm13|t2t|(?<![a-z0-9])hs1(?![0-9])", re.IGNORECASE)
# Records on the other build's sites, for each on a site of the build that was said, that are no longer chance.
_CONVINCING = 3
_BY_LENGTH = {(chrom, length): build for build, lengths in _LENGTHS.items()
              for chrom, length in zip(CHROMOSOMES, lengths, strict=True)}


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
    """The build the header names: ``assembly=``, ``##reference=``, contig lengths or accessions; "" if it does not.

    A length that fits neither build says nothing: some writers put the last position there.

    Raises:
        GenomeError: the header contradicts itself, or names build 36.
    """
    contigs = header.structured("contig")
    texts = [*header.values("reference"), *header.values("assembly"), *(c.get("assembly", "") for c in contigs)]
    named = {build for text in texts if (build := build_named(text))}
    named |= {build for c in contigs for build in (_by_length(c), accession_build(c.get("ID", ""))) if build}
    if len(named) > 1:
        raise GenomeError(f"the header names both {' and '.join(sorted(named))}", where=str(header.path),
                          hint="correct its ##contig and ##reference lines")
    if _OLD in named:
        raise GenomeError("is on NCBI36 (hg18), which is not read", where=str(header.path),
                          hint="give the genome on GRCh38 or GRCh37")
    return next(iter(named), "")


def build_named(text: str) -> str:
    """The one build a text names, in any letter case; "" if it names none or several. NCBI36 is named, not read.

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
    if text := _impossible(header, declared or said):
        raise GenomeError(text, where=str(header.path), hint="give the genome on GRCh38 or GRCh37")
    return (declared, "header") if declared else (said, "stated" if said else "")


def _impossible(header: Header, build: str) -> str:
    """What of the header cannot be of `build`, or of any where it is not known; "" for nothing."""
    if any(_ELSE.search(text) for key in ("reference", "assembly") for text in header.values(key)):
        return "is on a genome that is not read (T2T-CHM13)"
    longest = {chrom: max(length for (name, length) in _BY_LENGTH if name == chrom) for chrom in CHROMOSOMES}
    known = {chrom: length for (chrom, length), of in _BY_LENGTH.items() if of == build}
    for contig in header.structured("contig"):
        chrom, length = chromosome(contig.get("ID", "")), contig.get("length", "")
        most = known.get(chrom, longest.get(chrom, 0))
        if most and length.isdecimal() and int(length) > most:
            return f"{contig['ID']} is longer ({length}) than {chrom} of {build or 'any build that is read'}"
    return ""


def inferred_build(header: Header, evidence: Mapping[str, Evidence]) -> str:
    """The only build whose sites the file's own records fit.

    Raises:
        GenomeError: no build fits, or more than one has matches.
    """
    fitting = [build for build, found in evidence.items() if found.fits]
    matched = [build for build, found in evidence.items() if found.matches]
    if len(fitting) != 1 or matched != fitting:
        raise GenomeError("the genome build is not declared", where=str(header.path), hint=_HINT)
    return fitting[0]


def must_not_contradict(header: Header, build: str, evidence: Mapping[str, Evidence]) -> None:
    """Check a declared or stated build against the records.

    Raises:
        GenomeError: records fit the sites of the other build, several times for each that fits this one (where
            millions of records are read, a few are on a site of the wrong build by chance).
    """
    mine = evidence.get(build, Evidence(0, 0)).matches
    for other, found in evidence.items():
        if other != build and found.fits and found.matches >= _CONVINCING * max(mine, 1):
            raise GenomeError(f"the file is said to be {build}, but its records fit {other}", where=str(header.path),
                              hint="check the build it was made on")


def must_fit(header: Header, build: str, evidence: Mapping[str, Evidence]) -> None:
    """Check that the records are not against the build altogether.

    Raises:
        GenomeError: several have another REF at its sites, and none fits one.
    """
    own = evidence.get(build, Evidence(0, 0))
    if own.against >= _CONVINCING and not own.matches:
        raise GenomeError(f"the file is said to be {build}, but {own.against} records have other REFs at known sites",
                          where=str(header.path), hint="check the build it was made on")


def foreign_contigs(header: Header, build: str = "") -> frozenset[str]:
    """Contigs, as the file writes them, that are called like ours and are another sequence: never match their records.

    That is the mitochondrion NC_001807 of UCSC's hg19. Its length (16,571) gives it away; where a GRCh37 file in UCSC's
    spelling (``chrM``) does not give the length of ours (16,569), nobody can tell, and it is left out as well.

    Args:
        header: The file's head.
        build: The build where it is known otherwise than from the header (stated, inferred).

    Raises:
        GenomeError: as `declared_build`.
    """
    lengths = {c.get("ID", ""): c.get("length", "") for c in header.structured("contig")}
    foreign = {name for name, length in lengths.items()
               if chromosome(name) == MITOCHONDRION and length == _OTHER_LENGTH}
    if "GRCh37" in (build, declared_build(header)) and lengths.get(MITOCHONDRION) != _RCRS_LENGTH:
        foreign.add(MITOCHONDRION)
    return frozenset(foreign)


def _by_length(contig: Mapping[str, str]) -> str:
    length = contig.get("length", "")
    return _BY_LENGTH.get((chromosome(contig.get("ID", "")), int(length)), "") if length.isdecimal() else ""
