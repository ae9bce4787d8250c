"""The process that reads for `pool`: one request after another on stdin, one reply each on stdout, until stdin ends.

Started as `python -m scout.sources.worker MEGABYTES`. A request is a line of JSON and then `size` bytes of what is to be read; a
reply is a line of JSON. Nothing but JSON comes back, so that a process taken over by what it read can only lie about that.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from scout.memory import confine
from scout.sources import letters, oai
from scout.sources.parse import parse
from scout.sources.parsed import Unreadable, as_dict

Told = Mapping[str, Any]


def _feed(data: bytes, told: Told) -> dict[str, Any]:
    return as_dict(parse(data, told["content_type"], told["url"], limit=told["limit"]))


def _letter(data: bytes, told: Told) -> dict[str, Any]:
    return letters.as_dict(letters.read(data))


def _records(data: bytes, told: Told) -> dict[str, Any]:
    return oai.as_dict(oai.read(data))


READERS: Mapping[str, Callable[[bytes, Told], dict[str, Any]]] = {"feed": _feed, "letter": _letter, "records": _records}


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer every request; the first line says that this process is ready."""
    _say(replies, {"ready": True})
    while line := requests.readline():
        request = json.loads(line)
        _say(replies, _answer(request, requests.read(request["size"])))


def _answer(request: Told, data: bytes) -> dict[str, Any]:
    try:
        return {"read": READERS[request["kind"]](data, request)}
    except Unreadable as err:
        return {"unreadable": str(err)}
    except MemoryError:
        return {"too_large": True}
    except RecursionError:
        return {"unreadable": "nested too deeply to be read"}
    except Exception as err:  # whatever something makes its reader do is that thing's outcome
        return {"unreadable": f"the reader stumbled over it: {type(err).__name__}: {str(err)[:200]}"}


def _say(replies: BinaryIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
    replies.flush()


def main() -> None:
    confine(int(sys.argv[1]))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no reply
    serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
