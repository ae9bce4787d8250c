"""One POST to an address that the owner named: no redirect is followed, no proxy of the environment asked, and time is short.

An address may hold its own key, so no error names more of it than the host.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from scout.notify.errors import NotSent

READ_AT_MOST = 65_536


def problem(url: str) -> str:
    """Why nothing can be posted there; empty where it can."""
    try:
        parts = urlsplit(url)
        whole = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        whole = False
    return "" if whole and url.isprintable() and " " not in url else "is no http or https address"


def post(url: str, content: bytes, *, seconds: float, headers: Mapping[str, str] = {}) -> bytes:
    """What the other side answered, the beginning of it.

    Raises:
        NotSent: it is away, too slow, or answered anything but 2xx.
    """
    host, ends = urlsplit(url).hostname or "?", time.monotonic() + seconds
    answer = b""
    try:
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=seconds) as client,
            client.stream("POST", url, content=content, headers={"user-agent": "scout", **headers}) as response,
        ):
            if response.is_redirect:
                raise NotSent(f"{host} redirects; write the address that it means")
            for chunk in response.iter_bytes():
                answer += chunk
                if time.monotonic() > ends:
                    raise NotSent(f"{host} gave no whole answer within {seconds:g} s")
                if len(answer) > READ_AT_MOST:
                    break
            if not response.is_success:
                raise NotSent(f"{host} answered {response.status_code}{_advice(response.status_code)}")
    except httpx.TimeoutException as err:
        raise NotSent(f"{host} did not answer within {seconds:g} s") from err
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError, ValueError) as err:
        raise NotSent(f"{host} cannot be reached ({type(err).__name__})") from err
    return answer


def _advice(status: int) -> str:
    if status in (401, 403, 404, 410):
        return ": the address or its key is not known there (any more)"
    if status == 429:
        return ": too often; the next run tries again"
    return ""
