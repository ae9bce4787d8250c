"""`scout notify`: send what was not sent yet, or try each way; and what a run does of it at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, line, say
from scout.cli.shared import as_json, open_store, settings
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.notify.deliver import Sent
    from scout.store import Store


@click.command(cls=Command, example="scout notify --test\nscout notify --test --channel mail\nscout notify --json")
@click.option("--test", "trial", is_flag=True, help="Send a made-up message, whatever was sent before.")
@click.option(
    "--channel",
    type=click.Choice(["mail", "slack", "discord", "feishu", "webhook"]),
    help="With --test: by this way alone.",
)
@as_json
@click.pass_context
def notify(ctx: click.Context, trial: bool, channel: str | None, json_: bool) -> None:
    """Send digests that were not sent.

    Runs do it by themselves once [notify] in scout.toml says where to. Exit status: 0 where everything was sent, 75 where
    something was not and may be tried again.
    """
    from scout import pipeline
    from scout.locks import held
    from scout.notify import deliver
    from scout.notify.channels import channels

    if channel and not trial:
        raise click.UsageError("--channel goes with --test")
    found = settings()
    known = [each.name for each in channels(found)]
    if not known and (trial or not found.notify.atom.folder):
        raise Missing("no way is set up: [notify] in scout.toml says where digests go (docs/notify.md)")
    if channel and channel not in known:
        raise Missing(f"notify.{channel} is not set up; {', '.join(known)} is")
    if trial:
        sent = deliver.try_out(found, channel)
    else:
        with open_store(found) as store, held(found, "run"):
            sent = deliver.deliver(store, found, pipeline.readers(store, found))
    if json_:
        emit_json(notify_facts(sent))
    else:
        tell_sent(sent)
        if not sent:
            say("Nothing waits to be sent.")
    ctx.exit(Exit.LATER if any(each.problem for each in sent) else Exit.DONE)


def notify_facts(sent: list[Sent]) -> list[dict[str, str]]:
    return [
        {"channel": each.channel, "reader": each.reader, "date": each.day, "problem": each.problem} for each in sent
    ]


def tell_sent(sent: list[Sent]) -> None:
    for each in sent:
        if each.problem:
            complain(f"{each.channel} for {line(each.reader)} was not sent: {each.problem}")
        else:
            say(f"Sent to {line(each.reader)} by {each.channel}: {each.day}")


def after_digests(store: Store, found: Settings, names: list[str]) -> list[Sent]:
    """What a run sends at its end; what goes wrong is told in it."""
    if not names:
        return []
    from scout.notify.deliver import deliver

    return deliver(store, found, names)


def ping(found: Settings, code: Exit, message: str) -> str:
    """Tell the health check how the run ended. Its own failure is a sentence."""
    if not found.notify.ping.get_secret_value():
        return ""
    from scout.notify.deliver import ping as tell

    return tell(found, failed=code is not Exit.DONE, message=message)
