"""The files that the documents name in their commands: small, invented, and laid where a page is run."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pysam
import pysam.bcftools

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "pmed" / "demo"
OTHER = "second"
CALLS = np.array(["0/0", "0/1", "1/1"])
SCORES = ("PGS000001_hmPOS_GRCh38.txt.gz", "PGS000802_hmPOS_GRCh38.txt.gz")
HEAD = "##fileformat=VCFv4.2\n##reference=GRCh38\n{contigs}\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"


def lay(folder: Path, *pages: str) -> None:
    """Put the files that pages name into a folder."""
    for one in dict.fromkeys([*COMMON, *(one for page in pages for one in OF_PAGE.get(page, ()))]):
        one(folder)


def one_patient(folder: Path) -> None:
    """An embedded patient under the names of the documents, and the embedded folder itself."""
    (folder / "pmed").mkdir()
    (folder / "pmed/demo").symlink_to(DEMO)
    genome, record = (DEMO / "stent.vcf").read_bytes(), (DEMO / "stent.json").read_bytes()
    for name in ("genome.vcf", "g.vcf"):
        (folder / name).write_bytes(genome)
    for name in ("record.json", "r.json"):
        (folder / name).write_bytes(record)
    (folder / "genome.vcf.gz").write_bytes(gzip.compress(genome))


def two_patients(folder: Path) -> None:
    """The patient and another of the same genome and history, as a cohort."""
    lines = (DEMO / "stent.vcf").read_text().splitlines()
    doubled = [line if line.startswith("##") else f"{line}\t{line.split(chr(9))[-1] if line[0] != '#' else OTHER}"
               for line in lines]
    plain = folder / "cohort.vcf"
    plain.write_text("\n".join(doubled) + "\n")
    pysam.tabix_compress(str(plain), str(folder / "cohort.vcf.gz"), force=True)
    pysam.bcftools.view("-Ob", "-o", str(folder / "cohort.bcf"), str(plain), catch_stdout=False)
    record = (DEMO / "stent.json").read_text()
    (folder / "records").mkdir()
    (folder / "records/first.json").write_text(record)
    (folder / "records/second.json").write_text(record.replace("demo-stent", OTHER))
    (folder / "pairs.tsv").write_text(f"demo-stent\tdemo-stent\n{OTHER}\t{OTHER}\n")


def outside_calls(folder: Path) -> None:
    """Results of other tools."""
    (folder / "calls.tsv").write_text("CYP2D6\t*1/*4\n")
    (folder / "cyrius.tsv").write_text("Sample\tGenotype\tFilter\ndemo-stent\t*1/*4\tPASS\n")
    (folder / "optitype_result.tsv").write_text(
        "\tA1\tA2\tB1\tB2\tC1\tC2\tReads\tObjective\n"
        "0\tA*01:01\tA*02:01\tB*07:02\tB*08:01\tC*07:01\tC*07:02\t100.0\t95.0\n")


def other_records(folder: Path) -> None:
    """The same patient in other forms, and a vocabulary."""
    (folder / "omop").mkdir()
    (folder / "omop/person.csv").write_text("person_id,gender_concept_id,year_of_birth\n1,8507,1959\n")
    (folder / "messages.hl7").write_text(
        "MSH|^~\\&|LAB|HOSP|EHR|HOSP|20260131||ADT^A01|1|P|2.5.1\rPID|1||P2||||19600101|M\r")


def admissions(folder: Path) -> None:
    """Admissions in the layout of the data set that readmission-30d learns from; who was there often comes back."""
    from pmed_risk.admissions import CATEGORIES, DIAGNOSES, NUMBERS, WORDS

    rng, n = np.random.default_rng(0), 400
    often = rng.poisson(0.7, n)
    pl.DataFrame({
        **{name: rng.integers(0, 9, n) for name in NUMBERS}, **{name: rng.choice(["1", "2"], n) for name in WORDS},
        **{name: rng.choice(CATEGORIES, n) for name in DIAGNOSES}, "number_inpatient": often,
        "age": rng.choice(["[50-60)", "[70-80)"], n), "encounter_id": np.arange(n),
        "patient_nbr": rng.integers(0, n // 2, n),
        "readmitted": np.where(rng.random(n) < 1 / (1 + np.exp(2 - often)), "<30", "NO")}).write_csv(
            folder / "admissions.csv")


def populations(folder: Path) -> None:
    """People of two populations, who differ in 200 sites; a panel of half of them, and scores of some of the sites."""
    rng = np.random.default_rng(3)
    dosages = np.concatenate([rng.binomial(2, rng.uniform(0.1, 0.9, (200, 1)), (200, 40)) for _ in "PQ"], axis=1)
    names = np.array([f"{population}{number}" for population in "PQ" for number in range(40)])
    panel = np.arange(80) % 40 < 25
    _genome(folder / "panel.vcf.gz", names[panel], dosages[:, panel])
    _genome(folder / "cohort.vcf.gz", names[~panel], dosages[:, ~panel])
    rows = "".join(f"{name}\t{name[0]}\n" for name in names[panel])
    (folder / "populations.tsv").write_text(f"sample\tpopulation\n{rows}")
    for name in SCORES:
        (folder / name).write_bytes(gzip.compress(_scorefile(name.partition("_")[0]).encode()))
    (folder / "F").write_text(_scorefile("PGS9"))


def _genome(file: Path, names: Iterable[str], dosages: np.ndarray) -> None:
    lines = ["\t".join(["chr1", str(10_001 * (site + 1)), ".", "A", "G", ".", "PASS", ".", "GT", *CALLS[counts]])
             for site, counts in enumerate(dosages)]
    head = HEAD.format(contigs="##contig=<ID=chr1>") + "\t".join(names)
    file.write_bytes(gzip.compress(("\n".join([head, *lines]) + "\n").encode()))


def _scorefile(name: str) -> str:
    columns = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"
    rows = [f"1\t{10_001 * (site + 1)}\tG\tA\t0.{site % 9 + 1}" for site in range(0, 40, 2)]
    return "\n".join([f"#pgs_id={name}", "#genome_build=GRCh38", columns, *rows]) + "\n"


COMMON: tuple[Callable[[Path], None], ...] = (one_patient, two_patients)
OF_PAGE: Mapping[str, tuple[Callable[[Path], None], ...]] = {
    "outside-calls.md": (outside_calls,), "records.md": (other_records,), "models.md": (admissions,),
    "scores.md": (populations,)}
