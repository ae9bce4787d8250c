"""What belongs together with an item: what it is to what was read, the other places of its text, its thread through time."""

from __future__ import annotations

import streamlit as st

from dashboard import PAGES, data, ui
from dashboard.session import Here, params
from dashboard.ui import html, join
from scout.digest.wording import related, short_day
from scout.links import LinkKind

KINDS = {LinkKind.SEQUEL: "sequel", LinkKind.CITES: "cites", LinkKind.SAME_AUTHORS: "same authors"}


def section(here: Here, page: data.ItemPage) -> None:
    """The section of the item page; nothing at all where nothing belongs to the item."""
    about, item = page.about, page.stored.item
    steps = [step for step in page.thread if step.link.kind is not LinkKind.DUPLICATE]
    if not (about.relation.to or about.also or about.changed or steps):
        return
    ui.section("Belongs together", "what this follows up, and where else it stands")
    said = [related(about.relation)] if about.relation.to else []
    if about.changed:
        said.append(f"Changed since it came: {about.changed}")
    ui.show(join(html("<p>{}</p>", ui.text(line, limit=500)) for line in said))
    for place in about.also:
        _go(here, place.id, f"The same text also at {place.id}", place.title)
    for step in steps:
        is_later = step.link.later == step.item.id and step.link.earlier == item.id
        arrow = "later" if is_later else "earlier" if item.id in (step.link.later, step.link.earlier) else "further on"
        why = f"{KINDS[step.link.kind]}, {step.link.why}"
        _go(here, step.item.id, f"{short_day(step.day)}, {arrow}: {why}", step.item.title)


def _go(here: Here, id: str, why: str, title: str) -> None:
    ui.show(html('<p class="sc-aside sc-faint">{}</p>', ui.text(why, limit=300)))
    st.page_link(PAGES / "item.py", label=ui.md(title) or ui.md(id), query_params=params(here, item=id))
