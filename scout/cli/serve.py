"""Start Streamlit and the worker beside it, wait, and end both."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.error import URLError

from scout.access import hosts, refusal
from scout.cli.errors import Later, Missing
from scout.cli.output import complain, say
from scout.config import ConfigError
from scout.config.access import Access, Login
from scout.exit_codes import Exit

UP_SECONDS = 60.0
"""How long Streamlit may take to answer."""

END_SECONDS = 10.0
"""How long a process may take to end when asked, before it is made to."""

PR_SET_PDEATHSIG = 1

RESTART_SECONDS = 10.0
"""A worker that died is started anew, not more often than this."""


@dataclass(frozen=True, slots=True)
class Place:
    address: str
    port: int

    @property
    def url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.address, self.address)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"


def serve(place: Place, access: Access, *, browser: bool) -> int:
    """Serve until a signal comes or Streamlit ends; the exit code.

    Raises:
        ConfigError: other machines would reach it, and nobody would be asked who they are; or the login cannot work.
        Later: the port is taken.
        Missing: the dashboard is not installed.
    """
    app = _app()
    _check_access(place, access)
    _check_free(place)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    pages = subprocess.Popen(
        _streamlit(app, place, access), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=_end_with_parent, env=_environment(),
    )  # fmt: skip
    worker = Worker([sys.executable, "-m", "scout", "work", "--with-parent"])
    try:
        _announce(place, pages, stop, browser=browser)
        while not stop.is_set() and pages.poll() is None:
            worker.keep()
            stop.wait(0.3)
        return _ended(pages, stop)
    finally:
        worker.end()
        _end(pages)
        for number, handler in before.items():
            signal.signal(number, handler)


def _app() -> Path:
    spec = importlib.util.find_spec("dashboard")
    app = Path(spec.origin).parent / "entry" / "server.py" if spec and spec.origin else None
    if app is None or not app.exists():
        raise Missing("the dashboard's pages are not installed beside scout; install the whole project again")
    return app


def _check_access(place: Place, access: Access) -> None:
    problem = refusal(access, place.address)
    if not problem and access.login is Login.OIDC:
        from dashboard.visitors import provider_problem

        problem = provider_problem(access)
    if problem:
        raise ConfigError(problem)


def _environment() -> dict[str, str]:
    """Ours, and the server believes no loopback peer's X-Forwarded-For about who that is: a header could make anybody the proxy."""
    return {**os.environ, "FORWARDED_ALLOW_IPS": ""}


def _check_free(place: Place) -> None:
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.address, place.port))
        except OSError as err:
            raise Later(
                f"cannot listen on {place.address}, port {place.port}: {err.strerror}. Is a dashboard there already "
                f"({place.url})? Else choose another with --port, or dashboard.port in scout.toml"
            ) from err


def _streamlit(app: Path, place: Place, access: Access) -> list[str]:
    options = {
        "server.address": place.address,
        "server.port": str(place.port),
        "server.headless": "true",
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": place.address,
        "server.enableAgentApi": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.level": "warning",
        "runner.postScriptGC": "false",  # a whole collection after every answer took four fifths of its time
    }
    from dashboard import theme

    flags = [f"--{name}={value}" for name, value in options.items()]
    # A web page elsewhere cannot make a name of its own mean this machine and read the dashboard through it.
    flags += [f"--server.allowedHosts={host}" for host in hosts(access)]
    return [sys.executable, "-m", "streamlit", "run", str(app), *flags, *theme.flags()]


def _end_with_parent() -> None:
    """Streamlit reads no pipe whose end would tell it that we are gone: on Linux the kernel ends it, even if we are killed."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _announce(place: Place, pages: subprocess.Popen[bytes], stop: threading.Event, *, browser: bool) -> None:
    """Wait until the pages answer, then say where they are."""
    deadline = time.monotonic() + UP_SECONDS
    while not stop.is_set() and pages.poll() is None and time.monotonic() < deadline:
        with suppress(URLError, OSError):
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{place.url}/_stcore/health", timeout=2)
            say(f"The dashboard is at {place.url} (Ctrl-C ends it)")
            if browser and _has_display():
                webbrowser.open(place.url)
            return
        stop.wait(0.1)
    if pages.poll() is None and not stop.is_set():
        complain(f"Streamlit has not answered at {place.url} within {UP_SECONDS:.0f} s; it may still come")


def _has_display() -> bool:
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _ended(pages: subprocess.Popen[bytes], stop: threading.Event) -> int:
    if stop.is_set():
        return Exit.DONE
    complain(f"Streamlit ended by itself with status {pages.returncode}; what it said is above")
    return Exit.BUG


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Worker:
    """`scout work` beside the dashboard. The pipe to its stdin ends when we do, however we do, and it with it."""

    def __init__(self, command: Sequence[str], *, restart_seconds: float = RESTART_SECONDS) -> None:
        self.command, self.restart_seconds = command, restart_seconds
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.given_up = False

    def keep(self) -> None:
        """Start it, or start it anew when it died; not where another worker serves this data already."""
        if self.given_up or (self.process is not None and self.process.poll() is None):
            return
        if self.process is not None and self.process.returncode == Exit.LATER:
            self.given_up = True
            return
        if time.monotonic() - self.started < self.restart_seconds and self.process is not None:
            return
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=sys.stderr, start_new_session=True)

    def end(self) -> None:
        if self.process is not None:
            _end(self.process)


def stopper(*, with_parent: bool) -> Callable[[], bool]:
    """A question that becomes true once SIGTERM or SIGINT came, or (`with_parent`) standard input ended."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt  # asked twice: leave the job where it is, it is done again later
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if with_parent:

        def wait_for_end() -> None:
            with suppress(OSError, ValueError):
                while os.read(sys.stdin.fileno(), 1024):  # not sys.stdin.read(): its lock would outlive the interpreter
                    pass
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait_for_end, daemon=True).start()
    return stop.is_set
