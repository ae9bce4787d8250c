"""Parts that pages are made of, and the one door for text that others wrote.

Two ways out to the screen, both safe by construction: `show` takes only `Markup`, which escapes whatever is put into it
(`html("<b>{}</b>", title)`), and `md` escapes text for labels, which Streamlit reads as Markdown. Links are made by `link`,
which lets http and https through and nothing else. TeX is made readable by `text`. No page writes HTML of its own past these.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from textwrap import shorten
from urllib.parse import quote
from zoneinfo import ZoneInfo

import streamlit as st
from markupsafe import Markup, escape

from dashboard.visitors import are_told_details
from scout.config import ConfigError
from scout.digest.wording import percent, safe_url, shown
from scout.store import StoreError
from scout.text import tex_to_plain

_STYLE = Path(__file__).with_name("style.css")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~^$:@&/=])")


_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="14" fill="#1a9c8a"/>'
    '<path d="M22.5 9.5 18.6 18.6 9.5 22.5 13.4 13.4Z" fill="#fff"/><circle cx="16" cy="16" r="2" fill="#1a9c8a"/></svg>'
)

# --- text that others wrote


def text(raw: str, *, limit: int = 2_000) -> str:
    """Somebody else's text for people to read: TeX made readable, on one line, nothing invisible in it."""
    return shown(raw, limit=limit)


def md(raw: str, *, limit: int = 300) -> str:
    """Somebody else's text where Streamlit reads Markdown (labels, captions): shown as it is, never as markup."""
    return _MARKDOWN.sub(r"\\\1", text(raw, limit=limit))


def html(template: str, *values: object) -> Markup:
    """A template written here with values from anywhere: every value that is not Markup itself is escaped."""
    return Markup(template).format(*values)  # noqa: S704 - templates are literals of ours


def join(parts: Iterable[Markup], between: str = "") -> Markup:
    return Markup(between).join(parts)  # noqa: S704


def show(markup: Markup) -> None:
    """Put markup on the page. It takes nothing that was not escaped on its way in."""
    st.html(str(html('<div class="sc">{}</div>', markup)))


def link(label: str, url: str) -> Markup:
    """A link that opens beside the page; plain text where the address is not http or https."""
    target = safe_url(url)
    if not target:
        return escape(label)
    return html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', target, label)


def marked(snippet: str, start: str, end: str) -> Markup:
    """A snippet with its matches emphasised; `start` and `end` are the store's marks around them."""
    safe = str(escape(tex_to_plain(snippet)))
    return Markup(safe.replace(start, "<mark>").replace(end, "</mark>"))  # noqa: S704 - escaped in the line above


# --- words for figures


def likelihood(probability: float) -> str:
    """A probability in a word and a number."""
    for bound, word in ((0.9, "very likely"), (0.6, "likely"), (0.4, "even chance"), (0.15, "unlikely")):
        if probability >= bound:
            return f"{word}, {percent(probability)}"
    return f"very unlikely, {percent(probability)}"


def day_short(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def clock_time(at: datetime | None, zone: str) -> str:
    """A moment in the reader's time zone."""
    if at is None:
        return "never"
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, or how soon, in words."""
    if at is None:
        return "never"
    away = abs(now - at)
    for unit, seconds in (("day", 86_400), ("hour", 3_600), ("min", 60)):
        if away.total_seconds() >= seconds:
            count = int(away.total_seconds() // seconds)
            span = f"{count} {unit}{'s' if count > 1 and unit != 'min' else ''}"
            return f"in {span}" if at > now else f"{span} ago"
    return "in a moment" if at > now + timedelta(seconds=2) else "just now"


# --- parts of pages


def icon() -> str:
    """The compass, as an address that holds it: no icon is fetched from elsewhere."""
    return "data:image/svg+xml," + quote(_ICON)


def style() -> None:
    """The dashboard's own CSS, once a page."""
    st.html(f"<style>{_STYLE.read_text(encoding='utf-8')}</style>")


def section(title: str, aside: str = "") -> None:
    """The heading of a section, with a quiet remark beside it."""
    show(html('<div class="sc-section"><h2>{}</h2><span class="sc-faint">{}</span></div>', text(title), aside))


def note(message: str, *, limit: int = 110) -> None:
    """Something to know that is nobody's fault: a line, which opens where there is more to say."""
    said = text(message)
    if len(said) <= limit:
        show(html('<div class="sc-note">{}</div>', said))
        return
    start = shorten(said.partition(": ")[0], limit, placeholder="…")
    show(html('<details class="sc-note"><summary>{}</summary><p>{}</p></details>', start, said))


def empty(title: str, *lines: str | Markup) -> None:
    """Why there is nothing to see, and what to do about it."""
    body = join(html("<p>{}</p>", one) for one in lines)
    show(html('<div class="sc-empty"><h2>{}</h2>{}</div>', title, body))


def with_code(said: str) -> Markup:
    """A sentence in which backticks mark what can be typed."""
    parts = said.split("`")
    return join(html("<code>{}</code>" if place % 2 else "{}", part) for place, part in enumerate(parts))


def pairs(rows: Iterable[tuple[str, str | Markup]]) -> Markup:
    """Names and their values, one a line; those without a value are left out."""
    cells = join(html("<dt>{}</dt><dd>{}</dd>", name, value) for name, value in rows if value)
    return html('<dl class="sc-pairs">{}</dl>', cells)


def table(heads: Sequence[str], rows: Iterable[Sequence[str | Markup]], *, numbers: Sequence[int] = ()) -> Markup:
    """A table that becomes a list of cards on a phone. `numbers` are the columns aligned as figures."""
    kinds = ["num" if index in numbers else "" for index in range(len(heads))]
    head = join(html('<th class="{}">{}</th>', kind, name) for name, kind in zip(heads, kinds, strict=True))
    body = join(
        html(
            "<tr>{}</tr>",
            join(
                html('<td class="{}" data-label="{}">{}</td>', kind, name, cell)
                for name, kind, cell in zip(heads, kinds, row, strict=True)
            ),
        )
        for row in rows
    )
    return html('<table class="sc-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body)


def trouble(message: str) -> None:
    """An error that whoever reads it can do something about."""
    st.error(md(message, limit=1_000), icon=":material/error:")


@contextmanager
def explained() -> Iterator[None]:
    """What the settings or the database object to becomes a message instead of a traceback."""
    try:
        yield
    except (ConfigError, StoreError) as err:
        if not are_told_details():
            logging.getLogger("scout").error("page", exc_info=err)
            empty("Not available right now", "Whoever runs this dashboard finds the reason in its log.")
            return
        if isinstance(err, StoreError):
            empty("The database cannot be used right now", str(err), "Reload this page to try again. Nothing was lost.")
            return
        empty("The settings have a mistake", str(err), "Mend it, then reload this page. Nothing was lost.")
