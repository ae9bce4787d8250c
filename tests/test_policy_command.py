"""`scout policy` and `scout missed` on the command line: the gate joins evals to scout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import policy_samples
import pytest
from click.testing import CliRunner, Result
from policy_samples import READER, Fits, copied, default, lived, two_recipes, weekdays

from scout import backtest
from scout.cli import policy_judging
from scout.cli.app import app
from scout.clock import now
from scout.config import Settings
from scout.store import Store

LAST = weekdays(12)[-1]
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    return two_recipes(monkeypatch)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which someone has read for two weeks."""
    folder = tmp_path_factory.mktemp("weeks")
    with policy_samples.weeks(folder, days=12, look=True):
        return folder


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, fits: Fits, weeks: Path) -> Iterator[tuple[Store, Settings]]:
    values = {"TODAY": LAST.isoformat(), "DIGEST__EXPLORE": "6", "DIGEST__PER_SUBJECT": "30"}
    with copied(monkeypatch, weeks, **values) as own:
        yield own


def scout(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def valid(found: Any, name: str) -> None:
    jsonschema.validate(
        found, json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    )


def told(*words: str) -> Any:
    result = scout(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_recipe_that_foresees_better_is_let_in_by_the_gate_and_taken_back(read: tuple[Store, Settings]) -> None:
    refused = scout("policy", "promote", "keen-1")
    assert refused.exit_code == 1
    assert "has not challenged the champion yet" in refused.output
    fought = scout("policy", "challenge", "keen-1")
    assert fought.exit_code == 0, fought.output
    assert "keen-1 against dull-1 for me: passed" in fought.output
    assert "scout policy promote keen-1" in fought.output
    assert "keen-1 serves me from now on" in scout("policy", "promote", "keen-1").output
    store, _ = read
    kept = store.promotions.listing(READER)[0]
    assert not kept.forced
    assert kept.evidence["passed"]
    assert kept.evidence["log_loss"]["p"] < 0.05
    assert kept.evidence["off_policy"]["keen-1"]["dr"]["value"] > kept.evidence["off_policy"]["as_shown"]["dr"]["value"]
    assert "dull-1 serves me again" in scout("policy", "rollback", "--why", "no").output
    assert "keen-1 serves me again" in scout("policy", "rollback", "--undo").output


def test_a_worse_recipe_is_kept_out_unless_forced_with_a_reason_that_stays(read: tuple[Store, Settings]) -> None:
    store, _ = read
    scout("policy", "promote", "keen-1", "--force", "--why", "to have it")
    assert "not passed" in scout("policy", "challenge", "dull-1").output
    refused = scout("policy", "promote", "dull-1")
    assert refused.exit_code == 1
    assert "no better" in refused.output
    bare = scout("policy", "promote", "dull-1", "--force")
    assert bare.exit_code == 2
    assert "--why" in bare.output
    assert scout("policy", "promote", "dull-1", "--force", "--why", "I insist").exit_code == 0
    kept = store.promotions.listing(READER)[0]
    assert (kept.forced, kept.why, kept.by) == (True, "I insist", "cli")


def test_a_gate_passed_long_ago_or_against_another_counts_no_more(
    read: tuple[Store, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, settings = read
    policy_judging.challenge(store, settings, READER, "keen-1", by="cli")
    assert policy_judging.passed(store, READER, "keen-1") is not None
    monkeypatch.setattr(policy_judging, "VALID", timedelta(0))
    assert policy_judging.passed(store, READER, "keen-1") is None
    assert "too long ago" in scout("policy", "promote", "keen-1").output


def test_lists_say_who_serves_and_how_challenges_ended(read: tuple[Store, Settings]) -> None:
    valid(told("policy", "challenge", "keen-1"), "policy-challenge")
    found = {fact["recipe"]: fact for fact in told("policy", "list")}
    assert found["dull-1"]["serves"]
    assert found["dull-1"]["default"]
    assert found["keen-1"]["last_challenge"]["passed"]
    versions = told("policy", "list", "--versions")
    assert versions[0]["reigns"][0]["reason"] in ("refit", "first fit")
    assert "keen-1\tavailable\tpassed: the challenger foresees these thumbs better" in scout("policy", "list").output


def test_every_decision_names_a_version_that_can_be_shown(read: tuple[Store, Settings]) -> None:
    store, _ = read
    versions = {row["policy"] for row in store.rows("SELECT DISTINCT policy FROM decisions")}
    assert len(versions) > 1
    for version in versions:
        shown = told("policy", "show", version)
        assert (shown["version"], shown["reader"]) == (version, READER)
        assert shown["decisions"] > 0
    assert "serves now" in scout("policy", "show").output
    gone = scout("policy", "show", "linear-0:nobody")
    assert gone.exit_code == 1
    assert "policy list --versions" in gone.output


def test_compare_estimates_what_recipes_would_have_shown(read: tuple[Store, Settings]) -> None:
    found = told("policy", "compare", "keen-1", "dull-1")
    valid(found, "policy-compare")
    keen = found["keen-1"]
    assert keen["dr"]["value"] > found["as_shown"]["dr"]["value"] + 0.1
    assert keen["more"]["dr"]["low"] > 0
    assert {"ips", "snips", "dr", "effective", "warnings"} <= set(keen)
    assert told("policy", "compare", "keen-1", "--unknown", "missing")["unknown"] == "missing"
    assert "no recipe 'brand-new'" in scout("policy", "compare", "brand-new").output


@pytest.mark.parametrize(
    ("past", "reason"),
    [
        ({"days": 3, "thumbs": False}, "no thumb is held out"),
        ({"days": 8, "always": True}, "thumbs are up, and one kind alone"),
        ({"days": 8, "always": False}, "thumbs are down, and one kind alone"),
        ({"days": 1}, "are of one day"),
    ],
    ids=["no-thumbs", "only-up", "only-down", "one-day"],
)
def test_too_little_to_judge_by_is_refused_in_words_without_a_fit(
    monkeypatch: pytest.MonkeyPatch, fits: Fits, past: dict[str, Any], reason: str
) -> None:
    with lived(monkeypatch, **past):
        fits.seen.clear()
        result = scout("policy", "challenge", "keen-1")
    assert result.exit_code == 0
    assert reason in result.output
    assert fits.seen == []
    assert scout("policy", "promote", "keen-1").exit_code == 1


def test_what_makes_no_sense_is_said_so(read: tuple[Store, Settings]) -> None:
    for words, reason in (
        (("policy", "challenge", "dull-1"), "serves me already"),
        (("policy", "challenge", "x\x1b[31m"), "no recipe"),
        (("policy", "rollback"), "nothing to roll back"),
        (("policy", "rollback", "--undo"), "no rollback"),
        (("policy", "list", "--reader", "nobody"), "no reader 'nobody'"),
    ):
        result = scout(*words)
        assert result.exit_code == 1
        assert reason in result.output
        assert "\x1b" not in result.output


def test_a_new_default_challenges_by_itself_once_a_week_and_promotes_nobody(
    read: tuple[Store, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, settings = read
    assert policy_judging.challenge_when_due(store, settings, [READER]) == []  # on the default already
    default(monkeypatch, "keen-1")
    [fought] = policy_judging.challenge_when_due(store, settings, [READER])
    assert fought.by == "run"
    assert fought.evidence["alpha"] == 0.01
    assert policy_judging.challenge_when_due(store, settings, [READER]) == []
    champion = store.policies.champion(READER)
    assert champion is not None
    assert champion.recipe == "dull-1"
    monkeypatch.setattr(policy_judging, "EVERY", now() - fought.at)
    assert len(policy_judging.challenge_when_due(store, settings, [READER])) == 1


def test_a_challenge_that_fails_costs_the_run_nothing(
    read: tuple[Store, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    default(monkeypatch, "keen-1")
    monkeypatch.setattr(backtest, "run", lambda *_, **__: 1 / 0)
    assert policy_judging.challenge_when_due(*read, [READER]) == []


def test_missed_prints_the_week_and_its_json_is_of_its_schema(read: tuple[Store, Settings]) -> None:
    found = told("missed")
    valid(found, "missed")
    assert len(found["items"]) == 30
    assert told("missed") == found
    plain = scout("missed").output
    assert f"What you would have missed, {LAST - timedelta(days=6)} to {LAST}" in plain
    assert found["says"] in plain
    assert told("missed", "--week", "2025-11-13")["week"] == "2025-11-10"
    gone = scout("missed", "--week", "2024-01-01")
    assert gone.exit_code == 1
    assert "2025-11-10" in gone.output


def test_without_a_store_or_a_fit_one_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, fits: Fits) -> None:
    assert "scout run" in scout("policy", "list").output
    with lived(monkeypatch, days=0):
        assert "no policy was fitted yet" in scout("policy", "show").output
        assert "no policy yet" in scout("policy", "challenge", "keen-1").output
        assert "nothing was skipped" in scout("missed").output
