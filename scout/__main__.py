"""`python -m scout` is `scout`."""

from __future__ import annotations

from scout.cli import main

if __name__ == "__main__":
    main()
