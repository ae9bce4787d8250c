"""`scout rl thumbs`: how much a model learns from a reader's thumbs. Drawing papers is `rl.picks`', learning `rl.thumbs`'."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Missing
from scout.cli.eval_triage import FILE, papers_option, test_until, train_until
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, say, table
from scout.cli.shared import as_json

if TYPE_CHECKING:
    from evals.stats import Interval
    from rl.monitor import Alarm, Step
    from rl.picks import Row, Setting
    from rl.thumbs import Learned, Plan
    from scout.progress import Progress

HEAD = ("who", "AUC", "interval", "against the yardstick")


@click.command(
    cls=Command,
    example="scout rl thumbs .cache/smollm2 --papers papers.jsonl.gz --picks picks.json --pick ada --train-until 2025-12-01 --folder ada\n"
    "scout rl thumbs .cache/smollm2 --papers papers.jsonl.gz --picks picks.json --pick ada --train-until 2025-12-01 --folder ada-told "
    "--estimate --minutes 30",
)
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@papers_option
@click.option("--picks", "picks_file", type=FILE, required=True, help="Who picked which: a JSON object of names.")
@click.option("--pick", required=True, metavar="NAME", help="Whose picks are the thumbs.")
@train_until
@test_until
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), required=True,
    help="Where the run and its adapter are kept; a run that was stopped goes on from there.",
)  # fmt: skip
@click.option("--labels", type=click.IntRange(min=2), default=400, show_default=True, help="Thumbs, half of them up.")
@click.option("--tests", type=click.IntRange(min=2), default=300, show_default=True, help="Papers tested, half picked.")
@click.option(
    "--estimate",
    is_flag=True,
    help="Tell the model above what share of the thumbs the embedded policy, fitted to them, puts an item.",
)
@click.option(
    "--guesses", type=click.IntRange(min=0), default=0, show_default=True,
    help="Learn beside the thumbs what the embedded policy, fitted to them, guesses of so many papers that nobody thumbed.",
)  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=0), default=None, help="Over the thumbs, by KTO.")
@click.option("--cispo", type=click.IntRange(min=0), default=None, help="Epochs after those, by CISPO.")
@click.option(
    "--first-layer", type=click.IntRange(min=0), default=None,
    help="Layers below are left as they are; unless given, all but the last four.",
)  # fmt: skip
@click.option(
    "--body", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True,
    help="What the body computes in; the adapter and the head are FP32 in either.",
)  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=None, help="KTO's learning rate.")
@click.option(
    "--dropout", type=click.FloatRange(0, 1, max_open=True), default=None,
    help="Share of the adapter's inputs left out at random while it learns.",
)  # fmt: skip
@click.option(
    "--chars", type=click.IntRange(min=100), default=None, help="How much of a text is shown; as served, unless given."
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop after so many; the same command goes on."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is drawn.")
@as_json
def thumbs(
    checkpoint: Path, papers_file: Path, picks_file: Path, pick: str, train_until: datetime, test_until: datetime | None,
    folder: Path, labels: int, tests: int, estimate: bool, guesses: int, epochs: int | None, cispo: int | None,
    first_layer: int | None, body: str, rate: float | None, dropout: float | None, chars: int | None, minutes: float | None,
    seed: int, json_: bool,
) -> None:  # fmt: skip
    """Train on thumbs and test forward in time.

    Draws thumbs of one reader from before a day, trains an adapter on them with KTO and then CISPO, and ranks papers since,
    beside TF-IDF with logistic regression, the embedded policy and the untrained model. Needs torch, transformers and peft.
    docs/rl.md says what it reached.
    """
    if missing := [name for name in ("torch", "transformers", "peft") if importlib.util.find_spec(name) is None]:
        raise click.UsageError(f"{', '.join(missing)} not installed here: install the extra rl")
    from rl.picks import Setting
    from rl.thumbs import Plan
    from scout.cli.console import progress

    setting = Setting(
        pick=pick, train_until=train_until.date(), test_until=test_until.date() if test_until else None, labels=labels,
        tests=tests, seed=seed,
    )  # fmt: skip
    given = {
        "kto_epochs": epochs, "cispo_epochs": cispo, "first_layer": _first(checkpoint, first_layer), "learning_rate": rate,
        "dropout": dropout, "body": body, "seed": seed,
    }  # fmt: skip
    plan = Plan(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    with progress(wanted=not json_) as bars:
        learned, rows = _measured(
            checkpoint, papers_file, picks_file, setting, plan, folder, estimate, guesses, chars, minutes, bars
        )
    if json_:
        emit_json(_told(setting, plan, estimate, guesses, learned, rows))
    else:
        show(learned, rows)


def _first(checkpoint: Path, given: int | None) -> int:
    from rl import lora

    try:
        return lora.first_of_last(checkpoint) if given is None else given
    except (OSError, ValueError) as err:
        raise Missing(str(err)) from err


def _measured(
    checkpoint: Path, papers_file: Path, picks_file: Path, setting: Setting, plan: Plan, folder: Path, estimate: bool,
    guesses: int, chars: int | None, minutes: float | None, bars: Progress,
) -> tuple[Learned, tuple[Row, ...]]:  # fmt: skip
    from evals.papers import BadData, read_papers, read_picks
    from rl import lora, picks
    from rl.checkpoints import OtherRun
    from rl.guesses import CHARS, standings
    from rl.task import rating_examples, rendering
    from rl.thumbs import learn
    from scout.triage.prompting import LABEL_CHARS

    try:
        papers, named = read_papers(papers_file), read_picks(picks_file)
        if setting.pick not in named:
            raise click.BadParameter(f"{picks_file.name} holds {', '.join(named)}", param_hint="--pick")
        found = picks.drawn(papers, named[setting.pick], setting)
        bars.stage("others")
        embedded = _once(folder, setting, lambda: picks.estimates(found, picks.DEFAULT_RECIPE, setting.seed))
        told = standings(embedded, found.thumbs) if estimate else None
        render = rendering(lora.tokenizer_of(checkpoint))
        train, watched, tests = (
            rating_examples(picks.profile(), picks.labelled(part), render, standings=told, chars=chars or LABEL_CHARS)
            for part in (found.thumbs, found.watched, found.tests)
        )  # fmt: skip
        if guesses:
            made = picks.guessed(found, picks.DEFAULT_RECIPE, embedded, guesses, seed=setting.seed)
            train += rating_examples(picks.profile(), made, render, chars=min(CHARS, chars or CHARS))
        learned = learn(
            checkpoint, train, watched, plan, folder=folder, ask=tests, minutes=minutes or float("inf"), progress=bars,
            recorder=_Log(folder / "steps.jsonl"),
        )  # fmt: skip
    except (BadData, ValueError, OtherRun, OSError) as err:
        raise Missing(str(err)) from err
    if not learned.scores:
        return learned, ()
    scored: dict[str, Mapping[str, float]] = {}
    if (plain := picks.yardstick(found)) is not None:
        scored[picks.YARDSTICK] = plain
    name = "adapter, told the estimate" if estimate else "adapter"
    scored |= {picks.DEFAULT_RECIPE: embedded, "untrained": learned.before}
    if learned.between:
        scored["adapter, KTO alone"] = learned.between
    scored[name] = learned.scores
    return learned, picks.rows(found.tests, scored, seed=setting.seed)


class _Log:
    """`rl.recorder.Recorder`: a line a step."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def step(self, step: Step) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({name: value for name, value in asdict(step).items() if name != "samples"}) + "\n")

    def kept(self, steps: int, folder: Path) -> None:
        return None

    def alarms(self, raised: Sequence[Alarm]) -> None:
        return None

    def stopping(self) -> bool:
        return False


def _once(folder: Path, setting: Setting, make: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
    """What takes a minute and never changes, from the folder where it is there."""
    name = hashlib.blake2b(json.dumps(setting.to_dict(), sort_keys=True).encode(), digest_size=6).hexdigest()
    path = folder / f"embedded-{name}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dict(make())), encoding="utf-8")
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _told(
    setting: Setting, plan: Plan, estimate: bool, guesses: int, learned: Learned, rows: Sequence[Row]
) -> dict[str, Any]:
    return {
        **setting.to_dict(),
        "estimate": estimate,
        "guesses": guesses,
        "plan": {name: value for name, value in asdict(plan).items() if name != "limits"},
        "steps": len(learned.steps),
        "ended": learned.adapter is not None,
        "adapter": None if learned.adapter is None else str(learned.adapter),
        "alarms": [
            {"kind": str(alarm.kind), "step": alarm.step, "evidence": alarm.evidence} for alarm in learned.alarms
        ],
        "watched": [{"step": each.step, "auc": each.held_out} for each in learned.steps if each.held_out is not None],
        "seconds": dict(learned.seconds),
        "processor_seconds": learned.processor,
        "policies": [row.to_dict() for row in rows],
    }


def show(learned: Learned, rows: Sequence[Row]) -> None:
    """The table, for a person; or how far the run is."""
    for alarm in learned.alarms:
        complain(f"{alarm.kind} at step {alarm.step}: {alarm.evidence}")
    seen = [each for each in learned.steps if each.held_out is not None]
    said = f"; AUC on watched thumbs {seen[-1].held_out:.3f} ± {seen[-1].held_out_error:.3f}" if seen else ""
    say(f"{len(learned.steps)} steps{said}; this call took {learned.processor / 60:.1f} minutes of processor time")
    if learned.adapter is None:
        say("An alarm ended it." if learned.alarms else "Not at its end yet: the same command goes on.")
        return
    say(f"adapter: {learned.adapter}")
    table(
        HEAD,
        [
            [row.name, "–" if row.auc is None else f"{row.auc:.3f}", _span(row.interval), _span(row.against, signed=True)]
            for row in rows
        ],
        give_way="who",
    )  # fmt: skip


def _span(interval: Interval | None, *, signed: bool = False) -> str:
    if interval is None:
        return "–"
    return f"{interval.low:+.3f} to {interval.high:+.3f}" if signed else f"{interval.low:.3f} to {interval.high:.3f}"
