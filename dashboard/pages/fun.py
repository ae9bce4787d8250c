"""A reader's own questions: what several models answer, side by side, with a thumb on each answer."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import evals_parts, models, ui
from dashboard.session import here as who_reads
from dashboard.ui import html
from evals import transcripts
from scout.clock import now

SIZE = 20  # questions on a page

here = who_reads()
with here.store() as store:
    found = models.open_runs(models.measured(store))

st.title("Fun", anchor=False)
if not found:
    ui.empty(
        "No question of yours was asked yet",
        html("Write a file of questions into <code>evals/fun/</code> of your data folder, then"),
        html("<code>scout eval run fun</code>. docs/models.md says how."),
    )
    st.stop()

suite = st.selectbox("Questions", list(found), format_func=ui.text) if len(found) > 1 else next(iter(found))
runs = {run.released: run for run in found[suite]}
shown = st.multiselect("Models", list(runs), default=list(runs)[: evals_parts.BESIDE], format_func=ui.text)
if not shown:
    st.caption("Choose a model.")
    st.stop()

data = here.settings.data_dir
with here.store() as store:
    thumbs = store.evals.thumbs(here.reader, [run.id for run in runs.values()])
answers = {name: {told.item: told for told in reversed(transcripts.said(data, runs[name].id))} for name in shown}
questions = {item: asked for name in shown for item, asked in transcripts.asked(data, runs[name].id).items()}


def record(run: str, item: str, key: str) -> None:
    """Keep what a thumb says now."""
    value = {0: "down", 1: "up", None: ""}[st.session_state[key]]
    with ui.explained(), here.store() as store:
        store.evals.thumb(here.reader, run, item, value, now())


def side(name: str, item: str) -> None:
    """One model's answer, under its name and the reader's thumb."""
    run, told = runs[name], answers[name].get(item)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        ui.show(html('<p class="sc-by">{}</p>', ui.text(name, limit=80)))
        if told is not None:
            key = f"fun-{run.id}-{item}"
            said = {"up": 1, "down": 0}.get(thumbs.get((run.id, item), ""))
            st.feedback("thumbs", key=key, default=said, on_change=record, args=(run.id, item, key))
    ui.show(evals_parts.shown(told))


if not questions:
    st.caption("The questions and answers of these runs are not kept any more.")
counted = {name: [word for (run, _), word in thumbs.items() if run == runs[name].id] for name in shown}
if any(counted.values()):
    ui.show(
        ui.pairs(
            (ui.text(name, limit=80), f"{said.count('up')} up, {said.count('down')} down") for name, said in counted.items()
        )
    )  # fmt: skip

pages = max(1, math.ceil(len(questions) / SIZE))
page = st.pagination(pages, key="fun-page") if pages > 1 else 1
for item in list(questions)[SIZE * (page - 1) : SIZE * page]:
    with st.container(border=True):
        ui.show(evals_parts.question(questions[item]))
        for column, name in zip(st.columns(len(shown)), shown, strict=True):
            with column:
                side(name, item)
