"""A checkpoint that trains in seconds: a Llama of two layers with random weights, and a tokenizer whose words are those of a few
prompts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

TEMPLATE = "{% for message in messages %}<s> {{ message['role'] }} {{ message['content'] }} {% endfor %}<s> assistant"


def written(folder: Path, texts: Iterable[str], *, seed: int = 0) -> Path:
    """Save it in `folder`; needs torch, transformers and tokenizers."""
    import tokenizers
    import torch
    import transformers

    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    given = [*texts, "system user assistant 1 2 3 4 5"]
    words.train_from_iterator(given, tokenizers.trainers.WordLevelTrainer(special_tokens=["<unk>", "<s>", "</s>"]))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
