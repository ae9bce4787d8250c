"""What a research comes to: a brief whose claims cite what was read, and the check that they do.

Pure. A model writes a `Draft`; `checked` keeps of it what cites sentences or lines that were really shown to it, with their
words beside them, and names what it drops.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from scout.items import ItemId
from scout.text import line

Shown = Mapping[str, Mapping[int, str]]
"""Place → number → the sentence or line that was shown under it. A place is `arxiv:2511.21735 abstract`, `… full`, or
`owner/name path`."""

QUOTE = 600


class _Written(BaseModel):
    model_config = ConfigDict(extra="ignore")


class DraftEvidence(_Written):
    place: str = Field(description="the place as a tool result names it")
    numbers: list[int] = Field(description="numbers of the sentences or lines there", max_length=20)


class DraftClaim(_Written):
    text: str = Field(description="one sentence")
    evidence: list[DraftEvidence] = Field(max_length=6)


class DraftBase(_Written):
    item: str = Field(description="id of an item of the archive that you looked at")
    how: str = Field(description="one sentence on what is taken from it or how it relates")


class Draft(_Written):
    """A brief as the model writes it."""

    claims: list[DraftClaim] = Field(description="what the item shows, each claim with its evidence", max_length=12)
    builds_on: list[DraftBase] = Field(default_factory=list, max_length=8)
    open_questions: list[str] = Field(default_factory=list, max_length=8)
    try_code: list[str] = Field(
        default_factory=list, description="steps to try the item's code; empty where there is none", max_length=10
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    place: str
    numbers: tuple[int, ...]
    quote: str
    """The words of the sentences or lines cited, cut where they are long."""


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """Something in the archive that the item builds on or stands beside."""

    item: ItemId
    how: str


@dataclass(frozen=True, slots=True)
class Dropped:
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    claims: tuple[Claim, ...] = ()
    builds_on: tuple[Base, ...] = ()
    open_questions: tuple[str, ...] = ()
    try_code: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    """What the model wrote and nothing that it read bears out."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Brief:
        return cls(
            claims=tuple(
                Claim(
                    claim["text"],
                    tuple(Evidence(e["place"], tuple(e["numbers"]), e["quote"]) for e in claim["evidence"]),
                )
                for claim in data["claims"]
            ),
            builds_on=tuple(Base(base["item"], base["how"]) for base in data["builds_on"]),
            open_questions=tuple(data["open_questions"]),
            try_code=tuple(data["try_code"]),
            dropped=tuple(Dropped(part["text"], part["why"]) for part in data["dropped"]),
        )


def checked(draft: Draft, *, shown: Shown, met: Collection[ItemId]) -> Brief:
    """`draft` without what cannot be traced. `met` are the archive's items that were shown, without the item itself."""
    claims: list[Claim] = []
    dropped: list[Dropped] = []
    for claim in draft.claims:
        text = line(claim.text, limit=600)
        evidence = tuple(found for given in claim.evidence if (found := _evidence(given, shown)))
        if text and evidence:
            claims.append(Claim(text, evidence))
        elif text:
            why = _why_not(claim.evidence, shown)
            dropped.append(Dropped(text, why))
    bases: list[Base] = []
    for base in draft.builds_on:
        if base.item in met:
            bases.append(Base(base.item, line(base.how, limit=400)))
        else:
            dropped.append(
                Dropped(line(f"{base.item}: {base.how}", limit=600), "no item of the archive that was looked at")
            )
    return Brief(
        claims=tuple(claims),
        builds_on=tuple(bases),
        open_questions=_lines(draft.open_questions),
        try_code=_lines(draft.try_code),
        dropped=tuple(dropped),
    )


def _evidence(given: DraftEvidence, shown: Shown) -> Evidence | None:
    """The part of a citation that was shown; None where nothing of it was."""
    there = shown.get(given.place.strip(), {})
    numbers = tuple(number for number in dict.fromkeys(given.numbers) if number in there)
    if not numbers:
        return None
    return Evidence(given.place.strip(), numbers, line(" … ".join(there[number] for number in numbers), limit=QUOTE))


def _why_not(evidence: list[DraftEvidence], shown: Shown) -> str:
    if not evidence:
        return "it cites nothing"
    given = evidence[0]
    place = line(given.place, limit=200)
    if given.place.strip() not in shown:
        return f"{place!r} was not read"
    return f"{place!r} has no such numbers among those read: {', '.join(map(str, given.numbers[:5])) or 'none given'}"


def _lines(texts: list[str]) -> tuple[str, ...]:
    return tuple(kept for text in texts if (kept := line(text, limit=600)))


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of `model` without references or titles: what every server and chat template can read."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def plain(node: Any) -> Any:
        if isinstance(node, list):
            return [plain(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            node = {**definitions[node["$ref"].rpartition("/")[2]], **{k: v for k, v in node.items() if k != "$ref"}}
        kept = {key: plain(value) for key, value in node.items() if key not in ("title", "default")}
        return {**kept, "additionalProperties": False} if kept.get("type") == "object" else kept

    result: dict[str, Any] = plain(schema)
    return result
