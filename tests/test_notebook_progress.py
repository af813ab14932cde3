"""Progress: a run tells each step once, in the order that the bar counts on."""

from __future__ import annotations

import pmed
from pmed.engine import STEPS
from pmed.notebook.progress import bar_html, done


def test_a_run_tells_the_steps_that_the_bar_counts() -> None:
    files = pmed.demo_files("stent")
    told: list[str] = []
    pmed.run(files.genome, files.history, progress=told.append)
    assert tuple(told) == STEPS


def test_the_bar_moves_and_escapes() -> None:
    assert [done(step) for step in STEPS] == list(range(6))
    assert 'value="3"' in bar_html("predicting")
    assert "value" not in bar_html("<b>")
    assert "&lt;b&gt;" in bar_html("<b>")
