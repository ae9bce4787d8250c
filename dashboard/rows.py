"""An item as a line of a list (Search, Saved): what it is, where the words were found, and what the reader may say of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from markupsafe import Markup

from dashboard import actions, card, ui
from dashboard.actions import Board
from dashboard.data import Findings, Found
from dashboard.session import Here
from dashboard.ui import html
from scout.digest.wording import byline, short_day
from scout.items import OTHER
from scout.store.search import MARK_END, MARK_START


def listing(here: Here, findings: Findings, subjects: Mapping[str, str], sources: Mapping[str, str]) -> None:
    for found in findings.rows:
        _line(here, found, findings.board, subjects, sources.get(found.stored.item.source, found.stored.item.source))


@st.fragment
def _line(here: Here, found: Found, board: Board, subjects: Mapping[str, str], source: str) -> None:
    with ui.explained(), st.container(border=True, gap="xsmall", key=f"row-{found.stored.item.id}"):
        if message := actions.trouble():
            ui.trouble(message)
        ui.show(_head(found, source))
        subject = found.decision.subject if found.decision else OTHER
        card.say(here, found.stored.item.id, board, subjects, subject)


def _head(found: Found, source: str) -> Markup:
    item = found.stored.item
    day = short_day(item.published.date()) if item.published else ""
    place = "arXiv" if item.id.startswith("arxiv:") else ui.text(source, limit=60)
    about = dict.fromkeys((byline(item.authors, most=3), place, day))
    snippet = found.snippet.replace("\n", " ") if MARK_START in found.snippet else ""
    lane, excerpt = Markup(""), Markup("")
    if snippet:
        excerpt = html('<p class="sc-tldr" style="font-size:.94rem">{}</p>', ui.marked(snippet, MARK_START, MARK_END))
    if found.decision:
        kind = found.decision.lane
        lane = html(
            '<div class="sc-row"><span class="sc-lane {}">{}</span><span class="sc-faint" style="font-size:.86rem">{}</span></div>',
            kind.value, card.LANES[kind], ui.likelihood(found.decision.probability),
        )  # fmt: skip
    return html(
        '<h3 class="sc-title">{}</h3><div class="sc-meta"><span>{}</span></div>{}{}',
        ui.link(ui.text(item.title) or item.id, item.url),
        " · ".join(filter(None, about)),
        excerpt,
        lane,
    )
