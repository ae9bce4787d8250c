"""How adapters of the served model came about: runs, a run's curves and answers, trainer against server, alarms, who reads."""

from __future__ import annotations

import streamlit as st

from dashboard import charts_training, training, training_parts, ui
from dashboard.charts_training import Point
from dashboard.session import here as who_reads
from dashboard.ui import html


def curve(title: str, points: list[Point], *, log: bool = False, form: str = ".3f") -> None:
    """One chart under its name, where there is anything to draw."""
    if points:
        st.caption(title)
        st.altair_chart(charts_training.curves(points, log=log, form=form), alt=f"{title}, by step")


here = who_reads()
with here.store() as store:
    found = training.overview(store, here.reader)

st.title("Training", anchor=False)
if not found.runs and not found.parity:
    ui.empty(
        "Nothing was trained yet",
        html(
            "<code>scout train --dry-run</code> says whether your thumbs are enough to train an adapter of the served model;"
        ),
        html(
            "<code>scout train</code> trains one, judges it on thumbs it never saw, and lets it read for you if it is better."
        ),
        html("docs/training.md says what that needs and what it costs."),
    )
    st.stop()
reads = (
    f"The adapter {ui.md(found.reads)} reads for you."
    if found.reads
    else "The model reads for you as it is, without an adapter."
)
st.caption(reads)

if found.runs:
    ui.show(training_parts.runs(found, here.zone))
    ids = [run.id for run in found.runs]
    asked = st.query_params.get("run", "")
    with st.container(horizontal=True):
        chosen = st.selectbox("Run", ids, index=ids.index(asked) if asked in ids else 0, format_func=ui.text, width=320)
    run = found.runs[ids.index(chosen)]
    with here.store() as store:
        looked = training.looked(store, run)
    ui.show(training_parts.about(run))

    if looked.steps:
        ui.section("Curves", "point at a step to read all of it")
        left, right = st.columns(2, gap="large")
        with left:
            curve(
                "Reward, and the score on thumbs training never sees",
                training.points(looked.steps, {"reward": "reward", "held_out": "held out"}),
            )
            curve("Entropy", training.points(looked.steps, {"entropy": "entropy"}))
        with right:
            curve("Loss", training.points(looked.steps, {"loss": "loss"}))
            curve("Gradient norm", training.points(looked.steps, {"grad_norm": "gradient norm"}))
        curve("Rewards and other figures, by part", training.parts(looked.steps))
        ui.section("Trainer against sampler", "what the same tokens differ by, step by step")
        if training.sampled(looked.steps):
            left, right = st.columns(2, gap="large")
            with left:
                curve("Nats", training.points(looked.steps, training.NATS), log=True, form=".3g")
            with right:
                curve("Ratios", training.points(looked.steps, training.RATIOS))
        else:
            st.caption(
                "This loss reads the distribution itself and draws nothing, so there is no sampler to differ from."
            )

    if looked.sampled:
        ui.section("Answers", "at the steps of which some were kept, the best first; open one to read what it is about")
        if len(looked.sampled) > 1:
            step = st.select_slider("Step", looked.sampled, value=looked.sampled[-1], key=f"step-{run.id}")
        else:
            step = looked.sampled[0]
        with here.store() as store:
            answers = training.samples(store, run.id, step)
        ui.show(training_parts.samples(answers))

ui.section("Trainer against server", "scout rl parity: the same tokens and weights, each head rounded and in FP32")
if found.parity:
    labels = [f"{check.checkpoint.rsplit('/', 1)[-1]}, {ui.clock_time(check.at, here.zone)}" for check in found.parity]
    place = 0
    if len(found.parity) > 1:
        place = st.selectbox("Check", range(len(labels)), format_func=lambda n: ui.text(labels[n]), width=420)
    ui.show(training_parts.verdict(found.parity[place], here.zone))
    if training.table(found.parity[place]):
        ui.show(training_parts.precision(found.parity[place]))
else:
    ui.show(
        html(
            '<p class="sc-faint">{}</p>', ui.with_code("Not compared yet: `scout rl parity CHECKPOINT` compares them.")
        )
    )

ui.section("Alarms", "each ended its run")
if found.alarms:
    ui.show(training_parts.alarms(found.alarms, here.zone))
else:
    st.caption("None.")

ui.section("Challenges and promotions", "an adapter meets what reads now")
for each in found.challenges[:5]:
    with st.container(border=True, gap="xsmall", key=f"met-{each.id}"):
        ui.show(training_parts.challenge(each, here.zone))
if found.promotions:
    ui.show(training_parts.promotions(found.promotions[:10], here.zone))
elif not found.challenges:
    ui.show(
        html('<p class="sc-faint">{}</p>', ui.with_code("None yet. `scout policy challenge ADAPTER` lets one try."))
    )
