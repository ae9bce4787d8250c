"""Charts of what evals found: rows in, Altair chart out. A difference that may be chance is grey, whichever way it points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import altair as alt

from dashboard.charts import DOWN, LINE, UP, lined

TIE = "#8b9298"
LOW = 0.15
"""Below this a point's name stands above it: underneath is the axis."""
NAMED = 5
"""So many points stand under their model's name; the rest tell it when pointed at."""
CROWDED = 0.12
"""Nearer than this share of the time shown, a name would be written over another."""
UNDER, LEGEND = 78, 20
"""Pixels of the axis under a chart with its title, and of a legend above one that has no title there."""
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
    """The same in words, written beside the name."""
    more: str = ""
    """What is told when pointed at."""


def forest(rows: Sequence[Apart]) -> alt.LayerChart:
    """Differences in points with their intervals, a line each, around a line at zero."""
    values = [
        {
            "name": f"{row.name}: {row.told}", "mean": 100 * row.mean, "low": 100 * max(-1.0, row.low),
            "high": 100 * min(1.0, row.high), "result": row.result, "more": row.more,
        }
        for row in rows
    ]  # fmt: skip
    color = alt.Color(
        "result:N", legend=None, scale=alt.Scale(domain=["better", "worse", "tie"], range=[UP, DOWN, TIE])
    )
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=lined("name"), tooltip=[alt.Tooltip("name:N", title="Suite"), alt.Tooltip("more:N", title="Sure?")]
    )
    span = base.mark_rule(strokeWidth=2.5).encode(
        x=alt.X("low:Q", title="points", axis=alt.Axis(tickCount=5)), x2="high:Q", color=color
    )
    dots = base.mark_circle(size=95, opacity=1).encode(x="mean:Q", color=color)
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(strokeDash=[3, 3], color=TIE).encode(x="at:Q")
    return alt.LayerChart(layer=[zero, span, dots], height=LINE * len(values) + UNDER)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two shares of one thing, such as without and with a perturbation."""

    name: str
    first: float
    second: float
    told: str = ""


def pairs(rows: Sequence[Pair], *, first: str, second: str) -> alt.LayerChart:
    """Two points a line, joined: how far the second is from the first."""
    values = [
        {"name": _said(row), "first": row.first, "second": row.second, "told": row.told} for row in rows
    ]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=lined("name"),
        tooltip=[
            alt.Tooltip("name:N", title=" "), alt.Tooltip("first:Q", title=first, format=".1%"),
            alt.Tooltip("second:Q", title=second, format=".1%"),
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
    return alt.LayerChart(layer=[line, *dots], height=LINE * len(values) + UNDER + LEGEND)


def _said(row: Pair) -> str:
    return f"{row.name}: {rate(row.first)} → {rate(row.second)}" + (f", {row.told}" if row.told else "")


def rate(value: float) -> str:
    """A score, or another share that was measured, as a percentage; within a point of none and of all with a decimal, since
    neither was reached."""
    return f"{value:.1%}" if 0 < value < 0.01 or 0.99 < value < 1 else f"{value:.0%}"


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


def trend(
    rows: Sequence[Scored], *, height: int = 260, legend: bool = True, named: Sequence[str] = ()
) -> alt.LayerChart:
    """Scores over time with their intervals. A line never crosses from one series to another.

    `named` models have their names beside their points, and so have the newest others while there is room.
    """
    ordered = sorted(rows, key=lambda row: row.at)
    others = [row.model for row in reversed(ordered) if row.model not in named]
    told = [name for name in dict.fromkeys([*named, *others]) if name in named or not _is_crowded(name, ordered, named)]
    told = told[:NAMED]
    values = [
        {
            "at": row.at.isoformat(), "model": row.model, "series": row.series, "mean": row.mean,
            "low": row.mean if row.low is None else row.low, "high": row.mean if row.high is None else row.high,
            "name": row.model.partition("/")[2] or row.model if row.model in told else "", "above": number % 2 == 0 or row.mean < LOW,
        }
        for number, row in enumerate(ordered)
    ]  # fmt: skip
    names = list(dict.fromkeys(str(value["series"]) for value in values))
    color = alt.Color(
        "series:N", title=None, scale=alt.Scale(domain=names, range=[SERIES[n % len(SERIES)] for n in range(len(names))]),
        legend=alt.Legend(orient="top") if legend and len(names) > 1 else None,
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=_time(ordered, padding=45 if legend else 8),
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
    if len({row.model for row in rows}) > 1:
        for above in (True, False):
            text = base.mark_text(dy=-9 if above else 9, baseline="bottom" if above else "top", fontSize=11, limit=130)
            at = alt.Y("high:Q" if above else "low:Q")
            layers.append(text.encode(y=at, text="name:N").transform_filter(alt.datum.above == above))
    return alt.LayerChart(layer=layers, height=height)


def _is_crowded(name: str, ordered: Sequence[Scored], named: Sequence[str]) -> bool:
    """Whether a model's point stands beside one whose name must be told."""
    least = CROWDED * (ordered[-1].at - ordered[0].at)
    kept = [row.at for row in ordered if row.model in named]
    return any(abs(row.at - at) < least for row in ordered if row.model == name for at in kept)


def _time(rows: Sequence[Scored], *, padding: int) -> alt.X:
    """The axis of days, or of hours where everything is of one day; with room for names at its ends."""
    within = (rows[-1].at - rows[0].at).total_seconds() if rows else 0.0
    form = "%-d %b" if within > 2 * 86_400 else "%-d %b, %H:%M"
    return alt.X(
        "at:T", title=None, scale=alt.Scale(padding=padding), axis=alt.Axis(format=form, tickCount=4, grid=False)
    )
