"""Full text and code against the replayed world: what arXiv's HTML says, what a repository holds, what is refused of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from agent_samples import AT, call, unhurried
from conftest import World

from scout import config
from scout.agent import fulltext, repository
from scout.agent.fulltext import How
from scout.agent.tools import Toolbox
from scout.ingest import ingest
from scout.items import Item
from scout.net.fetch import Fetcher
from scout.sources.base import Tools
from scout.sources.pool import ParserPool
from scout.store import Store

pytestmark = pytest.mark.world


@pytest.fixture
def tools(world: World, setenv: Callable[[dict[str, str]], None], tmp_path: Path) -> Iterator[Tools]:
    setenv(world.env("2025-12-01", tmp_path))
    settings = config.load()
    with Fetcher(settings.net) as fetcher, ParserPool(settings.net) as parser:
        yield Tools(settings=settings, fetcher=fetcher, parser=parser, manners=unhurried(), now=AT)


def papers(tools: Tools) -> list[Item]:
    """A few of the day's papers, stored."""
    with Store(tools.settings.database) as store:
        ingest(store, tools.settings, only=["arxiv"])
        return store.items.recent(6)


def test_papers_are_read_in_full_where_the_world_has_them(tools: Tools) -> None:
    read = [(item, fulltext.read(item, tools)) for item in papers(tools)]
    assert {text.how for _, text in read} == {How.ARXIV_HTML, How.STORED}
    for item, text in read:
        assert text.sentences
        if text.how is How.ARXIV_HTML:
            assert "skip to content" not in text.text
            assert len(text.text) > len(item.text)
            [name] = repository.named([text.text])
            assert str(name) == f"lab/{item.id.removeprefix('arxiv:').replace('.', '-')}"
        else:
            assert "only the stored text" in text.note


def test_a_repository_is_listed_and_read_and_its_link_to_the_outside_refused(tools: Tools) -> None:
    item = replace(
        papers(tools)[0], id="arxiv:2512.99999", comment="Code: https://github.com/lab/demo", text="Nothing here."
    )
    with Store(tools.settings.database) as store:
        store.items.add([item], AT)
    found = repository.fetch(repository.Name("lab", "demo"), tools)
    assert [file.path for file in found.files] == ["README.md", "results.csv", "train.py"]
    assert found.refused == (("demo-HEAD/outside", "a link, to ../../../../etc/passwd"),)
    box = Toolbox(tools, "fence")
    assert "train.py" in box.use(call("list_repository", {"item": item.id})).text
    read = box.use(call("read_repository", {"item": item.id, "path": "results.csv"}))
    assert read.shown["lab/demo results.csv"][3] == "ours,0.78"
    assert "no such file" in box.use(call("read_repository", {"item": item.id, "path": "outside"})).text
