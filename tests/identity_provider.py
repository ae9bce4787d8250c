"""An identity provider on loopback that lets in whoever is asked for: OpenID Connect's code flow, as Streamlit's login speaks it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwk, jwt

CLIENT, SECRET = "scout-client", "client-secret"


@dataclass
class Provider:
    url: str
    claims: dict[str, object] = field(default_factory=dict)
    """Who logs in next."""
    key: jwk.RSAKey = field(default_factory=lambda: jwk.RSAKey.generate_key(2048, {"kid": "1"}))
    signed_by: jwk.RSAKey | None = None
    """Another key than the one it publishes."""
    nonce: str = ""

    def token(self) -> str:
        now = int(time.time())
        told = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "sub": "1",
            **self.claims,
        }
        return jwt.encode({"alg": "RS256", "kid": "1"}, told, self.signed_by or self.key)

    def answer(self, path: str) -> dict[str, object]:
        if path.endswith("/openid-configuration"):
            return {
                "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys", "id_token_signing_alg_values_supported": ["RS256"],
            }  # fmt: skip
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": self.token()}


@contextmanager
def providing() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return None

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path != "/authorize":
                self.say(provider.answer(asked.path))
                return
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            provider.nonce = query.get("nonce", "")
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?{urlencode({'code': 'c', 'state': query['state']})}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.say(provider.answer("/token"))

        def say(self, answer: dict[str, object]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
