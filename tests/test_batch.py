"""Reports of a cohort: who gets one, what a failure costs, what a rerun does again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pmed.batch import INDEX, Asked, Batch, Cohort, batch, people, work
from pmed.batch.index import index_page
from pmed.batch.journal import JOURNAL, Journal, Line, ToDo, file_name
from pmed.demo import patients
from pmed.errors import HistoryError, InputError, OptionError
from pmed.files import sha256
from pmed.plugins import Component
from pmed.render.html import HtmlExporter
from pmed.reporting import report_one
from pmed.settings import Settings
from pmed.terminal import counting

from .test_cli import pmed

DEMO = {one.name: one for one in patients()}
HOSTILE = ["../../etc/passwd", "con", "CON", "a/b\\c", "<script>alert(1)</script>", "x" * 300, "", ".", "é", "e\u0301",
           "nul.txt", "a\nb", "\u202egnp.exe"]
MANY = 24  # people, in two processes: a kill after five comes before the end


def record(folder: Path, patient: str, name: str = "", of: str = "stent") -> Path:
    """A copy of a demo record under another patient id."""
    text = DEMO[of].history.read_text().replace(f"demo-{of}", patient)
    path = folder / f"{name or patient}.json"
    path.write_text(text)
    return path


def three(folder: Path) -> Path:
    """Three people with records: ann, bob, cat."""
    folder.mkdir()
    for patient in ("ann", "bob", "cat"):
        record(folder, patient)
    return folder


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """The three, to be changed."""
    return three(tmp_path / "records")


@pytest.fixture(scope="module")
def same_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three, whom no test changes."""
    return three(tmp_path_factory.mktemp("three") / "records")


def run(out: Path, cohort: Cohort, **more: Any) -> Batch:
    return batch(cohort, Asked(out, Settings(), **more), jobs=1)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, same_records: Path) -> tuple[Path, Batch]:
    """The reports of `same_records`, to be read or copied, and what was said of them."""
    out = tmp_path_factory.mktemp("first") / "out"
    return out, run(out, Cohort(history=(same_records,)))


@pytest.fixture
def out_again(tmp_path: Path, first: tuple[Path, Batch]) -> Path:
    """A copy of the first reports, to be changed."""
    return Path(shutil.copytree(first[0], tmp_path / "again"))


def shape(page: bytes) -> str:
    """A report without the moment, the command and the settings of its run."""
    return re.sub(r"<dt>(Made|Command|Settings)</dt><dd>.*?</dd>", "", page.decode())


def test_a_file_a_patient_and_an_index_that_links_them(first: tuple[Path, Batch]) -> None:
    out, done = first
    assert [line.patient_id for line in done.lines] == ["ann", "bob", "cat"]
    index = (out / INDEX).read_text()
    for line in done.lines:
        assert f'<a href="{line.file}">{line.patient_id}</a>' in index
        assert f"Patient <bdi>{line.patient_id}</bdi>" in (out / line.file).read_text()
    assert {path.name for path in out.iterdir()} == {INDEX, JOURNAL, *(line.file for line in done.lines)}


def test_other_formats_lie_beside_the_report_and_are_made_again_where_they_are_damaged(tmp_path: Path,
                                                                                       records: Path) -> None:
    out, cohort = tmp_path / "out", Cohort(history=(records,))
    done = run(out, cohort, formats=("json", "csv"))
    stem = Path(done.lines[0].file).stem
    data, table = out / f"{stem}.json", out / f"{stem}-csv" / "suggestions.csv"
    assert [one["patient_id"] for one in json.loads(data.read_text())["patients"]] == ["ann"]
    assert table.read_text().startswith("patient_id,drug,")
    index = (out / INDEX).read_text()
    assert f'<a href="{stem}.json">json</a>, <a href="{stem}-csv">csv</a>' in index
    assert run(out, cohort, formats=("json", "csv")).kept == 3
    table.write_text("torn")
    again = run(out, cohort, formats=("json", "csv"))
    assert (again.written, again.kept) == (1, 2)
    assert table.read_text() != "torn"
    assert run(out, cohort).written == 3, "other formats were asked for"


def test_a_format_that_nobody_writes_is_refused_before_the_first_report(tmp_path: Path, records: Path) -> None:
    with pytest.raises(OptionError, match="no exporter 'docx'"):
        run(tmp_path / "out", Cohort(history=(records,)), formats=("docx",))
    assert not list((tmp_path / "out").glob("*.html"))


def test_the_index_is_in_the_language_of_the_reports(tmp_path: Path, records: Path) -> None:
    german = Settings(options={"html": {"language": "de"}})
    batch(Cohort(history=(records,)), Asked(tmp_path, german), jobs=1)
    index = (tmp_path / INDEX).read_text()
    assert '<html lang="de">' in index
    assert "Bei wem etwas zu tun ist" in index
    words = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", index, flags=re.DOTALL)
    assert re.findall(r"\b(?:the|and|of|patients|today|soon|Avoid|any)\b", words) == []


def test_each_report_is_what_a_run_of_one_patient_writes(tmp_path: Path) -> None:
    demos = [DEMO[name] for name in ("stent", "warfarin", "transplant", "partial")]
    done = run(tmp_path / "out", Cohort(tuple(one.genome for one in demos), tuple(one.history for one in demos)))
    assert not done.failed
    for demo in demos:
        alone = tmp_path / "alone.html"
        result, _ = report_one([demo.genome], [demo.history], outputs={"html": alone}, settings=Settings(),
                               progress=lambda _: None)
        line = next(line for line in done.lines if line.patient_id == result.patient_ids[0])
        assert shape((tmp_path / "out" / line.file).read_bytes()) == shape(alone.read_bytes())


def test_a_report_names_no_file_and_no_problem_of_another_patient(tmp_path: Path, records: Path) -> None:
    genome = tmp_path / "bobs.vcf"
    genome.write_text(DEMO["stent"].genome.read_text().replace("\t0/0:31:99\n", "\t0/9:31:99\n"))
    pairs = {"demo-stent": "bob", "demo-warfarin": "ann"}
    done = run(tmp_path / "out", Cohort((genome, DEMO["warfarin"].genome), (records,), pairs))
    pages = {line.patient_id: (tmp_path / "out" / line.file).read_text() for line in done.lines}
    assert "names allele 9" in pages["bob"]
    assert "names allele 9" not in pages["ann"]
    assert "bob.json" in pages["bob"]
    assert "bob" not in pages["ann"]


def test_who_is_linked_by_a_map_and_who_has_a_genome_only(tmp_path: Path, records: Path) -> None:
    genome = DEMO["stent"].genome
    done = run(tmp_path / "out", Cohort((genome,), (records,), {"demo-stent": "bob"}))
    pages = {line.patient_id: (tmp_path / "out" / line.file).read_text() for line in done.lines}
    assert set(pages) == {"ann", "bob", "cat"}
    assert "*2/*2" in pages["bob"]
    assert "*2/*2" not in pages["ann"]
    alone = run(tmp_path / "genomes", Cohort((genome, DEMO["warfarin"].genome)))
    assert [line.patient_id for line in alone.lines] == ["demo-stent", "demo-warfarin"]


def test_it_is_not_guessed_whose_genome_it_is(tmp_path: Path, records: Path) -> None:
    with pytest.raises(InputError, match="cannot tell whose genome"):
        run(tmp_path / "out", Cohort((DEMO["warfarin"].genome,), (records,)))
    with pytest.raises(InputError, match="no sample 'nobody'"):
        run(tmp_path / "out", Cohort((DEMO["warfarin"].genome,), (records,), {"nobody": "bob"}))


def test_outside_calls_of_nobody_are_never_guessed(tmp_path: Path, records: Path) -> None:
    """A single run gives them to its only patient; in a chunk of one that would be a stranger."""
    calls = tmp_path / "calls.tsv"
    calls.write_text("CYP2D6\t*4/*4\n")
    with pytest.raises(InputError, match="names no sample"):
        run(tmp_path / "out", Cohort(history=(records,)), outside=(calls,))
    calls.write_text("Sample\tGenotype\tFilter\nbob\t*4/*4\tPASS\nann\t*1/*1\tPASS\neve\t*5/*5\tPASS\n")
    done = run(tmp_path / "out", Cohort(history=(records,)), outside=(calls,))
    pages = {line.patient_id: (tmp_path / "out" / line.file).read_text() for line in done.lines}
    assert [patient for patient, page in pages.items() if "*4/*4" in page] == ["bob"]
    assert done.strangers == 1
    with pytest.raises(InputError, match="no call for anybody"):
        run(tmp_path / "out", Cohort(history=(records / "cat.json",)), outside=(calls,))


def test_two_processes_write_what_one_writes(tmp_path: Path, same_records: Path, first: tuple[Path, Batch],
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.batch.FEW", 1)
    told: list[tuple[int, int]] = []
    out, one = first
    two = batch(Cohort(history=(same_records,)), Asked(tmp_path / "two", Settings()), jobs=2,
                count=lambda *count: told.append(count))
    assert [(line.patient_id, line.key, line.todo) for line in one.lines] == [
        (line.patient_id, line.key, line.todo) for line in two.lines]
    for line in one.lines:
        assert shape((out / line.file).read_bytes()) == shape((tmp_path / "two" / line.file).read_bytes())
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)
    assert len(told) > 2


def test_the_bar_shows_rate_and_time_left_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    with counting("reports") as count:
        count(1, 10)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    with counting("reports") as count:
        for done in range(11):
            count(done, 10)
            time.sleep(0.02)
    said = capsys.readouterr().err
    assert "10/10" in said
    assert re.search(r"[\d.]+/s", said)


def test_a_record_alone_never_gets_the_genome_of_someone_without_record(tmp_path: Path, records: Path) -> None:
    """In a chunk of one record and one genome the single run would put them together."""
    (records / "cat.json").unlink()
    genomes = (DEMO["stent"].genome, DEMO["warfarin"].genome)
    done = run(tmp_path / "out", Cohort(genomes, (records,), {"demo-stent": "bob", "demo-warfarin": "dan"}))
    pages = {line.patient_id: (tmp_path / "out" / line.file).read_text() for line in done.lines}
    assert set(pages) == {"ann", "bob", "dan"}
    assert "<dt>Genome</dt><dd>none given" in pages["ann"]
    assert "<dt>Record</dt><dd>none given" in pages["dan"]


def test_a_file_that_cannot_be_read_costs_only_itself(tmp_path: Path, records: Path) -> None:
    (records / "bad.json").write_text('{"resourceType": "Bundle", oh')
    done = run(tmp_path / "out", Cohort(history=tuple(sorted(records.iterdir()))))
    assert [line.patient_id for line in done.lines] == ["ann", "bob", "cat", "bad.json"]
    assert [line.patient_id for line in done.failed] == ["bad.json"]
    assert "not JSON" in (tmp_path / "out" / INDEX).read_text()
    for path in records.iterdir():
        path.write_text("{}")
    with pytest.raises(HistoryError):
        run(tmp_path / "none", Cohort(history=tuple(sorted(records.iterdir()))))


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the exporter or a predictor's part of the run break for one patient."""
    def for_patient(patient: str) -> None:
        export = HtmlExporter.export

        def broken(self: HtmlExporter, result: Any) -> bytes:
            if result.patient_ids == [patient]:
                raise ValueError("a <b>secret</b>")
            return export(self, result)
        monkeypatch.setattr(HtmlExporter, "export", broken)
    return for_patient


def test_what_breaks_for_one_patient_costs_only_that_report(tmp_path: Path, records: Path,
                                                            breaks: Callable[[str], None]) -> None:
    breaks("bob")
    done = run(tmp_path / "out", Cohort(history=(records,)))
    assert [(line.patient_id, bool(line.file)) for line in done.lines] == [
        ("ann", True), ("bob", False), ("cat", True)]
    index = (tmp_path / "out" / INDEX).read_text()
    assert "ValueError: a &lt;b&gt;secret&lt;/b&gt;" in index
    assert "no report" in index


def test_a_run_that_breaks_for_one_patient_costs_only_that_report(tmp_path: Path, records: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    conclude = work.Engine.conclude
    sizes = []

    def broken(self: Any, tables: Any) -> Any:
        sizes.append(tables["patients"].height)
        if "bob" in tables["patients"]["patient_id"]:
            raise InputError("bob's genome is another's")
        return conclude(self, tables)
    monkeypatch.setattr(work.Engine, "conclude", broken)
    done = run(tmp_path / "out", Cohort(history=(records,)))
    assert [line.patient_id for line in done.failed] == ["bob"]
    assert sizes[0] == 3


def test_a_plugin_that_fails_for_one_patient_is_missing_in_that_report_only(tmp_path: Path, records: Path,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    def features(self: Any, tables: Any) -> Any:
        def fragile() -> None:
            if "bob" in tables["patients"]["patient_id"]:
                raise ValueError("odd record of bob")
        self.plugins.attempt(Component("frail", None, "frail-plugin", "1"), "predict", fragile)
        return conclude(self, tables)
    conclude = work.Engine.conclude
    monkeypatch.setattr(work.Engine, "conclude", features)
    done = run(tmp_path / "out", Cohort(history=(records,)))
    assert [(line.patient_id, line.partial) for line in done.lines] == [
        ("ann", ()), ("bob", ("frail-plugin",)), ("cat", ())]
    assert "odd record of bob" not in (tmp_path / "out" / done.lines[0].file).read_text()
    assert "Partial: frail-plugin failed." in (tmp_path / "out" / INDEX).read_text()


def test_a_rerun_writes_only_what_is_missing_or_changed(tmp_path: Path, records: Path) -> None:
    out = tmp_path / "out"
    first = run(out, Cohort(history=(records,)))
    assert (first.written, first.kept) == (3, 0)
    again = run(out, Cohort(history=(records,)))
    assert (again.written, again.kept, again.lines) == (0, 3, first.lines)
    (out / first.lines[0].file).unlink()  # ann's is gone, bob's record changes, cat's report was cut off
    (records / "bob.json").write_text((records / "bob.json").read_text() + "\n")
    (out / first.lines[2].file).write_bytes(b"<!doctype")
    assert run(out, Cohort(history=(records,))).written == 3
    assert run(out, Cohort(history=(records,)), drugs=("codeine",)).written == 3
    assert run(out, Cohort(history=(records,)), drugs=("codeine",)).written == 0
    record(records, "dan")
    assert run(out, Cohort(history=(records,)), drugs=("codeine",)).written == 1


def test_people_who_are_not_in_the_cohort_keep_their_reports(same_records: Path, first: tuple[Path, Batch],
                                                             out_again: Path) -> None:
    only = run(out_again, Cohort(history=(same_records / "ann.json",)))
    assert (only.kept, only.others) == (1, 2)
    assert all((out_again / line.file).is_file() for line in first[1].lines)
    assert "bob" not in (out_again / INDEX).read_text()


def test_a_torn_line_of_the_journal_is_no_line(same_records: Path, out_again: Path) -> None:
    whole = (out_again / JOURNAL).read_bytes()
    (out_again / JOURNAL).write_bytes(whole[:-40])
    assert run(out_again, Cohort(history=(same_records,))).written == 1
    assert len(Journal.read(out_again).lines) == 3


def test_a_record_in_two_places_is_one_report(tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.batch.people.TOGETHER", 1)
    shared = json.loads((records / "ann.json").read_text())
    shared["entry"] = [one for one in shared["entry"] if one["resource"]["resourceType"] == "Patient"]
    (records / "later.json").write_text(json.dumps(shared))
    done = run(tmp_path / "out", Cohort(history=(records,)))
    assert [line.patient_id for line in done.lines] == ["ann", "bob", "cat"]
    assert done.lines[0].todo == done.lines[1].todo  # from both: the second place holds the person only


def test_a_source_that_many_share_is_read_once_and_worked_on_in_chunks(
        tmp_path: Path, same_records: Path, first: tuple[Path, Batch], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmed.batch.people.TOGETHER", 2)
    resources = [one["resource"] for path in sorted(same_records.iterdir())
                 for one in json.loads(path.read_text())["entry"]]
    lines = tmp_path / "all.ndjson"
    lines.write_text("\n".join(json.dumps(one) for one in {f"{one['resourceType']}/{one['id']}": one
                                                           for one in resources}.values()))
    reads: list[Any] = []
    read = people.read
    monkeypatch.setattr(people, "read", lambda *given: reads.append(given[2]) or read(*given))
    done = run(tmp_path / "out", Cohort(history=(lines,)))
    assert {line.patient_id for line in done.lines} == {line.patient_id for line in first[1].lines}
    assert reads == [(lines,)]


def test_a_kill_leaves_whole_reports_and_the_rerun_finishes(tmp_path: Path) -> None:
    folder, out = tmp_path / "records", tmp_path / "out"
    folder.mkdir()
    for number in range(MANY):
        record(folder, f"p{number:02}")
    command = [sys.executable, "-m", "pmed", "report", "--history", folder, "-o", f"{out}/", "--jobs", "2"]
    with subprocess.Popen(command, start_new_session=True) as started:
        end = time.monotonic() + 60
        while time.monotonic() < end and len(list(out.glob("p*.html"))) < 5:
            time.sleep(0.01)
        os.killpg(started.pid, signal.SIGKILL)
    there = list(out.glob("p*.html"))
    assert 5 <= len(there) < MANY
    assert all(path.read_bytes().endswith(b"</html>\n") or path.read_bytes().endswith(b"</html>") for path in there)
    subprocess.run(command, check=True)
    assert len(list(out.glob("p*.html"))) == MANY
    digests = {path.name: sha256(path) for path in out.glob("p*.html")}
    assert {line.file: line.sha256 for line in Journal.read(out).lines.values()} == digests


def test_the_command_says_who_has_no_report_and_ends_with_3(tmp_path: Path, records: Path) -> None:
    (records / "bad.json").write_text('{"resourceType": "Bundle", oh')
    files = [part for path in sorted(records.iterdir()) for part in ("--history", path)]
    done = pmed("report", *files, "-o", f"{tmp_path}/out", "--jobs", "1")
    assert done.returncode == 3
    assert "wrote 3 reports" in done.stdout
    [line] = done.stderr.splitlines()
    assert "1 without a report" in line
    assert "ann" not in done.stderr


def test_file_names_are_safe_and_never_the_same() -> None:
    names = [file_name(one) for one in HOSTILE]
    assert len({name.lower() for name in names}) == len(HOSTILE)
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}-[0-9a-f]{12}\.html", name), name


def test_the_index_escapes_and_asks_for_nothing_outside() -> None:
    bad = '"><script>alert(1)</script>'
    page = index_page([Line(bad, file_name(bad), todo=(ToDo(bad, "avoid", "today"),)),
                       Line("b", error=bad), Line("c", partial=(bad,), file="c.html")]).decode()
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert page.index(">b<") < page.index(file_name(bad))  # who has no report stands first


@pytest.mark.parametrize(("line", "said"), [
    (Line("p", error="boom"), "no report"),
    (Line("p", recorded=True), "no change found"),
    (Line("p", recorded=True, open=("mystery",)), "not fully assessed"),
    (Line("p", recorded=True, partial=("frail",)), "not fully assessed"),
    (Line("p"), "not fully assessed"),
    (Line("p", todo=(ToDo("a", "test", "routine"), ToDo("b", "avoid", "today"))), "today"),
])
def test_what_could_not_be_assessed_never_looks_as_if_all_were_well(line: Line, said: str) -> None:
    assert f'data-urgency="{said}"' in index_page([line]).decode()


def test_the_index_says_what_the_reports_say(tmp_path: Path) -> None:
    demos = [DEMO[name] for name in ("stent", "partial")]
    done = run(tmp_path / "out", Cohort(tuple(one.genome for one in demos), tuple(one.history for one in demos)))
    stent = next(line for line in done.lines if "stent" in line.patient_id)
    assert stent.todo[0] == ToDo("clopidogrel", "avoid", "today")
    assert next(line for line in done.lines if "partial" in line.patient_id).open
