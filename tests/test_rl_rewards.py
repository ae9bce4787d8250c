"""What an answer is worth: honesty pays best, silence never pays, and every part is told apart."""

from __future__ import annotations

import pytest

from rl.rewards import STANDS_FOR, Answer, Label, Weights, brevity, brier, reward

RATED = frozenset({"rating"})


@pytest.mark.parametrize("belief", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_the_best_rating_is_the_one_that_is_believed(belief: float) -> None:
    def expected(rating: str) -> float:
        answer = Answer(RATED, rating=rating)
        return belief * reward(answer, Label(up=True)).total + (1 - belief) * reward(answer, Label(up=False)).total

    assert STANDS_FOR[max(STANDS_FOR, key=expected)] == pytest.approx(belief)


def test_not_knowing_is_worth_more_than_being_sure_and_wrong() -> None:
    assert brier(0.9, up=False) < brier(0.5, up=False) < brier(0.1, up=False)


@pytest.mark.parametrize("rating", [None, "6", "", "five"])
def test_an_answer_out_of_form_is_worth_nothing(rating: str | None) -> None:
    found = reward(Answer(RATED, rating=rating), Label(up=False))
    assert found.total == 0
    assert found.parts == {"rating": 0.0, "form": 0.0}


def test_a_correction_counts_and_an_item_without_a_word_does_not() -> None:
    asked = frozenset({"rating", "subject"})
    right = reward(Answer(asked, rating="5", subject="vision"), Label(up=True, subject="vision"))
    wrong = reward(Answer(asked, rating="5", subject="agents"), Label(up=True, subject="vision"))
    assert right.parts["subject"] == 1 > wrong.parts["subject"] == 0
    assert right.total > wrong.total
    assert set(reward(Answer(asked, rating="5", subject="vision"), Label()).parts) == {"form"}


def test_a_reason_says_how_much_a_thumb_down_means() -> None:
    asked = frozenset({"rating", "subject"})

    def total(*reasons: str) -> float:
        return reward(Answer(asked, rating="5", subject="a"), Label(up=False, reasons=reasons, subject="a")).total

    assert total("off-topic") < total() < total("hype") < total("known")


def test_a_summary_is_worth_its_support_and_its_brevity() -> None:
    asked = frozenset({"summary"})
    grounded = reward(Answer(asked, supported=1.0, tldr_words=20), Label())
    invented = reward(Answer(asked, supported=0.25, tldr_words=20), Label())
    long = reward(Answer(asked, supported=1.0, tldr_words=90), Label())
    assert grounded.total == 1
    assert invented.parts["grounding"] == 0.25
    assert invented.total < long.total < grounded.total
    assert reward(Answer(asked), Label()).total == 0


def test_a_longer_sentence_is_never_worth_more() -> None:
    worth = [brevity(words) for words in range(1, 200)]
    assert worth == sorted(worth, reverse=True)
    assert brevity(0) == brevity(None) == 0


def test_weights_decide_what_counts_and_totals_stay_within_bounds() -> None:
    answer = Answer(frozenset({"rating", "subject"}), rating="1", subject="x")
    label = Label(up=True, subject="x")
    assert reward(answer, label, Weights(rating=0, form=0)).total == 1
    assert 0 <= reward(answer, label).total <= 1
    assert reward(Answer(frozenset()), label).total == 0
