"""docs/security.md promises nothing without a test that holds it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(test_\w+)\.py::(test_\w+)`", PAGE)))


def test_every_test_that_the_page_names_is_there() -> None:
    missing = [f"{file}::{name}" for file, name in NAMED if name not in _functions(ROOT / "tests" / f"{file}.py")]
    assert missing == []
    assert len(NAMED) > 50


def test_every_line_of_its_tables_names_one() -> None:
    tables = re.findall(r"\| what holds \| the test \|\n\|[-| ]+\|\n((?:\|.*\n)+)", PAGE)
    assert len(tables) >= 6
    assert [line for table in tables for line in table.splitlines() if "::test_" not in line] == []


def _functions(path: Path) -> set[str]:
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
