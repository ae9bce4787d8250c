"""What you would have missed: this week's sample of what was skipped, to be thumbed, and what the thumbs say of the rest."""

from __future__ import annotations

from datetime import date

import streamlit as st

from dashboard import policy_data, ui
from dashboard.card import card
from dashboard.session import Here, subject_names
from dashboard.session import here as who_reads
from dashboard.ui import html
from evals.missed import sentence
from scout.clock import today
from scout.digest.missed import MissedPage
from scout.digest.wording import short_day
from scout.items import OTHER

EVERY = 3.0  # seconds between two looks at the thumbs, while some are lacking


def asked() -> date | None:
    """The week in the address; None for none, or for what is no day."""
    try:
        return date.fromisoformat(st.query_params.get("week", ""))
    except ValueError:
        return None


def picked() -> None:
    st.query_params["week"] = st.session_state["week"].isoformat()


def statement(here: Here, page: MissedPage) -> None:
    """What the thumbs on this page say of all that was skipped. Cards draw themselves anew alone, so this looks for itself."""
    with ui.explained(), here.store() as store:
        strata = policy_data.sampled(store, here.reader, page)
        ui.show(html('<div class="sc-note">{}</div>', sentence(strata)))


here = who_reads()
subjects = subject_names(here)
with here.store() as store:
    found = policy_data.weekly_page(store, here.settings, here.reader, day=today(here.settings), asked=asked())

st.title("What you would have missed", anchor=False)
if found is None:
    ui.empty(
        "Nothing was skipped yet",
        "Once a digest has left items out, thirty of them are drawn by chance here each week, for you to judge.",
    )
    st.stop()

page = found.page
near = next((stratum for stratum in page.strata if stratum.name == "near"), None)
with st.container(horizontal=True, vertical_alignment="center", key="missed-head"):
    st.session_state["week"] = page.week
    st.selectbox(
        "Week", found.weeks, format_func=lambda week: f"Week of {ui.day_short(week)}", key="week", on_change=picked,
        label_visibility="collapsed", width=240,
    )  # fmt: skip
    st.caption(
        f"Drawn on {short_day(page.day)} from {page.pool:,} items that digests since {short_day(page.since)} skipped"
        + (f", {near.drawn} of them from the {near.pool} nearest to the line. " if near else ". ")
        + "The draw stays as it is for the week.",
        width="stretch",
    )
with here.store() as store:
    thumbed = sum(stratum.thumbed for stratum in policy_data.sampled(store, here.reader, page))
st.fragment(statement, run_every=EVERY if thumbed < len(page.entries) else None)(here, page)
for entry in page.entries:
    likeliest = max(entry.subjects, key=entry.subjects.__getitem__, default=OTHER)
    card(here, entry, found.items.get(entry.id), found.board, subjects, likeliest)
