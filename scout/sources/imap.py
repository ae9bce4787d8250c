"""Newsletters out of a mailbox on an IMAP server, by its UIDs: each mail is looked at once, letters between people are not fetched.

What is remembered is the last UID looked at, and the UIDVALIDITY under which it counts. The first poll, and one that finds
another validity, looks back a few days; mails that are known already are then known by their Message-ID. The connection is
`imap_client`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scout.items import Outcome, OutcomeKind
from scout.net.errors import FetchError
from scout.net.wire import Deadline
from scout.sources.base import Poll, Tools, failed
from scout.sources.imap_client import Box, Head, opened
from scout.sources.newsletters import AT_ONCE, Pile
from scout.store.sources import SourceRow


@dataclass
class Place:
    """How far a mailbox was read."""

    account: str
    """Whose it is, hashed: another login begins anew."""
    validity: int = 0
    last: int | None = None
    """The highest UID that was looked at; None before the first look."""

    @classmethod
    def of(cls, state: Mapping[str, Any], account: str) -> Place:
        if state.get("account") != account:
            return cls(account)
        last = state.get("last")
        return cls(account, int(state.get("validity") or 0), last if isinstance(last, int) else None)

    def state(self) -> dict[str, Any]:
        return {"account": self.account, "validity": self.validity, "last": self.last}


@dataclass
class _Look:
    """What one look at the mailbox came to, as far as it got."""

    pile: Pile
    place: Place
    looked: int = 0
    waiting: int = 0


def poll(source: SourceRow, tools: Tools) -> Poll:
    """The newsletters that came since the last poll. What was read before a failure is kept, and the next poll goes on there."""
    given = tools.settings.mail.imap
    account = hashlib.sha256(given.user.encode()).hexdigest()[:16]
    look = _Look(Pile(source.id, tools), Place.of(source.state, account))
    try:
        with opened(given, Deadline(given.timeout_seconds), max_bytes=tools.settings.net.max_bytes + 1_000) as box:
            _read(box, look, tools)
    except FetchError as err:
        if not look.looked:
            return failed(source, err)
        notes = [look.pile.told(0), f"broke off, the next poll goes on: {err.message}"]
    else:
        notes = [look.pile.told(look.waiting)]
    return Poll(
        outcome=Outcome(OutcomeKind.OK if look.looked else OutcomeKind.UNCHANGED, "; ".join(filter(None, notes))),
        items=look.pile.items,
        state=look.place.state(),
    )


def _read(box: Box, look: _Look, tools: Tools) -> None:
    place = look.place
    if place.last is None or place.validity != box.validity:
        place.validity, place.last = box.validity, 0
        uids = box.since((tools.now - timedelta(days=tools.settings.mail.imap.days)).date())
    else:
        uids = box.after(place.last)
    now_read = uids[:AT_ONCE]
    look.waiting = len(uids) - len(now_read)
    for head in box.heads(now_read) if now_read else ():
        _take(box, head, look.pile)
        place.last, look.looked = head.uid, look.looked + 1
    place.last = max([place.last or 0, *now_read])
    if not look.waiting:
        place.last = max(place.last, box.next_uid - 1)


def _take(box: Box, head: Head, pile: Pile) -> None:
    limit = pile.tools.settings.net.max_bytes
    if not head.to_list:
        pile.personal += 1
        return
    if head.size > limit:
        pile.reject(f"UID {head.uid}", f"larger than {limit:,} bytes (net.max_bytes)")
        return
    data = box.mail(head.uid, limit)
    if data is None:
        pile.reject(f"UID {head.uid}", "gone when it was asked for")
    else:
        pile.take(f"UID {head.uid}", data)
