"""Items that belong together, or only look so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scout.items import Item, ItemKind
from scout.triage.novelty import Rarity, words_of
from scout.triage.threads import Known

NOON = datetime(2025, 12, 2, 12, tzinfo=UTC)
ABSTRACT = (
    "We present a planner that learns from the failures of its own rollouts. Earlier planners discard a rollout once it "
    "fails, and so pay twice for every dead end. Ours keeps a short memory of what was tried, ranks the next actions by how "
    "far they are from it, and stops early when nothing new is left. On three suites of household tasks it solves more "
    "episodes with a third of the calls, and an ablation shows that the memory, not the ranking, carries most of the gain."
)
OTHER = (
    "Gene expression varies between tissues, and so does its noise. We measure how much of that noise is explained by the "
    "chromatin around a promoter, using single cells of twelve donors. A hierarchical model separates technical from "
    "biological variance, and finds that open chromatin halves the noise in liver and does nothing in brain. The data and "
    "the code that made each figure are public, and a browser shows every promoter with its estimates and intervals."
)
BOILERPLATE = (
    "Subscribe to our newsletter to get the latest news from the lab straight into your inbox every week. We never share "
    "your address with anybody, and each letter has a link with which you leave the list at once. Find us at conferences, "
    "on the social networks of your choice, or drop by for a coffee: our office is open to everybody on the first Friday "
    "of each month, from two to five in the afternoon, and the whole team is around to answer what you always wanted to ask."
)


def paper(number: int, *, title: str = "", text: str = ABSTRACT, authors: tuple[str, ...] = (), days: int = 0) -> Item:
    return Item(
        id=f"arxiv:2512.{number:05d}", kind=ItemKind.PAPER, title=title or f"Matter {number} of planning", url=f"https://arxiv.org/abs/2512.{number:05d}",
        text=text, source="arxiv", authors=authors, published=NOON + timedelta(days=days),
    )  # fmt: skip


def post(name: str, *, title: str, text: str = ABSTRACT, source: str = "lab", days: int = 0) -> Item:
    return Item(
        id=f"url:{source}.example/{name}", kind=ItemKind.POST, title=title, url=f"https://{source}.example/{name}",
        text=text, source=source, published=NOON + timedelta(days=days),
    )  # fmt: skip


_RARITY = Rarity(
    [words_of(paper(1)), words_of(paper(2, text=OTHER)), words_of(post("a", title="News", text=BOILERPLATE))]
)


def known(item: Item, seq: int = 1) -> Known:
    return Known(item, seq, _RARITY)
