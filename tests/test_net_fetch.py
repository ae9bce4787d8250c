"""What the door makes of answers, honest and otherwise."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from net_server import Handler, Site, serving

from scout.config import Net
from scout.items import OutcomeKind
from scout.net.fetch import Fetcher, FetchError, Refused, Response, Validators

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(Net(allow_loopback=True, deadline_seconds=5, contact="https://example.org/me"), clock=lambda: NOW)


def fails(fetcher: Fetcher, url: str, **options: float) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetcher.get(url, **options)  # type: ignore[arg-type]
    return caught.value


# --- asking


def test_who_asks_says_so_and_sends_no_more_than_needed(site: Site, fetcher: Fetcher) -> None:
    fetcher.get(site.answers("/feed", body=b"x"), accept="application/rss+xml")
    headers = {name.lower(): value for name, value in site.asked[0].headers.items()}
    assert headers.pop("user-agent").endswith("(+https://example.org/me)")
    assert headers == {
        "host": site.url.removeprefix("http://"),
        "accept": "application/rss+xml",
        "accept-encoding": "gzip, deflate",
        "connection": "close",
    }


def test_proxies_and_passwords_of_the_environment_play_no_part(
    site: Site, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetcher.get(site.answers("/", body=b"direct")).body == b"direct"


def test_validators_are_sent_and_304_comes_back_without_a_body(site: Site, fetcher: Fetcher) -> None:
    url = site.answers("/feed", 304)
    answer = fetcher.get(url, validators=Validators('"abc"', "Mon, 01 Dec 2025 06:00:00 GMT"))
    assert (answer.not_modified, answer.body) == (True, b"")
    assert site.asked[0].headers["If-None-Match"] == '"abc"'
    assert site.asked[0].headers["If-Modified-Since"] == "Mon, 01 Dec 2025 06:00:00 GMT"


def test_304_to_a_question_not_asked_is_an_error(site: Site, fetcher: Fetcher) -> None:
    assert fails(fetcher, site.answers("/feed", 304)).kind is OutcomeKind.HTTP_ERROR


# --- decoding


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"feed " * 1000)),
        ("gzip", gzip.compress(b"feed " * 400) + gzip.compress(b"feed " * 600)),
        ("gzip", gzip.compress(b"feed " * 1000) + b"\0" * 100),
        ("x-gzip", gzip.compress(b"feed " * 1000)),
        ("deflate", zlib.compress(b"feed " * 1000)),
        ("deflate", zlib.compress(b"feed " * 1000)[2:-4]),
        ("identity", b"feed " * 1000),
    ],
    ids=["gzip", "two members", "padded", "x-gzip", "zlib", "raw deflate", "identity"],
)
def test_packed_answers_are_unpacked(site: Site, fetcher: Fetcher, encoding: str, body: bytes) -> None:
    assert fetcher.get(site.answers("/", body=body, headers={"Content-Encoding": encoding})).body == b"feed " * 1000


def test_a_bomb_is_noticed_before_it_goes_off(site: Site, fetcher: Fetcher) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packer.compress(b"\0" * 1_000_000) for _ in range(200)), packer.flush()])
    url = site.answers("/", body=bomb, headers={"Content-Encoding": "gzip"})
    err = fails(fetcher, url, max_bytes=1_000_000)
    assert err.kind is OutcomeKind.TOO_LARGE
    assert "1,000,000 bytes" in err.message


def test_exactly_the_limit_is_not_too_large(site: Site, fetcher: Fetcher) -> None:
    url = site.answers("/", body=gzip.compress(b"x" * 1000), headers={"Content-Encoding": "gzip"})
    assert len(fetcher.get(url, max_bytes=1000).body) == 1000
    assert fails(fetcher, url, max_bytes=999).kind is OutcomeKind.TOO_LARGE


def test_a_size_announced_beyond_the_limit_is_not_read(site: Site, fetcher: Fetcher) -> None:
    site.routes["/"] = lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
    assert fails(fetcher, site.url + "/").kind is OutcomeKind.TOO_LARGE


@pytest.mark.parametrize(
    ("encoding", "body", "kind"),
    [
        ("gzip", b"this is not gzip", OutcomeKind.UNREADABLE),
        ("gzip", gzip.compress(b"feed " * 1000)[:-20], OutcomeKind.UNREACHABLE),
        ("br", b"brotli was not asked for", OutcomeKind.UNREADABLE),
        ("zstd", b"\x28\xb5\x2f\xfd nor was zstandard", OutcomeKind.UNREADABLE),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x")), OutcomeKind.UNREADABLE),
    ],
    ids=["not gzip", "cut gzip", "brotli", "zstandard", "twice"],
)
def test_what_cannot_be_unpacked_says_so(
    site: Site, fetcher: Fetcher, encoding: str, body: bytes, kind: OutcomeKind
) -> None:
    assert fails(fetcher, site.answers("/", body=body, headers={"Content-Encoding": encoding})).kind is kind


# --- redirects


def redirect(site: Site, path: str, status: int, to: str) -> str:
    return site.answers(path, status, headers={"Location": to})


def get_via(site: Site, fetcher: Fetcher, *statuses: int) -> Response:
    for n, status in enumerate(statuses):
        redirect(site, f"/{n}", status, f"/{n + 1}")
    site.answers(f"/{len(statuses)}", body=b"here")
    return fetcher.get(f"{site.url}/0")


@pytest.mark.parametrize(
    ("statuses", "permanent"),
    [((301,), "/1"), ((308, 301), "/2"), ((301, 302), "/1"), ((302, 301), None), ((302,), None), ((303, 307), None)],
)
def test_only_permanent_redirects_are_remembered(
    site: Site, fetcher: Fetcher, statuses: tuple[int, ...], permanent: str | None
) -> None:
    answer = get_via(site, fetcher, *statuses)
    assert (answer.body, answer.url) == (b"here", f"{site.url}/{len(statuses)}")
    assert answer.permanent_url == (site.url + permanent if permanent else None)


def test_five_redirects_are_followed_and_no_more(site: Site, fetcher: Fetcher) -> None:
    assert get_via(site, fetcher, *[302] * 5).body == b"here"
    with pytest.raises(FetchError, match="more than 5 redirects"):
        get_via(site, fetcher, *[302] * 6)


def test_a_circle_of_redirects_ends_where_it_closes(site: Site, fetcher: Fetcher) -> None:
    redirect(site, "/b", 302, "/a#again")
    assert "circle" in fails(fetcher, redirect(site, "/a", 302, "/b")).message
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://10.0.0.1/",
        "http://u:p@127.0.0.1/",
        "//[::",
    ],
)
def test_a_redirect_is_vetted_like_any_address(site: Site, fetcher: Fetcher, to: str) -> None:
    err = fails(fetcher, redirect(site, "/", 302, to))
    assert (err.kind, "redirects to" in err.message) == (OutcomeKind.REFUSED, True)


def test_a_redirect_to_nowhere_is_an_error(site: Site, fetcher: Fetcher) -> None:
    assert fails(fetcher, site.answers("/", 302)).kind is OutcomeKind.HTTP_ERROR


def test_this_machine_is_refused_by_default(site: Site) -> None:
    with pytest.raises(Refused, match="allow_loopback"):
        Fetcher(Net()).get(site.answers("/", body=b"x"))
    assert site.asked == []


# --- statuses


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retry_at"),
    [
        (404, {}, OutcomeKind.HTTP_ERROR, None),
        (500, {"Retry-After": "5"}, OutcomeKind.HTTP_ERROR, None),
        (410, {}, OutcomeKind.GONE, None),
        (429, {"Retry-After": "120"}, OutcomeKind.BUSY, NOW + timedelta(minutes=2)),
        (503, {"Retry-After": "Tue, 02 Dec 2025 10:00:00 GMT"}, OutcomeKind.BUSY, NOW + timedelta(hours=1)),
        (429, {}, OutcomeKind.BUSY, None),
        (503, {}, OutcomeKind.HTTP_ERROR, None),
    ],
)
def test_an_error_is_told_by_its_status(
    site: Site, fetcher: Fetcher, status: int, headers: dict[str, str], kind: OutcomeKind, retry_at: datetime | None
) -> None:
    err = fails(fetcher, site.answers("/", status, headers=headers))
    assert (err.kind, err.status, err.retry_at) == (kind, status, retry_at)
    assert str(status) in err.message


# --- time and breakage


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"],
    ids=["before the headers", "in the headers", "in the body"],
)
def test_the_deadline_holds_against_a_byte_now_and_then(site: Site, fetcher: Fetcher, head: bytes) -> None:
    err = fails(fetcher, site.drips("/", head, every=0.05), deadline=0.4)
    assert (err.kind, err.message) == (OutcomeKind.TOO_SLOW, "no whole answer within 0.4 s")


def test_the_deadline_holds_over_redirects_together(site: Site, fetcher: Fetcher) -> None:
    def slow(path: str, to: str) -> None:
        def answer(handler: Handler) -> None:
            site.closing.wait(0.15)
            handler.reply(302, Location=to)

        site.routes[path] = answer

    for n in range(5):
        slow(f"/{n}", f"/{n + 1}")
    site.answers("/5", body=b"at last")
    assert fails(fetcher, f"{site.url}/0", deadline=0.4).kind is OutcomeKind.TOO_SLOW


def test_a_name_server_that_never_answers_does_not_hold_anyone_up() -> None:
    never = threading.Event()

    def resolver(host: str, port: int) -> list[str]:
        never.wait()
        return []

    try:
        err = fails(Fetcher(Net(), resolver=resolver), "http://slow.example/", deadline=0.2)
        assert err.kind is OutcomeKind.UNREACHABLE
    finally:
        never.set()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000,
    ],
    ids=["nothing", "cut short", "cut chunks", "not http", "endless header"],
)
def test_an_answer_that_breaks_off_is_unreachable(site: Site, fetcher: Fetcher, data: bytes) -> None:
    site.routes["/"] = lambda handler: handler.raw(data)
    assert fails(fetcher, site.url + "/").kind is OutcomeKind.UNREACHABLE


def test_nobody_at_the_port_is_unreachable(site: Site, fetcher: Fetcher) -> None:
    assert fails(fetcher, "http://127.0.0.1:1/").kind is OutcomeKind.UNREACHABLE


def test_threads_share_a_fetcher(site: Site, fetcher: Fetcher) -> None:
    urls = [site.answers(f"/{n}", body=b"%d" % n) for n in range(16)]
    found: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda n=n, url=url: found.update({n: fetcher.get(url).body}))  # type: ignore[misc]
        for n, url in enumerate(urls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: b"%d" % n for n in range(16)}
