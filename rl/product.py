"""A reader's thumbs become an adapter that reads for them, or it is said why not: what `scout train` does, one step after the other.

    thumbs ─► course ─► parity ─► training ─► adapter ─► challenge ─► promoted, or not because

Each step leaves its result in the store, so that whatever stops in between is gone on with: a run by `--resume`, an adapter
that could not be judged for want of a server by the next call.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl import promote
from rl.course import BATCH, Course
from rl.record import StoreRecorder
from scout import adapters
from scout.clock import now
from scout.config import ConfigError, Settings
from scout.progress import SILENT, Progress
from scout.serving.errors import ModelError
from scout.store import Store
from scout.store.promotions import Challenge, Promotion
from scout.store.training import RESUMABLE, ParityRow, State, TrainingRun, new_run

if TYPE_CHECKING:
    from rl.lesson import Taught

LIMIT = 0.05
"""Mean |Δ log-probability|, in nats: a check that was made with a laxer limit does not count."""


class NotTrusted(Exception):
    """Trainer and server do not compute one function, or it could not be found out."""


@dataclass(frozen=True, slots=True)
class Trained:
    """How a call ended."""

    run: TrainingRun | None = None
    adapter: str = ""
    challenge: Challenge | None = None
    promotion: Promotion | None = None
    message: str = ""
    """For whoever asked: what was done, or why nothing was."""


def folder(settings: Settings, run: str) -> Path:
    return settings.data_dir / "training" / run


def unfinished(store: Store, settings: Settings, reader: str) -> TrainingRun | None:
    """The newest run, where it did not end and its folder is there."""
    newest = next(iter(store.training.listing(reader, limit=1)), None)
    if newest is None or newest.state not in RESUMABLE or not (folder(settings, newest.id) / "examples.json").exists():
        return None
    return newest


def waiting(store: Store, reader: str, fingerprint: str) -> str:
    """The adapter of just these thumbs and settings, where there is one; empty for none."""
    for run in store.training.listing(reader):
        if run.state is State.DONE and run.version and run.facts.get("fingerprint") == fingerprint:
            return run.version
    return ""


def checked(
    store: Store, settings: Settings, *, progress: Progress = SILENT, python: str = sys.executable
) -> ParityRow:
    """The parity check that training goes by: a recent one of this checkpoint, else one made now.

    Raises:
        NotTrusted: it names a fault, or no engine could be run here.
    """
    train = settings.train
    name = checkpoint_name(train.checkpoint)
    since = now() - timedelta(days=train.parity_days)
    for row in store.training.parity(name, limit=5):
        if row.at >= since and row.body == train.body and row.found.get("limit", LIMIT) <= LIMIT:
            break
    else:
        row = _compare(store, settings, name, progress, python)
    if row.verdict:
        raise NotTrusted(f"trainer and server differ with {name}: {row.verdict} (`scout rl parity {name}` tells more)")
    return row


def _compare(store: Store, settings: Settings, name: str, progress: Progress, python: str) -> ParityRow:
    """By engines of our own where vllm is in this environment, which also names the place; else over HTTP with the server."""
    from rl.engine import EngineFailed
    from rl.precision import measured, tokenized
    from rl.rollout import SamplerFailed
    from rl.served import compared

    train = settings.train
    prompts = sorted((Path(__file__).resolve().parents[1] / "scout" / "prompts").glob("*.md"))
    checkpoint = Path(train.checkpoint)
    over_http = importlib.util.find_spec("vllm") is None and bool(settings.model.base_urls)
    try:
        ids = tokenized(checkpoint, "\n\n".join(path.read_text() for path in prompts))[: train.parity_tokens]
        if over_http:
            asked = settings.model.model_copy(update={"base_urls": settings.model.base_urls[:1]})
            return keep_parity(store, name, compared(checkpoint, ids, asked, body=train.body, limit=LIMIT))
        return keep_parity(
            store, name, measured(checkpoint, ids, body=train.body, python=python, progress=progress, limit=LIMIT)
        )
    except (EngineFailed, SamplerFailed) as err:
        raise NotTrusted(f"whether trainer and server compute one function cannot be found out now: {err}") from err
    except (OSError, ValueError) as err:
        raise ConfigError(f"train.checkpoint: {checkpoint} cannot be loaded: {err}") from err


def keep_parity(store: Store, name: str, found: Any) -> ParityRow:
    """A `rl.precision.Precision` or `rl.served.Served`, written down."""
    told = found.to_dict()
    row = ParityRow(
        checkpoint=name, body=found.body, tokens=found.tokens, at=now(), verdict=found.verdict, found=_plain(told)
    )
    return replace(row, id=store.training.compared(row))


def checkpoint_name(given: str | Path) -> str:
    """A folder as its whole path, a name on the Hub as it is."""
    return str(Path(given).resolve()) if Path(given).is_dir() else str(given)


def begun(settings: Settings, reader: str, course: Course, parity: ParityRow) -> TrainingRun:
    """A new run, not written down yet."""
    at, train = now(), settings.train
    facts = {
        **course.facts(), "fingerprint": course.fingerprint(settings),
        "parity": {"id": parity.id, "at": parity.at.isoformat(), "verdict": parity.verdict},
    }  # fmt: skip
    return TrainingRun(
        id=new_run(at), reader=reader, recipe=train.loss, base=checkpoint_name(train.checkpoint),
        settings=train.model_dump(), seed=train.seed,
        planned=planned(settings, len(course.learn) + len(course.guesses)), started=at, facts=facts,
    )  # fmt: skip


def with_guesses(
    store: Store, settings: Settings, reader: str, course: Course, *, progress: Progress = SILENT
) -> Course:
    """The course with what is learned beside its thumbs, where the loss takes such."""
    if settings.train.loss != "kto" or not settings.train.guesses or course.since is None:
        return course
    from rl import guesses

    return replace(
        course, guesses=guesses.of_reader(store, settings, reader, course.learn, course.since, progress=progress)
    )


def planned(settings: Settings, learned: int) -> int:
    """Steps of a run that learns from so many thumbs and guesses."""
    train = settings.train
    return train.steps if train.loss != "kto" else -(-learned // BATCH) * (train.epochs + train.cispo_epochs)


def run(
    store: Store, settings: Settings, this: TrainingRun, *, stopping: Callable[[], bool], progress: Progress = SILENT,
    course: Course | None = None, processes: int = 1,
) -> TrainingRun:  # fmt: skip
    """Train; the run as it ended, with its adapter's name where there is one.

    Args:
        course: what a new run learns; None where `this` is gone on with.
        processes: of this machine, which share the model.

    Raises:
        rl.lesson.Cannot: see there.
        rl.checkpoints.NotKept: the disk is full; what was kept stands.
    """
    from rl import lesson

    train = type(settings.train)(**this.settings)
    place = folder(settings, this.id)
    try:
        if course is not None:
            lesson.prepare(course, train, place)
        store.training.start(replace(this, state=State.RUNNING))
        taught = _taught(store, settings, this, stopping=stopping, progress=progress, processes=processes)
    except BaseException as err:
        if store.training.get(this.id) is not None:
            stopped = isinstance(err, KeyboardInterrupt)
            state = State.STOPPED if stopped else State.FAILED
            store.training.finish(this.id, now(), state=state, message="stopped" if stopped else f"{err}"[:1000])
        raise
    if taught.adapter is None:
        return _ended(store, this, taught)
    made = adapters.adopt(
        store, settings, this.reader, taught.adapter, run=this.id, base=_served(settings),
        facts={
            "checkpoint": this.base, "held_out_since": this.facts["held_out_since"], "parity": this.facts["parity"],
            "thumbs": this.facts["learn"]["thumbs"], "rank": train.rank,
        },
    )  # fmt: skip
    store.training.finish(this.id, now(), state=State.DONE, version=made.name)
    shutil.rmtree(place, ignore_errors=True)  # the adapter was copied; nothing is resumed any more
    found = store.training.get(this.id)
    assert found is not None
    return found


def _taught(
    store: Store, settings: Settings, this: TrainingRun, *, stopping: Callable[[], bool], progress: Progress, processes: int
) -> Taught:  # fmt: skip
    train, place = type(settings.train)(**this.settings), folder(settings, this.id)
    if processes > 1:
        from rl.processes import taught

        return taught(
            settings, train, place, processes=processes, stopping=stopping, progress=progress,
            steps=lambda: len(store.training.steps(this.id)),
        )  # fmt: skip
    from rl.lesson import teach

    recorder = StoreRecorder(
        store, this.id, data_dir=settings.data_dir, sample_every=train.sample_every, stopping=stopping
    )
    return teach(train, place, model=settings.model, recorder=recorder, progress=progress)


def _ended(store: Store, this: TrainingRun, taught: Taught) -> TrainingRun:
    if taught.alarms:
        said = "; ".join(f"{alarm.kind}: {alarm.evidence}" for alarm in taught.alarms)
        store.training.finish(this.id, now(), state=State.ALARMED, message=said)
    else:
        said = f"stopped after {len(store.training.steps(this.id))} steps; `scout train --resume` goes on"
        store.training.finish(this.id, now(), state=State.STOPPED, message=said)
    found = store.training.get(this.id)
    assert found is not None
    return found


def _served(settings: Settings) -> str:
    """The model as it is served; empty where no server tells."""
    import asyncio

    from scout.serving.client import ModelClient

    async def ask() -> str:
        async with ModelClient(settings.model) as client:
            return await client.model_name()

    if settings.model.name or not settings.model.base_urls:
        return settings.model.name
    try:
        return asyncio.run(ask())
    except ModelError:
        return ""


def judged(
    store: Store, settings: Settings, reader: str, name: str, *, by: str, progress: Progress = SILENT
) -> Trained:
    """Challenge, and promotion where it passed.

    Raises:
        adapters.ServerTrouble: the server is away or does not take the adapter; who serves is as before.
        scout.policies.NoChange: it serves already.
    """
    won = promote.won(store, reader, name)
    met = won or promote.challenge(store, settings, reader, name, by=by, progress=progress)
    if not met.passed:
        return Trained(adapter=name, challenge=met, message=f"not promoted, because {met.evidence['reason']}")
    change = adapters.promote(store, settings, reader, name, by=by, evidence=met.evidence)
    return Trained(adapter=name, challenge=met, promotion=change, message=f"{name} reads for {reader} from now on")


def _plain(value: Any) -> Any:
    """Numbers that JSON has no word for become null."""
    import math

    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
