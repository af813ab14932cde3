"""The embedded release: sound tables, stated sources, a hash that sees every change, and a builder that repeats it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

import pmed_pgx
from pmed.tables import TABLES
from pmed_pgx import knowledge
from pmed_pgx.knowledge import folder, genes, natural, release, table

BUILT = ("alleles", "definitions", "genes", "phenotypes", "sites")


def test_release_says_where_it_is_from() -> None:
    made = release()
    assert made.name == "pmed-pgx-embedded"
    assert all((made.version, made.date, made.licence, made.source))
    assert len(made.sha256) == 64
    TABLES["drug_names"].check(made.tables["drug_names"])


@pytest.mark.parametrize("name", ["alleles", "sites", "phenotypes", "genes", "drug_names", "findings"])
def test_every_row_has_a_source(name: str) -> None:
    assert not table(name)["source"].null_count()


def test_hash_sees_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in folder().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    knowledge.digest.cache_clear()
    monkeypatch.setattr(knowledge, "folder", lambda: tmp_path)
    same = knowledge.digest()
    (tmp_path / "genes.tsv").write_text("changed")
    knowledge.digest.cache_clear()
    changed = knowledge.digest()
    monkeypatch.undo()
    knowledge.digest.cache_clear()
    assert same == knowledge.digest() != changed


@pytest.mark.parametrize("gene", [gene for gene in genes().values() if gene.sites], ids=lambda gene: gene.name)
def test_definitions_are_sound(gene: Any) -> None:
    assert gene.key_sites or gene.kind == "status"
    assert len(set(gene.alleles)) == len(gene.alleles)
    assert gene.allowed.any(axis=2).all(), "every allele has a base at every site"
    bases = {tuple(one.ravel()) for one in gene.allowed}
    assert len(bases) == len(gene.alleles), "no two alleles are the same"
    assert all(len(set(site.alleles)) == len(site.alleles) > 1 for site in gene.sites)


def test_key_sites_are_those_of_the_tier_1_alleles() -> None:
    keys = {name: {gene.sites[p].name for p in gene.key_sites} for name, gene in genes().items()}
    assert keys["CYP2C19"] == {"rs12248560", "rs4986893", "rs12769205", "rs4244285"}
    assert keys["VKORC1"] == {"rs9923231"}
    assert "rs4149056" in keys["SLCO1B1"]
    assert keys["TPMT"] == {"rs1142345", "rs1800460", "rs1800462"}
    assert {"rs776746", "rs10264272", "rs41303343"} <= keys["CYP3A5"]
    assert {"rs1799853", "rs1057910", "rs28371686", "rs7900194", "rs28371685"} <= keys["CYP2C9"]


def test_natural_order() -> None:
    assert sorted(["*10", "*2", "Reference", "*1"], key=natural) == ["Reference", "*1", "*2", "*10"]


def test_builder_repeats_the_embedded_tables(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(pmed_pgx.__file__).parents[2] / "tools" / "build_release.py"
    spec = importlib.util.spec_from_file_location("build_release", path)
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    monkeypatch.setattr("sys.argv", ["build_release.py", str(shared / "reference"), "-o", str(tmp_path)])
    builder.main()
    for name in BUILT:
        assert (tmp_path / f"{name}.tsv").read_bytes() == (folder() / f"{name}.tsv").read_bytes(), name
