"""Is the new model better than what we run, at what, and how sure are we? Two models beside each other, top to bottom."""

from __future__ import annotations

import streamlit as st

from dashboard import charts_evals, evals_parts, models, ui
from dashboard.session import here as who_reads
from dashboard.ui import html
from evals import transcripts

here = who_reads()
with here.store() as store:
    found = models.measured(store)

st.title("Models", anchor=False)
if not found.names:
    ui.empty(
        "No model was measured yet",
        html("<code>scout eval run all</code> asks the served model the questions of every suite;"),
        html("<code>scout eval watch</code> does so each night with new open models. docs/models.md says how."),
    )
    st.stop()

names = found.names
reads = models.served(found, here.settings.model.name)
asked = {key: st.query_params.get(key, "") for key in ("model", "beside")}
first = asked["model"] if asked["model"] in names else next((name for name in names if name != reads), names[0])
others = [name for name in names if name != first]
with st.container(horizontal=True):
    a = st.selectbox("Model (A)", names, index=names.index(first), format_func=ui.text)
    others = [name for name in names if name != a]
    likely = next((name for name in (asked["beside"], reads) if name in others), others[0] if others else None)
    b = st.selectbox(
        "beside (B)", others, index=others.index(likely) if likely else None, format_func=ui.text, disabled=not others
    )

with here.store() as store:
    report = models.beside(store, found, a, b) if b else "There is only one model to show yet."
    shaken = models.perturbed(store, found, a)
compared = None if isinstance(report, str) else report
named = [(a, models.of(found, a)), *([(b, models.of(found, b))] if b else [])]

if found.alarms:
    ui.show(evals_parts.alarms(found.alarms))
if compared is None:
    ui.note(f"Not compared: {report}" if b else str(report))
else:
    ui.show(evals_parts.verdict(compared))
    for why in compared.refused:
        st.caption(ui.md(f"Not compared: {why}", limit=400))

ui.section("May it be believed?")
ui.show(evals_parts.trust(named))
with st.expander("Suite by suite"):
    ui.show(evals_parts.by_suite(named))

if compared is not None and (rows := evals_parts.apart(compared.rows)):
    many = f", since {len(rows)} were looked at" if len(rows) > 1 else ""
    ui.section("Differences", f"A less B, in points, with 95% intervals; grey may be chance{many}")
    st.altair_chart(charts_evals.forest(rows), alt="Difference of the two models in each domain, with intervals")

ui.section("Clean against perturbed", evals_parts.worst(shaken))
if shaken:
    chart = charts_evals.pairs(evals_parts.perturbed(shaken), first="clean", second="perturbed")
    st.altair_chart(chart, alt="Score of model A without and with each perturbation")
else:
    st.caption("A was not asked under perturbations: scout eval run SUITE \\-\\-perturb NAME")

steady, k = evals_parts.passes(named[0][1])
if steady:
    ui.section(f"pass^1 against pass^{k}", f"one try succeeds; all of {k} do")
    chart = charts_evals.pairs(steady, first="pass^1", second=f"pass^{k}")
    st.altair_chart(chart, alt="How often one try succeeds, and how often all do")

ui.section("What a solved item costs", "tokens written; seconds, the slowest twentieth in brackets; price where set")
ui.show(evals_parts.costs(named))

if safe := evals_parts.safety(named):
    ui.section("Safety")
    ui.show(safe)

suites = sorted({run.suite for run in found.runs if run.kind != "open"})
ui.section("Trend", "by the day of release; another version of a suite begins another line")
chosen = st.selectbox("Suite", suites, label_visibility="collapsed", key="trend-suite")
if points := models.trend(found, chosen):
    st.altair_chart(charts_evals.trend(points), alt=f"Scores of all models at {chosen}, by release date")

if compared is not None:
    ui.section("Items that flipped", "only one of the two solves them, in most of its tries")
    row = st.selectbox(
        "Domain", compared.rows, format_func=lambda row: ui.text(row.domain), label_visibility="collapsed"
    )
    with here.store() as store:
        flipped = models.flips(store, row)
    gained = sum(flip.gained for flip in flipped)
    st.caption(f"{gained} gained by A, {len(flipped) - gained} lost")
    if flipped:
        flip = st.selectbox(
            "Item", flipped, label_visibility="collapsed",
            format_func=lambda flip: ui.text(f"{'gained' if flip.gained else 'lost'}: {flip.item} ({flip.family})"),
        )  # fmt: skip
        data = here.settings.data_dir
        with st.container(border=True):
            ui.show(evals_parts.prompt(data, row.run_a, flip.item))
            left, right = st.columns(2)
            with left:
                ui.show(evals_parts.transcript(a, transcripts.said(data, row.run_a, flip.item)))
            with right:
                ui.show(evals_parts.transcript(str(b), transcripts.said(data, row.run_b, flip.item)))
