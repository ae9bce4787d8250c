"""A night's watch on scripted endpoints: which releases are measured, what is said of them, and when an alarm is raised."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("inspect_ai", reason="the evals extra is not installed")

from eval_samples import adds, adds_even, suite
from scripted_server import ScriptedServer, serving, status

from evals import trust
from evals.watch import Night, Watch, due
from scout.config import Settings, load
from scout.digest.build import build
from scout.items import Release, Verdict
from scout.store import Store

NOW = datetime(2025, 12, 2, 3, tzinfo=UTC)
NEW = "lab/New-8B"


@pytest.fixture
def servers() -> Iterator[tuple[ScriptedServer, ScriptedServer]]:
    """What reads now, and what serves the new release."""
    with serving() as old, serving() as new:
        old.script, new.script = adds_even, adds
        old.model, new.model = "reader", "New-8B"
        yield old, new


@pytest.fixture
def settings(servers: tuple[ScriptedServer, ScriptedServer], monkeypatch: pytest.MonkeyPatch) -> Settings:
    old, new = servers
    rule = {"match": ["lab/*"], "base_url": new.base_url, "name": "{name}", "price_completion": 1.0}
    monkeypatch.setenv("SCOUT_MODEL__BASE_URLS", json.dumps([old.base_url]))
    monkeypatch.setenv(
        "SCOUT_EVAL", json.dumps({"endpoint": [rule], "items": 28, "epochs": 1, "organizations": ["lab"]})
    )
    return load()


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with Store(settings.database) as opened:
        opened.releases.add([released(NEW)], NOW)
        yield opened


def released(id: str, *, days: int = 0) -> Release:
    return Release(id, id.split("/")[0], NOW - timedelta(days=days, hours=5), f"https://huggingface.co/{id}")


def night(store: Store, settings: Settings, *, at: datetime = NOW, **changes: Any) -> Night:
    values: dict[str, Any] = {"suites": [suite()], "gate": trust.Gate.SKIP, "vet": lambda each: ""}
    return asyncio.run(Watch(store=store, settings=settings, now=at, **{**values, **changes}).night())


def test_a_new_release_is_measured_against_what_reads_and_the_next_digest_says_so(
    store: Store, settings: Settings
) -> None:
    found = night(store, settings)
    (verdict,) = found.verdicts
    assert verdict.release_id == NEW
    assert verdict.text.startswith("better than reader at arithmetic (sums), +50.0, interval")
    assert "model not checked" in verdict.text
    digest = build(store, settings, reader="me", day=date(2025, 12, 2))
    assert [(line.id, line.verdict) for line in digest.releases] == [(NEW, verdict.text)]
    run = store.evals.get(verdict.run)
    assert run is not None
    assert (run.released, run.model, run.purpose) == (NEW, "New-8B", "watch")
    assert run.summary["cost"] > 0


def test_a_release_that_was_told_without_a_verdict_comes_again_with_one(store: Store, settings: Settings) -> None:
    first = build(store, settings, reader="me", day=date(2025, 12, 2))
    store.digests.save(
        "me", date(2025, 12, 2), made_at=NOW, policy="", cutoff=0, snapshot=first.to_dict(), impressions=[], run=None
    )
    assert build(store, settings, reader="me", day=date(2025, 12, 3)).releases == ()
    store.evals.judge(Verdict(NEW, "no detectable difference", "run"), NOW)
    again = build(store, settings, reader="me", day=date(2025, 12, 3))
    assert [(line.id, line.verdict) for line in again.releases] == [(NEW, "no detectable difference")]


def test_a_second_watch_of_the_night_measures_nothing_again(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    night(store, settings)
    asked = [len(server.chats) for server in servers]
    again = night(store, settings, at=NOW + timedelta(hours=1))
    assert (again.verdicts, again.runs) == ((), ())
    assert [len(server.chats) for server in servers] == asked


def test_what_is_served_and_drops_raises_an_alarm(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    night(store, settings)
    servers[0].script = lambda request: "no idea"
    tomorrow = night(store, settings, at=NOW + timedelta(days=1, hours=1))
    (alarm,) = tomorrow.alarms
    assert (alarm.kind, alarm.model, alarm.suite) == ("regression", "reader", "sums")
    assert "−50.0 points" in alarm.text
    assert store.evals.alarms()[0].run == alarm.run != alarm.before


def test_another_way_of_asking_is_no_drop(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    night(store, settings)
    servers[0].script = lambda request: "no idea"
    cooler = settings.model_copy(update={"eval": settings.eval.model_copy(update={"temperature": 0.0})})
    assert night(store, cooler, at=NOW + timedelta(days=1, hours=1)).alarms == ()


def test_a_night_that_was_stopped_asks_no_finished_suite_again(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    two = [suite(), suite(name="more-sums")]
    night(store, settings, suites=two, vet=lambda each: "no gold" if each.name == "more-sums" else "")
    asked = len(servers[1].chats)
    assert asked == 28
    (verdict,) = night(store, settings, suites=two, at=NOW + timedelta(hours=1)).verdicts
    assert len(servers[1].chats) == asked + 28
    assert verdict.release_id == NEW


def test_what_is_served_and_improves_raises_none(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    night(store, settings)
    servers[0].script = adds
    assert night(store, settings, at=NOW + timedelta(days=1, hours=1)).alarms == ()


def test_an_adapter_is_followed_as_a_model_of_its_own(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    servers[0].adapters["reader-lora-3"] = "/adapters/3"
    night(store, settings)
    assert {run.model for run in store.evals.listing()} == {"reader", "reader-lora-3", "New-8B"}


def test_another_version_of_a_suite_begins_anew_instead_of_an_alarm(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    night(store, settings)
    servers[0].script = lambda request: "no idea"
    found = night(store, settings, at=NOW + timedelta(days=1, hours=1), suites=[suite(version=2)])
    assert found.alarms == ()
    assert {run.version for run in store.evals.listing(model="reader")} == {1, 2}


def test_a_reference_that_moves_is_a_drift_and_is_said_in_tonights_verdicts(
    store: Store, servers: tuple[ScriptedServer, ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = [
        {"match": ["fixed"], "base_url": servers[0].base_url, "name": "reader"},
        {"match": ["lab/*"], "base_url": servers[1].base_url, "name": "{name}"},
    ]
    wished = {"endpoint": rules, "items": 28, "epochs": 1, "reference": "fixed"}
    monkeypatch.setenv("SCOUT_EVAL", json.dumps(wished))
    settings = load()
    night(store, settings)
    servers[0].script = adds
    store.releases.add([released("lab/New-9B")], NOW)
    servers[1].adapters["New-9B"] = ""
    found = night(store, settings, at=NOW + timedelta(days=1, hours=1))
    assert [alarm.kind for alarm in found.alarms] == ["drift"]
    assert [v.release_id for v in found.verdicts] == ["lab/New-9B"]
    assert "the reference moved tonight" in found.verdicts[0].text


@pytest.mark.parametrize(
    "odd", ["lab/../../etc/passwd", "lab/<script>alert(1)</script>", "lab/наме 名 \u202e[x]*?{id}", "lab/" + "n" * 300],
    ids=["path", "markup", "unicode", "long"],
)  # fmt: skip
def test_a_release_with_an_odd_name_is_measured_or_says_why_not(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer], odd: str
) -> None:
    store.releases.add([released(odd)], NOW)
    served = odd.rpartition("/")[2]
    servers[1].adapters[served] = ""
    found = night(store, settings)
    assert odd in {verdict.release_id for verdict in found.verdicts}
    folders = list((settings.data_dir / "evals" / "runs").iterdir())
    assert len(folders) == len(found.runs) == 3
    assert all(folder.name.startswith("20") and folder.name.isascii() for folder in folders)


def test_what_cannot_be_measured_waits_and_says_why(
    store: Store, settings: Settings, servers: tuple[ScriptedServer, ScriptedServer]
) -> None:
    store.releases.add([released("lab/Elsewhere-1B")], NOW)
    servers[1].fails(status(401), times=None)
    found = night(store, settings)
    why = dict(found.waiting)
    assert "does not serve Elsewhere-1B; it serves New-8B" in why["lab/Elsewhere-1B"]
    assert "--resume" in why[NEW]
    assert found.verdicts == ()
    servers[1].recovers()
    assert [v.release_id for v in night(store, settings).verdicts] == [NEW]


def test_only_young_releases_of_the_chosen_organizations_are_due(store: Store, settings: Settings) -> None:
    store.releases.add([released("lab/Old-1B", days=30), released("other/New-1B")], NOW)
    assert due(store, settings, NOW) == [(store.releases.listing(limit=1)[0], "")]
