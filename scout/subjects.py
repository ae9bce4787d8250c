"""The subjects that ship. A reader's own are in scout.toml and replace these as a whole (see `subject_file`)."""

from __future__ import annotations

from typing import Any

DEFAULT_SUBJECTS: tuple[dict[str, Any], ...] = (
    {
        "slug": "language-models",
        "name": "Language models",
        "description": "Pretraining, architectures, scaling laws, data and post-training of large language models.",
        "keywords": (
            "LLM", "large language model", "language model", "pretraining", "scaling law", "transformer", "attention", "mixture of experts",
            "instruction tuning", "fine-tuning", "LoRA", "in-context learning", "tokenizer", "long context",
        ),
        "categories": ("cs.CL",),
    },
    {
        "slug": "reasoning-rl",
        "name": "Reasoning and RL",
        "description": "Reinforcement learning from verifiable rewards or human feedback, chain of thought, test-time compute.",
        "keywords": (
            "reinforcement learning", "reasoning", "chain of thought", "GRPO", "RLHF", "RLVR", "verifiable reward", "reward model",
            "policy optimization", "preference optimization", "test-time scaling", "test-time compute", "verifier", "theorem proving",
        ),
        "categories": ("cs.LG",),
    },
    {
        "slug": "agents",
        "name": "Agents and tools",
        "description": "Agents that use tools, browse, write and run code, work in teams or on a computer's screen.",
        "keywords": (
            "agent", "agentic", "multi-agent", "tool use", "tool calling", "web agent", "GUI agent", "computer use", "SWE-bench",
            "coding agent", "code generation", "agent memory", "deep research", "MCP",
        ),
        "categories": ("cs.AI", "cs.MA", "cs.SE"),
    },
    {
        "slug": "evaluation",
        "name": "Evaluation",
        "description": "Benchmarks, contamination, judges, statistics of evaluation, and what scores really measure.",
        "keywords": (
            "benchmark", "benchmarking", "evaluation", "evaluating", "LLM-as-a-judge", "contamination", "leaderboard", "human study",
            "measuring",
        ),
        "categories": (),
    },
    {
        "slug": "multimodal",
        "name": "Vision and multimodal",
        "description": "Vision-language models, image and video understanding, speech and audio, multimodal reasoning.",
        "keywords": (
            "vision-language", "VLM", "multimodal", "MLLM", "video understanding", "visual reasoning", "visual question answering",
            "image segmentation", "object detection", "speech", "audio", "OCR", "document understanding",
        ),
        "categories": ("cs.CV", "cs.MM", "eess.AS"),
    },
    {
        "slug": "generation",
        "name": "Generative media",
        "description": "Diffusion and flow models, image, video and 3D generation and editing, world models.",
        "keywords": (
            "diffusion model", "diffusion transformer", "flow matching", "text-to-image", "text-to-video", "image generation",
            "video generation", "image editing", "video editing", "gaussian splatting", "3D generation", "world model",
        ),
        "categories": ("cs.CV", "cs.GR"),
    },
    {
        "slug": "systems",
        "name": "Efficiency and systems",
        "description": "Training and inference systems, quantization, sparsity, kernels, KV caches, speculative decoding, serving.",
        "keywords": (
            "quantization", "inference acceleration", "efficient inference", "KV cache", "speculative decoding", "sparse attention",
            "GPU kernel", "CUDA", "distributed training", "parallelism", "pruning", "distillation", "LLM serving", "low precision",
            "throughput",
        ),
        "categories": ("cs.DC", "cs.AR", "cs.PF"),
    },
    {
        "slug": "safety",
        "name": "Interpretability and safety",
        "description": "Mechanistic interpretability, alignment, jailbreaks, prompt injection, red teaming, privacy.",
        "keywords": (
            "interpretability", "sparse autoencoder", "steering", "alignment", "safety", "jailbreak", "prompt injection", "red teaming",
            "hallucination", "deception", "watermark", "unlearning", "backdoor", "adversarial attack", "privacy",
        ),
        "categories": ("cs.CR", "cs.CY"),
    },
    {
        "slug": "robotics",
        "name": "Robotics and embodiment",
        "description": "Robot learning, vision-language-action models, manipulation, navigation, autonomous driving.",
        "keywords": (
            "robot", "robotic", "manipulation", "vision-language-action", "VLA", "embodied", "autonomous driving", "navigation",
            "locomotion", "humanoid", "sim-to-real",
        ),
        "categories": ("cs.RO",),
    },
)  # fmt: skip
