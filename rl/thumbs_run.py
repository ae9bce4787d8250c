"""A thumbs run under way: what is computed once, the model with its adapter, one step, and what it says of held-out items.

`rl.thumbs` is the loop around it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from peft.helpers import disable_input_dtype_casting
from torch import Tensor

from evals.ranking import auc
from rl import attention, checkpoints, lora, rating, tail
from rl.losses import Loss
from rl.monitor import Limits, Sample, Step
from rl.task import Example
from rl.timing import Clock
from scout.progress import SILENT, Progress

ONCE = "once.pt"
"""What need be computed but once, while a run is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run's settings. AdamW's are those MiniMax-M1 reports, as in `rl.train`."""

    kto_epochs: int = 5
    cispo_epochs: int = 1
    """After those."""
    batch: int = 10
    rank: int = 16
    first_layer: int = 0
    """Layers below are left as they are and run once."""
    dropout: float = 0.0
    body: str = "float32"
    """Or bfloat16: what the body computes in. The adapter's weights, the optimizer and the head are FP32 in either."""
    learning_rate: float = 7e-4
    cispo_rate: float = 3e-4
    warmup: float = 0.1
    """Share of the steps of each loss over which its rate rises; it falls to 0 by a cosine after that."""
    beta: float = 1.0
    """KTO's: how far the policy may go. With 1, answers 3 nats from what they are held against hardly pull any more."""
    keep: float = 0.2
    """KTO's: what a nat costs by which ratings, of all that might be answered, became less likely than they were."""
    bound: float = 0.1
    """KTO's: what a nat costs by which the odds of yes against no are beyond what serving reads."""
    kl: float = 0.02
    """CISPO's term that keeps the policy near the one it began from."""
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-15
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    seed: int = 0
    held_out_every: int = 40
    keep_every: int = 20
    limits: Limits = field(default_factory=Limits)
    data: str = ""
    """Names what is trained on; `learn` fills it, so that a folder with other examples is refused."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples with what need be computed but once."""

    examples: tuple[Example, ...]
    below: tail.Below
    up: Tensor

    def part(self, places: Sequence[int]) -> Examples:
        return Examples(tuple(self.examples[n] for n in places), self.below.chosen(places), self.up[list(places)])


class Run:
    """A run under way: the model with its adapter, what was computed once, the optimizer, the history."""

    def __init__(
        self, checkpoint: Path, examples: Sequence[Example], watched: Sequence[Example], plan: Plan, folder: Path,
        progress: Progress,
    ) -> None:  # fmt: skip
        base, tokenizer = lora.loaded(checkpoint, plan.body)
        attention.set_for(base)
        self.plan, self.labels = plan, rating.label_ids(tokenizer)
        self.first = plan.first_layer
        self.model = lora.adapted(base, rank=plan.rank, first=self.first, seed=plan.seed, dropout=plan.dropout).train()
        self.head = base.get_output_embeddings().weight
        self.train, self.watched, self.reference = self._once(examples, watched, folder, progress)
        self.weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.weights, plan.learning_rate, plan.betas, plan.eps, weight_decay=plan.weight_decay
        )
        self.shown: tuple[Sample, ...] = ()
        """Answers of the last step, for whoever looks; alarms about answers do not look at them."""
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.history = checkpoints.resume(folder, self.model, self.optimizer, self.generator, plan).history  # type: ignore[arg-type]

    def _once(
        self, examples: Sequence[Example], watched: Sequence[Example], folder: Path, progress: Progress
    ) -> tuple[Examples, Examples, Tensor]:
        """What the layers that are not trained make of every prompt, and what the model said of thumbs as it came; kept in
        the folder while the run is under way."""
        every, place = [*examples, *watched], folder / ONCE
        try:
            kept = torch.load(place, weights_only=True)
        except Exception:  # there is none, or it was cut short: whatever unpickling makes of such bytes
            kept = {}
        of = _prompts(every, self.plan)
        if kept.get("of") == of:
            found, reference = tail.Below(kept["prefix"], tuple(kept["rest"])), kept["reference"]
            return *self._split(every, len(examples), found), reference
        found = self._below(every, progress)
        train, rest = self._split(every, len(examples), found)
        progress.stage("reference", len(examples))
        reference = self._reference(train, progress)
        folder.mkdir(parents=True, exist_ok=True)
        state = {"of": of, "prefix": found.prefix, "rest": list(found.rest), "reference": reference}
        half = place.with_suffix(".part")
        torch.save(state, half)
        half.replace(place)
        return train, rest, reference

    def _below(self, every: Sequence[Example], progress: Progress) -> tail.Below:
        progress.stage("lower layers", len(every))
        prefix, rest, found = tail.shared_prefix([example.prompt for example in every]), [], None
        for example in every:
            with self._rounding():
                found = tail.below(self.model, [example.prompt], first=self.first, prefix=prefix, known=found)
            rest += found.rest
            progress.step()
        assert found is not None  # there are thumbs: `learn` has seen to that
        return tail.Below(found.prefix, tuple(rest))

    @staticmethod
    def _split(every: Sequence[Example], count: int, found: tail.Below) -> tuple[Examples, Examples]:
        up = torch.tensor([bool(example.label.up) for example in every])
        whole = Examples(tuple(every), found, up)
        return whole.part(range(count)), whole.part(range(count, len(every)))

    @torch.no_grad()
    def _reference(self, train: Examples, progress: Progress) -> Tensor:
        """[N, labels] by the model as it came."""
        with self.model.disable_adapter():
            return self._logprobs(train, range(len(train.examples)), progress)

    def _logprobs(self, of: Examples, places: Sequence[int], progress: Progress = SILENT) -> Tensor:
        """[places, labels], a batch of like lengths at a time."""
        found = torch.empty(len(places), len(self.labels))
        order = sorted(range(len(places)), key=lambda n: len(of.below.rest[places[n]]))
        for first in range(0, len(order), self.plan.batch):
            rows = order[first : first + self.plan.batch]
            part = of.part([places[n] for n in rows])
            found[rows] = rating.label_logprobs(self._states(part), self.head, self.labels)
            for _ in rows:
                progress.step()
        return found

    def _states(self, of: Examples) -> Tensor:
        with self._rounding():
            return tail.last_states(self.model, of.below, first=self.first)

    @contextmanager
    def _rounding(self) -> Iterator[None]:
        """The adapter's FP32 weights are rounded where they meet a body in 16 bits, and the states are not widened for them first."""
        if self.plan.body != "bfloat16":
            yield
            return
        with torch.autocast(self.model.device.type, torch.bfloat16), disable_input_dtype_casting(self.model):
            yield

    def said(self, progress: Progress) -> dict[str, float]:
        """What the model as it is says of all that are watched or asked about."""
        scores = self.scores(range(len(self.watched.examples)), progress)
        return {example.id: score for example, score in zip(self.watched.examples, scores, strict=True)}

    @torch.no_grad()
    def scores(self, places: Sequence[int], progress: Progress = SILENT) -> list[float]:
        """What serving would read for watched examples."""
        self.model.eval()
        found = rating.read(self._logprobs(self.watched, places, progress))
        self.model.train()
        return found

    def todo(self) -> Iterator[tuple[int, list[int]]]:
        """The steps still to be done, with the places of their examples."""
        step = 0
        for epoch in range(self.plan.kto_epochs + self.plan.cispo_epochs):
            for places in batches(self.train, self.plan, epoch):
                if step >= len(self.history):
                    yield step, places
                step += 1

    def step(self, step: int, places: list[int], clock: Clock, *, looked: bool, held: int) -> Step:
        """One update."""
        torch.manual_seed(self.plan.seed * 1_000_003 + step)  # what dropout draws from
        part = self.train.part(places)
        with clock.part("forward"):
            logprobs = rating.label_logprobs(self._states(part), self.head, self.labels)
            self.shown = rating.shown(logprobs, part.examples)
            loss = self._loss(step, places, part, logprobs)
        self.optimizer.zero_grad()
        with clock.part("backward"):
            loss.value.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(step)
        norm = float(torch.nn.utils.clip_grad_norm_(self.weights, self.plan.clip_norm))
        if math.isfinite(norm) and loss.value.isfinite():
            self.optimizer.step()
        found, error = None, 0.0
        if looked and held:
            with clock.part("held-out"):
                found, error = area(self.scores(range(held)), self.watched.up[:held].tolist())
        shares = logprobs.detach().softmax(dim=1)
        return Step(
            step=step, version=f"step-{step}", reward=float(rating.worth(logprobs, part.up).mean()),
            loss=float(loss.value.detach()), parts={"form": float(logprobs.detach().exp().sum(dim=1).mean()), **_parts(loss)},
            held_out=found, held_out_error=error, grad_norm=norm, clipped=loss.metrics.get("clipped", 0.0), length=1.0,
            entropy=float(-(shares * shares.clamp(min=1e-12).log()).sum(dim=1).mean()),
        )  # fmt: skip

    def _loss(self, step: int, places: list[int], part: Examples, logprobs: Tensor) -> Loss:
        given = [example.label for example in part.examples]
        reference = self.reference[places]
        if step < self.kto_steps:
            weights = torch.tensor([label.weight for label in given])
            whole = torch.tensor([example.label.sure for example in self.train.examples])
            ups = float(whole @ self.train.up.float() / whole.sum())
            balance = torch.where(part.up, 0.5 / ups, 0.5 / (1 - ups))
            return rating.kto_loss(
                logprobs,
                reference,
                part.up,
                weights * balance,
                beta=self.plan.beta,
                keep=self.plan.keep,
                bound=self.plan.bound,
            )
        return rating.cispo_loss(logprobs, given, reference=reference, beta=self.plan.kl)

    @property
    def kto_steps(self) -> int:
        return self.plan.kto_epochs * len(batches(self.train, self.plan, 0))

    def rate(self, step: int) -> float:
        """The learning rate: up from 0 and down to it again, once for each loss."""
        an_epoch = len(batches(self.train, self.plan, 0))
        if step < self.kto_steps:
            at, whole, top = step, self.kto_steps, self.plan.learning_rate
        else:
            at, whole, top = step - self.kto_steps, self.plan.cispo_epochs * an_epoch, self.plan.cispo_rate
        rising = max(1.0, self.plan.warmup * whole)
        return top * min(
            (at + 1) / rising, 0.5 * (1 + math.cos(math.pi * max(0.0, at - rising) / max(1.0, whole - rising)))
        )


def batches(train: Examples, plan: Plan, epoch: int) -> list[list[int]]:
    """An epoch's batches: like lengths together, both thumbs in each as they are in all, in an order of the epoch's own."""
    draw = np.random.default_rng([plan.seed, epoch])
    count = max(1, math.ceil(len(train.examples) / plan.batch))
    length = np.array([len(rest) for rest in train.below.rest]) * draw.uniform(0.9, 1.1, len(train.examples))
    kinds = [np.flatnonzero(train.up.numpy() == up) for up in (True, False)]
    count = min(count, *map(len, kinds))
    split = [np.array_split(kind[np.argsort(length[kind], kind="stable")], count) for kind in kinds]
    found = [[*ups.tolist(), *downs.tolist()] for ups, downs in zip(*split, strict=True)]
    return [found[place] for place in draw.permutation(count).tolist()]


def area(scores: Sequence[float], up: Sequence[bool]) -> tuple[float | None, float]:
    """AUC and its standard error (Hanley and McNeil 1982, eq. 2); None without both thumbs."""
    found = auc(np.asarray(scores), np.asarray(up, dtype=np.bool_))
    if found is None:
        return None, 0.0
    ups, downs = sum(up), len(up) - sum(up)
    one, two = found / (2 - found), 2 * found**2 / (1 + found)
    spread = found * (1 - found) + (ups - 1) * (one - found**2) + (downs - 1) * (two - found**2)
    return found, math.sqrt(max(0.0, spread) / (ups * downs))


def _prompts(every: Sequence[Example], plan: Plan) -> str:
    """Names all that states entering the first layer trained depend on."""
    told = repr([plan.first_layer, plan.body, *(example.prompt for example in every)])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _parts(loss: Loss) -> dict[str, float]:
    return {name: loss.metrics[name] for name in ("margin_up", "margin_down", "right", "drawn") if name in loss.metrics}
