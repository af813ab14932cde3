"""Hypothesis strategies that write valid VCF files of every shape, and the ways to pack one text.

A reference sequence is drawn first, so that every REF is right; sites and records are changes of it. Nothing is drawn
that contradicts itself inside one record, but two records of a place may well contradict each other.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import pysam
from hypothesis import strategies as st

from tests.slow_vcf import Site

START = 1_000
LENGTHS = {"1": 248956422, "2": 242193529, "X": 156040895, "M": 16569}
META = """##FILTER=<ID=q10,Description="a">
##FILTER=<ID=s50,Description="a">
##ALT=<ID=DEL,Description="a">
##ALT=<ID=INS,Description="a">
##ALT=<ID=NON_REF,Description="a">
##ALT=<ID=*,Description="a">
##INFO=<ID=END,Number=1,Type=Integer,Description="a">
##INFO=<ID=APPEND,Number=1,Type=Integer,Description="a">
##INFO=<ID=AC,Number=A,Type=Integer,Description="a">
##INFO=<ID=DB,Number=0,Type=Flag,Description="a">
##FORMAT=<ID=GT,Number=1,Type=String,Description="a">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="a">
##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="a">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="a">
##FORMAT=<ID=PS,Number=1,Type=Integer,Description="a">
##FORMAT=<ID=FT,Number=1,Type=String,Description="a">
##FORMAT=<ID=AE,Number=.,Type=Integer,Description="a">
##FORMAT=<ID=XX,Number=.,Type=String,Description="a">
"""
LONG_META = """##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="a">
##FORMAT=<ID=LEN,Number=1,Type=Integer,Description="a">
"""
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
FREE = {"DP": ["7", "130", "40000", ".", "1"], "GQ": ["20", "99", ".", "3", "4"], "PS": ["5", "70001", "."],
        "FT": ["PASS", ".", "q10", "q10;s50"], "AE": ["3,4", "."], "XX": ["x", "0/1", "|", "."]}
FILTERS = st.sampled_from(["PASS", "PASS", "PASS", ".", "q10", "q10;s50"])
SYMBOLIC = ("<DEL>", "<INS>", "<NON_REF>", "]1:5]T", "T[1:5[", ".T", "T.")


class Made(NamedTuple):
    """A VCF text, and sites that it has something to say of."""

    text: str
    sites: list[Site]


class Shape(NamedTuple):
    """What holds for a whole file: VCF version, contig prefix, samples, and the alleles that each has of a contig."""

    version: str
    prefix: str
    samples: list[str]
    ploidy: dict[str, list[int]]


BASES = st.sampled_from("ACGT")
PIECES = st.sampled_from(["A", "C", "G", "T", "AT", "ATAT", "CAG", "CAGCAG", "GGG"])
SEQUENCES = st.lists(PIECES, min_size=12, max_size=16)
VERSIONS = st.sampled_from(["4.1", "4.2", "4.3", "4.4", "4.5"])


@st.composite
def changes(draw, sequence: str) -> tuple[int, str, str]:
    """A change of the sequence, padded or not: position, REF, ALT."""
    at = draw(st.integers(1, len(sequence) - 6))
    kind = draw(st.sampled_from(["base", "base", "insertion", "deletion", "bases", "mixed"]))
    long = 1 if kind in {"base", "insertion"} else draw(st.integers(2, 4))
    ref = sequence[at:at + long]
    if kind == "insertion":
        alt = ref + draw(st.sampled_from(["A", "AT", "CAG", sequence[at + 1:at + 3]]))
    elif kind == "deletion":
        alt = ref[0]
    elif kind == "mixed":
        alt = draw(BASES) + draw(st.text("ACGT", max_size=2))
    else:
        alt = "".join(draw(BASES) for _ in ref)
    if alt == ref:
        alt = {"A": "C", "C": "G", "G": "T", "T": "A"}[ref[0]] + ref[1:]
    return draw(padded(sequence, START + at, ref, alt))


@st.composite
def padded(draw, sequence: str, pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The same change with more of the sequence around it."""
    at = pos - START
    before = draw(st.sampled_from([0, 0, 0, 1, 2])) if at >= 2 else 0
    after = draw(st.sampled_from([0, 0, 0, 1, 3]))
    left, right = sequence[at - before:at], sequence[at + len(ref):at + len(ref) + after]
    return pos - before, left + ref + right, left + alt + right


@st.composite
def shapes(draw) -> Shape:
    """A file's version, names and samples; one person in a few has one allele, or three, of a contig."""
    samples = [f"S{number}" for number in range(draw(st.integers(1, 4)))]
    some = st.sampled_from([2, 2, 2, 2, 2, 1, 3])
    return Shape(draw(VERSIONS), draw(st.sampled_from(["chr", ""])), samples,
                 {contig: [draw(some) for _ in samples] for contig in LENGTHS})


@st.composite
def genotypes(draw, shape: Shape, ploidy: int, alts: int) -> str:
    """One GT: any alleles, any of them missing; in 4.4 and later sometimes with a separator in front."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([".", "./.", ".|."]))
    allele = st.sampled_from(["0", "0", *"12"[:alts], *(str(number) for number in range(alts + 1)), "."])
    text = draw(st.sampled_from("/|")).join(draw(allele) for _ in range(ploidy))
    return draw(st.sampled_from("/|")) + text if shape.version >= "4.4" and draw(st.booleans()) and ploidy > 1 else text


@st.composite
def samples_columns(draw, shape: Shape, contig: str, alts: int) -> list[str]:
    """FORMAT, rarely without GT, and the sample columns; fields at the end that are missing may be left out."""
    keys = draw(st.lists(st.sampled_from(sorted(FREE)), unique=True, max_size=4))
    keys = keys if keys and draw(st.integers(0, 9)) == 0 else ["GT", *keys]
    cells = []
    for ploidy in shape.ploidy[contig]:
        values = {key: draw(st.sampled_from(FREE[key])) for key in keys if key != "GT"}
        values["GT"] = draw(genotypes(shape, ploidy, alts))
        fields = [values[key] for key in keys]
        keep = draw(st.integers(1, len(fields)))
        cells.append(":".join(fields[:keep] if all(field == "." for field in fields[keep:]) else fields))
    return [":".join(keys), *cells]


@st.composite
def records(draw, shape: Shape, contig: str, sequence: str, known: list[Site]) -> list[str]:
    """The columns of one record: a site's change or another, with more ALTs beside it."""
    pos, ref, alt = draw(changes(sequence))
    if known and draw(st.integers(0, 4)):
        site = draw(st.sampled_from(known))
        pos, ref, alt = draw(padded(sequence, *site[1:])) if draw(st.booleans()) else site[1:]
    beside = [*(base + ref[1:] for base in "ACGT"), ref + "A", ref[0], "*", *SYMBOLIC]
    alts = [alt] if draw(st.integers(0, 3)) else []
    alts += draw(st.lists(st.sampled_from(beside), max_size=2))
    alts = draw(st.permutations([one for one in dict.fromkeys(alts) if one != ref]))
    written = [ref, ",".join(alts) or "."]
    if not {*alts} & {*SYMBOLIC} and draw(st.integers(0, 9)) == 0:
        written = [one.lower() for one in written]
    return [shape.prefix + _written_name(shape, contig), str(pos), draw(st.sampled_from([".", "rs1", "rs1;rs2"])),
            *written, draw(st.sampled_from([".", "50", "1e-3"])), draw(FILTERS), draw(_infos(pos, ref, alts)),
            *draw(samples_columns(shape, contig, len(alts)))]


@st.composite
def _infos(draw, pos: int, ref: str, alts: list[str]) -> str:
    """INFO, which matters only where it says how far a symbolic ALT goes."""
    if "<DEL>" in alts and draw(st.booleans()):
        far = draw(st.integers(len(ref), max(12, len(ref))))
        return f"DB;END={pos + far}" if draw(st.booleans()) else f"SVLEN={','.join(str(-far) for _ in alts)}"
    return draw(st.sampled_from([".", "DB", "DB;APPEND=1900", "APPEND=1900"]))


def _written_name(shape: Shape, contig: str) -> str:
    return "MT" if contig == "M" and not shape.prefix else contig


@st.composite
def vcfs(draw) -> Made:
    """A sorted VCF file with one or two contigs, a few sites and records at and around them."""
    shape = draw(shapes())
    sites, lines = [], []
    for contig in draw(st.lists(st.sampled_from(sorted(LENGTHS)), min_size=1, max_size=2, unique=True)):
        sequence = "".join(draw(SEQUENCES))
        asked = draw(st.lists(changes(sequence), min_size=1, max_size=3, unique=True))
        known = [Site(f"chr{contig}", *one) for one in asked]
        rows = draw(st.lists(records(shape, contig, sequence, known), max_size=6))
        sites += known
        lines += sorted(rows, key=lambda row: int(row[1]))
    return Made(whole(shape, lines), sorted(sites))


def whole(shape: Shape, lines: list[list[str]]) -> str:
    """The text of a file; SVLEN and LEN are declared where they are used."""
    body = "".join("\t".join(line) + "\n" for line in lines)
    return head(shape, META + LONG_META if "LEN" in body else META) + body


def head(shape: Shape, meta: str = META) -> str:
    """Everything before the first record."""
    contigs = "".join(f"##contig=<ID={shape.prefix}{_written_name(shape, name)},length={length}>\n"
                      for name, length in LENGTHS.items())
    return f"##fileformat=VCFv{shape.version}\n{contigs}{meta}" + "\t".join([COLUMNS, *shape.samples]) + "\n"


@st.composite
def gvcfs(draw) -> Made:
    """A gVCF: blocks of reference with gaps between them, some without evidence, and variants."""
    shape = draw(shapes())
    people = draw(st.integers(1, 2))
    shape = shape._replace(samples=["S0", "S1"][:people], ploidy={"1": [draw(st.sampled_from([2, 2, 2, 1]))] * people})
    sequence = "".join(draw(SEQUENCES))
    sites = [Site("chr1", *one) for one in draw(st.lists(changes(sequence), min_size=1, max_size=5, unique=True))]
    other = draw(st.sampled_from(["<NON_REF>", "<*>"]))
    lines, at = [], draw(st.integers(0, 3))
    while at < len(sequence) - 6:
        made, reach = draw(st.sampled_from(["block", "block", "variant", "gap"])), draw(st.integers(1, 8))
        if made == "block":
            lines.append(draw(_block(shape, START + at, sequence[at], reach, other)))
        elif made == "variant":
            here = [site for site in sites if 0 <= site.pos - START - at <= 3]
            _, pos, ref, alt = draw(st.sampled_from(here)) if here else Site("chr1", START + at, sequence[at], "N")
            lines.append(draw(_variant(shape, pos, ref, alt, other)))
            reach = pos - START - at + len(ref)
        at += reach
    return Made(whole(shape, lines), sorted(sites))


@st.composite
def _variant(draw, shape: Shape, pos: int, ref: str, alt: str, other: str) -> list[str]:
    alleles, dps, gqs = map(st.sampled_from, (["0", "1", "1", "2", "."], ["0", "30", "30"], ["0", "99", "99"]))
    cells = [":".join(["/".join(draw(alleles) for _ in range(ploidy)), draw(dps), draw(gqs)])
             for ploidy in shape.ploidy["1"]]
    alt = draw(BASES.filter(lambda base: base != ref)) if alt == "N" else alt
    return [f"{shape.prefix}1", str(pos), ".", ref, f"{alt},{other}", "30", "PASS", ".", "GT:DP:GQ", *cells]


@st.composite
def _block(draw, shape: Shape, pos: int, ref: str, reach: int, other: str) -> list[str]:
    """A block of `reach` bases in one of the ways that callers write it; in 4.5 each person may have a length."""
    usual = {"DP": "30", "MIN_DP": "25", "GQ": "60"}
    own_length = shape.version == "4.5" and draw(st.booleans())
    keys = ["GT", *draw(st.permutations(sorted(usual)))][:draw(st.integers(1, 4))] + ["LEN"] * own_length
    cells = []
    for ploidy in shape.ploidy["1"]:
        numbers = {key: draw(st.sampled_from([good, good, "0", "."])) for key, good in usual.items()}
        numbers["GT"] = "/".join([draw(st.sampled_from(["0", "0", "0", "."]))] * ploidy)
        numbers["LEN"] = str(draw(st.integers(1, reach)))
        cells.append(":".join(numbers[key] for key in keys))
    end = f"END={pos + reach - 1}"
    info = draw(st.sampled_from([".", "DB"])) if own_length else draw(st.sampled_from([end, f"DB;{end}"]))
    alt = other if own_length else draw(st.sampled_from([other, other, "."]))
    flt = draw(st.sampled_from([".", "PASS", "q10"]))
    return [f"{shape.prefix}1", str(pos), ".", ref, alt, ".", flt, info, ":".join(keys), *cells]


TEXT = ("plain", "crlf", "gzip", "bgzip", "tbi", "csi")
BINARY = ("bcf", "bcf-csi")


def packed(folder: Path, text: str, how: str) -> Path:
    """Write one text as a file of its own: plain, with Windows line ends, packed, indexed, or as BCF."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / f"{how}.vcf"
    plain.write_bytes(text.replace("\n", "\r\n").encode() if how == "crlf" else text.encode())
    if how in {"plain", "crlf"}:
        return plain
    target = folder / (f"{how}.bcf" if how in BINARY else f"{how}.vcf.gz")
    if how == "gzip":
        target.write_bytes(gzip.compress(text.encode()))
    elif how in BINARY:
        _write_bcf(plain, target)
    else:
        pysam.tabix_compress(str(plain), str(target), force=True)
    if how in {"tbi", "csi"}:
        pysam.tabix_index(str(target), preset="vcf", csi=how == "csi", force=True)
    elif how == "bcf-csi":
        pysam.tabix_index(str(target), preset="bcf", csi=True, force=True)
    return target


def _write_bcf(plain: Path, target: Path) -> None:
    with pysam.VariantFile(str(plain)) as given, pysam.VariantFile(str(target), "wb", header=given.header) as taken:
        for record in given:
            taken.write(record)
