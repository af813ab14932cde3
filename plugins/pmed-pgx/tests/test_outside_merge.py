"""Outside calls in the place of our own: order of trust, several results, conflicts, unknown names, HLA status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmed.errors import InputError
from pmed.render.phrases import said
from pmed.tables import TABLES
from pmed_pgx.caller import PgxCaller
from pmed_pgx.outside import apply, statuses

Make = Callable[..., dict[str, pl.DataFrame]]


def outside(*rows: tuple[str, str | None, str | None, float | None], who: str | None = "someone") -> pl.DataFrame:
    """``outside_calls`` of one person: gene, diplotype, phenotype, activity score."""
    return TABLES["outside_calls"].frame([
        {"patient_id": who, "gene": gene, "diplotype": diplotype, "phenotype": phenotype, "activity_score": number,
         "tool": "Tool", "file": "/here/calls.tsv", "line": n} for n, (gene, diplotype, phenotype, number)
        in enumerate(rows, 1)])


def one(*rows: tuple[str, str | None, str | None, float | None]) -> dict[str, Any]:
    """The only row that the calls make."""
    made = apply(TABLES["gene_results"].empty(), outside(*rows), TABLES["samples"].empty())
    assert made.height == 1
    return made.row(0, named=True)


def codes(row: dict[str, Any]) -> list[str]:
    return [message["code"] for message in row["messages"]]


@pytest.mark.parametrize(("call", "phenotype", "number", "mismatch"), [
    (("CYP2D6", "*4/*4", None, None), "Poor Metabolizer", 0.0, False),
    (("CYP2D6", "*1/*1", None, 4.0), "Ultrarapid Metabolizer", 4.0, True),
    (("CYP2D6", "*1/*1", "nm", 4.0), "Normal Metabolizer", 4.0, True),
    (("CYP2D6", "*1/*1", "Poor Metaboliser", None), "Poor Metabolizer", None, True),
    (("CYP2D6", "*1/*1", "NM", None), "Normal Metabolizer", 2.0, False),
    (("CYP2D6", None, "NM", 4.0), "Normal Metabolizer", 4.0, True),
    (("CYP2D6", None, None, 0.5), "Intermediate Metabolizer", 0.5, False),
    (("CYP2C9", None, None, 1.5), "Intermediate Metabolizer", 1.5, False),
    (("DPYD", None, None, 2.0), "Normal Metabolizer", 2.0, False),
    (("TPMT", None, "Possible Intermediate Metabolizer", None), "Possible Intermediate Metabolizer", None, False)])
def test_order_of_trust(call: Any, phenotype: str, number: float | None, mismatch: bool) -> None:
    row = one(call)
    assert (row["phenotype"], row["activity_score"]) == (phenotype, number)
    assert (row["status"], row["complete"]) == ("outside", True)
    assert ("outside-mismatch" in codes(row)) is mismatch
    assert row["messages"][0]["text"] == f"{call[0]} is from outside: Tool (calls.tsv, line 1)"


def test_several_results_agree_or_not() -> None:
    agreeing = one(("CYP2D6", "*1/*1", None, None), ("CYP2D6", "*1/*2", None, None))
    assert (agreeing["diplotypes"], agreeing["phenotype"], agreeing["activity_score"]) == (
        ["*1/*1", "*1/*2"], "Normal Metabolizer", 2.0)
    differing = one(("CYP2D6", "*1/*1", None, None), ("CYP2D6", "*1/*1x7", None, None))
    assert differing["possible_phenotypes"] == ["Normal Metabolizer", "Ultrarapid Metabolizer"]
    assert (differing["phenotype"], differing["activity_score"]) == (None, None)
    unknown = one(("CYP2D6", "*1/*1", None, None), ("CYP2D6", "*1/*999", None, None))
    assert (unknown["phenotype"], unknown["possible_phenotypes"], unknown["complete"]) == (None, [], False)


def test_open_copies_leave_their_phenotypes() -> None:
    row = one(("CYP2D6", "*1/*10xN", None, None))
    assert row["possible_phenotypes"] == ["Normal Metabolizer", "Ultrarapid Metabolizer"]
    assert (row["phenotype"], "ambiguous" in codes(row)) == (None, True)


@pytest.mark.parametrize(("call", "code"), [
    (("CYP2D6", "*1/*999", None, None), "unknown-allele"), (("DPYD", "*1/*5", None, None), "unknown-allele"),
    (("CYP2D6", "*1/*1", "quick", None), "unknown-phenotype"), (("CYP2D6", "*1", None, None), "one-allele"),
    (("CYP2C9", "*1/*1", None, 3.0), "unknown-score"), (("CYP2C19", None, None, 2.0), "unknown-score"),
    (("HLA-B", None, "high risk", None), "unknown-phenotype")])
def test_what_nobody_knows_is_never_normal(call: Any, code: str) -> None:
    row = one(call)
    assert (row["phenotype"], row["complete"], row["possible_phenotypes"]) == (None, False, [])
    assert code in codes(row)


def test_a_given_phenotype_holds_although_an_allele_is_unknown() -> None:
    row = one(("CYP2D6", "*1/*999", "IM", None))
    assert (row["phenotype"], row["complete"], row["lookup_diplotypes"]) == ("Intermediate Metabolizer", True, [])
    assert "unknown-allele" in codes(row)


def test_an_allele_without_function_is_shown() -> None:
    row = one(("CYP2D6", "*1/*27", None, None))
    assert (row["phenotype"], row["functions"]) == (None, ["Normal function", None])
    assert "function-unknown" in codes(row)


def test_a_no_call_counts_only_alone() -> None:
    row = one(("NAT2", None, None, None))
    assert (row["status"], row["complete"], codes(row)[1:]) == ("not-called", False, ["outside-no-call"])
    assert one(("CYP2D6", None, None, None), ("CYP2D6", "*4/*4", None, None))["phenotype"] == "Poor Metabolizer"


@pytest.mark.parametrize(("recorded", "read", "phenotype"), [
    ("male", None, "Normal"), (None, "male", "Normal"), ("female", None, None), (None, None, None),
    ("unknown", "male", None)])
def test_one_allele_on_x_is_all_of_a_man_only(recorded: str | None, read: str | None, phenotype: str | None) -> None:
    """Of a woman, or of somebody whose sex nobody knows, the other allele may be a deficient one."""
    samples = TABLES["samples"].frame([{"sample": "s", "patient_id": "someone", "sex": read}])
    patients = TABLES["patients"].frame([{"patient_id": "someone", "sex": recorded}])
    made = apply(TABLES["gene_results"].empty(), outside(("G6PD", "B (wildtype)", None, None)), samples, patients)
    [row] = made.to_dicts()
    assert (row["phenotype"], row["complete"], row["diplotypes"]) == (phenotype, phenotype is not None,
                                                                     ["B (reference)"])
    assert ("one-allele" in codes(row)) is (phenotype is None)
    if phenotype is None:
        text = row["messages"][-1]["text"]
        assert text == ("only one allele of G6PD is given, and nobody says that the patient is male: the other one is "
                        "unknown")
        assert "dass der Patient männlich ist" in (said(text, "de", str) or "")


@pytest.mark.parametrize(("gene", "diplotype", "functions", "lookup"), [
    ("DPYD", "c.498G>A/[c.2933A>G + c.1905+1G>A (*2A)]", ["Normal function", "No function"],
     "c.498G>A/c.1905+1G>A (*2A)"),
    ("MT-RNR1", "m.1555A>G/m.1555A>G", ["Increased risk of aminoglycoside-induced hearing loss"], "m.1555A>G"),
    ("G6PD", "B (wildtype)/B (wildtype)", ["Class IV (Normal)"] * 2, "B (reference)/B (reference)"),
    ("VKORC1", "Reference/rs9923231", None, "rs9923231 reference (C)/rs9923231 variant (T)"),
    ("SLCO1B1", "*1B/*5", None, "*5/*37")])
def test_names_and_ploidies(gene: str, diplotype: str, functions: list[str] | None, lookup: str) -> None:
    row = one((gene, diplotype, None, None))
    assert row["lookup_diplotypes"] == [lookup]
    assert row["phenotype"] is not None
    assert functions is None or row["functions"] == functions


def called(plain: Any, make: Make, calls: pl.DataFrame, *wanted: str) -> tuple[dict[str, Any], pl.DataFrame]:
    """Rows by gene, and features, of someone with a genome and outside calls."""
    tables = make({"someone": plain()})
    made = PgxCaller().run({**tables, "outside_calls": calls}, list(wanted))
    return {row["gene"]: row for row in made["gene_results"].iter_rows(named=True)}, made["features"]


def test_the_genome_is_overridden_and_conflicts_are_told(make: Make, plain: Any) -> None:
    calls = outside(("CYP2C19", "*2/*2", None, None), ("CYP2C9", "*1/*1", None, None), ("TPMT", None, "PM", None))
    rows, features = called(plain, make, calls, "phenotype:CYP2C19", "diplotype:CYP2C19")
    assert codes(rows["CYP2C19"]) == ["outside-call", "outside-overrides", "outside-conflict"]
    assert "*1/*1" in rows["CYP2C19"]["messages"][2]["text"]
    assert "*2/*2" in rows["CYP2C19"]["messages"][2]["text"]
    assert codes(rows["CYP2C9"]) == ["outside-call", "outside-overrides"]
    assert codes(rows["TPMT"]) == ["outside-call", "outside-overrides", "outside-conflict"]
    assert features.row(0) == ("someone", "Poor Metabolizer", "*2/*2")
    assert rows["CYP3A5"]["status"] == "called"


def test_nothing_changes_without_outside_calls(make: Make, plain: Any) -> None:
    tables = make({"someone": plain(rs4244285="G/A")})
    before, empty = PgxCaller().run(tables, ()), PgxCaller().run({**tables, "outside_calls": outside()}, ())
    assert before["gene_results"].equals(empty["gene_results"])


def test_other_people_and_the_order_stay(make: Make, plain: Any) -> None:
    tables = make({"ann": plain(), "ben": plain(), "cid": plain()})
    before = PgxCaller().run(tables, ())["gene_results"]
    after = apply(before, outside(("CYP2C19", "*2/*3", None, None), who="ben"), tables["samples"])
    assert after.select("patient_id", "gene").equals(before.select("patient_id", "gene"))
    changed = (pl.col("patient_id") == "ben") & (pl.col("gene") == "CYP2C19")
    assert after.filter(~changed).equals(before.filter(~changed))
    assert after.filter(changed)["phenotype"].to_list() == ["Poor Metabolizer"]


def test_a_patient_without_genome_gets_results_and_features() -> None:
    empty = {name: TABLES[name].empty() for name in ("samples", "genotypes")}
    calls = outside(("CYP2D6", "*4/*4", None, None), ("HLA-B", "*57:01/*08:01", None, None))
    made = PgxCaller().run({**empty, "outside_calls": calls}, ["phenotype:CYP2D6", "status:HLA-B*57:01"])
    assert made["features"].row(0) == ("someone", "Poor Metabolizer", "positive")


def test_calls_by_sample(make: Make, plain: Any) -> None:
    tables = make({"ann": plain()})
    for named in ("ann", None):
        calls = outside(("TPMT", "*3A/*3A", None, None), who=None).with_columns(sample=pl.lit(named, dtype=pl.String))
        made = apply(TABLES["gene_results"].empty(), calls, tables["samples"])
        assert made.select("patient_id", "phenotype").row(0) == ("ann", "Poor Metabolizer")
    with pytest.raises(InputError, match=r"calls.tsv line 1: .* nobody here is meant"):
        apply(TABLES["gene_results"].empty(), calls.with_columns(sample=pl.lit("zoe")), tables["samples"])
    with pytest.raises(InputError, match="NOGENE is no gene"):
        apply(TABLES["gene_results"].empty(), outside(("NOGENE", "*1/*1", None, None)), tables["samples"])


WANTED = ["status:HLA-A*31:01", "status:HLA-B*15:02", "status:HLA-B*57:01", "status:HLA-B*58:01"]


@pytest.mark.parametrize(("calls", "expected"), [
    ([("HLA-B", "*15:02/*57:01", None, None)], (None, "positive", "positive", "negative")),
    ([("HLA-B", "*08:01/*57", None, None)], (None, "negative", None, "negative")),
    ([("HLA-B", "*57:01/*57", None, None)], (None, "negative", "positive", "negative")),
    ([("HLA-B", "*57:01N/*08:01", None, None)], (None, "negative", None, "negative")),
    ([("HLA-B", "*57:01", None, None)], (None, None, "positive", None)),
    ([("HLA-B", None, "*57:01 positive", None)], (None, None, "positive", None)),
    ([("HLA-A", None, "HLA-A*31:01 Negative", None)], ("negative", None, None, None)),
    ([("HLA-B", "*08:01/*57:01", "*57:01 negative", None)], (None, "negative", "negative", "negative")),
    ([("HLA-B", "*08:01/*57:01", None, None), ("HLA-B", "*08:01/*57:02", None, None)],
     (None, "negative", None, "negative")),
    ([("HLA-B", None, "*57:01 positive and *57:01 negative", None)], (None, None, None, None))])
def test_hla_status(calls: list[Any], expected: tuple[str | None, ...]) -> None:
    made = apply(TABLES["gene_results"].empty(), outside(*calls), TABLES["samples"].empty())
    assert statuses(made, WANTED).row(0)[1:] == expected


def test_hla_status_and_alleles_that_disagree_are_told() -> None:
    assert "outside-mismatch" in codes(one(("HLA-B", "*08:01/*57:01", "*57:01 negative", None)))


GENES = ["CYP2D6", "CYP2C19", "HLA-B", "DPYD", "G6PD"]
TEXTS = st.sampled_from([None, "*1/*2", "*1", "*1x2/*4", "*57:01/*08:01", "c.498G>A/c.2846A>T", "A/B/C", "x", "*1/*1xN",
                         "*1x0/*1", "[*1"])


SAID, SCORES = st.sampled_from([None, "PM", "Normal", "*57:01 positive", "?"]), st.sampled_from([None, 0.0, 1.0, 9.5])


@given(st.lists(st.tuples(st.sampled_from(GENES), TEXTS, SAID, SCORES), min_size=1, max_size=8), st.randoms())
def test_order_of_lines_and_repeats_change_no_phenotype(calls: list[Any], random: Any) -> None:
    """Any lists of calls make sound rows, the same whatever their order, and twice is as once."""
    shuffled = calls + calls
    random.shuffle(shuffled)
    columns = ["gene", "phenotype", "activity_score", "complete", "status"]
    nobody = TABLES["gene_results"].empty()
    made = [apply(nobody, outside(*rows), TABLES["samples"].empty()) for rows in (calls, shuffled)]
    for frame in made:
        TABLES["gene_results"].check(frame)
        assert frame.filter(~pl.col("complete"))["phenotype"].null_count() == frame.filter(~pl.col("complete")).height
    assert made[0].select(columns).sort("gene").equals(made[1].select(columns).sort("gene"))
