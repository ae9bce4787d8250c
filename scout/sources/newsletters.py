"""What a newsletter becomes, wherever it lay: one item a mail. Pure but for the process that takes a mail apart.

Only mail that says it goes to a list (List-Id or List-Unsubscribe) is taken: what people write to each other stays unread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from scout.identity import post_id, web_address
from scout.items import Item, ItemKind, OutcomeKind
from scout.net.errors import FetchError
from scout.sources.base import Tools
from scout.sources.letters import Letter
from scout.text import line

AT_ONCE = 200
"""Mails looked at in one poll; the rest waits for the next."""


@dataclass
class Pile:
    """Mails that were looked at, and what became of them."""

    source: str
    tools: Tools
    found: dict[str, Item] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)
    personal: int = 0

    def take(self, name: str, data: bytes) -> None:
        """Read a mail that goes by `name` where it lies. One that cannot be read is named, and stops no other.

        Raises:
            FetchError: ERROR, where the processes that read do not run; the mail was not looked at.
        """
        try:
            item = newsletter(self.tools.parser.letter(data), self.source, now=self.tools.now)
        except FetchError as err:
            if err.kind is OutcomeKind.ERROR:
                raise
            self.reject(name, err.message)
            return
        if item is None:
            self.personal += 1
        else:
            self.found.setdefault(item.id, item)

    def reject(self, name: str, why: str) -> None:
        self.bad.append(f"{line(name, limit=60)} ({line(why, limit=80)})")

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(self.found.values())

    def told(self, waiting: int) -> str:
        """In words, for whoever looks at the source; `waiting` mails are left for the next poll."""
        notes = []
        if self.bad:
            more = f" and {len(self.bad) - 3} more" if len(self.bad) > 3 else ""
            notes.append(f"could not be read: {', '.join(self.bad[:3])}{more}")
        if self.personal:
            notes.append(f"{self.personal} left alone that go to no list")
        if waiting:
            notes.append(f"{waiting} wait for the next poll")
        return "; ".join(notes)


def newsletter(letter: Letter, source: str, *, now: datetime) -> Item | None:
    """The item that a letter is; None where it goes to no list."""
    if not letter.to_list:
        return None
    id, aliases = post_id(
        source=source, guid=letter.message_id or None, link=None, title=letter.title, text=letter.text, guid_is_unique=True
    )  # fmt: skip
    names = (letter.list_name,) if letter.list_name else ()
    return Item(
        id=id,
        kind=ItemKind.POST,
        title=letter.title or letter.text[:120],
        url=web_address(letter.archived),
        text=letter.text,
        source=source,
        authors=names,
        categories=names,
        published=min(letter.date, now) if letter.date else None,
        backlog=letter.date is None,
        aliases=aliases,
    )
