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
from scout.cli.shared import as_json
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from rl.precision import Precision

HEAD = ("server head", "trainer head", "mean |Δ|", "p99", "largest", "k1", "k3", "correlation", "largest ratio", "ESS")
PLACES = ("place", "off (RMS)", "cosine", "largest", "own, in roundings", "trainer off")


@click.group(cls=Group, example="scout rl parity .cache/smollm2")
def rl() -> None:
    """Train on thumbs; check training."""


rl.add_command(thumbs)


@rl.command(example="scout rl parity .cache/smollm2\nscout rl parity my-model --body float32 --tokens 256 --json")
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
@as_json
@click.pass_context
def parity(ctx: click.Context, checkpoint: Path, text: Path | None, tokens: int, body: str, json_: bool) -> None:
    """Compare trainer and vLLM.

    The same tokens and weights on both sides: log-probabilities with a rounded and an FP32 head on either side, then layer
    by layer, each on the server's own input, so that a fault is named where it enters (exit code 1). Needs torch,
    transformers and vllm in this environment.
    docs/rl.md says what the figures mean.
    """
    if missing := [name for name in ("torch", "transformers", "vllm") if importlib.util.find_spec(name) is None]:
        raise click.UsageError(
            f"{', '.join(missing)} not installed here: install the extras rl and vllm in one environment"
        )
    from rl.engine import EngineFailed
    from rl.precision import measured
    from scout.cli.console import progress

    ids = _ids(checkpoint, text, tokens)
    try:
        with progress(wanted=not json_) as bars:
            found = measured(checkpoint, ids, body=body, python=sys.executable, progress=bars)
    except EngineFailed as err:
        raise Later(str(err)) from err
    if json_:
        emit_json(found.to_dict())
    else:
        show(found)
    if found.verdict:
        ctx.exit(Exit.BUG)


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


def show(found: Precision) -> None:
    """The tables and the verdict, for a person."""
    say(f"{found.checkpoint}: {found.tokens} tokens, body {found.body}")
    name = {True: "FP32", False: found.body}
    table(
        HEAD,
        [
            [name[row.server_fp32], name[row.trainer_fp32], f"{m.mean:.5f}", f"{m.p99:.4f}", f"{m.largest:.4f}", f"{m.k1:+.5f}",
             f"{m.k3:.2g}", f"{m.correlation:.6f}", f"{m.ratio_max:.3f}", f"{m.effective:.4f}"]
            for row in found.rows for m in (row.mismatch,)
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
