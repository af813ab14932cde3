"""What others do with the same files, each in its plainest quick way; one process for one job.

    python -m benchmarks.peers scan-pysam FILE RECORDS

A scan gathers contig, position, ID, REF, ALT, genotype, depth and quality of every record of one person. `regions` does
so for the regions of a BED file. A cohort is turned into an int8 array of alleles and, where the library tells, phase.

Each job is told how much there is to find and fails when it finds something else: a number that comes from half of the
work is no number. It tells the CPU seconds of its work, without the start of the process, on standard error. Only the
standard library is imported before a job starts: the interpreter may not be pmed's own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def expect(found: int, wanted: str) -> None:
    """Fail unless as much was found as there is."""
    if found != int(wanted):
        raise SystemExit(f"found {found}, expected {wanted}")


@contextmanager
def working() -> Iterator[None]:
    """Tell the CPU seconds of what is done here, all threads together: after the imports, before the process ends."""
    began = time.process_time()
    yield
    print(f"work {time.process_time() - began:.4f}", file=sys.stderr)


def bed(path: str) -> Iterator[tuple[str, int, int]]:
    """Regions of a BED file, 0-based starts."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        chrom, start, end = line.split("\t")
        yield chrom, int(start), int(end)


def columns(rows: Iterable[tuple[Any, ...]]) -> int:
    """Rows into columns, as a table needs them; how many there are."""
    return len(next(zip(*rows, strict=True)))


def rows_pysam(records: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for record in records:
        call = record.samples[0]
        yield (record.chrom, record.pos, record.id, record.ref, record.alts, call.allele_indices, call.phased,
               call.get("DP"), call.get("GQ"))


def rows_cyvcf2(records: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for record in records:
        yield (record.CHROM, record.POS, record.ID, record.REF, record.ALT, record.genotypes[0],
               record.format("DP")[0, 0], record.format("GQ")[0, 0])


def scan_pysam(path: str, records: str) -> None:
    import pysam
    with working(), pysam.VariantFile(path) as file:
        expect(columns(rows_pysam(file)), records)


def scan_cyvcf2(path: str, records: str) -> None:
    import cyvcf2
    with working():
        expect(columns(rows_cyvcf2(cyvcf2.VCF(path))), records)


def scan_allel(path: str, records: str) -> None:
    import allel
    fields = ["CHROM", "POS", "ID", "REF", "ALT", "calldata/GT", "calldata/DP", "calldata/GQ"]
    with working():
        expect(len(allel.read_vcf(path, fields=fields)["variants/POS"]), records)


def scan_polars_bio(path: str, records: str) -> None:
    import polars_bio
    lazy = polars_bio.scan_vcf(path, info_fields=[], format_fields=["GT", "DP", "GQ"])
    with working():
        table = lazy.select("chrom", "start", "id", "ref", "alt", "GT", "DP", "GQ").collect()
        expect(table.height, records)


def regions_pysam(path: str, regions: str, records: str) -> None:
    import pysam
    with working(), pysam.VariantFile(path) as file:
        expect(columns(rows_pysam(one for where in bed(regions) for one in file.fetch(*where))), records)


def regions_cyvcf2(path: str, regions: str, records: str) -> None:
    import cyvcf2
    places = (f"{chrom}:{start + 1}-{end}" for chrom, start, end in bed(regions))
    with working():
        file = cyvcf2.VCF(path)
        expect(columns(rows_cyvcf2(one for place in places for one in file(place))), records)


def cohort_pysam(path: str, alleles: str) -> None:
    import numpy as np
    import pysam
    calls, phase = [], []
    with working(), pysam.VariantFile(path) as file:
        for record in file:
            everybody = record.samples.values()
            calls.append(np.array([[-1 if allele is None else allele for allele in one.allele_indices]
                                   for one in everybody], dtype=np.int8))
            phase.append(np.array([one.phased for one in everybody]))
        expect(np.stack(calls).size, alleles)
        expect(np.stack(phase).size * 2, alleles)


def cohort_cyvcf2(path: str, alleles: str) -> None:
    import cyvcf2
    import numpy as np
    with working():
        calls = np.stack([record.genotype.array().astype(np.int8) for record in cyvcf2.VCF(path)])
        expect(calls[:, :, :2].size, alleles)


def cohort_allel(path: str, alleles: str) -> None:
    import allel
    with working():
        expect(allel.read_vcf(path, fields=["calldata/GT"])["calldata/GT"].size, alleles)


def pypgx(folder: str, calls: str) -> None:
    """Star alleles, genotypes and phenotypes from phased small variants, one file a gene.

    These are the steps of its pipeline for phased input, which need neither its bundle nor Beagle.
    """
    import warnings

    from pypgx.api import genotype, utils
    warnings.simplefilter("ignore")
    found = 0
    with working():
        for path in sorted(Path(folder).glob("*.vcf.gz")):
            variants = utils.import_variants(path.name.partition(".")[0], str(path), assembly="GRCh38")
            genotypes = genotype.call_genotypes(alleles=utils.predict_alleles(variants))
            found += len(utils.call_phenotypes(genotypes).data)
        expect(found, calls)


def parse_orjson(folder: str, entries: str) -> None:
    """Bundles into Python objects and no further."""
    import orjson
    with working():
        expect(sum(len(orjson.loads(path.read_bytes())["entry"]) for path in sorted(Path(folder).glob("*.json"))),
               entries)


def validate_fhir(folder: str, entries: str) -> None:
    """Bundles into pydantic models, which check every field."""
    from fhir.resources.R4B.bundle import Bundle
    with working():
        expect(sum(len(Bundle.model_validate_json(path.read_bytes()).entry)
                   for path in sorted(Path(folder).glob("*.json"))), entries)


JOBS: dict[str, Callable[..., None]] = {
    function.__name__.replace("_", "-"): function
    for function in (scan_pysam, scan_cyvcf2, scan_allel, scan_polars_bio, regions_pysam, regions_cyvcf2, cohort_pysam,
                     cohort_cyvcf2, cohort_allel, pypgx, parse_orjson, validate_fhir)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
