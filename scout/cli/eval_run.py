"""`scout eval run`: asks a model the questions of suites. The asking and counting is `evals`'; this asks for it and prints it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Later, Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, on_terminal, say, table
from scout.cli.shared import as_json, open_store, settings, typed
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from evals.core import Suite
    from evals.evaluate import Plan
    from scout.config import Model, Settings
    from scout.store.evals import EvalRun

HEAD = ("run", "suite", "asked", "score", "95% interval", "pass^k", "errors", "cut", "tokens per solved", "note")


@click.command(
    cls=Command, name="run",
    example="scout eval run logic mathematics --epochs 4\nscout eval run all --base-url http://127.0.0.1:8000/v1 --resume",
)  # fmt: skip
@click.argument("suites", nargs=-1, required=True, metavar="SUITE...")
@click.option("--model", metavar="NAME", help="As served; what the endpoint lists first unless given.")
@click.option("--base-url", metavar="URL", help="Another endpoint than model.base_urls.")
@click.option("--release", default="", metavar="ID", help="The release that it is, such as Qwen/Qwen3-8B.")
@click.option("--epochs", type=click.IntRange(1, 64), help="How often each item is asked; eval.epochs unless given.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="So many items of each suite; the suite's own number unless given."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Which items: the same seed gives the same.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="eval.temperature unless given.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    help="No answer is longer; eval.max_tokens unless given, else as the item says.",
)
@click.option(
    "--as", "variant", metavar="WORDS", default="",
    help="What tells this way of asking or serving from others of the same model: it stands behind the name.",
)  # fmt: skip
@click.option(
    "--perturb", metavar="NAME", default="", help="Under a perturbation, to compare with the same run without."
)
@click.option(
    "--gate", type=click.Choice(["run", "kept", "skip"]), default="run", show_default=True,
    help="Check the server first, take its last check, or do without; a run without is labelled so.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on where it was stopped; what finished is not asked again.")
@as_json
@click.pass_context
def run(ctx: click.Context, /, suites: tuple[str, ...], json_: bool, **chosen: Any) -> None:
    """Measure a model with suites of questions.

    Every answer is kept as it comes, so that a run that was stopped goes on with --resume. What the endpoint got wrong is
    counted apart from what the model got wrong. docs/models.md says what the figures mean.
    """
    found = settings()
    try:
        done = measured(found, named(found, suites, chosen["perturb"]), chosen, wanted=not json_)
    except KeyboardInterrupt:
        complain("stopped; the answers so far are kept, and the same command with --resume goes on from them")
        ctx.exit(Exit.INTERRUPTED)
    if json_:
        emit_json([facts(run) for run in done])
    else:
        table(HEAD, rows(done), give_way="note")
        say_parts(done)
    for each in done:
        if each.message:
            complain(f"{each.suite}: {each.message}")
    ctx.exit(Exit.DONE if all(each.is_done for each in done) else Exit.LATER)


def named(found: Settings, names: Sequence[str], perturb: str) -> list[Suite]:
    """The suites of these names, all for `all`, under the perturbation where one is named.

    Raises:
        Missing: there is none of a name.
    """
    from evals.suites import installed

    known = installed(found.data_dir / "evals")
    if missing := [name for name in names if name not in known and name != "all"]:
        raise Missing(f"no suite {missing[0]!r}; there are {', '.join(known)}")
    wanted = list(known.values()) if "all" in names else [known[name] for name in dict.fromkeys(names)]
    if not perturb:
        return wanted
    from evals.perturb import PERTURBATIONS, applies, perturbed

    if perturb not in PERTURBATIONS:
        raise Missing(f"no perturbation {perturb!r}; there are {', '.join(PERTURBATIONS)}")
    by = PERTURBATIONS[perturb]
    fitting = [suite for suite in wanted if applies(suite, by)]
    if not fitting:
        raise Missing(f"{perturb} changes tools, and {wanted[0].name} has none; agentic and shortcuts have")
    return [perturbed(suite, by) for suite in fitting]


def measured(found: Settings, suites: Sequence[Suite], chosen: dict[str, Any], *, wanted: bool) -> list[EvalRun]:
    """Run them, one after the other, on one endpoint."""
    from evals import endpoints, trust
    from evals.evaluate import Refused, evaluate
    from evals.run import NeedsExtra, check_installed
    from scout.cli.console import progress
    from scout.config import ConfigError
    from scout.serving.client import ModelClient
    from scout.serving.errors import ModelError

    asked: Model = endpoints.chosen(found, base_url=chosen["base_url"], name=chosen["model"])
    if not asked.base_urls:
        raise ConfigError("model.base_urls names no endpoint to measure; set it, or give --base-url")

    async def each() -> list[EvalRun]:
        done: list[EvalRun] = []
        async with ModelClient(asked) as client:
            with progress(wanted=wanted) as bars, open_store(found, create=True) as store:
                label, checks = await trust.label(client, found.data_dir, trust.Gate(chosen["gate"]), progress=bars)
                for suite in suites:
                    plan = planned(found, suite, chosen, label=label, checks=checks, base_url=asked.base_urls[0])
                    try:
                        one = await evaluate(
                            store, found.data_dir, client, plan, resume=chosen["resume"], keep=chosen["resume"],
                            progress=bars, vet=trust.vet,
                        )  # fmt: skip
                    except Refused as err:
                        if len(suites) == 1:
                            raise
                        complain(str(err))
                        continue
                    done.append(one)
                    if not one.is_done:
                        break
        return done

    try:
        check_installed()
        return asyncio.run(each())
    except ModelError as err:
        if err.kind.passes:
            raise Later(f"{err.message}; nothing was measured") from err
        raise ConfigError(f"{err.message}; see model.base_urls, model.name and SCOUT_MODEL__API_KEY") from err
    except (Refused, NeedsExtra) as err:
        raise Missing(str(err)) from err


def planned(
    found: Settings, suite: Suite, chosen: dict[str, Any], *, label: str, checks: dict[str, Any], base_url: str
) -> Plan:  # fmt: skip
    from evals import endpoints
    from evals.asking import Manner
    from evals.evaluate import Plan

    usual = found.eval
    temperature = usual.temperature if chosen["temperature"] is None else chosen["temperature"]
    other = "" if temperature == usual.temperature else f"at temperature {temperature:g}"
    manner = Manner(
        temperature=temperature, min_tokens=usual.min_tokens,
        max_tokens=chosen["max_tokens"] or usual.max_tokens.get(suite.name, 0),
    )  # fmt: skip
    return Plan(
        suite=suite, condition=chosen["perturb"], seed=chosen["seed"], items=chosen["limit"] or suite.items,
        epochs=chosen["epochs"] or found.eval.epochs, release_id=chosen["release"], label=label, checks=checks,
        manner=manner, variant=typed(chosen["variant"]) or other, prices=endpoints.prices(found, base_url),
    )  # fmt: skip


def facts(run: EvalRun) -> dict[str, Any]:
    """A run as JSON (docs/schemas/eval-runs.schema.json)."""
    from dataclasses import asdict

    return {**asdict(run), "label": run.label, "done": run.is_done}


def rows(runs: Sequence[EvalRun]) -> list[list[str]]:
    """The table's cells."""
    return [[run.id, *_figures(run), run.label if run.is_done else run.message or run.label] for run in runs]


def say_parts(runs: Sequence[EvalRun]) -> None:
    """What the scores hide, for people: the difficulty at which they were made, and what verdicts told apart."""
    if not on_terminal():
        return
    for run in runs:
        if told := "; ".join(filter(None, (_listed(run, "levels", "level "), _listed(run, "parts", "")))):
            say(f"{run.suite} ({run.id}): {told}")


def _listed(run: EvalRun, key: str, before: str) -> str:
    found = run.summary.get(key, {})  # a run that was kept by an earlier version has none
    return ", ".join(f"{before}{name} {share(each['mean'])} of {each['n']}" for name, each in found.items())


def _figures(run: EvalRun) -> list[str]:
    found = run.summary
    condition = f" ({run.condition})" if run.condition else ""
    asked = f"{run.items} × {run.epochs}"
    if not found:
        return [f"{run.suite}{condition}", asked, *("–",) * 6]
    passes = ", ".join(f"{k}: {value:.0%}" for k, value in found["pass"].items())
    each = found["tokens_per_solved"]
    return [
        f"{run.suite}{condition}", asked, share(found["mean"]), interval(found["low"], found["high"]), passes or "–",
        str(found["errors"]), str(found["cut"]), "–" if each is None else f"{each:,.0f}",
    ]  # fmt: skip


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.1%} to {high:.1%}"
