"""`scout serve`: vLLM with what a model needs, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Later, Missing
from scout.cli.examples import Command
from scout.cli.output import complain, say
from scout.cli.shared import settings, typed
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.config import Model, Settings
    from scout.serving.command import Command as Line
    from scout.serving.launch import Server
    from scout.serving.startup import Stage


@click.command(
    cls=Command,
    example="scout serve Qwen/Qwen3-8B\nscout serve ./my-model --cpu\nscout serve openai/gpt-oss-20b --print\n"
    "scout serve BAAI/bge-m3 --pooling model --port 8001",
)
@click.argument("model", required=False)
@click.option("--print", "print_", is_flag=True, help="Print the command and start nothing.")
@click.option("--cpu", is_flag=True, help="Serve on the CPU, with vLLM's build for CPUs.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port on 127.0.0.1.")
@click.option("--served-name", default="", help="The name it is asked by; the model's own unless given.")
@click.option("--max-length", type=click.IntRange(256), help="Tokens of prompt and answer; what fits unless given.")
@click.option(
    "--memory",
    type=click.FloatRange(0, min_open=True),
    help="Share of GPU memory (0.9); whole GiB of cache on a CPU (2).",
)
@click.option("--max-requests", type=click.IntRange(1), help="Requests computed at once.")
@click.option("--gpus", type=click.IntRange(1), default=1, show_default=True, help="GPUs that share the model.")
@click.option("--no-adapters", is_flag=True, help="Without LoRA adapters.")
@click.option("--no-fp32-head", is_flag=True, help="Leave the output head in the model's own precision.")
@click.option(
    "--pooling",
    type=click.Choice(["model", "mean", "last", "cls"]),
    help="Serve vectors and scores of texts, not words: as the model was made for, or pooled so.",
)
@click.option("--reasoning-parser", metavar="NAME", help="vLLM's parser of thinking; the family's unless given.")
@click.option("--tool-parser", metavar="NAME", help="vLLM's parser of tool calls; the family's unless given.")
@click.option("--trust-remote-code", is_flag=True, help="Run code that the model's publisher ships with it.")
@click.option("--python", metavar="PATH", help="The interpreter that has vLLM; found by itself in .venv-vllm.")
@click.option(
    "--wait", type=click.FloatRange(1), default=1800.0, show_default=True, help="Seconds it may take to answer."
)
@click.pass_context
def serve(ctx: click.Context, /, model: str | None, **given: Any) -> None:
    """Serve an open model with vLLM until Ctrl-C.

    It listens on 127.0.0.1 alone. Set SCOUT_MODEL__API_KEY so that other users of the machine cannot ask it; scout uses
    the same variable to ask. MODEL is a name on the Hub or a folder; the setting model.name unless given.
    """
    found = settings()
    section = "embedding" if given["pooling"] else "model"
    asked = found.embedding.endpoint() if given["pooling"] else found.model
    name = typed(model or "") or asked.name
    if not name:
        raise click.UsageError(f"which model? Name one, or set {section}.name in scout.toml")
    line = _command(name, given)
    if given["print_"]:
        say(line.shown(key_from=f"SCOUT_{section.upper()}__API_KEY" if asked.api_key.get_secret_value() else ""))
        return
    ctx.exit(_serve(found, asked, section, line, name, given["wait"]))


def _command(model: str, given: dict[str, Any]) -> Line:
    from scout.serving import install
    from scout.serving.command import BadCommand, ServeOptions, command
    from scout.serving.families import family

    python = Path(given["python"]) if given["python"] else install.vllm_python(Path())
    if python is None and not given["print_"]:
        raise Missing(
            "vLLM is not installed: put it into an environment of its own, .venv-vllm (requirements/vllm.txt; on a CPU "
            "run .ci/vllm-env), or give the interpreter that has it with --python"
        )
    python = python or Path(".venv-vllm/bin/python")
    folder = install.model_folder(model)
    try:
        return command(
            ServeOptions(
                model=model,
                port=given["port"],
                python=str(python),
                served_name=given["served_name"],
                cpu=given["cpu"],
                cores=install.cores(),
                preload=install.preloads(python) if given["cpu"] else (),
                max_length=given["max_length"],
                model_length=folder.length if folder else None,
                memory=given["memory"],
                max_requests=given["max_requests"],
                parallel=given["gpus"],
                adapters=not given["no_adapters"],
                fp32_head=not given["no_fp32_head"],
                remote_code=given["trust_remote_code"],
                reasoning_parser=given["reasoning_parser"],
                tool_parser=given["tool_parser"],
                offline=folder is not None,
                pooling=given["pooling"] or "",
            ),
            family(model, architecture=folder.architecture if folder else ""),
        )
    except BadCommand as err:
        raise click.UsageError(str(err)) from err


def _serve(found: Settings, asked: Model, section: str, line: Line, model: str, seconds: float) -> int:
    """Start it, say how far it is, wait for a signal or its end."""
    from scout.serving.launch import LaunchError, Server, Taken

    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        key = asked.api_key.get_secret_value()
        folder = found.data_dir if section == "model" else found.data_dir / section
        with Server.start(line, folder, model=model, key=key) as server:
            say(f"Starting vLLM for {model}; its log is {server.log}")
            if section == "model" and asked.concurrency >= line.requests > 0:
                complain(
                    f"it computes {line.requests} requests at once, and scout's own batch sends model.concurrency "
                    f"({found.model.concurrency}): no place is left for what a person waits for. Raise --max-requests"
                )
            if server.wait(seconds, on_stage=_tell, stopped=stop.is_set):
                _announce(asked, section, line, stop)
                while not stop.wait(0.5) and server.alive:
                    pass
            return _ended(server, stop)
    except Taken as err:
        raise Later(str(err)) from err
    except LaunchError as err:
        raise Missing(str(err)) from err
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(stage: Stage) -> None:
    say(f"  {stage}")


def _announce(asked: Model, section: str, line: Line, stop: threading.Event) -> None:
    from scout.serving.warmup import warm

    if section == "model":  # reading labels is what takes long the first time
        warm(asked, line.url, stopped=stop.is_set)
    if stop.is_set():
        return
    variable = f"SCOUT_{section.upper()}"
    say(f"It answers at {line.url} (Ctrl-C ends it)")
    if line.url not in asked.base_urls:
        say(
            f'Tell scout: {section}.base_urls = ["{line.url}"] in scout.toml, or {variable}__BASE_URLS=\'["{line.url}"]\''
        )
    if not asked.api_key.get_secret_value():
        say(f"Every user of this machine can ask it; {variable}__API_KEY, set before the start, keeps it to yourself")


def _ended(server: Server, stop: threading.Event) -> Exit:
    if stop.is_set():
        say("Ending it")
        return Exit.DONE
    raise Missing(server.why(f"vLLM ended by itself with status {server.process.returncode}"))
