"""Outside calls in the host: whose they are, what is told, and the files in the provenance. The host knows no gene."""

import polars as pl
import pytest

from pmed import TABLES, engine
from pmed.errors import InputError
from pmed.plugins import Component
from pmed.provenance import describe_inputs
from pmed.stages.link import assign
from pmed.stages.read import empty_tables, read


def outside(*rows):
    """``outside_calls`` from (file, sample)."""
    return TABLES["outside_calls"].frame([{"sample": sample, "gene": "GENE", "tool": "Tool", "file": file, "line": n}
                                          for n, (file, sample) in enumerate(rows, 1)])


def people(samples=(), patients=()):
    """``samples`` from sample → patient_id, and ``patients``."""
    rows = [{"sample": sample, "patient_id": patient, "source": "g.vcf", "build": "GRCh38"}
            for sample, patient in samples]
    return TABLES["samples"].frame(rows), TABLES["patients"].frame([{"patient_id": one} for one in patients])


@pytest.mark.parametrize(("rows", "samples", "patients", "expected"), [
    ([("f", "s")], [("s", "p")], ["p"], ["p"]),  # by the sample's name
    ([("f", "p")], [("s", "p")], ["p"], ["p"]),  # by the patient's
    ([("f", "p")], [], ["p", "q"], ["p"]),
    ([("f", None)], [("s", "p")], [], ["p"]),  # of the only patient there is
    ([("f", None)], [], ["p"], ["p"]),
    ([("f", "else")], [("s", "p")], ["p"], ["p"]),
    ([("f", "s"), ("f", "t"), ("f", "u")], [("s", "s"), ("t", "t")], [], ["s", "t"]),
    ([("f", "s"), ("g", None)], [("s", "s")], [], ["s", "s"]),
])
def test_calls_find_their_patient(rows, samples, patients, expected):
    made, _ = assign(outside(*rows), *people(samples, patients))
    assert TABLES["outside_calls"].check(made)["patient_id"].to_list() == expected


def test_who_was_left_out_and_who_has_another_name_is_told():
    _, issues = assign(outside(("f", "s"), ("f", "t"), ("f", "u"), ("f", "u")), *people([("s", "s")]))
    assert issues["code"].to_list() == ["other-samples"]
    assert issues["text"].to_list() == ["outside calls for 2 other samples were left out"]
    _, issues = assign(outside(("f", "else"), ("f", "else")), *people([("s", "p")]))
    assert issues.select("code", "patient_id", "severity").rows() == [("paired", "p", "warning")]
    assert "else" in issues["text"][0]
    _, issues = assign(outside(("f", "s")), *people([("s", "p")], ["p"]))
    assert issues.is_empty()


@pytest.mark.parametrize(("rows", "samples", "message"), [
    ([("f", None)], [("s", "s"), ("t", "t")], "f: names no sample, and there are 2 patients"),
    ([("f", "x")], [("s", "s"), ("t", "t")], "f: has no call for anybody in this run: it is about x"),
    ([("f", "x"), ("f", "y")], [("s", "s")], "about x, y"), ([("f", None)], [], "there are 0 patients"),
    ([("f", None), ("f", "x")], [("s", "s")], "names a sample in some lines only"),
])
def test_whose_calls_they_are_is_never_guessed_among_several(rows, samples, message):
    with pytest.raises(InputError, match=message):
        assign(outside(*rows), *people(samples))


class Calls:
    """A source of outside calls."""

    name, kind = "toy-calls", "outside-calls"

    def matches(self, path):
        return path.suffix == ".calls"

    def read(self, paths, request):
        return {"outside_calls": outside(*[(str(path), None) for path in paths])}


def test_sources_of_the_kind_are_asked_and_missing_files_are_one_line(tmp_path):
    component, file = Component("toy-calls", Calls(), "stranger", "1.0"), tmp_path / "a.calls"
    file.write_text("x")
    made = read([component], "outside-calls", [file], None)
    assert made["outside_calls"]["file"].to_list() == [str(file)]
    assert set(made) == set(empty_tables())
    with pytest.raises(InputError, match="none.calls: no such file"):
        read([component], "outside-calls", [tmp_path / "none.calls"], None)
    other = tmp_path / "a.txt"
    other.write_text("x")
    with pytest.raises(InputError, match="no outside-calls source reads this file"):
        read([component], "outside-calls", [other], None)


def test_inputs_name_the_files(tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("CYP2D6\t*1/*1\n")
    assert [(one["kind"], one["file"], one["bytes"]) for one in describe_inputs([], [], [file])] == [
        ("outside-calls", "a.tsv", 13)]


def test_run_reads_outside_calls_without_a_genome(tmp_path):
    from pmed.demo import patients

    file = tmp_path / "calls.tsv"
    file.write_text("CYP2D6\t*4/*4\n")
    history = next(iter(patients())).history
    result = engine.run((), history, outside_calls=file)
    row = result.tables["gene_results"].filter(pl.col("gene") == "CYP2D6").row(0, named=True)
    assert (row["status"], row["phenotype"]) == ("outside", "Poor Metabolizer")
    assert [one["kind"] for one in result.provenance["inputs"]] == ["history", "outside-calls"]
    assert result.tables["outside_calls"]["patient_id"].null_count() == 0
