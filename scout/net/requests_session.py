"""A `requests` session behind our door, for libraries that bring their own client (the `arxiv` package does)."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter

from scout.net.fetch import Fetcher, Refused


def session(fetcher: Fetcher, *, max_bytes: int | None = None, deadline: float | None = None) -> requests.Session:
    """A session whose GETs go through `fetcher`; a `FetchError` passes through the library to whoever called it."""
    made = requests.Session()
    made.trust_env = False
    adapter = _Door(fetcher, max_bytes=max_bytes, deadline=deadline)
    made.adapters.clear()
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


class _Door(BaseAdapter):
    def __init__(self, fetcher: Fetcher, *, max_bytes: int | None, deadline: float | None) -> None:
        super().__init__()
        self._fetcher = fetcher
        self._max_bytes = max_bytes
        self._deadline = deadline

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002, RUF100 - the base class's signature
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if request.method != "GET" or request.url is None:
            raise Refused(f"only GET is asked from here, not {request.method}")
        came = self._fetcher.get(
            request.url, accept=request.headers.get("Accept"), max_bytes=self._max_bytes, deadline=self._deadline
        )
        response = requests.Response()
        response.status_code = came.status
        response.reason = http.client.responses.get(came.status, "")
        unpacked = {"content-encoding", "content-length", "transfer-encoding"}
        response.headers.update({name: value for name, value in came.headers.items() if name not in unpacked})
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.url = came.url
        response.request = request
        response.raw = BytesIO(came.body)
        return response

    def close(self) -> None:
        return None
