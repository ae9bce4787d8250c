"""`scout backup`, `scout restore` and `scout verify`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scout.cli.errors import Missing
from scout.cli.examples import Command
from scout.cli.output import complain, emit_json, say
from scout.cli.shared import as_json, settings
from scout.exit_codes import Exit

if TYPE_CHECKING:
    from scout.keeping.restoring import Report


@click.command(cls=Command, example="scout backup\nscout backup --to /mnt/other-disk/scout")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Where to; else keeping.backup_folder."
)
@as_json
def backup(folder: Path | None, json_: bool) -> None:
    """Back up everything into one file.

    The database as of now, while others may write, and what else is in the data folder: adapters, archived months, answers of
    evaluations, settings; with checksums. Look at it with `scout verify FILE`, put it back with `scout restore FILE`.
    """
    from scout.cli.console import progress
    from scout.clock import now
    from scout.keeping.backup import folder_of, make

    found = settings()
    if not found.database.exists():
        raise Missing(f"there is nothing in {found.data_dir} yet; `scout run` fetches the first items")
    with progress(wanted=not json_) as bars:
        made = make(found, folder or folder_of(found), at=now(), progress=bars)
    if json_:
        emit_json({"file": str(made), "bytes": made.stat().st_size})
    else:
        say(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")


@click.command(
    cls=Command, example="scout restore scout-20251202T070000000000.zip --to /srv/scout\nscout restore FILE --replace"
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Which folder; else the data folder."
)
@click.option(
    "--replace", is_flag=True, help="Take the place of what is there; that is kept beside it under another name."
)
def restore(file: Path, folder: Path | None, replace: bool) -> None:
    """Put a backup back.

    Everything in it is checked first; if anything is wrong, nothing is changed. FILE is what `scout backup` made, or a database
    that was copied (such as those in backups/before-upgrade-…).
    """
    from scout.keeping.restoring import BadBackup, InTheWay
    from scout.keeping.restoring import restore as put_back

    found = settings()
    target = (folder or found.data_dir).absolute()
    try:
        done = put_back(found, file, target, replace=replace)
    except (BadBackup, InTheWay) as err:
        raise Missing(str(err)) from err
    say(f"{target}: {', '.join(f'{count:,} {name}' for name, count in done.counts.items() if count)}")
    if done.aside:
        say(f"What was there is in {done.aside}")
    if done.settings:
        say(f"The settings of the backup are in {done.settings}; compare them with yours")
    if target != found.data_dir.absolute():
        say(f"To use it: SCOUT_DATA_DIR={target} scout doctor")


@click.command(cls=Command, example="scout verify\nscout verify backups/scout-20251202T070000000000.zip --json")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@as_json
@click.pass_context
def verify(ctx: click.Context, file: Path | None, json_: bool) -> None:
    """Check a backup, or what is stored now.

    Checksums, every page and index of the database, its schema, its counts, that full-text search holds what the items say, and
    that the serving policies can be read. Exit code 1 where anything is wrong.
    """
    from scout.cli.shared import open_store
    from scout.keeping.restoring import BadBackup, check_file, check_here

    found = settings()
    if file is None:
        open_store(found).close()
    try:
        report = check_here(found) if file is None else check_file(file)
    except BadBackup as err:
        raise Missing(str(err)) from err
    if json_:
        emit_json({**asdict(report), "path": str(report.path), "problems": list(report.problems)})
    else:
        _show(report)
    ctx.exit(Exit.BUG if report.problems else Exit.DONE)


def _show(report: Report) -> None:
    for problem in report.problems:
        complain(problem)
    made = f", made {report.made_at[:19]}" if report.made_at else ""
    say(
        f"{report.path}{made}, schema {report.schema}: {', '.join(f'{n:,} {name}' for name, n in report.counts.items())}"
    )
    say("Nothing is wrong with it." if not report.problems else f"{len(report.problems)} problems; restore a backup.")
