"""Backups: one file that holds the database as of one moment and what else lies in the data folder, with checksums.

A backup is a zip: `scout.db`, `data/…` (adapters, archived months, transcripts, verdicts), `settings/scout.toml` and
`manifest.json`. Logs, locks and other backups are left out. Restoring and checking one is `restoring`'s; what a sound
database is, the store's.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from scout import __version__
from scout.config import Settings
from scout.progress import SILENT, Progress
from scout.store import StoreError
from scout.store.copying import applied, copy, rows_of
from scout.store.store import explained

FORMAT = 1
MANIFEST, DATABASE, DATA, SETTINGS = "manifest.json", "scout.db", "data/", "settings/scout.toml"
BACKUPS = "backups"
NAMED, AUTOMATIC = "scout-", "scout-auto-"
_CHUNK = 1 << 20
_LEFT_OUT = ("scout.db", "log.jsonl", BACKUPS)


@dataclass(frozen=True, slots=True)
class File:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str
    scout: str
    """The version that made it."""
    schema: tuple[str, ...]
    """Migrations applied to the database."""
    counts: Mapping[str, int]
    """Table → rows, of those that nothing may be lost of."""
    files: Mapping[str, File] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)


def folder_of(settings: Settings) -> Path:
    """Where backups go unless told otherwise."""
    named = settings.keeping.backup_folder
    return Path(named).expanduser() if named else settings.data_dir / BACKUPS


def make(settings: Settings, folder: Path, *, at: datetime, prefix: str = NAMED, progress: Progress = SILENT) -> Path:
    """A backup in `folder`, named by the moment; whoever writes to the database meanwhile may go on.

    Raises:
        StoreError: there is no database, it cannot be read, or the disk is full; nothing is left behind.
    """
    if not settings.database.exists():
        raise StoreError(f"{settings.database} does not exist yet; `scout run` makes it")
    target = folder / f"{prefix}{at.astimezone(UTC):%Y%m%dT%H%M%S%f}.zip"
    half, database = target.with_name(f".{target.name}.part"), folder / f".{target.stem}.db"
    with explained(target):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            progress.stage("backup", 3)
            copy(settings.database, database)  # first: what is archived later stands in both, never in none
            progress.step("database copied")
            _write(settings, half, database, at)
            progress.step("packed")
            half.replace(target)
            _sync(folder)
            progress.step()
        finally:
            half.unlink(missing_ok=True)
            database.unlink(missing_ok=True)
    return target


def _write(settings: Settings, half: Path, database: Path, at: datetime) -> None:
    with closing(sqlite3.connect(database)) as connection:
        counts = rows_of(connection)
    files: dict[str, File] = {}
    descriptor = os.open(half, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)  # settings may hold a key
    with (
        os.fdopen(descriptor, "w+b") as raw,
        zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        for name, path in _contents(settings, database):
            files[name] = _add(packed, name, path)
        manifest = Manifest(at.astimezone(UTC).isoformat(), __version__, tuple(applied(database)), counts, files)
        packed.writestr(MANIFEST, manifest.to_json())
        packed.close()
        raw.flush()
        os.fsync(raw.fileno())


def _contents(settings: Settings, database: Path) -> Iterator[tuple[str, Path]]:
    """Name in the backup, file. Links are left out: what they point to is not ours."""
    yield DATABASE, database
    if settings.config and settings.config.is_file() and settings.data_dir not in settings.config.absolute().parents:
        yield SETTINGS, settings.config
    kept = folder_of(settings).resolve()
    for path in sorted(settings.data_dir.rglob("*")):
        relative = path.relative_to(settings.data_dir)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or relative.parts[0].startswith(_LEFT_OUT) or path.suffix == ".lock" or path.is_symlink():
            continue
        if path.is_file() and kept not in path.resolve().parents:
            yield DATA + relative.as_posix(), path


def _add(packed: zipfile.ZipFile, name: str, path: Path) -> File:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, packed.open(name, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += target.write(chunk)
    return File(size, digest.hexdigest())


def checksum(source: BinaryIO | Any, target: BinaryIO | None = None) -> File:
    """Of all that `source` still gives; written to `target` on the way where there is one."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return File(size, digest.hexdigest())


def automatic(settings: Settings, at: datetime) -> Path | None:
    """The backup that is due, if one is; older automatic ones beyond `keeping.backups` are removed. None where none is due.

    Raises:
        StoreError: as `make`; older backups stay.
    """
    days = settings.keeping.backup_days
    if not days:
        return None
    folder = folder_of(settings)
    newest = max(listing(folder, automatic_only=True), key=made_at, default=None)
    # One of a day that has not come was written under a clock that went wrong: it holds nothing up.
    if newest is not None and timedelta(0) <= at - made_at(newest) < timedelta(days=days):
        return None
    made = make(settings, folder, at=at, prefix=AUTOMATIC)
    others = sorted(
        (file for file in listing(folder, automatic_only=True) if file != made), key=lambda f: f.stat().st_mtime_ns
    )
    for old in others[: max(0, len(others) + 1 - settings.keeping.backups)]:
        old.unlink()
    return made


def listing(folder: Path, *, automatic_only: bool = False) -> list[Path]:
    """The backups in a folder, by name."""
    prefix = AUTOMATIC if automatic_only else NAMED
    return sorted(file for file in folder.glob(f"{prefix}*.zip") if _stamp(file) is not None)


def made_at(file: Path) -> datetime:
    """When a backup was made, by its name.

    Raises:
        ValueError: it has another name than `make` gives.
    """
    found = _stamp(file)
    if found is None:
        raise ValueError(f"{file.name} is not named as backups are")
    return found


def _stamp(file: Path) -> datetime | None:
    try:
        return datetime.strptime(file.stem.rpartition("-")[2], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
