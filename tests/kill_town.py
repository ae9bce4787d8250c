"""A small outside world of two days for runs that are killed: arXiv, two blogs, the Hub and a model, on loopback.

As a program it serves until killed, its addresses on stdout as JSON. What it serves depends on the day asked for in the path
alone, so that any number of runs, in any order, see the same.
"""

from __future__ import annotations

import json
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import net_server
import scripted_server
from enrich_samples import honest, keen
from scripted_server import Request

DAYS = (date(2025, 12, 1), date(2025, 12, 2))
PAPERS, PICKS = 24, 5
_WORDS = (
    "agents attention benchmark compiler data distillation evaluation gradient language memory model optimizer planning policy "
    "quantization reasoning retrieval reward robot safety scaling simulation sparse speech token tool training vision"
).split()
_NEW_YORK = ZoneInfo("America/New_York")


def sentences(seed: str, count: int = 5) -> str:
    rng = random.Random(seed)
    return " ".join(
        f"We study {rng.choice(_WORDS)} {rng.choice(_WORDS)} by {rng.choice(_WORDS)} of {rng.choice(_WORDS)} {n}."
        for n in range(count)
    )


def title(seed: str) -> str:
    return " ".join(random.Random(f"title {seed}").choices(_WORDS, k=6)).capitalize()


def number(day: date, n: int) -> str:
    return f"{day:%y%m}.{day.day * 100 + n:05d}"


def announcement(day: date) -> str:
    """arXiv's feed of a day: its papers, and from the second day on three of the day before in a second version."""
    at = format_datetime(datetime(day.year, day.month, day.day, tzinfo=_NEW_YORK))
    rows = [(number(day, n), 1, "new", "") for n in range(PAPERS)]
    rows += [(number(DAYS[0], n), 2, "replace", " This version corrects a figure.") for n in range(3) if day > DAYS[0]]
    items = "".join(
        f"<item><title>{escape(title(id))}</title><link>https://arxiv.org/abs/{id}</link>"
        f"<description>arXiv:{id}v{version} Announce Type: {kind}\nAbstract: {sentences(id)}{more}</description>"
        f"<guid isPermaLink='false'>oai:arXiv.org:{id}v{version}</guid><category>cs.{'CL' if int(id[-1]) % 2 else 'LG'}</category>"
        f"<pubDate>{at}</pubDate><arxiv:announce_type>{kind}</arxiv:announce_type>"
        f"<dc:creator>Ann {_WORDS[int(id[-2:]) % 9].title()}, Bo {_WORDS[int(id[-2:]) % 7].title()}</dc:creator></item>"
        for id, version, kind, more in rows
    )
    return (
        '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>'
        f"<title>arXiv</title><lastBuildDate>{at}</lastBuildDate><pubDate>{at}</pubDate>"
        f"<skipDays><day>Sunday</day><day>Saturday</day></skipDays>{items}</channel></rss>"
    )


def blog(name: str, day: date) -> str:
    """Posts of a lab; on the second day there is one more, and the newest of the day before was edited."""
    posts = [(4, DAYS[1])] if day > DAYS[0] else []
    posts += [(n, DAYS[0]) for n in range(4)]
    items = "".join(
        f"<item><title>{escape(title(f'{name} {n}'))}</title><link>https://{name}.example/{n}</link><guid>{name}-{n}</guid>"
        f"<pubDate>{format_datetime(datetime(on.year, on.month, on.day, 9 + n, tzinfo=_NEW_YORK))}</pubDate>"
        f"<description>{sentences(f'{name} {n}', 8)}"
        f"{' See arXiv:' + number(DAYS[0], n) + '.' if n < 2 else ''}{' Edited.' if day > DAYS[0] and n == 3 else ''}"
        "</description></item>"
        for n, on in posts
    )
    return (
        f"<rss version='2.0'><channel><title>{name}</title><link>https://{name}.example/</link>{items}</channel></rss>"
    )


def picks(day: date) -> str:
    rows = [number(day, 3 * n) for n in range(PICKS)]
    return json.dumps(
        [
            {"paper": {"id": id, "title": title(id), "summary": sentences(id), "publishedAt": f"{day}T04:00:00.000Z",
                       "authors": [{"name": "Ann"}], "upvotes": 10 + n},
             "title": title(id), "publishedAt": f"{day}T04:00:00.000Z", "numComments": 0}
            for n, id in enumerate(rows)
        ]
    )  # fmt: skip


def releases(author: str, day: date) -> str:
    return json.dumps(
        [
            {"_id": f"{author}-{on}", "id": f"{author}/Model-{on.day}", "modelId": f"{author}/Model-{on.day}", "author": author,
             "createdAt": f"{on}T10:00:00.000Z", "lastModified": f"{on}T10:00:00.000Z", "private": False, "gated": False,
             "disabled": False, "tags": ["text-generation"], "pipeline_tag": "text-generation", "downloads": 5, "likes": 3}
            for on in DAYS if on <= day
        ][::-1]
    )  # fmt: skip


def answer(path: str) -> tuple[bytes, str] | None:
    """What stands at /DAY/…; None where nothing does."""
    asked = urlsplit(path)
    found = re.fullmatch(r"/(\d{4}-\d{2}-\d{2})(/.*)", asked.path)
    if not found:
        return None
    day, query = date.fromisoformat(found[1]), {k: v[0] for k, v in parse_qs(asked.query).items()}
    where = found[2]
    if where.startswith("/arxiv/rss"):
        return announcement(day).encode(), "application/rss+xml"
    if where.startswith("/blog/"):
        return blog(where.rpartition("/")[2], day).encode(), "application/rss+xml"
    if where == "/hf/api/daily_papers":
        asked_day = date.fromisoformat(query.get("date", str(day)))
        return (picks(asked_day) if asked_day in DAYS else "[]").encode(), "application/json"
    if where == "/hf/api/models":
        return releases(query.get("author", "lab"), day).encode(), "application/json"
    return None


class Town(net_server.Handler):
    def do_GET(self) -> None:
        found = answer(self.path)
        if found is None:
            self.reply(404, b"nothing here")
        else:
            self.reply(200, found[0], Content_Type=found[1], ETag=f'"{len(found[0])}"')


def written(request: Request) -> str | None:
    """What the model writes depends on what it is asked alone."""
    return honest(request) if len(request.messages) > 1 else None


def main(served: Callable[[], None] = lambda: time.sleep(10**6)) -> None:
    server = net_server.Server(("127.0.0.1", 0), Town)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    model = scripted_server.ScriptedServer()
    model.script, model.labelling, model.keeps_requests = written, keen, False
    model.start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}", "model": model.base_url}), flush=True)
    served()


if __name__ == "__main__":
    sys.exit(main())
