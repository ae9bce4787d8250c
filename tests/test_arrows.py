"""Imports run one way: dashboard → evals, scout; rl → evals, scout; evals → scout; scout → nothing of ours.

`scout/cli` is the one place that knows everything. SQL lives in scout/store, clocks in scout/clock.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {"scout": set[str](), "evals": {"scout"}, "rl": {"scout", "evals"}, "dashboard": {"scout", "evals"}}
RAY = ROOT / "scout" / "backfill" / "ray_engine.py"
HEAVY = {"torch", "vllm", "ray", "transformers", "sklearn", "streamlit", "inspect_ai", "peft"}


def modules(package: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_follow_the_arrows(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, tree in modules(package)
        if "cli" not in path.relative_to(ROOT).parts
        for line, name in imported(tree)
        if (top := name.split(".")[0]) in MAY_IMPORT and top != package and top not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_the_command_line_is_imported_by_nobody() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for package in MAY_IMPORT
        for path, tree in modules(package)
        if "cli" not in path.relative_to(ROOT).parts and path.name != "__main__.py"
        for line, name in imported(tree)
        if name.startswith("scout.cli")
    ]
    assert wrong == []


def heavy(tree: ast.AST) -> list[tuple[int, str]]:
    return [(line, name) for line, name in imported(tree) if name.split(".")[0] in HEAVY]


def test_scout_imports_nothing_heavy() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, tree in modules("scout")
        if path != RAY
        for line, name in heavy(tree)
    ]
    assert wrong == []


def test_ray_is_imported_in_one_file_and_there_only_when_it_is_used() -> None:
    tree = ast.parse(RAY.read_text(encoding="utf-8"))
    assert {name for _, name in heavy(tree)} == {"ray"}
    inside = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(heavy(tree)) == sum(len(heavy(node)) for node in inside), "ray is imported at the top of the file"


def test_only_the_store_speaks_sql() -> None:
    statement = re.compile(
        r"^\s*(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\s", re.S
    )
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in MAY_IMPORT
        for path, tree in modules(package)
        if path.parent.name != "store"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.match(node.value)
    ]
    assert wrong == []


def test_triage_has_no_database_clock_or_network() -> None:
    forbidden = ("scout.store", "scout.net", "scout.clock", "sqlite3", "httpx", "requests", "scout.sources")
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, tree in modules("scout/triage")
        for line, name in imported(tree)
        if name.startswith(forbidden)
    ]
    assert wrong == []
