"""What a new version changed, sentence by sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thread_samples import ABSTRACT, OTHER

from scout.triage.changes import NOTE_CHARS, change, note


def test_a_sentence_more_is_added_and_quoted() -> None:
    found = change("T", ABSTRACT, "T", f"{ABSTRACT} This version corrects the main table.")
    assert (found.added, found.removed, found.reworded) == (("This version corrects the main table.",), (), ())
    assert note(found) == "1 sentence added: “This version corrects the main table.”"


def test_a_number_that_changed_is_told() -> None:
    found = change("T", "We gain 12.3% on Bench. It holds.", "T", "We gain 14.1% on Bench. It holds.")
    assert found.reworded == (("We gain 12.3% on Bench.", "We gain 14.1% on Bench."),)
    assert note(found) == "1 sentence reworded: 12.3% is now 14.1%"


def test_what_went_and_what_came_are_told_apart() -> None:
    found = change("Old", "One stays here. Two leaves us now.", "New", "One stays here. Quite different words arrive.")
    assert (found.added, found.removed) == (("Quite different words arrive.",), ("Two leaves us now.",))
    assert note(found).startswith("a new title, 1 sentence added, 1 sentence removed: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), (ABSTRACT, ABSTRACT), (ABSTRACT, ABSTRACT.replace(" ", "\n ")), ("A B.", "a b.")],
    ids=["empty", "same", "white-space", "case"],
)
def test_what_is_no_change_is_none(old: str, new: str) -> None:
    assert change("T", old, "t ", new).is_empty
    assert note(change("T", old, "T", new)) == ""


def test_a_text_that_is_quite_another_is_told_in_figures() -> None:
    told = note(change("T", ABSTRACT, "T", OTHER))
    assert told.startswith("4 sentences added, 4 sentences removed: “")
    assert len(told) <= NOTE_CHARS


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_have_a_note_of_one_line(old: str, new: str) -> None:
    told = note(change(old[:40], old, new[:40], new))
    assert "\n" not in told
    assert len(told) <= NOTE_CHARS


def test_long_texts_are_compared_in_no_time() -> None:
    long = " ".join(f"Sentence number {n} says thing {n * 7}." for n in range(5_000))
    assert change("T", long, "T", long.replace("says", "tells")).reworded
