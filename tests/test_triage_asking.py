"""Which shown items ask for a thumb: near the line, like the rest of the day, unlike what was said already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from digest_samples import DAY, READER, candidate, digest, entry
from triage_samples import papers

from scout.config import DigestSettings
from scout.digest.choose import Candidate, choose, marked
from scout.digest.faces import render
from scout.items import Decision, Item, Lane
from scout.triage import asking

PAPERS = papers(40, topics=("agents", "vision"))
AGENTS = [item for item in PAPERS if ":agents." in item.id]
VISION = [item for item in PAPERS if ":vision." in item.id]


def shown(items: Sequence[Item], probabilities: Sequence[float]) -> list[tuple[Item, Decision]]:
    made = []
    for item, probability in zip(items, probabilities, strict=True):
        lane = Lane.READ if probability >= 0.5 else Lane.UNSURE
        made.append((item, replace(candidate(1, lane, probability).decision, item_id=item.id)))
    return made


def test_what_is_near_the_line_is_asked_before_what_is_sure() -> None:
    asked = asking.choose(shown(AGENTS[:4], (0.99, 0.52, 0.03, 0.01)), AGENTS[4:], (), most=1)
    assert asked == (AGENTS[1].id,)


def test_of_two_alike_only_one_is_asked() -> None:
    twin = replace(AGENTS[0], id="arxiv:twin")
    asked = asking.choose(shown([AGENTS[0], twin, VISION[0]], (0.52, 0.52, 0.51)), PAPERS[10:], (), most=3)
    assert len({AGENTS[0].id, twin.id} & set(asked)) == 1
    assert VISION[0].id in asked


def test_what_was_thumbed_already_is_not_asked_again() -> None:
    repeat = replace(AGENTS[0], id="arxiv:thumbed")
    asked = asking.choose(shown([AGENTS[0], VISION[0]], (0.51, 0.49)), PAPERS[10:], [repeat], most=2)
    assert asked == (VISION[0].id,)


def test_what_is_like_the_rest_of_the_day_is_asked_before_an_odd_one() -> None:
    odd = replace(
        VISION[0], title="Sourdough hydration", text="Bread rises with wild yeast in warm kitchens overnight."
    )
    asked = asking.choose(shown([odd, AGENTS[0]], (0.5, 0.5)), AGENTS[1:], (), most=1)
    assert asked == (AGENTS[0].id,)


@pytest.mark.parametrize("most", [0, 3])
def test_nothing_shown_asks_for_nothing(most: int) -> None:
    assert asking.choose([], PAPERS, (), most=most) == ()
    assert len(asking.choose(shown(AGENTS[:2], (0.5, 0.4)), (), (), most=most)) <= most


def test_items_without_a_word_are_asked_of_without_harm() -> None:
    bare = [replace(item, title="", text="") for item in AGENTS[:3]]
    assert asking.choose(shown(bare, (0.5, 0.4, 0.6)), (), (), most=2) == ()


def a_day() -> list[Candidate]:
    lanes = [(Lane.READ, 0.6), (Lane.UNSURE, 0.4), (Lane.SKIP, 0.05)]
    return [
        Candidate(item, replace(candidate(1, lane, probability, subject="agents").decision, item_id=item.id))
        for place, item in enumerate(PAPERS)
        for lane, probability in [lanes[place % 3]]
    ]


def test_asking_changes_neither_what_is_shown_nor_its_chances() -> None:
    plain = choose(a_day(), limits=DigestSettings(), subjects=("agents",), reader=READER, day=DAY)
    asked = marked(plain, a_day(), (), most=3)
    assert [replace(choice, asks=False) for choice in asked] == list(plain)
    assert sum(choice.asks for choice in asked) == asked.counts["asked"] == 3


def test_what_a_rule_decided_is_not_asked() -> None:
    ruled = [candidate(number, Lane.READ, 0.5, why="rule: allow word x") for number in range(1, 4)]
    plain = choose(ruled, limits=DigestSettings(), subjects=("agents",), reader=READER, day=DAY)
    assert marked(plain, ruled, (), most=3).counts["asked"] == 0


@pytest.mark.parametrize("face", ["md", "html", "atom", "json"])
def test_every_face_marks_what_asks(face: str) -> None:
    words = '"asks": true' if face == "json" else "a thumb here teaches most"
    assert words in render(digest(entry(asks=True)), face)
    assert words not in render(digest(entry()), face)
