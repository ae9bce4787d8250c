"""One text under two ids is one text; what only looks like it stays apart."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from thread_samples import ABSTRACT, BOILERPLATE, OTHER, paper, post

from scout.items import Item
from scout.triage.duplicates import SAME, VERY_SAME, is_duplicate, may_share, print_of, titles_agree
from scout.triage.novelty import words_of
from scout.triage.tokens import split

TITLE = "A planner that learns from dead ends"
ONE = paper(1, title=TITLE, authors=("Ann Lee", "Bo Chen"))


@pytest.mark.parametrize(
    "other",
    [
        paper(2, title=TITLE),
        paper(2, title="A Planner That Learns from Dead Ends.", text=ABSTRACT.replace("a third", "one third")),
        post("planner", title=TITLE, text=f"{ABSTRACT} Read the paper."),
        paper(2, title="Memory is all a planner has", authors=("Bo Chen", "Ann Lee")),
    ],
    ids=["another-id", "a-word-changed", "a-post-of-it", "another-title-by-the-same-people"],
)
def test_the_same_text_is_one(other: Item) -> None:
    assert is_duplicate(ONE, other)
    assert is_duplicate(other, ONE)
    assert set(print_of(ONE).bands()) & set(print_of(other).bands())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ONE, paper(2, title=TITLE, text=OTHER)),
        (ONE, paper(2, title="Quite another matter", authors=("Cy Diaz",))),
        (paper(1, title="Planning, part 1"), paper(2, title="Planning, part 2")),
        (paper(1, title="Planning II"), paper(2, title="Planning III")),
        (paper(1, title=TITLE, text=""), paper(2, title=TITLE, text="")),
        (paper(1, title=TITLE, text="Too short to say."), paper(2, title=TITLE, text="Too short to say.")),
        (paper(1, title="", text=ABSTRACT), paper(2, title="", text=ABSTRACT)),
        (post("a", title="A new hire", text=BOILERPLATE), post("b", title="We moved", text=BOILERPLATE)),
        (post("a", title="Weekly letter", text=BOILERPLATE), post("b", title="Weekly letter", text=BOILERPLATE, days=7)),
        (post("a", title="Release 1.2", text=BOILERPLATE), post("b", title="Release 1.3", text=BOILERPLATE, source="other")),
        (paper(1), paper(1)),
    ],
    ids=[
        "another-text", "another-title-and-people", "another-part", "another-roman-part", "no-text", "short-text", "no-title",
        "boilerplate", "a-weekly-letter", "another-release", "itself",
    ],
)  # fmt: skip
def test_what_only_looks_the_same_stays_apart(one: Item, other: Item) -> None:
    assert not is_duplicate(one, other)
    assert not is_duplicate(other, one)


def test_a_post_that_moved_to_a_new_address_is_the_same() -> None:
    moved = post("b", title="We moved", text=BOILERPLATE, days=1)
    assert is_duplicate(post("a", title="We moved", text=BOILERPLATE), moved)
    assert not is_duplicate(post("a", title="We moved", text=BOILERPLATE), replace(moved, published=None))


def test_a_short_text_has_no_keys_to_meet_under() -> None:
    assert print_of(paper(1, text="")).bands() == []
    assert print_of(paper(1, text="Three words here.")).bands() == []
    assert print_of(paper(1, text="$x$ " * 500)).bands() == []


def test_keys_are_the_same_on_every_machine() -> None:
    """They are stored: a change of them needs a migration."""
    assert print_of(ONE).bands()[:2] == print_of(paper(9)).bands()[:2]
    assert all(-(2**63) <= key < 2**63 for key in print_of(ONE).bands())
    assert len(set(print_of(ONE).bands())) == 6


def test_titles_agree_by_words_and_numbers() -> None:
    assert titles_agree("The Planner", "the planner!")
    assert not titles_agree("Planner 1", "Planner 2")
    assert not titles_agree("", "")


@pytest.mark.parametrize("seed", range(8))
def test_words_never_rule_out_two_texts_that_share_their_runs(seed: int) -> None:
    """`may_share` may let pass what is another text, but no pair that its runs would have found."""
    rng = random.Random(seed)
    words = ABSTRACT.split()
    shared = 0
    for _ in range(40):
        rate = rng.choice([0.0, 0.01, 0.03, 0.3])
        changed = [f"word{rng.randrange(10**6)}" if rng.random() < rate else word for word in words]
        one, other = paper(1, text=" ".join(changed)), paper(2)
        for mine, theirs in ((one, other), (other, one)):
            likeness = print_of(mine).likeness(print_of(theirs))
            lacking = len(words_of(mine) - words_of(theirs)) - len(split(mine.title))
            for share in (SAME, VERY_SAME):
                assert likeness < share or may_share(print_of(mine), share, lacking=lacking)
                shared += likeness >= share
    assert shared > 10
    assert not may_share(print_of(ONE), SAME, lacking=len(print_of(ONE).runs))
