"""The text of a scout.toml with other subjects in it: comments and everything else stay where they are.

Text in, text out; reading, vetting and writing the file are `scout.config.file`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table, Whitespace


def replaced(text: str, subjects: Sequence[Mapping[str, Any]]) -> str:
    """`text` with exactly these `[[subjects]]`, in this order.

    A subject keeps the comments on its keys and those above its header. What stands above the first header stays there:
    it speaks of subjects at large.

    Raises:
        tomlkit.exceptions.TOMLKitError: `text` is no TOML.
    """
    document = tomlkit.parse(text if not text or text.endswith("\n") else text + "\n")
    old = document.get("subjects")
    if isinstance(old, AoT):
        _rearrange(old, subjects)
    else:
        if old is not None:
            del document["subjects"]
        fresh = tomlkit.aot()
        for values in subjects:
            fresh.append(_updated(None, values))
        document.append("subjects", fresh)
    return tomlkit.dumps(document)


def _rearrange(tables: AoT, subjects: Sequence[Mapping[str, Any]]) -> None:
    tails = [_cut_tail(table) for table in tables.body]
    above = ["\n", *(lead for _, lead in tails)]
    old: dict[str, tuple[Table, str, str]] = {}
    for table, (own, _), lead in zip(tables.body, tails, above, strict=False):
        old.setdefault(str(table.get("slug")), (table, own, lead))
    fresh: list[Table] = []
    for values in subjects:
        found, own, lead = old.get(values["slug"], (None, "", "\n"))
        table = _updated(found, values)
        if own:
            _append(table, own)
        table.trivia.indent = lead if fresh else lead.lstrip("\n")
        fresh.append(table)
    _append(fresh[-1], tails[-1][1])
    tables.body[:] = fresh


def _cut_tail(table: Table) -> tuple[str, str]:
    """Take comments and blank lines off a table's end: its own, and from the first blank line on what leads to the next part."""
    body = table.value.body
    tail = ""
    while body and body[-1][0] is None:
        tail = body.pop()[1].as_string() + tail
    lines = tail.splitlines(keepends=True)
    blank = next((index for index, line in enumerate(lines) if not line.strip()), len(lines))
    return "".join(lines[:blank]), "".join(lines[blank:])


def _append(table: Table, text: str) -> None:
    table.value.body.append((None, Whitespace(text)))


def _updated(table: Table | None, values: Mapping[str, Any]) -> Table:
    """`table` holding exactly `values`, its untouched keys and their comments as they were; a new one for None."""
    table = tomlkit.table() if table is None else table
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        if table.get(key) != value:
            table[key] = value
    return table
