"""One predictor on inputs from a file: results in order, and one clear line for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from pmed.cli import cli, main
from pmed.plugins import Plugins
from pmed.predicting import predict
from tests.toy import ToyPredictor


def find_all() -> list[str]:
    """The names of all installed predictors."""
    return [one.name for one in Plugins().load().components("register_predictors")]


WARFARIN = {"age": 65.0, "height": 170.0, "weight": 80.0, "genotype:rs9923231": "C/C", "diplotype:CYP2C9": "*1/*1",
            "on:amiodarone": False, "on:carbamazepine": False, "on:phenytoin": False, "on:rifampin": False}


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str) -> str:
    """What the command says on standard error, where it ends with exit code 1."""
    path = tmp_path / "f.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["predict", name, "--features", str(path)])
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.strip().replace(str(path), "f.json")


def answers(tmp_path: Path, name: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    source.write_text(json.dumps(items), encoding="utf-8")
    assert CliRunner().invoke(cli, ["predict", name, "--features", str(source), "-o", str(target)]).exit_code == 0
    made: list[dict[str, Any]] = json.loads(target.read_text(encoding="utf-8"))
    return made


def test_results_come_in_the_order_of_the_inputs(tmp_path: Path) -> None:
    creatinine = [0.6, 2.31, 1.17] * 5
    made = answers(tmp_path, "ckd-epi-2021", [{"age": 78, "sex": "Male", "creatinine": one} for one in creatinine])
    assert [one["value"] for one in made[:3]] == [one["value"] for one in made[-3:]]
    assert made[1]["value"] == pytest.approx(28.208, abs=0.05)
    assert made[0]["value"] > made[2]["value"] > made[1]["value"]


def test_words_of_a_value_are_given_beside_it() -> None:
    class Classes(ToyPredictor):
        def predict(self, features: pl.DataFrame) -> pl.DataFrame:
            known = pl.col("value").is_not_null()
            return super().predict(features).with_columns(label=pl.when(known).then(pl.lit("high")))

    high, unknown = predict(Classes(), [{"toy:dose": 2.0}, {}])
    assert high == {"toy-dose": 20.0, "labels": {"toy-dose": "high"}, "status": "assessed", "reason": None}
    assert unknown == {"toy-dose": None, "status": "not-assessed", "reason": "needs toy:dose"}


def test_a_predictor_without_names_of_its_own_takes_features_and_gives_targets(tmp_path: Path) -> None:
    made = answers(tmp_path, "warfarin-dose", [WARFARIN, {"age": 65}, {**WARFARIN, "weight": None}])
    # half of it is (5.6044 − 0.2614 × 6 + 0.0087 × 170 + 0.0128 × 80 − 0.1032 for an unknown ancestry)², IWPC 2009
    assert made[0]["warfarin-weekly-dose"] == pytest.approx(
        (5.6044 - 0.2614 * 6 + 0.0087 * 170 + 0.0128 * 80 - 0.1032) ** 2, rel=0.15)
    assert (made[0]["status"], made[0]["reason"]) == ("assessed", None)
    assert made[1]["warfarin-weekly-dose"] is None
    assert made[1]["status"] == "not-assessed"
    assert made[2]["reason"] == "needs weight"


@pytest.mark.parametrize("name", find_all())
def test_every_installed_predictor_answers_and_says_what_it_needs(tmp_path: Path, name: str) -> None:
    made, = answers(tmp_path, name, [{}])
    assert made["status"] in {"not-assessed", "not-applicable"}
    assert made["reason"]
    given = set(made) - {"status", "reason", "assumed"}
    assert given
    assert not any(isinstance(made[one], float) for one in given)


def test_an_allele_pair_counts_whichever_allele_is_named_first(tmp_path: Path) -> None:
    pairs = [("C/T", "*1/*3"), ("T/C", "*1/*3"), ("C/T", "*3/*1")]
    first, *others = answers(tmp_path, "warfarin-dose", [
        {**WARFARIN, "genotype:rs9923231": site, "diplotype:CYP2C9": gene} for site, gene in pairs])
    assert first["status"] == "assessed"
    assert others == [first, first]


def test_nobody_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text("[]", encoding="utf-8")
    assert CliRunner().invoke(cli, ["predict", "fib-4", "--features", str(path)]).output == "[]\n"


@pytest.mark.parametrize(("name", "text", "line"), [
    ("fib-5", "[]", "pmed: no predictor 'fib-5' (did you mean fib-4?)"),
    ("fib-4", "{", "pmed: f.json: is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 "
                   "(char 1) (give a list of input objects)"),
    ("fib-4", "[NaN]", "pmed: f.json: is not JSON: NaN is no number of JSON (give a list of input objects)"),
    ("fib-4", '[{"age": 1234567890123456789}]',
     "pmed: f.json: is not JSON: 12345678... is no number that can be computed with (give a list of input objects)"),
    ("fib-4", "{}", "pmed: f.json: must be a list of input objects. Got an object (put [ ] around a single object)"),
    ("fib-4", "[{}, 3]", 'pmed: f.json: item 2: must be an object of inputs. Got a number (like {"age": 60})'),
    ("fib-4", '[{}, {"Age": 3}]', "pmed: f.json: item 2: fib-4 has no input 'Age' (did you mean 'age'?)"),
    ("fib-4", '[{"age": "60"}]',
     "pmed: f.json: item 1: age: must be a number. Got '60' (leave out what is not known)"),
    ("fib-4", '[{"age": [60, "months"]}]',
     "pmed: f.json: item 1: age: unknown unit 'months' (give it in years)"),
    ("meld-3-0", '[{"female": "yes"}]',
     "pmed: f.json: item 1: female: must be true or false. Got 'yes' (leave out what is not known)"),
    ("score2", '[{"gender": "woman"}]',
     "pmed: f.json: item 1: gender: 'woman' is not known (one of female, male, f, m)"),
    ("warfarin-dose", '[{"age": true}]',
     "pmed: f.json: item 1: age: must be a number. Got True (leave out what is not known)"),
    ("warfarin-dose", '[{"genotype:rs9923231": "C/G"}]',
     "pmed: f.json: item 1: genotype:rs9923231: must be two of the alleles C, T. Got 'C/G' (such as C/T; leave out "
     "what is not known)"),
    ("warfarin-dose", '[{"ancestry": ["x"]}]',
     "pmed: f.json: item 1: ancestry: must be a text. Got ['x'] (leave out what is not known)"),
])
def test_one_line_says_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str,
                                           line: str) -> None:
    assert told(tmp_path, capsys, name, text) == line


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["predict", "fib-4", "--features", str(tmp_path / "none.json")])
    assert "cannot be read: No such file or directory" in capsys.readouterr().err
