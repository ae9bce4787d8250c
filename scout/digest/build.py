"""Make a reader's digest of a day, once, and keep it: a digest with items in it is frozen.

Reads what arrived since the reader's previous digest, leaves what to show to `choose`, and saves the snapshot and the
impressions in one transaction. Nothing is lost when a run is killed: the cutoff only moves past what was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TypedDict
from zoneinfo import ZoneInfo

from scout.clock import now
from scout.config import Settings
from scout.digest.choose import Candidate, Choice, Chosen, choose, marked
from scout.digest.context import Context, contexts, fold
from scout.digest.missing import Missing, Standing, missing
from scout.digest.model import Digest, Entry, ReleaseLine, SubjectBlock
from scout.items import OTHER, Aspect, Impression, Item, ItemId, OutcomeKind, SourceKind, Summary
from scout.serving import verdicts
from scout.store import Store
from scout.store.items import Stored
from scout.store.readings import FAILED, UNUSABLE
from scout.store.sources import PollRow, SourceRow
from scout.triage import asking, honest

RELEASES = 60
"""More open models in one digest than that are cut."""


def find(store: Store, *, reader: str, day: date) -> Digest | None:
    """The digest that was made for that day, or None."""
    snapshot = store.digests.get(reader, day)
    return None if snapshot is None else Digest.from_dict(snapshot)


def build(store: Store, settings: Settings, *, reader: str, day: date, run: str | None = None) -> Digest:
    """The reader's digest of `day`: the one that was made, or a new one.

    A digest without items is made anew, so that what comes later the same day is not lost. Made for the reader's own
    today; for another day use `find`, since a digest takes its items away from every later one.
    """
    made = find(store, reader=reader, day=day)
    if made is not None and not made.is_empty:
        return made
    since, _ = window(day, settings)
    arrived = _fresh(store, reader, day, since)
    decisions = store.decisions.of(reader, (stored.item.id for stored in arrived))
    candidates = [
        Candidate(stored.item, decisions[stored.item.id]) for stored in arrived if stored.item.id in decisions
    ]
    subjects = {subject.slug: subject.name for subject in settings.subject_list()}
    folded = fold(store, reader, candidates)
    chosen = choose(folded.kept, limits=settings.digest, subjects=tuple(subjects), reader=reader, day=day)
    chosen = marked(chosen, candidates, _thumbed(store, reader), most=settings.digest.asks)
    summaries = store.summaries.of(choice.item.id for choice in chosen)
    about = contexts(store, reader, [choice.item for choice in chosen], folded.also)
    gap = missing(_standings(store, run), day, **_without_model(store, settings, reader, chosen))
    releases = _releases(store, settings, reader, day)
    shown = _Shown(summaries, about, settings.data_dir)
    digest = Digest(
        date=day,
        policy=_policy(store, reader, candidates),
        subjects=_blocks(chosen, subjects, shown),
        unsure=_entries(chosen.unsure, shown),
        releases=releases,
        counts=_counts(chosen, arrived, candidates, gap) | {"folded": folded.count},
        note=" ".join(filter(None, (gap.note, _promise(store, reader)))),
    )
    return _save(store, digest, chosen, reader=reader, cutoff=_cutoff(store, reader, day, arrived, decisions), run=run)


def window(day: date, settings: Settings) -> tuple[datetime, datetime]:
    """From the start of the oldest day that a digest of `day` takes up to the end of `day`, in the reader's time zone."""
    zone = ZoneInfo(settings.digest.timezone)
    since = datetime.combine(day - timedelta(days=settings.digest.max_age_days), time.min, zone)
    return since, datetime.combine(day + timedelta(days=1), time.min, zone)


def _releases(store: Store, settings: Settings, reader: str, day: date) -> tuple[ReleaseLine, ...]:
    """Open models that appeared in the digest's window and stand in none of the reader's digests of the days before.

    One that stood there without a verdict comes again when it has one.
    """
    since, until = window(day, settings)
    days = (day - timedelta(days=n) for n in range(1, settings.digest.max_age_days + 1))
    told: dict[str, str | None] = {}
    for each in days:
        made = find(store, reader=reader, day=each)
        for line in made.releases if made else ():
            told[line.id] = told.get(line.id) or line.verdict
    found = store.releases.listing(since=since, until=until, limit=RELEASES + len(told))
    fresh = [release for release in found if release.id not in told or (release.verdict and not told[release.id])]
    fresh = fresh[:RELEASES]
    return tuple(ReleaseLine(release.id, release.published, release.verdict) for release in fresh)


def _fresh(store: Store, reader: str, day: date, since: datetime) -> list[Stored]:
    """What arrived since the previous digest and the reader has neither been shown nor hidden, in the order of arrival."""
    arrived = store.items.arrived(store.digests.last_cutoff(reader, before=day), since)
    ids = [stored.item.id for stored in arrived]
    hidden = {
        id
        for id, words in store.feedback.current(reader, ids).items()
        if (word := words.get(Aspect.HIDDEN)) and word.value == "yes"
    }
    known = hidden | store.digests.shown(reader, ids)
    return [stored for stored in arrived if stored.item.id not in known]


def _cutoff(store: Store, reader: str, day: date, fresh: Sequence[Stored], decisions: Mapping[ItemId, object]) -> int:
    """The newest arrival considered. It stays before the first item that nothing was decided on, which comes next time."""
    cutoff = store.digests.last_cutoff(reader, before=day)
    for stored in fresh:
        if stored.item.id not in decisions:
            return max(cutoff, stored.seq - 1)
        cutoff = stored.seq
    return cutoff


def _policy(store: Store, reader: str, candidates: Iterable[Candidate]) -> str:
    """The version that decided most of the candidates, else the one that serves."""
    versions = Counter(candidate.decision.policy for candidate in candidates)
    if versions:
        return max(sorted(versions), key=lambda version: versions[version])
    champion = store.policies.champion(reader)
    return champion.version if champion else ""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown of items beside their decisions."""

    summaries: Mapping[ItemId, Summary]
    about: Mapping[ItemId, Context]
    checks: Path
    """The folder that knows what a model is worth."""


def _promise(store: Store, reader: str) -> str:
    """What the serving policy promises of its lanes, where the reader asked for a promise."""
    champion = store.policies.champion(reader)
    return honest.promised(champion.facts) if champion else ""


def _thumbed(store: Store, reader: str) -> list[Item]:
    """What this reader thumbed last, the newest first."""
    words = store.feedback.thumbs(reader)[-asking.KNOWN :]
    items = store.items.many({word.item_id for word in words})
    return [items[word.item_id] for word in reversed(words) if word.item_id in items]


def _blocks(chosen: Chosen, names: Mapping[str, str], shown: _Shown) -> tuple[SubjectBlock, ...]:
    names = {**names, OTHER: names.get(OTHER, "Other")}
    return tuple(SubjectBlock(slug, names[slug], _entries(choices, shown)) for slug, choices in chosen.blocks.items())


def _entries(choices: Iterable[Choice], shown: _Shown) -> tuple[Entry, ...]:
    return tuple(_entry(choice, shown) for choice in choices)


def _entry(choice: Choice, shown: _Shown) -> Entry:
    item, decision = choice.item, choice.decision
    summary, about = shown.summaries.get(item.id), shown.about[item.id]
    return Entry(
        id=item.id,
        title=item.title,
        url=item.url,
        source=item.source,
        authors=item.authors,
        published=item.published,
        lane=decision.lane,
        probability=decision.probability,
        subjects=decision.subjects,
        why=decision.why,
        summary=summary or Summary(item.id, "", (), ""),
        position=choice.position,
        propensity=choice.propensity,
        also=about.also,
        relation=about.relation,
        changed=about.changed,
        asks=choice.asks,
        label=verdicts.label_of(shown.checks, by=summary.by if summary else "", policy=decision.policy),
    )


class _WithoutModel(TypedDict, total=False):
    unread: int
    given_up: int
    unusable: Mapping[str, int]


def _without_model(store: Store, settings: Settings, reader: str, chosen: Chosen) -> _WithoutModel:
    """How many of these items lack the words of the model that is set, and why, as `missing` takes it."""
    if not settings.model.base_urls:
        return {}
    ids = [choice.item.id for choice in chosen]
    waiting = set(store.ledger.waiting(reader))
    ended = Counter(reading.outcome for reading in store.readings.of(reader, set(ids) - waiting).values())
    unusable = {outcome: ended[outcome] for outcome in UNUSABLE}
    return {"unread": sum(id in waiting for id in ids), "given_up": ended[FAILED], "unusable": unusable}


def _counts(chosen: Chosen, fresh: Sequence[Stored], candidates: Sequence[Candidate], gap: Missing) -> dict[str, int]:
    return {
        **chosen.counts,
        "considered": len(fresh),
        "undecided": len(fresh) - len(candidates),
        "sources_failed": gap.failed,
        "sources_quiet": gap.quiet,
        "sources_unpolled": gap.unpolled,
    }


def _standings(store: Store, run: str | None) -> list[Standing]:
    """How every source that should have answered stands: by its poll in this run, else by its latest."""
    polled: dict[str, PollRow] = {}
    for row in store.sources.polls(run=run, limit=10_000) if run else ():
        polled.setdefault(row.source, row)  # the newest comes first
    standings = []
    for source in store.sources.all():
        poll = polled.get(source.id)
        if poll is None and (source.paused or source.gone):
            continue
        outcome, message = (poll.outcome, poll.message) if poll else (source.outcome, source.message)
        if outcome is OutcomeKind.UNCHANGED and source.kind is SourceKind.ARXIV:
            outcome = _before_unchanged(store, source)
        standings.append(Standing(source.title or source.id, outcome, message))
    return standings


def _before_unchanged(store: Store, source: SourceRow) -> OutcomeKind:
    """What the source last said that it says still: a 304 repeats "nothing announced" too."""
    for poll in store.sources.polls(source=source.id, limit=50):
        if poll.outcome is OutcomeKind.NO_ANNOUNCEMENT:
            return poll.outcome
        if poll.outcome is OutcomeKind.OK:
            break
    return OutcomeKind.UNCHANGED


def _save(store: Store, digest: Digest, chosen: Chosen, *, reader: str, cutoff: int, run: str | None) -> Digest:
    """Freeze it, unless another process was faster: then that one's digest is the day's."""
    impressions = [
        Impression(
            reader, choice.item.id, digest.date, choice.position, choice.decision.lane, choice.propensity,
            choice.decision.policy,
        )
        for choice in chosen
    ]  # fmt: skip
    with store.writing():
        made = find(store, reader=reader, day=digest.date)
        if made is not None and not made.is_empty:
            return made
        store.digests.save(
            reader, digest.date, made_at=now(), policy=digest.policy, cutoff=cutoff, snapshot=digest.to_dict(),
            impressions=impressions, run=run,
        )  # fmt: skip
    return digest
