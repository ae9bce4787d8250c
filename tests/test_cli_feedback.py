"""`scout feedback`: a word lands once, is refused where it means nothing, and can be taken back."""

from __future__ import annotations

import pytest
from cli_help import PAPER, POST, fill, scout

from scout.config import load
from scout.items import Aspect
from scout.store import Store


def words(reader: str = "me", item: str = PAPER.id) -> dict[str, tuple[str, tuple[str, ...]]]:
    with Store(load().database) as store:
        current = store.feedback.current(reader, [item]).get(item, {})
        return {str(aspect): (word.value, word.reasons) for aspect, word in current.items()}


@pytest.fixture(autouse=True)
def _filled() -> None:
    fill()


def test_a_thumb_with_reasons_lands() -> None:
    result = scout("feedback", "2511.21735", "up", "--reason", "useful", "--reason", "novel")
    assert result.code == 0
    assert "thumb up" in result.out
    assert words() == {"thumb": ("up", ("useful", "novel"))}


def test_a_thumb_and_a_subject_land_together_or_not_at_all() -> None:
    assert scout("feedback", PAPER.id, "down", "--subject", "agents").code == 0
    assert words() == {"thumb": ("down", ()), "subject": ("agents", ())}
    assert scout("feedback", POST.id, "up", "--subject", "nonsense").code == 2
    assert words(item=POST.id) == {}


def test_a_subject_alone_is_a_correction() -> None:
    assert scout("feedback", PAPER.id, "--subject", "other").code == 0
    assert words() == {"subject": ("other", ())}


@pytest.mark.parametrize(
    ("word", "aspect", "value"),
    [
        ("save", Aspect.SAVED, "yes"),
        ("unsave", Aspect.SAVED, "no"),
        ("hide", Aspect.HIDDEN, "yes"),
        ("unhide", Aspect.HIDDEN, "no"),
    ],
)
def test_saving_and_hiding(word: str, aspect: Aspect, value: str) -> None:
    assert scout("feedback", PAPER.id, word).code == 0
    assert words() == {str(aspect): (value, ())}


def test_undo_takes_the_newest_word_back() -> None:
    scout("feedback", PAPER.id, "up")
    scout("feedback", POST.id, "down")
    assert "A post" in scout("feedback", "undo").out
    assert (words(), words(item=POST.id)) == ({"thumb": ("up", ())}, {})
    scout("feedback", "undo")
    assert words() == {}
    nothing = scout("feedback", "undo")
    assert (nothing.code, "nothing" in nothing.err) == (1, True)


def test_undo_of_an_item_takes_the_newest_word_on_it_back() -> None:
    scout("feedback", PAPER.id, "up")
    scout("feedback", PAPER.id, "down")
    scout("feedback", POST.id, "up")
    assert scout("feedback", "undo", "2511.21735").code == 0
    assert words() == {"thumb": ("up", ())}
    assert words(item=POST.id) == {"thumb": ("up", ())}


def test_each_reader_has_words_of_their_own() -> None:
    name = 'O\'Neil "x"; --'
    assert scout("feedback", PAPER.id, "up", "--reader", name).code == 0
    assert words(name) == {"thumb": ("up", ())}
    assert words() == {}
    assert scout("feedback", "undo", "--reader", name).code == 0
    assert words(name) == {}


@pytest.mark.parametrize(
    "line",
    [
        [PAPER.id],
        [PAPER.id, "sideways"],
        [PAPER.id, "up", "--reason", "because"],
        [PAPER.id, "save", "--reason", "useful"],
        [PAPER.id, "up", "--reader", " "],
        ["undo", "--reason", "useful"],
        [],
    ],
)
def test_what_means_nothing_is_a_usage_error_and_changes_nothing(line: list[str]) -> None:
    assert scout("feedback", *line).code == 2
    assert words() == {}


def test_an_item_that_does_not_exist_is_said_so() -> None:
    result = scout("feedback", "arxiv:0000.00000", "up")
    assert result.code == 1
    assert "arxiv:0000.00000" in result.err
