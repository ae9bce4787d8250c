"""A served dashboard lets in whom it should: a real Streamlit behind a proxy's login, visited from here and from elsewhere."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dashboard_store
import httpx
import identity_provider
import pytest
from streamlit import auth_util
from streamlit.web.server.starlette import starlette_app_utils
from streamlit_visit import Refused, visit

from scout.cli import serve
from scout.config.access import Access, Login

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other loopback addresses than 127.0.0.1 are Linux's")
HOST = "scout.example.org"
ADA = {"X-Forwarded-User": "ada@example.org"}
STORED = "Off-policy corrections"
SETTINGS = f"""
[access]
login = "proxy"
hosts = ["{HOST}"]
readers = ["*@example.org"]
admins = ["ada@example.org"]
proxies = ["127.0.0.1"]
names = {{ "ada@example.org" = "{dashboard_store.READER}" }}
"""
SECRET = "s" * 40
PROVIDED = f"""
[access]
login = "oidc"
hosts = ["{HOST}"]
readers = ["*@example.org"]
"""


@dataclass(frozen=True)
class Served:
    port: int
    config: Path


@pytest.fixture(scope="module")
def provider() -> Iterator[identity_provider.Provider]:
    with identity_provider.providing() as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, provider: identity_provider.Provider) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    config = folder / "scout.toml"
    config.write_text(SETTINGS)
    dashboard_store.fill(folder / "scout.db", thumbs=True, onboarded=True, days=dashboard_store.DAYS).close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = {name: value for name, value in serve._environment().items() if not name.startswith("SCOUT_")}
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "https://{HOST}/oauth2callback"\ncookie_secret = "{SECRET}"\n'
        f'client_id = "{identity_provider.CLIENT}"\nclient_secret = "{identity_provider.SECRET}"\n'
        f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"\n'
    )
    env |= {
        "HOME": str(folder),
        "SCOUT_CONFIG": str(config),
        "SCOUT_DATA_DIR": str(folder),
        "SCOUT_TODAY": dashboard_store.DAYS[2].isoformat(),
    }
    words = serve._streamlit(
        serve._app(),
        serve.Place("127.0.0.1", port),
        Access(login=Login.PROXY, readers=("*",), hosts=(HOST,), proxies=("127.0.0.1",)),
    )
    process = subprocess.Popen(
        words, cwd=folder, env=env, stdout=subprocess.DEVNULL
    )  # as `scout dashboard`, without a worker
    try:
        until_it_listens(port, process)
        yield Served(port, config)
    finally:
        process.terminate()
        process.wait(60)


def until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"Streamlit does not listen; it ended with {process.poll()}")


def asked(
    port: int, path: str, *, host: str, method: str = "GET", source: str = "127.0.0.1"
) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
    line.putrequest(method, path, skip_host=True)
    line.putheader("Host", host)
    line.putheader("Content-Length", "0")
    line.endheaders()
    answer = line.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    line.close()
    return answer


def test_whom_the_proxy_names_reads_what_is_stored(served: Served) -> None:
    assert STORED in visit(served.port, host=HOST, headers=ADA, origin=f"http://{HOST}")


def test_whom_it_names_not_sees_nothing(served: Served) -> None:
    page = visit(served.port, host=HOST)
    assert "does not say who you are" in page
    assert STORED not in page
    stranger = visit(served.port, host=HOST, headers={"X-Forwarded-User": "eve@evil.example"})
    assert "not among those who may read here" in stranger
    assert STORED not in stranger


def test_a_link_to_another_page_says_why_it_is_not_theirs(served: Served) -> None:
    assert "does not say who you are" in visit(served.port, host=HOST, page="saved")
    kept = visit(served.port, host=HOST, headers={"X-Forwarded-User": "bo@example.org"}, page="sources")
    assert "For administrators" in kept
    assert "Check all now" not in kept


@pytest.mark.parametrize(
    "forged",
    [{}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}],
    ids=["header", "forwarded-for", "forwarded"],
)
def test_a_header_from_another_address_is_believed_by_nobody(served: Served, forged: dict[str, str]) -> None:
    with pytest.raises(Refused):
        visit(served.port, host=HOST, headers={**ADA, **forged}, source="127.0.0.2")


def test_a_second_header_beside_the_proxys_lets_nobody_in(served: Served) -> None:
    page = visit(served.port, host=HOST, headers={**ADA, "x-forwarded-user": "bo@example.org"})
    assert "does not say who you are" in page


@pytest.mark.parametrize("host", ["evil.example", f"{HOST}.evil.example", "127.0.0.1.evil.example", "10.0.0.1"])
def test_a_name_that_was_rebound_to_this_machine_is_not_answered(served: Served, host: str) -> None:
    for path in ("/", "/_stcore/host-config", "/_stcore/health", "/media/x"):
        assert asked(served.port, path, host=host).status == 403
    with pytest.raises(Refused):
        visit(served.port, host=host, headers=ADA)


def test_a_page_of_another_site_opens_no_connection(served: Served) -> None:
    for origin in ("https://evil.example", "null", f"https://{HOST}.evil.example", "http://127.0.0.1:1"):
        with pytest.raises(Refused):
            visit(served.port, host=HOST, headers=ADA, origin=origin)


def test_no_other_page_may_frame_it(served: Served) -> None:
    answer = asked(served.port, "/", host=f"{HOST}:443")
    assert answer.status == 200
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_monitor_on_the_machine_may_ask_whether_it_is_well_and_no_more(served: Served) -> None:
    assert asked(served.port, "/_stcore/health", host="127.0.0.1", source="127.0.0.2").status == 200
    assert asked(served.port, "/", host="127.0.0.1", source="127.0.0.2").status == 403


def test_no_program_drives_the_pages_past_the_login(served: Served) -> None:
    answer = asked(served.port, "/_stcore/agent/interact", host=HOST, method="POST")
    assert answer.status >= 400
    assert STORED.encode() not in answer.body  # type: ignore[attr-defined]


# --- an identity provider's login, by Streamlit's cookie


@pytest.fixture
def provided(served: Served) -> Iterator[Served]:
    """The same server, asked to believe the provider: who may come in is read anew at each page load."""
    write(served.config, PROVIDED)
    yield served
    write(served.config, SETTINGS)


def write(path: Path, text: str) -> None:
    path.write_text(text)
    at = time.time() + len(text)  # a change that a clock of whole seconds sees
    os.utime(path, (at, at))


def cookies(secret: str = SECRET, origin: str = f"https://{HOST}", **claims: object) -> dict[str, str]:
    """What a browser sends that has logged in; `secret` is who signed it."""
    token = starlette_app_utils.generate_xsrf_token_string()
    told = json.dumps({"is_logged_in": True, "origin": origin, "email": "bo@example.org", **claims})
    signed = starlette_app_utils.create_signed_value(secret, "_streamlit_user", told).decode()
    return {"Cookie": f"_streamlit_xsrf={token}; _streamlit_user={signed}", "token": token}


def seen(served: Served, headers: dict[str, str]) -> str:
    token = headers.get("token", "")
    sent = {name: value for name, value in headers.items() if name != "token"}
    return visit(served.port, host=HOST, headers=sent, origin=f"https://{HOST}", token=token)


def test_a_cookie_that_was_signed_here_says_who_it_is(provided: Served) -> None:
    page = seen(provided, cookies())
    assert "Log in to read" not in page
    assert "not among those" not in page
    assert "not among those" in seen(provided, cookies(email="eve@evil.example"))
    assert "not verified" in seen(provided, cookies(email_verified=False))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        cookies(secret="t" * 40),
        cookies(secret="u" * 40, sub="x"),
        cookies(origin="https://evil.example"),
        {"X-Forwarded-User": "ada@example.org"},
    ],
    ids=["none", "another secret", "a third secret", "another origin", "a proxy's header"],
)
def test_any_other_cookie_says_nothing(provided: Served, headers: dict[str, str]) -> None:
    page = seen(provided, headers)
    assert "Log in to read" in page
    assert STORED not in page


def logged_in(served: Served, provider: identity_provider.Provider) -> httpx.Cookies:
    """The cookies of a browser that went all the way: to the login, the provider, and back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth_util, "get_signing_secret", lambda: SECRET)
        token = auth_util.encode_provider_token("default")
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers={"Host": HOST}, trust_env=False) as browser:
        begun = browser.get("/auth/login", params={"provider": token})
        back = httpx.get(begun.headers["location"], trust_env=False).headers["location"]
        kept = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        ended = browser.get(back.removeprefix(f"https://{HOST}"), headers={"Cookie": kept})
        return httpx.Cookies({**dict(browser.cookies), **dict(ended.cookies)})


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "bo@example.org", "email_verified": True}, ""),
        ({"email": "bo@example.org", "email_verified": False}, "not verified"),
        ({"email": "eve@evil.example", "email_verified": True}, "not among those"),
    ],
    ids=["reader", "unverified", "stranger"],
)
def test_a_login_with_a_provider_goes_all_the_way(
    provided: Served, provider: identity_provider.Provider, claims: dict[str, object], words: str
) -> None:
    provider.claims = claims
    found = logged_in(provided, provider)
    token = starlette_app_utils.generate_xsrf_token_string()
    jar = {**dict(found), "_streamlit_xsrf": token}
    page = seen(provided, {"Cookie": "; ".join(f"{n}={v}" for n, v in jar.items()), "token": token})
    assert "Log in to read" not in page
    assert words in page
    if words:
        assert "Not for everybody" in page
    else:
        assert "Not for everybody" not in page


def test_a_token_that_another_key_signed_logs_nobody_in(
    provided: Served, provider: identity_provider.Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.claims = {"email": "bo@example.org", "email_verified": True}
    monkeypatch.setattr(provider, "signed_by", identity_provider.Provider(provider.url).key)
    assert "_streamlit_user" not in logged_in(provided, provider)


def test_an_error_tells_a_visitor_no_path_and_no_key(served: Served) -> None:
    write(served.config, SETTINGS + '\n[digest]\ntimezone = "Mars/Olympus"\n')
    try:
        page = visit(served.port, host=HOST, headers=ADA)
        assert "Not available right now" in page
        assert "Mars" not in page
        assert str(served.config) not in page
    finally:
        write(served.config, SETTINGS)
