"""Fixtures of the tests of `scout train`; what is behind them needs the rl extra, which is loaded when one is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from token_server import TokenServer

    from scout.store import Store


@pytest.fixture(scope="session")
def product_weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import product_samples

    return product_samples.lived_weeks(tmp_path_factory.mktemp("weeks"))


@pytest.fixture
def tiny_server(product_weeks: Path) -> Iterator[TokenServer]:
    import product_samples

    with product_samples.serving(product_weeks) as running:
        yield running


@pytest.fixture
def tiny_store(monkeypatch: pytest.MonkeyPatch, product_weeks: Path, tiny_server: TokenServer) -> Iterator[Store]:
    import product_samples

    with product_samples.opened(monkeypatch, product_weeks, tiny_server) as store:
        yield store
