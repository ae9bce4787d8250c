"""What a reader said of an item, as people say it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scout.items import REASONS, Aspect

_SAID = {
    (Aspect.THUMB, "up"): "thumb up", (Aspect.THUMB, "down"): "thumb down", (Aspect.THUMB, "none"): "thumb taken back",
    (Aspect.SAVED, "yes"): "saved", (Aspect.SAVED, "no"): "saved no longer", (Aspect.HIDDEN, "yes"): "hidden",
    (Aspect.HIDDEN, "no"): "hidden no longer",
}  # fmt: skip


def said(aspect: Aspect, value: str, reasons: Sequence[str] = (), subjects: Mapping[str, str] | None = None) -> str:
    """`thumb up (New to me)`; `subjects` are names by slug."""
    if aspect is Aspect.SUBJECT:
        return f"under {(subjects or {}).get(value, value)}"
    told = _SAID.get((aspect, value), f"{aspect.value} {value}")
    return told + (f" ({', '.join(REASONS.get(reason, reason) for reason in reasons)})" if reasons else "")
