"""Nothing that came from outside makes scout ask this machine or its network: hundreds of published ways, and none other exists."""

from __future__ import annotations

import ast
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpcore
import pytest
from net_server import Site, serving
from ssrf_cases import PRIVATE, PRIVATE_6, cases

from scout.config import Net
from scout.net.addresses import vet
from scout.net.fetch import Fetcher, FetchError, Refused
from scout.net.requests_session import session

ROOT = Path(__file__).resolve().parents[1]
CASES = cases()
PUBLIC = "93.184.215.14"


def literal(host: str, port: int) -> list[str]:
    """A resolver that knows numbers in every spelling that the C library reads, this machine's names, and no other name."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", "localdomain")) or name == "ip6-localhost":
        return ["127.0.0.1", "::1"]
    if ":" in name:
        return [host]
    try:
        return [socket.inet_ntoa(socket.inet_aton(name))]
    except OSError:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]


def permissive(host: str, port: int) -> list[str]:
    """The same, and every name that is left belongs to somebody hostile, who points it at this machine."""
    try:
        return literal(host, port)
    except OSError:
        return ["127.0.0.1"]


@pytest.fixture
def connected() -> list[str]:
    return []


@pytest.fixture
def fetcher(connected: list[str]) -> Fetcher:
    def connector(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        connected.append(address)
        return httpcore.MockStream([b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nescaped"])

    return Fetcher(Net(), resolver=permissive, connector=connector)


@pytest.mark.parametrize("url", CASES.values(), ids=list(CASES))
def test_no_published_address_escapes(url: str, fetcher: Fetcher, connected: list[str]) -> None:
    with pytest.raises(FetchError):
        fetcher.get(url)
    assert connected == []


def test_the_published_addresses_are_hundreds() -> None:
    assert len(set(CASES.values())) > 250


def test_no_redirect_leads_there() -> None:
    escaped = {name: connected for name in CASES if set(connected := _redirected(CASES[name])) != {PUBLIC}}
    assert escaped == {}


def _redirected(target: str) -> list[str]:
    """Whom a fetcher connects to that is sent on to `target` by a public server."""
    connected: list[str] = []
    location = target.encode("utf-8").replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
    if not location:
        return [PUBLIC]

    def connector(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        connected.append(address)
        head = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
        return httpcore.MockStream([head])

    def resolver(host: str, port: int) -> list[str]:
        return [PUBLIC] if host == "first.example" else permissive(host, port)

    with pytest.raises(FetchError):
        Fetcher(Net(), resolver=resolver, connector=connector).get("http://first.example/")
    return connected


@pytest.mark.parametrize("address", [*PRIVATE.values(), *PRIVATE_6.values()], ids=[*PRIVATE, *PRIVATE_6])
def test_a_name_that_means_a_private_address_is_refused(address: str, connected: list[str]) -> None:
    with pytest.raises(Refused):
        vet(address.replace("%25", "%"), host="evil.example")


def test_a_name_is_resolved_once_whatever_it_says_the_next_time(connected: list[str]) -> None:
    """Rebinding: public while it is vetted, this machine when it is connected to; alternating, and each for every request."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) % 2 else ["169.254.169.254"]

    def connector(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        connected.append(address)
        return httpcore.MockStream([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"])

    fetcher = Fetcher(Net(), resolver=rebinding, connector=connector)
    for turn in range(20):
        try:
            assert fetcher.get("http://rebind.example/").body == b"hi"
        except Refused:
            assert turn % 2
    assert len(asked) == 20
    assert connected == [PUBLIC] * 10


def test_a_redirect_to_the_same_name_is_resolved_and_vetted_anew(connected: list[str]) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    def connector(address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        connected.append(address)
        return httpcore.MockStream(
            [b"HTTP/1.1 302 Found\r\nLocation: http://rebind.example/2\r\nContent-Length: 0\r\n\r\n"]
        )

    with pytest.raises(Refused, match="redirects to"):
        Fetcher(Net(), resolver=lambda host, port: next(answers), connector=connector).get("http://rebind.example/1")
    assert connected == [PUBLIC]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


def test_the_arxiv_packages_client_goes_through_the_same_door(site: Site) -> None:
    """A library's own session follows no redirect by itself and asks no proxy of the environment."""
    made = session(Fetcher(Net(allow_loopback=True)))
    url = site.answers("/", 302, headers={"Location": "http://169.254.169.254/"})
    with pytest.raises(Refused):
        made.get(url)
    assert set(made.adapters) == {"http://", "https://"}
    assert len({id(adapter) for adapter in made.adapters.values()}) == 1


NETWORK = re.compile(
    r"(socket|ssl|httpx2?|httpcore|requests|urllib3|aiohttp|websockets?|http\.(?:client|server)|urllib\.request|smtplib|imaplib|ftplib"
    r"|poplib|telnetlib|xmlrpc|socketserver|pycurl|paramiko|openai|huggingface_hub|arxiv|uvicorn|wsgiref)(\.|$)"
)
MAY_CONNECT = {
    "scout/net/": "the door",
    "scout/sources/arxiv_api.py": "the arxiv package, given a session of the door",
    "scout/sources/imap_client.py": "the owner's mail server, at an address from the settings alone",
    "scout/sources/hub.py": "the Hub's named client, the owner's address",
    "scout/sources/huggingface.py": "types of the Hub's client",
    "scout/serving/": "the model's named client and its server, the owner's addresses",
    "scout/notify/": "the owner's mail server, webhooks and health check, at addresses from the settings alone",
    "scout/metrics/serve.py": "listens for Prometheus, on this machine unless told otherwise",
    "scout/cli/serve.py": "asks the dashboard that it started whether it answers",
}
"""Who may speak to the network, and why. An address from outside goes through the first."""


def test_nothing_else_opens_a_connection() -> None:
    wrong = [
        f"{place}:{line} imports {name}"
        for package in ("scout", "dashboard", "evals", "rl")
        for path in sorted((ROOT / package).rglob("*.py"))
        for place in [str(path.relative_to(ROOT))]
        if not place.startswith(tuple(MAY_CONNECT))
        for line, name in _imports(ast.parse(path.read_text(encoding="utf-8")))
        if NETWORK.match(name)
    ]
    assert wrong == []


def test_the_list_of_who_may_connect_holds_nobody_who_does_not() -> None:
    idle = [
        place
        for place in MAY_CONNECT
        if not any(
            NETWORK.match(name)
            for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
            for _, name in _imports(ast.parse(path.read_text(encoding="utf-8")))
        )
    ]
    assert idle == []


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            yield node.lineno, ast.unparse(node.args[0]).strip("'\"") if node.args else ""


PARSERS = re.compile(r"(feedparser|lxml|trafilatura|pypdf|tarfile|zipfile|bs4|xml\.etree)(\.|$)")
MAY_PARSE = {
    "scout/sources/parse.py": "in the processes of scout/sources/pool.py",
    "scout/agent/documents.py": "in the process of scout/agent/outside.py",
    "scout/agent/archive.py": "in the process of scout/agent/outside.py",
    "scout/digest/atom.py": "writes with it",
    "scout/keeping/backup.py": "writes the owner's backups",
    "scout/keeping/restoring.py": "reads the owner's backups, every entry of which is looked at first",
    "scout/sources/opml.py": "writes with it; reads with expat, entities refused, at most 10 MB",
}


def test_what_comes_from_outside_is_parsed_in_worker_processes_alone() -> None:
    parsing = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "scout").rglob("*.py"))
        for _, name in _imports(ast.parse(path.read_text(encoding="utf-8")))
        if PARSERS.match(name)
    }
    assert parsing <= set(MAY_PARSE)
    importers = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "scout").rglob("*.py"))
        for _, name in _imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith(("scout.sources.parse.", "scout.agent.documents.", "scout.agent.archive."))
        or name in ("scout.agent.documents", "scout.agent.archive", "scout.sources.parse")
    }
    assert importers <= {"scout/sources/worker.py", "scout/agent/worker.py", "scout/agent/archive.py"}
    readers = re.compile(r"\b(letters|oai)\.read\(|from scout\.sources\.(letters|oai) import .*\bread\b")
    callers = [path for path in (ROOT / "scout").rglob("*.py") if readers.search(path.read_text(encoding="utf-8"))]
    assert callers == [ROOT / "scout/sources/worker.py"]
