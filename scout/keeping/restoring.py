"""Checking a backup, or what lies in the data folder, and putting a backup back. A backup is material from outside: its names
and sizes are looked at before anything is written, and nothing takes its place before all of it is found whole.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from scout.config import Settings
from scout.keeping.backup import DATA, DATABASE, FORMAT, MANIFEST, SETTINGS, File, Manifest, checksum
from scout.locks import held
from scout.store import Store
from scout.store.condition import schema_of, serving_weights
from scout.store.copying import rows_of
from scout.store.soundness import faults
from scout.store.store import explained
from scout.triage.blob import BadBlob, unpack

FROM_BACKUP = "scout.toml.from-backup"
_LONGEST_MANIFEST = 64 << 20


class BadBackup(Exception):
    """A file that is no backup, or a damaged one; the message says what is wrong with it."""


class InTheWay(Exception):
    """Something is where a backup is to be put; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found on looking; nothing wrong where `problems` is empty."""

    path: Path
    made_at: str
    schema: str
    """The newest migration."""
    counts: dict[str, int]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    folder: Path
    aside: Path | None
    """Where what was there before is now."""
    settings: Path | None
    """The settings of the backup, where they did not lie in its data folder."""
    counts: dict[str, int]


def check_here(settings: Settings) -> Report:
    """What is in the data folder now: the database, thoroughly.

    Raises:
        StoreError: there is no database, or it cannot be opened.
    """
    with Store(settings.database, create=False) as store:
        return _report(settings.database, "", store.db.conn, [])


def check_file(path: Path) -> Report:
    """A backup, as if to restore it: every checksum, the database, its policies. A plain database is looked at as it is.

    Raises:
        BadBackup: it is neither.
        StoreError: there is no room to unpack it.
    """
    with tempfile.TemporaryDirectory(prefix="scout-verify-") as folder, explained(Path(folder)):
        manifest, problems = _unpacked(path, Path(folder), keep=(DATABASE,))
        with closing(sqlite3.connect(Path(folder) / DATABASE, isolation_level=None)) as connection:
            try:
                return _report(path, manifest.made_at if manifest else "", connection, problems, manifest)
            except sqlite3.DatabaseError as err:
                raise BadBackup(f"{path}: its database cannot be read ({err})") from err


def _report(
    path: Path, made_at: str, connection: sqlite3.Connection, problems: list[str], manifest: Manifest | None = None
) -> Report:
    if not schema_of(connection)[0]:
        raise BadBackup(f"{path}: its database is not one of scout's")
    found = [*problems, *faults(connection, thorough=True), *_schema(connection), *_policies(connection)]
    counts = rows_of(connection)
    if manifest and dict(manifest.counts) != counts:
        found.append(f"rows differ from the manifest's: {counts} and {dict(manifest.counts)}")
    return Report(path, made_at, schema_of(connection)[0], counts, tuple(found))


def _schema(connection: sqlite3.Connection) -> list[str]:
    _, newer = schema_of(connection)
    return [f"made by a newer scout (it has {', '.join(newer)}); upgrade scout first"] if newer else []


def _policies(connection: sqlite3.Connection) -> Iterator[str]:
    """Serving policies whose weights cannot be read; the next run would fit them anew from the thumbs."""
    for version, weights in serving_weights(connection):
        try:
            unpack(weights)
        except BadBlob as err:
            yield f"the policy {version} cannot be read: {err}"


def restore(settings: Settings, path: Path, folder: Path, *, replace: bool) -> Restored:
    """Put a backup (or a plain database) at `folder`. What is there stays, under another name beside it.

    Raises:
        BadBackup: it is none, or damaged; nothing was changed.
        InTheWay: there is a database and `replace` is false.
        Locked: a run or the dashboard's worker is at it.
        StoreError: no room; nothing was changed.
    """
    if (folder / DATABASE).exists() and not replace:
        raise InTheWay(
            f"{folder} holds a database; with --replace the backup takes its place and the old one is kept beside it"
        )
    staging = folder.with_name(f"{folder.name}.restoring")
    with explained(staging):
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        try:
            manifest, problems = _unpacked(path, staging)
            with closing(sqlite3.connect(staging / DATABASE, isolation_level=None)) as connection:
                report = _report(path, "", connection, problems, manifest)
            if report.problems:
                raise BadBackup(f"{path} is not whole: {'; '.join(report.problems[:3])}")
            aside = _swapped(settings, staging, folder)
        except sqlite3.DatabaseError as err:
            raise BadBackup(f"{path}: its database cannot be read ({err})") from err
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    told = folder / FROM_BACKUP
    return Restored(folder, aside, told if told.exists() else None, report.counts)


def _swapped(settings: Settings, staging: Path, folder: Path) -> Path | None:
    """Two renames: the old folder aside, the new one in its place. Killed between them, both are there under their names."""
    if not folder.exists() or not any(folder.iterdir()):
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.replace(folder)
        return None
    there = settings.model_copy(update={"data_dir": folder})
    aside = folder.with_name(f"{folder.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    with held(there, "run"), held(there, "worker"):
        folder.rename(aside)
        staging.rename(folder)
    return aside


def _unpacked(path: Path, folder: Path, *, keep: tuple[str, ...] | None = None) -> tuple[Manifest | None, list[str]]:
    """Unpack into `folder`, or of it only the files named in `keep`; the manifest, and what does not agree with it."""
    if _is_database(path):
        shutil.copyfile(path, folder / DATABASE)
        return None, []
    with _opened(path) as packed:
        manifest = _manifest(path, packed)
        listed = {info.filename for info in packed.infolist()} - {MANIFEST}
        problems = [f"{name} is missing" for name in sorted(manifest.files.keys() - listed)]
        problems += [f"{name} is not in its manifest" for name in sorted(listed - manifest.files.keys())]
        if DATABASE not in manifest.files or DATABASE not in listed:
            raise BadBackup(f"{path} holds no database")
        for name in sorted(manifest.files.keys() & listed):
            problems += _one(packed, name, manifest.files[name], folder, wanted=keep is None or name in keep)
    return manifest, problems


def _one(packed: zipfile.ZipFile, name: str, told: File, folder: Path, *, wanted: bool) -> list[str]:
    if packed.getinfo(name).file_size != told.bytes:
        return [f"{name} has another size than its manifest says"]  # looked at first: nothing larger is ever unpacked
    try:
        with packed.open(name) as source:
            if not wanted:
                found = checksum(source)
            else:
                target = folder / _place(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    found = checksum(source, file)
    except (zipfile.BadZipFile, EOFError, ValueError) as err:
        return [f"{name} is damaged: {err}"]
    return [] if found == told else [f"{name} is damaged: its checksum differs"]


def _place(name: str) -> Path:
    """Where a file of a backup goes, relative to the data folder.

    Raises:
        BadBackup: its name leads out of it.
    """
    if name == DATABASE:
        return Path(DATABASE)
    if name == SETTINGS:
        return Path(FROM_BACKUP)
    parts = PurePosixPath(name.removeprefix(DATA)).parts
    if not name.startswith(DATA) or not parts or ".." in parts or parts[0] == "/" or "\\" in name or ":" in name:
        raise BadBackup(f"it holds a file called {name!r}, which no backup of scout does")
    return Path(*parts)


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\x00"
    except OSError as err:
        raise BadBackup(f"{path} cannot be read: {err.strerror}") from err


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as packed:
            yield packed
    except zipfile.BadZipFile as err:
        raise BadBackup(f"{path} is no backup of scout's, or was cut off ({err})") from err


def _manifest(path: Path, packed: zipfile.ZipFile) -> Manifest:
    try:
        if packed.getinfo(MANIFEST).file_size > _LONGEST_MANIFEST:
            raise ValueError("it is too long")
        told: dict[str, Any] = json.loads(packed.read(MANIFEST))
        if told["format"] != FORMAT:
            raise BadBackup(f"{path} was made by a newer scout (format {told['format']}); upgrade scout")
        files = {str(name): File(int(one["bytes"]), str(one["sha256"])) for name, one in told["files"].items()}
        counts = {str(name): int(count) for name, count in told["counts"].items()}
        for name in files:
            _place(name)
        return Manifest(str(told["made_at"]), str(told["scout"]), tuple(map(str, told["schema"])), counts, files)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise BadBackup(f"{path} is no backup of scout's: its manifest cannot be read ({err})") from err
