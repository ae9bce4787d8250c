"""What ran, when and how it ended; of one run its stages, the sources that failed it and its log (`/runs?run=ID`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import streamlit as st
from markupsafe import Markup

from dashboard import charts, data, ui
from dashboard.session import here as who_reads
from dashboard.ui import html, join
from dashboard.welcome import run_button
from scout import logs
from scout.clock import now
from scout.digest.wording import plural
from scout.exit_codes import Exit
from scout.store.runs import RunRow

ENDS = {Exit.DONE: ("done", "done"), Exit.LATER: ("cooling", "try later"), Exit.CONFIG: ("failed", "configuration")}
FIELDS = ("at", "level", "event", "run", "logger", "pid")


def ending(run: RunRow) -> Markup:
    if run.finished is None or run.exit_code is None:
        kind, word = "running", "running, or killed"
    else:
        kind, word = ENDS.get(Exit(run.exit_code) if run.exit_code in list(Exit) else Exit.BUG, ("failed", "a bug"))
    return html('<span class="sc-dot {}"></span>{}', kind, word)


def seconds(run: RunRow) -> str:
    return f"{(run.finished - run.started).total_seconds():.1f} s" if run.finished else ""


def label(run: RunRow) -> str:
    return f"{run.kind}, {ui.clock_time(run.started, here.zone)} ({run.id})"


def log_line(entry: Mapping[str, object]) -> Markup:
    """A line of the JSON log: time, level, event, then its own fields."""
    more = " ".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in entry.items() if key not in FIELDS
    )
    at = str(entry.get("at", ""))[11:19]
    return html(
        '<div><span class="sc-faint">{} {}</span> <b>{}</b> {}</div>', at, entry.get("level", ""), entry.get("event", ""),
        ui.text(more, limit=600),
    )  # fmt: skip


here = who_reads()
with here.store() as store:
    runs = store.runs.listing(limit=30)
    asked = store.runs.get(st.query_params.get("run", ""))

st.title("Runs", anchor=False)
if not runs:
    ui.empty(
        "Nothing ran yet",
        html("A daily run reads your sources and makes the digest. Press the button, or type <code>scout run</code>."),
    )
    run_button(here)
    st.stop()

at: datetime = now()
ui.show(
    ui.table(
        ("Run", "Started", "Took", "Ended", "What it says"),
        [
            (run.kind, f"{ui.clock_time(run.started, here.zone)} ({ui.ago(run.started, at)})", seconds(run), ending(run),
             ui.text(run.message, limit=220))
            for run in runs[:10]
        ],
    )
)  # fmt: skip
run_button(here, "Run again", align="left")

chosen = st.selectbox(
    "Look into", runs, index=next((place for place, run in enumerate(runs) if asked and run.id == asked.id), 0),
    format_func=label,
)  # fmt: skip
with here.store() as store:
    polls = store.sources.polls(run=chosen.id, limit=500)
    titles = data.source_titles(store)

if chosen.stages:
    ui.section("Stages")
    st.altair_chart(
        charts.stages([(str(stage["name"]), float(stage["seconds"])) for stage in chosen.stages]),
        alt="Seconds each stage took",
    )
failed = [poll for poll in polls if not poll.outcome.is_success]
if polls:
    new = sum(poll.new for poll in polls)
    ui.section("Sources", f"{plural(len(polls), 'poll')}, {len(failed)} failed, {plural(new, 'new item')}")
    ui.show(
        ui.table(
            ("Source", "Outcome", "New", "Updated", "Seconds"),
            [
                (ui.text(titles.get(poll.source, poll.source), limit=60),
                 ui.text(f"{poll.outcome.value}{': ' if poll.message else ''}{poll.message}", limit=240),
                 str(poll.new), str(poll.updated), f"{poll.seconds:.1f}")
                for poll in sorted(polls, key=lambda poll: (poll.outcome.is_success, -poll.new, poll.source))
            ],
            numbers=(2, 3, 4),
        )
    )  # fmt: skip
ui.section("Log")
entries = logs.tail(here.settings.log_file, run=chosen.id, limit=200)
if entries:
    with st.container(height=320, border=True):
        ui.show(html('<div class="sc-log">{}</div>', join(log_line(entry) for entry in entries)))
else:
    st.caption("The log holds no line of this run (it keeps the newest few megabytes).")
