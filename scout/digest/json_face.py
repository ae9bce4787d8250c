"""The digest as JSON: its public shape and nothing else (docs/schemas/digest.schema.json)."""

from __future__ import annotations

import json

from scout.digest.model import Digest


def to_json(digest: Digest) -> str:
    """Indented, in UTF-8 letters; ends with a line break."""
    return json.dumps(digest.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
