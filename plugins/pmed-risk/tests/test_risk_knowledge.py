"""The plugin's own tables: codes with valid check digits, no doubles, and everything registered."""

from __future__ import annotations

import polars as pl
import pytest

import pmed_risk
from pmed import TABLES
from pmed.normalise.units import CODES, canonical_unit
from pmed_risk import pce
from pmed_risk.ascvd import AscvdRisk
from pmed_risk.diagnoses import CONDITIONS
from pmed_risk.dialysis import Dialysis
from pmed_risk.history import MEASUREMENTS, RiskHistory
from pmed_risk.knowledge import facts, release
from pmed_risk.stroke import StrokeRisk

# Verhoeff's dihedral scheme, the check digit of SNOMED CT identifiers
_D = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
      [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
      [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]
_P = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    _P.append([_P[1][digit] for digit in _P[-1]])


def is_snomed(code: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(code)):
        total = _D[total][_P[place % 8][int(digit)]]
    return total == 0


def test_the_check_digit_finds_a_slip() -> None:
    assert is_snomed("22298006")
    assert not is_snomed("22298007")
    assert not is_snomed("22289006")


def test_codes_are_valid_and_listed_once() -> None:
    codes = facts("codes")
    assert codes.select("concept", "system", "code").is_unique().all()
    assert set(codes["concept"]) == set(CONDITIONS)
    assert codes["meaning"].null_count() == 0
    snomed = codes.filter(pl.col("system") == "snomed")
    assert set(snomed["match"]) == {"exact"}
    assert [code for code in snomed["code"] if not is_snomed(code)] == []
    icd = codes.filter(pl.col("system") == "icd-10")
    assert set(icd["match"]) == {"prefix"}
    assert icd["code"].str.contains(r"^[A-Z]\d[0-9A-Z]{1,5}$").all()


def test_smoking_answers_are_listed_once() -> None:
    answers = facts("smoking")
    assert answers["code"].is_unique().all()
    assert set(answers["smoker"]) == {"true", "false"}
    assert [code for code in answers["code"] if code.isdigit() and not is_snomed(code)] == []


def test_measurements_are_in_the_units_the_host_gives() -> None:
    table = facts("measurements")
    assert tuple(table["feature"].unique(maintain_order=True)) == MEASUREMENTS
    assert table["code"].is_unique().all()
    for code, unit in table.select("code", "unit").iter_rows():
        assert CODES[code][0] == code
        assert canonical_unit(CODES[code][1]) == unit


@pytest.mark.parametrize("concept", CONDITIONS)
def test_every_diagnosis_has_words(concept: str) -> None:
    assert facts("words").filter(pl.col("concept") == concept).height == 1


def test_drug_names() -> None:
    names = TABLES["drug_names"].check(release().tables["drug_names"])
    assert names["name"].str.to_lowercase().equals(names["name"])
    assert {"lisinopril", "amlodipine", "warfarin", "apixaban"} <= set(names["ingredient"])
    codes = names.filter(pl.col("kind") == "code")
    assert codes["name"].str.contains(r"^\d+$").all()
    assert codes["name"].is_unique().all()
    assert names.filter(pl.col("kind") == "brand")["name"].is_unique().all()


def test_release_holds_the_coefficients_and_hashes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made = release()
    table = made.tables["pce_coefficients"]
    assert table.height == 4 * (len(pce.TERMS) + 2)
    wanted = (pl.col("equation") == "white men") & (pl.col("term") == "ln age")
    assert table.filter(wanted)["value"].to_list() == [12.344]
    assert {"PMID:24222018", "PMID:19762550"} <= set(made.source.replace(";", " ").split())
    assert made.sha256 == release().sha256
    monkeypatch.setitem(pce.EQUATIONS, "white men", pce.EQUATIONS["black men"])
    assert release().sha256 != made.sha256


def test_package_registers_everything() -> None:
    assert list(pmed_risk.register_features()) == [RiskHistory, Dialysis]
    made = list(pmed_risk.register_predictors())
    assert made[:2] == [AscvdRisk, StrokeRisk]
    assert len({one.name for one in made}) == len(made) >= 20
    assert [one.name for one in pmed_risk.register_knowledge()] == ["pmed-risk"]
