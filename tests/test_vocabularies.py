"""Drug vocabularies of a site's own: from RxNorm's RRF files, from OMOP, and used by the next run."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pmed.errors import InputError
from pmed.tables import TABLES
from pmed.vocabularies import import_vocabulary

from .test_cli import pmed, refused
from .test_history_command import bundle, order

CONCEPTS = [
    ("1", "ENG", "RXNORM", "IN", "9001", "Fictinib"),
    ("1", "ENG", "RXNORM", "SY", "9001", "Fiktinib"),
    ("2", "ENG", "RXNORM", "PIN", "9002", "fictinib mesylate"),
    ("3", "ENG", "RXNORM", "SCDC", "9003", "fictinib 10 MG"),
    ("4", "ENG", "RXNORM", "BN", "9004", "Fictivex"),
    ("5", "ENG", "RXNORM", "SBD", "9005", "fictinib 10 MG Oral Tablet [Fictivex]"),
    ("6", "ENG", "RXNORM", "SCD", "9006", "fictinib 10 MG / otherol 5 MG Oral Tablet"),
    ("7", "ENG", "RXNORM", "IN", "9007", "otherol"),
    ("8", "ENG", "RXNORM", "SCDC", "9008", "otherol 5 MG"),
    ("1", "ENG", "ATC", "PT", "L01EX99", "fictinib"),
    ("9", "SPA", "RXNORM", "IN", "9009", "fictinibum"),
]
LINKS = [("2", "form_of", "1"), ("3", "has_ingredient", "1"), ("4", "tradename_of", "1"), ("5", "consists_of", "3"),
         ("6", "consists_of", "3"), ("6", "consists_of", "8"), ("8", "has_ingredient", "7"), ("7", "isa", "1"),
         ("1", "ingredient_of", "3")]


def rxnorm(folder: Path) -> Path:
    """RxNorm's two files, as its documentation describes their columns."""
    folder.mkdir(exist_ok=True)
    rows = ["|".join([cui, lang, *[""] * 9, sab, tty, code, text, "", "N", "", ""])
            for cui, lang, sab, tty, code, text in CONCEPTS]
    (folder / "RXNCONSO.RRF").write_text("\n".join(rows) + "\n")
    links = ["|".join([to, "", "CUI", "RO", start, "", "CUI", rela, *[""] * 9]) for start, rela, to in LINKS]
    (folder / "RXNREL.RRF").write_text("\n".join(links) + "\n")
    return folder


def rows(path: Path, kind: str) -> set[tuple[str, str]]:
    return set(pl.read_parquet(path).filter(kind=kind).select("name", "ingredient").iter_rows())


def test_rxnorm(tmp_path: Path) -> None:
    out = tmp_path / "names.parquet"
    count = import_vocabulary("rxnorm", rxnorm(tmp_path / "rx"), out)
    assert TABLES["drug_names"].check(pl.read_parquet(out)).height == count
    assert rows(out, "ingredient") == {("fictinib", "fictinib"), ("otherol", "otherol")}
    assert rows(out, "brand") == {("fictivex", "fictinib")}
    assert rows(out, "synonym") == {("fictinib mesylate", "fictinib"), ("fiktinib", "fictinib")}
    assert rows(out, "code") == {(code, "fictinib") for code in ("1", "2", "3", "4", "5", "6", "l01ex99")} | {
        ("6", "otherol"), ("7", "otherol"), ("8", "otherol")}


def test_omop(shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "names.parquet"
    import_vocabulary("omop-vocabulary", shared / "data/omop/synthea27nj", out)
    assert len(rows(out, "ingredient")) == 20
    assert {("1191", "aspirin"), ("5640", "ibuprofen")} < rows(out, "code")


def test_the_next_run_uses_it(tmp_path: Path) -> None:
    rx, out, record = rxnorm(tmp_path / "rx"), tmp_path / "names.parquet", bundle(tmp_path, order("Fictivex 10 MG"))
    assert "drug-not-recognised" in pmed("history", record, "-o", tmp_path / "before").stdout
    made = pmed("knowledge", "import", rx, "--from", "rxnorm", "-o", out)
    assert (made.returncode, made.stdout) == (0, "")
    assert "PMED_DRUG_NAMES" in made.stderr
    done = pmed("history", record, "-o", tmp_path / "after", env={"PMED_DRUG_NAMES": str(out)})
    assert "medicines recognised by brand: 1" in done.stdout
    assert "own-drugs" in (tmp_path / "after" / "summary.json").read_text()


@pytest.mark.parametrize(("name", "text", "said"), [
    ("RXNREL.RRF", None, "no such file"), ("RXNCONSO.RRF", "a|b|\n", "has 3 columns"),
    ("RXNCONSO.RRF", "|".join(["1", "ENG", *[""] * 9, "MSH", "MH", "c", "x", "", "N", "", ""]) + "\n", "holds no drug"),
])
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    folder = rxnorm(tmp_path / "rx")
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(InputError, match=said):
        import_vocabulary("rxnorm", folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_vocabulary_that_is_not_there_ends_the_run(tmp_path: Path) -> None:
    wrong = {"PMED_DRUG_NAMES": "/none.parquet"}
    done = pmed("history", bundle(tmp_path, order("x")), "-o", tmp_path / "out", env=wrong)
    refused(done, "/none.parquet", "cannot be read as a drug vocabulary")
