"""Newsletters out of a Maildir. The folder is read and never changed; a mail is looked at once."""

from __future__ import annotations

import hashlib
import mailbox
from pathlib import Path

from scout.items import Outcome, OutcomeKind
from scout.net.errors import FetchError
from scout.sources.base import Poll, Tools, failed
from scout.sources.newsletters import AT_ONCE, Pile
from scout.store.sources import SourceRow


def poll(source: SourceRow, tools: Tools) -> Poll:
    """The newsletters that came since the last poll. Never raises for what is in the folder."""
    folder = Path(tools.settings.mail.maildir).expanduser()
    try:
        box = mailbox.Maildir(folder, factory=None, create=False)
        keys = sorted(box.keys())
    except (mailbox.Error, OSError) as err:
        message = f"{folder} is no Maildir that can be read (mail.maildir): {type(err).__name__}"
        return Poll(outcome=Outcome(OutcomeKind.UNREADABLE, message), state=source.state)
    names = {key: hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16] for key in keys}
    seen = set(source.state.get("seen", ())) & set(names.values())
    unseen = [key for key in keys if names[key] not in seen]
    now_read = unseen[:AT_ONCE]
    pile = Pile(source.id, tools)
    try:
        for key in now_read:
            _take(box, key, pile)
    except FetchError as err:
        return failed(source, err)
    return Poll(
        outcome=Outcome(OutcomeKind.OK if now_read else OutcomeKind.UNCHANGED, pile.told(len(unseen) - len(now_read))),
        items=pile.items,
        state={"seen": sorted(seen | {names[key] for key in now_read})},
    )


def _take(box: mailbox.Maildir, key: str, pile: Pile) -> None:
    limit = pile.tools.settings.net.max_bytes
    try:
        with box.get_file(key) as file:
            data = file.read(limit + 1)
    except (KeyError, OSError) as err:  # moved or taken away meanwhile
        pile.reject(key, type(err).__name__)
        return
    if len(data) > limit:
        pile.reject(key, f"larger than {limit:,} bytes (net.max_bytes)")
    else:
        pile.take(key, data)
