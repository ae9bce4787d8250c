"""What belongs together through time, and what shares no more than a name."""

from __future__ import annotations

import pytest
from thread_samples import ABSTRACT, OTHER, known, paper, post

from scout.items import Item
from scout.links import Link, LinkKind, RelationKind
from scout.triage import threads
from scout.triage.novelty import Nearness
from scout.triage.relation import READ, relation

TEAM = ("Ann Lee", "Bo Chen", "Cy Diaz")
FOLLOW_UP = ABSTRACT.replace("household tasks", "kitchen robots").replace("a third", "a tenth") + " We now add speech."


def linked(one: Item, other: Item) -> Link | None:
    first, second = known(one, 1), known(other, 2)
    rare = frozenset({*threads.author_keys(one), *threads.author_keys(other)})
    found = threads.link(first, second, rare=rare)
    assert found == threads.link(second, first, rare=rare)
    return found


def test_the_same_people_on_the_same_thing_are_a_thread_the_later_after_the_earlier() -> None:
    found = linked(paper(1, authors=TEAM), paper(2, title="Speech for planners", text=FOLLOW_UP, authors=TEAM, days=30))
    assert found is not None
    assert (found.kind, found.later, found.earlier) == (LinkKind.SAME_AUTHORS, "arxiv:2512.00002", "arxiv:2512.00001")
    assert found.why == "by Ann Lee, Bo Chen and 1 more too"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (paper(1, authors=TEAM), paper(2, text=OTHER, authors=TEAM)),
        (paper(1, authors=TEAM), paper(2, text=FOLLOW_UP, authors=("Di Eng", "Ed Fox"))),
        (paper(1, authors=("Yang Liu", "A", "B", "C")), paper(2, text=FOLLOW_UP, authors=("Yang Liu", "D", "E", "F"))),
        (paper(1), paper(2, text=FOLLOW_UP)),
        (paper(1, text="", authors=TEAM), paper(2, text="", title="$x^2$", authors=TEAM)),
        (paper(1, authors=TEAM), paper(1, authors=TEAM)),
    ],
    ids=["another-thing", "other-people", "one-name-among-many", "nobody-named", "no-text", "itself"],
)
def test_what_shares_only_a_part_of_that_is_none(one: Item, other: Item) -> None:
    assert linked(one, other) is None


def test_a_name_that_many_share_says_nothing() -> None:
    one, other = paper(1, authors=TEAM), paper(2, title="Speech", text=FOLLOW_UP, authors=TEAM)
    assert threads.link(known(one, 1), known(other, 2), rare=frozenset()) is None


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("DreamOmni3: Scribble-based Editing", ("dreamomni", (3,))),
        ("DeepSeek-V3.2: Pushing the frontier", None),
        ("Widgets, Part II: The sequel", ("widgets", (2,))),
        ("Towards inference, part 2: in practice", ("towards inference", (2,))),
        ("Spectral Reasoning: From there", ("spectral reasoning", (1,))),
        ("A study of 12 planners", None),
        ("ICLR 2025: What we saw", None),
        ("", None),
        (": a colon first", None),
    ],
    ids=["3", "v3.2", "part-II", "part-2", "unnumbered", "no-name", "a-year", "empty", "colon"],
)
def test_names_with_numbers_are_read_out_of_titles(title: str, expected: tuple[str, tuple[int, ...]] | None) -> None:
    found = threads.numbered(paper(1, title=title))
    if expected is not None:
        assert [(each.name, each.number) for each in found] == [expected]
    else:
        assert all(len(each.name) > 2 and each.number[0] not in threads.YEARS for each in found)


def test_the_next_version_follows_the_one_before() -> None:
    found = linked(
        paper(1, title="DreamOmni2: Editing", text=OTHER, authors=TEAM),
        paper(2, title="DreamOmni3: Scribbles", authors=TEAM[:1], days=9),
    )
    assert found is not None
    assert (found.kind, found.later, found.why) == (LinkKind.SEQUEL, "arxiv:2512.00002", "3 after 2")


def test_a_version_of_somebody_elses_or_a_lower_one_is_no_sequel() -> None:
    two, three = (
        paper(1, title="Dream2: Editing", text=OTHER, authors=TEAM),
        paper(2, title="Dream3: Scribbles", days=9),
    )
    assert linked(two, three) is None
    lower = paper(2, title="Dream2: y", authors=TEAM[:1], days=1)
    assert linked(paper(1, title="Dream3: x", text=OTHER, authors=TEAM), lower) is None


def test_posts_of_one_blog_may_be_sequels() -> None:
    one = post("a", title="Introducing Widget Pro 2.1", text=OTHER)
    found = linked(one, post("b", title="Widget Pro 2.5 is here", days=60))
    assert found is not None
    assert found.kind is LinkKind.SEQUEL
    assert linked(one, post("b", title="Widget Pro 2.5 is here", source="elsewhere", days=60)) is None


def test_a_day_in_front_of_a_title_is_no_number_of_a_version() -> None:
    one = post("a", title="Oct 3, 2025 Building for defenders", text=OTHER)
    assert linked(one, post("b", title="Oct 14, 2025 Preparing for policy", days=11)) is None
    assert threads.numbered(one) == []


def test_a_text_that_names_another_by_number_cites_it() -> None:
    text = (
        "We extend the planner of arXiv:2512.00001v2 to speech; 1234.5678 is a number, and 2512.00002 this very paper."
    )
    found = linked(paper(1, text=OTHER), paper(2, text=text, days=1))
    assert found is not None
    assert found.kind is LinkKind.CITES
    assert threads.cited(paper(2, text=text)) == ["arxiv:2512.00001"]


# What it is to a reader

LATER, EARLIER = "arxiv:2512.00002", "arxiv:2512.00001"
LIKED, SAVED, DISLIKED, SHOWN = READ


def follow(kind: LinkKind = LinkKind.SAME_AUTHORS, earlier: str = EARLIER) -> Link:
    return Link(LATER, earlier, kind, 0.4, "by Ann Lee too")


def test_it_follows_up_what_was_read_and_names_it() -> None:
    found = relation(LATER, [follow()], {EARLIER: SHOWN}, Nearness(), {EARLIER: "Matter 1"})
    assert (found.kind, found.to, found.title, found.read) == (RelationKind.FOLLOW_UP, EARLIER, "Matter 1", SHOWN)


def test_it_is_new_where_nothing_earlier_was_read() -> None:
    assert relation(LATER, [follow()], {}, Nearness(), {}).kind is RelationKind.NEW
    assert relation(EARLIER, [follow()], {LATER: SHOWN}, Nearness(), {}).kind is RelationKind.NEW
    assert relation(LATER, [], {EARLIER: SHOWN}, Nearness(9, 3, 0.5, EARLIER), {}).kind is RelationKind.NEW


def test_what_was_liked_is_named_before_what_was_shown() -> None:
    links = [follow(LinkKind.CITES, "arxiv:2512.00009"), follow()]
    found = relation(LATER, links, {EARLIER: LIKED, "arxiv:2512.00009": SHOWN}, Nearness(), {})
    assert (found.to, found.read) == (EARLIER, LIKED)


def test_the_same_text_or_nearly_the_same_words_are_a_repeat() -> None:
    same = Link(EARLIER, LATER, LinkKind.DUPLICATE, 0.9, "the same text")
    assert relation(LATER, [same], {EARLIER: SAVED}, Nearness(), {}).kind is RelationKind.REPEAT
    near = Nearness(5, 1, 0.8, EARLIER)
    assert relation(LATER, [], {EARLIER: DISLIKED}, near, {}).kind is RelationKind.REPEAT
