"""Made-up papers for the triage suite: a subject by what is contributed, another in what it is tried on, and figures."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

SUBJECTS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "agents": ("Agents and tools", ("a planner that calls tools", "a browser agent with memory",
     "a way to recover from failed tool calls"),
               ("office tasks", "web errands", "repository repair")),
    "reasoning": ("Reasoning and reinforcement learning", ("a reward from checked steps", "a search over chains of thought",
     "a curriculum of proofs"),
                  ("competition problems", "logic puzzles", "word problems")),
    "efficiency": ("Efficient inference", ("a cache that shares prefixes", "a 3-bit quantizer", "a draft model for speculative decoding"),
                   ("long chats", "batch serving", "phones")),
    "vision": ("Vision", ("a segmenter for thin objects", "a video tracker", "a depth estimator"), ("street scenes",
     "surgery videos", "drone footage")),
    "biology": ("Biology and chemistry", ("a model of protein folding", "a molecule generator", "a predictor of enzyme activity"),
                ("enzyme databases", "cell images", "molecule libraries")),
    "theory": ("Theory", ("a proof of a generalization bound", "a lower bound on regret", "an analysis of convergence"),
               ("linear models", "two-layer networks", "bandits")),
    "speech": ("Speech and audio", ("a recognizer for dialects", "a synthesizer of laughter", "a separator of voices"),
               ("call recordings", "field interviews", "radio archives")),
    "robotics": ("Robotics", ("a grasp planner", "a gait controller", "a simulator of soft hands"), ("kitchen work",
     "rough ground", "warehouse bins")),
}  # fmt: skip
_STEMS = ("Zephy", "Cora", "Lumi", "Tana", "Orbi", "Velo", "Mira", "Quen", "Sola", "Brio", "Nexa", "Pala")
_ENDS = ("net", "ra", "form", "lis", "dex", "tor", "via", "mind")


@dataclass(frozen=True, slots=True)
class Paper:
    name: str
    subject: str
    applied: str
    """The subject on whose material it is tried."""
    title: str
    sentences: tuple[str, ...]
    figure: str
    """Its main result."""

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def paper(draw: random.Random, subject: str, *, mixed: bool) -> Paper:
    """A paper of a subject; a mixed one is tried on what belongs to another."""
    name = draw.choice(_STEMS) + draw.choice(_ENDS)
    applied = draw.choice([slug for slug in SUBJECTS if slug != subject]) if mixed else subject
    made, place = draw.choice(SUBJECTS[subject][1]), draw.choice(SUBJECTS[applied][2])
    figure, base, runs = f"{draw.randrange(610, 990) / 10}", f"{draw.randrange(300, 600) / 10}", draw.randrange(12, 90)
    sentences = (
        f"We present {name}, {made}.",
        f"We try it on {place}, a setting that earlier work left aside.",
        f"In {runs} trials {name} reaches {figure} percent, where the best earlier method reaches {base} percent.",
        f"Without its second stage the figure falls by {draw.randrange(2, 9)} points.",
        draw.choice(("All code is public.", "The data will be released.", "We discuss where it fails.")),
    )
    title = draw.choice(
        (f"{name}: {made} for {place}", f"{made[2:].capitalize()}: {name} on {place}", f"{name} on {place}")
    )
    return Paper(name, subject, applied, title[:1].upper() + title[1:], sentences, figure)
