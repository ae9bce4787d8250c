"""What a model family needs of vLLM: how its thinking and its tool calls are told from its text. Pure.

Names of parsers are those of vLLM 0.32. A family that is not known gets what does no harm: no reasoning parser (thinking in
tags is taken apart by the client), and the tool parser of the most common format, which leaves other text as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Thinking(StrEnum):
    NEVER = "never"
    HYBRID = "hybrid"
    """Switched by the chat template; label probabilities are read with it off."""
    ALWAYS = "always"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    reasoning_parser: str = ""
    tool_parser: str = "hermes"
    thinking: Thinking = Thinking.NEVER
    arguments: tuple[str, ...] = ()
    """What else its server is started with."""
    remote_code: bool = False
    """Its tokenizer is code of the publisher's, which only runs where `--trust-remote-code` allows it."""


UNKNOWN = Family("unknown", thinking=Thinking.UNKNOWN)

_HYBRID, _ALWAYS = Thinking.HYBRID, Thinking.ALWAYS

# The first pattern that is found in the name, written in lower case with single dashes and dots, decides.
_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"deepseek-r1-distill", Family("deepseek-r1-distill", "deepseek_r1", "hermes", _ALWAYS)),
    (r"qwen-?3-coder", Family("qwen3-coder", "", "qwen3_xml")),
    (r"qwen-?3[.-][5-9](?!\d*b)", Family("qwen3.5", "qwen3", "qwen3_xml", _HYBRID)),
    (r"qwen-?3.*-instruct", Family("qwen3-instruct", "", "qwen3_json")),
    (r"qwen-?3.*-thinking", Family("qwen3-thinking", "qwen3", "qwen3_json", _ALWAYS)),
    (r"qwen-?3", Family("qwen3", "qwen3", "qwen3_json", _HYBRID)),
    (r"qwq", Family("qwq", "deepseek_r1", "hermes", _ALWAYS)),
    (r"qwen-?2", Family("qwen2", "", "hermes")),
    (r"minimax-?m3", Family("minimax-m3", "minimax_m3", "minimax_m3", _ALWAYS)),
    (r"minimax-?m2", Family("minimax-m2", "minimax_m2", "minimax_m2", _ALWAYS)),
    (r"deepseek-?v4\.?1", Family("deepseek-v4.1", "deepseek_v41", "deepseek_v41", _HYBRID)),
    (r"deepseek-?v4", Family("deepseek-v4", "deepseek_v4", "deepseek_v4", _HYBRID, ("--tokenizer-mode", "deepseek_v4"))),
    (r"deepseek-?v3\.?2", Family("deepseek-v3.2", "deepseek_v3", "deepseek_v32", _HYBRID, ("--tokenizer-mode", "deepseek_v32"))),
    (r"deepseek-?v3\.?1", Family("deepseek-v3.1", "deepseek_v3", "deepseek_v31", _HYBRID)),
    (r"deepseek-?v3", Family("deepseek-v3", "", "deepseek_v3")),
    (r"deepseek-?r1", Family("deepseek-r1", "deepseek_r1", "deepseek_v3", _ALWAYS)),
    (r"kimi-?k3", Family("kimi-k3", "kimi_k3", "kimi_k3", _HYBRID, ("--tokenizer-mode", "kimi_k3"))),
    (r"kimi-?k2(?:\.[5-9]|.*-thinking)", Family("kimi-k2-thinking", "kimi_k2", "kimi_k2", _HYBRID, remote_code=True)),
    (r"kimi-?k2", Family("kimi-k2", "", "kimi_k2", remote_code=True)),
    (r"gpt-?oss", Family("gpt-oss", "openai_gptoss", "openai", _ALWAYS)),
    (r"glm-?4\.[56]|glm4-moe", Family("glm-4.5", "glm45", "glm45", _HYBRID)),
    (r"glm-?(?:4\.[7-9]|[5-9])", Family("glm-4.7", "glm47", "glm47", _HYBRID)),
    (r"smollm-?3", Family("smollm3", "", "hermes", _HYBRID)),
    (r"smollm", Family("smollm", "", "hermes")),
)  # fmt: skip


def family(model: str, *, architecture: str = "") -> Family:
    """The family of a model, by its name or folder; `architecture` (config.json's model_type) where the name says nothing."""
    for text in (model.rstrip("/").rsplit("/", 1)[-1], model, architecture):
        plain = re.sub(r"[^a-z0-9.]+", "-", text.lower())
        for pattern, found in _FAMILIES:
            if re.search(pattern, plain):
                return found
    return UNKNOWN
