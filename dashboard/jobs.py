"""What the worker is doing for a page: asked for, running, done. Redrawn every second while something is under way."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st
from markupsafe import Markup

from dashboard import actions, data, ui
from dashboard.session import Here
from dashboard.ui import html, join, md
from scout.clock import now
from scout.store.jobs import LONG, JobRow, JobState

NAMES = {
    "run": "Daily run",
    "poll": "Check of sources",
    "add-source": "New source",
    "import-opml": "OPML import",
    "onboard": "Papers you like",
    "research": "Research",
}
_PATIENCE = timedelta(seconds=20)
"""A job that nobody took up for this long has no worker to wait for."""
_FRESH = timedelta(minutes=2)
"""How long the end of a job is told."""
_BUSY = "jobs-under-way"
_ENDED = {JobState.FAILED: "failed", JobState.STOPPED: "stopped"}


def strip(here: Here) -> None:
    """The jobs of now, where there are any. Draws itself anew only while one is under way, and the page once when it ends."""
    with here.store() as store:
        busy = bool(store.jobs.active())
    st.fragment(_draw, run_every=1.0 if busy else None)(here)


def _draw(here: Here) -> None:
    with ui.explained(), here.store() as store:
        rows = data.jobs(store, since=now() - _FRESH)
        under_way = [row for row in rows if row.state in (JobState.QUEUED, JobState.RUNNING)]
        was_busy = st.session_state.get(_BUSY, False)
        st.session_state[_BUSY] = bool(under_way)
        if was_busy and not under_way:
            st.rerun(scope="app")
        for row in under_way:
            label = f"**{NAMES.get(row.kind, md(row.kind))}** · {md(row.message) or _waiting(row, alone=len(under_way) == 1)}"
            st.progress(min(1.0, max(0.0, row.progress)), text=label)
            if here.is_admin and (row.kind in LONG or row.state is JobState.QUEUED):
                st.button(
                    "Ending" if row.stop else "Stop", key=f"stop-{row.id}", icon=":material/stop_circle:", type="tertiary",
                    disabled=row.stop, on_click=actions.stop, args=(here, row.id),
                )  # fmt: skip
        ended = [row for row in rows if row not in under_way][-2:]
        if ended:
            ui.show(join(_ended(row) for row in ended))


def _waiting(row: JobRow, *, alone: bool) -> str:
    if row.state is JobState.QUEUED and alone and now() - row.asked_at > _PATIENCE:
        return "nobody has taken this up: `scout dashboard` starts a worker, `scout work` is one"
    return "waiting for the worker" if row.state is JobState.QUEUED else "under way"


def _ended(row: JobRow) -> Markup:
    return html(
        '<div class="sc-faint" style="font-size:.88rem"><span class="sc-dot {}"></span><b>{}</b> {}: {}</div>',
        row.state.value, NAMES.get(row.kind, row.kind), _ENDED.get(row.state, "done"),
        ui.text(row.message, limit=300),
    )  # fmt: skip
