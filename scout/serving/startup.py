"""What vLLM's log says while it starts: how far it is, and what its most common last words mean. Pure."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """In the order in which a start goes through them."""

    STARTING = "starting"
    LOADING = "loading the weights"
    CACHE = "making room for the cache"
    COMPILING = "compiling and warming up"
    SERVING = "opening the port"


_SIGNS: tuple[tuple[Stage, tuple[str, ...]], ...] = (
    (Stage.STARTING, ("",)),
    (Stage.LOADING, ("Starting to load model", "Loading safetensors", "Loading weights took")),
    (Stage.CACHE, ("Model loading took", "GPU KV cache size", "CPU KV cache size", "KV cache size", "KV cache memory")),
    (Stage.COMPILING, ("torch.compile", "Capturing CUDA graph", "Warming up model", "init engine")),
    (Stage.SERVING, ("Started server process", "Application startup complete", "Starting vLLM server", "Starting vLLM API server")),
)  # fmt: skip

_LESS = "lower --memory, --max-length or --max-requests, or serve a smaller model"
KILLED = f"It was killed from outside, most likely by the system for want of memory: {_LESS}"
"""What to do where the log says nothing, because whoever wrote it was killed."""

_ADVICE: tuple[tuple[str, str], ...] = (
    ("No module named 'vllm'", "vLLM is not installed there: give the interpreter that has it with --python"),
    ("is not a valid model identifier", "There is no such model, or it needs a login to the Hub"),
    ("Repository Not Found", "There is no such model on the Hub, or it needs a login"),
    ("gated repo", "The model's licence must be accepted on the Hub first"),
    ("Could not resolve host", "The Hub cannot be reached from here; give the model as a folder"),
    ("LocalEntryNotFoundError", "The model is not on this machine and the Hub cannot be reached; give it as a folder"),
    ("max seq len", "The memory holds no context of that length: lower --max-length or raise --memory"),
    ("larger than the maximum number of tokens that can be stored", "Lower --max-length or raise --memory"),
    ("No available memory for the cache blocks", "The memory does not suffice: raise --memory or lower --max-length"),
    ("Free memory on device", "Another process holds the GPU's memory: end it, or lower --memory"),
    ("desired CPU memory utilization", "Other programs hold the machine's memory: end some, or lower --memory"),
    ("out of memory", "The memory does not suffice: lower --max-length or --max-requests, or share the model between GPUs with --gpus"),
    ("can't allocate memory", f"The memory does not suffice: {_LESS}"),
    ("Cannot allocate memory", f"The memory does not suffice: {_LESS}"),
    ("std::bad_alloc", f"The memory does not suffice: {_LESS}"),
    ("MemoryError", f"The memory does not suffice: {_LESS}"),
    ("': -9", KILLED),  # of the engine: "Failed core proc(s): {'EngineCore': -9}"
    ("greater than the derived max_model_len", "The model was made for less: lower --max-length"),
    ("head_dtype", "This model's head cannot be computed in FP32 (it may be quantized): add --no-fp32-head"),
    ("does not support LoRA", "This model takes no adapters: add --no-adapters"),
    ("trust_remote_code", "The model needs code of its publisher: look at it, then add --trust-remote-code"),
    ("Failed to infer device type", "No GPU was found: add --cpu, with vLLM's build for CPUs"),
    ("address already in use", "Something listens on that port: choose another with --port"),
)  # fmt: skip


def stage_of(log: str) -> Stage | None:
    """The furthest stage that the end of a log shows; None where it says nothing yet."""
    found = None
    for stage, signs in _SIGNS:
        if log and any(sign in log for sign in signs):
            found = stage
    return found


def advice(log: str) -> str:
    """What to do about a start that failed, or nothing."""
    return next((words for sign, words in _ADVICE if sign.lower() in log.lower()), "")
