"""Long work that a page asked for: done by the worker, once, its end told to whoever asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from net_server import Site, serving

from scout import config, jobs
from scout.clock import now
from scout.locks import Locked, held
from scout.progress import Progress
from scout.store import Store
from scout.store.jobs import JobRow, JobState

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>The Lab</title><link>https://lab.org/</link>
<item><title>First post</title><link>https://lab.org/first</link><description>Words.</description></item>
</channel></rss>"""
PAGE = b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body>Hello</body></html>'
ENTRY = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
<title>q</title><id>http://arxiv.org/api/x</id><updated>2025-12-02T00:00:00Z</updated>
<opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">1</opensearch:totalResults>
<entry><id>http://arxiv.org/abs/2511.00001v1</id><title>Sparse attention</title><updated>2025-11-01T00:00:00Z</updated>
<published>2025-11-01T00:00:00Z</published><summary>We study heads.</summary><author><name>Ann Lee</name></author>
<link href="https://arxiv.org/abs/2511.00001v1" rel="alternate" type="text/html"/>
<arxiv:primary_category term="cs.CL"/><category term="cs.CL"/></entry></feed>"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def settings(site: Site, monkeypatch: pytest.MonkeyPatch) -> config.Settings:
    for name, value in {
        "SCOUT_NET__ALLOW_LOOPBACK": "1",
        "SCOUT_SOURCES__DEFAULTS": "0",
        "SCOUT_ARXIV__ENABLED": "0",
        "SCOUT_ARXIV__API_URL": f"{site.url}/api",
        "SCOUT_HUGGINGFACE__ENABLED": "0",
    }.items():
        monkeypatch.setenv(name, value)
    return config.load()


def done(settings: config.Settings, kind: str, payload: dict[str, object]) -> JobRow:
    with Store(settings.database) as store:
        id = store.jobs.ask(kind, payload, now())
        assert jobs.work(settings, once=True) == 1
        job = store.jobs.get(id)
    assert job is not None
    return job


def test_a_site_is_added_by_its_feed_and_polled(site: Site, settings: config.Settings) -> None:
    site.answers("/", body=PAGE, headers={"Content-Type": "text/html"})
    site.answers("/feed.xml", body=FEED, headers={"Content-Type": "application/rss+xml"})
    job = done(settings, "add-source", {"url": site.url + "/"})
    assert job.state is JobState.DONE, job.message
    with Store(settings.database) as store:
        assert [(row.id, row.url) for row in store.sources.all()] == [("the-lab", f"{site.url}/feed.xml")]
        assert [item.title for item in store.items.recent(10)] == ["First post"]
    assert "already" in done(settings, "add-source", {"url": f"{site.url}/feed.xml"}).message


def test_an_address_without_a_feed_fails_with_its_reason(site: Site, settings: config.Settings) -> None:
    job = done(settings, "add-source", {"url": f"{site.url}/nothing"})
    assert job.state is JobState.FAILED
    assert job.message
    with Store(settings.database) as store:
        assert store.sources.all() == []


def test_an_opml_list_is_imported_once(site: Site, settings: config.Settings) -> None:
    site.answers("/feed.xml", body=FEED, headers={"Content-Type": "application/rss+xml"})
    text = f'<opml version="2.0"><body><outline type="rss" text="Lab" xmlUrl="{site.url}/feed.xml"/></body></opml>'
    assert done(settings, "import-opml", {"text": text}).message.startswith("1 new sources, 0 known")
    assert done(settings, "import-opml", {"text": text}).message == "0 new sources, 1 known already"
    assert done(settings, "import-opml", {"text": "no opml"}).state is JobState.FAILED


def test_pasted_papers_are_fetched_and_liked(site: Site, settings: config.Settings) -> None:
    site.answers("/api", body=ENTRY.encode(), headers={"Content-Type": "application/atom+xml"})
    answer = site.routes["/api"]
    site.routes = type("Any", (dict,), {"__missing__": lambda self, path: answer})(site.routes)
    job = done(
        settings,
        "onboard",
        {"reader": "me", "text": "2511.00001 \n10.1000/nowhere\n@misc{b, title={Told in full}}\nrubbish"},
    )
    assert job.state is JobState.DONE, job.message
    with Store(settings.database) as store:
        liked = {thumb.item_id for thumb in store.feedback.thumbs("me")}
        paper = store.items.get("arxiv:2511.00001")
    assert paper is not None
    assert (paper.title, paper.backlog) == ("Sparse attention", True)
    assert len(liked) == 2
    assert "not found: doi:10.1000/nowhere" in job.message
    assert "not understood: rubbish" in job.message


def test_a_job_of_an_unknown_kind_fails_and_the_worker_goes_on(settings: config.Settings) -> None:
    assert done(settings, "dance", {}).state is JobState.FAILED
    assert done(settings, "poll", {"sources": []}).state is JobState.DONE


def test_a_job_left_running_by_a_dead_worker_is_done_again(settings: config.Settings) -> None:
    with Store(settings.database) as store:
        store.jobs.ask("poll", {}, now())
        store.jobs.take(now())
        assert jobs.work(settings, once=True) == 1
        assert [job.state for job in store.jobs.listing()] == [JobState.DONE]


def test_only_one_worker_serves_a_data_directory(settings: config.Settings) -> None:
    with held(settings, "worker"), pytest.raises(Locked, match="another scout worker"):
        jobs.work(settings, once=True)


def test_a_lock_is_free_once_its_holder_is_gone(settings: config.Settings, tmp_path: Path) -> None:
    with held(settings, "run"):
        pass
    with held(settings, "run"):
        assert (settings.data_dir / "run.lock").exists()


def test_a_run_that_a_page_asked_for_does_what_a_run_does_at_its_end(settings: config.Settings) -> None:
    with Store(settings.database) as store:
        id = store.jobs.ask("run", {}, now())
        after: list[str] = []

        def challenge(open_store: Store, chosen: config.Settings, progress: Progress) -> list[str]:
            after.append(chosen.reader)
            return ["linear-9 challenged linear-2 for me: too few thumbs"]

        assert jobs.work(settings, once=True, after_run=challenge) == 1
        job = store.jobs.get(id)
    assert job is not None
    assert job.state is JobState.DONE
    assert job.message.endswith("; linear-9 challenged linear-2 for me: too few thumbs")
    assert after == ["me"]
