"""`scout research`: have the model read on, and print the brief that it comes to."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from scout.cli.console import progress
from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, line, say
from scout.cli.shared import as_json, find_item, open_store, reader_name, reader_option, settings
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.agent.research import Researched

WIDTH = 96


@click.command(cls=Command, example="scout research 2511.21735\nscout research --top 3 --json")
@click.argument("item", required=False)
@click.option("--top", type=click.IntRange(1, 50), metavar="K", help="The K best items of the reader's newest digest.")
@reader_option
@click.option("--again", is_flag=True, help="Begin anew, also where there is a brief already.")
@as_json
@click.pass_context
def research(
    ctx: click.Context, item: str | None, top: int | None, reader: str | None, again: bool, json_: bool
) -> None:
    """Let the model read on, and get a brief.

    The model reads the item's full text, its neighbours in the archive and the code that it links to, and writes a brief in
    which every claim cites what it read. One that was interrupted goes on from where it was. Needs `model.base_urls`.

    Exit status: 0 done, 75 the model is away (the same command goes on later), 78 the configuration must be changed.
    """
    from scout.agent.research import research as look_into
    from scout.agent.research import top as best
    from scout.locks import held
    from scout.serving.messages import Priority
    from scout.serving.verdicts import label_of

    if (item is None) == (top is None):
        raise click.UsageError("name one ITEM, or give --top K")
    found = settings()
    with open_store(found) as store:
        name = reader_name(found, reader)
        items = [find_item(store, item).item] if item is not None else best(store, name, top or 0)
        if not items:
            raise Missing(f"no digest of {name} has items to look into; `scout run` makes one")
        with held(found, "research"), progress() as bars:
            priority = Priority.BATCH if item is None else Priority.PERSON
            results = look_into(store, found, items, again=again, priority=priority, progress=bars)
    if json_:
        emit_json([facts(each, label_of(found.data_dir, by=each.model)) for each in results])
    else:
        say("\n\n\n".join(told(each, label_of(found.data_dir, by=each.model)) for each in results))
    for each in results:
        if each.ending is None:
            complain(f"{each.item.id} waits for the model: {each.message}; the same command goes on from there")
    ctx.exit(status(results))


def status(results: list[Researched]) -> int:
    waiting = [each for each in results if each.ending is None]
    if waiting:
        return Exit.LATER if all(each.passes for each in waiting) else Exit.CONFIG
    return Exit.DONE if any(each.brief for each in results) else Exit.BUG


def facts(result: Researched, label: str) -> dict[str, Any]:
    """A research, with what is to be known of its model, in the public shape of `research --json` (docs/schemas/research.schema.json)."""
    return {
        "item": result.item.id,
        "title": result.item.title,
        "ending": result.ending,
        "rounds": result.rounds,
        "tokens": result.tokens,
        "message": result.message,
        "model": result.model,
        "label": label,
        "brief": result.brief.to_dict() if result.brief else None,
    }


def told(result: Researched, label: str) -> str:
    """The same, for reading."""
    from scout.text import tex_to_plain

    head = f"{line(tex_to_plain(result.item.title))}\n{result.item.id} · {result.rounds} rounds"
    if result.model:
        head += f" · by {line(result.model)}{f' ({line(label)})' if label else ''}"
    brief = result.brief
    if brief is None:
        why = "waits for the model" if result.ending is None else f"ended without a brief ({result.ending})"
        return f"{head} · {why}"
    parts = [head]
    parts += [
        _point(claim.text, [f"{each.place} {', '.join(map(str, each.numbers))}" for each in claim.evidence])
        for claim in brief.claims
    ]
    for name, lines in (
        ("Builds on", [f"{base.item}: {base.how}" for base in brief.builds_on]),
        ("Open questions", brief.open_questions),
        ("To try the code", brief.try_code),
    ):
        if lines:
            parts.append("\n".join([f"{name}:", *(_wrapped(f"- {line(text)}", "  ") for text in lines)]))
    if brief.dropped:
        parts.append(f"{len(brief.dropped)} statements were dropped: nothing that was read bears them out.")
    return "\n\n".join(parts)


def _point(text: str, cites: list[str]) -> str:
    return _wrapped(f"- {line(text)}", "  ") + "\n" + _wrapped(f"  [{line('; '.join(cites))}]", "   ")


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent)
