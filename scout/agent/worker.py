"""The process that takes one document or archive from outside apart: its bytes on stdin, JSON on stdout, then it ends.

Started by `outside` as `python -m scout.agent.worker KIND MEGABYTES`. Nothing but JSON comes back, so that a process taken
over by what it read can only lie about that.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from scout.agent import archive, documents
from scout.memory import confine

READERS: Mapping[str, Callable[[bytes], Any]] = {
    "arxiv-html": documents.arxiv_html,
    "page": documents.page,
    "pdf": documents.pdf,
    "archive": archive.files,
}


def answer(kind: str, data: bytes) -> dict[str, Any]:
    """`{"read": …}`, or why it could not be."""
    try:
        return {"read": READERS[kind](data)}
    except documents.Unreadable as err:
        return {"unreadable": str(err)}
    except MemoryError:
        return {"too_large": True}
    except RecursionError:
        return {"unreadable": "nested too deeply to be read"}
    except Exception as err:  # whatever a document makes a parser do is that document's outcome
        return {"unreadable": f"the reader stumbled over it: {type(err).__name__}: {str(err)[:200]}"}


def main() -> None:
    confine(int(sys.argv[2]))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no reply
    with replies:
        replies.write(json.dumps(answer(sys.argv[1], sys.stdin.buffer.read())).encode())


if __name__ == "__main__":
    main()
