"""Two pages for machines: `/healthz` says whether runs happen, `/metrics` is what Prometheus scrapes. Nothing else, and no detail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST, ThreadingWSGIServer, _SilentHandler

from scout import clock
from scout.config import Settings
from scout.metrics.collect import ScoutCollector
from scout.store import Store, StoreError

STALE = timedelta(hours=48)
"""A day may be missed; two are not healthy."""

Start = Callable[[str, list[tuple[str, str]]], Any]


def health(settings: Settings) -> tuple[bool, str]:
    """Whether the database can be read and a daily run ended within two days, and in a word why not."""
    try:
        with Store(settings.database, create=False, read_only=True, busy_seconds=2) as store:
            runs = [run for run in store.runs.listing(limit=50) if run.kind == "run" and run.finished]
    except StoreError:
        return False, "no database"
    if not runs or runs[0].finished is None:
        return False, "no run yet"
    if clock.now() - runs[0].finished > STALE:
        return False, "no run for two days"
    return (True, "ok") if runs[0].exit_code in (0, 75) else (False, "the last run failed")


def application(settings: Settings) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """Both pages as a WSGI application."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ScoutCollector(settings))
    one_at_a_time = threading.Lock()

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        status, kind, body = "404 Not Found", "text/plain; charset=utf-8", b"not found\n"
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            status, body = "405 Method Not Allowed", b"only GET\n"
        elif environ["PATH_INFO"] == "/healthz":
            fine, why = health(settings)
            status, kind = "200 OK" if fine else "503 Service Unavailable", "application/json"
            body = json.dumps({"ok": fine, "why": why}).encode() + b"\n"
        elif environ["PATH_INFO"] == "/metrics":
            with one_at_a_time:
                status, kind, body = "200 OK", CONTENT_TYPE_LATEST, generate_latest(registry)
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return answer


def server(settings: Settings, *, address: str, port: int) -> WSGIServer:
    """Listening; the caller serves and closes it.

    Raises:
        OSError: the address or port cannot be had.
    """
    return make_server(
        address, port, application(settings), server_class=ThreadingWSGIServer, handler_class=_SilentHandler
    )
