"""The whole page for whoever may not come in: no name, no figure, nothing of what is stored."""

from __future__ import annotations

import streamlit as st

from dashboard import ui
from dashboard.visitors import Stranger


def page(stranger: Stranger) -> None:
    """Why not, and the login where one would help."""
    ui.empty("Not for everybody", str(stranger))
    with st.container(horizontal=True, horizontal_alignment="center"):
        if stranger.may_log_in:
            st.button("Log in", icon=":material/login:", type="primary", key="log-in", on_click=st.login)
        if stranger.may_log_out:
            st.button("Log in as somebody else", icon=":material/logout:", key="log-out", on_click=st.logout)
