"""What is kept of a run: each item's scores by epoch, and the figures of the whole. Pure: answers in, figures out.

The item is the unit: its epochs are averaged first, and items of one family are no independent evidence. An answer that could
not be had or judged has no score; it is counted apart, and lowers no mean.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals import stats
from evals.asking import kind_of
from evals.core import SHOWN, Case
from evals.journal import Told
from scout.store.evals import EvalItem

SOLVED = 1.0
"""A score from which on an epoch counts as passed; all below is not."""
PASSES = (1, 2, 4, 8)
"""The k of pass^k, as far as there are epochs."""
REFUSALS = ("i can't", "i cannot", "i can not", "i'm sorry", "i am sorry", "i won't", "i'm unable", "i am unable")
"""How an answer begins that refuses, in English. A hint for the trust strip, not a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What an endpoint costs, in whatever currency its owner thinks in."""

    prompt: float = 0.0
    """A million tokens read."""
    completion: float = 0.0
    """A million tokens written."""
    hour: float = 0.0
    """An hour of the machine."""

    def cost(self, prompt: int, completion: int, seconds: float) -> float:
        return (self.prompt * prompt + self.completion * completion) / 1e6 + self.hour * seconds / 3600

    @property
    def are_known(self) -> bool:
        return bool(self.prompt or self.completion or self.hour)


FREE = Prices()


def items(cases: Iterable[Case[Any]], told: Iterable[Told], epochs: int) -> list[EvalItem]:
    """Every case with what it scored in each epoch, in the order of the cases."""
    by_item: dict[str, dict[int, Told]] = defaultdict(dict)
    for each in told:
        by_item[each.item][each.epoch] = each
    found = []
    for case in cases:
        mine = by_item.get(case.id, {})
        found.append(
            EvalItem(
                item=case.id, family=case.group,
                scores=tuple(mine[n].score if n in mine else None for n in range(1, epochs + 1)),
                cut=sum(each.cut for each in mine.values()),
                tokens=sum(each.usage.completion for each in mine.values()),
                seconds=sum(each.seconds for each in mine.values()),
            )
        )  # fmt: skip
    return found


def figures(
    found: Sequence[EvalItem], told: Sequence[Told], *, epochs: int, wall: float, prices: Prices = FREE
) -> dict[str, Any]:
    """A run's summary, all of it plain numbers: what a page or a table shows of it."""
    judged = [(each, mean) for each in found if (mean := each.mean) is not None]
    faults = Counter(kind_of(each) for each in told if each.answer.fault)
    answered = [each for each in told if not each.answer.fault]
    seconds = sorted(each.seconds for each in answered)
    prompt, completion = (sum(getattr(each.usage, key) for each in told) for key in ("prompt", "completion"))
    passed = sum(score >= SOLVED for each in found for score in each.judged)
    cost = prices.cost(prompt, completion, wall)
    return {
        **score_of(judged), "parts": parts(found, told),
        "epochs": epochs, "answers": len(answered), "of": len(found) * epochs, "shown": sum(t.why == SHOWN for t in told),
        "errors": sum(faults.values()), "faults": dict(sorted(faults.items())), "cut": sum(each.cut for each in answered),
        "empty": sum(_is_empty(each) for each in answered), "refusals": sum(_refuses(each) for each in answered),
        "pass": {str(k): value for k in PASSES if (value := passes(found, k)) is not None},
        "noise": noise(found),
        "requests": sum(each.calls for each in told), "prompt_tokens": prompt, "completion_tokens": completion,
        "seconds": {"p50": _at(seconds, 0.5), "p95": _at(seconds, 0.95), "wall": round(wall, 3)},
        "solved": passed, "tokens_per_solved": round(completion / passed, 1) if passed else None,
        "cost": round(cost, 6) if prices.are_known else None,
        "cost_per_solved": round(cost / passed, 6) if passed and prices.are_known else None,
    }  # fmt: skip


def score_of(judged: Sequence[tuple[EvalItem, float]]) -> dict[str, Any]:
    """The mean with its standard error and interval by families; None where nothing was judged, or nothing can be said."""
    if not judged:
        return {"n": 0, "families": 0, "mean": None, "se": None, "low": None, "high": None}
    means = [mean for _, mean in judged]
    families = [each.family for each, _ in judged]
    error = stats.clustered_standard_error(means, families)
    low, high = stats.mean_interval(means, families)
    if set(means) in ({0.0}, {1.0}):  # nothing varies: the normal interval would have no width
        independent = len(set(families))
        low, high = stats.wilson_interval(independent if means[0] else 0, independent)
    told = {"mean": statistics.fmean(means), "se": error, "low": max(0.0, low), "high": min(1.0, high)}
    numbers = {key: round(value, 6) if math.isfinite(value) else None for key, value in told.items()}
    return {"n": len(judged), "families": len(set(families)), **numbers}


def parts(found: Sequence[EvalItem], told: Iterable[Told]) -> dict[str, dict[str, Any]]:
    """What verdicts told apart, by name: over the items whose answers said something of it, as `score_of` says of scores."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in told:
        for name, value in each.parts.items():
            values[name][each.item].append(value)
    return {
        name: score_of([(each, statistics.fmean(mine[each.item])) for each in found if each.item in mine])
        for name, mine in sorted(values.items())
    }


def levels(cases: Iterable[Case[Any]], found: Iterable[EvalItem]) -> dict[str, dict[str, Any]]:
    """The score at each level of difficulty, as `score_of`: where on the scale of the suite a model stands."""
    level = {case.id: str(case.level) for case in cases}
    judged: dict[str, list[tuple[EvalItem, float]]] = defaultdict(list)
    for each in found:
        if (mean := each.mean) is not None:
            judged[level[each.item]].append((each, mean))
    return {name: score_of(mine) for name, mine in sorted(judged.items())}


def passes(found: Iterable[EvalItem], k: int) -> float | None:
    """pass^k over the items that were judged at least k times; None where none was."""
    values = [
        stats.pass_hat_k(len(each.judged), sum(score >= SOLVED for score in each.judged), k)
        for each in found
        if len(each.judged) >= k
    ]
    return round(statistics.fmean(values), 6) if values else None


def noise(found: Iterable[EvalItem]) -> float:
    """The mean variance of an item's score from epoch to epoch; 0 where each was asked once."""
    values = [statistics.variance(each.judged) for each in found if len(each.judged) > 1]
    return round(statistics.fmean(values), 6) if values else 0.0


def untrusted(figures: Mapping[str, Any]) -> str:
    """What in a run's own figures makes it not worth trusting; empty where nothing does."""
    reasons = []
    asked = figures["of"]
    if asked and figures["errors"] / asked > 0.05:
        reasons.append(f"{figures['errors']} of {asked} answers are missing")
    if asked and figures["cut"] / asked > 0.1:
        reasons.append(f"{figures['cut']} of {asked} answers ran into their limit of tokens")
    if figures["faults"].get("verifier"):
        reasons.append("the suite's verifier failed")
    if asked and figures["empty"] / asked > 0.05:
        reasons.append(f"{figures['empty']} of {asked} answers are empty")
    return "; ".join(reasons)


def _at(values: Sequence[float], share: float) -> float | None:
    return round(values[min(len(values) - 1, int(share * len(values)))], 4) if values else None


def _is_empty(told: Told) -> bool:
    return not told.answer.text.strip() and not told.answer.calls and not told.answer.labels


def _refuses(told: Told) -> bool:
    return told.answer.text.strip().lower().replace("’", "'").startswith(REFUSALS)
