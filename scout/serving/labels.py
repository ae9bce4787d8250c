"""The distribution over a few labels from the log-probabilities of one token. Pure.

A label may be written with or without a space before it, and both are the same label: their probabilities add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

TOP = 20
"""The most alternatives that servers tell where single tokens cannot be asked for."""


def forms(label: str) -> tuple[str, str]:
    """How a model may write it."""
    return label, f" {label}"


def one_token(ids: Sequence[int]) -> tuple[int, ...]:
    """The ids, where a form is one token; a longer one cannot be read off one token."""
    return tuple(ids) if len(ids) == 1 else ()


def masses(answer: Mapping[str, Any], labels: Sequence[str]) -> dict[str, float]:
    """What the first token's alternatives give each label; 0 for one that is not among them.

    Raises:
        KeyError, IndexError, TypeError, ValueError: the answer tells no log-probabilities.
    """
    told = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    found = dict.fromkeys(labels, 0.0)
    seen = set()
    for entry in told:
        token = str(entry["token"])
        if token not in seen and token.strip() in found:
            found[token.strip()] += math.exp(float(entry["logprob"]))
        seen.add(token)
    return found


def normalised(found: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Probabilities that sum to 1, and what they summed to before.

    Raises:
        ValueError: no label has any probability, or one is no number.
    """
    mass = math.fsum(found.values())
    if not mass > 0 or math.isinf(mass):
        raise ValueError("none of the labels is among the likely tokens")
    return {label: value / mass for label, value in found.items()}, min(mass, 1.0)
