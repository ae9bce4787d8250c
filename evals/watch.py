"""The nightly watch: what is served is measured against itself of before, new releases against what is served.

In this order: the reference (has the harness moved?), the models that scout serves (has one dropped?), then releases of the
chosen organizations that an endpoint of scout.toml serves. Each release gets a verdict, which the morning's digest carries.
Runs that exist are not run again, so a watch that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from evals import compare, endpoints, pairs, trust
from evals.asking import Manner
from evals.compare import NotComparable, Report
from evals.core import Suite
from evals.evaluate import Plan, Refused, evaluate, options
from scout.config import Model, Settings
from scout.items import Release, Verdict
from scout.progress import SILENT, Progress
from scout.serving.client import ModelClient
from scout.serving.errors import ModelError
from scout.store import Store
from scout.store.evals import EvalAlarm, EvalRun

SEED = 1
AGAIN = timedelta(hours=20)
"""What is served is measured again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one watch did."""

    verdicts: tuple[Verdict, ...] = ()
    alarms: tuple[EvalAlarm, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()
    """Releases without a verdict, and why."""
    runs: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Watch:
    """One night. `suites` are those of the settings, by name."""

    store: Store
    settings: Settings
    suites: Sequence[Suite]
    now: datetime
    gate: trust.Gate = trust.Gate.RUN
    vet: Callable[[Suite], str] = trust.vet
    progress: Progress = SILENT
    alarms: list[EvalAlarm] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    gated: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)

    async def night(self) -> Night:
        """Everything that is due.

        Raises:
            NeedsExtra: Inspect is not installed.
        """
        drifted = await self._reference()
        base = await self._served()
        verdicts: list[Verdict] = []
        waiting: list[tuple[str, str]] = []
        for release, why in due(self.store, self.settings, self.now):
            if why:
                waiting.append((release.id, why))
                continue
            if len(verdicts) >= self.settings.eval.per_night:
                waiting.append((release.id, "left for the next night (eval.per_night)"))
                continue
            try:
                verdict = await self._judge(release, base, drifted)
            except (ModelError, Refused, NotComparable) as err:
                waiting.append((release.id, str(err)))
                continue
            self.store.evals.judge(verdict, self.now)
            verdicts.append(verdict)
        return Night(
            verdicts=tuple(verdicts), alarms=tuple(self.alarms), waiting=tuple(waiting), runs=tuple(self.runs)
        )  # fmt: skip

    async def _reference(self) -> bool:
        """Measure the reference again; whether it moved, which nothing but the harness can be the reason of."""
        name = self.settings.eval.reference
        rule = endpoints.rule_for(self.settings, name) if name else None
        if rule is None:
            return False
        asked = endpoints.at(self.settings, rule, name)
        return await self._again(asked, name, "reference", "drift")

    async def _served(self) -> str:
        """Measure every model and adapter that scout's own endpoint serves; the name of the one that reads, empty for none."""
        if not self.settings.model.base_urls:
            return ""
        asked = endpoints.chosen(self.settings, base_url=None, name=None)
        try:
            async with ModelClient(asked) as client:
                names = await client.models()
                reads = await client.model_name()
            for name in dict.fromkeys((reads, *names)):
                await self._again(asked.model_copy(update={"name": name}), "", "served", "regression")
        except ModelError:
            return self.settings.model.name  # it is away tonight; what is known of it still compares
        return reads

    async def _again(self, asked: Model, release: str, purpose: str, kind: str) -> bool:
        """Measure what was measured before, and raise an alarm where it moved: `drift` either way, `regression` down."""
        found: list[tuple[EvalRun, EvalRun, compare.Comparison]] = []
        for suite in self.suites:
            before = self._last(asked.name, suite)
            if before is not None and self.now - before.started < AGAIN:
                continue
            try:
                done = (await self._measure(asked, release, purpose, [suite]))[0]
                if before is not None and done.is_done:
                    found.append((done, before, pairs.pair(self.store, done, before)))
            except (ModelError, Refused, NotComparable):
                continue
        moved = False
        rows = compare.corrected(
            [row for _, _, row in found]
        )  # many suites a night, every night: chance would ring too
        for (done, before, _), row in zip(found, rows, strict=True):
            if row.result == "worse" or (kind == "drift" and row.result == "better"):
                moved = True
                self._alarm(kind, done, before, row)
        return moved

    def _alarm(self, kind: str, done: EvalRun, before: EvalRun, row: compare.Comparison) -> None:
        low, high = row.difference.interval
        text = (
            f"{done.released} moved by {compare.points(row.difference.mean)} points at {row.domain} since "
            f"{before.started:%Y-%m-%d} (interval {100 * low:.1f} to {100 * high:.1f})"
        )
        alarm = EvalAlarm(
            kind=kind, model=done.model, suite=done.suite, run=done.id, before=before.id, text=text, at=self.now
        )  # fmt: skip
        self.store.evals.alarm(alarm)
        self.alarms.append(alarm)

    async def _judge(self, release: Release, base: str, drifted: bool) -> Verdict:
        rule = endpoints.rule_for(self.settings, release.id)
        assert rule is not None
        asked = endpoints.at(self.settings, rule, release.id)
        done = await self._measure(asked, release.id, "watch", self.suites, keep=True)
        if unfinished := [run for run in done if not run.is_done]:
            raise Refused(unfinished[0].message)
        text = self._said(release, done, base)
        if drifted:
            text += " (the reference moved tonight: compare with care)"
        return Verdict(release.id, text, done[0].id)

    def _said(self, release: Release, done: Sequence[EvalRun], base: str) -> str:
        """The verdict: against what is served where that was measured, else the scores alone."""
        if base:
            try:
                found = pairs.models(self.store, release.id, base)
                return compare.sentence(Report(a=release.id, b=found.b, rows=found.rows))
            except NotComparable:
                pass
        scores = [f"{run.domain} {100 * mean:.0f}" for run in done if (mean := run.summary["mean"]) is not None]
        label = next((run.label for run in done if run.label), "")
        told = ", ".join(scores) or "nothing could be judged"
        return f"{told}; nothing to compare with yet{f' (not to be trusted: {label})' if label else ''}"

    async def _measure(
        self, asked: Model, release: str, purpose: str, suites: Sequence[Suite], *, keep: bool = False
    ) -> list[EvalRun]:
        """A run of each suite; with `keep` those that finished before stand. A server is gated once a night for each model."""
        done: list[EvalRun] = []
        async with ModelClient(asked) as client:
            if asked.name and asked.name not in (served := await client.models()):
                raise Refused(f"{asked.base_urls[0]} does not serve {asked.name}; it serves {', '.join(served[:5])}")
            gated = (asked.base_urls[0], asked.name)
            if gated not in self.gated:
                data = self.settings.data_dir
                self.gated[gated] = await trust.label(client, data, self.gate, progress=self.progress)
            label, checks = self.gated[gated]
            for suite in suites:
                plan = replace(
                    self._plan(suite), purpose=purpose, release_id=release, label=label, checks=checks,
                    prices=endpoints.prices(self.settings, asked.base_urls[0]),
                )  # fmt: skip
                run = await evaluate(
                    self.store, self.settings.data_dir, client, plan, resume=True, keep=keep, progress=self.progress,
                    vet=self.vet,
                )  # fmt: skip
                self.runs.append(run.id)
                done.append(run)
        return done

    def _plan(self, suite: Suite) -> Plan:
        """How a suite is asked tonight."""
        wished = self.settings.eval
        manner = Manner(
            temperature=wished.temperature, min_tokens=wished.min_tokens, max_tokens=wished.max_tokens.get(suite.name, 0)
        )  # fmt: skip
        return Plan(suite=suite, seed=SEED, items=wished.items, epochs=wished.epochs, manner=manner, at=self.now)

    def _last(self, model: str, suite: Suite) -> EvalRun | None:
        """The newest finished run that a run of tonight can be compared with: the same questions, asked in the same way."""
        asked = options(self._plan(suite))
        for run in self.store.evals.listing(suite=suite.name, model=model, only_done=True, limit=50):
            if (run.version, run.seed, run.condition, dict(run.options)) == (suite.version, SEED, "", asked):
                return run
        return None


def due(store: Store, settings: Settings, now: datetime) -> list[tuple[Release, str]]:
    """Young releases of the chosen organizations that have no verdict, the newest first, each with why it must wait."""
    wished = settings.eval
    chosen = {name.casefold() for name in wished.organizations}
    found: list[tuple[Release, str]] = []
    since = now - timedelta(days=wished.max_age_days)
    for release in store.releases.listing(since=since, limit=500):
        if release.verdict or (chosen and release.author.casefold() not in chosen):
            continue
        rule = endpoints.rule_for(settings, release.id)
        found.append((release, "" if rule else "no [[eval.endpoint]] matches it"))
    return found


def facts(night: Night) -> dict[str, Any]:
    """What a watch did, as JSON."""
    return {
        "verdicts": [{"release": v.release_id, "verdict": v.text, "run": v.run} for v in night.verdicts],
        "alarms": [{"kind": a.kind, "model": a.model, "suite": a.suite, "text": a.text} for a in night.alarms],
        "waiting": [{"release": release, "why": why} for release, why in night.waiting],
        "runs": list(night.runs),
    }
