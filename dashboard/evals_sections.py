"""Sections of the page Models that ask something of whoever reads it, or draw more than one thing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import charts_evals, evals_parts, evals_tables, models, ui
from dashboard.evals_tables import Named
from dashboard.models import Measured
from dashboard.session import Here
from dashboard.ui import html
from evals import transcripts
from evals.compare import Report


def chosen(names: Sequence[str], reads: str) -> tuple[str, str | None]:
    """Which model stands beside which; a link may name them, else the newest stands beside what reads. The second may lack."""
    asked = {key: st.query_params.get(key, "") for key in ("model", "beside")}
    first = asked["model"] if asked["model"] in names else next((name for name in names if name != reads), names[0])
    left, right = st.columns(2)
    with left:
        a = st.selectbox("Model (A)", names, index=names.index(first), format_func=ui.text)
    others = [name for name in names if name != a]
    likely = next((name for name in (asked["beside"], reads) if name in others), others[0] if others else None)
    with right:
        b = st.selectbox(
            "beside (B)", others, index=others.index(likely) if likely else None, format_func=ui.text,
            placeholder="no other was measured yet", disabled=not others,
        )  # fmt: skip
    return a, b


def shaken(found: Report | str) -> None:
    """A model's score without and with each perturbation, or why there is none to show."""
    if isinstance(found, str):
        ui.section("Clean against perturbed")
        ui.show(ui.with_code(ui.text(f"Nothing to show of A: {found}.", limit=600)))
        return
    ui.section("Clean against perturbed", evals_parts.worst(found.rows))
    chart = charts_evals.pairs(evals_parts.perturbed(found.rows), first="clean", second="perturbed")
    st.altair_chart(chart, alt="Score of model A without and with each perturbation")
    if found.refused:
        st.caption(ui.md(f"Not compared: {'; '.join(found.refused)}.", limit=600))


def steadiness(named: Named) -> None:
    """pass^1 against pass^k, a chart a model; nothing where no item was asked twice."""
    steady = [evals_parts.passes(runs) for _, runs in named]
    if not (k := max(most for _, most in steady)):
        return
    ui.section(f"pass^1 against pass^{k}", f"one try succeeds; all of {k} do")
    if not any(rows for rows, _ in steady):
        st.caption("No item was solved in any try.")
        return
    for place, (column, (name, _), (rows, most)) in enumerate(zip(st.columns(len(named)), named, steady, strict=True)):
        with column:
            ui.show(html('<p class="sc-by">{} {}</p>', evals_tables.letter(place), ui.text(name, limit=120)))
            if rows:
                chart = charts_evals.pairs(rows, first="pass^1", second=f"pass^{most}")
                st.altair_chart(chart, alt=f"How often one try of {ui.text(name)} succeeds, and how often all do")
            else:
                st.caption("No item was solved in any try." if most else "No item was asked twice.")


def trend(found: Measured, named: Sequence[str]) -> None:
    """What all models scored at one suite, by the day they came out; first the suite that most models were asked."""
    trends = {suite: models.trend(found, suite) for suite in sorted({r.suite for r in found.runs if r.kind != "open"})}
    suites = sorted(trends, key=lambda suite: -len({point.model for point in trends[suite]}))
    ui.section("Trend", "by the day of release, where it is known; another version of a suite begins another line")
    suite = st.selectbox("Suite", suites, label_visibility="collapsed", key="trend-suite")
    points = trends[suite]
    if len(points) > 1:
        chart = charts_evals.trend(points, named=named)
        st.altair_chart(chart, alt=f"Scores of all models at {suite}, by release date")
    elif points:
        only = points[0]
        told = f"{only.model} alone was asked {suite}: {evals_parts.scored(only)}. A second model begins the trend."
        st.caption(ui.md(told))
    else:
        st.caption("No answer to it could be judged.")


def flipped(here: Here, report: Report) -> None:
    """Items that only one of the two solves: which suite, which item, and both transcripts."""
    ui.section("Items that flipped", "only one of the two solves them, in most of its tries")
    rows = sorted((row for row in report.rows if row.up or row.down), key=lambda row: -(row.up + row.down))
    if not rows:
        st.caption("There are none: what one solves in most of its tries, the other does too.")
        return
    left, right = st.columns(2)
    with left:
        row = st.selectbox(
            "Suite", rows, key="flip-suite",
            format_func=lambda row: ui.text(f"{row.suite}: {row.up} gained by A, {row.down} lost"),
        )  # fmt: skip
    with here.store() as store:
        flips = models.flips(store, row)
    with right:
        flip = st.selectbox(
            "Item", flips,
            format_func=lambda flip: ui.text(f"{'gained' if flip.gained else 'lost'}: {flip.item} ({flip.family})"),
        )  # fmt: skip
    data = here.settings.data_dir
    sides = ((report.a, row.run_a), (report.b, row.run_b))
    with st.container(border=True):
        ui.show(evals_parts.prompt(data, row.run_a, flip.item))
        for place, (column, (name, run)) in enumerate(zip(st.columns(2), sides, strict=True)):
            with column:
                ui.show(evals_parts.transcript(name, transcripts.said(data, run, flip.item), place=place))
