"""Everything known of one item: as data for `show --json`, and as a card to read."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from scout.cli.output import line, stamp
from scout.serving import verdicts

if TYPE_CHECKING:
    from pathlib import Path

    from scout.items import Item
    from scout.store import Store
    from scout.store.items import Stored

WIDTH = 96


def facts(store: Store, stored: Stored, reader: str, *, checks: Path) -> dict[str, Any]:
    """What is stored of an item, and what it is to this reader; the folder `checks` knows what its model is worth."""
    item = stored.item
    decision = store.decisions.of(reader, [item.id]).get(item.id)
    summary = store.summaries.of([item.id]).get(item.id)
    words = store.feedback.current(reader, [item.id]).get(item.id, {})
    return {
        "id": item.id,
        "kind": item.kind,
        "title": item.title,
        "url": item.url,
        "authors": list(item.authors),
        "categories": list(item.categories),
        "comment": item.comment,
        "published": stamp(item.published),
        "updated": stamp(item.updated),
        "version": item.version,
        "first_seen": stamp(stored.first_seen),
        "source": item.source,
        "sources": store.items.sources_of(item.id),
        "aliases": store.items.aliases(item.id),
        "text": item.text,
        "versions": [
            {"version": old.version, "title": old.title, "text": old.text, "replaced": stamp(old.seen_at)}
            for old in store.items.versions(item.id)
        ],
        "signals": [
            {"kind": signal.kind, "day": signal.day, "value": signal.value}
            for signal in store.signals.of([item.id]).get(item.id, [])
        ],
        "summary": summary
        and {
            "tldr": summary.tldr,
            "points": [{"text": point.text, "cites": list(point.cites)} for point in summary.points],
            "by": summary.by,
        },
        "label": verdicts.label_of(
            checks, by=summary.by if summary else "", policy=decision.policy if decision else ""
        ),
        "reader": reader,
        "decision": decision
        and {
            "policy": decision.policy,
            "lane": decision.lane,
            "probability": decision.probability,
            "subject": decision.subject,
            "subjects": dict(decision.subjects),
            "why": [{"feature": part.feature, "weight": part.weight} for part in decision.why],
        },
        **_belonging(store, reader, item),
        "reading": _reading(store, item.id, reader),
        "feedback": [
            {"aspect": aspect, "value": word.value, "reasons": list(word.reasons), "at": stamp(word.at)}
            for aspect, word in sorted(words.items())
        ],
        "digests": [
            {"date": seen.digest_date, "position": seen.position, "lane": seen.lane, "propensity": seen.propensity}
            for seen in store.digests.impressions(reader, item=item.id)
        ],
    }


def _belonging(store: Store, reader: str, item: Item) -> dict[str, Any]:
    """Where the same text also stands, what it is to what was read, what changed, and its thread, the oldest first."""
    from dataclasses import asdict

    from scout.digest import context

    about = context.about(store, reader, item)
    return {
        "also": [asdict(place) for place in about.also],
        "relation": asdict(about.relation),
        "changed": about.changed,
        "thread": [
            {
                "id": step.item.id, "title": step.item.title, "day": step.day.isoformat(), "later": step.link.later,
                "earlier": step.link.earlier, "kind": step.link.kind, "strength": step.link.strength, "why": step.link.why,
            }
            for step in context.thread(store, item.id)
        ],
    }  # fmt: skip


def _reading(store: Store, id: str, reader: str) -> dict[str, Any] | None:
    """How far a served model is with the item; None where it was never asked."""
    if read := store.readings.of(reader, [id]).get(id):
        told = {"outcome": read.outcome, "model": read.model, "rating": read.rating, "message": read.message}
        return told | {"points": read.points, "dropped": dict(read.dropped)}
    attempt = store.attempts.about(id, reader)
    if attempt is None:
        return None
    return {"outcome": "waiting", "failures": attempt.failures, "message": attempt.message}


def card(known: dict[str, Any]) -> str:
    """The same, for reading."""
    from scout.text import tex_to_plain

    parts = [line(tex_to_plain(known["title"])), ", ".join(known["authors"]), _origin(known), known["url"]]
    if known["comment"]:
        parts.append(tex_to_plain(known["comment"]))
    parts += _standing(known)
    blocks = ["\n".join(line(part) for part in parts if part)]
    if known["summary"]:
        blocks.append(_summary(known["summary"]))
    blocks.append("\n\n".join(_wrapped(part) for part in tex_to_plain(known["text"]).split("\n\n") if part.strip()))
    blocks += [
        f"Until {old['replaced'][:10]} (version {old['version']}): {line(tex_to_plain(old['title']))}\n"
        + _wrapped(tex_to_plain(old["text"]))
        for old in known["versions"]
    ]
    return "\n\n".join(block for block in blocks if block)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(line(text), WIDTH, initial_indent=indent, subsequent_indent=indent)


def _origin(known: dict[str, Any]) -> str:
    pieces = [known["id"], known["kind"], f"from {', '.join(known['sources'] or [known['source']])}"]
    if known["published"]:
        pieces.append(f"published {known['published'][:10]}")
    if known["version"] > 1:
        pieces.append(f"version {known['version']}")
    return " · ".join([*pieces, *known["categories"]])


def _standing(known: dict[str, Any]) -> list[str]:
    """What community, policy and reader say of it, a line each."""
    lines = [f"{signal['kind']}: {signal['value']:g} on {signal['day']}" for signal in known["signals"]]
    if decision := known["decision"]:
        why = ", ".join(f"{part['feature']} {part['weight']:+.2f}" for part in decision["why"][:6])
        lines.append(
            f"{decision['lane']} for {known['reader']}: probability {decision['probability']:.2f}, subject "
            f"{decision['subject']}" + (f"; because of {why}" if why else "")
        )
    if known["label"]:
        lines.append(f"note: {known['label']}")
    if read := known["reading"]:
        by = f" by {read['model']}" if "model" in read else ""
        lines.append(f"reading{by}: {read['outcome']}" + (f" ({read['message']})" if read["message"] else ""))
    lines += [f"in the digest of {seen['date']}, place {seen['position']}" for seen in known["digests"]]
    lines += _told(known)
    for word in known["feedback"]:
        reasons = f" ({', '.join(word['reasons'])})" if word["reasons"] else ""
        lines.append(f"your word on {word['at'][:10]}: {word['aspect']} {word['value']}{reasons}")
    return lines


def _told(known: dict[str, Any]) -> list[str]:
    """Relation, changes, other places and the thread, a line each."""
    from scout.digest.wording import related
    from scout.links import Relation, RelationKind
    from scout.text import tex_to_plain

    relation = Relation(**{**known["relation"], "kind": RelationKind(known["relation"]["kind"])})
    lines = [related(relation)] if relation.to else []
    if known["changed"]:
        lines.append(f"changed since it came: {known['changed']}")
    lines += [f"the same text also at {place['id']}" for place in known["also"]]
    return lines + [
        f"thread: {step['day']} {step['id']} {line(tex_to_plain(step['title']))} ({step['kind']}: {step['why']})"
        for step in known["thread"]
        if step["kind"] != "duplicate"
    ]


def _summary(summary: dict[str, Any]) -> str:
    from scout.text import tex_to_plain

    lines = [_wrapped(f"In short ({summary['by']}): {tex_to_plain(summary['tldr'])}")]
    for point in summary["points"]:
        cites = ", ".join(str(number) for number in point["cites"])
        lines.append(_wrapped(f"- {tex_to_plain(point['text'])} [{cites}]", "  "))
    return "\n".join(lines)
