"""`scout archive`: old items out of the database into Parquet files, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from scout.cli.errors import Missing
from scout.cli.examples import Group
from scout.cli.output import complain, emit_json, say, table
from scout.cli.shared import as_json, open_store, settings, typed

YOUNGEST = timedelta(days=30)
"""Nothing younger is moved: digests, weekly pages and fits look back so far."""
DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group(
    cls=Group,
    invoke_without_command=True,
    example="scout archive --before 2025-01-01\nscout archive --before 2025-01-01 --compact",
)
@click.option("--before", type=DAY, help="Move what came, and appeared, before this day.")
@click.option("--compact", is_flag=True, help="Then rewrite the database, so that the file gets smaller.")
@click.pass_context
def archive(ctx: click.Context, before: datetime | None, compact: bool) -> None:
    """Move old items into Parquet files.

    By the month they came in. What anyone was shown, thumbed, saved or had researched stays, and so do all feedback and digests.
    The files are in the data folder under archive/ and can be read with anything that reads Parquet.
    """
    if ctx.invoked_subcommand:
        return
    if before is None:
        raise click.UsageError("give --before DAY, or one of the commands list and restore")
    from scout.cli.console import progress
    from scout.keeping.archive import archive as move
    from scout.references.pasted import parse_pasted

    day = before.date()
    if before.replace(tzinfo=UTC) > datetime.now(UTC) - YOUNGEST:
        raise click.UsageError(f"--before must be at least {YOUNGEST.days} days ago")
    found = settings()
    with open_store(found) as store:
        liked = [ref for subject in found.subject_list() for ref in subject.liked]
        keep = {item.id for item in store.items.known(parse_pasted("\n".join(liked)).ids).values()} if liked else set()
        with progress() as bars:
            moved = move(store, found, day, keep=keep, progress=bars)
        if compact:
            store.compact()
    for file in moved.files:
        say(str(file))
    say(f"{moved.items:,} items moved." if moved.items else f"Nothing that came before {day} is to be moved.")


@archive.command("list", example="scout archive list\nscout archive list --search attention --json")
@click.option("--search", "words", metavar="WORDS", help="Items whose title holds these words, instead of the files.")
@as_json
def list_(words: str | None, json_: bool) -> None:
    """Name the files, or items in them."""
    from scout.keeping.archive import FOLDER, BadArchive, check

    found = settings()
    with open_store(found) as store:
        if words is not None:
            rows = store.archive.titled(typed(words))
            if json_:
                emit_json([{"id": id, "title": title} for id, title in rows])
            else:
                table(("id", "title"), rows, give_way="title")
            return
        files = store.archive.files()
    if json_:
        emit_json([{"file": f.file, "month": f.month, "items": f.items, "sha256": f.sha256} for f in files])
        return
    table(("month", "items", "file"), [(f.month, f"{f.items:,}", f.file) for f in files], give_way="file")
    for file in files:
        try:
            check(found.data_dir / FOLDER / file.file, file)
        except BadArchive as err:
            complain(str(err))


@archive.command(example="scout archive restore 2401.00001\nscout archive restore --month 2024-01")
@click.argument("items", nargs=-1)
@click.option("--month", metavar="YYYY-MM", help="Everything that came in this month.")
def restore(items: tuple[str, ...], month: str | None) -> None:
    """Put ITEMS, or a month, back."""
    from scout.identity import parse_ref
    from scout.keeping.archive import BadArchive
    from scout.keeping.archive import restore as put_back

    if bool(items) == bool(month):
        raise click.UsageError("give items, or --month")
    found = settings()
    with open_store(found) as store:
        try:
            back = put_back(store, found, ids=[parse_ref(typed(each)) or typed(each) for each in items], month=month)
        except BadArchive as err:
            raise Missing(str(err)) from err
    say(f"{back:,} items are back.")
