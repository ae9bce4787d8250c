"""A LoRA adapter on a checkpoint: put on, trained elsewhere, and kept as the folder that vLLM loads.

The head is never adapted: it is the function whose precision `rl.head` is about, and servers keep it in FP32 apart. Nor are the
layers below `first`, so that what they compute need be computed once.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from rl.distributed import whole, world

BODIES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

LAST = 4
"""So many layers are trained by default, where thumbs are. What earlier layers of a model say of a paper ranks it about as well as what
later ones do (docs/rl.md); it is the way to the rating that must be learned, and each layer more costs as much again."""


def first_of_last(checkpoint: Path, count: int = LAST) -> int:
    """The first of a checkpoint's last layers.

    Raises:
        OSError, ValueError: transformers cannot read it.
    """
    import transformers

    return max(0, int(transformers.AutoConfig.from_pretrained(checkpoint).num_hidden_layers) - count)


def tokenizer_of(checkpoint: Path) -> Any:
    """
    Raises:
        OSError, ValueError: transformers cannot read it.
    """
    import transformers

    return transformers.AutoTokenizer.from_pretrained(checkpoint)


def loaded(checkpoint: Path, body: str = "float32", *, device: torch.device | str = "cpu") -> tuple[Any, Any]:
    """The model of a checkpoint with nothing that wants gradients, and its tokenizer.

    Args:
        body: of `BODIES`, what its weights are rounded to; an adapter on it is FP32 all the same.
        device: where it is to be (`here` for this process's own).

    Raises:
        OSError, ValueError: transformers cannot read it.
    """
    import transformers

    transformers.utils.logging.disable_progress_bar()  # a bar of its own would stand among ours
    model = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=BODIES[body])
    return model.requires_grad_(False).to(device), tokenizer_of(checkpoint)


def here() -> torch.device:
    """This process's GPU where there is one (`rl.distributed.joined` chooses it), else the CPU."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def adapted(model: Any, *, rank: int, first: int, seed: int, dropout: float = 0.0, alpha: float | None = None) -> Any:
    """The model with a fresh adapter on every linear layer of the body from layer `first` on; it computes what it did.

    Raises:
        ValueError: the model has no layer `first`.
    """
    import peft

    layers = model.config.num_hidden_layers
    if not 0 <= first < layers:
        raise ValueError(f"the model has layers 0 to {layers - 1}; none of them is {first}")
    linear = {
        name.rpartition(".")[2]
        for name, part in model.model.layers.named_modules()
        if isinstance(part, torch.nn.Linear)
    }
    torch.manual_seed(seed)
    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha or 2 * rank, lora_dropout=dropout, target_modules=sorted(linear),
        layers_to_transform=list(range(first, layers)), task_type="CAUSAL_LM",
    )  # fmt: skip
    return peft.get_peft_model(model, config)


def state_of(model: Any) -> dict[str, torch.Tensor]:
    """The adapter's weights by name, whole ones where they are sharded; all processes must ask."""
    return {name: whole(value) for name, value in model.state_dict().items() if "lora_" in name}


def save(model: Any, folder: Path) -> Path:
    """Keep the adapter in `folder`; written beside and moved there whole, of several processes by the first. All must call it.

    Raises:
        OSError: it cannot be written.
    """
    state = state_of(model)
    if world().rank:
        return folder
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        model.save_pretrained(beside, state_dict=state, save_embedding_layers=False)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder
