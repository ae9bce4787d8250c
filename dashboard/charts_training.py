"""Charts of a training run: figures a step in, Altair chart out, with one line through all of them at the step pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from dashboard.charts_evals import SERIES, TIE


@dataclass(frozen=True, slots=True)
class Point:
    """One figure at one step."""

    step: int
    name: str
    value: float
    error: float = 0.0
    """Its standard error, where there is one."""


def curves(points: Sequence[Point], *, height: int = 210, form: str = ".3f", log: bool = False) -> alt.LayerChart:
    """Figures over the steps, a line a name, with all their values told at the step nearest to the pointer.

    A figure that is there at some steps only (one that is held out) has its points marked. `log` for what spans magnitudes.
    """
    names = list(dict.fromkeys(each.name for each in points))
    rows = [
        {
            "step": each.step, "name": each.name, "value": each.value, "low": each.value - 2 * each.error,
            "high": each.value + 2 * each.error, "sure": each.error == 0,
        }
        for each in points
    ]  # fmt: skip
    x = alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1, tickCount=6, grid=False))
    scale = alt.Scale(type="symlog", constant=1e-4) if log else alt.Scale(zero=False, nice=True)
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5))
    color = alt.Color(
        "name:N", title=None, scale=alt.Scale(domain=names, range=[SERIES[n % len(SERIES)] for n in range(len(names))]),
        legend=alt.Legend(orient="bottom", columns=3, labelLimit=200) if len(names) > 1 else None,
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    here = alt.selection_point(nearest=True, on="pointerover", fields=["step"], empty=False, clear="pointerout")
    line = base.mark_line(strokeWidth=2).encode(y=y, color=color)
    spread = base.transform_filter("!datum.sure").mark_rule(opacity=0.4, strokeWidth=2).encode(
        y=alt.Y("low:Q", title=None), y2="high:Q", color=color
    )  # fmt: skip
    sparse = base.transform_filter(alt.FieldOneOfPredicate("name", _sparse(points))).mark_circle(size=45, opacity=1)
    told = [alt.Tooltip("step:Q", title="Step"), *(alt.Tooltip(f"{name}:Q", format=form) for name in names)]
    rule = (
        base.transform_pivot("name", value="value", groupby=["step"])
        .mark_rule(color=TIE, strokeWidth=1)
        .encode(opacity=alt.condition(here, alt.value(0.7), alt.value(0)), tooltip=told)
        .add_params(here)
    )
    dots = base.mark_circle(size=70).encode(y=y, color=color, opacity=alt.condition(here, alt.value(1), alt.value(0)))
    return alt.LayerChart(
        layer=[line, spread, sparse.encode(y=y, color=color), dots, rule], height=height + 45 * (len(names) > 1)
    )


def _sparse(points: Sequence[Point]) -> list[str]:
    """Names that have a figure at few of the steps."""
    steps = len({each.step for each in points})
    counts: dict[str, int] = {}
    for each in points:
        counts[each.name] = counts.get(each.name, 0) + 1
    return [name for name, count in counts.items() if count < steps or count == 1]
