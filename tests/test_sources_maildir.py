"""Newsletters out of a Maildir."""

from __future__ import annotations

import mailbox
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from letter_samples import letter

from scout.config import Settings, load
from scout.ingest import ingest
from scout.items import OutcomeKind
from scout.sources.letters import read
from scout.sources.newsletters import newsletter
from scout.store import Store

NOW = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def box(tmp_path: Path, setenv: Callable[[dict[str, str]], None]) -> mailbox.Maildir:
    folder = tmp_path / "Newsletters"
    made = mailbox.Maildir(folder)
    off = {f"SCOUT_{name}": "0" for name in ("ARXIV__ENABLED", "HUGGINGFACE__ENABLED", "SOURCES__DEFAULTS")}
    setenv({**off, "SCOUT_MAIL__MAILDIR": str(folder)})
    return made


def runs(settings: Settings) -> tuple[OutcomeKind, str, int]:
    with Store(settings.database) as store:
        (poll,) = ingest(store, settings).polls
    return poll.outcome.kind, poll.outcome.message, poll.new


def test_a_mail_becomes_an_item_with_plain_words() -> None:
    item = newsletter(read(letter()), "newsletters", now=NOW)
    assert item is not None
    assert (item.title, item.text, item.authors) == ("Issue 1: Größer", "Small models.", ("A weekly",))
    assert item.published == datetime(2025, 12, 1, 7, 0, tzinfo=UTC)


def test_what_people_write_to_each_other_is_left_alone(box: mailbox.Maildir) -> None:
    box.add(letter(to_list=False))
    assert runs(load()) == (OutcomeKind.OK, "1 left alone that go to no list", 0)


def test_each_mail_is_taken_once_and_the_folder_stays_as_it_is(box: mailbox.Maildir) -> None:
    box.add(letter(1))
    assert runs(load())[2] == 1
    assert runs(load()) == (OutcomeKind.UNCHANGED, "", 0)
    box.add(letter(2))
    assert runs(load())[2] == 1
    assert len(list((Path(load().mail.maildir) / "new").iterdir())) == 2


def test_a_bad_mail_is_named_and_stops_no_other(box: mailbox.Maildir) -> None:
    box.add(b"List-Id: <x>\n\n")
    box.add(letter(1))
    kind, message, new = runs(load())
    assert (kind, new) == (OutcomeKind.OK, 1)
    assert "neither subject nor text" in message


def test_many_mails_come_in_turn(box: mailbox.Maildir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scout.sources.maildir.AT_ONCE", 5)
    for number in range(8):
        box.add(letter(number))
    assert runs(load())[1:] == ("3 wait for the next poll", 5)
    assert runs(load())[2] == 3


def test_a_folder_that_is_none_is_an_outcome(setenv: Callable[[dict[str, str]], None], box: mailbox.Maildir) -> None:
    setenv({"SCOUT_MAIL__MAILDIR": "/nowhere/at/all"})
    kind, message, _ = runs(load())
    assert kind is OutcomeKind.UNREADABLE
    assert "mail.maildir" in message
