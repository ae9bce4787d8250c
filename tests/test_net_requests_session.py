"""A library with a client of its own goes through our door."""

from __future__ import annotations

from collections.abc import Iterator

import arxiv
import pytest
from net_server import Site, serving

from scout.config import Net
from scout.items import OutcomeKind
from scout.net.fetch import Fetcher, FetchError, Refused
from scout.net.requests_session import session

PAGE = b"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom">
<id>https://arxiv.org/api/x</id><title>arXiv Query</title><updated>2025-12-02T00:00:00Z</updated>
<opensearch:itemsPerPage>1</opensearch:itemsPerPage><opensearch:totalResults>1</opensearch:totalResults>
<opensearch:startIndex>0</opensearch:startIndex>
<entry><id>http://arxiv.org/abs/2512.00001v1</id><title>A paper</title><updated>2025-12-01T00:00:00Z</updated>
<link href="https://arxiv.org/abs/2512.00001v1" rel="alternate" type="text/html"/><summary>Its abstract.</summary>
<category term="cs.LG"/><published>2025-12-01T00:00:00Z</published><author><name>A. Author</name></author></entry></feed>"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


@pytest.fixture
def client(site: Site) -> arxiv.Client:
    made = arxiv.Client(page_size=1, delay_seconds=0, num_retries=2)
    made.query_url_format = site.url + "/api/query?{}"
    made._session = session(Fetcher(Net(allow_loopback=True)))
    return made


def answer_everything(site: Site, status: int, body: bytes = b"", **headers: str) -> None:
    class Any(dict[str, object]):
        def __missing__(self, path: str) -> object:
            return lambda handler: handler.reply(status, body, **headers)

    site.routes = Any()  # type: ignore[assignment]


def test_the_arxiv_package_reads_an_answer_through_the_door(site: Site, client: arxiv.Client) -> None:
    answer_everything(site, 200, PAGE, Content_Type="application/atom+xml")
    found = list(client.results(arxiv.Search(id_list=["2512.00001"])))
    assert [paper.title for paper in found] == ["A paper"]
    assert site.asked[0].headers["User-Agent"].startswith("scout/")


def test_an_error_of_the_door_comes_through_at_once_and_is_not_retried(site: Site, client: arxiv.Client) -> None:
    answer_everything(site, 429, Retry_After="60")
    with pytest.raises(FetchError) as caught:
        list(client.results(arxiv.Search(id_list=["2512.00001"])))
    assert caught.value.kind is OutcomeKind.BUSY
    assert len(site.asked) == 1


def test_other_addresses_and_methods_are_refused() -> None:
    made = session(Fetcher(Net()))
    with pytest.raises(Refused):
        made.get("http://169.254.169.254/")
    with pytest.raises(Refused):
        made.post("http://example.org/", data="x")


def test_limits_of_the_session_hold(site: Site) -> None:
    url = site.answers("/", body=b"x" * 100)
    fetcher = Fetcher(Net(allow_loopback=True))
    assert session(fetcher, max_bytes=100).get(url).content == b"x" * 100
    with pytest.raises(FetchError):
        session(fetcher, max_bytes=99).get(url)
