"""Several base URLs as one: which to ask next, and how long to pass a dead one over. No I/O; monotonic seconds come in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import httpx

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
"""Seconds that an endpoint is passed over after its first failure, doubled at each further one, up to the longest."""


class Endpoint:
    """One base URL, how it fares, and what was learned of it."""

    __slots__ = ("chat_url", "failures", "labels", "model", "outstanding", "plain", "resting_until", "root", "url")

    def __init__(self, url: str) -> None:
        self.url = url
        self.root = url.removesuffix("/v1")
        self.chat_url = httpx.URL(f"{url}/chat/completions")
        self.outstanding = 0
        self.failures = 0
        self.resting_until = 0.0
        self.model = ""
        self.plain = False
        """It rejects what vLLM adds to the protocol."""
        self.labels: dict[tuple[str, str], tuple[int, ...]] = {}
        """Token ids of labels, by model and label; empty where it tells none."""

    def failed(self, now: float) -> None:
        self.failures += 1
        self.resting_until = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.failures - 1, 10))

    def answered(self) -> None:
        self.failures = 0
        self.resting_until = 0.0


class Endpoints:
    """Chooses by least outstanding requests; among equals they take turns."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.all = tuple(Endpoint(url) for url in dict.fromkeys(urls))
        self._turn = 0

    def choose(self, now: float, *, tried: Collection[Endpoint] = ()) -> Endpoint:
        """The endpoint to ask: one not yet tried for this request before one that was, one awake before one that rests."""
        if len(self.all) == 1:
            return self.all[0]
        self._turn += 1
        turned = self.all[self._turn % len(self.all) :] + self.all[: self._turn % len(self.all)]
        return min(turned, key=lambda e: (e in tried, e.resting_until > now, e.outstanding, e.resting_until))
