"""Who am I, what the policy has learned of me, and everything I said, to take along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from textwrap import shorten

import streamlit as st

from dashboard import actions, charts, data, export, session, ui
from dashboard.charts_evals import rate
from dashboard.drawing import draw
from dashboard.export import Said
from dashboard.session import Here
from dashboard.session import here as who_reads
from scout.clock import now
from scout.config.access import Login


def choose(here: Here) -> None:
    session.become(st.session_state["reader-choice"], here.settings)


def create(here: Here) -> None:
    name = session.name_of(st.session_state["reader-new"])
    if name:
        with actions.told(), here.store() as store:
            store.readers.ensure(name, now())
            session.become(name, here.settings)
        st.session_state["reader-new"] = ""


def everything(here: Here, form: Callable[[Sequence[Said]], str]) -> str:
    """The whole export, made when it is asked for."""
    with here.store() as store:
        return form(data.said(store, here.reader))


def choice(here: Here, readers: Sequence[str]) -> None:
    """Whoever opens the page says who they are: without a login, on this machine alone."""
    st.session_state["reader-choice"] = here.reader
    with st.container(horizontal=True, vertical_alignment="bottom", key="who"):
        st.selectbox(
            "I am", readers, key="reader-choice", on_change=choose, args=(here,), width=260,
            format_func=lambda name: ui.text(name, limit=60),
        )  # fmt: skip
        st.text_input("Somebody new", key="reader-new", max_chars=60, width=260, placeholder="a name")
        st.button("Create", icon=":material/person_add:", on_click=create, args=(here,))


here = who_reads()
with here.store() as store:
    readers = [row.name for row in store.readers.all()]
    agreement = data.agreement(store, here.reader)
    learned = data.learned(store, here.reader)
    thumbs = store.feedback.thumbs(here.reader)

st.title("Readers", anchor=False)
if message := actions.trouble():
    ui.trouble(message)
if here.visitor is not None:
    said = ui.text(here.visitor.login), here.visitor.role.value, ui.text(here.reader)
    ui.show(ui.html('<p class="sc-faint">Logged in as {}, {}; you read as {}.</p>', *said))
    if here.settings.access.login is Login.OIDC:
        st.button("Log out", icon=":material/logout:", key="log-out", on_click=st.logout)
    if here.is_admin:
        ui.show(ui.html('<p class="sc-faint">Readers here: {}.</p>', ", ".join(map(ui.text, readers))))
else:
    choice(here, readers)

ui.section("What the policy has learned of you")
share, ups = charts.share(agreement), sum(thumb.value == "up" for thumb in thumbs)
with st.container(horizontal=True, gap="large", key="figures"):
    st.metric("Thumbs up", ups, width="content")
    st.metric("Thumbs down", len(thumbs) - ups, width="content")
    st.metric(
        "Agreement", rate(share) if share is not None else "not yet", width="content",
        help="How often your thumb said what the policy had said, where it was sure",
    )  # fmt: skip
    st.metric(
        "Foreseen", rate(learned.foreseen) if learned and learned.foreseen is not None else "not yet", width="content",
        help="How many of your thumbs a policy that had seen only the earlier ones gets right",
    )  # fmt: skip
if learned:
    for claim in learned.claims:
        st.caption(claim)
if len(agreement) > 1:
    draw(charts.agreement, agreement, alt="Agreement of the policy with your thumbs, by digest")
if learned is None or not (learned.up or learned.down):
    ui.empty(
        "Nothing learned yet",
        "It goes by your subjects alone for now. Each thumb tells it more, and the next run decides by it.",
    )
else:
    more, less = st.columns(2, gap="large")
    with more:
        st.markdown("**More of**")
        draw(charts.contributions, learned.up, alt="What speaks most for an item")
    with less:
        st.markdown("**Less of**")
        draw(charts.contributions, learned.down, alt="What speaks most against an item")
if learned is not None:
    st.caption(f"Policy {ui.md(learned.version)}, fitted {ui.clock_time(learned.made_at, here.zone)}.")

ui.section("Everything you said", "yours to take along")
with here.store() as store:
    newest = data.said(store, here.reader, limit=20)
if not newest:
    st.caption("Nothing yet.")
else:
    with st.container(horizontal=True):
        name = f"scout-{session.file_name(here.reader)}"
        for label, form, kind in (("JSON", export.as_json, "application/json"), ("CSV", export.as_csv, "text/csv")):
            st.download_button(
                label, partial(everything, here, form), f"{name}.{label.lower()}", kind, icon=":material/download:",
                on_click="ignore",
            )  # fmt: skip
    ui.show(
        ui.table(
            ("When", "What", "Item"),
            [
                (ui.clock_time(row.at, here.zone), row.what, shorten(ui.text(row.title), 140, placeholder="…"))
                for row in newest
            ],
        )
    )
