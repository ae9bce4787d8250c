"""The dashboard: which pages there are, for whom, and who is reading. Started by `scout dashboard` with the options of `theme.py`."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import PAGES, jobs, session, ui, visitors
from dashboard import stranger as refused
from dashboard.turns import turn

ADMIN = ("sources", "runs", "training")
"""Pages that change or tell what concerns everybody; with a login, administrators alone have them."""

st.set_page_config(page_title="scout", page_icon=ui.icon(), layout="wide")
st.logo(ui.icon(), size="large")
ui.style()

pages = [
    st.Page(PAGES / "digest.py", title="Digest", icon=":material/newspaper:", default=True),
    st.Page(PAGES / "missed.py", title="Missed", icon=":material/search_off:", url_path="missed"),
    st.Page(PAGES / "search.py", title="Search", icon=":material/search:", url_path="search"),
    st.Page(PAGES / "saved.py", title="Saved", icon=":material/bookmark:", url_path="saved"),
    st.Page(PAGES / "sources.py", title="Sources", icon=":material/rss_feed:", url_path="sources"),
    st.Page(PAGES / "subjects.py", title="Subjects", icon=":material/topic:", url_path="subjects"),
    st.Page(PAGES / "readers.py", title="Readers", icon=":material/person:", url_path="readers"),
    st.Page(PAGES / "policy.py", title="Policy", icon=":material/balance:", url_path="policy"),
    st.Page(PAGES / "models.py", title="Models", icon=":material/leaderboard:", url_path="models"),
    st.Page(PAGES / "training.py", title="Training", icon=":material/model_training:", url_path="training"),
    st.Page(PAGES / "fun.py", title="Fun", icon=":material/celebration:", url_path="fun"),
    st.Page(PAGES / "runs.py", title="Runs", icon=":material/history:", url_path="runs"),
    st.Page(PAGES / "item.py", title="Item", icon=":material/article:", url_path="item", visibility="hidden"),
    st.Page(PAGES / "onboarding.py", title="Welcome", icon=":material/waving_hand:", url_path="welcome", visibility="hidden"),
]  # fmt: skip

here = stranger = None
with ui.explained():
    try:
        here = session.begin()
    except visitors.Stranger as err:
        stranger = err
if stranger is not None:
    instead = [refused.in_place_of(each, partial(refused.page, stranger)) for each in pages]
    st.navigation(instead, position="hidden").run()
elif here is None:
    st.navigation(pages, position="top")
else:
    theirs = {each.url_path for each in pages if here.is_admin or each.url_path not in ADMIN}
    page = st.navigation(
        [each if each.url_path in theirs else refused.in_place_of(each, refused.kept) for each in pages], position="top"
    )
    with turn(), ui.explained():
        jobs.strip(here)
        page.run()
