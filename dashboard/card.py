"""One item of a digest as a card: what it is, why it is here, its summary, and what the reader may say of it.

A card is a fragment: a thumb redraws the card alone. What the widgets show is set from the board on every draw, and the
board holds what the database said last, so a card never shows a word that did not land.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import PAGES, actions, charts, ui
from dashboard.actions import Board, Words
from dashboard.session import Here, params
from dashboard.ui import html, join, md
from scout.digest import wording
from scout.digest.model import Entry
from scout.digest.wording import ASKS, about, by_chance
from scout.items import REASONS, Aspect, Item, ItemId, Lane, Point
from scout.text import sentences

UP_REASONS = tuple(REASONS)[:4]
DOWN_REASONS = tuple(REASONS)[4:]

VAGUE = ("all other words", "everything else", "base rate")
"""Parts of a score that tell a reader of the card nothing; the item's own page has them."""

LANES = {Lane.READ: "To read", Lane.UNSURE: "Unsure", Lane.SKIP: "Skipped"}


@st.fragment
def card(here: Here, entry: Entry, item: Item | None, board: Board, subjects: Mapping[str, str], subject: str) -> None:
    """Draw `entry`. `subjects` are names by slug; `subject` is the one it stands under."""
    with ui.explained(), st.container(border=True, gap="xsmall", key=f"card-{entry.id}"):
        if message := actions.trouble():
            ui.trouble(message)
        words = board.get(entry.id, {})
        if _is(words, Aspect.HIDDEN):
            _hidden(here, entry, board)
            return
        ui.show(head(entry) + details(entry, item))
        say(here, entry.id, board, subjects, subject)


def head(entry: Entry) -> Markup:
    """Title, byline, lane, probability, the one-line summary and the reasons, as one piece of markup."""
    lane, kind = LANES[entry.lane], entry.lane.value
    chance = Markup("")
    if entry.is_explored:
        lane, kind = "By chance", "chance"
        chance = html(
            '<span class="sc-faint" style="font-size:.82rem">to check the policy: {} of such items is shown</span>',
            by_chance(entry),
        )
    if entry.asks:
        chance += html('<span class="sc-lane asks">{}</span>', ASKS)
    chips = join(
        html('<span class="sc-chip {}"><b>{}</b> {}</span>', "sc-up" if weight > 0 else "sc-down", signed(weight), name)
        for name, weight in charts.merged(entry.why)
        if abs(weight) >= 0.05 and not name.startswith(VAGUE)
    )
    return html(
        '<h3 class="sc-title">{}</h3><div class="sc-meta"><span>{}</span></div>'
        '<div class="sc-row"><span class="sc-lane {}">{}</span><span class="sc-faint" style="font-size:.86rem">'
        '<span class="sc-meter"><i style="width:{:.0f}%"></i></span>{}</span>{}</div>{}<div class="sc-row">{}</div>',
        ui.link(ui.text(entry.title) or entry.id, entry.url),
        about(entry, most=3),
        kind,
        lane,
        100 * entry.probability,
        ui.likelihood(entry.probability),
        chance,
        label(entry.label)
        + asides(entry)
        + (html('<p class="sc-tldr">{}</p>', ui.text(entry.summary.tldr)) if entry.summary.tldr else ""),
        chips,
    )


def details(entry: Entry, item: Item | None) -> Markup:
    """The summary and the sentences that it cites, folded: markup, where an expander would be two more messages a card."""
    if item is None or not (entry.summary.points or item.text):
        return Markup("")
    return html(
        '<details class="sc-details"><summary>Summary, sentence by sentence</summary>{}</details>',
        points(entry.summary.points) + numbered(item.text, entry.summary.points),
    )


def asides(entry: Entry) -> Markup:
    """What it is to what was read, how it changed, where else it stands."""
    return join(html('<p class="sc-faint sc-aside">{}</p>', ui.text(said, limit=500)) for said in wording.asides(entry))


def label(said: str) -> Markup:
    """What is to be known of the model that had a say."""
    return html('<p class="sc-faint sc-label">{}</p>', ui.text(said, limit=300)) if said else Markup("")


def signed(weight: float) -> str:
    return f"{weight:+.1f}".replace("-", "−")


def points(summary: Sequence[Point]) -> Markup:
    """The points of a summary with the numbers of their sentences."""
    listed = join(
        html(
            '<li>{} <span class="sc-cite">{}</span></li>',
            ui.text(point.text),
            " ".join(f"[{number}]" for number in point.cites),
        )
        for point in summary
    )
    return html('<ul class="sc-list">{}</ul>', listed) if summary else Markup("")


def numbered(body: str, summary: Sequence[Point]) -> Markup:
    """The sentences of a text with their numbers, those that the summary cites marked."""
    cited = {number for point in summary for number in point.cites}
    lines = join(
        html('<li class="{}"><small>{}</small>{}</li>', "cited" if number in cited else "", number, ui.text(sentence))
        for number, sentence in enumerate(sentences(body), 1)
    )
    return html('<ol class="sc-sentences">{}</ol>', lines)


def say(
    here: Here, item: ItemId, board: Board, subjects: Mapping[str, str], subject: str, *, details: bool = True
) -> None:  # fmt: skip
    """Everything a reader may say of an item: thumbs, then reasons and the right subject; save, hide, undo."""
    words = board.get(item, {})
    thumb = words.get(Aspect.THUMB)
    value = thumb.value if thumb and thumb.value != "none" else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"say-{item}"):
        _thumbs(here, item, board, value)
        _toggle(
            here, item, board, Aspect.SAVED, ("Save", "Saved"), (":material/bookmark:", ":material/bookmark_added:")
        )
        _toggle(here, item, board, Aspect.HIDDEN, ("Hide", "Hidden"), (":material/visibility_off:",) * 2)
        if words:
            _button("Undo", ":material/undo:", f"undo-{item}", actions.undo, here, board, item)
        if details:
            query = params(here, item=item)
            st.page_link(PAGES / "item.py", label="Details", icon=":material/info:", query_params=query)
    if value and thumb:
        with st.container(horizontal=True, vertical_alignment="center", key=f"more-{item}"):
            _reasons(here, item, board, value, thumb.reasons)
            _subject(here, item, board, subjects, subject)


def _thumbs(here: Here, item: ItemId, board: Board, value: str | None) -> None:
    key = f"thumb-{item}"
    st.session_state[key] = {"up": 1, "down": 0}.get(value or "")

    def clicked() -> None:
        chosen = st.session_state[key]
        actions.say(here, board, item, Aspect.THUMB, "none" if chosen is None else ("down", "up")[chosen])

    st.feedback("thumbs", key=key, on_change=clicked)


def _reasons(here: Here, item: ItemId, board: Board, value: str, standing: tuple[str, ...]) -> None:
    key = f"reasons-{value}-{item}"
    offered = UP_REASONS if value == "up" else DOWN_REASONS
    st.session_state[key] = [reason for reason in standing if reason in offered]

    def chosen() -> None:
        actions.say(here, board, item, Aspect.THUMB, value, st.session_state[key])

    st.pills(
        "Why?", offered, selection_mode="multi", format_func=REASONS.__getitem__, key=key, on_change=chosen,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip


def _subject(here: Here, item: ItemId, board: Board, subjects: Mapping[str, str], subject: str) -> None:
    key = f"subject-{item}"
    corrected = board.get(item, {}).get(Aspect.SUBJECT)
    current = corrected.value if corrected else subject
    st.session_state[key] = current

    def chosen() -> None:
        if st.session_state[key] != current:
            actions.say(here, board, item, Aspect.SUBJECT, st.session_state[key])

    options = list(dict.fromkeys([*subjects, current]))
    st.selectbox(
        "Belongs under", options, format_func=lambda slug: f"under {ui.text(subjects.get(slug, slug))}", key=key,
        on_change=chosen, width=250, label_visibility="collapsed",
    )  # fmt: skip


def _toggle(
    here: Here, item: ItemId, board: Board, aspect: Aspect, labels: tuple[str, str], icons: tuple[str, str]
) -> None:  # fmt: skip
    on = _is(board.get(item, {}), aspect)
    value = "no" if on else "yes"
    _button(labels[on], icons[on], f"{aspect}-{item}", actions.say, here, board, item, aspect, value)


def _button(label: str, icon: str, key: str, call: Callable[..., None], *args: object) -> None:
    st.button(label, icon=icon, key=key, on_click=call, args=args, type="tertiary")


def _hidden(here: Here, entry: Entry, board: Board) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Hidden: {md(entry.title)}", width="stretch")
        _button("Undo", ":material/undo:", f"undo-{entry.id}", actions.undo, here, board, entry.id)


def _is(words: Words, aspect: Aspect) -> bool:
    word = words.get(aspect)
    return word is not None and word.value == "yes"
