"""Where the gate of evals meets the policies of scout: a reader's past replayed by recipes, judged, and written down."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from scout import backtest
from scout.cli.notify import after_digests
from scout.clock import now
from scout.policies import NoChange, recipe_of
from scout.progress import SILENT, Progress
from scout.store.promotions import Challenge
from scout.triage.recipes import DEFAULT, RECIPES

if TYPE_CHECKING:
    from evals.gate import Held
    from evals.offpolicy import Row, Unknown
    from scout.config import Settings
    from scout.store import Store
    from scout.store.policies import PolicyRow

log = logging.getLogger("scout")

VALID = timedelta(days=30)
"""A gate that was passed longer ago says little of today's reader."""
EVERY = timedelta(days=7)
"""How often a new default recipe challenges on its own."""


def champion_of(store: Store, reader: str) -> PolicyRow:
    """
    Raises:
        NoChange: the reader has none yet.
    """
    champion = store.policies.champion(reader)
    if champion is None:
        raise NoChange(f"{reader} has no policy yet; `scout run` fits the first")
    return champion


def known(recipe: str) -> str:
    """
    Raises:
        NoChange: there is no such recipe.
    """
    if recipe not in RECIPES:
        raise NoChange(f"there is no recipe {recipe!r}; there are {', '.join(RECIPES)}")
    return recipe


def challenge(
    store: Store, settings: Settings, reader: str, recipe: str, *, by: str, alpha: float | None = None,
    progress: Progress = SILENT,
) -> Challenge:  # fmt: skip
    """Let `recipe` meet the reader's champion on the reader's thumbs, and write down what came of it.

    Raises:
        NoChange: there is no such recipe, it serves already, or nobody serves yet.
    """
    from evals import gate

    champion = recipe_of(champion_of(store, reader))
    if known(recipe) == champion:
        raise NoChange(f"{recipe} serves {reader} already")
    blocks = backtest.plan(store, settings, reader)
    held = [one for block in blocks for one in block.thumbs]
    ups, days = sum(one.thumb.up for one in held), len({one.day for one in held})
    alpha = gate.ALPHA if alpha is None else alpha
    evidence: dict[str, Any]
    if gate.shortfall(len(held), ups, days):
        verdict = gate.judge([gate.Held(one.day, one.thumb.up, 0.5, 0.5) for one in held], alpha=alpha)
        evidence = verdict.to_dict()
    else:
        past = backtest.run(store, settings, reader, blocks, (champion, recipe), progress=progress)
        verdict = gate.judge(_held(past, champion, recipe), alpha=alpha)
        evidence = {**verdict.to_dict(), "off_policy": off_policy(past, [recipe])}
    evidence["held_out"] = {"since": blocks[0].start.isoformat() if blocks else None, "blocks": len(blocks)}
    found = Challenge(
        reader=reader, champion=champion, challenger=recipe, at=now(), by=by, passed=verdict.passed, evidence=evidence
    )
    store.promotions.challenged(found)
    return found


def _held(past: backtest.Backtest, champion: str, challenger: str) -> list[Held]:
    from evals.gate import Held

    return [
        Held(thumb.day, thumb.up, thumb.probabilities[champion], thumb.probabilities[challenger])
        for thumb in past.thumbs
    ]


def off_policy(past: backtest.Backtest, recipes: Sequence[str], unknown: Unknown | None = None) -> dict[str, Any]:
    """What was shown and what each recipe would have shown is worth, and how much more the latter."""
    from evals import offpolicy

    counted = unknown or offpolicy.Unknown.NOT_UP
    shown = _rows(past, None)
    whole: dict[str, Any] = {"unknown": str(counted), "as_shown": offpolicy.estimate(shown, unknown=counted).to_dict()}
    for recipe in recipes:
        rows = _rows(past, recipe)
        more = offpolicy.difference(rows, shown, unknown=counted)
        whole[recipe] = {
            **offpolicy.estimate(rows, unknown=counted).to_dict(),
            "more": {name: found.to_dict() for name, found in more.items()},
        }
    return whole


def _rows(past: backtest.Backtest, recipe: str | None) -> list[Row]:
    """The log with the targets of a recipe, or of what the policy of each day showed."""
    from evals.offpolicy import Row

    return [
        Row(
            day=slot.candidate.day, propensity=slot.candidate.propensity,
            target=float(slot.candidate.chosen if recipe is None else recipe in slot.by),
            foreseen=slot.candidate.decision.probability, shown=slot.candidate.shown, up=slot.candidate.up,
            group=slot.candidate.decision.lane,
        )
        for slot in past.slots
    ]  # fmt: skip


def passed(store: Store, reader: str, recipe: str) -> Challenge | None:
    """The challenge that lets `recipe` serve: the newest against today's champion, passed and not too old; else None."""
    champion = recipe_of(store.policies.champion(reader))
    newest = next(
        (one for one in store.promotions.challenges(reader, challenger=recipe) if one.champion == champion), None
    )
    return newest if newest and newest.passed and now() - newest.at <= VALID else None


def after_run(store: Store, settings: Settings, progress: Progress) -> list[str]:
    """What is due after a daily run, whoever asked for it, and in a sentence each what came of it."""
    from scout.pipeline import readers

    names = readers(store, settings)
    sent = after_digests(store, settings, names)
    found = challenge_when_due(store, settings, names, progress=progress)
    return [
        *(f"{each.channel} for {each.reader} was not sent: {each.problem}" for each in sent if each.problem),
        *(
            f"{each.challenger} challenged {each.champion} for {each.reader}: {each.evidence['reason']}"
            for each in found
        ),
    ]


def challenge_when_due(
    store: Store, settings: Settings, names: Sequence[str], *, progress: Progress = SILENT
) -> list[Challenge]:
    """For readers whose champion is not of the default recipe: let that challenge, once a week at the most.

    A fault here is logged and costs the run nothing.
    """
    found = []
    for reader in names:
        champion = store.policies.champion(reader)
        if champion is None or champion.recipe == DEFAULT:
            continue
        last = next(iter(store.promotions.challenges(reader, challenger=DEFAULT, limit=1)), None)
        if last is not None and now() - last.at < EVERY:
            continue
        from evals.gate import WEEKLY_ALPHA  # a run that has nothing to judge loads nothing for it

        try:
            found.append(challenge(store, settings, reader, DEFAULT, by="run", alpha=WEEKLY_ALPHA, progress=progress))
        except Exception:
            log.exception("challenge failed", extra={"reader": reader, "recipe": DEFAULT})
    return found
