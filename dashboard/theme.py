"""How the dashboard looks, as options of Streamlit's theme. Whoever starts the server passes `flags()`.

One accent, a paper-like light and a dark of the same temperature; what goes beyond the options is in `style.css`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

_COMMON = {
    "font": "sans-serif",
    "headingFont": "sans-serif",
    "baseRadius": "0.6rem",
    "buttonRadius": "0.6rem",
    "headingFontWeights": [650, 650, 620, 600, 600, 600],
    "headingFontSizes": ["1.9rem", "1.45rem", "1.15rem", "1rem", "1rem", "1rem"],
}
_LIGHT = {
    "primaryColor": "#0f6b66",
    "backgroundColor": "#fcfbf8",
    "secondaryBackgroundColor": "#f2f0ea",
    "textColor": "#1e2428",
    "borderColor": "#e0ddd4",
    "linkColor": "#0f6b66",
}
_DARK = {
    "primaryColor": "#5cc2b6",
    "backgroundColor": "#14181a",
    "secondaryBackgroundColor": "#1d2326",
    "textColor": "#e4e7e6",
    "borderColor": "#2e3639",
    "linkColor": "#7fd4c9",
}


def options() -> dict[str, object]:
    """The options by their names."""
    found: dict[str, object] = {f"theme.{key}": value for key, value in _COMMON.items()}
    for name, colors in (("light", _LIGHT), ("dark", _DARK)):
        found |= {f"theme.{name}.{key}": value for key, value in colors.items()}
    return found


def flags() -> Iterator[str]:
    """The same as command line flags for `streamlit run`."""
    for name, value in options().items():
        yield f"--{name}={json.dumps(value) if isinstance(value, list) else value}"
