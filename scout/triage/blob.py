"""A policy's weights as bytes: a JSON head and compressed arrays. The same content gives the same bytes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"scout-policy-2\n"
Arrays = Mapping[str, NDArray[Any]]


class BadBlob(Exception):
    """Bytes that are no policy of this recipe; the reader's policy has to be fitted again."""


def pack(head: Mapping[str, Any], arrays: Arrays) -> bytes:
    listed = [[name, array.dtype.str, list(array.shape)] for name, array in sorted(arrays.items())]
    front = json.dumps(
        {"head": head, "arrays": listed}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    ).encode()
    body = b"".join(np.ascontiguousarray(array).tobytes() for _, array in sorted(arrays.items()))
    return _MAGIC + zlib.compress(len(front).to_bytes(8, "little") + front + body, 4)


def unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """
    Raises:
        BadBlob: not what `pack` made.
    """
    if not blob.startswith(_MAGIC):
        raise BadBlob("these weights are of another format; the policy has to be fitted again")
    try:
        content = zlib.decompress(blob[len(_MAGIC) :])
        length = int.from_bytes(content[:8], "little")
        front = json.loads(content[8 : 8 + length])
        at = 8 + length
        arrays: dict[str, NDArray[Any]] = {}
        for name, kind, shape in front["arrays"]:
            dtype = np.dtype(kind)
            size = dtype.itemsize * int(np.prod(shape))
            arrays[name] = np.frombuffer(content, dtype, count=size // dtype.itemsize, offset=at).reshape(shape).copy()
            at += size
    except (zlib.error, ValueError, KeyError, TypeError) as err:
        raise BadBlob(f"these weights are damaged ({err}); the policy has to be fitted again") from err
    return front["head"], arrays
