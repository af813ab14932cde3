"""Releases made from publishers' files: PharmCAT's, PharmVar's and CPIC's; what they lose and what they refuse."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pmed.errors import InputError
from pmed_pgx.assembly import assemble
from pmed_pgx.differences import as_text, differences
from pmed_pgx.importing import import_release
from pmed_pgx.imports.guidance import guidance_rows
from pmed_pgx.knowledge import embedded, frequency, proxies, sites_table, synonyms, today
from pmed_pgx.release_folder import manifest, read_release
from pmed_pgx.verify import verify

HEAD = ("Haplotype Name\tGene\trsID\tReferenceSequence\tVariant Start\tVariant Stop\t"
        "Reference Allele\tVariant Allele\tType\n")
ROWS38 = [("*1", "REFERENCE", ".", ".", ".", ".", "."), ("*1.001", "REFERENCE", ".", ".", ".", ".", "."),
          ("*2", "rs1", "NC_000010.11", "100", "100", "G", "A"),
          ("*2.001", "rs1", "NC_000010.11", "100", "100", "G", "A"),
          ("*3", "rs2", "NC_000010.11", "201", "202", "AT", "-"), ("*4", "rs1", "NC_000010.11", "100", "100", "G", "C")]


def haplotypes(rows: list[tuple[str, ...]]) -> str:
    """A ``haplotypes.tsv`` of the gene CYPX."""
    lines = [f"CYPX{name}\tCYPX\t{rs}\t{seq}\t{a}\t{b}\t{ref}\t{alt}\tx" for name, rs, seq, a, b, ref, alt in rows]
    return "#version=pharmvar-6.2.1\n" + HEAD + "\n".join(lines) + "\n"


@pytest.fixture
def pharmvar(tmp_path: Path) -> Path:
    """A made-up gene as PharmVar publishes one."""
    for build, shift, sequence in (("GRCh38", 0, "NC_000010.11"), ("GRCh37", 50, "NC_000010.10")):
        place = tmp_path / "pv" / "CYPX" / build
        place.mkdir(parents=True)
        rows = [(name, rs, sequence if seq != "." else ".",
                 *(str(int(one) + shift) if one != "." else one for one in (a, b)), ref, alt)
                for name, rs, seq, a, b, ref, alt in ROWS38]
        (place / f"CYPX.{sequence}.haplotypes.tsv").write_text(haplotypes(rows))
        (place / "CYPX_3.vcf").write_text(f"##fileformat=VCFv4.1\n#CHROM\tPOS\tID\tREF\tALT\n"
                                          f"{sequence}\t{200 + shift}\trs2\tCAT\tC\n")
    return tmp_path / "pv"


def test_pharmvar_gives_definitions_anchors_and_suballeles(pharmvar: Path, tmp_path: Path) -> None:
    about = import_release("pharmvar", pharmvar, tmp_path / "out")
    assert (about.name, about.version) == ("pharmvar-import", "6.2.1")
    made = read_release(tmp_path / "out")
    assert made["sites"].select("site", "pos", "ref", "alts", "pos37").rows() == [
        ("rs1", "100", "G", "A|C", "150"), ("rs2", "200", "CAT", "C", "250")]
    assert made["synonyms"].select("name", "now").rows() == [("*1.001", "*1"), ("*2.001", "*2")]
    gene = assemble(lambda name: made[name])["CYPX"]
    assert gene.alleles == ("*1", "*2", "*3", "*4")
    assert verify(tmp_path / "out") == []


@pytest.mark.parametrize(("change", "said"), [
    (("\t100\t100\tG\tA", "\tten\t100\tG\tA"), r"line 5: Variant Start is 'ten'"),
    (("rsID\t", "id\t"), "line 2: no column 'rsID'"), (("REFERENCE", "rs7"), r"line 3: Variant Start is '.'")])
def test_what_pharmvar_never_wrote_is_one_line(pharmvar: Path, tmp_path: Path, change: tuple[str, str],
                                               said: str) -> None:
    path = next(pharmvar.rglob("GRCh38/*.tsv"))
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(InputError, match=said) as error:
        import_release("pharmvar", pharmvar, tmp_path / "out")
    assert str(path) in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_deletion_without_its_vcf_is_refused(pharmvar: Path, tmp_path: Path) -> None:
    (pharmvar / "CYPX" / "GRCh38" / "CYPX_3.vcf").unlink()
    with pytest.raises(InputError, match=r"CYPX\*3 has an insertion or deletion, but no CYPX_3.vcf"):
        import_release("pharmvar", pharmvar, tmp_path / "out")


def test_pharmcat_with_cpic_tables_is_the_embedded_release(shared: Path, tmp_path: Path) -> None:
    reference = shared / "reference"
    import_release("pharmcat", reference / "pharmcat-3.1.1", tmp_path / "out", reference / "cpic")
    made, own = read_release(tmp_path / "out", embedded()), read_release(embedded())
    assert differences(own, made).is_empty()
    assert as_text(differences(own, made)) == "no differences"
    assert verify(tmp_path / "out", embedded()) == []


def test_pharmcat_alone_keeps_positions_and_leaves_functions_unknown(shared: Path, tmp_path: Path) -> None:
    import_release("pharmcat", shared / "reference" / "pharmcat-3.1.1", tmp_path / "out")
    found = differences(read_release(embedded()), read_release(tmp_path / "out", embedded()))
    assert found.filter(table="sites").is_empty()
    assert found.filter(table="genes")["gene"].to_list() == ["HLA-A", "HLA-B", "MT-RNR1"]
    changed = found.filter(table="alleles", what="function")
    assert set(changed["gene"]) == {"CYP2D6", "CYP4F2", "G6PD", "RYR1"}
    assert changed["after"].null_count() == changed.height
    assert "function" in as_text(found)


def test_cpic_alone_agrees_on_definitions(shared: Path, tmp_path: Path) -> None:
    import_release("cpic", shared / "reference" / "cpic", tmp_path / "out")
    made = assemble(lambda name: read_release(tmp_path / "out")[name])
    assert made["CYP2C19"].rules["No function", "Normal function"][0] == "Intermediate Metabolizer"
    assert {"*1", "*2", "*38"} <= set(made["CYP2C19"].alleles)
    assert made["CYP2C9"].by == "activity"
    faults = verify(tmp_path / "out", embedded())
    assert {fault.split()[0] for fault in faults} <= {"TBXAS1", "MT-RNR1:"}, faults


def broken(folder: Path, name: str, change: tuple[str, str]) -> Path:
    """One gene's PharmCAT files with a change, in a folder of their own."""
    for part, suffix in (("definitions", "_translation"), ("phenotypes", "")):
        place = folder / part
        place.mkdir()
        text = (SHARED / part / f"CYP3A5{suffix}.json").read_text("utf-8")
        (place / f"CYP3A5{suffix}.json").write_text(text.replace(*change) if part == name else text, "utf-8")
    return folder


SHARED = Path()


@pytest.mark.parametrize(("name", "change"), [
    ("definitions", ('"variants"', '"variant"')), ("definitions", ('"namedAlleles"', '"x"')),
    ("definitions", ("{", "<")),
    ("definitions", ('"reference": true', '"reference": false')), ("phenotypes", ('"functionValue"', '"f"'))])
def test_what_pharmcat_never_wrote_is_one_line(shared: Path, tmp_path: Path, name: str, change: tuple[str, str],
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "SHARED", shared / "reference" / "pharmcat-3.1.1")
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"CYP3A5") as error:
        import_release("pharmcat", broken(tmp_path / "in", name, change), tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


GUIDANCE: dict[str, Any] = {"version": "1", "guidelines": [{
    "guideline": {"source": "CPIC", "url": "https://x", "relatedChemicals": [{"name": "drugs"}]},
    "citations": [{"pmid": "12345678"}],
    "recommendations": [{
        "population": "adults", "classification": {"term": "Strong"}, "text": {"html": "<p>Do\tit.</p>\n"},
        "relatedChemicals": [{"name": "drug"}],
        "lookupKey": {"CYPX": "Poor Metabolizer", "HLA-B": {"*57:01 positive": 1}, "CYPY": {"*1": 2}}}]}]}


def test_guidance_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "prescribing_guidance.json").write_text(json.dumps(GUIDANCE))
    keys = "CYPX=Poor Metabolizer; CYPY=*1/*1; HLA-B=*57:01 positive"
    assert guidance_rows(tmp_path) == [("drug", "CPIC", keys, "adults", "Strong", "Do it.", "PMID 12345678")]
    (tmp_path / "prescribing_guidance.json").write_text('{"guidelines": [{}]}')
    with pytest.raises(InputError, match="not PharmCAT's prescribing guidance: KeyError 'guideline'"):
        guidance_rows(tmp_path)


def test_an_older_name_is_called_by_that_of_today() -> None:
    assert today("SLCO1B1", "*1B") == ("*37",)
    assert today("NAT2", "*12A") == ("*1",)
    assert today("NAT2", "*5A") == ("*16",), "in NAT2 a letter is no suballele"
    assert today("CYP2D6", "*14A") == ("*114",), "a row comes before the letter rule"
    assert today("CYP2D6", "*4.013") == today("CYP2D6", "*4A") == ("*4",)
    assert today("CYP2D6", "*4") == ("*4",)
    assert today("CYP2D6", "*4K+*1") == today("NOGENE", "*1") == today("SLCO1B1", "*5C") == ()
    assert all(name not in now for (_, name), now in synonyms().items())


def test_frequencies_are_those_of_the_sources() -> None:
    assert frequency("CYP2B6", "*6", "European") == 0.233
    assert frequency("CYP2B6", "*9", "Han Chinese") == 0.018
    assert frequency("CYP2B6", "*6", "Atlantis") is None
    computed = [frequency("VKORC1", "rs9923231 variant (T)", one) or 0 for one in ("AFR", "EUR", "EAS")]
    assert computed == sorted(computed)


def test_proxies_are_among_the_sites_on_both_builds() -> None:
    rows = sites_table().filter(site="rs2395029").select("build", "pos", "ref", "alt").rows()
    assert rows == [("GRCh38", 31464003, "T", "G"), ("GRCh37", 31431780, "T", "G")]
    assert set(proxies()["allele"]) == {"HLA-A*31:01", "HLA-B*15:02", "HLA-B*57:01", "HLA-B*58:01"}


ASK = """
from pmed_pgx.knowledge import genes, release, table
print(len(genes()), release().name, release().source, table("fallbacks").height, sep="|")
from pmed_pgx.knowledge import folder
print(sum(one.name.startswith("guideline-") for one in folder().iterdir()))
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                          env={**os.environ, "PMED_PGX_RELEASE": str(folder)})


def test_the_variable_names_the_release_and_the_rest_is_embedded(shared: Path, tmp_path: Path) -> None:
    import_release("pharmcat", shared / "reference" / "pharmcat-3.1.1", tmp_path / "out")
    told = run(ASK, tmp_path / "out").stdout.splitlines()
    assert told[0].startswith("20|pharmcat-import|imported from ClinPGx files of PharmCAT; from the embedded release: ")
    assert "guideline rows" in told[0]
    assert int(told[1]) >= 8


@pytest.mark.parametrize(("name", "change", "said"), [
    ("sites.tsv", ("\t100\t", "\tx\t"), "sites.tsv line 2: pos is 'x', not a number"),
    ("definitions.tsv", ("rs2\tC\n", "rs2\tG\n"), r"definitions.tsv line 5: CYPX \*3 has G at rs2"),
    ("release.json", ("pmed/", "other/"), "format is 'other/pgx-release/1'")])
def test_a_bad_release_stops_with_one_line(pharmvar: Path, tmp_path: Path, name: str, change: tuple[str, str],
                                           said: str) -> None:
    import_release("pharmvar", pharmvar, tmp_path / "out")
    path = tmp_path / "out" / name
    path.write_text(path.read_text().replace(*change))
    done = run("from pmed.cli import main; main(['call', 'no.vcf'])", tmp_path / "out")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "PMED_PGX_RELEASE: " in done.stderr
    assert re.search(said, done.stderr), done.stderr


def test_manifest_of_the_embedded_release() -> None:
    assert manifest(embedded()).format == "pmed/pgx-release/1"
