"""Who may come to the dashboard, and what they may do: the rules, the settings, and the pages that follow them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cli_help import scout
from dashboard_app import filled, opened, rows, shown, words
from dashboard_store import DAYS

from dashboard import actions, visitors
from dashboard.session import Here
from scout.access import NotAllowed, Role, Visitor, by_header, hosts, is_proxy, refusal, visitor
from scout.config import ConfigError, load
from scout.config.access import Access, Login
from scout.exit_codes import Exit
from scout.store import Store
from scout.store.jobs import JobRow

PROXY = Access(
    login=Login.PROXY, hosts=("scout.example.org",), readers=("*@example.org",), admins=("ada@example.org",),
    proxies=("10.0.0.1", "fd00::/64"), names={"Ada@example.org": "me"},
)  # fmt: skip


# --- the rules


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.0.0.53", "[::1]"])
def test_this_machine_alone_needs_no_login(address: str) -> None:
    assert refusal(Access(), address) == ""


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "8.8.8.8", "scout.example.org", ""])
def test_no_other_address_is_listened_on_without_one(address: str) -> None:
    assert "nobody is asked who they are" in refusal(Access(), address)
    assert "access.hosts" in refusal(Access(login=Login.OIDC, readers=("*",)), address)
    assert refusal(PROXY, address) == ""


def test_the_proxy_says_who_it_is_and_nobody_else() -> None:
    assert by_header(PROXY, peer="10.0.0.1", values=["Bo@Example.org"]) == Visitor(
        "Bo@Example.org", "bo@example.org", Role.READER
    )
    assert by_header(PROXY, peer="::ffff:10.0.0.1", values=["ada@example.org"]).role is Role.ADMIN
    for peer in ("10.0.0.2", "127.0.0.1", "::1", "fd00:0:0:1::1", "", None, "unix:", "10.0.0.1, 10.0.0.2"):
        with pytest.raises(NotAllowed, match="through its proxy alone"):
            by_header(PROXY, peer=peer, values=["ada@example.org"])


@pytest.mark.parametrize("values", [[], [""], [" "], ["ada@example.org", "bo@example.org"]], ids=str)
def test_a_header_that_names_nobody_or_two_lets_nobody_in(values: list[str]) -> None:
    with pytest.raises(NotAllowed):
        by_header(PROXY, peer="10.0.0.1", values=values)


@pytest.mark.parametrize(
    "login",
    ["eve@evil.example", "example.org", "@evil.example", "a@example.org@evil.example", "a@evil.example@example.org", "x@sub.example.org",
     "*", "*@example.org", "a@example.org\n", "\u202ea@example.org", "a\x00@example.org", "x" * 300 + "@example.org", "", "ada"],
    ids=lambda login: ascii(login)[:40],
)  # fmt: skip
def test_who_is_not_named_does_not_come_in(login: str) -> None:
    allowed = login.strip() == "a@example.org"  # white space about a header's value is no part of it
    if allowed:
        assert visitor(PROXY, login).role is Role.READER
        return
    with pytest.raises(NotAllowed):
        visitor(PROXY, login)


def test_a_login_keeps_the_thumbs_of_the_reader_it_is_given() -> None:
    assert visitor(PROXY, "ADA@example.org").reader == "me"
    assert visitor(PROXY, "bo@example.org").reader == "bo@example.org"


def test_networks_of_proxies_are_networks() -> None:
    assert is_proxy(PROXY, "fd00::9")
    assert not is_proxy(PROXY, "fd01::9")


def test_names_by_which_it_is_asked_are_this_machines_and_the_configured() -> None:
    assert hosts(PROXY) == ("127.0.0.1", "localhost", "::1", "scout.example.org")


# --- settings


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"LOGIN": "oidc"}, "nobody may now"),
        ({"LOGIN": "proxy", "READERS": '["*"]'}, "needs proxies"),
        ({"LOGIN": "proxy", "READERS": '["*"]', "PROXIES": '["everywhere"]'}, "no IP address"),
        ({"READERS": '["*"]'}, "lets everybody in"),
        ({"HOSTS": '["scout.example.org"]'}, "lets everybody in"),
        ({"LOGIN": "oidc", "READERS": '["*.example.org"]'}, "names nobody"),
        ({"LOGIN": "oidc", "READERS": '["*"]', "HOSTS": '["https://a.example/"]'}, "no host name"),
        ({"LOGIN": "oidc", "READERS": '["*"]', "HOSTS": '["*"]'}, "no host name"),
        ({"LOGIN": "proxy", "READERS": '["*"]', "PROXIES": '["::1"]', "HEADER": "X Y"}, "access.header".upper()),
        ({"LOGIN": "maybe"}, "ACCESS__LOGIN"),
    ],
    ids=[
        "nobody",
        "no proxies",
        "bad proxy",
        "readers alone",
        "hosts alone",
        "pattern",
        "url",
        "star",
        "header",
        "word",
    ],
)
def test_settings_that_would_let_in_others_than_meant_are_refused(
    keys: Mapping[str, str], words: str, setenv: Callable[[dict[str, str]], None]
) -> None:
    setenv({f"SCOUT_ACCESS__{key}": value for key, value in keys.items()})
    with pytest.raises(ConfigError) as caught:
        load()
    assert words.replace("ACCESS.", "ACCESS__") in str(caught.value).replace("access.header", "ACCESS__HEADER")


def test_the_command_does_not_listen_on_a_network_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    result = scout("dashboard", "--address", "0.0.0.0", "--no-browser")
    assert result.code == Exit.CONFIG
    assert "access.login" in result.err
    monkeypatch.setenv("SCOUT_DASHBOARD__ADDRESS", "0.0.0.0")
    assert "FAIL  dashboard: 0.0.0.0" in scout("doctor").out


def test_a_provider_that_cannot_work_is_told_before_it_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(login=Login.OIDC, readers=("*@example.org",), hosts=("scout.example.org",))
    monkeypatch.setattr(visitors, "find_spec", lambda name: None)
    assert "scout[login]" in visitors.provider_problem(access)
    monkeypatch.setattr(visitors, "find_spec", lambda name: name)
    monkeypatch.setattr(visitors.st, "secrets", {})
    assert "lacks redirect_uri, cookie_secret" in visitors.provider_problem(access)
    whole = {"redirect_uri": "https://scout.example.org/oauth2callback", "client_id": "i", "client_secret": "s"}
    whole |= {
        "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
        "cookie_secret": "short",
    }
    monkeypatch.setattr(visitors.st, "secrets", {"auth": whole})
    assert "shorter than 32" in visitors.provider_problem(access)
    monkeypatch.setattr(visitors.st, "secrets", {"auth": {**whole, "cookie_secret": "x" * 32}})
    assert visitors.provider_problem(access) == ""


# --- the provider's word


class User(dict[str, Any]):
    def to_dict(self) -> dict[str, Any]:
        return {"is_logged_in": True, **self}


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"sub": "1"}, "tells no email"),
        ({"email": ["ada@example.org"]}, "tells no email"),
        ({"email": "ada@example.org", "email_verified": False}, "not verified"),
        ({"email": "eve@evil.example"}, "not among those"),
    ],
    ids=["no claim", "a list", "unverified", "stranger"],
)
def test_a_login_alone_does_not_let_in(claims: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors.st, "user", User(claims))
    with pytest.raises(NotAllowed, match=words):
        visitors._by_provider(PROXY)
    monkeypatch.setattr(visitors.st, "user", User({"email": "ada@example.org", "is_logged_in": False}))
    with pytest.raises(visitors.Stranger, match="Log in"):
        visitors._by_provider(PROXY)
    monkeypatch.setattr(visitors.st, "user", User({"email": "ada@example.org", "email_verified": True}))
    assert visitors._by_provider(PROXY).role is Role.ADMIN


# --- pages


@pytest.fixture
def coming(monkeypatch: pytest.MonkeyPatch, setenv: Callable[[dict[str, str]], None]) -> Callable[..., None]:
    """From now on every page is opened by that login, through the proxy at that address."""

    def come(login: str, peer: str = "10.0.0.1") -> None:
        setenv({
            "SCOUT_TODAY": DAYS[2].isoformat(), "SCOUT_ACCESS__LOGIN": "proxy", "SCOUT_ACCESS__PROXIES": '["10.0.0.1"]',
            "SCOUT_ACCESS__READERS": '["*@example.org"]', "SCOUT_ACCESS__ADMINS": '["ada@example.org"]',
            "SCOUT_ACCESS__NAMES": '{"ada@example.org": "me"}', "FORWARDED_ALLOW_IPS": "",
        })  # fmt: skip
        monkeypatch.setattr(visitors, "_by_proxy", lambda access: by_header(access, peer=peer, values=[login]))

    yield come
    visitors._last.clear()


def test_a_stranger_sees_nothing_of_what_is_stored(coming: Callable[..., None]) -> None:
    filled()
    coming("eve@evil.example")
    page = shown(opened())
    assert "not among those who may read here" in page
    assert "Browsing agents" not in page
    coming("ada@example.org", peer="10.0.0.2")
    assert "through its proxy alone" in shown(opened())
    with Store(load().database) as store:
        assert {row.name for row in store.readers.all()} == {"me"}


def test_a_thumb_on_a_network_is_of_whom_the_login_names_and_a_stranger_gives_none(coming: Callable[..., None]) -> None:
    filled(thumbs=False)
    coming("eve@evil.example")
    assert not opened(reader="me").get("feedback")
    assert rows() == 0
    coming("ada@example.org")
    app = opened(reader="bo")  # whatever the address says
    app.feedback[0].set_value(1).run()
    assert [word.value for word in words("me")] == ["up"]
    assert words("bo") == []


def test_a_reader_reads_as_themselves_and_has_no_page_for_administrators(coming: Callable[..., None]) -> None:
    filled()
    coming("bo@example.org")
    app = opened("readers", reader="me")
    assert "you read as bo" in shown(app).replace("\\", "")
    assert not app.selectbox
    for hidden in ("sources", "runs"):
        with pytest.raises(ValueError, match="Could not find"):
            opened(hidden)
    subjects = opened("subjects")
    assert not subjects.text_area
    assert not [button for button in subjects.button if button.label in ("Save", "Remove", "Add")]


def test_an_administrator_has_all_of_them(coming: Callable[..., None]) -> None:
    filled()
    coming("ada@example.org")
    for page in ("sources", "runs", "subjects"):
        assert opened(page).button
    assert "you read as me" in shown(opened("readers"))


def jobs() -> list[JobRow]:
    with Store(load().database) as store:
        return store.jobs.active()


def test_what_a_page_does_not_offer_a_reader_cannot_ask_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    filled()
    monkeypatch.setattr(actions.st, "session_state", {})
    reader = Here(load(), "bo", Visitor("bo@example.org", "bo", Role.READER))
    for kind in ("run", "poll", "add-source", "import-opml"):
        actions.ask(reader, kind, {})
        assert "for administrators" in str(actions.trouble())
    assert jobs() == []
    actions.ask(reader, "onboard", {"reader": "bo", "text": ""})
    actions.stop(reader, jobs()[0].id)
    assert [job.stop for job in jobs()] == [False]
    actions.ask(Here(load(), "me"), "poll", {})
    assert [job.kind for job in jobs()] == ["onboard", "poll"]


def test_with_a_login_a_mistake_in_the_settings_is_told_to_no_visitor(
    coming: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled()
    coming("bo@example.org")
    app = opened()
    monkeypatch.setenv("SCOUT_DIGEST__TIMEZONE", "Mars/Olympus")
    page = shown(app.run())
    assert "Not available right now" in page
    assert "Mars" not in page
