"""One training run of `scout train`: examples in, an adapter's folder out. The only part of it that loads torch.

What a run is given is kept in its folder first, token by token, so that it resumes with what it began with whatever the reader
said since. By `kto` the loop is `rl.thumbs`', by any other loss `rl.train`'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl.course import BATCH, Course
from rl.guesses import CHARS
from rl.recorder import Recorder
from rl.rewards import Label
from rl.task import Example, Render, Triage, rating_examples, rendering
from rl.variants import Which
from scout.config import Model
from scout.config.train import Train
from scout.progress import SILENT, Progress

if TYPE_CHECKING:
    from rl.monitor import Alarm
    from rl.server_rollout import ServerSampler

EXAMPLES = "examples.json"
THIRD = 3
"""Adapters that learn from drawn answers leave the first third of the layers as they are."""


class Cannot(Exception):
    """The run cannot begin or go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Taught:
    adapter: Path | None
    """A PEFT folder; None where the run was stopped or an alarm ended it."""
    steps: int
    alarms: tuple[Alarm, ...] = ()


def prepare(course: Course, train: Train, folder: Path) -> None:
    """Write down what the run is given, unless it is there already.

    Raises:
        Cannot: the checkpoint has no tokenizer that can render prompts.
    """
    place = folder / EXAMPLES
    if place.exists():
        return
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(train.checkpoint)
        learn, watched = _examples(course, rendering(tokenizer), varied=train.variants)
        told = {"learn": [_plain(each) for each in learn], "watched": [_plain(each) for each in watched]}
    except (OSError, ValueError) as err:
        raise Cannot(f"train.checkpoint: {train.checkpoint} has no tokenizer that renders prompts: {err}") from err
    folder.mkdir(parents=True, exist_ok=True)
    half = place.with_suffix(".part")
    half.write_text(json.dumps(told), encoding="utf-8")
    half.replace(place)


def teach(train: Train, folder: Path, *, model: Model, recorder: Recorder, progress: Progress = SILENT) -> Taught:
    """Train on what `prepare` wrote down; goes on from the folder's checkpoint where there is one.

    Args:
        model: who is asked for rollouts, where `train.rollouts` is the server.

    Raises:
        Cannot: the model cannot be loaded, the thumbs cannot teach, rollouts cannot be had, or the checkpoint is another run's.
        rl.checkpoints.NotKept: a checkpoint cannot be written; the one before stands.
    """
    from rl import checkpoints
    from rl.rollout import SamplerFailed
    from rl.signals import Stopping

    told = json.loads((folder / EXAMPLES).read_text(encoding="utf-8"))
    learn, watched = (tuple(_example(each) for each in told[name]) for name in ("learn", "watched"))
    try:
        if train.loss == "kto":
            return _by_thumbs(train, learn, watched, folder, recorder, _Attentive(progress, recorder.stopping))
        with _sampler(train, model, folder) as sampler:
            return _by_answers(train, Triage(learn, watched), folder, sampler, recorder, progress)
    except Stopping:
        return Taught(None, 0)
    except checkpoints.NotKept:
        raise
    except (checkpoints.OtherRun, SamplerFailed, ValueError) as err:
        raise Cannot(str(err)) from err
    except OSError as err:
        raise Cannot(f"train.checkpoint: {train.checkpoint} cannot be loaded: {err}") from err


def _by_thumbs(
    train: Train, learn: Sequence[Example], watched: Sequence[Example], folder: Path, recorder: Recorder, progress: Progress
) -> Taught:  # fmt: skip
    from rl import lora
    from rl.thumbs import Plan
    from rl.thumbs import learn as learned

    first = lora.first_of_last(Path(train.checkpoint))
    plan = Plan(
        kto_epochs=train.epochs, cispo_epochs=train.cispo_epochs, batch=BATCH, rank=train.rank, body=train.body,
        first_layer=first, learning_rate=train.learning_rate, seed=train.seed,
        held_out_every=train.keep_every, keep_every=train.keep_every,
    )  # fmt: skip
    done = learned(Path(train.checkpoint), learn, watched, plan, folder=folder, recorder=recorder, progress=progress)
    return Taught(done.adapter, len(done.steps), done.alarms)


class _Attentive:
    """Progress that ends a run where it is asked to outside of its steps, which look for themselves: what all prompts have in
    common takes minutes to compute."""

    def __init__(self, inner: Progress, stopping: Callable[[], bool]) -> None:
        self._inner, self._stopping, self._stage = inner, stopping, ""

    def stage(self, name: str, total: int | None = None) -> None:
        self._stage = name
        self._inner.stage(name, total)

    def step(self, label: str = "") -> None:
        from rl.signals import Stopping

        self._inner.step(label)
        if self._stage != "steps" and self._stopping():
            raise Stopping

    def done(self) -> None:
        self._inner.done()


def _by_answers(
    train: Train, task: Triage, folder: Path, sampler: ServerSampler | None, recorder: Recorder, progress: Progress
) -> Taught:
    from rl import lora
    from rl.distributed import shard
    from rl.train import Plan
    from rl.train import train as trained

    base, tokenizer = lora.loaded(Path(train.checkpoint), train.body, device=lora.here())
    model = shard(lora.adapted(base, rank=train.rank, first=_first(train.checkpoint), seed=train.seed))
    plan = Plan(
        steps=train.steps, prompts=train.prompts, group=train.group, loss=train.loss, beta=train.kl,
        learning_rate=train.learning_rate, seed=train.seed, held_out_every=train.keep_every, keep_every=train.keep_every,
        at_once=train.at_once, ahead=1 if sampler else 0,
    )  # fmt: skip
    done = trained(
        model, task, plan, decode=tokenizer.decode, folder=folder, recorder=recorder, progress=progress, sampler=sampler
    )  # fmt: skip
    whole = not done.alarms and not done.stopped
    return Taught(lora.save(model, folder / "adapter") if whole else None, len(done.steps), done.alarms)


@contextmanager
def _sampler(train: Train, model: Model, folder: Path) -> Iterator[ServerSampler | None]:
    """The server, where it draws; None for the model that is trained.

    Raises:
        Cannot: no server is set.
    """
    if train.rollouts == "here":
        yield None
        return
    from rl.server_rollout import ServerSampler

    if not model.base_urls:
        raise Cannot("train.rollouts is the server's, and model.base_urls names none")
    with ServerSampler(model, folder / "policies", run=folder.name) as sampler:
        yield sampler


def _first(checkpoint: str) -> int:
    import transformers

    return int(transformers.AutoConfig.from_pretrained(checkpoint).num_hidden_layers) // THIRD


def _examples(course: Course, render: Render, *, varied: bool) -> tuple[Sequence[Example], Sequence[Example]]:
    """Those that teach, and those that watch: as they are served, and where prompts are varied also in ways never trained on."""

    def made(thumbs: Sequence[Any], which: Which = Which.PLAIN) -> tuple[Example, ...]:
        return rating_examples(course.profile, _labelled(thumbs), render, which=which)

    how = Which.TRAINED if varied else Which.PLAIN
    guesses = rating_examples(course.profile, course.guesses, render, chars=CHARS, which=how)
    learn = (*made(course.learn, how), *guesses)
    if not varied:
        return learn, made(course.watched)
    others = (replace(each, id=f"{each.id} in other words") for each in made(course.watched, Which.HELD_OUT))
    return learn, (*made(course.watched), *others)


def _labelled(thumbs: Sequence[Any]) -> list[tuple[Any, Label]]:
    return [(one.item, Label(up=one.up, reasons=one.reasons)) for one in thumbs]


def _plain(example: Example) -> dict[str, Any]:
    return {
        "id": example.id, "prompt": list(example.prompt), "source": example.source, "up": example.label.up,
        "reasons": list(example.label.reasons), "sure": example.label.sure,
    }  # fmt: skip


def _example(told: dict[str, Any]) -> Example:
    label = Label(up=told["up"], reasons=tuple(told["reasons"]), sure=told.get("sure", 1.0))
    return Example(told["id"], tuple(told["prompt"]), told["source"], label)
