"""What the scripted server says unless a test scripts it: requests as tests see them, answers that obey, and faults. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DEFAULT_TEXT = "This is a scripted answer."


@dataclass(frozen=True)
class Request:
    """What came in: `body` is its JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages", ()))

    @property
    def last(self) -> str:
        """The last message's text."""
        return str(self.messages[-1].get("content") or "") if self.messages else str(self.body.get("prompt", ""))

    @property
    def schema(self) -> dict[str, Any] | None:
        named = (self.body.get("response_format") or {}).get("json_schema")
        return named["schema"] if named else None


@dataclass(frozen=True)
class Turn:
    """An answer of the model. Calls are (name, arguments), the arguments a mapping or text as it stands."""

    text: str = ""
    reasoning: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    finish: str = ""


@dataclass(frozen=True)
class Fault:
    """An answer that is none: a status, other bytes, half of them, silence, or a closed connection."""

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    hang: bool = False
    close: bool = False


def status(code: int, message: str = "scripted fault", **headers: str) -> Fault:
    body = json.dumps({"error": {"message": message, "code": code}}).encode()
    return Fault(code, body, {name.replace("_", "-"): value for name, value in headers.items()})


def too_long() -> Fault:
    return status(400, "This model's maximum context length is 2048 tokens. However, you requested 9000 tokens.")


TRUNCATED = Fault(share=0.5)
"""Half of the JSON, as if it were all of it."""
NOT_UTF8 = Fault(body=b'{"choices": [{"message": {"content": "caf\xe9"}}]}')
HANG = Fault(hang=True)
CLOSE = Fault(close=True)


def weights(request: Request, tokens: Sequence[str]) -> dict[str, float]:
    """The default distribution: some numbers that depend on the last message and the label."""
    return {token: 1.0 + zlib.crc32(f"{token.strip()}|{request.last}".encode()) % 100 for token in tokens}


def rendered(messages: Sequence[Mapping[str, Any]]) -> str:
    """The prompt of a chat template that keeps thinking."""
    parts = []
    for entry in messages:
        thinking = f"<think>{entry['reasoning']}</think>" if entry.get("reasoning") else ""
        parts.append(f"<{entry['role']}>{thinking}{entry.get('content') or ''}\n")
    return "".join(parts)


def obedient(request: Request) -> Turn:
    """The default answer."""
    tools, choice = request.body.get("tools"), request.body.get("tool_choice", "auto")
    looked = any(entry["role"] == "tool" for entry in request.messages)
    if tools and choice != "none" and not (looked and choice == "auto"):
        named = choice["function"]["name"] if isinstance(choice, dict) else tools[0]["function"]["name"]
        schema = next(tool["function"]["parameters"] for tool in tools if tool["function"]["name"] == named)
        return Turn(calls=[(named, instance(schema))])
    return Turn(json.dumps(instance(request.schema)) if request.schema is not None else DEFAULT_TEXT)


def instance(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """A small value that fits a JSON schema, as far as ours go."""
    root = schema if root is None else root
    if "$ref" in schema:
        return instance(root["$defs"][str(schema["$ref"]).rsplit("/", 1)[-1]], root)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return instance(schema[key][0], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: instance(inner, root) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {}), root) for _ in range(int(schema.get("minItems", 1)))]
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("maximum", 1))
    plain: dict[str, Any] = {"boolean": True, "null": None}
    return plain.get(kind, "scripted".ljust(int(schema.get("minLength", 0)), "."))


def bag(text: str, dimensions: int = 24) -> list[float]:
    """A vector of a text that says which words are in it, of length 1."""
    found = [0.0] * dimensions
    for word in text.lower().split():
        found[zlib.crc32(word.strip(".,").encode()) % dimensions] += 1.0
    size = sum(value * value for value in found) ** 0.5 or 1.0
    return [value / size for value in found]
