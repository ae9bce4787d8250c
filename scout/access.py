"""Who may come to the dashboard and do what there. Pure: what a request tells goes in, a visitor or a refusal comes out.

Without a login there is one rule: the dashboard listens on this machine alone, and whoever opens it may choose who reads.
With one, a visitor reads as themselves. What is asked of the visitor's browser and proxy is `dashboard.visitors`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

from scout.config.access import Access, Login
from scout.text import line

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST = 200


class Role(StrEnum):
    READER = "reader"
    """Reads, and says what they think of it."""
    ADMIN = "admin"
    """Also changes sources and subjects, starts runs, decides which policy serves."""


class NotAllowed(Exception):
    """Nobody who may come in; the message is for whoever stands at the door, and tells them nothing of others."""


@dataclass(frozen=True, slots=True)
class Visitor:
    login: str
    """As the provider or proxy names them."""
    reader: str
    role: Role


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def refusal(access: Access, address: str) -> str:
    """Why the dashboard must not listen on `address`; empty where it may."""
    if is_loopback(address):
        return ""
    if access.login is Login.NONE:
        return (
            f"{address} is reached from other machines, and nobody is asked who they are: set access.login to oidc or proxy "
            "(docs/security.md), or listen on 127.0.0.1 and come through ssh -L"
        )
    if not access.hosts:
        return f"{address} is reached from other machines: name in access.hosts by which names browsers ask for it"
    return ""


def hosts(access: Access) -> tuple[str, ...]:
    """The names that a request's Host may have: a page elsewhere cannot have a name of its own mean this server."""
    return (*LOOPBACK, *access.hosts)


def is_proxy(access: Access, peer: str | None) -> bool:
    """Whether the other end of a connection is one of the proxies whose header is believed."""
    try:
        found = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in ip_network(each) for each in access.proxies)


def by_header(access: Access, *, peer: str | None, values: Sequence[str]) -> Visitor:
    """The visitor whom a proxy names. `values` are all the values of the header that came.

    Raises:
        NotAllowed: it is no proxy of ours, names nobody, or somebody who may not come in.
    """
    if not is_proxy(access, peer):
        raise NotAllowed("This page is reached through its proxy alone.")
    if len(values) != 1 or not (name := values[0].strip()):
        raise NotAllowed("The proxy does not say who you are.")
    return visitor(access, name)


def visitor(access: Access, login: str) -> Visitor:
    """The visitor of that login, which somebody trusted vouches for.

    Raises:
        NotAllowed: who has this login may not come in.
    """
    name = login.strip()
    if not name or len(name) > _LONGEST or line(name, limit=_LONGEST) != name or "*" in name:
        raise NotAllowed("This login is no name that can be read.")
    if _among(access.admins, name):
        role = Role.ADMIN
    elif _among(access.readers, name):
        role = Role.READER
    else:
        raise NotAllowed("You are logged in, and not among those who may read here. Ask whoever runs it.")
    known = {given.casefold(): reader for given, reader in access.names.items()}
    return Visitor(name, known.get(name.casefold(), name.casefold())[:60], role)


def _among(patterns: Iterable[str], name: str) -> bool:
    """By whole name or by the domain behind the last @; letter case says nothing."""
    folded = name.casefold()
    for pattern in patterns:
        wanted = pattern.casefold()
        if wanted in ("*", folded):
            return True
        if wanted.startswith("*@") and folded.rpartition("@")[2] == wanted[2:] and folded.count("@") == 1:
            return True
    return False
