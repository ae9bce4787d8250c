"""`scout policy`: who decides for a reader, how they came to, and who may take their place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from scout.cli import policy_adapters, policy_words
from scout.cli.console import progress
from scout.cli.errors import Later, Missing
from scout.cli.examples import Group
from scout.cli.output import emit_json, line, on_terminal, say, table
from scout.cli.shared import as_json, existing_reader, open_store, reader_option, settings

if TYPE_CHECKING:
    from scout.store.promotions import Promotion


@click.group(cls=Group, name="policy", example="scout policy list\nscout policy challenge linear-2")
def policy() -> None:
    """See and change who decides for a reader.

    The recipe that serves is refitted on new thumbs by every run. Another recipe serves only when it foresaw your thumbs
    better (docs/policies.md).
    """


@policy.command(name="list", example="scout policy list\nscout policy list --versions --json")
@reader_option
@click.option("--versions", is_flag=True, help="The fitted versions instead of the recipes.")
@as_json
def list_(reader: str | None, versions: bool, json_: bool) -> None:
    """List recipes, who serves, and challenges.

    A reader whose champion is not of the default recipe stays with it; once a week `scout run` lets the default challenge,
    and this list says how that ended.
    """
    found = settings()
    with open_store(found) as store:
        name = existing_reader(store, found, reader)
        facts = policy_words.versions(store, name) if versions else policy_words.recipes(store, name)
        if not versions:
            facts += policy_adapters.listed(store, name)
    if json_:
        emit_json(facts)
    elif versions:
        head = ("version", "fitted", "thumbs", "served")
        table(head, [policy_words.version_row(fact) for fact in facts], give_way="served")
    else:
        table(
            ("recipe", "stands", "last challenge"),
            [policy_words.recipe_row(fact) for fact in facts],
            give_way="last challenge",
        )


@policy.command(example="scout policy show\nscout policy show linear-1:5d0c2f1a --json")
@click.argument("version", required=False)
@reader_option
@as_json
def show(version: str | None, reader: str | None, json_: bool) -> None:
    """Show a version, such as a decision carries.

    Without one, the version that serves.
    """
    from scout.cli.shared import typed

    found = settings()
    with open_store(found) as store:
        if version is None:
            champion = store.policies.champion(existing_reader(store, found, reader))
            if champion is None:
                raise Missing("no policy was fitted yet; `scout run` fits the first")
            version = champion.version
        row = store.policies.get(typed(version))
        if row is None:
            raise Missing(f"no policy is called {typed(version)!r}; `scout policy list --versions` names them")
        facts = policy_words.whole(store, row)
    if json_:
        emit_json(facts)
        return
    for name, value in policy_words.shown(facts):
        say(f"{name}: {value}")


@policy.command(example="scout policy challenge linear-2\nscout policy challenge linear-2 --json")
@click.argument("recipe")
@reader_option
@as_json
def challenge(recipe: str, reader: str | None, json_: bool) -> None:
    """Let a recipe, or an adapter, challenge.

    Both recipes are fitted on your earlier thumbs and asked about the later ones; an adapter meets the model as it reads now,
    on thumbs that its training never saw and on suites (docs/training.md). What came of it is kept; `promote` goes by it.
    Changes nothing about who serves.
    """
    from scout.cli import policy_judging

    found = settings()
    with open_store(found) as store, _explained(), progress() as bars:
        name = existing_reader(store, found, reader)
        if policy_adapters.is_adapter(store, _recipe(recipe)):
            fought = policy_adapters.challenge(store, found, name, _recipe(recipe), bars=bars)
        else:
            fought = policy_judging.challenge(store, found, name, _recipe(recipe), by="cli", progress=bars)
    if json_:
        emit_json(policy_words.challenge_facts(fought))
        return
    for told in policy_words.challenge_lines(fought):
        say(told)
    if fought.passed:
        say(f"Let it serve with `scout policy promote {line(fought.challenger)}`.")


@policy.command(example="scout policy compare linear-2\nscout policy compare linear-2 --unknown missing --json")
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE...")
@reader_option
@click.option(
    "--unknown", type=click.Choice(["not-up", "missing"]), default="not-up", show_default=True,
    help="What a shown item without a thumb counts as: not wanted, or unknown.",
)  # fmt: skip
@as_json
def compare(recipes: tuple[str, ...], reader: str | None, unknown: str, json_: bool) -> None:
    """Estimate what recipes would have shown.

    Thumbs up per shown slot, from thumbs on what was shown and the odds that were written down with it: IPS, SNIPS and doubly
    robust, with intervals, and a warning where the overlap is too thin to believe them.
    """
    from evals.offpolicy import Unknown
    from scout import backtest
    from scout.cli import policy_judging

    found = settings()
    with open_store(found) as store, _explained(), progress() as bars:
        name = existing_reader(store, found, reader)
        policy_judging.champion_of(store, name)
        names = [policy_judging.known(_recipe(recipe)) for recipe in dict.fromkeys(recipes)]
        blocks = backtest.plan(store, found, name)
        if not blocks:
            raise Missing(f"{name} gave no thumb yet, so nothing can be estimated")
        past = backtest.run(store, found, name, blocks, names, progress=bars)
        facts = {"reader": name, "since": blocks[0].start, **policy_judging.off_policy(past, names, Unknown(unknown))}
    if json_:
        emit_json(facts)
        return
    rows = policy_words.worth_rows(facts, names)
    table(policy_words.WORTH_HEAD, rows, give_way="policy")
    if on_terminal():
        for told in policy_words.warnings(facts, names):
            say(told)


@policy.command(example='scout policy promote linear-2\nscout policy promote linear-2 --force --why "starting over"')
@click.argument("recipe")
@reader_option
@click.option("--force", is_flag=True, help="Without a gate that was passed; needs --why.")
@click.option("--why", default="", metavar="TEXT", help="Written down with it.")
def promote(recipe: str, reader: str | None, force: bool, why: str) -> None:
    """Let a recipe or an adapter serve.

    Either needs a challenge won against what serves now, within the last 30 days; --force does without one, and says so for
    good. An adapter is first loaded into the running server; where that fails nothing changes.
    """
    from scout import policies
    from scout.cli import policy_judging
    from scout.locks import held

    if force and not why.strip():
        raise click.UsageError("--force needs --why TEXT, which is written down")
    found = settings()
    with open_store(found) as store, _explained():
        name = existing_reader(store, found, reader)
        if policy_adapters.is_adapter(store, _recipe(recipe)):
            _say_promoted(
                policy_adapters.promote(store, found, name, _recipe(recipe), force=force, why=line(why)), name
            )
            return
    with open_store(found) as store, held(found, "run"), _explained():
        wanted = policy_judging.known(_recipe(recipe))
        won = policy_judging.passed(store, name, wanted)
        if won is None and not force:
            raise Missing(f"{wanted} has passed no gate for {name}: {policy_words.why_not(store, name, wanted)}")
        change = policies.promote(
            store,
            found,
            name,
            wanted,
            by="cli",
            why=line(why),
            forced=won is None,
            evidence=won.evidence if won else None,
        )
    _say_promoted(change, name)


def _say_promoted(change: Promotion, reader: str) -> None:
    version = f" ({change.version})" if not change.recipe.endswith(change.version) else ""
    say(f"{change.recipe} serves {reader} from now on{version}, in place of {change.from_recipe}.")
    say("Take it back with `scout policy rollback`.")


@policy.command(example='scout policy rollback --why "the digest got worse"\nscout policy rollback --undo')
@reader_option
@click.option("--undo", is_flag=True, help="Take back the rollback that was the last change.")
@click.option("--why", default="", metavar="TEXT", help="Written down with it.")
def rollback(reader: str | None, undo: bool, why: str) -> None:
    """Take the last promotion back.

    Who served before serves again, as it was; the next run refits a recipe on what you have said since. An adapter is dropped
    from the server, and the one before it, if there was one, loaded first.
    """
    from scout import adapters

    found = settings()
    with open_store(found) as store, _explained():
        name = existing_reader(store, found, reader)
        change = (adapters.restore if undo else adapters.rollback)(store, found, name, by="cli", why=line(why))
    version = f" ({change.version})" if not change.recipe.endswith(change.version) else ""
    say(f"{change.recipe} serves {name} again{version}, in place of {change.from_recipe}.")


def _recipe(given: str) -> str:
    from scout.cli.shared import typed

    return typed(given)


@contextmanager
def _explained() -> Iterator[None]:
    """What cannot be changed so becomes a line for whoever asked."""
    from scout.adapters import ServerTrouble
    from scout.policies import NoChange

    try:
        yield
    except ServerTrouble as err:
        raise (Later if err.passes else Missing)(str(err)) from err
    except NoChange as err:
        raise Missing(str(err)) from err


policy.add_command(policy_adapters.adopt)
