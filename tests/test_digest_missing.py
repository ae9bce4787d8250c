"""What a digest says is missing."""

from __future__ import annotations

from digest_samples import DAY

from scout.digest.missing import Standing, missing
from scout.items import OutcomeKind
from scout.reading.reader import Outcome
from scout.store.readings import FAILED, UNUSABLE


def test_nothing_is_said_where_nothing_is_missing():
    gap = missing([Standing("arXiv", OutcomeKind.OK), Standing("A blog", OutcomeKind.UNCHANGED)], DAY)
    assert (gap.note, gap.failed, gap.quiet) == ("", 0, 0)


def test_a_day_without_announcement_is_told_and_is_no_failure():
    gap = missing([Standing("arXiv", OutcomeKind.NO_ANNOUNCEMENT)], DAY)
    assert gap.note == "arXiv announced nothing on Tuesday, 2 December 2025."
    assert (gap.failed, gap.quiet) == (0, 1)


def test_failed_sources_are_named_with_the_reason():
    gap = missing(
        [
            Standing("Slow Lab", OutcomeKind.TOO_SLOW, "no answer in 8 s"),
            Standing("Lost Lab", OutcomeKind.HTTP_ERROR, "HTTP error 404."),
            Standing("Fine Lab", OutcomeKind.OK),
        ],
        DAY,
    )
    assert gap.note == "2 sources failed: Slow Lab (too slow: no answer in 8 s); Lost Lab (HTTP error 404)."
    assert gap.failed == 2


def test_many_failures_do_not_make_a_wall_of_text():
    gap = missing([Standing(f"Lab {number}", OutcomeKind.UNREACHABLE, "x" * 900) for number in range(30)], DAY)
    assert gap.failed == 30
    assert gap.note.endswith("and 18 more.")
    assert len(gap.note) < 2_500


def test_a_sources_title_cannot_break_the_line():
    gap = missing([Standing("Lab\n\n# Heading\u202e", OutcomeKind.ERROR, "a\x07b")], DAY)
    assert "\n" not in gap.note
    assert not {"\u202e", "\x07"} & set(gap.note)


def test_a_source_never_polled_is_told():
    assert missing([Standing("New", None)], DAY).note == "1 source was never polled."


def test_what_waits_for_the_model_is_told():
    assert missing([], DAY, unread=1).note == "1 item waits for the model; its summary is a sentence of its own."
    assert missing([], DAY, unread=4).note.startswith("4 items wait for the model")


def test_what_the_model_wrote_and_could_not_be_shown_is_told_with_its_reason():
    gap = missing([], DAY, unusable={"ungrounded": 2, "unreadable": 1, "too-long": 0})
    assert gap.note == (
        "Of what the model wrote on 3 items nothing could be shown (2 ungrounded, 1 unreadable); "
        "their summaries are sentences of their own."
    )
    assert missing([], DAY, unusable={"rejected": 0}).note == ""


def test_the_outcomes_that_are_told_are_outcomes_of_a_reading():
    assert {*UNUSABLE, FAILED} < set(Outcome)
