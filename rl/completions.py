"""Token ids to and from a server's `/v1/completions`, and what of its answers may be trained on. Pure: values in, values out.

Sampling is plain: nothing but the temperature stands between logits and draws, whatever the server's defaults, and the ids that
end an answer are the request's. A server that has `temperature` other than 1 must run with `--logprobs-mode processed_logprobs`.
Written for vLLM (`return_token_ids`); sending is `rl.server_rollout`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rl.parity import different_tokens
from rl.rollout import Refused, Rollout, SamplerFailed, Sampling

LEAST = -1000.0
"""Nats; vLLM writes -9999 for what is minus infinity or no number."""
MOST = 1e-4


def asked(model: str, prompt: Sequence[int], sampling: Sampling, *, seed: int) -> dict[str, Any]:
    """One answer to one prompt, with the log-probabilities of its tokens."""
    return {
        "model": model, "prompt": list(prompt), "max_tokens": sampling.max_tokens, "temperature": sampling.temperature,
        "top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
        "seed": seed & 0x7FFFFFFFFFFFFFFF, "logprobs": 0, "ignore_eos": True, "stop_token_ids": sorted(sampling.end),
        "skip_special_tokens": False, "return_token_ids": True, "return_tokens_as_token_ids": True,
    }  # fmt: skip


def asked_to_score(model: str, ids: Sequence[int]) -> dict[str, Any]:
    """The log-probabilities of given tokens: what the server would have said of each, its prefix cache left aside."""
    return {
        "model": model, "prompt": list(ids), "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0,
        "return_token_ids": True,
    }  # fmt: skip


def answered(
    answer: Mapping[str, Any], *, model: str, prompt: Sequence[int], sampling: Sampling, version: str
) -> Rollout | Refused:
    """The rollout in a server's answer, or why it cannot be trained on.

    Raises:
        SamplerFailed: not this answer alone is wrong: another model answered, or ids do not come back as they were sent.
    """
    choice = _choice(answer, model, prompt)
    ids = choice.get("token_ids")
    told = choice.get("logprobs") or {}
    logprobs, names = told.get("token_logprobs"), told.get("tokens")
    if not isinstance(ids, list) or not isinstance(logprobs, list):
        raise SamplerFailed(f"{model} was answered for without token ids or log-probabilities: a vLLM server is needed")
    if why := _why_not(ids, logprobs, names, str(choice.get("finish_reason")), sampling):
        return Refused(why)
    cut = ids[-1] not in sampling.end
    return Rollout(tuple(prompt), tuple(ids), tuple(min(float(each), 0.0) for each in logprobs), version, cut)


def _why_not(
    ids: Sequence[Any], logprobs: Sequence[Any], names: Sequence[Any] | None, finish: str, sampling: Sampling
) -> str:
    if not ids:
        return "the answer has no token"
    if len(ids) != len(logprobs) or len(ids) > sampling.max_tokens:
        return f"{len(ids)} tokens with {len(logprobs)} log-probabilities came, of {sampling.max_tokens} at most"
    for place, value in enumerate(logprobs):
        if not isinstance(value, int | float) or not LEAST < value <= MOST:  # NaN is neither
            return f"the log-probability of token {place} is {value}"
    if names is not None and (parted := different_tokens(_numbers(names), ids)):
        return f"log-probabilities are of other tokens than were told; {parted}"
    ended = ids[-1] in sampling.end
    if not (finish == "stop" and ended) and not (finish == "length" and (ended or len(ids) == sampling.max_tokens)):
        return f"the answer ended by {finish!r} after {len(ids)} tokens, the last of them {ids[-1]}"
    if any(id in sampling.end for id in ids[:-1]):
        return "the answer goes on after a token that ends it"
    return ""


def scored(answer: Mapping[str, Any], *, model: str, ids: Sequence[int]) -> list[float]:
    """Log-probabilities of ids 1 to T - 1, each given those before it.

    Raises:
        SamplerFailed: the answer does not hold them.
    """
    told = _choice(answer, model, ids).get("prompt_logprobs")
    if not isinstance(told, list) or len(told) != len(ids):
        raise SamplerFailed(f"{model} tells no log-probabilities of prompts: a vLLM server is needed")
    found = []
    for place, (id, entry) in enumerate(zip(ids[1:], told[1:], strict=True), 1):
        try:
            value = float(entry[str(id)]["logprob"])
        except (KeyError, TypeError, ValueError):
            raise SamplerFailed(f"{model} tells no log-probability of token {place} ({id})") from None
        if not LEAST < value <= MOST:
            raise SamplerFailed(f"{model} gives token {place} ({id}) the log-probability {value}")
        found.append(value)
    return found


def _choice(answer: Mapping[str, Any], model: str, prompt: Sequence[int]) -> Mapping[str, Any]:
    if answer.get("model") != model:
        raise SamplerFailed(f"{model} was asked, {answer.get('model')} answered: another policy than the one recorded")
    try:
        choice: Mapping[str, Any] = answer["choices"][0]
        back = choice["prompt_token_ids"]
    except (KeyError, IndexError, TypeError):
        raise SamplerFailed(
            f"{model} was answered for without the prompt's token ids: a vLLM server is needed"
        ) from None
    if parted := different_tokens(prompt, back or ()):
        raise SamplerFailed(f"tokens do not come back as they were sent; {parted}")
    return choice


def _numbers(names: Sequence[Any]) -> list[int]:
    """Ids in names such as `token_id:17`; -1 for a name that is none."""
    return [int(name[9:]) if str(name).startswith("token_id:") and name[9:].isdigit() else -1 for name in names]
