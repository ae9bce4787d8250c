"""Ingest of twenty feeds from loopback, beside the `reader` package on the same bytes.

Both fetch, parse and store every feed into a fresh database on disk, in as many threads; the medians of several rounds in
turn are compared. Our parser's processes are warm, as they are for all but the first feed of a run.
"""

from __future__ import annotations

import functools
import logging
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import feedparser_sgmllib

from benchmarks.figures import figure
from scout import ingest
from scout.config import Net, Settings
from scout.items import SourceKind
from scout.sources.base import Tools
from scout.sources.pool import ParserPool
from scout.sources.tools import open_tools
from scout.store import Store

# reader's own copy of feedparser imports this module by the name it once had, and does not ask for it to be installed.
sys.modules.setdefault("sgmllib", feedparser_sgmllib)
from reader import make_reader  # noqa: E402

FEEDS = 20
ROUNDS = 5
WORKERS = 8
_WORDS = (
    "model data training attention loss gradient policy reward sparse token context scaling benchmark evaluation agent tool "
    "memory retrieval we show that the results of this method improve over prior work by a large margin on several tasks and"
).split()


def html(rng: random.Random, size: int) -> str:
    """A post's body of about `size` characters, marked up as blogs do."""
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        words = " ".join(rng.choices(_WORDS, k=rng.randint(30, 80)))
        link = (
            f'<a href="https://lab.example/{rng.randrange(10**6)}" class="ref" target="_blank">{rng.choice(_WORDS)}</a>'
        )
        parts.append(f"<p>{words} {link} &mdash; <em>{rng.choice(_WORDS)}</em> &amp; <code>x &lt; y</code>.</p>\n")
        if rng.random() < 0.3:
            parts.append(
                f'<figure><img src="/img/{rng.randrange(999)}.png" alt="plot"><figcaption>A plot</figcaption></figure>\n'
            )
    return "".join(parts)


def rss(n: int, rng: random.Random) -> str:
    at = datetime(2025, 12, 2, tzinfo=UTC)
    items = "".join(
        f"<item><title>Post {k} of lab {n}: {' '.join(rng.choices(_WORDS, k=7))}</title><link>https://lab{n}.example/posts/{k}</link>"
        f"<guid isPermaLink='false'>lab{n}-{k}</guid><dc:creator>Author {k % 5}</dc:creator><category>{rng.choice(_WORDS)}</category>"
        f"<pubDate>{at - timedelta(days=k):%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        f"<content:encoded><![CDATA[{html(rng, rng.randint(2_000, 6_000))}]]></content:encoded></item>"
        for k in range(rng.randint(20, 50))
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        f"<channel><title>Lab {n}</title><link>https://lab{n}.example/</link><description>Posts</description>{items}</channel></rss>"
    )


def atom(n: int, rng: random.Random) -> str:
    at = datetime(2025, 12, 2, tzinfo=UTC)
    escape = functools.partial(lambda text: text.replace("&", "&amp;").replace("<", "&lt;"))
    entries = "".join(
        f"<entry><title>Post {k} of lab {n}: {' '.join(rng.choices(_WORDS, k=7))}</title><link href='https://lab{n}.example/posts/{k}'/>"
        f"<id>tag:lab{n}.example,2025:{k}</id><author><name>Author {k % 5}</name></author>"
        f"<published>{(at - timedelta(days=k)).isoformat()}</published><updated>{(at - timedelta(days=k)).isoformat()}</updated>"
        f"<content type='html'>{escape(html(rng, rng.randint(2_000, 6_000)))}</content></entry>"
        for k in range(rng.randint(20, 50))
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom'><title>Lab {n}</title>"
        f"<id>tag:lab{n}.example,2025:feed</id><updated>{at.isoformat()}</updated>{entries}</feed>"
    )


@contextmanager
def served(folder: Path) -> Iterator[list[str]]:
    """The addresses of the feeds, served by a process of its own."""
    rng = random.Random(7)
    for n in range(FEEDS):
        (folder / f"{n}.xml").write_text((atom if n % 3 == 0 else rss)(n, rng), encoding="utf-8")
    code = (
        "import functools, http.server as h; s = h.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial("
        f"type('H', (h.SimpleHTTPRequestHandler,), {{'log_message': lambda *a: None}}), directory={str(folder)!r})); "
        "print(s.server_address[1], flush=True); s.serve_forever()"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    try:
        yield [f"http://127.0.0.1:{port}/{n}.xml" for n in range(FEEDS)]
    finally:
        server.terminate()
        server.wait(timeout=10)


def scout_once(urls: list[str], folder: Path, pool: ParserPool) -> tuple[float, int]:
    """Seconds, and items stored."""
    settings = Settings(data_dir=folder, net=Net(allow_loopback=True, workers=WORKERS, per_host=WORKERS))
    with Store(settings.database) as store:
        for n, url in enumerate(urls):
            store.sources.add(f"lab-{n}", SourceKind.FEED, url, at=datetime.now(UTC))

        @contextmanager
        def warm_tools(settings: Settings, *, now: datetime) -> Iterator[Tools]:
            with (
                patch("scout.sources.tools.ParserPool", lambda net: _kept(pool)),
                open_tools(settings, now=now) as tools,
            ):
                yield tools

        with patch.object(ingest, "open_tools", warm_tools):
            started = time.perf_counter()
            report = ingest.ingest(store, settings, only=[f"lab-{n}" for n in range(FEEDS)])
            seconds = time.perf_counter() - started
    if report.failed:
        raise SystemExit(f"polls failed: {report.failed}")
    return seconds, report.new


@contextmanager
def _kept(pool: ParserPool) -> Iterator[ParserPool]:
    yield pool


def reader_once(urls: list[str], folder: Path) -> tuple[float, int]:
    with make_reader(str(folder / "reader.db")) as reader:
        for url in urls:
            reader.add_feed(url)
        started = time.perf_counter()
        reader.update_feeds(workers=WORKERS)
        seconds = time.perf_counter() - started
        return seconds, reader.get_entry_counts().total or 0


def main() -> None:
    logging.disable(logging.CRITICAL)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name, ParserPool(Net()) as pool:
        root = Path(name)
        (root / "feeds").mkdir()
        with served(root / "feeds") as urls:
            pool.warm()
            megabytes = sum(path.stat().st_size for path in (root / "feeds").iterdir()) / 1e6
            for n in range(ROUNDS):
                folder = root / str(n)
                folder.mkdir()
                ours.append(scout_once(urls, folder, pool))
                theirs.append(reader_once(urls, folder))
    entries = {count for _, count in ours + theirs}
    if len(entries) != 1:
        raise SystemExit(f"not the same entries: {entries}")
    count = entries.pop()
    mine, peer = (count / statistics.median(seconds for seconds, _ in runs) for runs in (ours, theirs))
    note = f"{FEEDS} feeds, {count} entries, {megabytes:.1f} MB; reader: {peer:.0f} entries/s"
    figure("ingest of 20 feeds", mine, "entries/s", better="more", note=note)
    figure("ingest of 20 feeds, times reader's throughput", mine / peer, "times", limit=1.5, better="more")


if __name__ == "__main__":
    main()
