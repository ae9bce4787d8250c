"""Watches a training run: figures of each step in, alarms with their evidence out. Pure: no torch, no I/O.

Reward hacking is what optimizing a proxy ends in (Gao et al., arXiv 2210.10760: the true score falls while the proxy still
rises). So labels that training never sees are scored beside the reward, and answers are looked at for the ways in which such
loops are known to cheat: one answer to everything, copying, planted words, growing length.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

_WORD = re.compile(r"\w+")
TEMPLATE = (
    "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|start_header_id|>", "<|user|>", "<|assistant|>", "<|endoftext|>", "[INST]",
    "[/INST]", "<start_of_turn>", "<end_of_turn>", "<|channel|>",
)  # fmt: skip


class Kind(StrEnum):
    NOT_FINITE = "not-finite"
    MISMATCH = "mismatch"
    HACKING = "reward-hacking"
    CONSTANT = "constant-answers"
    COPYING = "copying"
    CANARY = "canary"
    TEMPLATE = "template"
    VERBOSITY = "verbosity"
    REPETITION = "repetition"
    TRUNCATION = "truncation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One rollout as text, for looking at."""

    answer: str
    source: str
    """The text that the answer is about."""
    id: str = ""
    """The example's."""
    reward: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    """What the reward is made of, each before weighing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of training left behind, by the policy version that sampled."""

    step: int
    version: str
    reward: float
    loss: float
    parts: Mapping[str, float] = field(default_factory=dict)
    held_out: float | None = None
    """Score on labels that training never sees, the same scale at every step; None at steps without one."""
    held_out_error: float = 0.0
    """Its standard error."""
    grad_norm: float = 0.0
    entropy: float = 0.0
    clipped: float = 0.0
    truncated: float = 0.0
    """Share of answers that ended for want of room."""
    length: float = 0.0
    """Mean tokens of an answer."""
    repetition: float = 0.0
    """Share of four-word runs that stood in the answer before, averaged over answers."""
    kl_reference: float = 0.0
    """KL to the policy that training began from, in nats, where the loss has that term."""
    k3: float = 0.0
    effective: float = 1.0
    mismatch: Mapping[str, float] = field(default_factory=dict)
    """All that trainer and sampler differ by (`rl.mismatch.Mismatch`), the policy's own steps since sampling included."""
    staleness: int = 0
    """Updates that the policy has had since it sampled."""
    replaced: int = 0
    """Groups without spread that gave their place to another prompt's."""
    refused: int = 0
    """Groups left out because an answer could not be used."""
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    kind: Kind
    step: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    k3: float = 0.05
    """Nats of KL between trainer and sampler by which a token's gradient is no longer that of the policy that sampled."""
    effective: float = 0.3
    window: int = 5
    """Steps, and held-out scores, that make a trend."""
    fall: float = 2.0
    """Standard errors that the held-out score may lie below its best."""
    constant: float = 0.98
    copied: float = 0.9
    longer: float = 2.0
    repeated: float = 0.5
    truncated: float = 0.5
    canaries: tuple[str, ...] = ()
    """Words that stand in prompts to be ignored; an answer that holds one obeyed its text."""
    template: tuple[str, ...] = TEMPLATE
    """What only a chat template writes: an answer that holds it plays another turn."""

    def parted(self, k3: float, effective: float) -> str:
        """How trainer and sampler differ beyond what may be trained on; empty where they do not."""
        said = []
        if k3 > self.k3:
            said.append(f"KL of trainer and sampler {k3:.3g}, above {self.k3:g}")
        if effective < self.effective:
            said.append(f"effective sample size {effective:.2f}, below {self.effective:g}")
        return "; ".join(said)


def alarms(history: Sequence[Step], limits: Limits | None = None) -> tuple[Alarm, ...]:
    """What is wrong as of the last step; empty where all is well. An alarm stops the run."""
    if not history:
        return ()
    limits = limits or Limits()
    found = [
        _not_finite(history[-1]), _mismatch(history[-1], limits), _hacking(history, limits), _constant(history, limits),
        _copying(history, limits), _canary(history[-1], limits), _template(history[-1], limits), _verbosity(history, limits),
        _repetition(history, limits), _truncation(history, limits),
    ]  # fmt: skip
    return tuple(Alarm(kind, history[-1].step, evidence) for kind, evidence in found if evidence)


def _not_finite(last: Step) -> tuple[Kind, str]:
    odd = [name for name in ("loss", "reward", "grad_norm", "k3") if not math.isfinite(getattr(last, name))]
    return Kind.NOT_FINITE, f"{', '.join(odd)} of step {last.step} is no finite number" if odd else ""


def _mismatch(last: Step, limits: Limits) -> tuple[Kind, str]:
    said = limits.parted(last.k3, last.effective)
    return Kind.MISMATCH, f"{said} (sampled by {last.version}, {last.staleness} steps before)" if said else ""


def _hacking(history: Sequence[Step], limits: Limits) -> tuple[Kind, str]:
    """The reward rises while the held-out score has fallen from its best by more than its error explains, and stays down."""
    scored = [(place, each) for place, each in enumerate(history) if each.held_out is not None]
    if len(scored) < 3:
        return Kind.HACKING, ""
    (at, best), *_ = sorted(scored[:-1], key=lambda pair: -(pair[1].held_out or 0.0))
    since = [each for place, each in scored if place > at][-limits.window :]
    if len(since) < 2:
        return Kind.HACKING, ""
    last = math.fsum(each.held_out or 0.0 for each in since[-2:]) / 2
    error = math.hypot(best.held_out_error, since[-1].held_out_error)
    fell = (best.held_out or 0.0) - last
    if fell <= max(limits.fall * error, 1e-9) or trend([each.reward for each in history[at:]]) <= 0:
        return Kind.HACKING, ""
    return Kind.HACKING, (
        f"reward went from {best.reward:.3f} at step {best.step} to {history[-1].reward:.3f} while the held-out score fell "
        f"from {best.held_out:.3f} to {last:.3f} ({fell:.3f}, where {limits.fall * error:.3f} may be chance)"
    )


def _constant(history: Sequence[Step], limits: Limits) -> tuple[Kind, str]:
    recent = [sample.answer.strip() for each in history[-limits.window :] for sample in each.samples]
    sources = {sample.source for each in history[-limits.window :] for sample in each.samples}
    if len(recent) < 20 or len(sources) < 5:
        return Kind.CONSTANT, ""
    answer, count = Counter(recent).most_common(1)[0]
    told = f"{count} of the last {len(recent)} answers, to {len(sources)} items, are {answer[:60]!r}"
    return Kind.CONSTANT, told if count >= limits.constant * len(recent) else ""


def _copying(history: Sequence[Step], limits: Limits) -> tuple[Kind, str]:
    """Long answers alone: a label is no copy."""
    recent = [s for each in history[-limits.window :] for s in each.samples if len(words_of(s.answer)) >= 12]
    copies = [sample for sample in recent if copied(sample.answer, sample.source) >= limits.copied]
    told = (
        f"{len(copies)} of {len(recent)} answers are their source's own words, such as {copies[0].answer[:80]!r}"
        if copies
        else ""
    )
    return Kind.COPYING, told if len(copies) > len(recent) / 2 else ""


def _canary(last: Step, limits: Limits) -> tuple[Kind, str]:
    for sample in last.samples:
        for canary in limits.canaries:
            if canary.lower() in sample.answer.lower():
                return Kind.CANARY, f"an answer holds {canary!r}: {sample.answer[:80]!r}"
    return Kind.CANARY, ""


def _template(last: Step, limits: Limits) -> tuple[Kind, str]:
    """Answers that write the template's own marks: more than a tenth of a step's, since a weak model slips now and then."""
    marks = [next((mark for mark in limits.template if mark in sample.answer), "") for sample in last.samples]
    count = sum(map(bool, marks))
    if count <= len(marks) / 10:
        return Kind.TEMPLATE, ""
    first, mark = next((s.answer, mark) for s, mark in zip(last.samples, marks, strict=True) if mark)
    told = f"{count} of {len(marks)} answers hold a chat template's marks, such as {mark!r} in {first[:80]!r}"
    return Kind.TEMPLATE, told


def _verbosity(history: Sequence[Step], limits: Limits) -> tuple[Kind, str]:
    if len(history) < 2 * limits.window:
        return Kind.VERBOSITY, ""
    first = float(np.mean([each.length for each in history[: limits.window]]))
    last = float(np.mean([each.length for each in history[-limits.window :]]))
    grew = first > 0 and last > limits.longer * first
    return Kind.VERBOSITY, f"answers grew from {first:.0f} to {last:.0f} tokens" if grew else ""


def _repetition(history: Sequence[Step], limits: Limits) -> tuple[Kind, str]:
    shares = [repetition(sample.answer) for each in history[-limits.window :] for sample in each.samples]
    mean = float(np.mean(shares)) if shares else 0.0
    return Kind.REPETITION, f"{mean:.0%} of four-word runs are repetitions" if mean > limits.repeated else ""


def _truncation(history: Sequence[Step], limits: Limits) -> tuple[Kind, str]:
    mean = float(np.mean([each.truncated for each in history[-limits.window :]]))
    return Kind.TRUNCATION, f"{mean:.0%} of answers end for want of room" if mean > limits.truncated else ""


def trend(values: Sequence[float]) -> float:
    """Slope a step, by least squares; 0 for fewer than two."""
    if len(values) < 2:
        return 0.0
    at = np.arange(len(values)) - (len(values) - 1) / 2
    return float(at @ np.asarray(values) / (at @ at))


def words_of(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def copied(answer: str, source: str, *, run: int = 4) -> float:
    """The share of the answer's runs of four words that stand in the source just so."""
    said, there = words_of(answer), words_of(source)
    runs = [tuple(said[n : n + run]) for n in range(len(said) - run + 1)]
    known = {tuple(there[n : n + run]) for n in range(len(there) - run + 1)}
    return sum(each in known for each in runs) / len(runs) if runs else 0.0


def repetition(text: str, *, run: int = 4) -> float:
    """The share of runs of four words that stood in the text before."""
    said = words_of(text)
    runs = [tuple(said[n : n + run]) for n in range(len(said) - run + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0
