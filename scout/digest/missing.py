"""Say what a digest is missing: failed sources, days on which nothing was announced, items no model has read yet. Pure.

A day without announcement is no fault and is not called one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from scout.digest.wording import long_day, plural
from scout.items import OutcomeKind
from scout.text import line

NAMED = 12
"""Failed sources told by name; the rest are a number."""

_IN_WORDS = {
    OutcomeKind.BUSY: "asks for patience",
    OutcomeKind.GONE: "gone for good",
    OutcomeKind.REFUSED: "address refused",
    OutcomeKind.HTTP_ERROR: "HTTP error",
    OutcomeKind.TOO_SLOW: "too slow",
    OutcomeKind.TOO_LARGE: "too large",
    OutcomeKind.UNREADABLE: "not a readable feed",
    OutcomeKind.ERROR: "a fault of scout's",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands when the digest is made; `outcome` is None where it was never polled."""

    name: str
    outcome: OutcomeKind | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    note: str = ""
    failed: int = 0
    quiet: int = 0
    """Sources that answered and had nothing to announce."""
    unpolled: int = 0


def missing(
    standings: Sequence[Standing], day: date, *, unread: int = 0, given_up: int = 0,
    unusable: Mapping[str, int] = MappingProxyType({}),
) -> Missing:  # fmt: skip
    """What the sources did not bring to the digest of `day`, in sentences and in figures.

    `unread` items in it wait for the model that is set; on `given_up` of them it gave no answer in several runs; of what it
    wrote on others nothing could be shown: `unusable`, how the reading ended → on how many.
    """
    failed = [standing for standing in standings if standing.outcome and not standing.outcome.is_success]
    quiet = [standing for standing in standings if standing.outcome is OutcomeKind.NO_ANNOUNCEMENT]
    unpolled = [standing for standing in standings if standing.outcome is None]
    said = [f"{line(standing.name, limit=80)} announced nothing on {long_day(day)}." for standing in quiet]
    if failed:
        said.append(f"{plural(len(failed), 'source')} failed: {_reasons(failed)}.")
    if unpolled:
        verb = "was" if len(unpolled) == 1 else "were"
        said.append(f"{plural(len(unpolled), 'source')} {verb} never polled.")
    if unread:
        said.append(f"{plural(unread, 'item')} {'waits' if unread == 1 else 'wait'} for the model; {_stands(unread)}.")
    if given_up:
        said.append(f"The model gave no answer on {plural(given_up, 'item')} in several runs; {_stands(given_up)}.")
    if several := sum(unusable.values()):
        how = ", ".join(f"{count} {outcome}" for outcome, count in sorted(unusable.items()) if count)
        said.append(
            f"Of what the model wrote on {plural(several, 'item')} nothing could be shown ({how}); {_stands(several)}."
        )
    return Missing(" ".join(said), len(failed), len(quiet), len(unpolled))


def _stands(items: int) -> str:
    return "its summary is a sentence of its own" if items == 1 else "their summaries are sentences of their own"


def _reasons(failed: Sequence[Standing]) -> str:
    named = [f"{line(standing.name, limit=80)} ({_reason(standing)})" for standing in failed[:NAMED]]
    if len(failed) > NAMED:
        named.append(f"and {len(failed) - NAMED} more")
    return "; ".join(named)


def _reason(standing: Standing) -> str:
    assert standing.outcome is not None
    kind = _IN_WORDS.get(standing.outcome, standing.outcome.value.replace("-", " "))
    message = line(standing.message, limit=140).rstrip(".")
    if not message:
        return kind
    return message if message.lower().startswith(kind.lower()) else f"{kind}: {message}"
