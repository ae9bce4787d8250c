"""What `scout doctor` looks at, a function a part. Nothing here changes anything: the database is opened for reading."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from scout import clock
from scout.cli.checkup_net import answering
from scout.cli.finding import Finding, Level

if TYPE_CHECKING:
    from scout.config import Settings
    from scout.store import Store

LOW_DISK = 200_000_000
TOO_LOW_DISK = 20_000_000
STALE = timedelta(hours=48)


def checkup(*, net: bool) -> Iterator[Finding]:
    """Every finding, in the order in which a fault makes the later ones moot."""
    from scout.config import ConfigError, load

    try:
        settings = load()
    except ConfigError as err:
        yield Finding("configuration", Level.FAIL, str(err), "Mend that key, then run scout doctor again.")
        return
    yield _configuration(settings)
    yield _timezone(settings)
    yield from _subjects(settings)
    yield _dashboard(settings)
    yield from _mailbox(settings)
    yield from _notify(settings)
    yield _data_dir(settings)
    yield _disk(settings)
    yield from _database(settings)
    if net:
        yield from answering(settings)


def _configuration(settings: Settings) -> Finding:
    path = settings.config
    names = sorted(name for name in os.environ if name.startswith("SCOUT_") and name not in ("SCOUT_CONFIG",))
    also = f", and {', '.join(names)}" if names else ""
    if path is not None and path.exists():
        return Finding("configuration", Level.OK, f"{path}{also}")
    if os.environ.get("SCOUT_CONFIG"):
        return Finding(
            "configuration", Level.WARN, f"SCOUT_CONFIG names {path}, which does not exist; the defaults are used{also}",
            "Write it with scout init, or unset SCOUT_CONFIG.",
        )  # fmt: skip
    return Finding("configuration", Level.OK, f"the defaults; there is no {path}{also}")


def _timezone(settings: Settings) -> Finding:
    today = clock.today(settings)
    if settings.today is not None:
        return Finding("time zone", Level.WARN, f"SCOUT_TODAY makes today {today}", "Unset it for daily use.")
    return Finding("time zone", Level.OK, f"{settings.digest.timezone}: today is {today}")


def _subjects(settings: Settings) -> Iterator[Finding]:
    if settings.subjects:
        yield Finding("subjects", Level.OK, f"{len(settings.subjects)}: {', '.join(s.slug for s in settings.subjects)}")
    else:
        yield Finding("subjects", Level.WARN, "none", "Write some in scout.toml; scout init shows how.")


def _dashboard(settings: Settings) -> Finding:
    """Who may come to it; nothing is asked of the login itself."""
    from scout.access import refusal

    if problem := refusal(settings.access, settings.dashboard.address):
        return Finding("dashboard", Level.FAIL, problem, "docs/security.md shows both ways.")
    login = {"none": "no login, this machine alone", "oidc": "a provider's login", "proxy": "a proxy's login"}
    return Finding("dashboard", Level.OK, f"{settings.dashboard.address}, {login[settings.access.login]}")


def _mailbox(settings: Settings) -> Iterator[Finding]:
    """Whether the mailbox that newsletters come from could be asked; nobody is."""
    from scout.sources.imap_client import problem

    imap = settings.mail.imap
    if not imap.host:
        return
    if wrong := problem(imap):
        yield Finding("mailbox", Level.WARN, wrong, "Mend it, then try scout sources check imap.")
    else:
        yield Finding("mailbox", Level.OK, f"{imap.mailbox} on {imap.host}; scout sources check imap asks it")


def _notify(settings: Settings) -> Iterator[Finding]:
    """Whether what is set up to tell of digests can work; nothing is sent."""
    from scout.notify.channels import channels
    from scout.notify.post import problem

    found = channels(settings)
    wrong = [each.problem for each in found if each.problem]
    url = settings.notify.ping.get_secret_value()
    if url and (said := problem(url)):
        wrong.append(f"notify.ping {said}")
    if wrong:
        yield Finding("notifications", Level.WARN, "; ".join(wrong), "Mend it, then try scout notify --test.")
    elif found:
        yield Finding("notifications", Level.OK, ", ".join(each.name for each in found))


def _deliveries(store: Store) -> Iterator[Finding]:
    """What the newest digest of each reader came to, by each way."""
    for each in store.deliveries.newest():
        if not each.sent:
            said = f"{each.day} was not sent to {each.reader}, {each.failures} tries: {each.message}"
            yield Finding(
                f"sent by {each.channel}", Level.WARN, said, "scout notify sends it now; the next run does too."
            )


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir
    there = _nearest(folder)
    if not there.is_dir():
        return Finding("data folder", Level.FAIL, f"{there} is a file", "Set SCOUT_DATA_DIR to a folder of your own.")
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding("data folder", Level.FAIL, f"{there} may not be written", "Change its owner, or SCOUT_DATA_DIR.")
    if not folder.exists():
        return Finding("data folder", Level.OK, f"{folder} will be made by the first run")
    return Finding("data folder", Level.OK, str(folder))


def _nearest(folder: Path) -> Path:
    """The folder itself, or the first of its parents that is there."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    level = Level.FAIL if free < TOO_LOW_DISK else Level.WARN if free < LOW_DISK else Level.OK
    return Finding("disk", level, f"{free / 1e9:.1f} GB free", "" if level is Level.OK else "Free some space.")


def _database(settings: Settings) -> Iterator[Finding]:
    from scout.store import Store, StoreError

    path = settings.database
    if not path.exists():
        yield Finding("database", Level.WARN, f"{path} does not exist yet", "`scout run` makes it.")
        return
    try:
        with Store(path, read_only=True) as store:
            yield _integrity(store)
            yield _schema(store)
            yield _search_index(store)
            yield from _life(store)
            yield from _claims(store)
            yield from _deliveries(store)
    except (StoreError, sqlite3.Error) as err:
        yield Finding("database", Level.FAIL, str(err), "Try again if a run is under way; else restore a backup.")


def _integrity(store: Store) -> Finding:
    wrong = store.check()
    if wrong:
        message = f"{store.path} is damaged: {'; '.join(wrong[:3])}"
        return Finding(
            "database", Level.FAIL, message, "Move it away, and restore a backup or begin anew with scout run."
        )
    return Finding("database", Level.OK, f"{store.path}, {store.items.count():,} items, intact")


def _schema(store: Store) -> Finding:
    from scout.store.condition import schema_gap

    behind, ahead = schema_gap(store)
    if ahead:
        return Finding("schema", Level.FAIL, f"made by a newer scout (it has {', '.join(ahead)})", "Upgrade scout.")
    if behind:
        return Finding(
            "schema", Level.WARN, f"older than this scout by {len(behind)}", "The next command brings it up to date."
        )
    return Finding("schema", Level.OK, "up to date")


def _search_index(store: Store) -> Finding:
    from scout.store.condition import search_is_complete

    if search_is_complete(store):
        return Finding("full-text search", Level.OK, "as many entries as items")
    return Finding("full-text search", Level.FAIL, "its index and the items differ", "Restore a backup, or begin anew.")


def _life(store: Store) -> Iterator[Finding]:
    """Sources that fail, and whether runs happen."""
    from scout.items import Health
    from scout.store.sources import health

    at = clock.now()
    rows = store.sources.all()
    failing = [row for row in rows if health(row, at) is Health.FAILING]
    if failing:
        named = "; ".join(f"{row.id}: {row.message or row.outcome}" for row in failing[:5])
        more = f" and {len(failing) - 5} more" if len(failing) > 5 else ""
        todo = "One bad source harms no other. scout sources check asks again; pause or remove what stays away."
        yield Finding("sources", Level.WARN, f"{len(failing)} of {len(rows)} fail: {named}{more}", todo)
    else:
        yield Finding("sources", Level.OK, f"{len(rows)}, none failing")
    runs = [run for run in store.runs.listing(limit=10) if run.kind == "run" and run.finished]
    if not runs:
        yield Finding(
            "runs", Level.WARN, "none has finished yet", "`scout run` does one; scout schedule makes it daily."
        )
        return
    last = runs[0]
    told = f"the last one ended {last.finished:%Y-%m-%d %H:%M} UTC with {last.exit_code}: {last.message}"
    if last.finished and at - last.finished > STALE:
        yield Finding("runs", Level.WARN, told, "That is a while ago: scout schedule prints what makes it daily.")
    else:
        yield Finding("runs", Level.WARN if last.exit_code else Level.OK, told)


def _claims(store: Store) -> Iterator[Finding]:
    """What each reader's policy promises, and what it noticed of how thumbs came."""
    from scout.logged import told_of_skipped
    from scout.triage import honest

    for row in store.readers.all():
        champion = store.policies.champion(row.name)
        if champion is None:
            continue
        if promised := honest.promised(champion.facts):
            kept = (champion.facts.get("promise") or {}).get("line") is not None
            yield Finding(f"recall of {row.name}", Level.OK if kept else Level.WARN, promised)
        if skipped := told_of_skipped(store, row.name):
            yield Finding(f"skipped by {row.name}'s policy", Level.OK, skipped)
        if told := honest.told_of_bursts(champion.facts):
            yield Finding(f"thumbs of {row.name}", Level.WARN, told)
