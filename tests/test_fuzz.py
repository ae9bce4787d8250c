"""What comes from outside may be anything: every reader of it keeps its promises, or says what is wrong in its own words.

Here the same few inputs each time. `make fuzz FUZZ_SECONDS=600` tries others for so many seconds a target.
"""

from __future__ import annotations

import os

import fuzz_outside
import fuzz_words
import pytest
from fuzzing import Target, fuzz, within_time

SECONDS = float(os.environ.get("FUZZ_SECONDS") or 0)
TARGETS = (*fuzz_outside.TARGETS, *fuzz_words.TARGETS)


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_it_keeps_its_promises(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    tried = fuzz(target, seconds=SECONDS)
    with capsys.disabled():
        if SECONDS:
            print(f"\n{target.name}: {tried:,} inputs in {SECONDS:.0f} s")
    assert tried > len(target.corpus)


def test_a_reader_that_breaks_is_found_out() -> None:
    def trusting(data: bytes) -> None:
        assert b"<item>" not in data

    with pytest.raises(AssertionError):
        fuzz(Target("trusting", trusting, [b"<rss></rss>"], [b"<item>"]), examples=400)


def test_a_reader_that_takes_too_long_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzzing.SLOW", 0.0)
    with pytest.raises(AssertionError, match=r"s for 3 bytes"):
        within_time(lambda data: None, b"abc")
