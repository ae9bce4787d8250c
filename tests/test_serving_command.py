"""What vLLM is started with, by model family."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from scout.serving import install
from scout.serving.command import BadCommand, Command, ServeOptions, command
from scout.serving.families import UNKNOWN, Thinking, family


def made(model: str = "Qwen/Qwen3-8B", **options: Any) -> Command:
    return command(ServeOptions(model=model, **options), family(model))


def after(found: Command, flag: str) -> str:
    return found.argv[found.argv.index(flag) + 1]


@pytest.mark.parametrize(
    ("model", "reasoning", "tools"),
    [
        ("Qwen/Qwen3-8B", "qwen3", "qwen3_json"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "", "qwen3_json"),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507-FP8", "qwen3", "qwen3_json"),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct", "", "qwen3_xml"),
        ("Qwen/Qwen3.5-397B-A17B", "qwen3", "qwen3_xml"),
        ("Qwen/Qwen2.5-7B-Instruct", "", "hermes"),
        ("MiniMaxAI/MiniMax-M2", "minimax_m2", "minimax_m2"),
        ("MiniMaxAI/MiniMax-M2.5", "minimax_m2", "minimax_m2"),
        ("deepseek-ai/DeepSeek-V3.1-Terminus", "deepseek_v3", "deepseek_v31"),
        ("deepseek-ai/DeepSeek-V3.2", "deepseek_v3", "deepseek_v32"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek_r1", "deepseek_v3"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek_r1", "hermes"),
        ("deepseek-ai/DeepSeek-V3-0324", "", "deepseek_v3"),
        ("moonshotai/Kimi-K2-Thinking", "kimi_k2", "kimi_k2"),
        ("moonshotai/Kimi-K2-Instruct-0905", "", "kimi_k2"),
        ("openai/gpt-oss-20b", "openai_gptoss", "openai"),
        ("zai-org/GLM-4.5-Air", "glm45", "glm45"),
        ("zai-org/GLM-4.7", "glm47", "glm47"),
        ("zai-org/GLM-4-9B-0414", "", "hermes"),
        ("moonshotai/Kimi-K2.5", "kimi_k2", "kimi_k2"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "", "hermes"),
        ("/models/my-qwen3-8b-tuned/", "qwen3", "qwen3_json"),
    ],
)
def test_each_family_gets_its_parsers(model: str, reasoning: str, tools: str) -> None:
    found = made(model, remote_code=True)
    assert ("--reasoning-parser" in found.argv) == bool(reasoning)
    if reasoning:
        assert after(found, "--reasoning-parser") == reasoning
    assert after(found, "--tool-call-parser") == tools
    assert "--enable-auto-tool-choice" in found.argv
    assert after(found, "--tool-strict-level") == "parameter"


def test_an_unknown_family_gets_what_does_no_harm() -> None:
    assert family("somebody/never-heard-of-7b") == UNKNOWN
    found = made("somebody/never-heard-of-7b")
    assert "--reasoning-parser" not in found.argv
    assert "--trust-remote-code" not in found.argv
    assert after(found, "--tool-call-parser") == "hermes"


def test_the_architecture_tells_where_the_name_does_not() -> None:
    assert family("/models/ours", architecture="qwen3_moe").name == "qwen3"
    assert family("/models/ours", architecture="gpt_oss").name == "gpt-oss"
    assert family("/models/ours", architecture="llama") == UNKNOWN
    assert family("openai/gpt-oss-20b", architecture="qwen3").thinking == Thinking.ALWAYS


def test_every_server_has_what_scout_relies_on() -> None:
    found = made()
    assert after(found, "--host") == "127.0.0.1"
    assert json.loads(after(found, "--hf-overrides")) == {"head_dtype": "float32"}
    assert {"--enable-prefix-caching", "--enable-lora"} <= set(found.argv)
    assert after(found, "--scheduling-policy") == "priority"
    assert found.env["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"
    assert found.env["VLLM_NO_USAGE_STATS"] == "1"
    assert found.url == "http://127.0.0.1:8000/v1"


def test_limits_are_handed_on() -> None:
    found = made(max_length=20_000, memory=0.5, max_requests=12, parallel=4)
    assert after(found, "--max-model-len") == "20000"
    assert after(found, "--gpu-memory-utilization") == "0.5"
    assert after(found, "--max-num-seqs") == "12"
    assert after(found, "--tensor-parallel-size") == "4"
    assert after(made(), "--max-model-len") == "auto"


def test_on_a_cpu_prompts_are_read_whole_since_seeds_and_parts_of_prompts_end_the_server() -> None:
    assert "--no-enable-chunked-prefill" in made(cpu=True).argv
    assert "--no-enable-chunked-prefill" not in made().argv


def test_a_cpus_memory_is_in_whole_gib_which_is_all_that_vllm_takes() -> None:
    assert made(cpu=True, memory=3.0).env["VLLM_CPU_KVCACHE_SPACE"] == "3"
    with pytest.raises(BadCommand, match="whole GiB"):
        made(cpu=True, memory=1.5)
    assert after(made(memory=0.55), "--gpu-memory-utilization") == "0.55"


def test_a_cpu_is_spared() -> None:
    found = made(cpu=True, cores=2, memory=3, preload=("/lib/a.so", "/lib/b.so"), model_length=2048)
    assert "--enforce-eager" in found.argv
    assert after(found, "--dtype") == "float32"
    assert after(found, "--max-model-len") == "2048"
    assert "--gpu-memory-utilization" not in found.argv
    assert found.env["OMP_NUM_THREADS"] == "2"
    assert found.env["VLLM_CPU_OMP_THREADS_BIND"] == "0-1"
    assert found.env["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert found.env["LD_PRELOAD"] == "/lib/a.so:/lib/b.so"
    assert "OMP_NUM_THREADS" not in made().env


def test_code_of_a_publisher_runs_only_where_it_was_allowed() -> None:
    with pytest.raises(BadCommand, match="trust-remote-code"):
        made("moonshotai/Kimi-K2-Instruct")
    assert "--trust-remote-code" in made("moonshotai/Kimi-K2-Instruct", remote_code=True).argv


def test_a_model_cannot_be_an_option() -> None:
    with pytest.raises(BadCommand):
        made("--allowed-origins=*")


def test_parsers_can_be_chosen_or_left_out() -> None:
    found = made(reasoning_parser="deepseek_r1", tool_parser="")
    assert after(found, "--reasoning-parser") == "deepseek_r1"
    assert "--tool-call-parser" not in found.argv
    assert "--enable-auto-tool-choice" not in found.argv


def test_what_is_shown_is_the_command_itself_without_the_key() -> None:
    found = made(cpu=True, cores=2)
    words = shlex.split(found.shown(key_from="SCOUT_MODEL__API_KEY").replace("\\\n", ""))
    env = dict(word.split("=", 1) for word in words[: len(found.env) + 1])
    assert tuple(words[len(found.env) + 1 :]) == found.argv
    assert env.pop("VLLM_API_KEY") == "$SCOUT_MODEL__API_KEY"
    assert env == found.env
    assert not any("key" in word for word in found.argv)


def test_a_folder_tells_its_architecture_and_length(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "qwen3", "max_position_embeddings": 8192}')
    assert install.model_folder(str(tmp_path)) == install.ModelFolder("qwen3", 8192)
    (tmp_path / "config.json").write_text("[")
    assert install.model_folder(str(tmp_path)) == install.ModelFolder()
    assert install.model_folder("Qwen/Qwen3-8B") is None
