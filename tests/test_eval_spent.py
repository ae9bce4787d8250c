"""The time of a run that was stopped, killed and gone on with: every part counts, a killed one until its last answer."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from evals.journal import FILE_NAME
from evals.spent import BEGUN, SPENT, Clock
from scout.clock import now


def test_parts_of_a_run_are_counted_together(tmp_path: Path) -> None:
    (tmp_path / SPENT).write_text("10.500\n2.000\n", encoding="utf-8")
    assert 12.5 <= Clock(tmp_path).stop() < 13
    assert len((tmp_path / SPENT).read_text(encoding="utf-8").splitlines()) == 3


def test_a_part_that_was_killed_counts_until_its_last_answer(tmp_path: Path) -> None:
    begun = now() - timedelta(hours=1)
    (tmp_path / SPENT).write_text(f"10.000\n{BEGUN}{begun.isoformat()}\n", encoding="utf-8")
    answers = tmp_path / FILE_NAME
    answers.write_text("{}\n", encoding="utf-8")
    last = (begun + timedelta(seconds=90)).timestamp()
    os.utime(answers, (last, last))
    assert Clock(tmp_path).stop() == pytest.approx(100, abs=0.5)
    assert Clock(tmp_path).stop() == pytest.approx(100, abs=0.5)  # and is not counted again by the next


def test_a_part_killed_before_any_answer_took_no_time(tmp_path: Path) -> None:
    Clock(tmp_path / "run")
    assert Clock(tmp_path / "run").stop() < 0.5
