"""The whole page for whoever may not come in, or not here: no name, no figure, nothing of what is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import ui
from dashboard.visitors import Stranger

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage


def page(stranger: Stranger) -> None:
    """Why not, and the login where one would help."""
    ui.empty("Not for everybody", str(stranger))
    with st.container(horizontal=True, horizontal_alignment="center"):
        if stranger.may_log_in:
            st.button("Log in", icon=":material/login:", type="primary", key="log-in", on_click=st.login)
        if stranger.may_log_out:
            st.button("Log in as somebody else", icon=":material/logout:", key="log-out", on_click=st.logout)


def kept() -> None:
    """For a reader who followed a link to a page of the administrators'."""
    ui.empty("For administrators", "This page changes or tells what concerns everybody who reads here.")


def in_place_of(page: StreamlitPage, show: Callable[[], None]) -> StreamlitPage:
    """At the address of `page`, in no menu, what `show` says: so a link to it leads somewhere."""
    if page.url_path == "":
        return st.Page(show, title="scout", default=True)
    return st.Page(show, title="scout", url_path=page.url_path, visibility="hidden")
