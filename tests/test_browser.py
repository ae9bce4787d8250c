"""A real Chromium on a served dashboard: a thumb that is clicked is in the database, once, and stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dashboard_store
import pytest
from browser import chromium, chromium_path, served
from dashboard_store import DAYS, HOSTILE_ID, READER

from scout.items import Aspect
from scout.store import Store

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

pytestmark = pytest.mark.browser

FIRST = "arxiv:2512.00301"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A dashboard served over a filled store: its address and the database."""
    if chromium_path() is None:
        pytest.skip("no chromium on this machine (apt install chromium)")
    data = tmp_path_factory.mktemp("served")
    dashboard_store.fill(data / "scout.db", thumbs=False).close()
    env = {"SCOUT_DATA_DIR": str(data), "SCOUT_CONFIG": str(data / "scout.toml"), "SCOUT_TODAY": DAYS[2].isoformat()}
    with served(env) as url:
        yield url, data / "scout.db"


@pytest.fixture(scope="module")
def browser(place: tuple[str, Path]) -> Iterator[BrowserContext]:
    path = chromium_path()
    assert path is not None
    with chromium(path, viewport={"width": 1280, "height": 900}) as context:
        yield context


@pytest.fixture
def visit(place: tuple[str, Path], browser: BrowserContext) -> Iterator[Callable[[str], Page]]:
    """Open a path of the dashboard in a tab of its own; alerts and requests to other hosts fail the test."""
    strangers: list[str] = []
    tabs: list[Page] = []

    def open_tab(path: str) -> Page:
        tab = browser.new_page()
        tabs.append(tab)
        tab.on("dialog", lambda dialog: (strangers.append(f"dialog {dialog.message}"), dialog.dismiss()))
        tab.on("request", lambda asked: is_strange(asked.url) and strangers.append(asked.url))
        tab.goto(place[0] + path)
        return tab

    def is_strange(url: str) -> bool:
        return not url.startswith((place[0], place[0].replace("http", "ws"), "data:", "blob:"))

    yield open_tab
    for tab in tabs:
        tab.close()
    assert strangers == []


def card(tab: Page, item: str) -> Locator:
    return tab.locator(f".st-key-{re.sub('[^A-Za-z0-9_-]', '-', f'card-{item}')}")


def thumb(tab: Page, item: str, name: str) -> Locator:
    return card(tab, item).get_by_role("radio", name=name)


def rows(place: tuple[str, Path], item: str) -> list[tuple[str, str]]:
    with Store(place[1]) as store:
        found = store.rows("SELECT aspect, value FROM feedback WHERE item_id = ? ORDER BY id", item)
        return [(row["aspect"], row["value"]) for row in found]


def test_a_clicked_thumb_is_one_row_in_the_database_and_stays_until_undone(
    place: tuple[str, Path], visit: Callable[[str], Page]
) -> None:
    tab = visit("/")
    thumb(tab, FIRST, "Thumbs up").click()
    card(tab, FIRST).get_by_text("On my topic").wait_for()
    assert rows(place, FIRST) == [("thumb", "up")]

    tab.reload()
    card(tab, FIRST).get_by_text("On my topic").wait_for()
    assert thumb(tab, FIRST, "Thumbs up").get_attribute("aria-checked") == "true"
    assert rows(place, FIRST) == [("thumb", "up")]

    card(tab, FIRST).get_by_role("button", name="Undo").click()
    card(tab, FIRST).get_by_text("On my topic").wait_for(state="detached")
    assert rows(place, FIRST) == [("thumb", "up"), ("undo", "")]
    with Store(place[1]) as store:
        assert Aspect.THUMB not in store.feedback.current(READER, [FIRST]).get(FIRST, {})


def test_a_hostile_item_is_plain_text_everywhere(place: tuple[str, Path], visit: Callable[[str], Page]) -> None:
    tab = visit("/")
    card(tab, HOSTILE_ID).wait_for()
    title = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) α :material/bolt: :red[x]"
    card(tab, HOSTILE_ID).get_by_role("link", name=title).wait_for()
    card(tab, HOSTILE_ID).get_by_role("button", name="Hide").click()
    card(tab, HOSTILE_ID).get_by_text(f"Hidden: {title}").wait_for()
    assert tab.locator("[data-testid=stMain] img").count() == 0
    assert tab.locator("a[href^=javascript]").count() == 0


def test_a_deep_link_to_an_item_is_a_whole_page_for_the_first_visitor(visit: Callable[[str], Page]) -> None:
    tab = visit("/item?item=arxiv:2512.00101")
    tab.get_by_role("heading", name="Reward models disagree most where readers agree").wait_for()
    tab.get_by_role("link", name="Digest").wait_for()
    tab.get_by_text("Between you and it").wait_for()
    assert tab.get_by_test_id("stException").count() == 0


def test_a_phone_scrolls_down_and_never_sideways(visit: Callable[[str], Page]) -> None:
    tab = visit("/?day=2025-12-01")
    tab.set_viewport_size({"width": 390, "height": 844})
    card(tab, "arxiv:2512.00101").wait_for()
    assert tab.get_by_test_id("stMain").evaluate("element => element.scrollWidth <= element.clientWidth")
    thumb(tab, "arxiv:2512.00101", "Thumbs up").get_by_test_id("stIconMaterial").wait_for()
