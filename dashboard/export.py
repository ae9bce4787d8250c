"""A reader's feedback as a file to take along. Pure: rows in, text out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.phrases import said
from scout.items import Aspect, ItemId

COLUMNS = ("at", "item_id", "title", "aspect", "value", "reasons", "origin")


@dataclass(frozen=True, slots=True)
class Said:
    """A reader's word with the title of what it was said of."""

    at: datetime
    item_id: ItemId
    title: str
    aspect: Aspect
    value: str
    reasons: tuple[str, ...]
    origin: str

    @property
    def what(self) -> str:
        """In words."""
        return said(self.aspect, self.value, self.reasons)


def as_json(rows: Sequence[Said]) -> str:
    """A JSON array, the newest word first."""
    return json.dumps(
        [
            {"at": row.at.isoformat(), "item_id": row.item_id, "title": row.title, "aspect": row.aspect.value,
             "value": row.value, "reasons": list(row.reasons), "origin": row.origin}
            for row in rows
        ],
        ensure_ascii=False, indent=2,
    )  # fmt: skip


def as_csv(rows: Sequence[Said]) -> str:
    """CSV with a header. A title that a spreadsheet would take for a formula is written as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (
            row.at.isoformat(),
            row.item_id,
            row.title,
            row.aspect.value,
            row.value,
            " ".join(row.reasons),
            row.origin,
        )
        writer.writerow(f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in cells)
    return out.getvalue()
