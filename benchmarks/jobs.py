"""What pmed does with the files of the benchmarks; one process for one job.

    python -m benchmarks.jobs scan FILE RECORDS

Each job is told how much there is to find, fails when it finds something else, and tells the CPU seconds of its work
without the start of the process, as those in `peers` do.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.peers import expect, working
from pmed.processors import one_thread


def sites(path: str, sites: str, planted: str) -> None:
    """Needed sites of a genome into the dense table of genotypes; at least those are called that have a record."""
    import polars as pl

    from pmed.sources.vcf import VcfSource
    from pmed.types import ReadRequest
    request = ReadRequest(pl.read_parquet(sites))
    with working():
        found = VcfSource().read([Path(path)], request)["genotypes"]
    called = found.filter(pl.col("state") == "called").height
    # A record tells of every site it covers, so there may be more.
    expect(min(called, int(planted)), planted)


def scan(path: str, records: str) -> None:
    """All records into the table of genotypes, a batch at a time."""
    from pmed.genomics.scan import scan as batches
    with working():
        expect(sum(batch.height for batch in batches(Path(path))), records)


def cohort(path: str, alleles: str) -> None:
    """All genotypes into int8 alleles and phase, a chunk at a time."""
    from pmed.genomics.matrix import chunks
    found = phased = 0
    with working():
        for chunk in chunks(Path(path)):
            found += chunk.alleles.size
            phased += chunk.phased.size
    expect(found, alleles)
    expect(phased * 2, alleles)


def inflate(*paths: str) -> None:
    """Read files through and do nothing with them."""
    import pysam
    with working():
        for path in paths:
            with pysam.BGZFile(path) as file:
                while file.read(1 << 20):
                    pass


def genes(folder: str, calls: str) -> None:
    """Genomes in one file a gene into ``gene_results``, from the start of the plugins on; `calls` have some data."""
    import polars as pl

    import pmed
    with working():
        found = pmed.call(sorted(Path(folder).glob("*.vcf.gz"))).tables["gene_results"]
        expect(found.filter(pl.col("status") != "no-data").height, calls)


def parse(folder: str, entries: str) -> None:
    """Bundles into Python objects and no further."""
    import msgspec
    with working():
        expect(sum(len(msgspec.json.decode(path.read_bytes())["entry"]) for path in _bundles(folder)), entries)


def fhir(folder: str, patients: str) -> None:
    """Bundles into all tables of the history, by one process."""
    from pmed.sources.fhir import FhirSource
    from pmed.tables import TABLES
    from pmed.types import ReadRequest
    request = ReadRequest(TABLES["sites"].empty())
    with working():
        expect(FhirSource(processes=1).read(_bundles(folder), request)["patients"].height, patients)


def fhir_clock(folder: str, patients: str, many: str) -> None:
    """A folder of bundles into all tables by one or two processes; the seconds by the clock."""
    from pmed.sources.fhir import FhirSource
    from pmed.tables import TABLES
    from pmed.types import ReadRequest
    source, request = FhirSource(processes=int(many)), ReadRequest(TABLES["sites"].empty())
    began, others = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    expect(source.read([Path(folder)], request)["patients"].height, patients)
    seconds = time.perf_counter() - began
    if int(many) > 1 and resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime == others:
        raise SystemExit("read by one process")
    print(f"work {seconds:.4f}", file=sys.stderr)


def ndjson(folder: str, patients: str, many: str) -> None:
    """NDJSON into all tables by one or two processes; the CPU seconds until the later of both is done."""
    from pmed.sources import fhir_shares
    from pmed.sources.fhir import FhirSource
    from pmed.tables import TABLES
    from pmed.types import ReadRequest
    mine, inner = [0.0], fhir_shares.do

    def timed(job: fhir_shares.Job) -> fhir_shares.Done:
        began = time.process_time()
        done = inner(job)
        mine[0] = time.process_time() - began
        return done

    fhir_shares.do = timed
    source, request = FhirSource(processes=int(many)), ReadRequest(TABLES["sites"].empty())
    began = time.process_time()
    expect(source.read([Path(folder)], request)["patients"].height, patients)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    other = used.ru_utime + used.ru_stime
    if int(many) > 1 and not other:
        raise SystemExit("read by one process")
    print(f"work {time.process_time() - began + max(other - mine[0], 0):.4f}", file=sys.stderr)


def _bundles(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("*.json"))


def csv(folder: str, rows: str) -> None:
    """Every column of every table as text."""
    import polars as pl
    with working():
        expect(sum(pl.read_csv(path, infer_schema=False).height for path in sorted(Path(folder).glob("*.csv"))), rows)


def omop(folder: str, people: str) -> None:
    """A folder of OMOP tables into all tables of the history."""
    from pmed.sources.omop import OmopSource
    from pmed.tables import TABLES
    from pmed.types import ReadRequest
    request = ReadRequest(TABLES["sites"].empty())
    with working():
        expect(OmopSource().read([Path(folder)], request)["patients"].height, people)


NEW = ("fluconazole", "ketoconazole", "bupropion", "amiodarone", "carbamazepine", "rifampin", "fluoxetine", "codeine")


def what_if(patient: str, questions: str) -> None:
    """New questions of all kinds about an embedded patient, after one of each kind."""
    result = _embedded(patient)
    kinds: list[Callable[[int], dict[str, Any]]] = [
        lambda n: {"start": NEW[n % len(NEW)]}, lambda n: {"creatinine": 1.5 + 0.07 * n},
        lambda n: {"weight": 50.0 + n}, lambda n: {"genotype": {"CYP2D6": f"*1/*{(1, 4, 5, 9, 10)[n % 5]}"}}]
    asked = [kinds[n % len(kinds)](n // len(kinds)) for n in range(len(kinds) + int(questions))]
    for question in asked[:len(kinds)]:
        result.what_if(**question)
    with working():
        found = [result.what_if(**question).after.suggestions.height for question in asked[len(kinds):]]
    expect(len(found) if all(found) else 0, questions)


def page(patient: str, pages: str, first: str = "") -> None:
    """The clinician's page from tables, after the first one, which compiles the templates; or that first one alone."""
    from pmed.render.html import HtmlExporter
    result, exporter = _embedded(patient), HtmlExporter()
    if not first:
        exporter.export(result)
    with working():
        sizes = [len(exporter.export(result)) for _ in range(int(pages))]
    expect(len(sizes) if min(sizes) > 100_000 else 0, pages)


def dumps(patient: str, pages: str) -> None:
    """What such a page says, as JSON: the least that writing it down costs."""
    import json

    from pmed.render.view import patient_views
    [view] = patient_views(_embedded(patient))
    with working():
        sizes = [len(json.dumps(view, default=str)) for _ in range(int(pages))]
    expect(len(sizes) if min(sizes) > 100_000 else 0, pages)


def _embedded(patient: str) -> Any:
    import pmed
    demo = Path(pmed.__file__).parent / "demo" / patient
    return pmed.run(f"{demo}.vcf", f"{demo}.json")


def batch(folder: str, genomes: str, people: str) -> None:
    """Reports of a cohort by two processes; the CPU seconds of all of them, those of their starts too."""
    one_thread()  # as the command does, before polars is loaded
    from pmed.batch import Asked, Cohort
    from pmed.batch import batch as written
    from pmed.settings import Settings
    from pmed.stages.link import read_pairs
    place = Path(folder)
    cohort = Cohort(tuple(sorted(Path(genomes).glob("*.vcf.gz"))), (place / "records",),
                    read_pairs(place / "pairs.tsv"))
    began, clock = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        done = written(cohort, Asked(Path(name), Settings(), any_sex=True), jobs=2)
    expect(done.written, people)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{done.written / (time.perf_counter() - clock):.1f} reports a second by the clock", file=sys.stderr)
    print(f"work {time.process_time() - began + used.ru_utime + used.ru_stime:.4f}", file=sys.stderr)


def people(genome: str, number: str, what: str, engine: str, *records: str) -> None:
    """A cohort into Parquet by one process, or by two threads of Spark; the CPU seconds of it and of its children.

    Neither its start is in it nor that of Spark's Java; the start of Spark's Python is.
    """
    used, _ = _worked_out(genome, number, (what, engine), records, jobs=2 if engine == "spark" else 1)
    print(f"work {used:.4f}", file=sys.stderr)


def clock(genome: str, number: str, what: str, engine: str, *records: str) -> None:
    """The same by two processes; the seconds by the clock, those in which the machine does other work, too."""
    _, seconds = _worked_out(genome, number, (what, engine), records, jobs=2)
    print(f"work {seconds:.4f}", file=sys.stderr)


def _worked_out(genome: str, number: str, how: tuple[str, str], records: Sequence[str], *,
                jobs: int) -> tuple[float, float]:
    """CPU seconds of a cohort, and those by the clock."""
    one_thread()  # as the command does, before polars is loaded
    from pmed.cohort import run as worked_out
    from pmed.cohort.spark import kept_session
    from pmed.stages.link import read_pairs
    place, (what, engine) = Path(genome), how
    files = sorted(place.glob("*.vcf.gz")) if place.is_dir() else [place]
    history, pairs = records or ("", "")
    with kept_session(jobs) if engine == "spark" else nullcontext(), tempfile.TemporaryDirectory() as name:
        began, clock = of_all(), time.perf_counter()
        done = worked_out(files, [history] if history else [], output=name, genes_only=what == "genes",
                          jobs=jobs, engine=engine, allow_sex_mismatch=True,
                          pairs=read_pairs(Path(pairs)) if pairs else {})
        used, clock = of_all() - began, time.perf_counter() - clock
    expect(done.people, number)
    print(f"{done.people / clock:.1f} people a second by the clock", file=sys.stderr)
    return used, clock


def of_all() -> float:
    """CPU seconds until now of this process, of all that it started and of all that those did.

    Of those that have not ended the system's files tell; on what has none, these are left out.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(map(_with_ended, _below(os.getpid())))


def _below(process: int) -> list[int]:
    """Processes that have not ended, of those started by one, and by these."""
    mine = [int(one) for task in Path(f"/proc/{process}/task").glob("*/children") for one in _said(task).split()]
    return mine + [one for child in mine for one in _below(child)]


def _with_ended(process: int) -> float:
    """CPU seconds of a process and of those it has waited for: fields 14 to 17 of proc(5)."""
    fields = _said(f"/proc/{process}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _said(path: str | Path) -> str:
    """What a system's file says, or nothing: what ended in the meantime is counted by the one who waited for it."""
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""


def run(patient: str, times: str) -> None:
    """The whole run of that patient, after the first: what a question without what-if costs."""
    import pmed
    demo = Path(pmed.__file__).parent / "demo" / patient

    def suggested() -> int:
        return pmed.run(f"{demo}.vcf", f"{demo}.json").suggestions.height

    suggested()
    with working():
        found = [suggested() for _ in range(int(times))]
    expect(len(found) if all(found) else 0, times)


def explorer(patient: str, questions: str) -> None:
    """Answers of the explorer, without the run that each repeats: what is left is drawing and sending."""
    import pmed
    from pmed.notebook import explorer as module
    shown = pmed.demo(patient).explore()
    answer = shown._mine.what_if(start="paroxetine")
    module.what_if = lambda *_, **__: answer  # type: ignore[assignment]
    with working():
        for number in range(int(questions)):
            shown.start = ["paroxetine"] * (number + 1)
    expect(shown.answered, int(questions) + 1)


JOBS: dict[str, Callable[..., None]] = {function.__name__: function for function in (
    sites, scan, cohort, inflate, genes, parse, fhir, fhir_clock, ndjson, csv, omop, what_if, page, dumps, batch,
    people, clock, run, explorer)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
