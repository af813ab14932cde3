"""What files call the human chromosomes: with and without 'chr', by PLINK's numbers, by RefSeq or GenBank accession."""

from __future__ import annotations

CHROMOSOMES = (*(f"chr{number}" for number in range(1, 23)), "chrX", "chrY")
MITOCHONDRION = "chrM"
# Versions of NC_000001 to NC_000024 in GRCh37 (GCF_000001405.13); each is one less in NCBI36 and one more in GRCh38.
_VERSIONS = (10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9)
_STEPS = {"NCBI36": -1, "GRCh37": 0, "GRCh38": 1}
# CM000663 to CM000686 are chromosomes 1 to 22, X and Y (GCA_000001405.1 and .15); earlier assemblies had none.
_GENBANK, _GENBANK_VERSIONS = 663, {"GRCh37": 1, "GRCh38": 2}
# The revised Cambridge sequence (16,569 bases); NC_001807, 16,571 bases, is another one and is not here.
_RCRS = ("NC_012920", "NC_012920.1", "J01415", "J01415.2")
# PLINK 1.9 and 2.0, "Chromosome codes": 25 (XY, and PAR1 and PAR2 on their own) lies on X and has X positions.
_PLINK = {"23": "chrX", "24": "chrY", "25": "chrX", "XY": "chrX", "PAR1": "chrX", "PAR2": "chrX", "26": MITOCHONDRION}
_BARE = {**{name.removeprefix("chr"): name for name in CHROMOSOMES}, "M": MITOCHONDRION, "MT": MITOCHONDRION, **_PLINK}


def _accessions() -> dict[str, tuple[str, str]]:
    """Accession → (chromosome, build); the build is "" where the version is not said."""
    found: dict[str, tuple[str, str]] = {}
    for number, (name, version) in enumerate(zip(CHROMOSOMES, _VERSIONS, strict=True)):
        refseq, genbank = f"NC_{number + 1:06}", f"CM{_GENBANK + number:06}"
        found |= {refseq: (name, ""), genbank: (name, "")}
        found |= {f"{refseq}.{version + step}": (name, build) for build, step in _STEPS.items()}
        found |= {f"{genbank}.{said}": (name, build) for build, said in _GENBANK_VERSIONS.items()}
    return {**found, **dict.fromkeys(_RCRS, (MITOCHONDRION, ""))}


_ACCESSIONS = _accessions()


def chromosome(contig: str) -> str:
    """The chromosome that a contig name stands for, as ``chr1`` … ``chrX``, ``chrM``; any other name as it is.

    Alternative, unplaced and decoy sequences are contigs of their own, and so is a chromosome of NCBI36.

    >>> [chromosome(name) for name in ("10", "Chr10", "NC_000010.10", "CM000672.2", "MT", "23", "chr10_GL383545v1_alt")]
    ['chr10', 'chr10', 'chr10', 'chr10', 'chrM', 'chrX', 'chr10_GL383545v1_alt']
    """
    upper = contig.upper()
    name, build = _ACCESSIONS.get(upper, ("", ""))
    if name:
        return contig if build == "NCBI36" else name
    return _BARE.get(upper.removeprefix("CHR"), contig)


def accession_build(contig: str) -> str:
    """The build that a versioned accession belongs to (``NCBI36`` too), "" for all other names.

    >>> accession_build("NC_000010.10"), accession_build("CM000672.2"), accession_build("chr10")
    ('GRCh37', 'GRCh38', '')
    """
    return _ACCESSIONS.get(contig.upper(), ("", ""))[1]
