"""From real files to gene results, through the host's own VCF source."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
from pmed_pgx.caller import PgxCaller

from pmed import ReadRequest
from pmed.sources.vcf import VcfSource


def gene_results(paths: Iterable[Path], *, all_matches: bool = False) -> pl.DataFrame:
    """``gene_results`` of all samples of the files."""
    caller = PgxCaller(all_matches=all_matches)
    tables = VcfSource().read(list(paths), ReadRequest(caller.sites()))
    return caller.run(tables, ())["gene_results"]
