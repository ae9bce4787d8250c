"""Everything known of one item (`/item?item=arxiv:2511.21735`): what it is, why it was decided so, its text and its past."""

from __future__ import annotations

import difflib
import re
from itertools import pairwise

import streamlit as st
from markupsafe import Markup

from dashboard import PAGES, actions, card, charts, data, research, thread, ui
from dashboard.drawing import draw
from dashboard.phrases import said
from dashboard.session import here as who_reads
from dashboard.session import subject_names
from dashboard.ui import html, join
from scout.digest.wording import byline, percent, short_day
from scout.identity import parse_ref
from scout.items import OTHER
from scout.serving.verdicts import label_of
from scout.store.items import Version

BASE = "base rate"  # the part of a score that every item has; beside it the others could not be seen
EXTRACTIVE = "extractive"
EXTRACTS = "sentences of its own text, chosen without a model"


def changed_words(old: str, new: str) -> Markup:
    """`new` with what it has more than `old` inserted and what it has less struck out, by words."""
    before, after = re.findall(r"\S+\s*", ui.text(old, limit=20_000)), re.findall(r"\S+\s*", ui.text(new, limit=20_000))
    parts = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(html("{}", "".join(after[k:m])))
            continue
        if i < j:
            parts.append(html("<del>{}</del> ", "".join(before[i:j])))
        if k < m:
            parts.append(html("<ins>{}</ins> ", "".join(after[k:m])))
    return join(parts)


def meta(page: data.ItemPage, sources: dict[str, str], zone: str) -> Markup:
    item = page.stored.item
    signals = ", ".join(f"{signal.value:.0f} upvotes ({signal.kind}, {signal.day})" for signal in page.signals)
    return ui.pairs(
        [
            ("Id", html("<code>{}</code>", item.id)),
            ("Also known as", ", ".join(page.aliases)),
            ("Authors", byline(item.authors, most=40)),
            ("Categories", ", ".join(ui.text(name, limit=60) for name in item.categories)),
            ("Published", ui.clock_time(item.published, zone) if item.published else ""),
            ("Version", f"{item.version}, last changed {ui.clock_time(page.stored.changed_at, zone)}"),
            ("First seen", ui.clock_time(page.stored.first_seen, zone)),
            ("Brought by", ", ".join(ui.text(sources.get(source, source), limit=80) for source in page.sources)),
            ("Community", signals),
            ("Comment", ui.text(item.comment, limit=400)),
        ]
    )


def past(page: data.ItemPage, zone: str, subjects: dict[str, str]) -> list[tuple[str, str]]:
    """What was said and shown, the newest first."""
    lines = [
        (ui.clock_time(word.at, zone), f"you said: {said(word.aspect, word.value, word.reasons, subjects)}")
        for word in page.history
    ]
    return lines + [
        (
            short_day(shown.digest_date),
            f"shown at place {shown.position}, {card.LANES[shown.lane].lower()}, by {shown.policy}",
        )
        for shown in reversed(page.impressions)
    ]


def versions(page: data.ItemPage, zone: str) -> None:
    """Each replaced text against the one that took its place."""
    item = page.stored.item
    texts = [*page.versions, Version(item.version, item.title, item.text, page.stored.changed_at)]
    for old, new in pairwise(texts):
        with st.expander(f"Version {old.version}, replaced {ui.clock_time(old.seen_at, zone)}"):
            ui.show(
                html(
                    "<p><b>{}</b></p><p>{}</p>", changed_words(old.title, new.title), changed_words(old.text, new.text)
                )
            )


here = who_reads()
asked = st.query_params.get("item", "")
subjects = subject_names(here)
with here.store() as store:
    page = data.item_page(store, here.reader, asked) or data.item_page(store, here.reader, parse_ref(asked) or asked)
    sources = data.source_titles(store)

if page is None:
    what = (
        html("Nothing here is called <code>{}</code>.", ui.text(asked, limit=120))
        if asked
        else "The address names no item."
    )
    ui.empty("No such item", what, "It may have been deleted, or never came in. Search finds what is there.")
    st.page_link(PAGES / "search.py", label="Search", icon=":material/search:")
    st.stop()

item, decision = page.stored.item, page.decision
if message := actions.trouble():
    ui.trouble(message)
ui.show(
    html('<h1 class="sc-title" style="font-size:1.6rem">{}</h1>', ui.link(ui.text(item.title) or item.id, item.url))
)
card.say(here, item.id, page.board, subjects, decision.subject if decision else OTHER, details=False)

checks = here.settings.data_dir
by, decided = page.summary.by if page.summary else "", decision.policy if decision else ""
read_by = label_of(checks, by=page.reading.model) if page.reading else ""
if label := label_of(checks, by=by, policy=decided) or read_by:
    ui.show(card.label(label))
if page.summary and (page.summary.tldr or page.summary.points):
    ui.section("Summary", EXTRACTS if by == EXTRACTIVE else f"by {ui.text(by, limit=60)}")
    ui.show(html('<p class="sc-tldr">{}</p>{}', ui.text(page.summary.tldr), card.points(page.summary.points)))
for told, point in (
    ("What is new", page.reading.new if page.reading else None),
    ("Why it matters to you", page.reading.why_it_matters if page.reading else None),
):
    if point:
        ui.section(told, f"by {ui.text(page.reading.model, limit=60)}" if page.reading else "")
        ui.show(card.points([point]))
if item.text:
    ui.section("Text", "numbered; what the summary cites is marked" if page.summary and page.summary.points else "")
    ui.show(card.numbered(item.text, page.summary.points if page.summary else ()))

thread.section(here, page)
research.section(here, item.id)

ui.section("Decision")
if decision is None:
    st.caption("Nothing was decided on it for you yet.")
else:
    likely = sorted(decision.subjects.items(), key=lambda pair: -pair[1])[:3]
    routed = ", ".join(f"{ui.text(subjects.get(slug, slug))} {percent(share)}" for slug, share in likely)
    ui.show(
        html(
            '<div class="sc-row"><span class="sc-lane {}">{}</span><span>{}</span><span class="sc-faint">{} · by {}</span></div>',
            decision.lane.value,
            card.LANES[decision.lane],
            ui.likelihood(decision.probability),
            routed,
            decision.policy,
        )
    )
    if decision.why:
        parts = charts.merged(decision.why)
        base = sum(weight for name, weight in parts if name == BASE)
        parts = [(name, weight) for name, weight in parts if name != BASE]
        draw(charts.contributions, parts, alt="What weighed for and against this item, in log-odds")
        if base:
            st.caption(f"Every item starts at {card.signed(base)}: few of all that comes in are wanted.")

ui.section("Facts")
ui.show(meta(page, sources, here.zone))
if page.versions:
    ui.section("Earlier versions")
    versions(page, here.zone)
if history := past(page, here.zone, subjects):
    ui.section("Between you and it")
    ui.show(ui.pairs(history))
