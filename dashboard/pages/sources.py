"""Where items come from: every source at a glance, those that need a look first; adding, importing, pausing, removing."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st
from markupsafe import Markup

from dashboard import actions, data, ui
from dashboard.session import Here
from dashboard.session import here as who_reads
from dashboard.ui import html
from scout.clock import now
from scout.digest.wording import plural
from scout.items import Health, SourceKind

KINDS = {
    SourceKind.FEED: "feed",
    SourceKind.ARXIV: "arXiv announcements",
    SourceKind.HF_DAILY: "community picks",
    SourceKind.HF_RELEASES: "model releases",
}
CONFIGURED = (SourceKind.ARXIV, SourceKind.HF_DAILY, SourceKind.HF_RELEASES)
"""Kinds that scout.toml switches on and off: they can be paused here, not removed."""


def line(entry: data.SourceLine, at: datetime) -> Markup:
    """One source: health, name, how the last poll ended, when the next one may be."""
    row, health = entry.row, entry.health
    told = f"{row.outcome.value}: {row.message}" if row.outcome and row.message else (row.outcome or "not polled yet")
    soon = row.cooling_until if row.cooling_until and row.cooling_until > at else row.next_poll
    following = "" if health in (Health.PAUSED, Health.GONE) or soon is None else f"next {ui.ago(max(soon, at), at)}"
    when = ", ".join(
        part for part in (f"polled {ui.ago(row.last_poll, at)}" if row.last_poll else "", following) if part
    )
    return html(
        '<div><span class="sc-dot {}" title="{}"></span><b>{}</b> <span class="sc-faint" style="font-size:.84rem">{}</span></div>'
        '<div class="sc-meta" style="margin-left:1.1rem"><span>{}</span><span>{}</span><span>{} this week</span></div>'
        '<div class="sc-meta" style="margin-left:1.1rem;font-size:.8rem">{}</div>',
        health.value, health.value, ui.text(row.title or row.id, limit=100), KINDS[row.kind],
        f"{health.value}: {ui.text(str(told), limit=200)}" if health is not Health.OK else ui.text(str(told), limit=200),
        when or "not polled yet", plural(entry.items_week, "item"), ui.link(ui.text(row.url, limit=120), row.url),
    )  # fmt: skip


def change(here: Here, source: str, what: str) -> None:
    with actions.told(), here.store() as store:
        if what == "remove":
            store.sources.remove(source)
        else:
            store.sources.pause(source, on=what == "pause")


def add(here: Here) -> None:
    if url := st.session_state["source-url"].strip():
        actions.ask(here, "add-source", {"url": url})
        st.session_state["source-url"] = ""


def imported(here: Here) -> None:
    if uploaded := st.session_state.get("source-opml"):
        actions.ask(here, "import-opml", {"text": uploaded.getvalue().decode("utf-8", "replace")})


here, at = who_reads(), now()
with here.store() as store:
    lines = data.source_lines(store, at)

st.title("Sources", anchor=False)
if message := actions.trouble():
    ui.trouble(message)
needy = sum(entry.health in (Health.FAILING, Health.GONE) for entry in lines)
week = sum(entry.items_week for entry in lines)
st.caption(
    f"{plural(len(lines), 'source')}, {plural(week, 'item')} in seven days; "
    + (f"{needy} in need of a look." if needy else "none in need of a look.")
)

with st.container(horizontal=True, vertical_alignment="bottom", key="source-add"):
    st.text_input("Add a site or feed", key="source-url", placeholder="https://example.org/blog", width=420)
    st.button("Add", icon=":material/add:", type="primary", on_click=add, args=(here,))
    st.button("Check all now", icon=":material/sync:", on_click=actions.ask, args=(here, "poll", {}))
    with st.popover("Import OPML", icon=":material/upload:"):
        st.file_uploader("Feeds of another reader", type=["opml", "xml"], key="source-opml")
        st.button("Import", on_click=imported, args=(here,), key="source-import")

if not lines:
    ui.empty("No sources yet", "The first daily run adds the ones that ship; or add a site above.")
for entry in lines:
    row = entry.row
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"source-{row.id}"):
        with st.container(width="stretch"):
            ui.show(line(entry, at))
        with st.popover("", icon=":material/more_horiz:", type="tertiary", key=f"menu-{row.id}"):
            button = partial(st.button, type="tertiary", width="stretch")
            button("Check now", key=f"poll-{row.id}", on_click=actions.ask, args=(here, "poll", {"sources": [row.id]}))
            if row.paused or row.gone:
                button("Resume", key=f"resume-{row.id}", on_click=change, args=(here, row.id, "resume"))
            else:
                button("Pause", key=f"pause-{row.id}", on_click=change, args=(here, row.id, "pause"))
            if row.kind not in CONFIGURED:
                button("Remove", key=f"remove-{row.id}", on_click=change, args=(here, row.id, "remove"))
