"""`scout show`, `scout items`, `scout search`: what is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from scout.cli.examples import Command
from scout.cli.output import clean, emit_json, line, say, stamp, table
from scout.cli.shared import as_json, find_item, open_store, reader_name, reader_option, settings, typed

if TYPE_CHECKING:
    from scout.store.items import Stored

SNIPPET = 200
DAY = click.DateTime(["%Y-%m-%d"])


def brief(stored: Stored, snippet: str) -> dict[str, Any]:
    """An item in the public shape of `items --json` and `search --json` (docs/schemas/items.schema.json)."""
    item = stored.item
    return {
        "id": item.id,
        "title": item.title,
        "url": item.url,
        "source": item.source,
        "published": stamp(item.published),
        "snippet": snippet,
    }


def beginning(text: str) -> str:
    """The first words of a text, on one line."""
    folded = " ".join(text.split())
    return folded if len(folded) <= SNIPPET else folded[:SNIPPET].rsplit(" ", 1)[0] + " …"


def _list(rows: Iterable[tuple[Stored, str]]) -> None:
    from scout.text import tex_to_plain

    table(
        ("published", "id", "source", "title"),
        [
            (
                f"{s.item.published:%Y-%m-%d}" if s.item.published else "",
                s.item.id,
                s.item.source,
                tex_to_plain(s.item.title),
            )
            for s, _ in rows
        ],
        give_way="title",
    )


@click.command(
    cls=Command,
    example="scout items --source arxiv --since 2025-12-01\nscout items --json | jq '.[].title'\n"
    "scout items --saved --bibtex > saved.bib",
)
@click.option("--source", metavar="ID", help="Only what this source brought.")
@click.option("--since", type=DAY, help="Only what appeared on this day or later.")
@click.option("--kind", type=click.Choice(["paper", "post"]), help="Only papers, or only posts.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@click.option("--saved", is_flag=True, help="Only what the reader saved.")
@click.option("--bibtex", is_flag=True, help="Print BibTeX, for Zotero and the like.")
@click.option("--ris", is_flag=True, help="Print RIS, for what takes no BibTeX.")
@reader_option
@as_json
def items(
    source: str | None, since: datetime | None, kind: str | None, limit: int, saved: bool, bibtex: bool, ris: bool,
    reader: str | None, json_: bool,
) -> None:  # fmt: skip
    """List what is stored, newest first."""
    from scout.items import ItemKind
    from scout.references.bibtex import to_bibtex
    from scout.references.ris import to_ris

    if bibtex + ris + json_ > 1:
        raise click.UsageError("one of --bibtex, --ris and --json")
    if saved and (source or since):
        raise click.UsageError("--saved goes with --kind and --limit, not with --source or --since")

    found = settings()
    with open_store(found) as store:
        if saved:
            ids = [word.item_id for word in store.feedback.saved(reader_name(found, reader))]
            kept = [each for id in ids if (each := store.items.stored(id)) and kind in (None, str(each.item.kind))]
            stored = kept[:limit]
        else:
            wanted = ItemKind(kind) if kind else None
            stored = store.items.listing(source=source, since=since.date() if since else None, kind=wanted, limit=limit)
    rows = [(each, beginning(each.item.text)) for each in stored]
    if bibtex:
        say(to_bibtex(each.item for each in stored))
    elif ris:
        say(to_ris(each.item for each in stored))
    elif json_:
        emit_json([brief(each, snippet) for each, snippet in rows])
    elif rows:
        _list(rows)
    else:
        say(
            "No items."
            if not (source or since or kind or saved)
            else "No items like that; `scout sources list` names the sources."
        )


@click.command(
    cls=Command, example='scout search "speculative decoding"\nscout search --since 2025-12-01 --json agents'
)
@click.argument("text", nargs=-1, required=True)
@click.option("--source", metavar="ID", help="Only what this source brought.")
@click.option("--since", type=DAY, help="Only what appeared on this day or later.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@as_json
def search(text: tuple[str, ...], source: str | None, since: datetime | None, limit: int, json_: bool) -> None:
    """Find items by their words.

    In title, text or authors, the best matches first. Every word must occur. What is inside double quotes must occur as it stands.
    """
    from scout.store.search import MARK_END, MARK_START

    found = settings()
    words = typed(" ".join(text))
    with open_store(found) as store:
        hits = store.items.search(words, source=source, since=since.date() if since else None, limit=limit)
        filed = store.archive.titled(words) if len(hits) < limit and not (source or since or json_) else []
    rows = [(hit.stored, line(hit.snippet.replace(MARK_START, "").replace(MARK_END, ""))) for hit in hits]
    if json_:
        emit_json([brief(stored, snippet) for stored, snippet in rows])
    elif rows:
        _list(rows)
    else:
        say(f"Nothing is found for {words!r}.")
    if filed:
        say(f"In the archive {len(filed)} more have these words in their titles: `scout archive list --search WORDS`.")


@click.command(cls=Command, example="scout show 2511.21735\nscout show https://arxiv.org/abs/2511.21735 --json")
@click.argument("item")
@reader_option
@as_json
def show(item: str, reader: str | None, json_: bool) -> None:
    """Show everything known of ITEM.

    ITEM is an id as `scout items` lists it, an arXiv number, a DOI or an address.
    """
    from scout.cli.item_card import card, facts

    found = settings()
    with open_store(found) as store:
        known = facts(store, find_item(store, item), reader_name(found, reader), checks=found.data_dir)
    if json_:
        emit_json(known)
    else:
        say(clean(card(known)))
