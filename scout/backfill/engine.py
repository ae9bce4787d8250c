"""What an engine is, for those that are one: chunks and a judge in, what became of each chunk out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from scout.backfill.chunks import Chunk
from scout.backfill.judge import Judge, Judged

Engine = Callable[[Iterable[Chunk], Judge], Generator[Judged, None, None]]
"""Takes chunks as it has room for them and gives each one's outcome once, in whatever order they end."""
AHEAD = 2
"""Chunks under way for each worker, so that none waits for the next."""


class EngineStopped(Exception):
    """Workers ended that nobody had told to; what was judged is kept. The message is for whoever must act."""
