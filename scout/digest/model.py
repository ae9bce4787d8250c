"""A day's digest as frozen data, and its public JSON shape. Choosing what is in it is `choose`'s, showing it the faces'.

`to_dict` gives exactly what `scout digest --format json` prints and what the store keeps as the snapshot, the same text
for the same digest (docs/schemas/digest.schema.json); `from_dict` reads it back to an equal Digest. Texts are as they
were stored: TeX stays TeX here and is made readable by the faces that people look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from scout.items import Contribution, ItemId, Lane, Point, Summary
from scout.links import UNRELATED, Place, Relation, RelationKind


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as this digest shows it."""

    id: ItemId
    title: str
    url: str
    source: str
    authors: tuple[str, ...]
    published: datetime | None
    lane: Lane
    probability: float
    subjects: Mapping[str, float]
    why: tuple[Contribution, ...]
    summary: Summary
    """Empty texts and an empty `by` where no summary was made."""
    position: int
    """From 1, over the whole digest."""
    propensity: float
    """With what probability it was put here: 1.0, or less where chance chose it."""
    also: tuple[Place, ...] = ()
    """Where the same text also stands: these are not shown again."""
    relation: Relation = UNRELATED
    """What it is to what this reader had read by then."""
    changed: str = ""
    """What its newest version changed, in a line; empty where there is one version."""
    label: str = ""
    """What is to be known of the model that decided or summarized: that it failed its check, or was never checked."""

    asks: bool = False
    """Whether a thumb on it would teach most."""

    @property
    def is_explored(self) -> bool:
        """Whether it is here by chance: the policy would have skipped it."""
        return self.lane is Lane.SKIP

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "url": self.url,
            "source": self.source,
            "authors": list(self.authors),
            "published": None if self.published is None else _stamp(self.published),
            "lane": self.lane.value,
            "probability": self.probability,
            "subjects": dict(sorted(self.subjects.items(), key=lambda pair: (-pair[1], pair[0]))),
            "why": [{"feature": part.feature, "weight": part.weight} for part in self.why],
            "summary": {
                "tldr": self.summary.tldr,
                "points": [{"text": point.text, "cites": list(point.cites)} for point in self.summary.points],
                "by": self.summary.by,
            },
            "position": self.position,
            "propensity": self.propensity,
            "also": [asdict(place) for place in self.also],
            "relation": asdict(self.relation),
            "changed": self.changed,
            "label": self.label,
            "asks": self.asks,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Entry:
        summary = data["summary"]
        return cls(
            id=data["id"],
            title=data["title"],
            url=data["url"],
            source=data["source"],
            authors=tuple(data["authors"]),
            published=None if data["published"] is None else datetime.fromisoformat(data["published"]),
            lane=Lane(data["lane"]),
            probability=data["probability"],
            subjects=dict(data["subjects"]),
            why=tuple(Contribution(part["feature"], part["weight"]) for part in data["why"]),
            summary=Summary(
                item_id=data["id"],
                tldr=summary["tldr"],
                points=tuple(Point(point["text"], tuple(point["cites"])) for point in summary["points"]),
                by=summary["by"],
            ),
            position=data["position"],
            propensity=data["propensity"],
            also=tuple(Place(**place) for place in data.get("also", ())),
            relation=_relation(data.get("relation")),
            changed=data.get("changed", ""),
            label=data.get("label", ""),
            asks=data.get("asks", False),
        )


def _relation(data: Mapping[str, str] | None) -> Relation:
    """A digest made before relations were has none."""
    if not data:
        return UNRELATED
    return Relation(RelationKind(data["kind"]), data["to"], data["title"], data["why"], data["read"])


@dataclass(frozen=True, slots=True)
class SubjectBlock:
    """What is to be read of one subject, the likeliest first, what chance added last."""

    slug: str
    name: str
    entries: tuple[Entry, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"slug": self.slug, "name": self.name, "items": [entry.to_dict() for entry in self.entries]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SubjectBlock:
        return cls(data["slug"], data["name"], tuple(Entry.from_dict(entry) for entry in data["items"]))


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """An open model that appeared in the days the digest covers; the verdict is None until evals exist."""

    id: str
    published: datetime
    verdict: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "published": _stamp(self.published), "verdict": self.verdict}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ReleaseLine:
        return cls(data["id"], datetime.fromisoformat(data["published"]), data["verdict"])


@dataclass(frozen=True, slots=True)
class Digest:
    date: date
    policy: str
    """Version of the policy that decided (most of) it; empty where nothing was decided."""
    subjects: tuple[SubjectBlock, ...] = ()
    unsure: tuple[Entry, ...] = ()
    releases: tuple[ReleaseLine, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    """What is missing, for humans; empty when nothing is."""

    @property
    def is_empty(self) -> bool:
        return not any(block.entries for block in self.subjects) and not self.unsure

    def entries(self) -> Iterator[Entry]:
        """Every entry, in the order of display."""
        for block in self.subjects:
            yield from block.entries
        yield from self.unsure

    def to_dict(self) -> dict[str, Any]:
        return {
            "date": self.date.isoformat(),
            "policy": self.policy,
            "subjects": [block.to_dict() for block in self.subjects],
            "unsure": [entry.to_dict() for entry in self.unsure],
            "releases": [release.to_dict() for release in self.releases],
            "counts": dict(sorted(self.counts.items())),
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Digest:
        """The Digest that `to_dict` wrote.

        Raises:
            KeyError, ValueError: the mapping is not of that shape.
        """
        return cls(
            date=date.fromisoformat(data["date"]),
            policy=data["policy"],
            subjects=tuple(SubjectBlock.from_dict(block) for block in data["subjects"]),
            unsure=tuple(Entry.from_dict(entry) for entry in data["unsure"]),
            releases=tuple(ReleaseLine.from_dict(release) for release in data["releases"]),
            counts=dict(data["counts"]),
            note=data["note"],
        )
