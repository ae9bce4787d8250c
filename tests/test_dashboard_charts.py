"""Charts as functions: rows in, a Vega-Lite specification out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import altair as alt
import pytest

from dashboard import charts, drawing
from dashboard.charts import AgreementDay
from scout.items import Contribution

DAYS = [
    AgreementDay(date(2025, 12, 1), 3, 4),
    AgreementDay(date(2025, 12, 2), 0, 0),
    AgreementDay(date(2025, 12, 3), 5, 6),
]


def drawn(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a specification, wherever Altair put them."""
    (rows,) = spec["datasets"].values()
    return rows


def test_the_share_counts_thumbs_not_days() -> None:
    assert charts.share(DAYS) == 8 / 10
    assert charts.share([]) is None
    assert charts.share([DAYS[1]]) is None


def test_agreement_draws_only_days_with_thumbs_at_local_midnight() -> None:
    assert [(row["day"], row["share"], row["told"]) for row in drawn(charts.agreement(DAYS).to_dict())] == [
        ("2025-12-01T00:00:00", 0.75, "3 of 4"),
        ("2025-12-03T00:00:00", 5 / 6, "5 of 6"),
    ]


def test_agreement_marks_few_days_on_its_axis_however_many_there_are() -> None:
    days = [AgreementDay(date(2025, 11, day), 1, 2) for day in range(1, 31)]
    assert len(charts.agreement(days).to_dict()["layer"][0]["encoding"]["x"]["axis"]["values"]) <= 4


def test_contributions_keep_their_order_and_take_sides() -> None:
    spec = charts.contributions([("agents", 1.25), ("by Ann Smith", -0.5)]).to_dict()
    assert spec["encoding"]["y"]["sort"] is None
    assert [(row["feature"], row["weight"], row["side"]) for row in drawn(spec)] == [
        ("agents  +1.25", 1.25, "for"),
        ("by Ann Smith  −0.50", -0.5, "against"),
    ]


def test_contributions_of_one_name_are_added_up_and_sorted_by_strength() -> None:
    parts = [Contribution("word:a", 0.2), Contribution("author:B", -0.6), Contribution("title:a", 0.3)]
    assert charts.merged(parts) == [("by B", -0.6), ("a", 0.5)]


def test_stages_are_drawn_in_the_order_they_ran() -> None:
    spec = charts.stages([("ingest", 4.2), ("triage me", 1.126)]).to_dict()
    assert [(row["stage"], row["seconds"]) for row in drawn(spec)] == [("ingest", 4.2), ("triage me", 1.13)]
    assert spec["encoding"]["y"]["sort"] is None


def test_a_chart_of_the_same_rows_is_built_once_and_of_others_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    shown: list[Any] = []

    def build(days: Sequence[AgreementDay]) -> alt.LayerChart:
        built.append(len(days))
        return charts.agreement(days)

    monkeypatch.setattr(drawing.st, "vega_lite_chart", lambda spec, alt: shown.append(spec))
    for days in (DAYS, list(DAYS), DAYS[:1]):
        drawing.draw(build, days, alt="")
    assert built == [3, 1]
    assert shown[0] == shown[1] == charts.agreement(DAYS).to_dict()
    assert shown[0] != shown[2]
