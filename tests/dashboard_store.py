"""A filled store for the dashboard's tests: three days of handwritten items with decisions, digests and thumbs.

Everything goes through the store's own methods, so what a page reads here is what it would read after three real runs.
`python tests/dashboard_store.py DIR` fills a data directory to look at.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from scout.digest.model import Digest, Entry, ReleaseLine, SubjectBlock
from scout.items import (
    Aspect,
    Contribution,
    Decision,
    Feedback,
    Impression,
    Item,
    ItemKind,
    Lane,
    OutcomeKind,
    Point,
    Release,
    Signal,
    SourceKind,
    Summary,
)
from scout.store import Store
from scout.store.policies import PolicyRow
from scout.store.sources import PollRow

READER = "me"
POLICY = "linear-1:5d0c2f1a"
DAYS = (date(2025, 12, 1), date(2025, 12, 2), date(2025, 12, 3))
HOSTILE_TITLE = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) $\\alpha$ :material/bolt: :red[x]"
HOSTILE_ID = "arxiv:2512.00666"
NAMES = {
    "language-models": "Language models",
    "reasoning-rl": "Reasoning and RL",
    "agents": "Agents and tools",
    "evaluation": "Evaluation",
    "systems": "Efficiency and systems",
}


@dataclass(frozen=True)
class Line:
    """An item as it is written down here."""

    id: str
    title: str
    subject: str
    probability: float
    lane: Lane
    authors: tuple[str, ...]
    text: str
    why: tuple[tuple[str, float], ...]
    url: str = ""
    source: str = "arxiv"
    thumb: str = ""
    cites: tuple[int, ...] = (1, 3)
    categories: tuple[str, ...] = field(default=("cs.LG",))


def paper(number: int, title: str, subject: str, probability: float, *, lane: Lane = Lane.READ, **more: object) -> Line:
    defaults: dict[str, object] = {
        "authors": ("Mara Lindqvist", "Tomás Oyelaran", "Ines Castellan", "Jun Watabe", "R. Okonkwo"),
        "text": (
            f"{title} is a question that the usual setup cannot answer. Earlier work fixes the budget and looks at the mean. "
            "We hold the data fixed and vary one factor at a time over 12 settings, three seeds each. The effect survives in "
            "every setting, at $p < 0.01$, and explains 64% of the variance. Code and raw results are released."
        ),
        "why": ((f"word:{title.split()[0].lower()}", 0.9), ("author:Mara Lindqvist", 0.4), ("category:cs.LG", -0.2)),
    }
    id = f"arxiv:2512.{number:05d}"
    return Line(id, title, subject, probability, lane, url=f"https://arxiv.org/abs/{id[6:]}", **{**defaults, **more})  # type: ignore[arg-type]


def post(slug: str, title: str, subject: str, probability: float, *, lane: Lane = Lane.READ, **more: object) -> Line:
    return Line(
        f"url:blog.example.org/{slug}", title, subject, probability, lane, ("Example Lab",),
        f"{title}. A short account of what we built and what it cost. It took four people two months. "
        "The second half lists what did not work.",
        (("source:example-lab", 0.5), ("word:lab", 0.3)), url=f"https://blog.example.org/{slug}", source="example-lab",
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


ONE = (
    paper(101, "Reward models disagree most where readers agree", "reasoning-rl", 0.93, thumb="up"),
    paper(102, "A verifier that abstains beats one that guesses", "reasoning-rl", 0.81, thumb="up"),
    paper(103, "Long chains of thought forget their first premise", "reasoning-rl", 0.72, thumb="down"),
    paper(104, "Tool calls under a strict schema: what breaks first", "agents", 0.88, thumb="up"),
    paper(105, "Memory that is worth its tokens", "agents", 0.64),
    post("shipping-agents", "What a year of shipping agents taught us", "agents", 0.58, thumb="down"),
    paper(106, "Counting contaminated items without the training set", "evaluation", 0.77, thumb="up"),
    paper(107, "Grokking in mixtures of experts", "language-models", 0.46, lane=Lane.UNSURE, thumb="up"),
    paper(108, "Sparse attention for very long code", "systems", 0.44, lane=Lane.UNSURE),
    paper(109, "Segmenting leaves in drone footage", "other", 0.04, lane=Lane.SKIP, thumb="down"),
    paper(110, "A survey of surveys of prompt tuning", "language-models", 0.05, lane=Lane.SKIP),
)
TWO = (
    paper(201, "Policy gradients that know when to stop", "reasoning-rl", 0.95, thumb="up"),
    paper(
        202, "$\\alpha$-divergence objectives for $\\mathcal{O}(\\log n)$ rollouts", "reasoning-rl", 0.86, thumb="up"
    ),
    paper(203, "When does process supervision help? A controlled answer", "reasoning-rl", 0.74),
    paper(204, "Browsing agents fail politely", "agents", 0.83, thumb="up"),
    post("agents-and-forms", "Filling forms is the hard part", "agents", 0.61, thumb="up"),
    paper(205, "Judges prefer what they would have written", "evaluation", 0.79, thumb="up"),
    paper(206, "Confidence intervals for leaderboards nobody reruns", "evaluation", 0.68, thumb="down"),
    paper(207, "FP8 training without loss spikes", "systems", 0.66),
    paper(208, "Tokenizer-free models on long documents", "language-models", 0.48, lane=Lane.UNSURE),
    paper(209, "Curriculum order matters less than you think", "language-models", 0.42, lane=Lane.UNSURE),
    paper(210, "Estimating snow depth from phone photos", "other", 0.03, lane=Lane.SKIP, thumb="down"),
)
THREE = (
    paper(301, "Off-policy corrections that survive a stale sampler", "reasoning-rl", 0.94),
    paper(302, "Verifiable rewards without a verifier", "reasoning-rl", 0.87),
    paper(303, "Test-time compute has a shape", "reasoning-rl", 0.73),
    paper(304, "Agents that ask before they act", "agents", 0.9),
    paper(305, "A benchmark of tools that lie", "agents", 0.76),
    post("inside-the-harness", "Inside our evaluation harness", "evaluation", 0.71),
    paper(306, "How many items does a comparison need?", "evaluation", 0.84),
    paper(307, "Speculative decoding at batch size 64", "systems", 0.62),
    paper(666, HOSTILE_TITLE, "systems", 0.6, authors=("<b>Mallory</b>", "[x](javascript:alert(1))")),
    paper(308, "Do scaling laws hold for synthetic text?", "language-models", 0.49, lane=Lane.UNSURE),
    paper(309, "Merging adapters by their gradients", "language-models", 0.45, lane=Lane.UNSURE),
    paper(310, "Bird song classification on a budget", "other", 0.02, lane=Lane.SKIP),
)
WORLD = dict(zip(DAYS, (ONE, TWO, THREE), strict=True))


def at(day: date, hour: int = 6) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def item_of(line: Line, day: date) -> Item:
    kind = ItemKind.PAPER if line.id.startswith("arxiv:") else ItemKind.POST
    return Item(
        line.id, kind, line.title, line.url, line.text, line.source, line.authors, line.categories,
        published=at(day, 1), aliases=(f"doi:10.48550/{line.id.replace(':', '.')}",) if kind is ItemKind.PAPER else (),
    )  # fmt: skip


def decision_of(line: Line) -> Decision:
    rest = (1 - 0.8) / (len(NAMES) - 1)
    subjects = {slug: 0.8 if slug == line.subject else rest for slug in NAMES}
    why = tuple(Contribution(feature, weight) for feature, weight in line.why)
    return Decision(line.id, READER, POLICY, line.subject, subjects, line.probability, line.lane, why)


def summary_of(line: Line) -> Summary:
    points = (
        Point("One factor is varied at a time, over 12 settings.", line.cites),
        Point("The effect is there in all.", (4,)),
    )
    return Summary(line.id, f"{line.text.split('. ')[2].rstrip('.')}.", points, "extractive")


def fill(path: Path, *, thumbs: bool = True, onboarded: bool = True, days: Sequence[date] = DAYS) -> Store:
    """The database at `path` after runs on `days`; the caller closes it."""
    store = Store(path)
    store.readers.ensure(READER, at(DAYS[0], 0))
    if onboarded:
        store.readers.onboarded(READER)
    _sources(store)
    for day in days:
        _day(store, day, thumbs=thumbs)
    if days:
        _policy(store)
        _second_version(store, days[0])
    return store


def _sources(store: Store) -> None:
    when = at(DAYS[0], 0)
    store.sources.add(
        "arxiv", SourceKind.ARXIV, "https://rss.arxiv.org/rss/cs.LG", title="arXiv", origin="default", at=when
    )
    store.sources.add(
        "hf-daily", SourceKind.HF_DAILY, "https://huggingface.co/papers", title="Hugging Face daily papers",
        origin="default", at=when,
    )  # fmt: skip
    store.sources.add("example-lab", SourceKind.FEED, "https://blog.example.org/feed.xml", title="Example Lab", at=when)
    store.sources.add("broken-lab", SourceKind.FEED, "https://broken.example.org/rss", title="Broken Lab", at=when)
    store.sources.add("quiet", SourceKind.FEED, "https://quiet.example.org/atom.xml", title="Quiet Notes", at=when)
    store.sources.pause("quiet", on=True)


def _poll(
    store: Store, run: str, source: str, kind: OutcomeKind, when: datetime, *, new: int = 0, message: str = ""
) -> None:
    row = PollRow(
        source=source, run=run, started=when, seconds=0.8, outcome=kind, message=message, status=200, new=new, updated=0,
        bytes=20_000,
    )  # fmt: skip
    store.sources.record(row, state={}, failures=0, next_poll=when + timedelta(hours=1), cooling_until=None)


def _day(store: Store, day: date, *, thumbs: bool) -> None:
    lines, when = WORLD[day], at(day)
    run = store.runs.start("run", when)
    items = [item_of(line, day) for line in lines]
    store.items.add(items, when)
    store.signals.add([Signal(lines[0].id, "hf-daily", day, 42.0)])
    releases = [
        Release(f"example/model-{day.day}b", "example", at(day, 2), f"https://huggingface.co/example/model-{day.day}b")
    ]
    store.releases.add(releases, when)
    _poll(store, run, "arxiv", OutcomeKind.OK, when, new=len(lines))
    _poll(store, run, "example-lab", OutcomeKind.UNCHANGED, when)
    _poll(store, run, "broken-lab", OutcomeKind.TOO_SLOW, when, message="no whole answer within 8 s")
    decisions = {line.id: decision_of(line) for line in lines}
    store.decisions.write(decisions.values(), when, run=run)
    summaries = {line.id: summary_of(line) for line in lines}
    store.summaries.write([(item, summaries[item.id]) for item in items], when)
    digest = _digest(day, lines, items, releases)
    impressions = [
        Impression(READER, entry.id, day, entry.position, entry.lane, entry.propensity, POLICY)
        for entry in digest.entries()
    ]
    store.digests.save(
        READER, day, made_at=when, policy=POLICY, cutoff=store.items.newest_seq(), snapshot=digest.to_dict(),
        impressions=impressions, run=run,
    )  # fmt: skip
    for number, line in enumerate(lines if thumbs else ()):
        if line.thumb:
            moment = at(day, 8) + timedelta(minutes=number)
            store.feedback.add(Feedback(READER, line.id, Aspect.THUMB, line.thumb, moment, origin="dashboard"))
    stages = [
        {"name": "ingest", "seconds": 4.2},
        {"name": "triage me", "seconds": 1.1},
        {"name": "digest me", "seconds": 0.1},
    ]
    store.runs.finish(run, when + timedelta(seconds=6), exit_code=0, message=f"{len(lines)} new items", stages=stages)


def _digest(day: date, lines: Sequence[Line], items: Sequence[Item], releases: Sequence[Release]) -> Digest:
    place = iter(range(1, 1_000))

    def entry(line: Line) -> Entry:
        item = next(item for item in items if item.id == line.id)
        decision = decision_of(line)
        return Entry(
            line.id, line.title, line.url, line.source, line.authors, item.published, line.lane, line.probability,
            decision.subjects, decision.why, summary_of(line), next(place), 0.02 if line.lane is Lane.SKIP else 1.0,
        )  # fmt: skip

    shown = [line for line in lines if line.lane is not Lane.UNSURE]
    names = {**NAMES, "other": "Other"}
    blocks = tuple(
        SubjectBlock(slug, names[slug], tuple(entry(line) for line in shown if line.subject == slug))
        for slug in names
        if any(line.subject == slug for line in shown)
    )
    return Digest(
        date=day, policy=POLICY, subjects=blocks,
        unsure=tuple(entry(line) for line in lines if line.lane is Lane.UNSURE),
        releases=tuple(ReleaseLine(release.id, release.published) for release in releases),
        counts={"read": 8, "unsure": 2, "skipped": 190, "shown": len(lines), "explored": 1, "considered": 200},
        note="1 source failed: Broken Lab (too slow: no whole answer within 8 s).",
    )  # fmt: skip


def _policy(store: Store) -> None:
    facts = {
        "held_out": {"agreement": 0.75, "n": 12},
        "learned": {
            "up": [{"feature": "word:reward", "weight": 1.4}, {"feature": "author:Mara Lindqvist", "weight": 0.7}],
            "down": [{"feature": "word:survey", "weight": -1.2}, {"feature": "word:drone", "weight": -0.5}],
        },
    }
    store.policies.save(
        PolicyRow(
            version=POLICY,
            reader=READER,
            recipe="linear-1",
            made_at=at(DAYS[-1]),
            training="x",
            facts=facts,
            weights=b"w",
        )
    )
    store.policies.crown(READER, POLICY, at(DAYS[-1]), reason="first fit")


def _second_version(store: Store, day: date) -> None:
    old = item_of(WORLD[day][0], day)
    new = Item(
        old.id, old.kind, old.title, old.url, old.text + " A second cohort confirms it.", old.source, old.authors,
        old.categories, old.published, updated=at(DAYS[-1]), version=2, comment="12 pages",
    )  # fmt: skip
    store.items.update([new], at(DAYS[-1], 9))


if __name__ == "__main__":
    fill(Path(sys.argv[1]) / "scout.db").close()
