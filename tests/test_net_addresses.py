"""The door lets nobody in but the public internet, in whatever notation an address comes."""

from __future__ import annotations

import socket
from typing import Any

import httpcore
import pytest

from scout.config import Net
from scout.items import OutcomeKind
from scout.net.addresses import vet
from scout.net.fetch import Fetcher, FetchError, Refused, checked


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_a_public_address_may_be_asked(address: str) -> None:
    assert vet(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "203.0.113.9", "192.88.99.1", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
        "fec0::1", "ff02::1", "100::1", "not an address", "",
    ],
)  # fmt: skip
def test_no_other_address_is(address: str) -> None:
    with pytest.raises(Refused):
        vet(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_asked_where_it_is_allowed(address: str) -> None:
    assert vet(address, allow_loopback=True) is None


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "fe80::1", "0.0.0.0", "64:ff9b::7f00:1", "::ffff:10.0.0.1"]
)
def test_allowing_loopback_allows_nothing_else(address: str) -> None:
    with pytest.raises(Refused):
        vet(address, allow_loopback=True)


def test_a_refusal_names_the_host_and_the_way_out() -> None:
    with pytest.raises(Refused, match=r"intranet\.example \(10\.0\.0\.7\).*net\.allow_hosts"):
        vet("10.0.0.7", host="intranet.example")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1:11211/", "javascript:alert(1)", "data:text/html,x",
        "//example.org/feed", "example.org", "http://", "http:///feed", "http://user:word@example.org/", "http://user@example.org/",
        "http://example.org:0/", "http://example.org:70000/", "http://exa\nmple.org/", "http://[::1", "", "http://e/" + "x" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused_unasked(url: str) -> None:
    with pytest.raises(Refused):
        checked(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.0.1./",
        "http://localhost/", "http://localhost./", "http://LOCALHOST/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/", "http://0.0.0.0/", "http://0/", "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1%25lo]/", "http://①②⑦.⓪.⓪.①/",
    ],
)  # fmt: skip
def test_notations_of_this_machine_are_seen_through(url: str) -> None:
    def connector(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        raise AssertionError(f"connected to {address}")

    with pytest.raises(FetchError) as caught:
        Fetcher(Net(), connector=connector).get(url)
    assert caught.value.kind in (OutcomeKind.REFUSED, OutcomeKind.UNREACHABLE)


class Answers(httpcore.MockStream):
    def __init__(self) -> None:
        super().__init__([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"])


def test_a_name_that_changes_its_address_is_asked_at_the_one_that_was_vetted() -> None:
    resolved, connected = [], []

    def rebinding(host: str, port: int) -> list[str]:
        resolved.append(host)
        return ["93.184.215.14"] if len(resolved) == 1 else ["127.0.0.1"]

    def connector(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        connected.append((address, port))
        return Answers()

    fetcher = Fetcher(Net(), resolver=rebinding, connector=connector)
    assert fetcher.get("http://rebind.example/").body == b"hi"
    assert (resolved, connected) == (["rebind.example"], [("93.184.215.14", 80)])
    with pytest.raises(Refused, match="this machine"):
        fetcher.get("http://rebind.example/")
    assert len(connected) == 1


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    fetcher = Fetcher(Net(), resolver=lambda host, port: ["93.184.215.14", "10.0.0.1"], connector=_never)
    with pytest.raises(Refused, match=r"10\.0\.0\.1"):
        fetcher.get("http://mixed.example/")


def test_a_host_of_ones_own_network_is_asked_where_it_is_named() -> None:
    net = Net(allow_hosts=("Wiki.Internal",))
    fetcher = Fetcher(net, resolver=lambda host, port: ["10.0.0.1"], connector=lambda *to: Answers())
    assert fetcher.get("http://wiki.internal/").body == b"hi"
    with pytest.raises(Refused):
        fetcher.get("http://other.internal/")


def test_the_next_address_is_tried_where_the_first_is_dead() -> None:
    tried = []

    def connector(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        tried.append(address)
        if len(tried) == 1:
            raise httpcore.ConnectError("refused")
        return Answers()

    fetcher = Fetcher(Net(), resolver=lambda host, port: ["2606:4700::1111", "93.184.215.14"], connector=connector)
    assert fetcher.get("http://two.example/").status == 200
    assert tried == ["2606:4700::1111", "93.184.215.14"]


def test_tls_is_made_with_the_hosts_name_not_its_address() -> None:
    names: list[Any] = []

    class Secure(Answers):
        def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
            names.append(server_hostname)
            return self

    Fetcher(Net(), resolver=lambda host, port: ["93.184.215.14"], connector=lambda *to: Secure()).get(
        "https://tls.example/"
    )
    assert names == ["tls.example"]


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(FetchError, match=r"nowhere\.example") as caught:
        Fetcher(Net(), resolver=unknown, connector=_never).get("http://nowhere.example/")
    assert caught.value.kind is OutcomeKind.UNREACHABLE


def _never(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
    raise AssertionError(f"connected to {address}")
