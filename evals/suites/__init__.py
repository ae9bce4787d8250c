"""What can be asked of a model: a file a domain.

`SUITES` ship with scout; `installed` adds a reader's own questions and the public sets that were imported. The injection
suite stands apart: it measures scout's own prompts, not a model alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evals.core import Suite
from evals.suites import fun, imported
from evals.suites.agentic import AGENTIC, SHORTCUTS
from evals.suites.code import CODE
from evals.suites.gym import LOGIC, MATHEMATICS
from evals.suites.instructions import INSTRUCTIONS
from evals.suites.long_context import LONG_CONTEXT, LONGER_CONTEXT
from evals.suites.proofs import PROOFS
from evals.suites.refusal import REFUSAL
from evals.suites.reports import REPORTS
from evals.suites.triage import TRIAGE

_SHIPPED = (LOGIC, MATHEMATICS, PROOFS, CODE, REPORTS, INSTRUCTIONS, LONG_CONTEXT, LONGER_CONTEXT, AGENTIC, TRIAGE,
            REFUSAL, SHORTCUTS)  # fmt: skip
SUITES: Mapping[str, Suite] = {suite.name: suite for suite in _SHIPPED}


def installed(folder: Path) -> Mapping[str, Suite]:
    """The shipped suites and those that lie in `folder`, which is `evals/` in the data folder."""
    return {**SUITES, **fun.found(folder / "fun"), **imported.found(folder / "imported")}
