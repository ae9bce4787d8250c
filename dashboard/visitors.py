"""Who stands before a page: with a login, whoever the provider or the proxy vouches for; without one, whoever they say they are.

The rules are `scout.access`'; here is what Streamlit tells of a browser's connection.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import streamlit as st
from streamlit import runtime

from scout.access import NotAllowed, Visitor, by_header, is_loopback, refusal, visitor
from scout.config import Settings
from scout.config.access import Access, Login

FORWARDED = "FORWARDED_ALLOW_IPS"
"""Set empty where Streamlit is started: its server would else believe a loopback peer's X-Forwarded-For about who that is."""
_SHORTEST_SECRET = 32
_last: list[Access] = []
"""The rules when the settings could last be read."""


class Stranger(Exception):
    """Nobody who may come in. `may_log_in` where a login could change that."""

    def __init__(self, message: str, *, may_log_in: bool = False, may_log_out: bool = False) -> None:
        super().__init__(message)
        self.may_log_in, self.may_log_out = may_log_in, may_log_out


def who(settings: Settings) -> Visitor | None:
    """The visitor of this page load; None where no login is asked for.

    Raises:
        Stranger: nobody who may come in.
    """
    access = settings.access
    remember(access)
    if problem := refusal(access, str(st.get_option("server.address") or "0.0.0.0")) if _is_served() else "":  # noqa: S104
        raise Stranger(f"Nothing is shown here: {problem}.")
    if access.login is Login.NONE:
        return None
    try:
        return _by_proxy(access) if access.login is Login.PROXY else _by_provider(access)
    except NotAllowed as err:
        raise Stranger(str(err), may_log_out=access.login is Login.OIDC) from None


def remember(access: Access) -> None:
    """Who may come in, for when the settings cannot be read any more."""
    _last[:] = [access]


def are_told_details() -> bool:
    """Whether whoever sees this page may see what a mistake in the settings or the database is: not where strangers may be."""
    address = str(st.get_option("server.address") or "0.0.0.0")  # noqa: S104
    return (not _last or _last[0].login is Login.NONE) and (is_loopback(address) or not _is_served())


def _is_served() -> bool:
    """Whether a server serves this, and not a test that runs the script by itself."""
    return runtime.exists() and type(runtime.get_instance()) is runtime.Runtime  # a test has a mock of one


def _by_proxy(access: Access) -> Visitor:
    if os.environ.get(FORWARDED) != "":
        raise NotAllowed(f"{FORWARDED} must be set and empty, so that nobody else passes for the proxy.")
    return by_header(access, peer=peer(), values=st.context.headers.get_all(access.header))


def peer() -> str | None:
    """The address at the other end of this connection; Streamlit tells none for this machine itself."""
    return st.context.ip_address or ("127.0.0.1" if len(st.context.headers) else None)


def _by_provider(access: Access) -> Visitor:
    claims = st.user.to_dict()
    if "is_logged_in" not in claims:
        raise NotAllowed("The login is not set up: whoever runs this dashboard finds how in docs/security.md.")
    if claims["is_logged_in"] is not True:
        raise Stranger("Log in to read.", may_log_in=True)
    login = claims.get(access.claim)
    if not isinstance(login, str):
        raise NotAllowed(f"Your login tells no {access.claim}.")
    if access.claim == "email" and claims.get("email_verified") is False:
        raise NotAllowed("Your provider has not verified this address.")
    return visitor(access, login)


def provider_problem(access: Access) -> str:
    """What is missing for Streamlit's login; empty where it can be used. Reads Streamlit's secrets and shows none of them."""
    if access.login is not Login.OIDC:
        return ""
    if find_spec("authlib") is None:
        return 'access.login = "oidc" needs Authlib: pip install "scout[login]"'
    try:
        told = dict(st.secrets.get("auth", {}))
    except Exception:  # Streamlit raises several kinds where there is no file, or none that is TOML
        told = {}
    needed = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
    if missing := [name for name in needed if not str(told.get(name) or "").strip()]:
        return f"the section [auth] of Streamlit's secrets.toml lacks {', '.join(missing)} (docs/security.md)"
    if len(str(told["cookie_secret"])) < _SHORTEST_SECRET:
        return f"auth.cookie_secret in secrets.toml is shorter than {_SHORTEST_SECRET} characters: whoever guesses it is anybody"
    return ""
