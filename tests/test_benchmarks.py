"""The benchmark table says what it measured; how fast anything is, is not tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.run import Case, Cost, measure, measure_all, row, table


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_measure_counts_cpu_and_memory(root: Path) -> None:
    """In a small process of its own: a child's peak memory is never below what its parent holds when it starts it."""
    code = ("from benchmarks.run import measure; import sys\nfor work in sys.argv[1:]:\n"
            "    cost = measure((sys.executable, '-c', work)); print(cost.seconds, cost.megabytes)")
    work = "x = bytearray(80_000_000)\nfor i in range(3_000_000): pass"
    done = subprocess.run([*python(code), "pass", work], cwd=root, capture_output=True, text=True, check=True)
    idle, busy = (Cost(*map(float, line.split())) for line in done.stdout.splitlines())
    assert idle.seconds > 0
    assert busy.megabytes > idle.megabytes + 50


def test_measure_says_why_a_command_failed() -> None:
    with pytest.raises(RuntimeError, match=r"^exit code 3: no luck$"):
        measure(python("import sys; print('first\\nno luck', file=sys.stderr); sys.exit(3)"))


def test_measure_all_goes_on_after_a_failure() -> None:
    costs = measure_all([Case("bad", python("1/0")), Case("good", python("pass"))], rounds=2)
    assert costs["bad"] == "exit code 1: ZeroDivisionError: division by zero"
    assert isinstance(costs["good"], Cost)


@pytest.mark.parametrize(("cost", "verdict"), [
    (Cost(1.9, 399), "ok"), (Cost(2.1, 399), "OVER THE LIMIT"), (Cost(1.9, 401), "OVER THE LIMIT")])
def test_row_marks_what_is_over_the_limit(cost: Cost, verdict: str) -> None:
    case = Case("report", (), "floor", seconds=2, megabytes=400)
    made = row(case, {"report": cost, "floor": Cost(0.5, 40)})
    assert made[-1] == verdict
    assert made[3:6] == (f"{cost.seconds / 0.5:.1f}", "floor", "2 s, 400 MB")


def test_row_without_limit_or_floor_and_table() -> None:
    made = row(Case("alone", ()), {"alone": Cost(1, 2)})
    assert made == ("alone", "1.00", "2", "", "", "", "")
    assert table([("a", "b"), ("long", "")]) == "a     b\nlong"
