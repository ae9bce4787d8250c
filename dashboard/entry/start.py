"""The script that `streamlit run` is given: runs `app.py`, from a folder without a `pages` beside it.

Streamlit takes a `pages` folder beside its script for an app of the old kind, and runs the file that a link names by
itself: the first visitor after a start who follows a deep link would see a page without navigation or style.
"""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[1] / "app.py"))
