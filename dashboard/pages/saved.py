"""What the reader keeps, the newest first."""

from __future__ import annotations

import streamlit as st

from dashboard import data, rows, ui
from dashboard.session import here as who_reads
from dashboard.session import subject_names

SIZE = 30

here = who_reads()
limit = SIZE * st.session_state.get("saved-pages", 1)
with here.store() as store:
    found = data.saved(store, here.reader, limit=limit)
    sources = data.source_titles(store)

st.title("Saved", anchor=False)
if not found.rows:
    ui.empty("Nothing saved yet", "Save under a card of the digest keeps an item here until you let it go.")
rows.listing(here, found, subject_names(here), sources)
if found.has_more and st.button("Show more", key="saved-more"):
    st.session_state["saved-pages"] = limit // SIZE + 1
    st.rerun()
