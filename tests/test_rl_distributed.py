"""Two gloo processes under torchrun train as one does: the same losses, the same weights, one checkpoint for any number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the rl extra")
pytest.importorskip("transformers", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")

from two_processes import KINDS, PLAN, head, run  # noqa: E402

from rl import distributed  # noqa: E402

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What two processes made of every kind, and their folder. The port is one that is free."""
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    own = {"PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(HERE / "two_processes.py"), str(folder)], env={**os.environ, **own}, capture_output=True, text=True,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "told.json").read_text()), folder


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_make_the_losses_and_weights_of_one(two, kind) -> None:
    told, alone = two[0][kind], run(kind)
    assert alone["sharded"] == 0 < told["sharded"]
    assert len(told["steps"]) == PLAN.steps
    for there, here in zip(told["steps"], alone["steps"], strict=True):
        assert there == pytest.approx(here, rel=1e-4, abs=1e-6)
    assert told["weights"] == pytest.approx(alone["weights"], rel=1e-5)
    assert any(abs(step[0]) > 1e-3 and step[2] > 1e-3 for step in told["steps"])  # something was learned from


def test_a_head_in_bf16_shards_gives_the_values_and_gradients_of_a_whole_one(two) -> None:
    shared, alone = two[0]["head"], head()
    assert (shared["dtype"], shared["rows"], alone["rows"]) == (
        "torch.bfloat16",
        6,
        11,
    )  # of 11, sharded as they are kept
    assert shared["logprobs"] == pytest.approx(alone["logprobs"], rel=1e-6)
    for name, roundings in (("hidden", 1), ("weight", 3)):  # each process rounds its own, and the sum is rounded
        there, here = torch.tensor(shared[name]), torch.tensor(alone[name])
        assert (there - here).abs().max() <= roundings * 2**-8 * here.abs().max()


def test_two_processes_end_together_and_resume_to_the_same_weights(two) -> None:
    assert two[0]["resumed"]["steps"] == two[0]["full"]["steps"]
    assert two[0]["resumed"]["weights"] == two[0]["full"]["weights"]


def test_one_process_goes_on_with_what_two_have_kept(two) -> None:
    told, folder = two
    gone_on = run("full", seed=7, folder=folder / "run")  # at its end already: nothing but the checkpoint
    assert gone_on["weights"] == pytest.approx(told["full"]["weights"], rel=1e-6)
    assert len(run("full", seed=7, folder=folder / "run", steps=PLAN.steps + 1)["steps"]) == PLAN.steps + 1


def test_alone_nothing_is_sharded_or_gathered() -> None:
    weight = torch.randn(3, 2)
    assert distributed.world() == distributed.World(0, 1)
    assert distributed.gathered(weight) is distributed.together(weight, 3) is distributed.whole(weight) is weight
    assert distributed.share(5) == [0, 1, 2, 3, 4]
    assert distributed.told_or_raised(lambda: 7) == 7


def test_shares_are_as_long_as_each_other_where_rows_do_not_divide(monkeypatch) -> None:
    for rank, expected in ((0, [0, 1, 2]), (1, [3, 4, 0])):
        monkeypatch.setattr(distributed, "world", lambda rank=rank: distributed.World(rank, 2))
        assert distributed.share(5) == expected
