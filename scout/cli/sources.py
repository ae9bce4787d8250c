"""`scout sources`: list, add, remove, import, export, check, pause, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Later, Missing
from scout.cli.examples import Group
from scout.cli.output import ago, emit_json, line, say, stamp, table
from scout.cli.shared import as_json, open_store, settings, typed
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.store import Store
    from scout.store.sources import SourceRow

OPML_BYTES = 5_000_000


@click.group(cls=Group, example="scout sources add https://example.org/blog\nscout sources list --json")
def sources() -> None:
    """See, add, pause and remove sources."""


def _rows(store: Store, found: Settings) -> list[SourceRow]:
    """Every source that is in use: the shipped ones even before the first poll, but not where the settings leave them out."""
    from scout.clock import now
    from scout.ingest import sync_defaults
    from scout.sources.defaults import wanted

    sync_defaults(store, found, now())
    shipped = {source.id for source in wanted(found)}
    return [row for row in store.sources.all() if row.origin != "default" or row.id in shipped]


def _find(store: Store, found: Settings, ref: str) -> SourceRow:
    _rows(store, found)
    row = store.sources.find(typed(ref))
    if row is None:
        raise Missing(f"no source {typed(ref)!r}; `scout sources list` names them")
    return row


@sources.command(
    "list", example="scout sources list\nscout sources list --json | jq '.[] | select(.health == \"failing\")'"
)
@as_json
def list_(json_: bool) -> None:
    """List sources, their health and polls."""
    from scout.clock import now
    from scout.store.sources import health

    found = settings()
    at = now()
    with open_store(found, create=True) as store:
        rows, week = _rows(store, found), store.sources.items_week(at)
    if json_:
        emit_json([public(row, week.get(row.id, 0), str(health(row, at))) for row in rows])
        return
    if not rows:
        say("No sources: turn the shipped ones on in scout.toml, or `scout sources add URL`.")
        return
    table(
        ("id", "health", "last poll", "next", "week", "title or what is wrong"),
        [
            (
                row.id,
                str(health(row, at)),
                ago(row.last_poll, at),
                "due" if row.next_poll is None or row.next_poll <= at else ago(row.next_poll, at),
                str(week.get(row.id, 0)),
                row.message if row.outcome and not row.outcome.is_success else row.title or row.url,
            )
            for row in rows
        ],
        give_way="title or what is wrong",
    )


def public(row: SourceRow, items_week: int, health: str) -> dict[str, Any]:
    """A source in the public shape of `sources list --json` (docs/schemas/sources.schema.json)."""
    return {
        "id": row.id,
        "kind": row.kind,
        "url": row.url,
        "title": row.title,
        "health": health,
        "outcome": row.outcome,
        "last_poll": stamp(row.last_poll),
        "next_poll": stamp(row.next_poll),
        "items_week": items_week,
    }


@sources.command(
    example="scout sources add https://example.org/blog\nscout sources add --no-check https://example.org/feed.xml\n"
    "scout sources add https://github.com/vllm-project/vllm"
)
@click.argument("url")
@click.option("--title", help="What to call it; what the feed calls itself unless given.")
@click.option("--no-check", is_flag=True, help="Add the address as it is, without looking at it: when you are offline.")
def add(url: str, title: str | None, no_check: bool) -> None:
    """Add the feed of a site or blog.

    URL may be the feed itself or a page of the site: its feed is looked for. Of a GitHub repository the releases are taken;
    of a YouTube channel, playlist or channel id the videos.
    """
    from scout.clock import now
    from scout.source_list import add_feed, known_feed, removed_source
    from scout.sources.known_sites import feed_of

    found = settings()
    url = feed_of(typed(url), github=found.github.url) or with_scheme(typed(url))
    with open_store(found, create=True) as store:
        _rows(store, found)
        known = known_feed(store, url)
        seen = known or no_check or removed_source(store, url)
        feed, name, told = (url, title or "", "") if seen else _looked_up(found, url, title)
        known = known or known_feed(store, feed)
        if known:
            say(
                f"{known.id} polls {known.url} already"
                + ("; it is paused: scout sources resume" if known.paused else "")
            )
            return
        id, _ = add_feed(store, title=name, url=feed, at=now())
    say(f"Added {id}: {feed}{told}. The next `scout run` polls it.")


def with_scheme(url: str) -> str:
    """`example.org/blog` as people type it; refused where it can be no web address.

    Raises:
        click.UsageError: not http or https.
    """
    from scout.identity import canonical_url

    full = url if "://" in url else f"https://{url}"
    if canonical_url(full) is None:
        raise click.UsageError(f"{line(url)!r} is no http or https address")
    return full


def _looked_up(found: Settings, url: str, title: str | None) -> tuple[str, str, str]:
    """The feed's address, what to call it, and words on what was found."""
    from scout.items import OutcomeKind
    from scout.net.errors import FetchError
    from scout.sources.lookup import feed_at

    try:
        feed = feed_at(found, url)
    except FetchError as err:
        if err.kind in (OutcomeKind.UNREACHABLE, OutcomeKind.TOO_SLOW, OutcomeKind.BUSY):
            raise Later(f"{url}: {err.message}. Try again later, or add it unseen with --no-check") from err
        raise Missing(f"{url}: {err.message}") from err
    told = f" ({feed.title or 'without a title'}, {feed.entries} entries)"
    return feed.url, title or feed.title, told


@sources.command(example="scout sources remove example-blog")
@click.argument("source")
def remove(source: str) -> None:
    """Stop polling a source for good.

    SOURCE is its id, address or title. What it brought stays.
    """
    found = settings()
    with open_store(found, create=True) as store:
        row = _find(store, found, source)
        store.sources.remove(row.id)
    say(f"Removed {row.id}. What it brought stays; `scout sources add {row.url}` brings it back.")


@sources.command(example="scout sources pause example-blog")
@click.argument("source")
def pause(source: str) -> None:
    """Leave a source out until `resume`."""
    found = settings()
    with open_store(found, create=True) as store:
        row = _find(store, found, source)
        store.sources.pause(row.id, on=True)
    say(f"Paused {row.id}; `scout sources resume {row.id}` goes on.")


@sources.command(example="scout sources resume example-blog")
@click.argument("source")
def resume(source: str) -> None:
    """Poll a paused or gone source again.

    Its failures and cooldown are forgotten too.
    """
    found = settings()
    with open_store(found, create=True) as store:
        row = _find(store, found, source)
        store.sources.pause(row.id, on=False)
    say(f"The next run polls {row.id} again.")


@sources.command("import", example="scout sources import subscriptions.opml")
@click.argument("opml", type=click.File("rb"))
def import_(opml: Any) -> None:
    """Add every feed of an OPML file.

    Other feed readers export such a file. `-` reads standard input.
    """
    from scout.clock import now
    from scout.source_list import add_feeds
    from scout.sources.opml import OpmlError, read

    found = settings()
    text, name = opml.read(OPML_BYTES + 1), getattr(opml, "name", "standard input")
    if len(text) > OPML_BYTES:
        raise Missing(f"{name} is larger than {OPML_BYTES:,} bytes")
    try:
        found_feeds = read(text)
    except OpmlError as err:
        raise Missing(f"{name}: {err}") from err
    with open_store(found, create=True) as store:
        _rows(store, found)
        new, known = add_feeds(store, found_feeds.feeds, origin="opml", at=now())
    odd = found_feeds.passed_over
    more = (
        f", {len(odd)} passed over, being no web address ({line(odd[0])[:60]}{' …' if len(odd) > 1 else ''})"
        if odd
        else ""
    )
    say(f"{len(new)} new sources, {known} known already{more}.")


@sources.command(example="scout sources export > subscriptions.opml")
def export() -> None:
    """Print your feeds as OPML.

    For another feed reader, or as a backup.
    """
    from scout.items import SourceKind
    from scout.sources.opml import export as to_opml

    found = settings()
    with open_store(found, create=True) as store:
        rows = [row for row in _rows(store, found) if row.kind is SourceKind.FEED]
    click.echo(to_opml(rows).decode("utf-8"), nl=False)


@sources.command(example="scout sources check\nscout sources check example-blog --json")
@click.argument("source", nargs=-1)
@as_json
@click.pass_context
def check(ctx: click.Context, source: tuple[str, ...], json_: bool) -> None:
    """Ask sources how they are; store nothing.

    All sources that are not paused, unless some are named. Exit status 75 when none could be read.
    """
    from scout.cli.source_check import checked

    found = settings()
    with open_store(found, create=True) as store:
        rows = [_find(store, found, ref) for ref in source] or [row for row in _rows(store, found) if not row.paused]
    results = checked(found, rows)
    if json_:
        emit_json(results)
    else:
        table(
            ("id", "outcome", "items", "seconds", "message"),
            [(r["id"], r["outcome"], str(r["items"]), f"{r['seconds']:.1f}", r["message"]) for r in results],
            give_way="message",
        )
    if results and not any(result["ok"] for result in results):
        ctx.exit(Exit.LATER)
