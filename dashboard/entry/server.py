"""What `streamlit run` is given: the pages (`start.py`) behind `dashboard.guard`, and how one process serves many readers.

Every answer is drawn in a thread of its own and sent by one thread for all, a message a piece. Python lets a waiting thread
have its turn after five milliseconds; with two answers being drawn the sender then waits that long at each of hundreds of
messages. And what is loaded once need not be gone through by every later garbage collection.
"""

import gc
import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboard import card, data, drawing, models, visitors  # noqa: F401 - loaded before the first visitor comes
from dashboard.guard import Guard
from scout.config import load

TURN_SECONDS = 0.0001
"""How long a thread may keep the interpreter while another waits for it."""

access = load().access
visitors.remember(access)
app = st.App(Path(__file__).with_name("start.py"), middleware=[Middleware(Guard, access=access)])

sys.setswitchinterval(TURN_SECONDS)
gc.collect()
gc.freeze()
