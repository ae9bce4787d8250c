"""What tests of the research loop share: an item, archives, a PDF, and a model that says what a test tells it to."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from scout.items import Item, ItemKind
from scout.net.manners import Manners
from scout.serving.errors import ModelError
from scout.serving.messages import Finish, Message, Reply, Tool, ToolCall, Usage

AT = datetime(2025, 12, 1, 12, tzinfo=UTC)
PAPER = Item(
    id="arxiv:2512.00001",
    kind=ItemKind.PAPER,
    title="Sparse attention for long code",
    url="https://arxiv.org/abs/2512.00001",
    text="We study sparse attention. It needs 40% less memory. Code is at https://github.com/lab/sparse.",
    source="arxiv",
    authors=("Ann Lee", "Bo Chen"),
    published=AT,
)
OTHER = Item(
    id="arxiv:2511.00002",
    kind=ItemKind.PAPER,
    title="Sparse attention revisited",
    url="https://arxiv.org/abs/2511.00002",
    text="An earlier look at sparse attention. It was slow.",
    source="arxiv",
    authors=("Cy Diaz",),
    published=AT,
)
BRIEF: Mapping[str, Any] = {
    "claims": [{"text": "It needs less memory.", "evidence": [{"place": "arxiv:2512.00001 abstract", "numbers": [2]}]}],
    "builds_on": [],
    "open_questions": ["How fast is it?"],
    "try_code": [],
}


def unhurried() -> Manners:
    """Manners that find a day gone by whenever they look, so that no test waits."""
    days = count()
    return Manners(clock=lambda: AT + timedelta(days=next(days)))


def post(url: str, text: str = "A short teaser.", id: str = "url:blog.example.org/post") -> Item:
    return Item(id=id, kind=ItemKind.POST, title="A post", url=url, text=text, source="blog", published=AT)


def archive(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    """A tar.gz of files given as (path, content), and of other entries as they stand."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            tar.addfile(info, io.BytesIO(member[1]))
    return gzip.compress(out.getvalue(), mtime=0)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def pdf(lines: Sequence[str], address: str = "") -> bytes:
    """A one-page PDF with these lines, and a link where `address` is given."""
    shown = b"BT /F1 12 Tf 72 720 Td 14 TL " + b" ".join(b"(%s) Tj T*" % line.encode() for line in lines) + b" ET"
    links = b""
    if address:
        action = b"<< /S /URI /URI (%s) >>" % address.encode()
        links = b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A %s >>] " % action
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] " + links + b"/Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


def call(name: str, arguments: Mapping[str, Any] | str, id: str = "") -> ToolCall:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(id or f"call-{name}", name, text)


def says(text: str = "", *calls: ToolCall, thinking: str = "", finish: Finish | None = None) -> Reply:
    ended = finish or (Finish.TOOL_CALLS if calls else Finish.STOP)
    return Reply(
        text=text, reasoning=thinking, tool_calls=calls, finish_reason=ended, usage=Usage(100, 10), model="scripted"
    )


class Scripted:
    """A model that gives these replies in this order, and keeps what it was sent."""

    def __init__(self, *replies: Reply | ModelError) -> None:
        self.replies = list(replies)
        self.sent: list[list[Message]] = []
        self.offered: list[Sequence[Tool] | None] = []
        self.schemas: list[Mapping[str, Any] | None] = []
        self.limits: list[tuple[int, int]] = []
        """Tokens a reply may have, and its priority."""

    async def chat(
        self, messages: Sequence[Message], *, max_tokens: int, schema: Mapping[str, Any] | None,
        tools: Sequence[Tool] | None, priority: int, deadline: float | None, cut_is_fault: bool,
    ) -> Reply:  # fmt: skip
        self.sent.append(list(messages))
        self.offered.append(tools)
        self.schemas.append(schema)
        self.limits.append((max_tokens, priority))
        reply = self.replies.pop(0)
        if isinstance(reply, ModelError):
            raise reply
        return reply
