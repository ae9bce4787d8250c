"""`scout policy` where what is named is an adapter of the served model: brought in, judged, let serve."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import emit_json, line, say
from scout.cli.shared import as_json, existing_reader, open_store, reader_option, settings

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.progress import Progress
    from scout.store import Store
    from scout.store.adapters import AdapterRow
    from scout.store.promotions import Challenge, Promotion


def is_adapter(store: Store, given: str) -> bool:
    """Whether what was typed names an adapter; a path does, so that it can be said that paths are not served."""
    from scout.adapters import PREFIX, untitled

    return given.startswith(PREFIX) or "/" in given or "\\" in given or store.adapters.get(untitled(given)) is not None


def challenge(store: Store, found: Settings, reader: str, given: str, *, bars: Progress) -> Challenge:
    from rl import promote

    return promote.challenge(store, found, reader, _plain(store, found, reader, given), by="cli", progress=bars)


def promote(store: Store, found: Settings, reader: str, given: str, *, force: bool, why: str) -> Promotion:
    from rl.promote import won
    from scout import adapters
    from scout.cli.policy_words import why_not

    name = _plain(store, found, reader, given)
    passed = won(store, reader, name)
    if passed is None and not force:
        titled = adapters.titled(name)
        raise Missing(f"{name} has passed no gate for {reader}: {why_not(store, reader, titled)}")
    return adapters.promote(
        store,
        found,
        reader,
        name,
        by="cli",
        why=why,
        forced=passed is None,
        evidence=passed.evidence if passed else None,
    )


def _plain(store: Store, found: Settings, reader: str, given: str) -> str:
    """
    Raises:
        Missing: it is a path, or not of this reader.
    """
    from scout import adapter_files, adapters
    from scout.policies import NoChange

    try:
        adapter_files.folder(found, adapters.untitled(given))
        return adapters.known(store, reader, given).name
    except (adapter_files.BadAdapter, NoChange) as err:
        raise Missing(str(err)) from err


@click.command(
    cls=Command, name="adopt", example="scout policy adopt ./my-lora --seen-until 2025-12-01 --base Qwen/Qwen3-8B"
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@reader_option
@click.option(
    "--seen-until", type=click.DateTime(["%Y-%m-%d"]), required=True, metavar="DATE",
    help="The first day whose thumbs its training did not see; it is judged by those from then on.",
)  # fmt: skip
@click.option(
    "--base", default="", metavar="NAME", help="The model that it adapts, as served; model.name unless given."
)
@as_json
def adopt(folder: Path, reader: str | None, seen_until: datetime, base: str, json_: bool) -> None:
    """Bring an adapter in that was trained elsewhere.

    Its two files (peft's adapter_config.json and adapter_model.safetensors) are copied into the data directory under a name
    of their own, with a checksum. It serves nobody by that: let it `challenge`, then `promote` it.
    """
    from scout import adapter_files, adapters

    found = settings()
    with open_store(found) as store:
        name = existing_reader(store, found, reader)
        try:
            row = adapters.adopt(
                store, found, name, folder, base=line(base) or found.model.name,
                facts={"held_out_since": seen_until.date().isoformat(), "from": folder.name},
            )  # fmt: skip
        except (adapter_files.BadAdapter, OSError) as err:
            raise Missing(str(err)) from err
    if json_:
        emit_json(facts(row))
        return
    say(f"{row.name} was brought in (checksum {row.checksum}).")
    say(f"Let it challenge with `scout policy challenge {row.name}`.")


def facts(row: AdapterRow) -> dict[str, Any]:
    return {
        "adapter": row.name, "reader": row.reader, "base": row.base, "checksum": row.checksum, "made_at": row.made_at,
        "run": row.run or None, "facts": dict(row.facts),
    }  # fmt: skip


def listed(store: Store, reader: str) -> list[dict[str, Any]]:
    """The reader's adapters, in the shape of `policy_words.recipes`."""
    from scout.adapters import titled
    from scout.cli.policy_words import challenge_facts

    serving, found = store.adapters.serving(reader), []
    for row in store.adapters.listing(reader):
        last = next(iter(store.promotions.challenges(reader, challenger=titled(row.name), limit=1)), None)
        found.append(
            {
                "recipe": titled(row.name), "reader": reader, "serves": row.name == serving, "default": False,
                "version": row.name if row.name == serving else None, "last_challenge": last and challenge_facts(last),
            }
        )  # fmt: skip
    return found
