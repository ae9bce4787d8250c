"""Which day's digest is shown: from the address (`?day=2025-12-02`), else the newest; picked, or stepped through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from dashboard import ui


def asked() -> date | None:
    """The day in the address; None for none, or for what is no day."""
    try:
        return date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        return None


def picker(day: date, days: Sequence[date]) -> None:
    """The day as a heading one can change, with the one before and the one after beside it. `days` are the newest first."""
    place = days.index(day)
    older = days[place + 1] if place + 1 < len(days) else None
    newer = days[place - 1] if place > 0 else None
    st.session_state["day"] = day
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="days"):
        _step(":material/chevron_left:", older, "the digest before")
        st.selectbox(
            "Day", days, format_func=ui.day_short, key="day", on_change=_picked, label_visibility="collapsed", width=210
        )
        _step(":material/chevron_right:", newer, "the digest after")
    if (wanted := st.query_params.get("day")) and asked() != day:
        st.caption(f"There is no digest of {ui.md(wanted, limit=20)}; this is the newest.")


def _step(icon: str, day: date | None, hint: str) -> None:
    st.button(
        "", icon=icon, key=f"step-{hint}", help=f"{hint}: {ui.day_short(day)}" if day else f"{hint}: there is none",
        disabled=day is None, on_click=_go, args=(day,),
    )  # fmt: skip


def _picked() -> None:
    _go(st.session_state["day"])


def _go(day: date | None) -> None:
    if day is not None:
        st.query_params["day"] = day.isoformat()
