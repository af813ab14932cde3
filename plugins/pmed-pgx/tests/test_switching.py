"""Alternatives right after the last dose of what they replace: the days that labels and enzymes ask for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pmed
from pmed_pgx import alternatives
from pmed_pgx.beside import Company, outcome_without, taking_too
from pmed_pgx.cases import FEW
from pmed_pgx.checks import ALLERGIES, covered, reads
from pmed_pgx.knowledge import embedded
from pmed_pgx.medicines import MODIFIERS, TAKING
from pmed_pgx.outcomes import Outcome, outcome
from pmed_pgx.release_tables import CORE
from pmed_pgx.switching import after, rests, wait
from tests.vignette_files import write

NORMAL = {"phenotype:CYP2D6": "Normal Metabolizer", "activity-score:CYP2D6": 2.0,
          "phenotype:CYP2C19": "Normal Metabolizer"}
HEALTHY = {"age": 50.0, "egfr": 90.0, "creatinine-clearance": 90.0, "weight": 75.0, **NORMAL}


def beside(candidate: str, taken: str, **more: Any) -> Outcome:
    """The candidate's outcome for somebody healthy who takes one medicine."""
    names = reads(covered()[candidate])
    listed = {name: "" for name in names if name.startswith((MODIFIERS, TAKING)) or name == ALLERGIES}
    mine = {name: value for name, value in HEALTHY.items() if name in names}
    return outcome(covered()[candidate], {**taking_too({**dict.fromkeys(names), **mine, **listed}, taken), **more})


@pytest.mark.parametrize(("replaced", "candidate", "between", "says"), [
    ("phenelzine", "sertraline", 14, "14 days should lie between the last dose of phenelzine and the first of"),
    ("phenelzine", "sumatriptan", 14, "the toxicity may be fatal"),
    ("phenelzine", "moclobemide", 14, "blood pressure"), ("sertraline", "phenelzine", 14, "first of phenelzine"),
    ("fluoxetine", "phenelzine", 35, "35 days should lie between the last dose of fluoxetine"),
    ("vortioxetine", "selegiline", 21, "(FDA label)"), ("brivudine", "capecitabine", 28, "blocks DPD"),
    ("lisinopril", "sacubitril", 1.5, "36 hours should lie between"),
    ("sacubitril", "enalapril", 1.5, "36 hours should lie between"),
    ("linezolid", "sertraline", 1, "24 hours should lie between"),
    ("moclobemide", "sertraline", 1, "24 hours should lie between the last dose of moclobemide and the first of"),
    ("moclobemide", "mirtazapine", 1, "(NHS SPS)"), ("fluoxetine", "moclobemide", 35, "35 days should lie between"),
    ("fluoxetine", "thioridazine", 35, "35 days should lie between"),
    ("oxycodone", "naltrexone", 10, "10 days"), ("methadone", "naltrexone", 14, "14 days"),
    # It stays in the body, and no label asks for days between.
    ("amiodarone", "sotalol", None, "for 90 days after the last dose of amiodarone (FDA label): together they"),
    ("amiodarone", "flecainide", None, "for 90 days after the last dose of amiodarone"),
    ("fluoxetine", "mavacamten", None, "for 35 days after the last dose of fluoxetine"),
    # No label asks for days between: an enzyme is still blocked, or one SSRI may be crossed over to the next.
    ("fluoxetine", "sertraline", None, "for 35 days after the last dose of fluoxetine (FDA label): serotonin rises"),
    ("paroxetine", "venlafaxine", None, "for 7 days after the last dose of paroxetine (FDA drug interaction table)"),
    ("posaconazole", "isavuconazole", None, "for 8 days after the last dose of posaconazole")])
def test_what_was_just_stopped_has_its_days(replaced: str, candidate: str, between: float | None, says: str) -> None:
    found = wait(beside(candidate, replaced), replaced)
    assert found is not None
    assert found.between == between
    assert says in found.text
    assert all(rest.citation for rest in found.rests)


@pytest.mark.parametrize(("replaced", "candidate"), [
    ("lisinopril", "bisoprolol"), ("ibuprofen", "celecoxib"), ("sertraline", "citalopram"), ("codeine", "morphine"),
    ("oxycodone", "lorazepam"), ("phenelzine", "pantoprazole")])
def test_what_leaves_nothing_behind_is_not_told(replaced: str, candidate: str) -> None:
    assert wait(beside(candidate, replaced), replaced) is None


@pytest.mark.parametrize(("entry", "waits"), [
    ("phenelzine", True), ("phenelzine|perhaps taken", True), ("phenelzine|to begin", False), ("selegiline", False)])
def test_what_is_yet_to_begin_leaves_nothing_behind(entry: str, *, waits: bool) -> None:
    found = wait(beside("sertraline", "", **{"taking:maoi": entry}), "phenelzine")
    assert (found is not None) is waits


def test_an_unknown_dose_stays_unknown_after_the_last_one() -> None:
    given = {"modifiers:CYP2D6": "paroxetine|inhibitor|strong|taken;sertraline|inhibitor|moderate|perhaps taken"}
    assert after(given, "sertraline") == given


def test_the_longest_rest_of_a_feature_counts() -> None:
    assert rests("fluoxetine")["taking:ssri"].days == 35
    assert rests("methadone")["taking:opioid-before-naltrexone"].days == 14
    assert "taking:opioid" not in rests("methadone")


def test_what_is_replaced_hides_none_that_asks_for_longer() -> None:
    """Phenelzine waits 14 days after sertraline, which is replaced, and 35 after what ended nobody knows when."""
    one = beside("phenelzine", "sertraline")
    assert alternatives._since_unknown(outcome_without(one, "sertraline"), Company(gone=("fluoxetine",))) == [
        "When fluoxetine ended is not on record: 35 days should lie between its last dose and the first of phenelzine"]


# --- the whole engine ------------------------------------------------------------------------------------------------

DAY = date(2026, 1, 15)
# A hospital's own list of what stands for each other; the embedded one has no MAO inhibitors and no sacubitril.
OWN = (("after an MAO inhibitor", ("phenelzine", "sertraline", "sumatriptan", "fluoxetine")),
       ("heart failure", ("lisinopril", "sacubitril", "bisoprolol")))
BEGUN = date(2025, 12, 1)
OTHERS = [f"anna{number}" for number in range(FEW + 8)]
ANNA: dict[str, Any] = {"name": "anna", "index_date": DAY, "born": date(1978, 3, 4), "sex": "female", "genes": "only",
        "diplotypes": {"CYP2C19": "*1/*1"},
        "medications": [{"drug": name, "dose": dose, "start": BEGUN} for name, dose in (
            ("phenelzine", 15), ("lisinopril", 10), ("valsartan", 80))],
        "allergies": [{"drug": "phenelzine", "start": DAY}],
        "observations": [{"loinc": "2160-0", "text": "creatinine", "value": 0.8, "unit": "mg/dL", "start": DAY}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports, tables and exports of somebody who is to change from an MAO inhibitor and an ACE inhibitor."""
    made = tmp_path_factory.mktemp("anna")
    release = made / "release"
    release.mkdir()
    for name in (*(f"{one}.tsv" for one in (*CORE, "substitutes")), "release.json"):
        shutil.copy(str(embedded() / name), release / name)
    with (release / "substitutes.tsv").open("a") as file:
        file.writelines(f"{use}\t{name}\n" for use, names in OWN for name in names)
    write(ANNA, made)
    many(made)
    record = ["genome.vcf", "--history", "record.json", "--index-date", str(DAY)]
    for asked in (["report", *record, "-o", "report.html", "--json", "result.json"],
                  ["report", *record, "-o", "bericht.html", "--language", "de"],
                  ["cohort", "many.vcf", "--history", "people", "--index-date", str(DAY), "-o", "out", "--jobs", "1"]):
        subprocess.run([sys.executable, "-c", "from pmed.cli import main; main()", *asked], check=True, cwd=made,
                       capture_output=True, env={**os.environ, "PMED_PGX_RELEASE": str(release)})
    return made


def many(made: Path) -> None:
    """The same person under other names, more than are looked at one by one; the last is not on the MAO inhibitor."""
    lines = (made / "genome.vcf").read_text("utf-8").splitlines()
    more = [f"\t{name}" for name in OTHERS]
    with (made / "many.vcf").open("w") as file:
        for line in lines:
            whole = more if line.startswith("#CHROM") else [f"\t{line.rpartition(chr(9))[2]}"] * len(OTHERS)
            file.write(line + ("" if line.startswith("##") else "".join(whole)) + "\n")
    (made / "people").mkdir()
    for name in ("anna", *OTHERS):
        write({**ANNA, "name": name, **({} if name != OTHERS[-1] else {"medications": ANNA["medications"][1:]})},
              made / "people")
        (made / "people" / "genome.vcf").unlink()
        (made / "people" / "record.json").rename(made / "people" / f"{name}.json")


def suggestions(folder: Path) -> Mapping[str, Any]:
    (patient,) = json.loads((folder / "result.json").read_text("utf-8"))["patients"]
    return {row["drug"]: row for row in patient["suggestions"]}


@pytest.mark.parametrize(("drug", "other", "status", "says"), [
    ("phenelzine", "sertraline", "caution", "14 days should lie between the last dose of phenelzine and the first of "
                                            "sertraline (FDA label)"),
    ("phenelzine", "sumatriptan", "caution", "14 days"), ("phenelzine", "fluoxetine", "caution", "14 days"),
    ("lisinopril", "sacubitril", "caution", "36 hours should lie between the last dose of lisinopril and the first"),
    ("lisinopril", "bisoprolol", "fits", "nothing on record speaks against it")])
def test_json_tells_the_days_between(folder: Path, drug: str, other: str, status: str, says: str) -> None:
    offered = {one["drug"]: one for one in suggestions(folder)[drug]["alternatives"]}
    assert offered[other]["status"] == status
    assert says in offered[other]["reason"]


def test_a_caution_and_its_source_stand_beside_the_advice(folder: Path) -> None:
    row = suggestions(folder)["phenelzine"]
    (told,) = (one["text"] for one in row["cautions"] if one["code"] == "wash-out")
    assert told == ("14 days should lie between the last dose of phenelzine and the first of sertraline, sumatriptan "
                    "or fluoxetine.")
    assert [one["url"] for one in row["evidence"] if one["url"].endswith("?query=phenelzine")]


def test_both_languages_of_the_report_tell_it(folder: Path) -> None:
    english, german = ((folder / name).read_text("utf-8") for name in ("report.html", "bericht.html"))
    assert "14 days should lie between the last dose of phenelzine and the first of sertraline" in english
    assert "Zwischen der letzten Dosis Phenelzine und der ersten Sertraline, Sumatriptan oder Fluoxetine" in german
    assert "sollten 36 Stunden liegen" in german
    assert "should lie between" not in german


def test_a_cohort_tells_each_of_its_people_the_same(folder: Path) -> None:
    """Of many people rows that are alike are worked out once, and joined."""
    found = pl.read_parquet(sorted((folder / "out" / "suggestions").glob("*.parquet")))
    one = suggestions(folder)["phenelzine"]
    listed = found.filter(pl.col("current"), drug="phenelzine")
    assert set(listed["patient_id"]) == {"anna", *OTHERS[:-1]}
    for row in listed.iter_rows(named=True):
        assert row["alternatives"] == one["alternatives"]
        assert [each["text"] for each in row["cautions"]] == [each["text"] for each in one["cautions"]]
        assert row["evidence"] == one["evidence"]
    other = found.filter(patient_id=OTHERS[-1], drug="phenelzine")
    assert "last dose of phenelzine" not in str(other["alternatives"].to_list())


# --- what if ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def anna(tmp_path_factory: pytest.TempPathFactory) -> pmed.Result:
    return pmed.run(**write(ANNA, tmp_path_factory.mktemp("as she is")), index_date=str(DAY))


@pytest.mark.parametrize(("stop", "start", "says"), [
    ("phenelzine", "sumatriptan", "avoid (today): Do not give sumatriptan within 14 days of an MAO inhibitor. "
                                  "phenelzine ended today and counts as taken for 14 days."),
    ("lisinopril", "sacubitril", "lisinopril ended today and counts as taken for 36 hours.")])
def test_what_if_tells_what_is_right_after_the_last_dose(anna: pmed.Result, stop: str, start: str, says: str) -> None:
    asked = anna.what_if(stop=stop, start=start)
    assert says in asked.text
    assert f"{start}, right after the last dose: avoid" in asked.text
    assert "right after the last dose" in asked._repr_html_()
    assert asked.after.suggestions.filter(drug=start)["action"].to_list() != ["avoid"]


@pytest.mark.parametrize("question", [{"stop": "lisinopril", "start": "bisoprolol"}, {"start": "sumatriptan"}])
def test_what_if_is_silent_where_nothing_is_left_behind(anna: pmed.Result, question: dict[str, str]) -> None:
    asked = anna.what_if(**question)
    assert not asked.at_first.height or not asked.at_first["current_at_first"].any()
    assert "right after" not in asked.text


def test_at_first_is_a_run_over_a_record_in_which_it_ended_today(anna: pmed.Result, tmp_path: Path) -> None:
    ended = [{**one, "end": DAY} if one["drug"] == "phenelzine" else one for one in ANNA["medications"]]
    fresh = pmed.run(**write({**ANNA, "medications": [*ended, {"drug": "sumatriptan", "dose": 50, "start": DAY}]},
                             tmp_path), index_date=str(DAY)).suggestions
    asked = anna.what_if(stop="phenelzine", start="sumatriptan").at_first.filter("current_at_first")
    for drug, action, text in asked["drug", "action_at_first", "text_at_first"].iter_rows():
        assert fresh.filter(drug=drug)["action", "text"].rows() == [(action, text)]
    assert "sumatriptan" in asked["drug"].to_list()
