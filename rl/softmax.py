"""A softmax over a vocabulary that comes in pieces: running sums for every token, the target's logit kept apart.

The online form of Milakov and Gimelshein (arXiv 1805.02867). Keeping the target apart makes a log-probability near 0 as
exact as one far from it: it is -log1p of what the other tokens weigh. Where a product of the logits comes from, and what
is made of the sums, is `rl.head`'s.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


class RunningSoftmax:
    """Sums over the logits seen so far; "the others" are all tokens but the target.

    With `size` it also sums the vocabulary's rows under the softmax, [T, size], which is all that a gradient with regard
    to the hidden state needs (as attention kernels sum values: Rabe and Staats, arXiv 2112.05682).
    """

    def __init__(
        self, tokens: int, *, size: int = 0, entropy: bool = False, dtype: torch.dtype, device: torch.device
    ) -> None:
        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        self._max = zeros(tokens) - math.inf
        """Largest logit of the others."""
        self._sum = zeros(tokens)
        """Of exp(logit - max) over the others."""
        self._moment = zeros(tokens)
        """Of exp(logit - max) (logit - max) over the others."""
        self._target = zeros(tokens)
        self._entropy = entropy
        self._rows = zeros(tokens, size) if size else None
        """Of exp(logit - max) weight over the others."""
        self._moment_rows = zeros(tokens, size) if size and entropy else None
        """Of exp(logit - max) (logit - max) weight over the others."""

    def add(
        self, at: slice, logits: Float[Tensor, "t v"], column: Int[Tensor, " t"], weight: Float[Tensor, "v size"]
    ) -> None:
        """Take in a piece of the vocabulary for the tokens `at`.

        Args:
            logits: its memory is used up.
            column: where in this piece each token's target is; outside of [0, v) where it is in another.
            weight: in the sums' dtype.
        """
        here = ((column >= 0) & (column < logits.shape[1])).nonzero()[:, 0]
        self._target[at][here] = logits[here, column[here]]
        logits[here, column[here]] = -math.inf
        before = self._max[at]
        peak = torch.maximum(before, logits.amax(dim=1))
        origin = peak.masked_fill(peak == -math.inf, 0)
        shift = (before - origin).masked_fill(before == -math.inf, 0)
        shrink = shift.exp().masked_fill(before == -math.inf, 0)
        logits.sub_(origin[:, None])
        weighed = logits.exp() if self._entropy else logits.exp_()
        if self._entropy:
            moments = logits.masked_fill_(logits == -math.inf, 0).mul_(weighed)
            self._moment[at] = shrink * (self._moment[at] + shift * self._sum[at]) + moments.sum(dim=1)
            if self._moment_rows is not None and self._rows is not None:
                self._moment_rows[at].addcmul_(self._rows[at], shift[:, None]).mul_(shrink[:, None]).addmm_(
                    moments, weight
                )
        if self._rows is not None:
            self._rows[at].mul_(shrink[:, None]).addmm_(weighed, weight)
        self._sum[at] = shrink * self._sum[at] + weighed.sum(dim=1)
        self._max[at] = peak

    @property
    def peak(self) -> Float[Tensor, " T"]:
        """The largest logit, the target's included."""
        return torch.maximum(self._max, self._target)

    @property
    def own(self) -> Float[Tensor, " T"]:
        """exp(logit - peak) of the target."""
        return (self._target - self.peak).exp()

    @property
    def others(self) -> Float[Tensor, " T"]:
        """Sum of exp(logit - peak) over the others."""
        return self._sum * self._shrink

    @property
    def logprobs(self) -> Float[Tensor, " T"]:
        """Log-probability of the target."""
        gap = self._target - self.peak
        return torch.where(gap == 0, -self.others.log1p(), gap - (self.others + gap.exp()).log())

    @property
    def mean(self) -> Float[Tensor, " T"]:
        """Expected logit, less the peak. Only with `entropy`."""
        moment = self._shrink * (self._moment + self._back * self._sum)
        return (moment + self.own * (self._target - self.peak)) / (self.others + self.own)

    @property
    def entropies(self) -> Float[Tensor, " T"]:
        """In nats. Only with `entropy`."""
        return (self.others + self.own).log() - self.mean

    def gradients(
        self, target_rows: Float[Tensor, "T size"]
    ) -> tuple[Float[Tensor, "T size"], Float[Tensor, "T size"] | None]:
        """What the hidden state's gradient is made of, by the scale that the logits were multiplied with.

        Args:
            target_rows: the vocabulary's rows of the targets; its memory is used up.

        Returns:
            The derivative of the log-probability, weight_target minus the expected row; and that of the entropy,
            minus the covariance of logit and row, where entropies are summed. The sums are used up.
        """
        rows, moment_rows = self._rows, self._moment_rows
        assert rows is not None
        total = self.others + self.own
        shrink, others, own = (
            (self._shrink / total)[:, None],
            (self.others / total)[:, None],
            (self.own / total)[:, None],
        )
        by_entropy = None
        if moment_rows is not None:
            gap = self._target - self.peak - self.mean
            by_entropy = moment_rows.addcmul_(rows, (self._back - self.mean)[:, None]).mul_(-shrink)
            by_entropy.addcmul_(target_rows, -own * gap[:, None])
        return target_rows.mul_(others).sub_(rows.mul_(shrink)), by_entropy

    @property
    def _back(self) -> Tensor:
        return (self._max - self.peak).masked_fill(self._max == -math.inf, 0)

    @property
    def _shrink(self) -> Tensor:
        return (self._max - self.peak).exp()
