"""Fixtures of the tests in which a model reads: a store, a scripted server that obliges, and a client that does not wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import scripted_server as scripted
from enrich_samples import obliging
from scripted_server import ScriptedServer

from scout.serving import client as clients
from scout.store import Store


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client tries again at once."""
    defaults = clients.ModelClient.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "patience", clients.Patience(first_pause=0.0, longest_pause=0.0))


@pytest.fixture
def server(impatient: None) -> Iterator[ScriptedServer]:
    with scripted.serving() as running:
        yield obliging(running)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "scout.db") as opened:
        yield opened
