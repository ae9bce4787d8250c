"""Hugging Face as a source: picks are signals on papers, models are releases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from net_server import Handler, Site
from poll_tools import site, source, tools_for

from scout.items import ItemKind, OutcomeKind, Signal, SourceKind
from scout.sources import huggingface
from scout.sources.base import Poll

PAPERS, MODELS = "/hf/api/daily_papers", "/hf/api/models"
MONDAY, TUESDAY = date(2025, 12, 1), date(2025, 12, 2)


def pick(id: str, upvotes: int = 3, **more: Any) -> dict[str, Any]:
    paper = {
        "id": id, "title": "Herding  sheep", "summary": "We herd\nsheep.", "publishedAt": "2025-11-28T17:00:00.000Z",
        "authors": [{"name": "Ada Doe"}, {"name": ""}], "upvotes": upvotes, **more,
    }  # fmt: skip
    return {"paper": paper, "title": paper["title"], "publishedAt": "2025-12-02T01:00:00.000Z", "numComments": 0}


def model(id: str, created: str = "2025-12-01T10:00:00.000Z", **more: Any) -> dict[str, Any]:
    return {"id": id, "author": id.split("/")[0], "createdAt": created, "tags": ["license:mit"], **more}


class Hub:
    """What the Hub holds, by day and by organization."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.days: dict[str, list[dict[str, Any]]] = {"2025-12-01": [], "2025-12-02": []}
        self.models: dict[str, list[dict[str, Any]]] = {"lab-a": [], "lab-b": []}
        site.routes[PAPERS] = self._papers
        site.routes[MODELS] = self._models

    def _papers(self, handler: Handler) -> None:
        day = parse_qs(urlsplit(handler.path).query)["date"][0]
        rows = self.days.get(day)
        handler.reply(200 if rows is not None else 400, json.dumps(rows or []).encode())

    def _models(self, handler: Handler) -> None:
        rows = self.models.get(parse_qs(urlsplit(handler.path).query)["author"][0])
        handler.reply(200 if rows is not None else 500, json.dumps(rows or []).encode())

    @property
    def asked(self) -> list[str]:
        return [handler.path for handler in self.site.asked]

    def daily(self, state: dict[str, Any] | None = None, **settings: Any) -> Poll:
        return huggingface.poll_daily(source(SourceKind.HF_DAILY, state=state), tools_for(self.site.url, **settings))

    def releases(self, state: dict[str, Any] | None = None) -> Poll:
        return huggingface.poll_releases(source(SourceKind.HF_RELEASES, state=state), tools_for(self.site.url))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with site() as found:
        yield Hub(found)


def test_a_pick_is_a_signal_on_the_paper_and_brings_the_paper(hub: Hub) -> None:
    hub.days["2025-12-02"] = [pick("2511.00001", 41)]
    found = hub.daily()
    assert found.outcome.kind is OutcomeKind.OK
    assert found.signals == (Signal("arxiv:2511.00001", "hf-daily", TUESDAY, 41.0),)
    (paper,) = found.items
    assert (paper.id, paper.kind, paper.source) == ("arxiv:2511.00001", ItemKind.PAPER, "hf-daily")
    assert (paper.title, paper.text, paper.authors) == ("Herding sheep", "We herd sheep.", ("Ada Doe",))
    assert paper.url == "https://arxiv.org/abs/2511.00001"
    assert paper.published == datetime(2025, 11, 28, 17, 0, tzinfo=UTC)


def test_a_version_and_rows_that_are_no_papers_do_no_harm(hub: Hub) -> None:
    hub.days["2025-12-02"] = [pick("2511.00001v2", 0), pick("blog-post"), {"paper": {}}, pick("2511.00002", title=None)]
    found = hub.daily()
    assert [(signal.item_id, signal.value) for signal in found.signals][:1] == [("arxiv:2511.00001", 0.0)]
    assert "blog-post" not in repr(found.items)


def test_today_and_yesterday_are_asked_for_and_no_token_is_sent(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.daily()
    assert [parse_qs(urlsplit(path).query)["date"] for path in hub.asked] == [["2025-12-01"], ["2025-12-02"]]
    sent = hub.site.asked[0].headers
    assert "authorization" not in {name.lower() for name in sent}
    assert sent["User-Agent"].startswith("scout/")


def test_days_missed_are_caught_up_with_for_a_week_at_most(hub: Hub) -> None:
    hub.days |= {f"2025-11-{day}": [] for day in range(26, 31)}
    found = hub.daily({"last": "2025-10-01"})
    assert len(hub.asked) == 7
    assert found.state["last"] == "2025-12-02"


def test_the_day_in_the_settings_is_the_day(hub: Hub) -> None:
    hub.days["2025-09-02"] = [pick("2509.00001")]
    hub.days["2025-09-01"] = []
    found = hub.daily({"last": "2025-12-02"}, today=date(2025, 9, 2))
    assert [signal.day for signal in found.signals] == [date(2025, 9, 2)]


def test_the_same_picks_again_are_unchanged_and_new_votes_are_not(hub: Hub) -> None:
    hub.days["2025-12-02"] = [pick("2511.00001", 3)]
    first = hub.daily()
    second = hub.daily(dict(first.state))
    assert (second.outcome.kind, second.signals) == (OutcomeKind.UNCHANGED, ())
    hub.days["2025-12-02"] = [pick("2511.00001", 4)]
    assert hub.daily(dict(second.state)).signals[0].value == 4.0


def test_a_day_without_picks_is_no_fault(hub: Hub) -> None:
    found = hub.daily()
    assert found.outcome.kind is OutcomeKind.NO_ANNOUNCEMENT
    assert found.outcome.message == "no daily papers on 2025-12-02"


def test_a_day_that_has_not_begun_at_the_hub_is_asked_for_again(hub: Hub) -> None:
    del hub.days["2025-12-02"]
    hub.days["2025-12-01"] = [pick("2511.00001")]
    found = hub.daily()
    assert found.outcome.kind is OutcomeKind.OK
    assert found.state["last"] == "2025-12-01"


def test_a_hub_that_knows_none_of_the_days_fails(hub: Hub) -> None:
    hub.days.clear()
    found = hub.daily({"last": "2025-12-01"})
    assert (found.outcome.kind, found.outcome.status) == (OutcomeKind.HTTP_ERROR, 400)
    assert found.state == {"last": "2025-12-01"}


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (200, b"<html>", {}, OutcomeKind.UNREADABLE),
        (200, b'{"error": "x"}', {}, OutcomeKind.UNREADABLE),
        (500, b"", {}, OutcomeKind.HTTP_ERROR),
        (429, b"", {"Retry-After": "60"}, OutcomeKind.BUSY),
    ],
)
def test_every_failure_is_an_outcome_at_once(
    hub: Hub, status: int, body: bytes, headers: dict[str, str], kind: OutcomeKind
) -> None:
    hub.site.answers(PAPERS, status, body, headers)
    hub.site.answers(MODELS, status, body, headers)
    for found in (hub.daily(), hub.releases()):
        assert found.outcome.kind is kind
        assert (found.outcome.retry_at is not None) == (kind is OutcomeKind.BUSY)
    assert len(hub.asked) == 3


def test_a_hub_that_drips_is_given_up(hub: Hub) -> None:
    hub.site.drips(PAPERS, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n[", every=0.05)
    found = hub.daily(net={"allow_loopback": True, "deadline_seconds": 0.4})
    assert found.outcome.kind is OutcomeKind.TOO_SLOW


def test_models_of_the_organizations_are_releases(hub: Hub) -> None:
    hub.models["lab-a"] = [model("lab-a/one"), model("lab-a/undated", created="")]
    hub.models["lab-b"] = [model("lab-b/two")]
    found = hub.releases()
    one, two = found.releases
    assert (one.id, one.author, one.tags, one.verdict) == ("lab-a/one", "lab-a", ("license:mit",), None)
    assert one.published == datetime(2025, 12, 1, 10, 0, tzinfo=UTC)
    assert one.url == f"{hub.site.url}/hf/lab-a/one"
    assert two.id == "lab-b/two"
    assert all("sort=createdAt" in path and "limit=20" in path for path in hub.asked)


def test_the_same_models_again_are_unchanged(hub: Hub) -> None:
    hub.models["lab-a"] = [model("lab-a/one")]
    first = hub.releases()
    second = hub.releases(dict(first.state))
    assert (second.outcome.kind, second.releases) == (OutcomeKind.UNCHANGED, ())


def test_one_organization_that_cannot_be_read_leaves_the_others(hub: Hub) -> None:
    del hub.models["lab-a"]
    hub.models["lab-b"] = [model("lab-b/two")]
    found = hub.releases()
    assert found.outcome.kind is OutcomeKind.OK
    assert [release.id for release in found.releases] == ["lab-b/two"]
    assert "lab-a" in found.outcome.message
