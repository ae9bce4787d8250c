"""The day's digest, top to bottom: the day, what is missing, each subject's items, the unsure ones; beside it the strip."""

from __future__ import annotations

import streamlit as st

from dashboard import data, days, models, ui
from dashboard.card import card
from dashboard.session import here as who_reads
from dashboard.session import params, subject_names
from dashboard.strip import strip
from dashboard.welcome import banner, nothing_yet
from scout.digest.wording import headline, left_out, plural, why_empty
from scout.items import OTHER

here = who_reads()
subjects = subject_names(here)
with here.store() as store:
    page = data.digest_page(store, here.reader, days.asked())
    agreement = data.agreement(store, here.reader)
    releases = data.releases(store, here.settings, page.day)
    welcomed = data.is_welcomed(store, here.reader)
    served = models.nightly(store, here.settings.model.name)

if page.digest is None or page.day is None:
    nothing_yet(here, welcomed=welcomed)
    st.stop()

if not welcomed:
    banner(here)

main, side = st.columns([0.72, 0.28], gap="large")
with main:
    days.picker(page.day, page.days)
    if page.digest.note:
        ui.note(page.digest.note)
    if page.digest.is_empty:
        ui.empty("Nothing for you today", *map(ui.with_code, why_empty(page.digest)))
    else:
        st.caption(f"{headline(page.digest)} {left_out(page.digest)}")
    for block in page.digest.subjects:
        ui.section(block.name, plural(len(block.entries), "item"))
        for entry in block.entries:
            card(here, entry, page.items.get(entry.id), page.board, subjects, block.slug)
    if page.digest.unsure:
        ui.section("Unsure", "your thumb here teaches the most")
        for entry in page.digest.unsure:
            likeliest = max(entry.subjects, key=entry.subjects.__getitem__, default=OTHER)
            card(here, entry, page.items.get(entry.id), page.board, subjects, likeliest)
with side, st.container(key="strip"):
    strip(agreement, releases, page.digest, served, query=params(here))
