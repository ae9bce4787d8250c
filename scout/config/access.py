"""The settings of `[access]`: who may come to the dashboard, and how it is known who that is. What follows is `access`'."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from scout.config.types import Section


class Login(StrEnum):
    NONE = "none"
    """Whoever opens the page may choose who reads: on this machine alone."""
    OIDC = "oidc"
    """Streamlit's own login with an identity provider."""
    PROXY = "proxy"
    """A proxy in front has asked, and says who it is in a header."""


def _network(value: str) -> str:
    try:
        return str(ip_network(value.strip(), strict=False))
    except ValueError as err:
        raise ValueError(f"{value!r} is no IP address or network, such as 127.0.0.1 or 10.0.0.0/24") from err


def _host(value: str) -> str:
    name = value.strip().lower().rstrip(".")
    if not name or any(char in name for char in "/:@* "):
        raise ValueError(f"{value!r} is no host name; write it without https:// and port, such as scout.example.org")
    return name


def _who(value: str) -> str:
    name = value.strip()
    if not name or ("*" in name and not (name == "*" or (name.startswith("*@") and name.count("*") == 1))):
        raise ValueError(f"{value!r} names nobody; write a login, *@example.org, or * for all whom the login knows")
    return name


Who = Annotated[str, AfterValidator(_who)]


class Access(Section):
    login: Login = Login.NONE
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    """Names by which browsers ask for the dashboard, beside this machine's own."""
    readers: tuple[Who, ...] = ()
    admins: tuple[Who, ...] = ()
    names: dict[str, Annotated[str, Field(min_length=1, max_length=60)]] = Field(default_factory=dict)
    """Login → reader, where they differ: `{"ada@example.org" = "me"}` keeps the thumbs that were given without a login."""
    claim: str = Field("email", min_length=1)
    """Of the provider's claims, the one that is the login."""
    header: str = Field("X-Forwarded-User", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Addresses from which the header is believed."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.login is Login.NONE and (self.readers or self.admins or self.proxies or self.hosts):
            raise ValueError('login = "none" lets everybody in: set login to "oidc" or "proxy", or drop the other keys')
        if self.login is not Login.NONE and not (self.readers or self.admins):
            raise ValueError("with a login, readers or admins say who may come in; nobody may now")
        if self.login is Login.PROXY and not self.proxies:
            raise ValueError('login = "proxy" needs proxies: the addresses from which the header is believed')
        return self
