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
    SourceKind.MAILDIR: "folder of mails, only read",
    SourceKind.IMAP: "mailbox, only read",
}
# Kinds that scout.toml switches on and off: they can be paused here, not removed.
CONFIGURED = (SourceKind.ARXIV, SourceKind.HF_DAILY, SourceKind.HF_RELEASES, SourceKind.MAILDIR, SourceKind.IMAP)

REMOVED = "source-removed"  # where this session remembers what it removed last


def glance(entry: data.SourceLine, at: datetime) -> Markup:
    """One source: its name and health, how the last poll ended and when, when the next one may be, items a week."""
    row, health = entry.row, entry.health
    outcome = row.outcome.value.replace("-", " ") if row.outcome else "not polled yet"
    told = f"{outcome}: {row.message}" if row.message else outcome
    if health in (Health.PAUSED, Health.GONE):
        told = f"{health.value}, {told}" if health.value != outcome else told
    return html(
        '<div class="sc-source"><div><span class="sc-dot {}" title="{}"></span><b>{}</b><br>'
        '<span class="sc-faint sc-small sc-indent">{}</span></div><div><span>{}</span><br><span class="sc-faint sc-small">{}</span></div>'
        '<div><span class="sc-faint sc-small">{}</span></div><div class="num">{}<span class="sc-faint sc-small"> a week</span></div></div>',
        health.value, health.value, ui.text(row.title or row.id, limit=100), KINDS[row.kind], ui.text(told, limit=200),
        f"polled {ui.ago(row.last_poll, at)}" if row.last_poll else "", following(entry, at), f"{entry.items_week:,}",
    )  # fmt: skip


def following(entry: data.SourceLine, at: datetime) -> str:
    """When the source may be asked again."""
    row = entry.row
    if entry.health in (Health.PAUSED, Health.GONE):
        return "no next poll"
    if row.cooling_until and row.cooling_until > at:
        return f"cooling down, next {ui.ago(row.cooling_until, at)}"
    return f"next {ui.ago(row.next_poll, at)}" if row.next_poll and row.next_poll > at else "next at the coming run"


def change(here: Here, source: str, what: str) -> None:
    with actions.told(), here.store() as store:
        actions.need_admin(here)
        if what == "remove":
            store.sources.remove(source)
            st.session_state[REMOVED] = source
        else:
            store.sources.pause(source, on=what == "pause")


def bring_back(here: Here, source: str) -> None:
    """Undo of the removal just made."""
    with actions.told(), here.store() as store:
        actions.need_admin(here)
        row = next(row for row in store.sources.all(removed=True) if row.id == source)
        store.sources.add(row.id, row.kind, row.url, at=now())
        del st.session_state[REMOVED]


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
    titles = data.source_titles(store)

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

if (gone := st.session_state.get(REMOVED)) is not None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{ui.md(titles.get(gone, gone))} is not polled any more; what it brought stays.", width="content")
        st.button(
            "Undo", icon=":material/undo:", type="tertiary", on_click=bring_back, args=(here, gone), key="undo-remove"
        )
if not lines:
    ui.empty("No sources yet", "The first daily run adds the ones that ship; or add a site above.")
for entry in lines:
    row = entry.row
    with st.container(horizontal=True, vertical_alignment="center", key=f"source-{row.id}"):
        with st.container(width="stretch"):
            ui.show(glance(entry, at))
        with st.popover("More", type="tertiary", key=f"menu-{row.id}"):
            ui.show(ui.link(ui.text(row.url, limit=200), row.url))
            button = partial(st.button, type="tertiary", width="stretch")
            button("Check now", key=f"poll-{row.id}", on_click=actions.ask, args=(here, "poll", {"sources": [row.id]}))
            if row.paused or row.gone:
                button("Resume", key=f"resume-{row.id}", on_click=change, args=(here, row.id, "resume"))
            else:
                button("Pause", key=f"pause-{row.id}", on_click=change, args=(here, row.id, "pause"))
            if row.kind not in CONFIGURED:
                button("Remove", key=f"remove-{row.id}", on_click=change, args=(here, row.id, "remove"))
