"""A visit to a real Streamlit server over its WebSocket, with a Host, headers and an own address of one's choosing."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

SECONDS = 60.0


class Refused(Exception):
    """The server did not let the visitor in at all."""


def visit(
    port: int, *, host: str = "127.0.0.1", headers: Mapping[str, str] | None = None, origin: str | None = None,
    source: str = "127.0.0.1", token: str = "", page: str = "",
) -> str:  # fmt: skip
    """Everything that a page tells, the first unless another is named, as one text.

    `token` is what a page of Streamlit's repeats of its cookie.

    Raises:
        Refused: there is no page for such a visitor.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS, source_address=(source, 0)) as link:
        try:
            with connect(
                f"ws://{host}/_stcore/stream", sock=link, additional_headers=dict(headers or {}), origin=Origin(origin) if origin else None,
                open_timeout=SECONDS, max_size=None, proxy=None, compression=None,
                subprotocols=[Subprotocol(each) for each in ("streamlit", token) if each],
            ) as stream:  # fmt: skip
                asked = BackMsg()
                asked.rerun_script.query_string = ""
                asked.rerun_script.page_name = page
                stream.send(asked.SerializeToString())
                return _told(stream)
        except (InvalidStatus, InvalidMessage, ConnectionClosed) as err:
            raise Refused(str(err)) from err


def _told(stream: object) -> str:
    parts: list[str] = []
    while True:
        data = stream.recv(timeout=SECONDS)  # type: ignore[attr-defined]
        message = ForwardMsg()
        message.ParseFromString(data)
        parts.append(str(message.delta) if message.WhichOneof("type") == "delta" else "")
        if message.WhichOneof("type") == "script_finished":
            return "\n".join(parts)
