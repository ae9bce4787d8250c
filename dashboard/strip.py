"""What stands beside the digest: how well the policy knows the reader, what came into today, which models are new."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import charts, ui
from dashboard.charts import AgreementDay
from dashboard.ui import html, join
from scout.digest.model import Digest
from scout.digest.wording import hub_url, percent, plural, short_day
from scout.items import Release


def strip(days: Sequence[AgreementDay], releases: Sequence[Release], digest: Digest) -> None:
    _agreement(days)
    _counts(digest)
    _releases(releases)


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
            percent(share),
            plural(thumbs, "thumb"),
        )
    )
    if len(days) > 1:
        st.altair_chart(charts.agreement(days), alt="Agreement of the policy with your thumbs, by digest")


def _counts(digest: Digest) -> None:
    named = (("considered", "new items"), ("read", "to read"), ("unsure", "unsure"), ("skipped", "skipped"))
    rows = [(name, f"{digest.counts[key]:,}") for key, name in named if key in digest.counts]
    ui.show(html('<h3 class="sc-strip-title" style="margin-top:1.4rem">This digest</h3>{}', ui.pairs(rows)))


def _releases(releases: Sequence[Release]) -> None:
    if not releases:
        return
    lines = join(
        html(
            '<div style="margin:.45rem 0;font-size:.92rem">{}<br><span class="sc-faint" style="font-size:.82rem">{} · {}</span></div>',
            ui.link(ui.text(release.id, limit=120), release.url or hub_url(release.id)),
            short_day(release.published.date()),
            f"verdict: {ui.text(release.verdict)}" if release.verdict else "no verdict yet",
        )
        for release in releases
    )
    ui.show(html('<h3 class="sc-strip-title" style="margin-top:1.4rem">New open models</h3>{}', lines))
