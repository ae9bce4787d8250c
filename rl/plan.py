"""A run's settings, and whether they make sense. What is done with them is `rl.train`'s."""

from __future__ import annotations

from dataclasses import dataclass, field

from rl.losses import LOSSES
from rl.mismatch import Correction
from rl.monitor import Limits
from rl.rollout import Sampling
from rl.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run's settings. The optimizer's are those MiniMax-M1 reports (arXiv 2506.13585, section 3.2)."""

    steps: int
    prompts: int = 8
    """A step."""
    group: int = 8
    """Answers a prompt."""
    loss: str = "cispo"
    beta: float = 0.0
    """What a nat of KL to the policy that training began from costs; with an adapter alone, since that policy is the model
    beneath it."""
    correction: Correction = Correction.TRUNCATED
    """For what the sampler computes differently from the trainer."""
    learning_rate: float = 1e-5
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-15
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    max_tokens: int = 1
    temperature: float = 1.0
    end: frozenset[int] = frozenset()
    seed: int = 0
    held_out_every: int = 10
    keep_every: int = 0
    """Checkpoint after so many steps; 0 for the last alone."""
    limits: Limits = field(default_factory=Limits)
    ahead: int = 0
    """Rollouts are sampled so many steps before they are trained on, by the policy of then; a server does it meanwhile."""
    replace: int = 2
    """How often groups without spread are replaced by other prompts' before a step makes do with what it has."""
    parity: float = 0.05
    """Mean |Δ log-probability|, in nats, between trainer and sampler with which a run may begin (`rl.gate`)."""
    at_once: int = 0
    """Prompts whose answers go through the model together, with what backward needs of them; the others are computed again in
    backward, for memory's sake. 0 for all of a step."""

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.max_tokens, self.temperature, self.end)


def check(task: Task, plan: Plan) -> None:
    """
    Raises:
        ValueError: the task has no examples or nothing to tell apart, or the plan makes no sense.
    """
    if not task.examples:
        raise ValueError("there is nothing to train on: the task has no examples")
    if plan.loss not in LOSSES:
        raise ValueError(f"no loss is called {plan.loss!r}; there are {', '.join(LOSSES)}")
    if min(plan.ahead, plan.replace, plan.at_once) < 0:
        raise ValueError(
            f"ahead, replace and at_once count steps, tries and prompts, so not {plan.ahead}, {plan.replace} and {plan.at_once}"
        )
    thumbs = {example.label.up for example in task.examples}
    if len(task.examples) > 1 and len(thumbs) == 1 and None not in thumbs:
        way = "up" if thumbs == {True} else "down"
        raise ValueError(
            f"all {len(task.examples)} thumbs are {way}: one answer to everything would be best; both kinds are needed"
        )
