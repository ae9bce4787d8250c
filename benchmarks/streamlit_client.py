"""One reader's browser at a Streamlit server: its WebSocket and its messages, without the drawing.

It keeps what a browser keeps: the state of every widget on the page, which goes with each message, and which fragment each
widget belongs to. What to do is its user's business.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import StringArray
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

SECONDS = 60.0
"""A message that is not answered for so long is an error."""
DEFAULT = ""
"""The path of the page that opens first."""


class Trouble(Exception):
    """The page shows an error, or the server does not answer as it should."""


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget of the page, the fragment it belongs to (empty for none), and the state that goes with every message."""

    id: str
    fragment: str
    state: WidgetState

    @property
    def key(self) -> str:
        """The key that the page gave it."""
        return self.id.removeprefix("$$ID-").partition("-")[2]


@dataclass
class Browser:
    """A session. `widgets` are those of the page as it stands, by id."""

    link: ClientConnection
    widgets: dict[str, Widget] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    """Path of a page → the name it has in messages."""
    page: str = DEFAULT
    query: str = ""
    received: int = 0
    """Bytes."""

    @classmethod
    async def open(cls, port: int, headers: Mapping[str, str]) -> Browser:
        """Connect; nothing is drawn yet."""
        link = await connect(
            f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")],
            additional_headers=dict(headers), origin=None, max_size=None, proxy=None, open_timeout=SECONDS,
        )  # fmt: skip
        return cls(link)

    async def visit(self, page: str, query: str = "") -> float:
        """Open a page; seconds until it stands whole.

        Raises:
            Trouble, ConnectionClosed
        """
        if page not in self.pages and self.pages:
            raise Trouble(f"there is no page {page!r}, only {', '.join(sorted(self.pages))}")
        self.page, self.query = page, query
        return await self._ask(BackMsg())

    async def choose(self, widget: Widget, value: str) -> float:
        """Give a widget a value, as a click does; seconds until what hangs on it is drawn anew."""
        self.widgets[widget.id] = Widget(widget.id, widget.fragment, WidgetState(id=widget.id, string_value=value))
        message = BackMsg()
        message.rerun_script.fragment_id = widget.fragment
        return await self._ask(message)

    async def close(self) -> None:
        await self.link.close()

    async def _ask(self, message: BackMsg) -> float:
        asked = message.rerun_script
        asked.query_string, asked.page_script_hash = self.query, self.pages.get(self.page, "")
        asked.context_info.timezone = "UTC"
        asked.widget_states.widgets.extend(widget.state for widget in self.widgets.values())
        started = time.perf_counter()
        await self.link.send(message.SerializeToString())
        async with asyncio.timeout(SECONDS):
            await self._until_drawn(asked.fragment_id)
        return time.perf_counter() - started

    async def _until_drawn(self, fragment: str) -> None:
        drawn: dict[str, Widget] = {}
        while True:
            data = await self.link.recv(decode=False)
            assert isinstance(data, bytes)
            self.received += len(data)
            message = ForwardMsg.FromString(data)
            match message.WhichOneof("type"):
                case "new_session":
                    drawn = {}
                    self._know(message.new_session.app_pages)
                case "navigation":
                    self._know(message.navigation.app_pages)
                case "session_event" if message.session_event.HasField("script_compilation_exception"):
                    raise Trouble(message.session_event.script_compilation_exception.message)
                case "page_not_found":
                    raise Trouble("page not found")
                case "delta" if message.delta.WhichOneof("type") == "new_element":
                    if widget := _widget(message.delta.new_element, message.delta.fragment_id):
                        drawn[widget.id] = widget
                case "script_finished" if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    others = {id: kept for id, kept in self.widgets.items() if fragment and kept.fragment != fragment}
                    self.widgets = others | drawn
                    return

    def _know(self, pages: object) -> None:
        for page in pages:  # type: ignore[attr-defined]
            self.pages["" if page.is_default else page.url_pathname] = page.page_script_hash


def _widget(element: Element, fragment: str) -> Widget | None:
    """The widget that an element is, of those kinds whose state our pages read back.

    Raises:
        Trouble: the element tells of an error.
    """
    kind = element.WhichOneof("type")
    if kind == "exception":
        raise Trouble(f"{element.exception.type}: {element.exception.message}")
    if kind == "alert" and element.alert.format == element.alert.ERROR:
        raise Trouble(element.alert.body)
    if kind == "feedback":
        said = element.feedback
        chosen = str(said.value) if said.set_value and said.HasField("value") else ""
        state = WidgetState(id=said.id, string_value=chosen)
    elif kind == "selectbox":
        box = element.selectbox
        shown = box.raw_value if box.set_value else box.options[box.default] if box.HasField("default") else ""
        state = WidgetState(id=box.id, string_value=shown)
    elif kind == "button_group":
        pills = element.button_group
        state = WidgetState(id=pills.id, string_array_value=StringArray(data=pills.raw_values))
    elif kind == "text_input":
        typed = element.text_input
        state = WidgetState(id=typed.id, string_value=typed.value if typed.set_value else typed.default)
    else:
        return None
    return Widget(state.id, fragment, state)
