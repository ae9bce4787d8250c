"""What a digest shows, in which order and with what probability."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from digest_samples import DAY, candidate
from hypothesis import given
from hypothesis import strategies as st

from scout.config import DigestSettings
from scout.digest.choose import Chosen, choose
from scout.items import Lane

LIMITS = DigestSettings(per_subject=3, unsure=2, explore=2)
SUBJECTS = ("language-models", "agents")


def chosen_from(candidates, *, reader="ada", day=DAY, limits=LIMITS) -> Chosen:
    return choose(candidates, limits=limits, subjects=SUBJECTS, reader=reader, day=day)


def ids(choices) -> list[str]:
    return [choice.item.id[-2:].lstrip("0") for choice in choices]


def test_subjects_come_in_the_readers_order_with_other_last_and_empty_ones_dropped():
    chosen = chosen_from(
        [
            candidate(1, Lane.READ, 0.99, subject="other"),
            candidate(2, Lane.READ, 0.80, subject="agents"),
            candidate(3, Lane.READ, 0.70, subject="a-subject-deleted-since"),
        ]
    )
    assert list(chosen.blocks) == ["agents", "other"]
    assert ids(chosen.blocks["other"]) == ["1", "3"]


def test_a_subject_is_capped_at_its_likeliest_and_what_is_left_out_is_counted():
    chosen = chosen_from([candidate(number, Lane.READ, number / 10) for number in range(1, 6)])
    assert ids(chosen.blocks["agents"]) == ["5", "4", "3"]
    assert chosen.counts["read"] == 5
    assert chosen.counts["read_left_out"] == 2
    assert chosen.counts["shown"] == 3


def test_the_unsure_lane_is_last_and_positions_count_through_the_whole_digest():
    chosen = chosen_from(
        [
            candidate(1, Lane.UNSURE, 0.45),
            candidate(2, Lane.UNSURE, 0.50),
            candidate(3, Lane.UNSURE, 0.40),
            candidate(4, Lane.READ, 0.60, subject="agents"),
            candidate(5, Lane.READ, 0.60, subject="language-models"),
        ]
    )
    assert ids(chosen) == ["5", "4", "2", "1"]
    assert [choice.position for choice in chosen] == [1, 2, 3, 4]
    assert chosen.counts["unsure_left_out"] == 1


def test_exploration_ends_its_subjects_block_and_logs_k_over_n():
    skipped = [candidate(number, Lane.SKIP, 0.01, subject="agents") for number in range(10, 20)]
    chosen = chosen_from([candidate(1, Lane.READ, 0.9), *skipped])
    block = chosen.blocks["agents"]
    assert [choice.decision.lane for choice in block] == [Lane.READ, Lane.SKIP, Lane.SKIP]
    assert [choice.propensity for choice in block] == [1.0, 0.2, 0.2]
    assert chosen.counts["explored"] == 2


def test_exploration_is_certain_where_there_is_no_more_to_explore_than_slots():
    chosen = chosen_from([candidate(1, Lane.SKIP, 0.01)])
    assert [choice.propensity for choice in chosen] == [1.0]


def test_what_the_readers_rules_block_is_never_explored_and_not_in_the_propensity():
    blocked = [candidate(number, Lane.SKIP, 0.0, why="rule:block word crypto") for number in range(10, 30)]
    chosen = chosen_from([*blocked, *(candidate(number, Lane.SKIP, 0.01) for number in range(1, 5))])
    assert {choice.item.id[-2:] for choice in chosen} <= {"01", "02", "03", "04"}
    assert [choice.propensity for choice in chosen] == [0.5, 0.5]


def test_the_draw_is_the_same_again_and_another_for_another_reader_or_day():
    skipped = [candidate(number, Lane.SKIP, 0.01) for number in range(50)]
    first = ids(chosen_from(skipped))
    assert ids(chosen_from(list(reversed(skipped)))) == first
    others = [ids(chosen_from(skipped, reader="bob")), ids(chosen_from(skipped, day=DAY + timedelta(days=1)))]
    assert all(other != first for other in others)


def test_every_skipped_item_is_drawn_about_as_often_as_its_propensity_says():
    skipped = [candidate(number, Lane.SKIP, number / 100) for number in range(10)]
    days = 2_000
    drawn = Counter(
        choice.item.id for number in range(days) for choice in chosen_from(skipped, day=DAY + timedelta(days=number))
    )
    # 400 expected each; the standard deviation is 18.
    assert len(drawn) == 10
    assert all(abs(count - 0.2 * days) < 75 for count in drawn.values())


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Lane)), st.floats(0, 1), st.sampled_from([*SUBJECTS, "other", "gone"])),
        max_size=40,
    )
)
def test_nothing_vanishes_and_nothing_comes_twice(drawn):
    candidates = [candidate(number, lane, p, subject=subject) for number, (lane, p, subject) in enumerate(drawn)]
    chosen = chosen_from(candidates)
    shown = [choice.item.id for choice in chosen]
    counts = chosen.counts
    assert len(set(shown)) == len(shown) == counts["shown"]
    assert [choice.position for choice in chosen] == list(range(1, len(shown) + 1))
    assert counts["read"] + counts["unsure"] + counts["skipped"] == len(candidates)
    assert (
        counts["shown"]
        == counts["read"] + counts["unsure"] + counts["explored"] - counts["read_left_out"] - counts["unsure_left_out"]
    )
    assert all(0 < choice.propensity <= 1 for choice in chosen)
