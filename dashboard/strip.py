"""What stands beside the digest: how well the policy knows the reader, what came into today, which models are new."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import PAGES, charts, charts_evals, ui
from dashboard.charts import AgreementDay
from dashboard.charts_evals import Scored, rate
from dashboard.drawing import draw
from dashboard.ui import html, join
from scout.digest.model import Digest
from scout.digest.wording import hub_url, plural, short_day
from scout.items import Release


def strip(
    days: Sequence[AgreementDay], releases: Sequence[Release], digest: Digest, served: Sequence[Scored] = (), *,
    query: dict[str, str],
) -> None:  # fmt: skip
    """`served` is what the model that reads scored at triage, the oldest first; `query` is of links to other pages."""
    _agreement(days)
    _counts(digest)
    _served(served)
    _releases(releases, query)


def _served(points: Sequence[Scored]) -> None:
    if not points:
        return
    newest = points[-1]
    spread = "" if newest.low is None or newest.high is None else f" ({rate(newest.low)} to {rate(newest.high)})"
    ui.show(
        html(
            '<h3 class="sc-strip-title" style="margin-top:1.4rem">Triage by {}</h3><div class="sc-figure">{}</div>'
            '<div class="sc-faint" style="font-size:.86rem">of the triage suite{}</div>',
            ui.text(newest.model, limit=60),
            rate(newest.mean),
            spread,
        )
    )
    if len(points) > 1:
        chart = charts_evals.trend(points, height=110, legend=False)
        st.altair_chart(chart, alt="Score of the model that reads at the triage suite, night by night")


def _agreement(days: Sequence[AgreementDay]) -> None:
    share = charts.share(days)
    thumbs = sum(day.thumbs for day in days)
    ui.show(html('<h3 class="sc-strip-title">Agreement with your thumbs</h3>'))
    if share is None:
        ui.show(
            html('<p class="sc-faint">A few thumbs, and this shows how often they say what the policy had said.</p>')
        )
        return
    ui.show(
        html(
            '<div class="sc-figure">{}</div><div class="sc-faint" style="font-size:.86rem">of {} on what it was sure of</div>',
            rate(share),
            plural(thumbs, "thumb"),
        )
    )
    if len(days) > 1:
        draw(charts.agreement, days, alt="Agreement of the policy with your thumbs, by digest")


def _counts(digest: Digest) -> None:
    named = (("considered", "new items"), ("read", "to read"), ("unsure", "unsure"), ("skipped", "skipped"))
    rows = [(name, f"{digest.counts[key]:,}") for key, name in named if key in digest.counts]
    ui.show(html('<h3 class="sc-strip-title" style="margin-top:1.4rem">This digest</h3>{}', ui.pairs(rows)))


def _releases(releases: Sequence[Release], query: dict[str, str]) -> None:
    if not releases:
        return
    lines = join(
        html(
            '<div style="margin:.45rem 0;font-size:.92rem">{}<br><span class="sc-faint" style="font-size:.82rem">{}{}</span></div>',
            ui.link(ui.text(release.id, limit=120), release.url or hub_url(release.id)),
            short_day(release.published.date()),
            html("<br>{}", ui.text(release.verdict)) if release.verdict else "",
        )
        for release in releases
    )
    ui.show(html('<h3 class="sc-strip-title" style="margin-top:1.4rem">New open models</h3>{}', lines))
    if any(release.verdict for release in releases):
        st.page_link(
            PAGES / "models.py", label="All measured models", icon=":material/leaderboard:", query_params=query
        )
