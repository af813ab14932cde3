"""Small work on one processor: threads are put there, and back, whatever happens."""

from __future__ import annotations

import os
from threading import Barrier, Thread

import pytest

import pmed
from pmed.engine import Engine
from pmed.processors import one_processor

EVERYWHERE = os.sched_getaffinity(0)
pytestmark = pytest.mark.skipif(len(EVERYWHERE) < 2, reason="there is one processor only")


def test_threads_are_put_on_one_and_back() -> None:
    hold, begun = Barrier(2), Barrier(2)
    seen = []

    def other() -> None:
        begun.wait()
        hold.wait()
        seen.append(os.sched_getaffinity(0))
        hold.wait()
        hold.wait()
        seen.append(os.sched_getaffinity(0))

    thread = Thread(target=other)
    thread.start()
    begun.wait()
    with one_processor():
        assert len(os.sched_getaffinity(0)) == 1
        with one_processor():  # the inner one ends before the outer
            pass
        hold.wait()
        hold.wait()
        assert len(os.sched_getaffinity(0)) == 1
    hold.wait()
    thread.join()
    assert [len(one) for one in seen] == [1, len(EVERYWHERE)]
    assert os.sched_getaffinity(0) == EVERYWHERE


def test_what_fails_is_put_back() -> None:
    with pytest.raises(ValueError, match="x"), one_processor():
        raise ValueError("x")
    assert os.sched_getaffinity(0) == EVERYWHERE


def test_a_question_leaves_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    result, seen = pmed.demo("stent"), []
    monkeypatch.setattr("pmed.whatif._start", lambda drugs, *_: seen.append(os.sched_getaffinity(0)) or drugs)
    result.what_if(start="codeine")
    assert len(seen[0]) == 1
    assert os.sched_getaffinity(0) == EVERYWHERE


@pytest.mark.parametrize(("most", "processors"), [(1 << 20, 1), (0, len(EVERYWHERE))])
def test_small_files_are_read_by_one(most: int, processors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, read = [], Engine.read
    monkeypatch.setattr("pmed.engine.SMALL", most)
    monkeypatch.setattr(Engine, "read", lambda *given: (seen.append(len(os.sched_getaffinity(0))), read(*given))[1])
    assert pmed.demo("stent").suggestions.height
    assert seen == [processors]
    assert os.sched_getaffinity(0) == EVERYWHERE
