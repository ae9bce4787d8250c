"""A served dashboard and a real Chromium, for the browser tests and for scripts/screenshots.py. Loopback only."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
UP_SECONDS = 120.0


def chromium_path() -> str | None:
    """Where Chromium is, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def served(env: Mapping[str, str]) -> Iterator[str]:
    """`scout dashboard` on a free port of loopback, its worker with it; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "scout", "dashboard", "--no-browser", "--address", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **env}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + UP_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(URLError, OSError):
            opener.open(f"{url}/_stcore/health", timeout=2).read()
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    raise RuntimeError(f"no dashboard at {url}; it ended with {process.poll()}")


@contextmanager
def chromium(path: str, **options: Any) -> Iterator[BrowserContext]:
    """A Chromium with a profile of its own, which is gone afterwards. `options` are playwright's for a context."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory(prefix="chromium-") as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(Path(profile)), executable_path=path, headless=True, args=list(FLAGS), **options
        )
        context.set_default_timeout(1000 * UP_SECONDS)
        try:
            yield context
        finally:
            context.close()
