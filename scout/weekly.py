"""The weekly page of what the reader would have missed: drawn once a week from what was skipped, and frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from scout.clock import now
from scout.config import Settings
from scout.digest.build import window
from scout.digest.choose import RULE
from scout.digest.missed import DAYS, Drawn, MissedPage, draw, week_of
from scout.digest.model import Entry
from scout.items import Aspect, Decision, Impression, Item, ItemId, Lane, Slot, Summary
from scout.links import LinkKind
from scout.serving.verdicts import label_of
from scout.store import Store
from scout.triage.summarize import extractive


def find(store: Store, *, reader: str, week: date) -> MissedPage | None:
    """The page that was drawn for that week, or None."""
    snapshot = store.missed.get(reader, week)
    return None if snapshot is None else MissedPage.from_dict(snapshot)


def page(store: Store, settings: Settings, *, reader: str, day: date) -> MissedPage | None:
    """The page of the week of `day`: the one that was drawn, or a new one; None while nothing was skipped.

    Drawn when it is first looked at, so that what is written down as put before the reader was. It is drawn from what the
    digests of the seven days up to `day` skipped, was never shown, and has no word of the reader's; what rules block is
    left out.
    """
    week = week_of(day)
    if made := find(store, reader=reader, week=week):
        return made
    pool = {
        each.item_id: each
        for each in store.missed.pool(
            reader,
            after_seq=store.digests.last_cutoff(reader, before=day - timedelta(days=DAYS - 1)),
            until_seq=store.digests.last_cutoff(reader, before=day + timedelta(days=1)),
            published_since=window(day - timedelta(days=DAYS - 1), settings)[0],
        )
        if not any(part.feature.startswith(RULE) for part in each.why)
    }
    for id in doubles(store, reader, list(pool)):
        del pool[id]
    if not pool:
        return None
    strata, drawn = draw([(id, each.probability) for id, each in pool.items()], reader=reader, week=week)
    items = store.items.many([one.item_id for one in drawn])
    made = MissedPage(
        week, day, strata, _entries(store, settings, reader, drawn, items), {one.item_id: one.stratum for one in drawn}
    )
    impressions = [
        Impression(
            reader, entry.id, day, entry.position, Lane.SKIP, entry.propensity, pool[entry.id].policy, Slot.MISSED
        )
        for entry in made.entries
    ]
    if not store.missed.save(reader, week, made_at=now(), snapshot=made.to_dict(), impressions=impressions):
        return find(store, reader=reader, week=week)  # another process was faster: that one's page is the week's
    return made


def doubles(store: Store, reader: str, ids: Sequence[ItemId]) -> set[ItemId]:
    """Which of these items no digest would put before the reader, since the same text came under another name.

    Its twin was shown to the reader, or stands among `ids` before it.
    """
    twins = {
        id: [link.earlier if link.later == id else link.later for link in links if link.kind is LinkKind.DUPLICATE]
        for id, links in store.threads.links(ids).items()
    }
    shown = store.digests.shown(reader, [other for others in twins.values() for other in others])
    kept: set[ItemId] = set()
    for id in ids:
        if not any(other in shown or other in kept for other in twins.get(id, ())):
            kept.add(id)
    return set(ids) - kept


def thumbs(store: Store, reader: str, made: MissedPage) -> dict[ItemId, bool]:
    """Item of the page → whether the reader's thumb is up; only those that have one."""
    current = store.feedback.current(reader, [entry.id for entry in made.entries])
    words = {id: said[Aspect.THUMB].value for id, said in current.items() if Aspect.THUMB in said}
    return {id: word == "up" for id, word in words.items() if word in ("up", "down")}


def _entries(
    store: Store, settings: Settings, reader: str, drawn: list[Drawn], items: Mapping[ItemId, Item]
) -> tuple[Entry, ...]:  # fmt: skip
    ids = [one.item_id for one in drawn]
    decisions, summaries = store.decisions.of(reader, ids), store.summaries.of(ids)
    summaries |= {made.item_id: made for made in extractive([items[id] for id in ids if id not in summaries])}
    return tuple(
        _entry(place, one, items[one.item_id], decisions[one.item_id], summaries.get(one.item_id), settings.data_dir)
        for place, one in enumerate(drawn, 1)
    )


def _entry(
    place: int, one: Drawn, item: Item, decision: Decision, summary: Summary | None, checks: Path
) -> Entry:  # fmt: skip
    return Entry(
        id=item.id, title=item.title, url=item.url, source=item.source, authors=item.authors, published=item.published,
        lane=Lane.SKIP, probability=decision.probability, subjects=decision.subjects, why=decision.why,
        summary=summary or Summary(item.id, "", (), ""), position=place, propensity=one.propensity,
        label=label_of(checks, by=summary.by if summary else "", policy=decision.policy),
    )  # fmt: skip
