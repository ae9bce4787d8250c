"""docs/reliability.md names tests that exist, and says something of each fault test there is."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")


def defined(*files: Path) -> set[str]:
    return {name for file in files for name in re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.M)}


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 25
    assert named - defined(*TESTS.glob("test_*.py")) == set()


def test_every_promise_has_a_test() -> None:
    rows = [
        line
        for line in PAGE.splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| promise", "| what"))
    ]
    assert len(rows) > 25
    assert [row for row in rows if "`test_" not in row] == []
