"""Charts of what evals found: rows in, Altair chart out. A difference that may be chance is grey, whichever way it points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import altair as alt

from dashboard.charts import DOWN, UP

TIE = "#8b9298"
NAMED = 8
"""So many of the newest points stand under their model's name; the rest tell it when pointed at."""
SERIES = ("#1a9c8a", "#d99a2b", "#7a6fd0", "#d0604a", "#4a90c2", "#8b9298")


@dataclass(frozen=True, slots=True)
class Apart:
    """A difference with its interval, as shares."""

    name: str
    mean: float
    low: float
    high: float
    result: str
    """`better`, `worse` or `tie`."""
    told: str = ""


def forest(rows: Sequence[Apart]) -> alt.LayerChart:
    """Differences in points with their intervals, a line each, around a line at zero."""
    values = [
        {
            "name": row.name, "mean": 100 * row.mean, "low": 100 * max(-1.0, row.low), "high": 100 * min(1.0, row.high),
            "result": row.result, "told": row.told,
        }
        for row in rows
    ]  # fmt: skip
    color = alt.Color(
        "result:N", legend=None, scale=alt.Scale(domain=["better", "worse", "tie"], range=[UP, DOWN, TIE])
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=240)),
        tooltip=[alt.Tooltip("name:N", title="Suite"), alt.Tooltip("told:N", title="Difference")],
    )
    span = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("low:Q", title="points", axis=alt.Axis(tickCount=7)), x2="high:Q", color=color
    )
    points = base.mark_circle(size=95, opacity=1).encode(x="mean:Q", color=color)
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(strokeDash=[3, 3], color=TIE).encode(x="at:Q")
    return alt.LayerChart(layer=[zero, span, points], height=max(70, 34 * len(values) + 30))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two shares of one thing, such as without and with a perturbation."""

    name: str
    first: float
    second: float
    told: str = ""


def pairs(rows: Sequence[Pair], *, first: str, second: str) -> alt.LayerChart:
    """Two points a line, joined: how far the second is from the first."""
    values = [{"name": row.name, "first": row.first, "second": row.second, "told": row.told} for row in rows]
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
        tooltip=[
            alt.Tooltip("name:N", title=" "), alt.Tooltip("first:Q", title=first, format=".1%"),
            alt.Tooltip("second:Q", title=second, format=".1%"), alt.Tooltip("told:N", title="Difference"),
        ],
    )  # fmt: skip
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("first:Q", title=None, scale=scale, axis=alt.Axis(format="%", tickCount=6))
    line = base.mark_rule(strokeWidth=2, color=TIE).encode(x=x, x2="second:Q")
    dots = [
        base.mark_circle(size=95, opacity=1).encode(
            x=alt.X(f"{field}:Q", scale=scale),
            color=alt.Color(
                "series:N", title=None, scale=alt.Scale(domain=[first, second], range=[UP, SERIES[1]]),
                legend=alt.Legend(orient="top", direction="horizontal"),
            ),
        ).transform_calculate(series=f"{name!r}")
        for field, name in (("first", first), ("second", second))
    ]  # fmt: skip
    return alt.LayerChart(layer=[line, *dots], height=max(80, 32 * len(values) + 60))


@dataclass(frozen=True, slots=True)
class Scored:
    """A score at a time, with its interval."""

    at: datetime
    model: str
    series: str
    """Points of one series are joined; another version of a suite is another series."""
    mean: float
    low: float | None
    high: float | None


def trend(rows: Sequence[Scored], *, height: int = 260, legend: bool = True) -> alt.LayerChart:
    """Scores over time with their intervals. A line never crosses from one series to another."""
    values = [
        {
            "at": row.at.isoformat(), "model": row.model, "series": row.series, "mean": row.mean,
            "low": row.mean if row.low is None else row.low, "high": row.mean if row.high is None else row.high,
        }
        for row in sorted(rows, key=lambda row: row.at)
    ]  # fmt: skip
    names = list(dict.fromkeys(str(value["series"]) for value in values))
    color = alt.Color(
        "series:N", title=None, scale=alt.Scale(domain=names, range=[SERIES[n % len(SERIES)] for n in range(len(names))]),
        legend=alt.Legend(orient="top") if legend and len(names) > 1 else None,
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("at:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6, grid=False)),
        color=color,
        tooltip=[
            alt.Tooltip("model:N", title="Model"), alt.Tooltip("at:T", title="Date", format="%-d %b %Y"),
            alt.Tooltip("mean:Q", title="Score", format=".1%"), alt.Tooltip("low:Q", title="from", format=".1%"),
            alt.Tooltip("high:Q", title="to", format=".1%"),
        ],
    )  # fmt: skip
    y = alt.Y("mean:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    line = base.mark_line(strokeWidth=1.5, opacity=0.55).encode(y=y)
    spans = base.mark_rule(strokeWidth=2, opacity=0.45).encode(y=alt.Y("low:Q"), y2="high:Q")
    dots = base.mark_circle(size=70, opacity=1).encode(y=y)
    layers = [line, spans, dots]
    if len({value["model"] for value in values}) > 1:
        text = base.mark_text(dy=-12, fontSize=11, limit=150).encode(y=y, text="model:N")
        layers.append(
            text.transform_window(n="row_number()", sort=[alt.SortField("at", "descending")]).transform_filter(
                f"datum.n <= {NAMED}"
            )
        )
    return alt.LayerChart(layer=layers, height=height)
