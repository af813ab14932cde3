"""Files of other tools: each format read from texts of our own, damaged ones in one line, garbage never a traceback."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pmed import ReadRequest
from pmed.errors import InputError, PmedError
from pmed.tables import TABLES
from pmed_pgx.outside import OutsideCalls, apply, formats
from pmed_pgx.outside.formats import FORMATS, read

ALDY = ("#Sample\tGene\tSolutionID\tMajor\tMinor\tCopy\tAllele\tLocation\tType\tCoverage\tEffect\tdbSNP\tCode\tStatus\n"
        "#Solution 1: *1.001, *4, *4.021\n"
        "ann\tCYP2D6\t1\t*1/*4+*4.021\t1.001;4;4.021\t0\t1.001\n"
        "ann\tCYP2D6\t1\t*1/*4+*4.021\t1.001;4;4.021\t1\t4\t42522612\tC>G\t15\tS486T\trs1135840\t\tNORMAL\n"
        "#Solution 2: *4, *4, *139.001\n"
        "ann\tCYP2D6\t2\t*4+*4/*139\t4;139.001;4\t0\t4\t42522612\tC>G\t15\tS486T\trs1135840\t\tNORMAL\n")
CYRIUS = ("Sample\tGenotype\tFilter\nann\t*1/*2x2\tPASS\nben\t*1/*46;*43/*45\tMore_than_one_possible_genotype\n"
          "cid\t*1_*2_*68\tNot_assigned_to_haplotypes\ndot\tNone\tNone\neva\t*1/*2x9\tLowQ_high_CN\n"
          "fay\t*68+*4/*36+*10\tPASS\ngus\t*1_*2_*68\tPASS\n")
STELLAR = ("--------------------------------------------\n\nCYP2D6 Star Allele Calling with StellarPGx\n\n"
           "--------------------------------------------\n\nInitially computed CN = 2\n\n\nCore variants:\n"
           "42126611~C>G~1/1\n\n\nCandidate alleles:\n['17.v1_29.v1']\n\n\nResult:\n{result}\n\n\nActivity score:\n"
           "{score}\n\n\nMetaboliser status:\n{status}\n")
PYPGX = ("\tGenotype\tPhenotype\tHaplotype1\tHaplotype2\tAlternativePhase\tVariantData\tCNV\n"
         "ann\t*1/*2x2\tUltrarapid Metabolizer\t*1;\t*2;\t;\t*1:default\tWholeDup1\n"
         "ben\tIndeterminate\tIndeterminate\t*1;\t*2;\t;\t*1:default\tUnknown1\n")
OPTITYPE = ("\tA1\tA2\tB1\tB2\tC1\tC2\tReads\tObjective\n"
            "0\tA*01:01\tA*31:01\tB*57:01\tB*08:01\tC*06:02\tC*07:01\t906.0\t887.8\n")
HLA_HD = ("A\tHLA-A*24:02:01\tHLA-A*31:01:02\nB\tHLA-B*58:01:01\t-\nC\tHLA-C*03:02:02\t-\nDRB1\tNot typed\tNot typed\n"
          "DPB1\tHLA-DPB1*02:01:02\tHLA-DPB1*05:01:01\n")


def calls(folder: Path, text: str, name: str = "calls.txt") -> list[tuple[Any, ...]]:
    """(sample, gene, diplotype, phenotype, score, tool) of each call."""
    path = folder / name
    path.write_text(text, "utf-8")
    return [(one.sample, one.gene, one.diplotype, one.phenotype, one.activity_score, one.tool) for one in read(path)]


def test_aldy_gives_every_solution_once(tmp_path: Path) -> None:
    assert calls(tmp_path, ALDY) == [("ann", "CYP2D6", "*1/*4+*4", None, None, "Aldy"),
                                     ("ann", "CYP2D6", "*4+*4/*139", None, None, "Aldy")]
    assert [one.line for one in read(tmp_path / "calls.txt")] == [3, 6]


def test_aldy_simple(tmp_path: Path) -> None:
    assert calls(tmp_path, "ann\tCYP2C19\t*1/*2\nann\tCYP2D6\t*1 / *4.021;*4/*139\n") == [
        ("ann", "CYP2C19", "*1/*2", None, None, "Aldy"), ("ann", "CYP2D6", "*1/*4", None, None, "Aldy"),
        ("ann", "CYP2D6", "*4/*139", None, None, "Aldy")]


def test_cyrius_uses_what_passed(tmp_path: Path) -> None:
    found = calls(tmp_path, CYRIUS)
    assert [(sample, diplotype) for sample, _, diplotype, *_ in found] == [
        ("ann", "*1/*2x2"), ("ben", "*1/*46"), ("ben", "*43/*45"), ("cid", None), ("dot", None), ("eva", "*1/*2x9"),
        ("fay", "*68+*4/*36+*10"), ("gus", None)]
    assert {(one[1], one[5]) for one in found} == {("CYP2D6", "Cyrius")}
    assert "LowQ_high_CN" in next(one for one in read(tmp_path / "calls.txt") if one.sample == "eva").note


@pytest.mark.parametrize(("result", "score", "status", "expected"), [
    ("*17/*29", "1.0", "Intermediate metaboliser (IM)", [("*17/*29", "Intermediate metaboliser", 1.0)]),
    ("*5/*4", "0.0", "Poor metaboliser (PM)", [("*5/*4", "Poor metaboliser", 0.0)]),
    ("*1/*46 or *43/*45", "Indeterminate", "Indeterminate", [("*1/*46", None, None), ("*43/*45", None, None)]),
    ("[*1/*31]", "2.0", "Normal metaboliser (NM)", [(None, None, None)]),
    ("No call: Possible novel allele or suballele present", "Indeterminate", "Indeterminate", [(None, None, None)])])
def test_stellarpgx(tmp_path: Path, result: str, score: str, status: str, expected: list[Any]) -> None:
    found = calls(tmp_path, STELLAR.format(result=result, score=score, status=status), "SIM001_2d6.alleles")
    assert [one[2:5] for one in found] == expected
    assert {one[:2] + one[5:] for one in found} == {("SIM001", "CYP2D6", "StellarPGx")}


def test_stellarpgx_summary(tmp_path: Path) -> None:
    text = "ann\t*71/*2x2\nben\t[*1/*31]\tPossible novel allele: interpret with caution\ncid\tNo_call\ndot\t*5/*68+*4\n"
    text += "eva\t*1/*31\tinterpret with caution\n"
    assert [(one[0], one[1], one[2]) for one in calls(tmp_path, text, "cyp2d6_summary.txt")] == [
        ("ann", "CYP2D6", "*71/*2x2"), ("ben", "CYP2D6", None), ("cid", "CYP2D6", None), ("dot", "CYP2D6", "*5/*68+*4"),
        ("eva", "CYP2D6", None)]
    with pytest.raises(InputError, match="which gene"):
        calls(tmp_path, text, "my_summary.txt")


def test_stellarpgx_names_its_sample(tmp_path: Path) -> None:
    text = STELLAR.format(result="*1/*2", score="2.0", status="Normal metaboliser (NM)")
    assert calls(tmp_path, text.replace("Initially", "Sample ID: ann\n\nInitially"))[0][0] == "ann"


def test_pypgx_from_a_zip_a_column_or_the_name(tmp_path: Path) -> None:
    expected = [("ann", "CYP2D6", "*1/*2x2", "Ultrarapid Metabolizer", None, "PyPGx"),
                ("ben", "CYP2D6", None, None, None, "PyPGx")]
    assert calls(tmp_path, PYPGX, "CYP2D6_results.tsv") == expected
    combined = "".join(f"{'Symbol' if n == 0 else 'CYP2D6'}\t{'SampleName' if n == 0 else ''}{line}\n"
                       for n, line in enumerate(PYPGX.splitlines()))
    assert calls(tmp_path, combined, "all.tsv") == expected
    path = tmp_path / "results.zip"
    path.write_bytes(zipped(PYPGX, "Gene=CYP2D6\nProgram=PyPGx\nSemanticType=SampleTable[Results]\n"))
    assert [(one.sample, one.diplotype) for one in read(path)] == [("ann", "*1/*2x2"), ("ben", None)]


def test_pypgx_metadata_beside_the_table(tmp_path: Path) -> None:
    (tmp_path / "metadata.txt").write_text("Gene=CYP2C19\nSemanticType=SampleTable[Results]\n")
    assert {one[1] for one in calls(tmp_path, PYPGX, "data.tsv")} == {"CYP2C19"}


def zipped(table: str, about: str, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("tmp8a/metadata.txt", about)
        archive.writestr("tmp8a/data.tsv", table)
    return buffer.getvalue()


def test_optitype_and_hla_hd(tmp_path: Path) -> None:
    assert calls(tmp_path, OPTITYPE) == [(None, "HLA-A", "*01:01/*31:01", None, None, "OptiType"),
                                         (None, "HLA-B", "*57:01/*08:01", None, None, "OptiType")]
    assert calls(tmp_path, HLA_HD) == [(None, "HLA-A", "*24:02/*31:01", None, None, "HLA-HD"),
                                       (None, "HLA-B", "*58:01/*58:01", None, None, "HLA-HD")]
    for text, name in ((OPTITYPE, "ann_result.tsv"), (HLA_HD, "ann_final.result.txt")):
        assert {one[0] for one in calls(tmp_path, text, name)} == {"ann"}
    less = OPTITYPE + "1\tA*02:01\tA*31:01\tB*07:02\tB*08:01\tC*06:02\tC*07:01\t900.0\t{}\n"
    assert [one[2] for one in calls(tmp_path, less.format("800.0"))] == ["*01:01/*31:01", "*57:01/*08:01"]
    assert [one[2] for one in calls(tmp_path, less.format("887.8"))] == ["*01:01/*31:01", "*02:01/*31:01",
                                                                       "*57:01/*08:01", "*07:02/*08:01"]
    assert len(calls(tmp_path, "Couldn't read result file.\n" + HLA_HD)) == 2
    assert calls(tmp_path, HLA_HD.replace("B\tHLA-B*58:01:01\t-", "B\tNot typed\tNot typed"))[1][2] is None


@pytest.mark.parametrize(("text", "expected"), [
    ("# made by hand\n\nCYP2C9\t*1/*2\n", (None, "CYP2C9", "*1/*2", None, None)),
    ("CYP2D6\tCYP2D6*1/CYP2D6*2\n", (None, "CYP2D6", "*1/*2", None, None)),
    ("CYP2D6\tCYP2D6 *1/CYP2D6 *2\tNM\t2.0\n", (None, "CYP2D6", "*1/*2", "NM", 2.0)),
    ("CYP2D6\t*4.013x2/*1.001\n", (None, "CYP2D6", "*4x2/*1", None, None)),
    ("HLA-A\tHLA-A*02:02:02/A*02:01\n", (None, "HLA-A", "*02:02/*02:01", None, None)),
    ("HLA-B\t*57:01:01:02N/*08\n", (None, "HLA-B", "*57:01N/*08", None, None)),
    ("HLA-B\t\t*57:01 positive\n", (None, "HLA-B", None, "*57:01 positive", None)),
    ("\ufeffCYP2D6\t\t\t≥3.0\n", (None, "CYP2D6", None, "Ultrarapid Metabolizer", None)),
    ("CYP2D6\t\t\t>=1.5\n", (None, "CYP2D6", None, None, None)),
    ("NAT2\t./.\n", (None, "NAT2", None, None, None))])
def test_pharmcat_lines(tmp_path: Path, text: str, expected: tuple[Any, ...]) -> None:
    assert calls(tmp_path, text) == [(*expected, "PharmCAT TSV")]


@pytest.mark.parametrize(("text", "said"), [
    ("CYP2D6\t*1/*2/*3\n", "line 1: CYP2D6: 3 alleles"), ("CYP2C9\t*1/*2\nCYP2C19\t*3/*4/*2\n", "line 2: CYP2C19: 3"),
    ("CYP2D6\t*1/\n", "an allele is missing"), ("CYP2D6\n", "no tab"), ("\t*1/*2\n", "there is no gene"),
    ("CYP2D6\t\t\t\n", "neither diplotype nor phenotype"), ("CYP2D6\t\t\tmuch\n", "must be a number"),
    ("CYP2D6\t\t\t-1\n", "must be a number"), ("CYP2D6\t\t\tinf\n", "must be a number"),
    ("HLA-A\tB*02:02/*02:01\n", "is no HLA-A allele"), ("HLA-B\t5701/*08:01\n", "is no HLA-B allele"),
    ("", "holds no outside call"), ("# nothing\n\n", "holds no outside call"),
    ("NOGENE\t*1/*2\n", "line 1: 'NOGENE' is no gene of the release"),
    ("##fileformat=VCFv4.2\n#CHROM\tPOS\n1\t2\t3\n", "line 3: '1' is no gene"),
    (PYPGX, "does not say which gene"), (PYPGX[:-10], "does not say which gene"),
    (CYRIUS + "hal\t*1/*2\n", "line 9: too few fields"), (ALDY + "ann\tCYP2D6\n", "line 7: too few fields"),
    ("B\tHLA-B*57:01:01\n", "1 alleles of B"), (OPTITYPE.splitlines()[0], "no whole row"),
    (OPTITYPE[:60], "no whole row")])
def test_faults_are_one_line_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        OutsideCalls().read([path], ReadRequest(TABLES["sites"].empty()))
    assert said in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_file_too_large_to_be_one_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="larger than"):
        calls(tmp_path, "CYP2D6\t*1/*1\n")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "bad"
    for data, said in ((b"CYP2D6\t\xff", "not UTF-8"), (b"PK\x03\x04none", "zip file"),
                       (zipped(PYPGX, "Gene=CYP2D6\nSemanticType=VcfFrame[Imported]\n"), "VcfFrame"),
                       (zipped(PYPGX, "Gene=CYP2D6\nSemanticType=SampleTable[Results]\n")[:-30], "zip file")):
        path.write_bytes(data)
        with pytest.raises(InputError, match=said):
            read(path)


def test_genes_that_only_a_tool_knows_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.aldy"
    path.write_text(ALDY + "ann\tCYP2A6\t1\t*1/*2\t1;2\t0\t1\n", "utf-8")
    found = OutsideCalls().read([path], ReadRequest(TABLES["sites"].empty()))
    assert found["outside_calls"]["gene"].unique().to_list() == ["CYP2D6"]
    assert found["issues"]["code"].to_list() == ["gene-not-covered"]
    assert "CYP2A6" in found["issues"]["text"][0]


def test_every_format_is_known_by_its_text() -> None:
    texts = {"Aldy": ALDY, "Cyrius": CYRIUS, "StellarPGx": STELLAR, "PyPGx": PYPGX, "OptiType": OPTITYPE,
             "HLA-HD": HLA_HD, "PharmCAT": "CYP2D6\t*1/*2\nHLA-B\t\t*57:01 positive\nTPMT\t*1/*3A\tIM\n"}
    found = {name: next(one.name for one in FORMATS if one.matches(Path("x"), text)) for name, text in texts.items()}
    assert found == {name: name for name in texts}
    assert set(texts) | {"StellarPGx summary"} == {one.name for one in FORMATS}


PIECES = st.sampled_from(["CYP2D6", "HLA-B", "\t", "\t", "\n", "*1", "*4", "/", "x2", "xN", "x≥3", "+", " + ", "[", "]",
                          "(", "*57:01", ":", "Sample", "Genotype\tFilter\n", "#Sample\tGene\tSolutionID\tMajor\t", "≥",
                          "3.0", "\tA1\tA2\tB1\tB2\n", "Result:", " Star Allele Calling with StellarPGx\n", "PASS",
                          "\r", "\0", "é", "Not typed", "A\tHLA-A*", "\tGenotype\tPhenotype\tHaplotype1\tHaplotype2\n"])


def read_or_refused(path: Path) -> dict[str, pl.DataFrame] | str:
    """The tables, or the error in words."""
    try:
        return OutsideCalls().read([path], ReadRequest(TABLES["sites"].empty()))
    except PmedError as error:
        return str(error)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=60)))
@example("CYP2D6\t[[*1]x2")
@example("CYP2D6\t[]x2/*1")
@example("CYP2D6\t*1x0/*1")
def test_no_text_breaks_the_reader(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any.txt"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    found = read_or_refused(path)
    if isinstance(found, str):
        assert str(path) in found
    else:
        everybody = found["outside_calls"].with_columns(patient_id=pl.lit("p"))
        made = apply(TABLES["gene_results"].empty(), everybody, TABLES["samples"].empty())
        assert TABLES["gene_results"].check(made).height == everybody["gene"].n_unique()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_damaged_archives_break_nothing(tmp_path: Path, place: int, byte: int) -> None:
    data = bytearray(zipped(PYPGX, "Gene=CYP2D6\nSemanticType=SampleTable[Results]\n", zipfile.ZIP_DEFLATED))
    data[place % len(data)] = byte
    path = tmp_path / "results.zip"
    path.write_bytes(data)
    found = read_or_refused(path)
    assert not isinstance(found, str) or str(path) in found


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([ALDY, CYRIUS, STELLAR, PYPGX, OPTITYPE, HLA_HD]), st.integers(0, 400), st.integers(0, 400))
def test_cut_and_spliced_files_break_nothing(tmp_path: Path, text: str, start: int, stop: int) -> None:
    path = tmp_path / "CYP2D6.txt"
    path.write_text(text[:start] + text[stop:], "utf-8")
    found = read_or_refused(path)
    assert not isinstance(found, str) or str(path) in found
