"""The dashboard under Streamlit's AppTest, and what its tests ask of it."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import dashboard_store
from streamlit.testing.v1 import AppTest

from dashboard import PAGES
from scout.items import Aspect, Feedback
from scout.store import Store

ENTRY = Path(__file__).resolve().parents[1] / "dashboard" / "entry" / "start.py"


def database() -> Path:
    return Path(os.environ["SCOUT_DATA_DIR"]) / "scout.db"


def filled(*, thumbs: bool = True, onboarded: bool = True, days: tuple[date, ...] = dashboard_store.DAYS) -> None:
    """Fill the test's own data directory."""
    database().parent.mkdir(parents=True, exist_ok=True)
    dashboard_store.fill(database(), thumbs=thumbs, onboarded=onboarded, days=days).close()


def opened(page: str | None = None, **query: str) -> AppTest:
    """A page as a visitor sees it who comes by that link."""
    app = AppTest.from_file(str(ENTRY), default_timeout=120)
    if page is not None:
        app.run()
        app.switch_page(str(PAGES / f"{page}.py"))
    app.query_params.update(query)
    return app.run()


def shown(app: AppTest) -> str:
    """Everything the page says, as one text with its markup."""
    assert not app.exception, [element.message for element in app.exception]
    texts = [
        element.value for kind in (app.html, app.markdown, app.caption, app.error, app.success) for element in kind
    ]
    titles = [element.value for kind in (app.title, app.subheader) for element in kind]
    labels = [element.label for element in app.expander]
    labels += [element.proto.text for element in app.get("progress")]
    return "\n".join(str(text) for text in (*titles, *texts, *labels))


def words(reader: str = dashboard_store.READER, item: str | None = None) -> list[Feedback]:
    """What stands in the database, the newest first."""
    with Store(database()) as store:
        return store.feedback.history(reader, item=item)


def rows() -> int:
    """How many rows of feedback there are, undone ones and undoings among them."""
    with Store(database()) as store:
        return int(store.value("SELECT count(*) FROM feedback"))


def thumb(item: str) -> str | None:
    with Store(database()) as store:
        word = store.feedback.current(dashboard_store.READER, [item]).get(item, {}).get(Aspect.THUMB)
        return word.value if word else None
