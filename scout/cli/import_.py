"""`scout import`: a library of references, out of Zotero or another manager of them."""

from __future__ import annotations

from typing import Any

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, line, say
from scout.cli.shared import as_json, open_store, reader_name, reader_option, settings

SHOWN = 20
"""So many of what was not taken in are named on a terminal; --json names all."""


@click.command("import", cls=Command, example="scout import library.bib\nscout import zotero.ris --as liked --json")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--as", "keep", type=click.Choice(["saved", "liked", "both"]), default="saved", show_default=True,
    help="Saved: on the Saved page. Liked: a thumb up, which triage learns from.",
)  # fmt: skip
@click.option("--offline", is_flag=True, help="Ask arXiv for nothing; what is new here stands in the file's own words.")
@reader_option
@as_json
def import_(file: Any, keep: str, offline: bool, reader: str | None, json_: bool) -> None:
    """Take a library of references in.

    FILE is BibTeX, RIS or CSL JSON, as Zotero and others export it; `-` reads standard input. Each reference is looked up here by
    arXiv number, DOI or address, then at arXiv. What names no paper is told with its line and key. Done twice, it changes nothing
    twice.
    """
    from scout.clock import now
    from scout.references.files import MAX_BYTES, BadLibrary, read
    from scout.references.importing import Keep, take
    from scout.sources.lookup import papers

    found = settings()
    name = line(getattr(file, "name", "standard input"))
    try:
        library = read(file.read(MAX_BYTES + 1))
    except BadLibrary as err:
        raise Missing(f"{name}: {err}") from err
    with open_store(found, create=True) as store:
        taken = take(
            store, library, reader=reader_name(found, reader), keep=Keep(keep), at=now(),
            look_up=None if offline else lambda ids: papers(found, ids),
        )  # fmt: skip
    if json_:
        emit_json(
            {"references": taken.references, "known": taken.known, "fetched": taken.fetched, "told": taken.told,
             "saved": taken.saved, "liked": taken.liked, "trouble": taken.trouble,
             "unknown": [{"line": where, "key": key, "why": why} for where, key, why in taken.unknown]}
        )  # fmt: skip
        return
    say(
        f"{taken.references:,} references: {taken.known:,} known here, {taken.fetched:,} fetched from arXiv, "
        f"{taken.told:,} in the file's own words. {taken.saved:,} newly saved, {taken.liked:,} newly liked."
    )
    if taken.trouble and not offline:
        complain(f"arXiv could not be asked ({taken.trouble}); import the file again later")
    for where, key, why in taken.unknown[:SHOWN]:
        say(f"  {name}, {where}{f', {line(key)}' if key else ''}: {line(why)}")
    if len(taken.unknown) > SHOWN:
        say(f"  … and {len(taken.unknown) - SHOWN:,} more that were not taken in; --json names them all")
