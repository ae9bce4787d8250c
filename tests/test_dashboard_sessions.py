"""Several readers at once over Streamlit's own WebSocket: each gets the page, and every thumb lands under the right name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import dashboard_store
import pytest
from browser import served

from benchmarks.streamlit_client import Browser, Widget
from scout.items import Aspect
from scout.store import Store

NAMES = ("ada", "ben", "cleo")
SETTINGS = """
[access]
login = "proxy"
readers = ["*"]
proxies = ["127.0.0.1"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sessions")
    (made / "scout.toml").write_text(SETTINGS)
    with dashboard_store.fill(made / "scout.db", thumbs=False) as store:
        for name in NAMES:
            store.readers.ensure(name, dashboard_store.at(dashboard_store.DAYS[0]))
            store.readers.onboarded(name)
    return made


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    env = {
        "SCOUT_CONFIG": str(folder / "scout.toml"),
        "SCOUT_DATA_DIR": str(folder),
        "SCOUT_TODAY": dashboard_store.DAYS[2].isoformat(),
        "HOME": str(folder),
    }
    with served(env) as url:
        yield int(urlsplit(url).port or 0)


def thumbs(browser: Browser) -> dict[str, Widget]:
    found = [widget for widget in browser.widgets.values() if widget.key.startswith("thumb-")]
    return {widget.key.removeprefix("thumb-"): widget for widget in found}


async def reads(port: int, name: str) -> list[tuple[str, str, str]]:
    """What one reader does: finds papers, opens two of them, gives each a thumb, and changes their mind about the second."""
    browser = await Browser.open(port, {"X-Forwarded-User": name})
    await browser.visit("")
    await browser.visit("search", "q=agents")
    items = sorted(thumbs(browser))[:2]
    given = []
    for item in items:
        await browser.choose(thumbs(browser)[item], "1")
        given.append((name, item, "up"))
    await browser.visit("item", f"item={items[1]}")
    assert thumbs(browser)[items[1]].state.string_value == "1", "the thumb stands on the item's own page"
    await browser.choose(thumbs(browser)[items[1]], "0")
    await browser.close()
    return [*given, (name, items[1], "down")]


def test_every_thumb_of_several_readers_at_once_lands_under_the_right_name(port: int, folder: Path) -> None:
    async def together() -> list[tuple[str, str, str]]:
        return [word for words in await asyncio.gather(*(reads(port, name) for name in NAMES)) for word in words]

    given = asyncio.run(together())
    with Store(folder / "scout.db", read_only=True) as store:
        rows = store.rows("SELECT reader, item_id, value FROM feedback WHERE aspect = ? ORDER BY id", Aspect.THUMB)
    stored = [(row["reader"], row["item_id"], row["value"]) for row in rows]
    assert sorted(stored) == sorted(given)
    assert len(given) == 3 * len(NAMES)
