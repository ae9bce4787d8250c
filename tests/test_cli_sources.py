"""`scout sources`: the shipped ones, adding a site, OPML in and out, and asking without storing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import jsonschema
import pytest
from cli_help import scout

from scout.config import load
from scout.items import Health
from scout.store import Store

SCHEMA = json.loads((Path(__file__).resolve().parents[1] / "docs/schemas/sources.schema.json").read_text())
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>An \x41gent blog</title><link>http://example.org/</link>
<item><title>One</title><link>http://example.org/1</link></item>
<item><title>Two</title><link>http://example.org/2</link></item></channel></rss>"""
PAGE = '<html><head><link rel="alternate" type="application/rss+xml" href="/the-feed"></head><body>Hello</body></html>'


class Site(BaseHTTPRequestHandler):
    pages: ClassVar = {
        "/": ("text/html", PAGE),
        "/the-feed": ("application/rss+xml", FEED),
        "/no-feed": ("text/html", "<p>no"),
    }

    def do_GET(self) -> None:
        kind, body = self.pages.get(self.path, ("", ""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        return None


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("SCOUT_NET__ALLOW_LOOPBACK", "1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _only_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shipped source: nothing here reaches for the network."""
    monkeypatch.setenv("SCOUT_SOURCES__DEFAULTS", "0")
    monkeypatch.setenv("SCOUT_ARXIV__ENABLED", "0")
    monkeypatch.setenv("SCOUT_HUGGINGFACE__ENABLED", "0")


def listed() -> list[dict[str, object]]:
    rows = scout("sources", "list", "--json").json
    jsonschema.validate(rows, SCHEMA)
    assert isinstance(rows, list)
    return rows


def ids() -> list[object]:
    return [row["id"] for row in listed()]


def test_the_shipped_sources_are_listed_before_the_first_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCOUT_SOURCES__DEFAULTS", "SCOUT_ARXIV__ENABLED", "SCOUT_HUGGINGFACE__ENABLED"):
        monkeypatch.setenv(name, "1")
    rows = listed()
    assert {"arxiv", "hf-daily", "hf-releases"} <= {row["id"] for row in rows}
    assert len(rows) > 15
    assert {row["health"] for row in rows} == {Health.NEW}


def test_shipped_sources_that_settings_leave_out_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_SOURCES__DEFAULTS", "1")
    assert ids()
    monkeypatch.setenv("SCOUT_SOURCES__DEFAULTS", "0")
    assert ids() == []
    assert "No sources" in scout("sources", "list").out


def test_adding_a_site_finds_its_feed_and_says_what_it_found(site: str) -> None:
    result = scout("sources", "add", f"{site}/")
    assert result.code == 0
    assert "An Agent blog, 2 entries" in result.out
    assert [(row["url"], row["title"], row["kind"]) for row in listed()] == [
        (f"{site}/the-feed", "An Agent blog", "feed")
    ]


def test_adding_it_again_is_no_error_and_adds_nothing(site: str) -> None:
    scout("sources", "add", f"{site}/the-feed")
    for address in (f"{site}/", f"{site}/the-feed", f"{site}/the-feed?utm_source=x"):
        again = scout("sources", "add", address)
        assert again.code == 0
        assert "already" in again.out
    assert len(ids()) == 1


def test_a_site_without_a_feed_is_not_added(site: str) -> None:
    result = scout("sources", "add", f"{site}/no-feed")
    assert result.code == 1
    assert "no feed" in result.err
    assert ids() == []


def test_offline_an_address_is_added_only_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_NET__ALLOW_LOOPBACK", "1")
    dead = "http://127.0.0.1:9/feed.xml"  # nothing listens on the discard port
    result = scout("sources", "add", dead)
    assert result.code == 75
    assert "--no-check" in result.err
    assert ids() == []
    assert scout("sources", "add", "--no-check", "--title", "Later", dead).code == 0
    assert [(row["id"], row["url"], row["title"]) for row in listed()] == [("later", dead, "Later")]


@pytest.mark.parametrize("url", ["ftp://example.org/feed", "javascript:alert(1)", "file:///etc/passwd", "", "http://"])
def test_what_is_no_web_address_is_a_usage_error(url: str) -> None:
    assert scout("sources", "add", "--no-check", "--", url).code == 2
    assert ids() == []


def test_a_private_address_is_refused() -> None:
    result = scout("sources", "add", "http://127.0.0.1:9/feed")
    assert result.code == 1
    assert ids() == []


def test_pause_resume_and_remove(site: str) -> None:
    scout("sources", "add", f"{site}/")
    [id] = ids()
    assert scout("sources", "pause", str(id)).code == 0
    assert [row["health"] for row in listed()] == ["paused"]
    assert scout("sources", "resume", f"{site}/the-feed").code == 0
    assert [row["health"] for row in listed()] == ["new"]
    assert scout("sources", "remove", "An Agent blog").code == 0
    assert ids() == []
    scout("sources", "add", f"{site}/")
    assert ids() == [id], "what was removed comes back under its old id"


@pytest.mark.parametrize("command", ["pause", "resume", "remove", "check"])
def test_a_source_that_does_not_exist_is_said_so(command: str) -> None:
    result = scout("sources", command, "nothing")
    assert (result.code, "'nothing'" in result.err) == (1, True)


OPML = """<opml version="2.0"><body><outline text="Folder"><outline text="A" xmlUrl="https://a.example/feed"/></outline>
<outline text="B" xmlUrl="https://b.example/feed"/><outline text="C" xmlUrl="javascript:alert(1)"/></body></opml>"""


def test_opml_goes_in_and_comes_out_again(tmp_path: Path) -> None:
    (tmp_path / "in.opml").write_text(OPML)
    first = scout("sources", "import", str(tmp_path / "in.opml"))
    assert first.code == 0
    assert "2 new sources, 0 known already, 1 passed over" in first.out
    exported = scout("sources", "export")
    assert "https://a.example/feed" in exported.out
    again = scout("sources", "import", "-", stdin=exported.out)
    assert "0 new sources, 2 known already" in again.out
    assert ids() == ["a", "b"]


@pytest.mark.parametrize("text", ["", "{}", "<html></html>", "<opml", '<!DOCTYPE x [<!ENTITY a "b">]><opml/>', "\x00"])
def test_what_is_no_opml_is_said_so(text: str) -> None:
    result = scout("sources", "import", "-", stdin=text)
    assert result.code == 1
    assert "OPML" in result.err or "entity" in result.err
    assert ids() == []


def test_an_opml_file_that_is_not_there_is_a_usage_error() -> None:
    assert scout("sources", "import", "nowhere.opml").code == 2


def test_check_says_how_sources_answer_and_stores_nothing(site: str) -> None:
    scout("sources", "add", f"{site}/")
    scout("sources", "add", "--no-check", f"{site}/no-feed")
    result = scout("sources", "check", "--json")
    assert result.code == 0
    assert sorted((row["ok"], row["items"]) for row in result.json) == [(False, 0), (True, 2)]
    one = scout("sources", "check", "An Agent blog", "--json")
    assert [row["outcome"] for row in one.json] == ["ok"]
    with Store(load().database) as store:
        assert store.items.count() == 0
        assert [row.last_poll for row in store.sources.all()] == [None, None]


def test_check_where_nothing_answers_is_75() -> None:
    scout("sources", "add", "--no-check", "https://feeds.invalid/x")
    result = scout("sources", "check")
    assert result.code == 75
    assert "unreachable" in result.out


def test_ingest_of_one_source_stores_what_it_has(site: str) -> None:
    scout("sources", "add", f"{site}/")
    [id] = ids()
    polled = scout("ingest", "--source", str(id), "--json")
    assert polled.code == 0, polled.err
    assert (polled.json["sources"], polled.json["new"], polled.json["failed"]) == (1, 2, [])
    assert len(scout("items", "--json").json) == 2
    assert scout("ingest", "--source", "nothing").code == 1
    assert [row["items_week"] for row in listed()] == [2]


def test_ingest_where_nothing_answers_is_75_and_one_line() -> None:
    scout("sources", "add", "--no-check", "https://feeds.invalid/x")
    result = scout("ingest")
    assert result.code == 75
    assert "try again later" in result.err


def test_ingest_without_a_source_says_so() -> None:
    result = scout("ingest")
    assert (result.code, "No source" in result.out) == (0, True)
