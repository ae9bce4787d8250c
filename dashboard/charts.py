"""Charts: rows in, Altair chart out, nothing read and nothing drawn. Colours work on light and dark alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import altair as alt

from scout.digest.wording import feature_name
from scout.items import Contribution

UP, DOWN = "#1a9c8a", "#d0604a"


@dataclass(frozen=True, slots=True)
class AgreementDay:
    """Of the thumbs on what one digest showed, how many said what the policy had said."""

    day: date
    agreed: int
    thumbs: int


def share(days: Sequence[AgreementDay]) -> float | None:
    """The share of all thumbs that agreed; None without thumbs."""
    thumbs = sum(day.thumbs for day in days)
    return sum(day.agreed for day in days) / thumbs if thumbs else None


def agreement(days: Sequence[AgreementDay]) -> alt.LayerChart:
    """Agreement per digest as points, sized by how many thumbs stand behind them, and a line through them."""
    rows = [
        {
            "day": f"{row.day}T00:00:00",  # local midnight: a bare date would be UTC's, the day before in the west
            "share": row.agreed / row.thumbs,
            "thumbs": row.thumbs,
            "told": f"{row.agreed} of {row.thumbs}",
        }
        for row in days
        if row.thumbs
    ]
    ticks = [str(row["day"]) for row in rows[:: max(1, math.ceil(len(rows) / 4))]]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", values=ticks, grid=False)),
        y=alt.Y(
            "share:Q",
            title=None,
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", values=[0, 0.5, 1]),
        ),
        tooltip=[alt.Tooltip("day:T", title="Digest of"), alt.Tooltip("told:N", title="Thumbs that agreed")],
    )
    line = base.mark_line(color=UP, strokeWidth=2, interpolate="monotone")
    points = base.mark_circle(color=UP, opacity=1).encode(
        size=alt.Size("thumbs:Q", legend=None, scale=alt.Scale(range=[40, 160]))
    )
    return alt.LayerChart(layer=[line, points], height=130)


LINE = 46
"""Pixels of a line that has its name above what is drawn: so it is read as well on a phone as on a wide screen."""


def lined(field: str, *, above: int = 15) -> alt.Y:
    """A line each, its name inside the plot, so many pixels above the line's middle."""
    axis = alt.Axis(
        labelAlign="left", labelPadding=-4, labelOffset=-above, labelLimit=1_000, labelFontSize=12.5, ticks=False, domain=False,
        labelFlush=False, labelBound=False, minExtent=0, maxExtent=0, offset=0,
    )  # fmt: skip
    return alt.Y(f"{field}:N", title=None, sort=None, axis=axis)


def contributions(parts: Sequence[tuple[str, float]]) -> alt.Chart:
    """Parts of a score as bars to the right (for) and left (against), in the order given. Weights are log-odds."""
    rows = [
        {
            "feature": f"{name}  {weight:+.2f}".replace("-", "−"), "weight": round(weight, 3),
            "side": "for" if weight > 0 else "against",
        }
        for name, weight in parts
    ]  # fmt: skip
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(cornerRadius=2, size=9)
        .encode(
            x=alt.X("weight:Q", title="log-odds", axis=alt.Axis(tickCount=5)),
            y=lined("feature", above=13),
            color=alt.Color("side:N", scale=alt.Scale(domain=["for", "against"], range=[UP, DOWN]), legend=None),
            tooltip=[alt.Tooltip("feature:N", title="Because of"), alt.Tooltip("weight:Q", format="+.2f")],
        )
        .properties(height=alt.Step(34))
    )
    return chart


def merged(parts: Sequence[Contribution]) -> list[tuple[str, float]]:
    """Contributions under the names people read, those of one name added up; the strongest first."""
    total: dict[str, float] = {}
    for part in parts:
        name = feature_name(part.feature)
        total[name] = total.get(name, 0.0) + part.weight
    return sorted(total.items(), key=lambda pair: -abs(pair[1]))


def stages(rows: Sequence[tuple[str, float]]) -> alt.Chart:
    """How long each stage of a run took, in the order in which they ran."""
    values = [{"stage": name, "seconds": round(seconds, 2)} for name, seconds in rows]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(color=UP, cornerRadius=3, height={"band": 0.7})
        .encode(
            x=alt.X("seconds:Q", title="seconds", axis=alt.Axis(tickCount=6)),
            y=alt.Y("stage:N", title=None, sort=None, axis=alt.Axis(labelLimit=220)),
            tooltip=[alt.Tooltip("stage:N", title="Stage"), alt.Tooltip("seconds:Q", title="Seconds")],
        )
        .properties(height=alt.Step(26))
    )
    return chart


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Items of about one probability and what their thumbs said."""

    foreseen: float
    found: float
    low: float
    high: float
    thumbs: int


def reliability(bins: Sequence[ReliabilityBin]) -> alt.LayerChart:
    """What was foreseen (across) against what came (up), with intervals; on the dashed line they agree."""
    rows = [
        {
            "foreseen": round(each.foreseen, 4), "found": round(each.found, 4), "low": round(each.low, 4),
            "high": round(each.high, 4), "thumbs": each.thumbs,
        }
        for each in bins
    ]  # fmt: skip
    end = min(1.0, max((max(each.high, each.foreseen) for each in bins), default=1.0) * 1.05)
    across = alt.X(
        "foreseen:Q", title="foreseen", scale=alt.Scale(domain=[0, end]), axis=alt.Axis(format="%", tickCount=5)
    )
    up = alt.Y("found:Q", title="thumbs up", scale=alt.Scale(domain=[0, end]), axis=alt.Axis(format="%", tickCount=5))
    ends = [{"foreseen": 0.0, "found": 0.0}, {"foreseen": end, "found": end}]
    line = (
        alt.Chart(alt.InlineData(values=ends))
        .mark_line(color="#8b9298", strokeDash=[4, 4], strokeWidth=1.5)
        .encode(x=across, y=up)
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=across)
    bars = base.mark_rule(color=UP, opacity=0.45, strokeWidth=2).encode(
        y=alt.Y("low:Q", title="thumbs up"), y2="high:Q"
    )
    points = base.mark_circle(color=UP, opacity=1, size=70).encode(
        y=up,
        tooltip=[
            alt.Tooltip("foreseen:Q", title="Foreseen", format=".1%"), alt.Tooltip("found:Q", title="Thumbs up", format=".1%"),
            alt.Tooltip("thumbs:Q", title="Thumbs"),
        ],
    )  # fmt: skip
    return alt.LayerChart(layer=[line, bars, points], height=260)


@dataclass(frozen=True, slots=True)
class MeasurePoint:
    """One figure of one measurement."""

    at: datetime
    name: str
    figure: str
    value: float
    asked: str = ""
    """On what, in words."""


def measures(points: Sequence[MeasurePoint]) -> alt.LayerChart:
    """One figure over time, a line a name."""
    rows = [{"at": each.at.isoformat(), "name": each.name, "value": round(each.value, 4)} for each in points]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("at:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=5, grid=False)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=4)),
        color=alt.Color("name:N", title=None, legend=alt.Legend(orient="bottom", columns=2, labelLimit=320)),
        tooltip=[
            alt.Tooltip("name:N", title="Policy"), alt.Tooltip("at:T", title="Measured", format="%-d %b %Y"),
            alt.Tooltip("value:Q", format=".3f", title="Value"),
        ],
    )  # fmt: skip
    line = base.mark_line(strokeWidth=2)
    circles = base.mark_circle(size=60, opacity=1)
    return alt.LayerChart(layer=[line, circles], height=240)
