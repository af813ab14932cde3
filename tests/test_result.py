"""A result can be asked, split, saved and read back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import pmed
from pmed.demo import patients
from pmed.errors import PmedError, ResultError
from pmed.files import whole_folder, write_whole
from pmed.plugins import Failure
from pmed.result import Result
from tests.test_stages import run


@pytest.fixture(scope="module")
def result():
    made, _ = run()
    return Result(made, (Failure("p", "1", "predict", "x", "ValueError", "boom"),), {"pmed": "0", "inputs": []})


def test_it_comes_back_as_it_was(result, tmp_path):
    back = Result.load(result.save(tmp_path / "saved"))
    assert set(back.tables) == set(result.tables)
    for name, frame in result.tables.items():
        assert_frame_equal(back.tables[name], frame)
    assert (back.failures, back.provenance) == (result.failures, result.provenance)


def test_a_changed_table_is_noticed(result, tmp_path):
    folder = result.save(tmp_path / "saved")
    pl.DataFrame({"patient_id": ["x"]}).write_parquet(folder / "suggestions.parquet")
    with pytest.raises(ResultError, match=r"suggestions.parquet: table is not the one the manifest describes"):
        Result.load(folder)
    (folder / "suggestions.parquet").unlink()
    with pytest.raises(ResultError, match="table is missing"):
        Result.load(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "other"}'])
def test_what_is_not_a_result_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ResultError, match="not a saved result"):
        Result.load(tmp_path)


def test_saving_over_something_is_refused_and_leaves_it(result, tmp_path):
    (tmp_path / "keep.txt").write_text("mine")
    with pytest.raises(PmedError, match="is there already"):
        result.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["keep.txt"]


def test_nothing_half_written_stays(tmp_path):
    def fill():
        with whole_folder(tmp_path / "new") as folder:
            (folder / "part").write_text("x")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fill()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PmedError, match="cannot write"):
        write_whole(tmp_path / "no" / "file", b"x")


def test_it_shows_itself_in_a_line(result):
    assert repr(result).startswith("Result(2 patients, 2 suggestions, 1 failures; tables: ")


def test_one_patient_of_many(result):
    one = result.for_patient("p1")
    assert one.patient_ids == ["p1"]
    assert set(one.suggestions["patient_id"]) == {"p1"}
    assert one.tables["samples"]["sample"].to_list() == ["p1"]


def test_an_explanation_and_its_shap_twin(result):
    said = result.explanation("toy-dose", patient_id="p1")
    assert said.baseline + sum(said.contributions) == pytest.approx(said.prediction, abs=1e-6)
    twin = result.explain("toy-dose", patient_id="p1")
    assert twin.values.tolist() == [20.0]
    assert twin.base_values == 0.0
    assert twin.feature_names == ["toy:dose"]
    everybody = result.explain("toy-dose")
    assert everybody.values.shape == (len(result.patient_ids), 1)
    assert everybody.values[result.patient_ids.index("p1")].tolist() == [20.0]


def test_which_explanation_is_meant_must_be_clear(result):
    with pytest.raises(ResultError, match=r"no single explanation of 'toy-dose'; fitting: toy for p0, toy for p1"):
        result.explanation("toy-dose")
    with pytest.raises(ResultError, match="no prediction is called 'else'"):
        result.explanation("else")
    with pytest.raises(ResultError) as caught:
        result.explanation("dose")
    assert "did you mean toy-dose?" in str(caught.value)


def test_what_was_not_assessed_has_no_explanation_and_says_why(result):
    rows = result.tables["predictions"].with_columns(status=pl.lit("not-assessed"), reason=pl.lit("needs weight"))
    none = result.tables["explanations"].clear()
    bare = replace(result, tables={**result.tables, "predictions": rows, "explanations": none})
    with pytest.raises(ResultError, match="'toy-dose' was not assessed, so there is nothing to explain: needs weight"):
        bare.explanation("toy-dose")


def test_importing_pmed_imports_nothing_heavy():
    code = "import sys, pmed; print([m for m in ('shap','sklearn','allel','matplotlib','pysam') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_no_file_is_written_to_and_stays(tmp_path):
    """A rename as root would put a file in the place of ``/dev/null``."""
    import os
    import threading

    from pmed.files import write_whole

    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, [b"a", b"b"])
    reader.join(10)
    assert got == [b"ab"]
    assert pipe.is_fifo()
    null = Path("/dev/null")
    write_whole(null, b"x")
    assert null.is_char_device()


def test_the_panel_has_every_medicine_by_colour_and_class() -> None:
    demo = next(one for one in patients() if one.name == "stent")
    result = pmed.run(demo.genome, demo.history)
    panel = result.panel()
    assert panel["drug"].to_list() == result.suggestions["drug"].to_list()
    assert set(panel["colour"]) == {"act", "caution", "standard", "unknown"}
    statins = result.panel(drug_class="statin", patient_id="demo-stent")
    assert {"simvastatin", "rosuvastatin"} <= set(statins["drug"]) < set(panel["drug"])
    assert statins.filter(drug="atorvastatin").select("current", "colour").row(0) == (True, "standard")
    assert result.panel(patient_id="nobody").is_empty()
