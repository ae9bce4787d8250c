"""What `streamlit run` is given: the pages (`start.py`) behind `dashboard.guard`."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboard import visitors
from dashboard.guard import Guard
from scout.config import load

access = load().access
visitors.remember(access)
app = st.App(Path(__file__).with_name("start.py"), middleware=[Middleware(Guard, access=access)])
