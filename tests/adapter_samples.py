"""Adapters as files for tests, and a scripted server on which one of them knows what its reader likes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from policy_samples import LIKED
from scripted_server import Request, ScriptedServer

RATINGS = "12345"


def written(folder: Path, *, weight: int = 1, kind: str = "LORA") -> Path:
    """What peft's save_pretrained leaves, as small as it can be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": kind, "r": 1}))
    header = json.dumps({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes([weight]))
    return folder


def knows(server: ScriptedServer) -> None:
    """From now on whatever adapter is asked rates what the reader likes with 5, the rest with 1; the model itself all with 3."""

    def labelling(request: Request, tokens: Sequence[str]) -> Mapping[str, float]:
        if {token.strip() for token in tokens} != set(RATINGS):
            return dict.fromkeys(tokens, 1.0)
        said = "3"
        if request.body.get("model") in server.adapters:
            said = "5" if any(word in request.last.lower() for word in LIKED) else "1"
        return {token: 0.9 if token.strip() == said else 0.025 for token in tokens}

    server.labelling = labelling
