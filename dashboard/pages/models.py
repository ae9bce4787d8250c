"""Is the new model better than what we run, at what, and how sure are we? Two models beside each other, top to bottom."""

from __future__ import annotations

import streamlit as st

from dashboard import charts_evals, evals_parts, evals_sections, evals_tables, models, ui
from dashboard.session import here as who_reads
from dashboard.ui import html

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

a, b = evals_sections.chosen(found.names, models.served(found, here.settings.model.name))
with here.store() as store:
    report = models.beside(store, found, a, b) if b else ""
    shaken = models.perturbed(store, a)
compared = None if isinstance(report, str) else report
named = [(name, models.of(found, name)) for name in (a, b) if name]

if found.alarms:
    ui.show(evals_parts.alarms(found.alarms))
if compared is not None:
    ui.show(evals_parts.verdict(compared))
elif b:
    ui.note(f"Not compared: {report}", limit=900)
else:
    ui.show(
        ui.with_code("Only one model was measured yet. `scout eval run all --model NAME` measures another beside it.")
    )

ui.section("May it be believed?")
ui.show(evals_tables.trust(named))
with st.expander("Suite by suite"):
    ui.show(evals_tables.scores(named))
    if inside := evals_tables.hidden(named):
        ui.section("What the scores hide")
        ui.show(inside)

if compared is not None:
    looked = sum(row.differ > 0 for row in compared.rows)
    many = f", since {looked} were looked at" if looked > 1 else ""
    ui.section("Differences", f"A less B, in points, with 95% intervals; grey may be chance{many}")
    if drawn := evals_parts.apart(compared.rows):
        st.altair_chart(charts_evals.forest(drawn), alt="Difference of the two models in each domain, with intervals")
    if left_out := evals_parts.undrawn(compared.rows):
        st.caption(ui.md(left_out, limit=600))

evals_sections.shaken(shaken)
evals_sections.steadiness(named)

ui.section("What a solved item costs", "over the suites that both were asked" if b else "")
if evals_tables.shared(named):
    ui.show(evals_tables.costs(named))
with st.expander("Suite by suite", key="costs-by-suite"):
    ui.show(evals_tables.costs_by_suite(named))

if safe := evals_tables.safety(named):
    ui.section("Safety")
    ui.show(safe)

evals_sections.trend(found, [name for name, _ in named])
if compared is not None:
    evals_sections.flipped(here, compared)
