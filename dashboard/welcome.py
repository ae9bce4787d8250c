"""The first minutes: what to follow, papers one likes; skipped with one click. Works without a network: fetching is a job."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dashboard import PAGES, actions, ui
from dashboard.session import Here
from scout.digest.wording import plural
from scout.items import Subject
from scout.references.pasted import parse_pasted

DIGEST = PAGES / "digest.py"
_EXAMPLE = "2501.12948\nhttps://arxiv.org/abs/2402.03300\n@article{…, title = {…}}"


def banner(here: Here) -> None:
    """A calm invitation above a digest that exists already."""
    with st.container(border=True, key="welcome-banner"), st.container(horizontal=True, vertical_alignment="center"):
        ui.show(ui.html("<b>Make it yours.</b> Say what you follow and paste a few papers you like: one minute."))
        if st.button("Set up", type="primary", key="welcome-start"):
            st.switch_page(PAGES / "onboarding.py")
        st.button("Not now", key="welcome-skip", on_click=_done, args=(here,))


def nothing_yet(here: Here, *, welcomed: bool) -> None:
    """There is no digest: why, and what makes one."""
    if not welcomed:
        form(here)
        return
    ui.empty(
        "No digest yet",
        ui.html("A daily run reads your sources, decides, and makes one. Press the button, or type <code>scout run</code>."),
        ui.html(
            "Offline it stops at once and says so; nothing is lost, run it again when you are back. "
            "For a digest every morning, <code>scout schedule --cron</code> prints the line to add."
        ),
    )  # fmt: skip
    run_button(here)


def run_button(here: Here, label: str = "Run now", *, align: Literal["left", "center"] = "center") -> None:
    """A button that asks the worker for the daily run."""
    if not here.is_admin:
        return
    with st.container(horizontal=True, horizontal_alignment=align):
        st.button(
            label, icon=":material/play_arrow:", type="primary", key="run-now", on_click=actions.ask,
            args=(here, "run", {}),
        )  # fmt: skip
    if message := actions.trouble():
        ui.trouble(message)


def form(here: Here) -> None:
    """Two questions, both of which may stay unanswered."""
    subjects = here.settings.subject_list()
    ui.show(
        ui.html(
            '<h2 style="font-size:1.7rem;font-weight:650;padding:0;margin:.5rem 0 .3rem">Welcome to scout</h2>'
            '<p class="sc-faint">It reads what was published, hands you a short digest each morning, and learns from your '
            "thumbs. Two questions make the first digests better. You can change every answer later.</p>"
        )
    )
    with st.container(key="welcome-form", gap="medium"):
        st.subheader("What do you follow?", anchor=False)
        chosen = _subjects(subjects)
        st.subheader("Which papers do you like?", anchor=False)
        pasted = st.text_area(
            "arXiv numbers, addresses, DOIs or BibTeX, one a line",
            placeholder=_EXAMPLE,
            height=150,
            key="welcome-papers",
        )
        _understood(pasted)
        with st.container(horizontal=True):
            if st.button("Start reading", type="primary", key="welcome-done"):
                _begin(here, chosen, subjects, pasted)
            if st.button("Skip", type="tertiary", key="welcome-skip"):
                _done(here)
                st.switch_page(DIGEST)
    if message := actions.trouble():
        ui.trouble(message)


def _subjects(subjects: tuple[Subject, ...]) -> list[str]:
    names = {subject.slug: subject.name for subject in subjects}
    return st.pills(
        "Subjects", list(names), selection_mode="multi", default=list(names), key="welcome-subjects",
        format_func=lambda slug: ui.md(names[slug]), label_visibility="collapsed", wrap=True,
    )  # fmt: skip


def _understood(pasted: str) -> None:
    """What is recognised in the pasted text, while it can still be mended."""
    if not pasted.strip():
        return
    found = parse_pasted(pasted)
    told = f"{plural(len(found.ids), 'paper')} recognised."
    if found.unclear:
        told += " Not understood: " + ", ".join(ui.md(line, limit=60) for line in found.unclear[:3])
    st.caption(told)


def _begin(here: Here, chosen: list[str], subjects: tuple[Subject, ...], pasted: str) -> None:
    with actions.told():
        with here.store() as store:
            store.readers.follow(here.reader, None if len(chosen) in (0, len(subjects)) else chosen)
            has_digest = bool(store.digests.dates(here.reader))
        if parse_pasted(pasted).ids:
            actions.ask(here, "onboard", {"reader": here.reader, "text": pasted})
        if not has_digest and here.is_admin:
            actions.ask(here, "run", {})
        _done(here)
        st.switch_page(DIGEST)


def _done(here: Here) -> None:
    with actions.told(), here.store() as store:
        store.readers.onboarded(here.reader)
