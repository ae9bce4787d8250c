"""`scout train` through a real vLLM: it draws, is stopped and gone on with on a server started anew, judges, reads, and gives back.

Runs in .venv-vllm, where torch is: `.venv-vllm/bin/python -m pytest -m vllm tests/test_rl_vllm_train.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

for needed in ("torch", "transformers", "peft"):
    pytest.importorskip(needed, reason="needs the rl extra")

import policy_samples  # noqa: E402
from click.testing import CliRunner, Result  # noqa: E402
from policy_samples import READER, weekdays  # noqa: E402
from product_samples import agree, told, train  # noqa: E402
from vllm_server import CHECKPOINT, KEY, NAME, Vllm  # noqa: E402

from rl import gate, product  # noqa: E402
from rl.course import course  # noqa: E402
from scout.cli.app import app  # noqa: E402
from scout.config import load  # noqa: E402
from scout.store import Store  # noqa: E402
from scout.store.training import State  # noqa: E402

pytestmark = pytest.mark.vllm
WAYS = {
    "CHECKPOINT": str(CHECKPOINT), "LOSS": "cispo", "ROLLOUTS": "server", "STEPS": "2", "PROMPTS": "2", "GROUP": "4",
    "RANK": "2", "BODY": "float32", "LEAST_THUMBS": "16", "HELD_OUT": "0.6",
}  # fmt: skip


@pytest.fixture
def store(vllm: Vllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Of someone who has read for some weeks, with the real server to read for them."""
    (tmp_path / "weeks").mkdir()
    with policy_samples.weeks(tmp_path / "weeks", days=12, a_day=60):
        pass
    policy_samples.two_recipes(monkeypatch)
    monkeypatch.setattr(gate, "ANSWERS", 4)  # what the gate finds is test_rl_vllm_rollouts'
    monkeypatch.setattr(gate, "PROMPTS", 1)
    served = {"BASE_URLS": json.dumps(vllm.settings.base_urls), "API_KEY": KEY, "TIMEOUT_SECONDS": "240"}
    values = {f"TRAIN__{name}": value for name, value in WAYS.items()} | {f"MODEL__{n}": v for n, v in served.items()}
    with policy_samples.copied(monkeypatch, tmp_path / "weeks", TODAY=weekdays(12)[-1].isoformat(), **values) as (
        store,
        _,
    ):
        yield store


def policy(*words: str) -> Result:
    return CliRunner().invoke(app, ["policy", *words])


def test_a_run_outlives_its_server_and_its_adapter_is_judged_serves_and_is_taken_back(vllm: Vllm, store: Store) -> None:
    settings, parity = load(), agree(store)
    learned = course(store, settings, READER)
    begun = product.begun(settings, READER, learned, parity)
    stopped = product.run(store, settings, begun, stopping=lambda: bool(store.training.steps(begun.id)), course=learned)
    assert stopped.state is State.STOPPED
    assert len(store.training.steps(begun.id)) == 1

    vllm.start_again()  # no adapter is loaded any more
    done = told(train("--resume", "--json"))
    assert (done["run"]["id"], done["run"]["state"]) == (begun.id, "done"), done["message"]
    first, second = store.training.steps(begun.id)
    assert (first.version, first.figures["staleness"]) == ("step-0", 0)
    assert first.figures["mismatch_largest"] < 2e-3
    if (
        second.version == "step-0"
    ):  # sampled before the run was stopped, by a policy one step older than the one trained
        assert second.figures["staleness"] == 1
        assert first.figures["mismatch_mean"] < second.figures["mismatch_mean"] < 1
    else:  # still on its way then: asked for again, of the policy that the new server was given
        assert (second.version, second.figures["staleness"]) == ("step-1", 0)
        assert second.figures["mismatch_largest"] < 2e-3
    assert min(first.figures["grad_norm"], second.figures["grad_norm"]) > 0

    name = done["adapter"]
    assert done["challenge"]["evidence"]["thumbs"] >= 60
    assert "not promoted, because" in done["message"]  # two steps on a few thumbs foresee nothing better
    assert vllm.run(lambda client: client.models()) == (NAME,)  # neither what it drew with nor what did not pass
    assert policy("promote", name, "--force", "--why", "to see it serve").exit_code == 0
    assert store.adapters.serving(READER) == name
    assert set(vllm.run(lambda client: client.models())) == {NAME, name}
    assert policy("rollback").exit_code == 0
    assert vllm.run(lambda client: client.models()) == (NAME,)
