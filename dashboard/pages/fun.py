"""A reader's own questions: what several models answer, side by side, with a thumb on each answer."""

from __future__ import annotations

import streamlit as st

from dashboard import evals_parts, models, ui
from dashboard.session import here as who_reads
from dashboard.ui import html
from evals import transcripts
from scout.clock import now
from scout.text import verbatim

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


ups = {name: sum(word == "up" for (run, _), word in thumbs.items() if run == runs[name].id) for name in shown}
downs = {name: sum(word == "down" for (run, _), word in thumbs.items() if run == runs[name].id) for name in shown}
if any(ups.values()) or any(downs.values()):
    ui.show(ui.pairs([(ui.text(name, limit=80), f"{ups[name]} up, {downs[name]} down") for name in shown]))

for item, question in questions.items():
    with st.container(border=True):
        ui.show(html('<pre class="sc-said sc-asked">{}</pre>', verbatim(question.prompt, limit=evals_parts.CHARACTERS)))
        for column, name in zip(st.columns(len(shown)), shown, strict=True):
            with column:
                told = answers[name].get(item)
                text = "No answer." if told is None else transcripts.text(told)
                head = html('<h3 class="sc-title">{}</h3>', ui.text(name, limit=80))
                ui.show(html('{}<pre class="sc-said">{}</pre>', head, verbatim(text, limit=evals_parts.CHARACTERS)))
                if told is not None:
                    key = f"fun-{runs[name].id}-{item}"
                    word = thumbs.get((runs[name].id, item))
                    st.feedback(
                        "thumbs", key=key, default={"up": 1, "down": 0}.get(word or ""), on_change=record,
                        args=(runs[name].id, item, key),
                    )  # fmt: skip
