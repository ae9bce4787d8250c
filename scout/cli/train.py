"""`scout train`: thumbs in, an adapter that reads for the reader out, or why not. The work is `rl.product`'s."""

from __future__ import annotations

import importlib.util
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Later, Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, line, say
from scout.cli.shared import as_json, existing_reader, open_store, reader_option, settings
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from rl.course import Course
    from rl.product import Trained
    from scout.config import Settings
    from scout.progress import Progress
    from scout.store import Store
    from scout.store.training import TrainingRun

NEEDED = ("torch", "transformers", "peft")


@click.command(
    cls=Command,
    example="scout train\nscout train --reader ada --resume\nscout train --processes 4\nscout train --dry-run --json",
)
@reader_option
@click.option(
    "--resume", is_flag=True, help="Go on with the newest run that did not end; begin one where there is none."
)
@click.option("--again", is_flag=True, help="Also where these thumbs and settings were trained on before.")
@click.option("--dry-run", is_flag=True, help="Only say what would be trained on, and whether it is enough.")
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Share the model between so many processes of this machine, a GPU each. Not for kto.",
)
@as_json
@click.pass_context
def train(
    ctx: click.Context, reader: str | None, resume: bool, again: bool, dry_run: bool, processes: int, json_: bool
) -> None:
    """Train an adapter from thumbs.

    The older thumbs teach an adapter of the served model, the newer ones judge it: it reads for the reader only where it
    foresaw them better than what reads now, and lost nothing on the suites of train.suites. docs/training.md tells more.

    Run it from cron as often as you like: without new thumbs nothing is done. Exit status: 0 promoted, not promoted, or too
    few thumbs; 1 an alarm or a parity fault ended it; 75 try again later (--resume goes on); 78 the configuration.
    """
    from rl.course import course
    from scout.locks import held

    found = settings()
    with open_store(found) as store:
        name = existing_reader(store, found, reader)
        if dry_run:
            _planned(found, name, course(store, found, name), json_=json_)
            return
        from scout.cli.console import progress

        with held(found, "train"), progress(wanted=not json_) as bars, _stoppable() as stopping:
            code, done = _trained(store, found, name, _Asked(resume, again, processes), stopping, bars)
        facts = told(store, name, done)
    if json_:
        emit_json({**facts, "exit_code": int(code)})
    elif code in (Exit.DONE, Exit.INTERRUPTED):
        say(_sentence(done))
    if code not in (Exit.DONE, Exit.INTERRUPTED) or (json_ and code is not Exit.DONE):
        complain(done.message)
    ctx.exit(code)


@dataclass(frozen=True, slots=True)
class _Asked:
    resume: bool
    again: bool
    processes: int


def _trained(
    store: Store, found: Settings, reader: str, asked: _Asked, stopping: Callable[[], bool], bars: Progress
) -> tuple[Exit, Trained]:
    """All of it, and the exit code that it comes to."""
    from rl import product
    from rl.course import course
    from rl.product import Trained
    from scout.config import ConfigError
    from scout.store.training import State

    learned = None
    this = product.unfinished(store, found, reader) if asked.resume else None
    if this is None:
        learned = course(store, found, reader)
        if learned.missing:
            return Exit.DONE, Trained(message=f"nothing is trained: {learned.missing}")
        if (name := product.waiting(store, reader, learned.fingerprint(found))) and not asked.again:
            return _judged(store, found, reader, name, bars, fresh=False)
        this, learned = _begun(store, found, reader, learned, bars)
    _check_installed()
    if asked.processes > 1 and this.recipe == "kto":
        raise ConfigError(
            "train.loss: kto, which draws no answers, trains in one process; leave --processes out, or set another loss"
        )
    run = _run(store, found, this, learned, asked.processes, stopping, bars)
    if run.state is State.DONE:
        code, done = _judged(store, found, reader, run.version, bars, fresh=True)
        return code, _with_run(done, run)
    code = Exit.BUG if run.state is State.ALARMED else Exit.LATER
    said = f"an alarm ended the run: {run.message}" if run.state is State.ALARMED else run.message
    return code, Trained(run=run, message=said)


def _begun(store: Store, found: Settings, reader: str, learned: Course, bars: Progress) -> tuple[TrainingRun, Course]:
    """A run that may begin, and all it learns: everything is installed, the weights are named, trainer and server agree."""
    from rl import product

    if not found.train.checkpoint:
        from scout.config import ConfigError

        raise ConfigError("train.checkpoint names no weights; set it to the folder (or the Hub's name) that is served")
    _check_installed()
    try:
        parity = product.checked(store, found, progress=bars)
    except product.NotTrusted as err:
        raise Missing(f"nothing is trained: {err}") from err
    whole = product.with_guesses(store, found, reader, learned, progress=bars)
    return product.begun(found, reader, whole, parity), whole


def _run(
    store: Store,
    found: Settings,
    this: TrainingRun,
    learned: Course | None,
    processes: int,
    stopping: Callable[[], bool],
    bars: Progress,
) -> TrainingRun:
    from rl import product
    from rl.lesson import Cannot

    try:
        return product.run(store, found, this, stopping=stopping, progress=bars, course=learned, processes=processes)
    except Cannot as err:
        raise Missing(f"training cannot go on: {err}") from err
    except OSError as err:
        raise Later(f"training stopped: {err}; `scout train --resume` goes on") from err


def _judged(
    store: Store, found: Settings, reader: str, name: str, bars: Progress, *, fresh: bool
) -> tuple[Exit, Trained]:
    from rl import product
    from rl.product import Trained
    from scout.adapters import ServerTrouble
    from scout.policies import NoChange

    last = next(iter(store.promotions.challenges(reader, challenger=f"adapter:{name}", limit=1)), None)
    if not fresh and (store.adapters.serving(reader) == name or last is not None):
        told = "reads already" if store.adapters.serving(reader) == name else "was judged"
        return Exit.DONE, Trained(
            adapter=name, challenge=last, message=f"nothing new since {name}, which {told}; --again trains anew"
        )
    try:
        return Exit.DONE, product.judged(store, found, reader, name, by="train", progress=bars)
    except ServerTrouble as err:
        said = f"{name} is trained and could not be judged: {err}; the same command goes on from there"
        return Exit.LATER if err.passes else Exit.CONFIG, Trained(adapter=name, message=said)
    except NoChange as err:
        return Exit.DONE, Trained(adapter=name, message=f"{name} is trained and was not promoted: {err}")


def _with_run(done: Trained, run: TrainingRun) -> Trained:
    return replace(done, run=run)


def _check_installed() -> None:
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise Missing(f"{', '.join(missing)} not installed here: training needs the extra rl, pip install 'scout[rl]'")


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """SIGTERM ends a run after its step, with its state kept."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)


def _planned(found: Settings, reader: str, learned: Course, *, json_: bool) -> None:
    from rl.product import planned

    guesses = found.train.guesses if found.train.loss == "kto" else 0
    facts = {
        "reader": reader, "checkpoint": found.train.checkpoint, "loss": found.train.loss, **learned.facts(),
        "steps": planned(found, len(learned.learn) + guesses), "guesses": guesses,
    }  # fmt: skip
    if json_:
        emit_json(facts)
        return
    for name, what in (("learn", "teach"), ("watched", "watch the training"), ("held_out", "judge it")):
        say(f"{facts[name]['thumbs']} thumbs ({facts[name]['up']} up) {what}")
    if learned.since:
        say(f"held out from {learned.since.isoformat()} on, {learned.held_out_days} days")
    if guesses:
        say(f"up to {guesses} items that nobody thumbed are learned beside them, as the embedded policy guesses them")
    on = line(found.train.checkpoint) or "no checkpoint yet (train.checkpoint)"
    say(f"{'up to ' if guesses else ''}{facts['steps']} steps by {found.train.loss} on {on}")
    if learned.missing:
        say(f"not yet: {learned.missing}")


def _sentence(done: Trained) -> str:
    return done.message[:1].upper() + done.message[1:] + ("" if done.message.endswith(".") else ".")


def told(store: Store, reader: str, done: Trained) -> dict[str, Any]:
    """How a call ended, as JSON (docs/schemas/train.schema.json)."""
    from scout.cli.policy_words import challenge_facts, promotion_facts

    run = done.run
    steps = store.training.steps(run.id) if run else []
    return {
        "reader": reader, "message": done.message, "adapter": done.adapter or None,
        "run": run and {
            "id": run.id, "state": str(run.state), "loss": run.recipe, "checkpoint": run.base, "started": run.started,
            "ended": run.ended, "steps": len(steps), "message": run.message, "facts": dict(run.facts),
            "last": dict(steps[-1].figures) if steps else None,
        },
        "challenge": done.challenge and challenge_facts(done.challenge),
        "promotion": done.promotion and promotion_facts(done.promotion),
    }  # fmt: skip
