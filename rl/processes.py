"""One run of `scout train` in several processes of this machine, a GPU each where there are any: `scout train --processes 4`.

    this process ─► torchrun ─► N × `rl.lesson.teach`, the model sharded between them ─► what came of it, as a file ─► this process

The first of them writes steps into the store, as one process does; losses are those of one process (`rl.distributed`). To end
them early a file is laid into the run's folder: they look for it after every step, and end together; so they do where this process
was killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rl.lesson import Cannot, Taught, teach
from rl.monitor import Alarm, Kind
from rl.record import StoreRecorder
from rl.recorder import NOBODY
from scout.config import Settings, load
from scout.config.train import Train
from scout.progress import SILENT, Progress
from scout.store import Store

ASKED, ANSWERED, STOP = "asked.json", "taught.json", "stop"
_LOOK = 0.5
"""Seconds between two looks at whether the run is to end."""


def taught(
    settings: Settings, train: Train, folder: Path, *, processes: int, stopping: Callable[[], bool], steps: Callable[[], int],
    progress: Progress = SILENT,
) -> Taught:  # fmt: skip
    """`rl.lesson.teach` in so many processes.

    Args:
        steps: how many steps the store has of the run, for the progress told here.

    Raises:
        Cannot: as one process says it, or one of them died; the end of what it printed is told.
        OSError: as one process says it: a checkpoint cannot be written.
    """
    for name in (ANSWERED, STOP):
        (folder / name).unlink(missing_ok=True)
    (folder / ASKED).write_text(
        json.dumps({"train": train.model_dump(), "data_dir": str(settings.data_dir), "parent": os.getpid()})
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    said = folder / "processes.log"
    with said.open("wb") as log:
        running = subprocess.Popen(
            [*command, "-m", "rl.processes", str(folder)], cwd=Path(__file__).resolve().parents[1],
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _wait(running, folder, stopping, steps, progress, planned=train.steps)
    finally:
        if running.poll() is None:  # Ctrl-C, or a store that failed: they do not outlive this process
            os.killpg(running.pid, signal.SIGTERM)
            running.wait()
    return _answer(folder, said, running.returncode)


def _wait(
    running: subprocess.Popen[bytes], folder: Path, stopping: Callable[[], bool], steps: Callable[[], int],
    progress: Progress, *, planned: int,
) -> None:  # fmt: skip
    done = steps()
    progress.stage("steps", planned - done)
    while True:
        try:
            running.wait(_LOOK)
            return
        except subprocess.TimeoutExpired:
            if stopping():
                (folder / STOP).touch()
            for _ in range(steps() - done):
                progress.step()
                done += 1


def _answer(folder: Path, said: Path, code: int) -> Taught:
    try:
        told = json.loads((folder / ANSWERED).read_text())
    except (OSError, ValueError):
        tail = "\n".join(said.read_text(errors="replace").strip().splitlines()[-12:])
        raise Cannot(f"the processes ended with {code} and no answer; the end of {said}:\n{tail}") from None
    if told.get("full"):
        raise OSError(told["full"])
    if told.get("cannot"):
        raise Cannot(told["cannot"])
    alarms = tuple(Alarm(Kind(kind), step, evidence) for kind, step, evidence in told["alarms"])
    return Taught(Path(told["adapter"]) if told["adapter"] else None, told["steps"], alarms)


def main() -> None:
    """What torchrun starts, once a process."""
    from rl.distributed import joined

    folder = Path(sys.argv[1])
    asked = json.loads((folder / ASKED).read_text())
    with joined() as here:
        told = _taught(folder, asked, first=here.rank == 0)
        if here.rank == 0:
            half = folder / f"{ANSWERED}.part"
            half.write_text(json.dumps(told))
            half.replace(folder / ANSWERED)


def _taught(folder: Path, asked: dict[str, Any], *, first: bool) -> dict[str, Any]:
    from rl.checkpoints import NotKept

    train, settings = Train(**asked["train"]), load()
    settings = settings.model_copy(update={"data_dir": Path(asked["data_dir"])})
    try:
        if not first:
            done = teach(train, folder, model=settings.model, recorder=NOBODY)
        else:
            with Store(settings.database, create=False) as store:
                recorder = StoreRecorder(
                    store, folder.name, data_dir=settings.data_dir, sample_every=train.sample_every,
                    stopping=lambda: (folder / STOP).exists() or not _lives(asked["parent"]),
                )  # fmt: skip
                done = teach(train, folder, model=settings.model, recorder=recorder)
    except NotKept as err:
        return {"full": str(err)}
    except Cannot as err:
        return {"cannot": str(err)}
    alarms = [(str(alarm.kind), alarm.step, alarm.evidence) for alarm in done.alarms]
    return {"adapter": done.adapter and str(done.adapter), "steps": done.steps, "alarms": alarms}


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
