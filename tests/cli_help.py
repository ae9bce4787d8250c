"""What the tests of the command line share: running a command, and a small store to run it on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from click.testing import CliRunner

from scout.cli.app import app
from scout.config import load
from scout.items import Item, ItemKind, Point, Summary
from scout.store import Store

AT = datetime(2025, 12, 2, 6, 0, tzinfo=UTC)
PAPER = Item(
    id="arxiv:2511.21735",
    kind=ItemKind.PAPER,
    title=r"Agents that $\alpha$-plan",
    url="https://arxiv.org/abs/2511.21735",
    text="We plan with tools. It works well. Nothing else does.",
    source="arxiv",
    authors=("Ada Lovelace", "Émile Borel"),
    categories=("cs.AI", "cs.LG"),
    published=datetime(2025, 12, 1, 20, 0, tzinfo=UTC),
    comment="12 pages",
    aliases=("doi:10.1000/x",),
)
POST = Item(
    id="url:example.org/post",
    kind=ItemKind.POST,
    title="A post\x1b[2J about \u202equantization",
    url="https://example.org/post",
    text="Small numbers, large models.",
    source="example",
)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def scout(*words: str, stdin: str | bytes | None = None) -> Result:
    """Run a command in this process. An exception that a user would see as a traceback fails the test."""
    result = CliRunner().invoke(app, list(words), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Result(result.exit_code, result.stdout, result.stderr)


def fill() -> None:
    """A paper with a summary and a post, in the store of this test."""
    settings = load()
    with Store(settings.database) as store:
        store.items.add([PAPER, POST], AT)
        store.summaries.write(
            [(PAPER, Summary(PAPER.id, "Planning works.", (Point("It works well.", (2,)),), "extractive"))], AT
        )
