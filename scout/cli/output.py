"""Words, tables and JSON on a terminal or into a pipe. Text from outside never moves the cursor or hides anything."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import click

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""C0 but tab and line feed, DEL, C1, and what reorders or breaks lines."""

NARROWEST = 20
"""The column that gives way keeps at least so much, however narrow the terminal."""


def clean(text: str) -> str:
    """`text` without the characters that a terminal would obey; lone surrogates become question marks."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def line(text: str) -> str:
    """`clean` text on one line."""
    return " ".join(clean(text).split())


def say(text: str = "") -> None:
    """A piece of output."""
    click.echo(clean(text))


def complain(text: str) -> None:
    """A line for whoever must act, on stderr."""
    click.echo(f"scout: {line(text)}", err=True)


def emit_json(value: Any) -> None:
    """JSON on stdout, readable, with nothing in it that a terminal would obey."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    click.echo(_CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", text).encode("utf-8", "replace").decode())


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return stamp(value) or ""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def stamp(moment: datetime | None) -> str | None:
    """A moment in JSON: ISO 8601, UTC, to the second."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def on_terminal() -> bool:
    return sys.stdout.isatty()


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, give_way: str) -> None:
    """Rows in columns. In a pipe: tab-separated and whole, with no head. `give_way` is the column cut on a narrow terminal."""
    cells = [[line(cell) for cell in row] for row in rows]
    if not on_terminal():
        for row in cells:
            click.echo("\t".join(row))
        return
    place = list(head).index(give_way)
    widths = [max(map(_width, column)) for column in zip(head, *cells, strict=True)]
    room = shutil.get_terminal_size().columns - sum(widths) + widths[place] - 2 * (len(head) - 1)
    widths[place] = max(NARROWEST, min(room, widths[place]))
    for number, row in enumerate([list(head), *cells]):
        text = "  ".join(_fitted(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


def _width(text: str) -> int:
    """Columns that a text takes on a terminal: two for a wide character."""
    from rich.cells import cell_len

    return cell_len(text)


def _fitted(text: str, width: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(text, width) if _width(text) <= width else f"{set_cell_size(text, width - 1)}…"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, or in how long, in one word."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    amount = abs(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if amount >= length:
            text = f"{int(amount // length)} {unit}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "now"
