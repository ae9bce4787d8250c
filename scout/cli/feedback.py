"""`scout feedback`: a reader's word on an item, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import line, say
from scout.cli.shared import find_item, new_token, open_store, reader_name, reader_option, settings, typed
from scout.items import REASONS, Aspect

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.store import Store

WORDS = {
    "up": (Aspect.THUMB, "up"),
    "down": (Aspect.THUMB, "down"),
    "save": (Aspect.SAVED, "yes"),
    "unsave": (Aspect.SAVED, "no"),
    "hide": (Aspect.HIDDEN, "yes"),
    "unhide": (Aspect.HIDDEN, "no"),
}
UNDO = "undo"


class FeedbackCommand(Command):
    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, f"ITEM {'|'.join(WORDS)} [OPTIONS]")
        formatter.write_usage(ctx.command_path, f"{UNDO} [ITEM] [--reader NAME]", prefix="       ")


@click.command(
    cls=FeedbackCommand,
    example="scout feedback 2511.21735 up --reason useful --reason novel\nscout feedback 2511.21735 --subject agents\n"
    "scout feedback undo\nscout feedback undo 2511.21735",
)
@click.argument("item")
@click.argument("word", required=False)
@reader_option
@click.option(
    "--reason", "reasons", multiple=True, type=click.Choice(list(REASONS)), help="Why; may be given more than once."
)
@click.option("--subject", metavar="SLUG", help="The subject it belongs to, where triage was wrong.")
def feedback(item: str, word: str | None, reader: str | None, reasons: tuple[str, ...], subject: str | None) -> None:
    """Say what you think of an item.

    The next triage has learned from it. `up` and `down` are thumbs; `save` keeps it on the Saved page, `hide` puts it
    out of sight. --subject corrects where it belongs, with a thumb or alone. `undo` takes your newest word back, or your
    newest on one item.
    """
    if item == UNDO:
        if reasons or subject:
            raise click.UsageError("undo takes no --reason and no --subject")
        _undo(word, reader)
        return
    if word is None and subject is None:
        raise click.UsageError(f"say what: {', '.join(WORDS)}, or --subject SLUG")
    if word is not None and word not in WORDS:
        raise click.UsageError(f"{word!r} is none of {', '.join(WORDS)}")
    aspect, value = WORDS[word] if word else (Aspect.SUBJECT, typed(subject or ""))
    if reasons and aspect is not Aspect.THUMB:
        raise click.UsageError("--reason goes with up or down")
    found = settings()
    with open_store(found) as store:
        _give(store, found, item, reader_name(found, reader), aspect, value, reasons, subject)


def _give(
    store: Store, found: Settings, ref: str, reader: str, aspect: Aspect, value: str, reasons: tuple[str, ...],
    subject: str | None,
) -> None:  # fmt: skip
    from scout import readers
    from scout.clock import now

    item = find_item(store, ref).item
    said = [(aspect, value, reasons)]
    if subject is not None and aspect is not Aspect.SUBJECT:
        said.append((Aspect.SUBJECT, subject, ()))
    try:
        with store.writing():
            for what, how, why in said:
                readers.give(
                    store, found, reader=reader, ref=item.id, aspect=what, value=how, reasons=why, at=now(),
                    origin="cli", token=new_token(),
                )  # fmt: skip
    except readers.BadFeedback as err:
        raise click.UsageError(str(err)) from err
    told = ", ".join(f"{what} {how}" for what, how, _ in said)
    say(f"Noted for {reader}: {told}: {line(item.title)}")


def _undo(ref: str | None, reader: str | None) -> None:
    from scout.clock import now

    found = settings()
    name = reader_name(found, reader)
    with open_store(found) as store:
        item = find_item(store, ref).item.id if ref else None
        taken = store.feedback.undo(name, item=item, at=now())
        if taken is None:
            raise Missing(f"{name} has said nothing{' of it' if item else ''} that could be taken back")
        stored = store.items.get(taken.item_id)
    say(f"Taken back for {name}: {taken.aspect} {taken.value}: {line(stored.title if stored else taken.item_id)}")
