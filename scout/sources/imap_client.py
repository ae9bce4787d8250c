"""The owner's IMAP server, at the address in the settings: looked at and never changed.

EXAMINE and PEEK leave no mark on a mail. One deadline holds over all that is said, no line and no mail is longer than it may be, and
what a server says of a refused login is not repeated: it may hold the password. What the mails become is `imap`'s.
"""

from __future__ import annotations

import binascii
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from scout.access import is_loopback
from scout.config.mail import Imap
from scout.config.types import Security
from scout.items import OutcomeKind
from scout.net.errors import FetchError
from scout.net.wire import Deadline
from scout.text import line

_LONGEST_LINE = 1_000_000
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_LIST_FIELDS = "BODY.PEEK[HEADER.FIELDS (LIST-ID LIST-UNSUBSCRIBE)]"
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,19})\b")
_QUOTED = re.compile(rb'\] "((?:[^"\\]|\\.)+)"')


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a mail before it is fetched."""

    uid: int
    size: int
    """Bytes, as the server says."""
    to_list: bool


def problem(settings: Imap) -> str:
    """Why this server is not asked with these settings; empty where it is."""
    if not settings.user:
        return "mail.imap.user is empty: no server shows a mailbox to nobody"
    if settings.security is Security.NONE and not is_loopback(settings.host):
        return "mail.imap.security is none: the password would go over the network as it is"
    return ""


class Box:
    """A mailbox that is open for reading. Its methods raise what `opened` turns into a FetchError."""

    def __init__(self, client: imaplib.IMAP4, mailbox: str) -> None:
        self._client = client
        kind, said = client.select(_quoted(mailbox), readonly=True)
        if kind != "OK":
            raise FetchError(
                OutcomeKind.UNREADABLE, f"there is no mailbox {mailbox!r} to read (mail.imap.mailbox): {_words(said)}"
            )
        self.validity = self._number("UIDVALIDITY")
        """UIDs mean nothing once this changes."""
        self.next_uid = self._number("UIDNEXT")
        """What comes later has this UID or a higher one; 0 where the server does not say."""

    def after(self, uid: int) -> list[int]:
        """UIDs above this one, in order."""
        return [found for found in self._search(f"UID {uid + 1}:*") if found > uid]

    def since(self, day: date) -> list[int]:
        """UIDs of what came on this day or later, in order."""
        return self._search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}")

    def heads(self, uids: Sequence[int]) -> list[Head]:
        """What is known of these mails, in order of UID; one that is gone by now is left out."""
        found: dict[int, Head] = {}
        for told, content in self._fetched(",".join(map(str, uids)), f"(UID RFC822.SIZE {_LIST_FIELDS})"):
            uid, size = _UID.search(told), _SIZE.search(told)
            if uid and size:
                said = content or b"".join(_QUOTED.findall(told))
                found[int(uid[1])] = Head(int(uid[1]), int(size[1]), bool(said.strip()))
        return [found[uid] for uid in sorted(set(uids) & set(found))]

    def mail(self, uid: int, limit: int) -> bytes | None:
        """A mail as it lies there, at most `limit` bytes of it; None where it is gone by now."""
        contents = [content for _, content in self._fetched(str(uid), f"(UID BODY.PEEK[]<0.{limit}>)") if content]
        return contents[0] if contents else None

    def _search(self, criteria: str) -> list[int]:
        kind, found = self._client.uid("SEARCH", criteria)
        if kind != "OK":
            raise FetchError(OutcomeKind.UNREADABLE, f"the server does not search the mailbox: {_words(found)}")
        return sorted({int(uid) for part in found if part for uid in part.split() if uid.isdigit()})

    def _fetched(self, uids: str, what: str) -> Iterator[tuple[bytes, bytes]]:
        """(what is told of a mail, the literal that came with it) for each answer."""
        kind, found = self._client.uid("FETCH", uids, what)
        if kind != "OK":
            raise FetchError(OutcomeKind.UNREADABLE, f"the server does not hand mails out: {_words(found)}")
        told, content = b"", b""
        for part in found:
            if isinstance(part, tuple):
                told, content = told + part[0], content + part[1]
            elif isinstance(part, bytes):  # the end of one answer
                yield told + part, content
                told, content = b"", b""

    def _number(self, name: str) -> int:
        _, found = self._client.response(name)
        said = found[-1] if found else None
        return int(said) if said and said.isdigit() else 0


@contextmanager
def opened(settings: Imap, deadline: Deadline, *, max_bytes: int) -> Iterator[Box]:
    """The mailbox of the settings, open for reading until the block ends.

    Raises:
        FetchError: REFUSED where the settings would give the password away, UNREACHABLE without connection, TLS or login,
            TOO_SLOW after the deadline, UNREADABLE where the server answers anything else.
    """
    if said := problem(settings):
        raise FetchError(OutcomeKind.REFUSED, said)
    with _as_fetch_error(settings):
        client = _connected(settings, deadline, max_bytes)
        try:
            _login(client, settings)
            yield Box(client, settings.mailbox)
            with suppress(imaplib.IMAP4.error, OSError, FetchError):
                client.logout()
        finally:
            with suppress(OSError):
                client.shutdown()


@contextmanager
def _as_fetch_error(settings: Imap) -> Iterator[None]:
    where = f"{settings.host}:{settings.port}"
    try:
        yield
    except FetchError:
        raise
    except ssl.SSLError as err:
        raise FetchError(OutcomeKind.UNREACHABLE, f"{where}: TLS failed ({err.reason}); mail.imap.security") from err
    except TimeoutError as err:
        raise FetchError(OutcomeKind.TOO_SLOW, f"{where} was too slow (mail.imap.timeout_seconds)") from err
    except (OSError, UnicodeError) as err:
        said = line(str(err), limit=200)
        raise FetchError(OutcomeKind.UNREACHABLE, f"no connection to {where}: {type(err).__name__}: {said}") from err
    except (imaplib.IMAP4.error, ValueError, TypeError, LookupError) as err:
        # ValueError and the like are what the standard library makes of answers that it did not expect.
        said = line(str(err), limit=200)
        raise FetchError(OutcomeKind.UNREADABLE, f"{where} does not speak IMAP as it should: {said}") from err


class _Bounded(imaplib.IMAP4):
    """The standard library's client with a deadline over everything and a limit on what one answer may hold."""

    def __init__(self, deadline: Deadline, max_bytes: int, host: str, port: int, **more: Any) -> None:
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._heard: socket.socket | None = None
        super().__init__(host, port, timeout=deadline.left(), **more)

    def read(self, size: int) -> bytes:
        if size > self._max_bytes:
            raise self.abort(f"an answer of {size:,} bytes, which is more than was asked for")
        while len(self._buffer) < size and self._hear():
            continue
        return self._taken(size)

    def readline(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise self.abort("a line without end")
            if not self._hear():
                return self._taken(len(self._buffer))
        return self._taken(end + 1)

    def send(self, data: Any) -> None:
        self.sock.settimeout(self._deadline.left())
        super().send(data)

    def _hear(self) -> bool:
        """More bytes into the buffer; False at the end."""
        self.sock.settimeout(self._deadline.left())
        self._heard = self.sock
        came = self.sock.recv(65_536)
        self._buffer += came
        return bool(came)

    def _taken(self, size: int) -> bytes:
        if self._heard is not self.sock:
            raise self.abort("something was said before TLS began that nobody asked for")
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    """The same within TLS from the first byte."""


def _connected(settings: Imap, deadline: Deadline, max_bytes: int) -> imaplib.IMAP4:
    if settings.security is Security.TLS:
        context = ssl.create_default_context()
        return _BoundedTls(deadline, max_bytes, settings.host, settings.port, ssl_context=context)
    client = _Bounded(deadline, max_bytes, settings.host, settings.port)
    if settings.security is Security.STARTTLS:
        try:
            client.starttls(ssl_context=ssl.create_default_context())
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
    return client


def _login(client: imaplib.IMAP4, settings: Imap) -> None:
    """By SASL where the server knows it: LOGIN takes no letters beyond ASCII."""
    user, password = settings.user, settings.password.get_secret_value()
    refused = f"{settings.host}:{settings.port} refused the login; mail.imap.user and .password"
    try:
        if "AUTH=PLAIN" in client.capabilities:
            client.authenticate("PLAIN", lambda _: b"\0" + user.encode() + b"\0" + password.encode())
        elif "LOGINDISABLED" in client.capabilities or not (user + password).isascii():
            raise FetchError(OutcomeKind.UNREACHABLE, f"{refused}: it knows no way to take them")
        else:
            client.login(_quoted(user), password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise FetchError(OutcomeKind.UNREACHABLE, refused) from None  # its words may hold the password


def _quoted(name: str) -> str:
    """A mailbox as IMAP writes it: modified UTF-7 (RFC 3501, section 5.1.3) in quotes."""
    return '"' + _utf7(name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _utf7(name: str) -> str:
    def shifted(match: re.Match[str]) -> str:
        packed = binascii.b2a_base64(match[0].encode("utf-16-be"), newline=False).rstrip(b"=").replace(b"/", b",")
        return f"&{packed.decode()}-"

    return re.sub(r"[^\x20-\x7e]+", shifted, name.replace("&", "&-"))


def _words(said: Sequence[Any]) -> str:
    return line(" ".join(str(part, "utf-8", "replace") for part in said if isinstance(part, bytes)), limit=200)
