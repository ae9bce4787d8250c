"""`scout rl parity --url`: a trainer against a server that runs, by log-probabilities and by the template."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

torch = pytest.importorskip("torch", reason="needs the rl extra")
transformers = pytest.importorskip("transformers", reason="needs the rl extra")
pytest.importorskip("peft", reason="needs the rl extra")

from tiny_policy import tiny  # noqa: E402
from token_server import TokenServer, token_server  # noqa: E402

from scout.cli import rl  # noqa: E402
from scout.cli.app import app  # noqa: E402
from scout.exit_codes import Exit  # noqa: E402


class Template:
    """A tokenizer that makes the same of every conversation."""

    def apply_chat_template(self, messages: Any, *, add_generation_prompt: bool, return_dict: bool) -> list[int]:
        assert add_generation_prompt
        return [5, 6, 7, 8]


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tiny().save_pretrained(tmp_path / "model")
    monkeypatch.setattr(rl, "_ids", lambda *_: [3, 9, 4, 4, 12, 7, 5, 11, 6, 3, 8])
    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda _: Template())
    return tmp_path / "model"


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server(tiny) as served:
        yield served


def parity(checkpoint: Path, url: str, *more: str) -> Result:
    return CliRunner().invoke(app, ["rl", "parity", str(checkpoint), "--url", url, "--body", "float32", *more])


def test_a_server_with_the_same_weights_and_template_is_one_function(checkpoint, server) -> None:
    server.renders = [5, 6, 7, 8]
    done = parity(checkpoint, server.base_url, "--json")
    assert done.exit_code == Exit.DONE, done.output
    found = json.loads(done.stdout)
    assert (found["model"], found["tokens"], found["verdict"]) == ("scripted", 11, "")
    assert found["fp32"]["largest"] < 1e-4
    assert sum(bucket["tokens"] for _, _, bucket in found["buckets"]) == 10


def test_other_weights_end_with_the_mean_and_1(checkpoint, server) -> None:
    server.policies["scripted"] = tiny(seed=4)
    done = parity(checkpoint, server.base_url)
    assert done.exit_code == 1
    assert "mean |Δ log-probability| is" in done.output
    assert parity(checkpoint, server.base_url, "--limit", "100").exit_code == Exit.DONE


def test_a_template_that_is_off_by_one_token_is_named_before_any_number(checkpoint, server) -> None:
    server.renders = [5, 6, 6, 7, 8]
    done = parity(checkpoint, server.base_url)
    assert done.exit_code == 1
    assert "template: tokens: the trainer's prompt has 7 at position 2, the server's 6" in " ".join(done.output.split())


def test_a_server_that_is_away_is_a_matter_of_later(checkpoint, server) -> None:
    server.stop()
    done = parity(checkpoint, server.base_url)
    assert done.exit_code == Exit.LATER
    assert "is not there" in done.output


def test_what_is_no_address_is_said(checkpoint) -> None:
    done = parity(checkpoint, "here")
    assert done.exit_code == 2
    assert "here is no address" in done.output
