"""`scout rl`: what training needs to be trusted. The measuring is `rl`'s; this asks for it and prints it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Later
from scout.cli.examples import Group
from scout.cli.output import emit_json, say, table
from scout.cli.rl_thumbs import thumbs
from scout.cli.shared import as_json, settings
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from rl.mismatch import Mismatch
    from rl.precision import Precision
    from rl.served import Served

HEAD = ("server head", "trainer head", "mean |Δ|", "p99", "largest", "k1", "k3", "correlation", "largest ratio", "ESS")
PLACES = ("place", "off (RMS)", "cosine", "largest", "own, in roundings", "trainer off")


@click.group(cls=Group, example="scout rl parity .cache/smollm2")
def rl() -> None:
    """Train on thumbs; check training."""


rl.add_command(thumbs)


@rl.command(
    example="scout rl parity .cache/smollm2\nscout rl parity my-model --body float32 --tokens 256 --json\n"
    "scout rl parity my-model --url http://127.0.0.1:8000/v1"
)
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--text",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Text to run; scout's own prompts by default.",
)
@click.option("--tokens", type=click.IntRange(2), default=1536, show_default=True, help="So many tokens of it at most.")
@click.option(
    "--body",
    type=click.Choice(["bfloat16", "float16", "float32"]),
    default="bfloat16",
    show_default=True,
    help="What both compute in but for the head.",
)
@click.option("--url", metavar="URL", help="Compare with the server that runs there, over HTTP, instead.")
@click.option(
    "--name", metavar="NAME", default="", help="With --url: the served model or adapter; the first unless given."
)
@click.option(
    "--limit",
    type=click.FloatRange(0, min_open=True),
    default=0.05,
    show_default=True,
    help="Mean |Δ log-probability|, in nats, with which training may begin.",
)
@as_json
@click.pass_context
def parity(
    ctx: click.Context, checkpoint: Path, text: Path | None, tokens: int, body: str, url: str | None, name: str, limit: float,
    json_: bool,
) -> None:  # fmt: skip
    """Compare trainer and vLLM.

    The same tokens and weights on both sides: log-probabilities with a rounded and an FP32 head on either side, then layer
    by layer, each on the server's own input, so that a fault is named where it enters (exit code 1). Needs torch,
    transformers and vllm in this environment.

    With --url a server that runs already is asked, for the log-probabilities of the tokens and for a rendered template; layers
    it cannot show. That needs no vllm here.
    docs/rl.md says what the figures mean.
    """
    wanted = ("torch", "transformers", "peft") if url else ("torch", "transformers", "vllm")
    if missing := [each for each in wanted if importlib.util.find_spec(each) is None]:
        raise click.UsageError(
            f"{', '.join(missing)} not installed here: install the extras rl and vllm in one environment"
        )
    if url:
        ctx.exit(_served(checkpoint, _ids(checkpoint, text, tokens), url, name, body, limit, json_=json_))
    from rl.engine import EngineFailed
    from rl.precision import measured
    from scout.cli.console import progress

    ids = _ids(checkpoint, text, tokens)
    try:
        with progress(wanted=not json_) as bars:
            found = measured(checkpoint, ids, body=body, python=sys.executable, progress=bars, limit=limit)
    except EngineFailed as err:
        raise Later(str(err)) from err
    _keep(checkpoint, found)
    if json_:
        emit_json(found.to_dict())
    else:
        show(found)
    if found.verdict:
        ctx.exit(Exit.BUG)


def _served(checkpoint: Path, ids: list[int], url: str, name: str, body: str, limit: float, *, json_: bool) -> int:
    from pydantic import ValidationError

    from rl.rollout import SamplerFailed
    from rl.served import compared
    from scout.config import Model

    own = settings().model
    try:
        asked = Model(base_urls=(url,), name=name, api_key=own.api_key, timeout_seconds=own.timeout_seconds)
    except ValidationError as err:
        raise click.UsageError(f"{url} is no address such as http://127.0.0.1:8000/v1") from err
    try:
        found = compared(checkpoint, ids, asked, body=body, limit=limit)
    except SamplerFailed as err:
        raise Later(str(err)) from err
    _keep(checkpoint, found)
    if json_:
        emit_json(found.to_dict())
    else:
        say(
            f"{found.checkpoint} against {found.model} at {found.url}: {found.tokens} tokens, the trainer's body {found.body}"
        )
        rows = [(("its own", body), found.rounded), (("its own", "FP32"), found.fp32)]
        table(HEAD, [[*heads, *figures(row)] for heads, row in rows], give_way="server head")
        say(found.verdict or "one function: what differs is rounding")
    return Exit.BUG if found.verdict else Exit.DONE


def _keep(checkpoint: Path, found: Precision | Served) -> None:
    """In the database, where there is one: the Training page shows it, and `scout train` goes by it."""
    from rl.product import checkpoint_name, keep_parity
    from scout.cli.shared import open_store

    own = settings(warn=False)
    if own.database.exists():
        with open_store(own) as store:
            keep_parity(store, checkpoint_name(checkpoint), found)


def _ids(checkpoint: Path, text: Path | None, tokens: int) -> list[int]:
    from rl.precision import tokenized

    prompts = sorted((Path(__file__).resolve().parents[1] / "prompts").glob("*.md"))
    told = text.read_text(encoding="utf-8", errors="replace") if text else "\n\n".join(p.read_text() for p in prompts)
    try:
        ids = tokenized(checkpoint, told)[:tokens]
    except (OSError, ValueError) as err:
        raise click.UsageError(f"{checkpoint} holds no tokenizer that transformers can read: {err}") from err
    if len(ids) < 2:
        raise click.UsageError(f"{text} has fewer than two tokens")
    return ids


def figures(m: Mismatch) -> list[str]:
    """A row of the table, after the heads."""
    return [
        f"{m.mean:.5f}", f"{m.p99:.4f}", f"{m.largest:.4f}", f"{m.k1:+.5f}", f"{m.k3:.2g}", f"{m.correlation:.6f}",
        f"{m.ratio_max:.3f}", f"{m.effective:.4f}",
    ]  # fmt: skip


def show(found: Precision) -> None:
    """The tables and the verdict, for a person."""
    say(f"{found.checkpoint}: {found.tokens} tokens, body {found.body}")
    name = {True: "FP32", False: found.body}
    table(
        HEAD,
        [
            [name[row.server_fp32], name[row.trainer_fp32], *figures(row.mismatch)] for row in found.rows
        ],
        give_way="server head",
    )  # fmt: skip
    table(
        PLACES,
        [
            [p.name, f"{p.relative_rms:.2g}", f"{p.cosine:.6f}", f"{p.largest:.3g}", f"{p.own:.2f}", f"{p.trainer:.2g}"]
            for p in found.report.places
        ],
        give_way="place",
    )  # fmt: skip
    swap = found.report.swap
    say(f"mean |Δ|: {swap.both:.5f}; of it the body {swap.body:.5f}, the head {swap.head:.5f}")
    say(found.verdict or "no fault: what differs is rounding")
