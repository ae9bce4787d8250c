"""Everything that ever came in: full text, filters, a page at a time. Without a word, the newest arrivals."""

from __future__ import annotations

import streamlit as st

from dashboard import data, rows, ui
from dashboard.session import here as who_reads
from dashboard.session import subject_names
from scout.items import ItemKind

SIZE = 20
KINDS = {ItemKind.PAPER: "Papers", ItemKind.POST: "Posts"}


def from_the_start() -> None:
    """A new question begins at its first page, and the address holds it."""
    st.session_state["search-page"] = 0
    typed = st.session_state["search-text"].strip()
    if typed:
        st.query_params["q"] = typed
    elif "q" in st.query_params:
        del st.query_params["q"]


def turn(step: int) -> None:
    st.session_state["search-page"] = max(0, st.session_state.get("search-page", 0) + step)


here = who_reads()
subjects = subject_names(here)
with here.store() as store:
    sources = data.source_titles(store)

st.title("Search", anchor=False)
st.session_state.setdefault("search-text", st.query_params.get("q", ""))
text = st.text_input(
    "Words", key="search-text", on_change=from_the_start, label_visibility="collapsed", icon=":material/search:",
    placeholder='Words in title, text or authors; "in quotes" for a phrase',
)  # fmt: skip
with st.container(horizontal=True, vertical_alignment="bottom", key="search-filters"):
    source = st.selectbox(
        "Source", list(sources), index=None, placeholder="Any source", on_change=from_the_start, width=220,
        format_func=lambda id: ui.text(sources[id], limit=60),
    )  # fmt: skip
    kind = st.selectbox(
        "Kind", list(KINDS), index=None, placeholder="Any kind", format_func=KINDS.__getitem__, on_change=from_the_start,
        width=140,
    )  # fmt: skip
    subject = st.selectbox(
        "Subject", list(subjects), index=None, placeholder="Any subject", on_change=from_the_start, width=220,
        format_func=lambda slug: ui.text(subjects[slug]), disabled=not text.strip(),
        help="Needs a word to search for",
    )  # fmt: skip
    since = st.date_input("Since", value=None, on_change=from_the_start, width=160, max_value=None)

page = st.session_state.get("search-page", 0)
query = data.Query(text=text, source=source, kind=kind, subject=subject if text.strip() else None, since=since)
with here.store() as store:
    found = data.findings(store, here.reader, query, page=page, size=SIZE)

if not found.rows:
    if text.strip():
        ui.empty("Nothing found", "Every word must occur. Fewer words, or fewer filters, find more.")
    else:
        ui.empty("Nothing here yet", "What your sources bring can be searched here; the daily run fills it.")
else:
    first = page * SIZE + 1
    st.caption(f"{'Best matches' if text.strip() else 'Newest arrivals'}, {first} to {first + len(found.rows) - 1}")
rows.listing(here, found, subjects, sources)
with st.container(horizontal=True, horizontal_alignment="center"):
    if page:
        st.button("Previous", icon=":material/chevron_left:", key="search-previous", on_click=turn, args=(-1,))
    if found.has_more:
        st.button("Next", icon=":material/chevron_right:", key="search-next", on_click=turn, args=(1,))
