"""Write records of as many people as wanted, drawn from real bundles, as NDJSON: one file for each type of resource.

    python -m benchmarks.make_records out/records ../shared/data/fhir/synthea 10000 [--genome panel.bcf]

Each person has the resources of one bundle under ids of their own; dates, and so ages, stay. A person is written and
forgotten: memory is that of the bundles. Types that no table needs (claims, care plans) are left out.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.make_panel import SEED
from pmed.sources.fhir_wanted import WANTED

_TYPES = {"Patient", "Medication", *WANTED}
Line = tuple[str, bytes]  # type of a resource, and the resource
# The first group of hexadecimal digits of a UUID is the person's number afterwards; the others keep two ids apart.
_ID = re.compile(rb"[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


def resources(bundle: Path) -> list[Line]:
    """The resources of a bundle that tables need, one line each, which refer to each other by type and id."""
    entries = json.loads(bundle.read_text(encoding="utf-8"))["entry"]
    named = {entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in entries}
    wanted = [entry["resource"] for entry in entries if entry["resource"]["resourceType"] in _TYPES]
    return [(one["resourceType"], json.dumps(_renamed(one, named), separators=(",", ":")).encode()) for one in wanted]


def _renamed(value: object, named: dict[str, str]) -> object:
    """With references as a bulk export has them."""
    if isinstance(value, dict):
        return {key: named.get(one, one) if key == "reference" and isinstance(one, str) else _renamed(one, named)
                for key, one in value.items()}
    return [_renamed(one, named) for one in value] if isinstance(value, list) else value


def person(lines: Sequence[Line], number: int) -> Iterator[Line]:
    """The resources of one bundle as those of another person."""
    mine = b"%08x" % number
    return ((kind, _ID.sub(mine, text)) for kind, text in lines)


def patient_of(lines: Sequence[Line], number: int) -> str:
    """The id of that person."""
    return next(str(json.loads(text)["id"]) for kind, text in person(lines, number) if kind == "Patient")


def write(folder: Path, bundles: Sequence[Path], names: Sequence[str]) -> dict[str, int]:
    """A record for each name of a sample, and ``pairs.tsv``, which says whose it is; returns resources by type."""
    drawn = np.random.default_rng(SEED).integers(len(bundles), size=len(names))
    known = [resources(bundle) for bundle in bundles]
    counts: dict[str, int] = {}
    (folder / "records").mkdir(parents=True)
    with ExitStack() as stack:
        pairs = stack.enter_context((folder / "pairs.tsv").open("w", encoding="utf-8"))
        files = {kind: stack.enter_context((folder / "records" / f"{kind}.ndjson").open("wb"))
                 for kind in sorted({kind for lines in known for kind, _ in lines})}
        for number, (name, which) in enumerate(zip(names, drawn, strict=True)):
            pairs.write(f"{name}\t{patient_of(known[which], number)}\n")
            for kind, text in person(known[which], number):
                files[kind].write(text + b"\n")
                counts[kind] = counts.get(kind, 0) + 1
    return counts


def write_tables(given: Path, folder: Path, names: Sequence[str]) -> None:
    """The tables that `pmed history` made of the records of `write`, for as many people as there are names of samples.

    Each further copy of everybody is of other people, numbered on; rows are streamed, so memory is that of a batch.
    """
    import polars as pl

    summary = json.loads((given / "summary.json").read_text(encoding="utf-8"))
    known = pl.read_parquet(given / "patients.parquet", columns=["patient_id"])["patient_id"].to_list()
    copies = [{old: f"{int(old[:8], 16) + first:08x}{old[8:]}" for old in known[:len(names) - first]}
              for first in range(0, len(names), len(known))]
    (folder / "tables").mkdir(parents=True)
    for name in summary["rows"]:
        source = pl.scan_parquet(given / f"{name}.parquet")
        each = [source.filter(pl.col("patient_id").is_in([*copy])).with_columns(
            pl.col("patient_id").replace_strict(copy, return_dtype=pl.String)) for copy in copies]
        pl.concat(each).sink_parquet(folder / "tables" / f"{name}.parquet", maintain_order=True)
        summary["rows"][name] = pl.scan_parquet(folder / "tables" / f"{name}.parquet").select(pl.len()).collect().item()
    whose = [new for copy in copies for new in copy.values()]
    (folder / "pairs.tsv").write_text("".join(map("{}\t{}\n".format, names, whose)), encoding="utf-8")
    (folder / "tables" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")


def samples(genome: Path) -> list[str]:
    """The names in a VCF or BCF file."""
    import pysam

    with pysam.VariantFile(str(genome)) as file:
        return list(file.header.samples)


def main() -> None:
    """Write the records of a cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("bundles", type=Path)
    parser.add_argument("people", type=int)
    parser.add_argument("--genome", type=Path, help="whose samples they are; else p0, p1 …")
    asked = parser.parse_args()
    names = samples(asked.genome) if asked.genome else [f"p{number}" for number in range(asked.people)]
    print(json.dumps(write(asked.folder, sorted(asked.bundles.glob("*.json")), names[:asked.people])))


if __name__ == "__main__":
    main()
