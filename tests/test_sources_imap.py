"""Newsletters by IMAP, from a real server on loopback: each mail once, nothing changed there, no password told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imap_server
import pytest
import receivers
from cli_help import scout
from imap_server import Box
from letter_samples import letter

from scout.config import load
from scout.config.mail import Imap
from scout.config.types import Security
from scout.ingest import ingest
from scout.items import OutcomeKind
from scout.sources.imap_client import _utf7, problem
from scout.store import Store

Set = Callable[[dict[str, str]], None]
READING = {"EXAMINE", "UID", "LOGIN", "AUTHENTICATE", "CAPABILITY", "LOGOUT", "STARTTLS"}


@pytest.fixture
def asked(setenv: Set) -> Callable[[Box, dict[str, str]], None]:
    """Settings that poll this mailbox and nothing else."""

    def given(box: Box, more: dict[str, str]) -> None:
        off = {f"SCOUT_{name}": "0" for name in ("ARXIV__ENABLED", "HUGGINGFACE__ENABLED", "SOURCES__DEFAULTS")}
        imap = {
            "HOST": "127.0.0.1", "PORT": str(box.port), "SECURITY": "none", "USER": box.user, "PASSWORD": box.password,
            "TIMEOUT_SECONDS": "20", **more,
        }  # fmt: skip
        setenv(off | {f"SCOUT_MAIL__IMAP__{key}": value for key, value in imap.items()})

    return given


def polled() -> tuple[OutcomeKind, str, int]:
    settings = load()
    with Store(settings.database) as store:
        (poll,) = ingest(store, settings).polls
    return poll.outcome.kind, poll.outcome.message, poll.new


def titles() -> list[str]:
    with Store(load().database) as store:
        return sorted(stored.item.title for stored in store.items.listing())


def test_each_newsletter_is_taken_once_and_the_mailbox_stays_as_it_is(asked: Callable[..., None]) -> None:
    with imap_server.serving(Box({3: letter(1), 5: letter(2, to_list=False)})) as box:
        asked(box, {})
        assert polled() == (OutcomeKind.OK, "1 left alone that go to no list", 1)
        assert polled() == (OutcomeKind.UNCHANGED, "", 0)
        box.add(9, letter(4))
        assert polled() == (OutcomeKind.OK, "", 1)
    assert titles() == ["Issue 1: Größer", "Issue 4: Größer"]
    assert {command.split()[0] for command in box.said} <= READING
    assert all("PEEK" in command for command in box.said if "FETCH" in command)


def test_a_letter_between_people_is_not_even_fetched(asked: Callable[..., None]) -> None:
    with imap_server.serving(Box({1: letter(1, to_list=False), 2: letter(2)})) as box:
        asked(box, {})
        polled()
    assert [command for command in box.said if "BODY.PEEK[]" in command and command.startswith("UID FETCH 1 ")] == []
    assert [command for command in box.said if "BODY.PEEK[]" in command and command.startswith("UID FETCH 2 ")] != []


def test_the_first_poll_looks_back_a_few_days_and_another_validity_begins_anew(asked: Callable[..., None]) -> None:
    with imap_server.serving(Box({8: letter(1)})) as box:
        asked(box, {"DAYS": "3"})
        assert polled()[2] == 1
        assert [command.split()[:3] for command in box.said if "SEARCH" in command] == [["UID", "SEARCH", "SINCE"]]
        box.validity, box.mails = 8, {1: letter(1), 2: letter(2)}
        assert polled() == (OutcomeKind.OK, "", 1)  # the first is known by its Message-ID
    assert titles() == ["Issue 1: Größer", "Issue 2: Größer"]


def test_many_mails_come_in_turn(asked: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scout.sources.imap.AT_ONCE", 5)
    with imap_server.serving(Box({uid: letter(uid) for uid in range(1, 9)})) as box:
        asked(box, {})
        assert polled()[1:] == ("3 wait for the next poll", 5)
        assert polled()[1:] == ("", 3)


def test_a_bad_mail_is_named_and_stops_no_other(asked: Callable[..., None]) -> None:
    large = letter(3, html="x" * 50_000)
    with imap_server.serving(Box({1: b"List-Id: <x>\r\n\r\n", 2: large, 3: letter(4)})) as box:
        asked(box, {})
        box.said.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SCOUT_NET__MAX_BYTES", "20000")
            kind, message, new = polled()
    assert (kind, new) == (OutcomeKind.OK, 1)
    assert "UID 1 (neither subject nor text)" in message
    assert "UID 2 (larger than 20,000 bytes" in message


@pytest.mark.parametrize("sasl", [True, False], ids=["SASL", "LOGIN"])
def test_a_password_goes_over_tls_that_was_checked(
    sasl: bool, tmp_path: Path, asked: Callable[..., None], setenv: Set
) -> None:
    tls, authority = receivers.certificate(tmp_path)
    for security, box in (
        ("tls", Box({1: letter(1)}, sasl=sasl)),
        ("starttls", Box({1: letter(1)}, tls=tls, sasl=sasl)),
    ):
        with imap_server.serving(box, at_once=tls if security == "tls" else None):
            asked(box, {"HOST": "localhost", "SECURITY": security})
            setenv({"SSL_CERT_FILE": ""})
            assert "TLS failed" in polled()[1]
            assert box.logins == []  # nothing was said to a stranger
            setenv({"SSL_CERT_FILE": authority})
            assert polled()[0] in (OutcomeKind.OK, OutcomeKind.UNCHANGED)
            assert box.logins == [(box.user, box.password)]


def test_a_password_with_any_letters_is_understood(asked: Callable[..., None]) -> None:
    with imap_server.serving(Box({1: letter(1)}, password='pä"ss\\')) as box:
        asked(box, {})
        assert polled()[0] is OutcomeKind.OK
    with imap_server.serving(Box(password='pa"ss', sasl=False)) as box:
        asked(box, {})
        assert polled()[0] is OutcomeKind.UNCHANGED


def test_no_password_goes_over_a_network_in_the_clear() -> None:
    given = Imap(host="mail.example.org", user="ada", security=Security.NONE)
    assert "the password would go over the network" in problem(given)
    assert problem(given.model_copy(update={"host": "127.0.0.1"})) == ""
    assert problem(given.model_copy(update={"security": Security.TLS})) == ""


def test_a_refused_login_names_the_keys_and_repeats_no_password(asked: Callable[..., None]) -> None:
    for sasl in (True, False):
        with imap_server.serving(Box(password="canary-5f1e", sasl=sasl)) as box:
            asked(box, {})
            box.password = "another"
            kind, message, _ = polled()
            assert (kind, "mail.imap.user and .password" in message) == (OutcomeKind.UNREACHABLE, True)
            assert scout("ingest").code == 75
    shown = scout("sources", "list").out + scout("doctor", "--json").out + load().log_file.read_text(encoding="utf-8")
    assert "refused the login" in shown
    assert "canary-5f1e" not in shown


def test_words_slipped_in_before_tls_begins_are_not_believed(
    tmp_path: Path, asked: Callable[..., None], setenv: Set
) -> None:
    """The answer to STARTTLS comes together with one that would count as said within TLS."""
    tls, authority = receivers.certificate(tmp_path)
    with imap_server.serving(Box(tls=tls)) as box:
        setenv({"SSL_CERT_FILE": authority})
        asked(box, {"HOST": "localhost", "SECURITY": "starttls"})
        box.instead["STARTTLS"] = b"%t OK done\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
        assert polled()[0] is not OutcomeKind.OK
    assert box.logins == []


BAD_ANSWERS = {
    "no such mailbox": ("EXAMINE", b"%t NO none of that name\r\n", OutcomeKind.UNREADABLE),
    "it searches nothing": ("UID SEARCH", b"%t BAD never\r\n", OutcomeKind.UNREADABLE),
    "it breaks off": ("EXAMINE", b"* 3 EXI", OutcomeKind.UNREADABLE),
    "a literal without end": ("UID FETCH", b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\nx", OutcomeKind.UNREADABLE),
    "a line without end": ("UID SEARCH", b"* SEARCH " + b"1" * 2_000_000, OutcomeKind.UNREADABLE),
    "no answer": ("UID SEARCH", b"", OutcomeKind.TOO_SLOW),
    "other words": ("UID SEARCH", b"HTTP/1.1 200 OK\r\n\r\n<html>\r\n%t OK done\r\n", OutcomeKind.UNREADABLE),
    "numbers that are none": (
        "UID SEARCH",
        b"* SEARCH x \xff 99999999999999999999999\r\n%t OK done\r\n",
        OutcomeKind.UNCHANGED,
    ),
}


@pytest.mark.parametrize("what", BAD_ANSWERS)
def test_a_server_that_answers_badly_is_an_outcome(what: str, asked: Callable[..., None]) -> None:
    command, answer, outcome = BAD_ANSWERS[what]
    with imap_server.serving(Box({1: letter(1)})) as box:
        asked(box, {"TIMEOUT_SECONDS": "0.6"} if outcome is OutcomeKind.TOO_SLOW else {})
        box.instead[command] = answer
        kind, message, new = polled()
    assert (kind, new) == (outcome, 0), message


def test_what_was_read_before_a_failure_is_kept_and_the_next_poll_goes_on(asked: Callable[..., None]) -> None:
    with imap_server.serving(Box({1: letter(1), 2: letter(2)})) as box:
        asked(box, {})
        box.instead["UID FETCH 2"] = b"* BYE\r\n"
        kind, message, new = polled()
        assert (kind, new) == (OutcomeKind.OK, 1), message
        assert "the next poll goes on" in message
        del box.instead["UID FETCH 2"]
        assert polled() == (OutcomeKind.OK, "", 1)


def test_nobody_there_is_an_outcome(asked: Callable[..., None]) -> None:
    with imap_server.serving(Box()) as box:
        asked(box, {})
    assert polled()[0] is OutcomeKind.UNREACHABLE


def test_a_mailbox_of_any_name_is_asked_for(asked: Callable[..., None]) -> None:
    assert (
        _utf7("Entwürfe & Ablage/日本") == "Entw&APw-rfe &- Ablage/&ZeVnLA-"
    )  # as RFC 3501 has it: &ZeVnLA- is its own example
    with imap_server.serving(Box({1: letter(1)}, name="Entw&APw-rfe")) as box:
        asked(box, {"MAILBOX": "Entwürfe"})
        assert polled()[2] == 1


def test_doctor_says_what_is_missing(setenv: Set) -> None:
    setenv({"SCOUT_MAIL__IMAP__HOST": "mail.example.org"})
    assert "mail.imap.user is empty" in scout("doctor").out
