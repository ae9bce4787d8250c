"""Take bytes from outside apart in a process of their own, with a limit on its time and its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from scout.items import OutcomeKind
from scout.memory import bare_environment
from scout.net.errors import FetchError

SECONDS = 40.0
MEGABYTES = 1_500


def read(kind: str, data: bytes, *, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Any:
    """What `worker.READERS[kind]` makes of `data`.

    Raises:
        FetchError: UNREADABLE, TOO_SLOW or TOO_LARGE; ERROR where no process can be started.
    """
    command = [sys.executable, "-m", "scout.agent.worker", kind, str(megabytes)]
    try:
        done = subprocess.run(
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds,
            start_new_session=True, check=False, env=bare_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as err:
        raise FetchError(OutcomeKind.TOO_SLOW, f"reading it took longer than {seconds:g} s") from err
    except OSError as err:
        raise FetchError(OutcomeKind.ERROR, f"the process that reads documents does not start: {err}") from err
    try:
        reply = json.loads(done.stdout)
    except ValueError:
        reply = {"too_large": True}  # nothing else ends a process in the middle of a document
    if "read" in reply:
        return reply["read"]
    if "too_large" in reply:
        raise FetchError(OutcomeKind.TOO_LARGE, f"reading it needs more than {megabytes} MB")
    raise FetchError(OutcomeKind.UNREADABLE, str(reply.get("unreadable", "no text came out of it")))
