"""The command that serves a model with vLLM: argument list and environment. Pure; starting it is `launch`'s.

The key never stands in the arguments, which every user of the machine can read: it goes by VLLM_API_KEY.
`--enable-scale-out` opens the route that shows a rendered prompt.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from scout.serving.families import Family

ADDRESS = "127.0.0.1"
KEY_VARIABLE = "VLLM_API_KEY"
CPU_LENGTH = 4096
CPU_CACHE_GIB = 2
CPU_BLOCK = 32
"""Tokens that the prefix cache keeps or drops together. vLLM's own choice on a CPU, 128, loses most of a short rubric's end."""
WHOLE_PROMPTS = "--no-enable-chunked-prefill"
"""On a CPU vLLM 0.32 ends with an error when a prompt comes in parts and its request has a seed: it winds the generator of
random numbers back, which a CPU's cannot. Runs of suites send seeds, and so many prompts at once that some come in parts."""
CPU_REQUESTS = 32
OWN_POOLING = "model"
"""The pooling that a model was made with."""
_COMPACT_JSON = {"backend": "xgrammar", "disable_any_whitespace": True}
"""Small models spend their tokens on white space between the fields of an answer, where they may.
The backend is named because only xgrammar has both this and forced tool calls (guidance, in 0.32, knows no triggers)."""


class BadCommand(ValueError):
    """What was asked for cannot be served so; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What a person may choose about a server."""

    model: str
    port: int = 8000
    python: str = "python"
    """The interpreter of the environment that vLLM is installed in."""
    served_name: str = ""
    cpu: bool = False
    cores: int = 1
    preload: tuple[str, ...] = ()
    """Libraries that make the CPU build faster."""
    max_length: int | None = None
    """Tokens of prompt and answer together; unless given, the longest that fits the memory (on a CPU: 4096 at most)."""
    model_length: int | None = None
    """The most that the model was made for, where that is known."""
    memory: float | None = None
    """On a GPU the share of its memory, on a CPU the GiB for the cache."""
    max_requests: int | None = None
    parallel: int = 1
    """GPUs that share the model."""
    adapters: bool = True
    max_rank: int = 32
    fp32_head: bool = True
    remote_code: bool = False
    reasoning_parser: str | None = None
    tool_parser: str | None = None
    offline: bool = False
    pooling: str = ""
    """Serve vectors and scores of texts in place of words: `model` for what the model was made for, else mean, last or cls."""


@dataclass(frozen=True, slots=True)
class Command:
    argv: tuple[str, ...]
    env: Mapping[str, str]
    """What is added to the environment, without the key."""
    url: str
    root: str
    requests: int = 0
    """How many requests it computes at once; 0 where that is vLLM's own choice, which is hundreds."""

    def shown(self, *, key_from: str = "") -> str:
        """The command as it can be pasted into a shell; the key as the variable that holds it."""
        given = [f"{name}={shlex.quote(value)}" for name, value in self.env.items()]
        if key_from:
            given.append(f'{KEY_VARIABLE}="${key_from}"')
        lines: list[str] = []
        for word in self.argv:
            if word.startswith("--") or not lines:
                lines.append(shlex.quote(word))
            else:
                lines[-1] += f" {shlex.quote(word)}"
        return " \\\n  ".join([" ".join(given), *lines] if given else lines)


def command(options: ServeOptions, family: Family) -> Command:
    """How to serve this model of this family.

    Raises:
        BadCommand: it needs its publisher's code to run, and that is not allowed; a name that is an option; part of a GiB on
            a CPU.
    """
    if options.model.startswith("-"):
        raise BadCommand(f"{options.model} is no name of a model")
    if family.remote_code and not options.remote_code:
        raise BadCommand(
            f"{options.model} needs code of its publisher to run on this machine: look at it, then add --trust-remote-code"
        )
    if options.cpu and options.memory is not None and options.memory % 1:
        raise BadCommand(f"--memory {options.memory:g}: vLLM takes whole GiB on a CPU")
    argv = [options.python, "-m", "vllm.entrypoints.openai.api_server", "--model", options.model]
    argv += ["--host", ADDRESS, "--port", str(options.port), "--served-model-name", _served_name(options)]
    argv += _limits(options)
    if options.pooling:
        return _pooling(options, family, argv)
    if options.fp32_head:
        argv += ["--hf-overrides", json.dumps({"head_dtype": "float32"})]
    argv += ["--enable-prefix-caching", "--enable-prompt-tokens-details", "--scheduling-policy", "priority"]
    argv += ["--structured-outputs-config", json.dumps(_COMPACT_JSON), "--enable-scale-out"]
    if options.cpu:
        argv.append(WHOLE_PROMPTS)
    argv += _parsers(options, family)
    if options.adapters:
        argv += ["--enable-lora", "--max-lora-rank", str(options.max_rank)]
    argv += family.arguments
    if options.remote_code:
        argv.append("--trust-remote-code")
    argv.append("--disable-uvicorn-access-log")
    root = f"http://{ADDRESS}:{options.port}"
    return Command(tuple(argv), _environment(options), f"{root}/v1", root, _requests(options))


def _pooling(options: ServeOptions, family: Family, argv: list[str]) -> Command:
    """A model that embeds or compares (a cross-encoder) says itself how; one that writes is told how its states become a vector."""
    argv += ["--runner", "pooling"]
    if options.pooling != OWN_POOLING:
        argv += ["--convert", "embed", "--pooler-config", json.dumps({"pooling_type": options.pooling.upper()})]
    argv += family.arguments
    if options.remote_code:
        argv.append("--trust-remote-code")
    argv.append("--disable-uvicorn-access-log")
    root = f"http://{ADDRESS}:{options.port}"
    env = {name: value for name, value in _environment(options).items() if name != "VLLM_ALLOW_RUNTIME_LORA_UPDATING"}
    return Command(tuple(argv), env, f"{root}/v1", root, _requests(options))


def _served_name(options: ServeOptions) -> str:
    """A folder is served under its own name, not its path."""
    return options.served_name or (options.model.rstrip("/").rsplit("/", 1)[-1] if options.offline else options.model)


def _limits(options: ServeOptions) -> list[str]:
    length = options.max_length
    if length is None and options.cpu:
        length = min(CPU_LENGTH, options.model_length or CPU_LENGTH)
    argv = ["--max-model-len", "auto" if length is None else str(length)]
    if options.cpu:
        argv += [
            "--dtype",
            "float32",
            "--enforce-eager",
        ]  # compiling takes minutes, bfloat16 is slower where not native
        argv += ["--block-size", str(CPU_BLOCK)]
    else:
        argv += ["--gpu-memory-utilization", f"{0.9 if options.memory is None else options.memory:g}"]
        if options.parallel > 1:
            argv += ["--tensor-parallel-size", str(options.parallel)]
    requests = _requests(options)
    return argv + (["--max-num-seqs", str(requests)] if requests else [])


def _requests(options: ServeOptions) -> int:
    return options.max_requests or (CPU_REQUESTS if options.cpu else 0)


def _parsers(options: ServeOptions, family: Family) -> list[str]:
    reasoning = family.reasoning_parser if options.reasoning_parser is None else options.reasoning_parser
    tools = family.tool_parser if options.tool_parser is None else options.tool_parser
    argv = ["--reasoning-parser", reasoning] if reasoning else []
    if tools:  # arguments are held to the tool's schema, once a call has begun
        argv += ["--enable-auto-tool-choice", "--tool-call-parser", tools, "--tool-strict-level", "parameter"]
    return argv


def _environment(options: ServeOptions) -> dict[str, str]:
    env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if options.adapters:
        env["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "1"
    if options.offline:
        env["HF_HUB_OFFLINE"] = "1"
    if options.cpu:
        env["OMP_NUM_THREADS"] = str(options.cores)
        env["VLLM_CPU_OMP_THREADS_BIND"] = f"0-{options.cores - 1}" if options.cores > 1 else "0"
        env["VLLM_CPU_KVCACHE_SPACE"] = f"{CPU_CACHE_GIB if options.memory is None else options.memory:g}"
        if options.preload:
            env["LD_PRELOAD"] = ":".join(options.preload)
    return env
