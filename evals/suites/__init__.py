"""What can be asked of a model: a file a domain.

`SUITES` ship with scout; `installed` adds a reader's own questions and the public sets that were imported. The injection
suite stands apart: it measures scout's own prompts, not a model alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evals.core import Suite
from evals.suites.agentic import AGENTIC

SUITES: Mapping[str, Suite] = {suite.name: suite for suite in (AGENTIC,)}


def installed(folder: Path) -> Mapping[str, Suite]:
    """The shipped suites and those that lie in `folder`, which is `evals/` in the data folder."""
    return SUITES
