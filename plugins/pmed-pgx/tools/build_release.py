"""Build the embedded knowledge release from the published files (run by hand, never by pmed).

    python build_release.py REFERENCE_FOLDER [-o OUTPUT_FOLDER]

It prints, for each gene, how many sites have no published position on GRCh37, and which.

REFERENCE_FOLDER holds ``pharmcat-3.1.1/definitions`` and ``pharmcat-3.1.1/phenotypes`` (ClinPGx / CPIC facts as
published with PharmCAT 3.1.1) and ``cpic/*-table.csv`` (CPIC's tables). What is written are facts in our own schema
(``pmed_pgx.imports.schema``), each row with its source. The guideline rows, drug names, findings and HLA tables in the
same folder are written by hand.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pmed_pgx.imports import release


def main() -> None:
    """Read the published files and write the tables of the release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parents[1] / "src" / "pmed_pgx" / "data")
    given = parser.parse_args()
    made = release.build(given.reference / "pharmcat-3.1.1", given.reference / "cpic")
    for gene in sorted({str(row[0]) for row in made["sites"]}):
        mine = [row for row in made["sites"] if row[0] == gene]
        lost = [str(row[1]) for row in mine if not row[6]]
        print(f"{gene}: {len(lost)} of {len(mine)} sites without a published GRCh37 position", *lost)  # noqa: T201
    release.write(given.output, made)


if __name__ == "__main__":
    main()
