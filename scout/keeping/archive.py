"""Old items that nobody was shown or spoke of, moved to Parquet files by the month they came in, and back.

    for each month, at most `PER_FILE` items at a time:
        write a file, read it back, compare                 (nothing is taken away yet)
        note the file and take its items out of the tables  (one transaction)

Killed anywhere it goes on: a file that no note names is removed at the next start. Needs pyarrow (`pip install
"scout[archive]"`), loaded when it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from scout.clock import now
from scout.config import ConfigError, Settings
from scout.items import ItemId
from scout.locks import held
from scout.progress import SILENT, Progress
from scout.store import Store, StoreError
from scout.store.archive import ArchiveFile, Record
from scout.store.store import explained

FOLDER = "archive"
PER_FILE = 20_000
COLUMNS = ("id", "kind", "title", "url", "text", "source", "authors", "categories", "published", "first_seen")
"""For whoever reads the files elsewhere; `row` and `related` hold all of it as JSON."""


class BadArchive(Exception):
    """A file of the archive that is gone or damaged, or an item that is in none; the message says which."""


@dataclass(frozen=True, slots=True)
class Moved:
    files: tuple[Path, ...]
    items: int


def archive(
    store: Store, settings: Settings, before: date, *, keep: Collection[ItemId] = (), progress: Progress = SILENT
) -> Moved:
    """Move what came, and appeared, before that day. Items in `keep` stay, as does what no digest of a reader considered yet.

    Raises:
        ConfigError: pyarrow is missing.
        Locked: a run is under way.
        StoreError: no room; what was moved before stays moved, nothing is lost.
    """
    _arrow()
    moment = datetime.combine(before, time.min, UTC)
    files, items = list[Path](), 0
    with held(settings, "run"):
        folder = settings.data_dir / FOLDER
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            remove_orphans(store, folder)
        considered = min(
            (store.digests.newest_cutoff(row.name) for row in store.readers.all()), default=store.items.newest_seq()
        )
        months = store.archive.months(moment, up_to_seq=considered)
        progress.stage("archive", len(months))
        for month in months:
            while ids := store.archive.movable(month, moment, up_to_seq=considered, keep=keep, limit=PER_FILE):
                made = _file(store, folder, month, ids)
                items += store.archive.move(made, ids)
                files.append(folder / made.file)
            progress.step(month)
    return Moved(tuple(files), items)


def _file(store: Store, folder: Path, month: str, ids: list[ItemId]) -> ArchiveFile:
    """Write and read back; the file is there in full, or not at all."""
    records = store.archive.records(ids)
    name = f"{month}-{secrets.token_hex(4)}.parquet"
    half = folder / f".{name}.part"
    with explained(folder / name):
        try:
            _write(half, records)
            if [record.item for record in read(half)] != [record.item for record in records]:
                raise StoreError(
                    f"{half} does not hold what was written to it; is the disk sound? nothing was taken away"
                )
            half.replace(folder / name)
            _sync(folder)
        finally:
            half.unlink(missing_ok=True)
    return ArchiveFile(name, month, len(records), sha256(folder / name), now())


def _write(path: Path, records: Iterable[Record]) -> None:
    arrow, parquet = _arrow()
    rows = [_row(record) for record in records]
    schema = arrow.schema(
        [
            (name, arrow.list_(arrow.string()) if name in ("authors", "categories") else arrow.string())
            for name in COLUMNS
        ]
        + [("row", arrow.string()), ("related", arrow.string())]
    )
    with path.open("wb") as file:
        parquet.write_table(arrow.Table.from_pylist(rows, schema=schema), file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def _row(record: Record) -> dict[str, Any]:
    item = record.item
    lists = {name: json.loads(item[name]) for name in ("authors", "categories")}
    return {
        **{name: lists.get(name, item[name]) for name in COLUMNS},
        "row": json.dumps(item, ensure_ascii=False),
        "related": json.dumps(record.related, ensure_ascii=False),
    }


def read(path: Path) -> Iterator[Record]:
    """The records of a file, in the order of arrival.

    Raises:
        BadArchive: it is gone, or no such file.
    """
    arrow, parquet = _arrow()
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=500, columns=["row", "related"]):
                for row in batch.to_pylist():
                    yield Record(json.loads(row["row"]), json.loads(row["related"]))
    except (OSError, arrow.ArrowException, KeyError, ValueError) as err:
        raise BadArchive(f"{path} cannot be read: {err}") from err


def restore(store: Store, settings: Settings, *, ids: Collection[ItemId] = (), month: str | None = None) -> int:
    """Put items back, or a whole month; how many. Files stay: they are the record of what was moved.

    Raises:
        BadArchive: an item or month is not in the archive, or its file is damaged; nothing was put back.
    """
    wanted = set(ids)
    files = {each.file: each for each in store.archive.files()}
    if month is not None:
        chosen = [each for each in files.values() if each.month == month]
        if not chosen:
            raise BadArchive(f"no items of {month} are in the archive; `scout archive list` names the months")
    else:
        placed = {id: store.archive.file_of(id) for id in wanted}
        if missing := [id for id, file in placed.items() if file is None]:
            raise BadArchive(f"{missing[0]} is not in the archive")
        chosen = [files[name] for name in sorted({file for file in placed.values() if file})]
    records = []
    for each in chosen:
        path = settings.data_dir / FOLDER / each.file
        check(path, each)
        records += [record for record in read(path) if month is not None or record.item["id"] in wanted]
    with held(settings, "run"):
        return store.archive.put_back(records)


def check(path: Path, told: ArchiveFile) -> None:
    """
    Raises:
        BadArchive: the file is gone, or not as it was written.
    """
    if not path.is_file():
        raise BadArchive(f"{path} is gone; it holds {told.items} items of {told.month}: restore it from a backup")
    if sha256(path) != told.sha256:
        raise BadArchive(f"{path} is damaged: its checksum differs; restore it from a backup")


def remove_orphans(store: Store, folder: Path) -> list[Path]:
    """Remove files of a run that was killed before it noted them; their items are in the tables still."""
    noted = {each.file for each in store.archive.files()}
    found = [
        file
        for file in folder.iterdir()
        if file.name not in noted and file.name.endswith((".parquet", ".parquet.part"))
    ]
    for file in found:
        file.unlink()
    return found


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError('the archive needs pyarrow: pip install "scout[archive]"') from None
    return pyarrow, parquet
