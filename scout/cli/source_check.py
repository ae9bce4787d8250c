"""Ask sources for what they have now, as a run would, and store nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scout.cli.console import progress
from scout.config import Settings
from scout.store.sources import SourceRow


def checked(settings: Settings, rows: Sequence[SourceRow]) -> list[dict[str, Any]]:
    """How each source answered, in the order given. A source that is unchanged since its last poll may show no items."""
    from scout.ingest import polled
    from scout.sources.tools import open_tools

    if not rows:
        return []
    with progress() as bars, open_tools(settings) as tools:
        bars.stage("check", len(rows))
        answers = {one.source.id: one for one in polled(rows, tools, bars)}
        bars.done()
    return [
        {
            "id": row.id,
            "ok": answer.poll.outcome.kind.is_success,
            "outcome": answer.poll.outcome.kind,
            "items": len(answer.poll.items) or len(answer.poll.signals) or len(answer.poll.releases),
            "message": answer.poll.outcome.message
            or (f"moved to {answer.poll.moved_to}" if answer.poll.moved_to else ""),
            "seconds": round(answer.seconds, 2),
        }
        for row in rows
        for answer in [answers[row.id]]
    ]
