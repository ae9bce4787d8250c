"""`scout train` before anything heavy is loaded: what it counts, what it refuses, in which words and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest
from click.testing import CliRunner, Result
from policy_samples import READER, Fits, lived, two_recipes

from rl import course
from scout.cli import train as command
from scout.cli.app import app
from scout.config import load
from scout.exit_codes import Exit
from scout.locks import held
from scout.store import Store


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    return two_recipes(monkeypatch)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, fits: Fits) -> Iterator[Store]:
    """A reader of three days."""
    with lived(monkeypatch, days=3, a_day=30) as (opened, _):
        yield opened


def scout(*words: str) -> Result:
    return CliRunner().invoke(app, ["train", *words])


def test_too_few_thumbs_are_no_error_and_it_is_said_how_many_are_needed(store: Store) -> None:
    done = scout("--json")
    assert done.exit_code == Exit.DONE, done.output
    found = json.loads(done.stdout)
    assert "train.least_thumbs asks for 60" in found["message"]
    assert (found["run"], found["adapter"]) == (None, None)
    assert store.training.listing(READER) == []


def test_a_dry_run_counts_what_would_teach_watch_and_judge(store: Store) -> None:
    told = json.loads(scout("--dry-run", "--json").stdout)
    thumbs = [told[name]["thumbs"] for name in ("learn", "watched", "held_out")]
    assert sum(thumbs) == len(store.feedback.thumbs(READER))
    assert all(thumbs)
    assert told["held_out_since"] > "2025-11-03"
    assert "not yet: " in scout("--dry-run").output


def test_without_weights_to_begin_with_the_setting_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "_missing", lambda *_: "")
    done = scout()
    assert done.exit_code == Exit.CONFIG
    assert "train.checkpoint" in done.output


def test_without_torch_the_extra_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "_missing", lambda *_: "")
    monkeypatch.setenv("SCOUT_TRAIN__CHECKPOINT", "some/model")
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None if name == "peft" else True)
    done = scout()
    assert done.exit_code == 1
    assert "peft not installed here" in done.output
    assert "scout[rl]" in done.output


def test_one_trains_at_a_time(store: Store) -> None:
    with held(load(), "train"):
        done = scout()
    assert done.exit_code == Exit.LATER
    assert "another scout train is under way" in done.output


def test_a_reader_that_there_is_not_is_named(store: Store) -> None:
    done = scout("--reader", "nobody")
    assert done.exit_code == 1
    assert "no reader 'nobody'" in done.output


def test_the_newest_whole_days_are_held_out() -> None:
    days = [date(2025, 11, 3)] * 5 + [date(2025, 11, 4)] * 3 + [date(2025, 11, 5)] * 2
    assert course.first_held_out(days, 0.2) == date(2025, 11, 5)
    assert course.first_held_out(days, 0.21) == date(2025, 11, 4)
    assert course.first_held_out(days, 0.9) == date(2025, 11, 4), "the first day always teaches"
    assert course.first_held_out(days[:5], 0.4) is None
    assert course.first_held_out([], 0.4) is None
