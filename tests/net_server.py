"""A web server on loopback whose every answer a test writes itself, down to the byte."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, format: str, *args: object) -> None:
        return None

    def do_GET(self) -> None:
        self.site.asked.append(self)
        self.close_connection = True
        try:
            self.site.routes[self.path](self)
        except (KeyError, BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def raw(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()


class Site:
    """Its address, what it answers to each path, and the requests it has seen."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.routes: dict[str, Answer] = {}
        self.asked: list[Handler] = []
        self.closing = threading.Event()

    def answers(self, path: str, status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> str:
        """Answer `path` so from now on; returns its address."""
        self.routes[path] = lambda handler: handler.reply(status, body, **(headers or {}))
        return self.url + path

    def drips(self, path: str, head: bytes, *, every: float, seconds: float = 60.0) -> str:
        """Send `head`, then an x each `every` seconds, for so long; then break off."""

        def drip(handler: Handler) -> None:
            handler.raw(head)
            for _ in range(int(seconds / every)):
                if self.closing.wait(every):
                    return
                handler.raw(b"x")

        self.routes[path] = drip
        return self.url + path


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving() -> Iterator[Site]:
    server = Server(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("SiteHandler", (Handler,), {"site": site})
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        server.server_close()
