"""An IMAP4rev1 server on loopback: one mailbox that nobody may change, and whatever a bad server would say instead."""

from __future__ import annotations

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes


@dataclass
class Box:
    """What lies in the mailbox, who may look, and what was asked."""

    mails: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    name: str = "INBOX"
    user: str = "ada@example.org"
    password: str = "right"
    sasl: bool = True
    tls: ssl.SSLContext | None = None
    """For STARTTLS; a server that begins with TLS is started so."""
    port: int = 0
    said: list[str] = field(default_factory=list)
    """Commands as they came, without their tags, whatever holds a password left out."""
    logins: list[tuple[str, str]] = field(default_factory=list)
    instead: dict[str, bytes] = field(default_factory=dict)
    """Command → what is answered in its place; %t is its tag. What is empty is never answered, after half a line it goes away."""
    closing: threading.Event = field(default_factory=threading.Event)

    def add(self, uid: int, mail: bytes) -> None:
        self.mails[uid] = mail


class _Talk(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    box: Box
    at_once: ssl.SSLContext | None

    def setup(self) -> None:
        if self.at_once:
            self.request = self.at_once.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        self.secure = self.at_once is not None
        with suppress(OSError):
            self.say("* OK ready")
            while line := self.rfile.readline().decode("utf-8").rstrip("\r\n"):
                tag, _, rest = line.partition(" ")
                if not self.answer(tag, rest):
                    return

    def say(self, text: str | bytes) -> None:
        self.wfile.write((text.encode() if isinstance(text, str) else text) + b"\r\n")

    def answer(self, tag: str, rest: str) -> bool:
        """Whether the talk goes on."""
        command = re.split(r"\s+", rest)[0].upper()
        if command == "UID":
            command = " ".join(rest.upper().split(" ")[:2])
            if (whole := " ".join(rest.upper().split(" ")[:3])) in self.box.instead and "[]" in rest:
                command = whole
        self.box.said.append(rest if command not in ("LOGIN", "AUTHENTICATE") else command)
        if command in self.box.instead:
            if not self.box.instead[command]:
                self.box.closing.wait(20)
                return False
            self.wfile.write(self.box.instead[command].replace(b"%t", tag.encode()))
            return self.box.instead[command].endswith(b"\r\n")
        known = {
            "CAPABILITY": self.capability, "STARTTLS": self.starttls, "LOGIN": self.login, "AUTHENTICATE": self.authenticate,
            "EXAMINE": self.examine, "UID SEARCH": self.search, "UID FETCH": self.fetch, "LOGOUT": self.logout,
        }  # fmt: skip
        if command not in known:
            self.say(f"{tag} BAD not here")
            return True
        return known[command](tag, rest) is not False

    def capability(self, tag: str, rest: str) -> None:
        can = ["IMAP4rev1"]
        if self.box.tls and not self.secure:
            can += ["STARTTLS", "LOGINDISABLED"]
        elif self.box.sasl:
            can += ["AUTH=PLAIN"]
        self.say(f"* CAPABILITY {' '.join(can)}\r\n{tag} OK done")

    def starttls(self, tag: str, rest: str) -> None:
        assert self.box.tls
        self.say(f"{tag} OK done")
        self.request = self.box.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
        self.secure = True

    def login(self, tag: str, rest: str) -> None:
        user, password = re.findall(r'"((?:[^"\\]|\\.)*)"', rest)
        self._enter(tag, user.replace('\\"', '"'), password.replace('\\"', '"'))

    def authenticate(self, tag: str, rest: str) -> None:
        self.say("+ ")
        _, user, password = base64.b64decode(self.rfile.readline()).decode().split("\0")
        self._enter(tag, user, password)

    def _enter(self, tag: str, user: str, password: str) -> None:
        self.box.logins.append((user, password))
        fits = (user, password) == (self.box.user, self.box.password)
        self.say(f"{tag} OK done" if fits else f"{tag} NO there is no {user} with the password {password}")

    def examine(self, tag: str, rest: str) -> None:
        if rest.partition(" ")[2] != f'"{self.box.name}"':
            self.say(f"{tag} NO no such mailbox")
            return
        self.say(f"* {len(self.box.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.box.validity}] kept")
        self.say(f"* OK [UIDNEXT {max(self.box.mails, default=0) + 1}] next\r\n{tag} OK [READ-ONLY] looked at")

    def search(self, tag: str, rest: str) -> None:
        found = sorted(self.box.mails)
        if above := re.search(r"UID (\d+):\*", rest.partition("SEARCH")[2]):
            found = [uid for uid in found if uid >= int(above[1])] or found[-1:]  # `*` is the last one, always
        self.say(f"* SEARCH {' '.join(map(str, found))}\r\n{tag} OK done")

    def fetch(self, tag: str, rest: str) -> None:
        _, _, uids, what = rest.split(" ", 3)
        for uid in map(int, uids.split(",")):
            mail = self.box.mails.get(uid)
            if mail is None:
                continue
            if "HEADER.FIELDS" in what:
                head = message_from_bytes(mail)
                lines = (
                    "".join(f"{name}: {head[name]}\r\n" for name in ("List-Id", "List-Unsubscribe") if head[name])
                    + "\r\n"
                )
                self._handed(
                    uid, f"RFC822.SIZE {len(mail)} BODY[HEADER.FIELDS (LIST-ID LIST-UNSUBSCRIBE)]", lines.encode()
                )
            else:
                wanted = re.search(r"<0\.(\d+)>", what)
                assert wanted
                self._handed(uid, "BODY[]<0>", mail[: int(wanted[1])])
        self.say(f"{tag} OK done")

    def _handed(self, uid: int, what: str, content: bytes) -> None:
        place = sorted(self.box.mails).index(uid) + 1
        self.say(f"* {place} FETCH (UID {uid} {what} {{{len(content)}}}".encode() + b"\r\n" + content + b")")

    def logout(self, tag: str, rest: str) -> bool:
        self.say(f"* BYE\r\n{tag} OK done")
        return False


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or trusts us not, is none of a test's noise."""


@contextmanager
def serving(box: Box, *, at_once: ssl.SSLContext | None = None) -> Iterator[Box]:
    """The mailbox on a port of its own; `at_once`: within TLS from the first byte."""
    with _Server(("127.0.0.1", 0), type("Talk", (_Talk,), {"box": box, "at_once": at_once})) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield box
        finally:
            box.closing.set()
            server.shutdown()
