"""The dashboard: the day's digest in a browser, and everything around it."""

from pathlib import Path

PAGES = Path(__file__).parent / "pages"
