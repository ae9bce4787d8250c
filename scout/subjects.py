"""The subjects that ship. A reader's own are in scout.toml and replace these as a whole (see `subject_file`)."""

from __future__ import annotations

from typing import Any

DEFAULT_SUBJECTS: tuple[dict[str, Any], ...] = (
    {
        "slug": "language-models",
        "name": "Language models",
        "description": "Pretraining, architectures, scaling laws, data and post-training of large language models.",
        "keywords": ("language model", "pretraining", "scaling law", "attention", "mixture of experts", "instruction tuning", "tokenizer", "long context"),
        "categories": ("cs.CL",),
    },
    {
        "slug": "reasoning-rl",
        "name": "Reasoning and RL",
        "description": "Reinforcement learning from verifiable rewards or human feedback, chain of thought, test-time compute.",
        "keywords": ("reinforcement learning", "reasoning", "chain of thought", "GRPO", "RLHF", "reward model", "policy optimization", "test-time scaling", "verifier"),
        "categories": ("cs.LG",),
    },
    {
        "slug": "agents",
        "name": "Agents and tools",
        "description": "Agents that use tools, browse, write and run code, work in teams or on a computer's screen.",
        "keywords": ("agent", "multi-agent", "tool use", "tool calling", "web agent", "GUI agent", "SWE-bench", "coding agent", "memory", "deep research"),
        "categories": ("cs.AI", "cs.MA", "cs.SE"),
    },
    {
        "slug": "evaluation",
        "name": "Evaluation",
        "description": "Benchmarks, contamination, judges, statistics of evaluation, and what scores really measure.",
        "keywords": ("benchmark", "evaluation", "LLM-as-a-judge", "contamination", "leaderboard", "robustness", "human study"),
        "categories": ("cs.CL", "cs.LG"),
    },
    {
        "slug": "multimodal",
        "name": "Vision and multimodal",
        "description": "Vision-language models, image and video understanding, speech and audio, multimodal reasoning.",
        "keywords": ("vision-language", "multimodal", "video understanding", "visual question answering", "image segmentation", "object detection", "speech", "OCR"),
        "categories": ("cs.CV", "cs.MM", "eess.AS"),
    },
    {
        "slug": "generation",
        "name": "Generative media",
        "description": "Diffusion and flow models, image, video and 3D generation and editing, world models.",
        "keywords": ("diffusion model", "flow matching", "text-to-image", "video generation", "image editing", "gaussian splatting", "world model", "autoregressive image"),
        "categories": ("cs.CV", "cs.GR"),
    },
    {
        "slug": "systems",
        "name": "Efficiency and systems",
        "description": "Training and inference systems, quantization, sparsity, kernels, KV caches, speculative decoding, serving.",
        "keywords": ("quantization", "inference", "KV cache", "speculative decoding", "GPU kernel", "distributed training", "pruning", "distillation", "serving", "low precision"),
        "categories": ("cs.DC", "cs.AR", "cs.PF"),
    },
    {
        "slug": "safety",
        "name": "Interpretability and safety",
        "description": "Mechanistic interpretability, alignment, jailbreaks, prompt injection, red teaming, privacy.",
        "keywords": ("interpretability", "sparse autoencoder", "alignment", "jailbreak", "prompt injection", "red teaming", "hallucination", "deception", "watermark", "unlearning"),
        "categories": ("cs.CR", "cs.CY"),
    },
    {
        "slug": "robotics",
        "name": "Robotics and embodiment",
        "description": "Robot learning, vision-language-action models, manipulation, navigation, autonomous driving.",
        "keywords": ("robot", "manipulation", "vision-language-action", "embodied", "autonomous driving", "navigation", "locomotion", "sim-to-real"),
        "categories": ("cs.RO",),
    },
)  # fmt: skip
