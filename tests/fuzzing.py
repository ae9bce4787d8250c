"""Inputs that nearly are what a reader of them expects: good ones, taken apart and put together wrongly; and a clock for it.

A target is a check of one input; what it asserts is in `fuzz_outside` and `fuzz_words`. Hypothesis draws the changes, so that
what breaks a target comes back as the shortest list of changes that does.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SLOW = 5.0
"""Seconds of processor time that no input of this size may take: net.parse_seconds by default."""
LARGEST = 60_000
_PHASES = (Phase.explicit, Phase.generate, Phase.shrink)
_EVERY_CHECK = list(HealthCheck)


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    check: Callable[[bytes], None]
    """Raises where an input breaks what is promised."""
    corpus: Sequence[bytes]
    """Good inputs to begin with."""
    words: Sequence[bytes] = ()
    """What means something to the reader of this input."""


_COMMON = (
    b"", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f\xa6\x80", b"\r\n", b"9" * 5_000, b"-1", b"1e999", b"NaN", b"%00",
    b"\xe2\x80\xae", b"../" * 9, b"A" * 3_000, b"<" * 300, b"{" * 2_000, b"[" * 2_000, b'"', b"'", b"\\", b"&amp;", b"\xc2\xa0",
)  # fmt: skip


def mutated(target: Target) -> st.SearchStrategy[bytes]:
    """One of the corpus after up to eight changes, or bytes and text out of nowhere."""
    words = _one_of([*target.words, *_COMMON])
    begin = _one_of(target.corpus)
    change = st.tuples(
        st.sampled_from(("flip", "cut", "repeat", "insert", "replace", "swap", "splice", "truncate")),
        st.integers(0, 1 << 16), st.integers(0, 1 << 10), words,
    )  # fmt: skip
    changed = st.builds(
        lambda begin, changes, other: _changed(begin, changes, other)[:LARGEST],
        begin, st.lists(change, min_size=1, max_size=8), begin,
    )  # fmt: skip
    assembled = st.lists(words | st.binary(max_size=6), max_size=60).map(lambda parts: b"".join(parts))
    text = st.text(max_size=400).map(lambda words: words.encode("utf-8", "surrogatepass"))
    return st.one_of(changed, changed, changed, assembled.map(lambda made: made[:LARGEST]), text)


def _one_of(choices: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    return st.integers(0, len(choices) - 1).map(choices.__getitem__)


def _changed(begin: bytes, changes: list[tuple[str, int, int, bytes]], other: bytes) -> bytes:
    data = begin
    for kind, where, size, word in changes:
        at = where % (len(data) + 1)
        end = min(len(data), at + size)
        if kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << size % 8)]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at] + data[end:]
        elif kind == "repeat":
            data = data[:end] + data[at:end] * (1 + size % 5) + data[end:]
        elif kind == "insert":
            data = data[:at] + word + data[at:]
        elif kind == "replace":
            data = data[:at] + word + data[at + len(word) :]
        elif kind == "swap":
            data = data[end:] + data[:at] + data[at:end]
        elif kind == "splice":
            data = data[:at] + other[where % (len(other) + 1) :][: size * 8] + data[at:]
        elif kind == "truncate":
            data = data[:at]
    return data


def within_time(check: Callable[[bytes], None], data: bytes) -> None:
    """`check`, and that it took no more of the processor than a source is given."""
    began = time.process_time()
    check(data)
    spent = time.process_time() - began
    assert spent < SLOW, f"{spent:.1f} s for {len(data):,} bytes"


def fuzz(target: Target, *, seconds: float = 0.0, examples: int = 40) -> int:
    """Try inputs: the same `examples` each time, or for `seconds` always others. How many were tried.

    Raises:
        AssertionError, or whatever the target let through; the input is printed by hypothesis.
    """
    tried = 0

    def one(data: bytes) -> None:
        nonlocal tried
        tried += 1
        within_time(target.check, data)

    for data in target.corpus:
        one(data)
    ends = time.monotonic() + seconds
    while True:
        limits = settings(
            max_examples=500 if seconds else examples, database=None, deadline=None, phases=_PHASES, derandomize=not seconds,
            suppress_health_check=_EVERY_CHECK, print_blob=False,
        )  # fmt: skip
        run = limits(given(mutated(target))(one))
        (seed(secrets.randbits(64))(run) if seconds else run)()
        if time.monotonic() >= ends:
            return tried
