"""Charts on the page. A chart of the same rows is built once, whoever looks at it: building and checking one takes longer than
all else that a page's strip does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import altair
import streamlit as st

KEPT = 500
"""Charts kept ready, a few thousand bytes each."""

Row = TypeVar("Row", bound=Hashable)

altair.theme.enable("none")  # Streamlit puts its own on, in the browser


def draw(build: Callable[[Sequence[Row]], altair.TopLevelMixin], rows: Sequence[Row], *, alt: str) -> None:
    """Put the chart that `build` makes of `rows` on the page. `alt` says what it shows to who does not see it."""
    st.vega_lite_chart(json.loads(_spec(build, tuple(rows))), alt=alt)


@lru_cache(maxsize=KEPT)
def _spec(build: Callable[[Sequence[Any]], altair.TopLevelMixin], rows: tuple[Hashable, ...]) -> str:
    return json.dumps(build(rows).to_dict())
