"""What a backfill found, into the database: so that it can be searched, thumbed, saved and researched like anything else.

Of papers that are not stored, those for reading and the unsure ones come in, as old news that came before everything else:
no digest takes them up, and no policy is fitted against them, for they were chosen. A decision that is there is never replaced:
it may be a model's, or what a digest was made by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from scout.backfill.judge import Row
from scout.backfill.records import SOURCE
from scout.clock import now
from scout.items import Contribution, Decision, Item, ItemId, Lane
from scout.progress import SILENT, Progress
from scout.store import Store
from scout.store.rows import batches


@dataclass(frozen=True, slots=True)
class Added:
    items: int
    decisions: int


def wanted(rows: Iterable[Row], stored: Collection[ItemId]) -> dict[ItemId, Row]:
    """The rows of what shall be in the database: all of what is stored, and of the rest what is not to be skipped."""
    return {row["id"]: row for row in rows if row["lane"] != Lane.SKIP or row["id"] in stored}


def add(
    store: Store, rows: Mapping[ItemId, Row], items: Iterable[Item], *, progress: Progress = SILENT
) -> Added:  # fmt: skip
    """Store those of `items` that have a row and are not stored, and every such row as a decision where there is none.

    What was deleted or moved to the archive is not brought back.
    """
    progress.stage("store", len(rows))
    came, decided = 0, 0
    for batch in batches(item for item in items if item.id in rows):
        with store.writing():
            at, ids = now(), [item.id for item in batch]
            known, gone = store.items.resolve(ids), store.items.tombstoned(ids)
            fresh = [item for item in batch if item.id not in known and item.id not in gone]
            store.items.add_old([replace(item, source=SOURCE, backlog=True) for item in fresh], at)
            known |= {item.id: item.id for item in fresh}
            made = [decision_of(rows[id], known[id]) for id in ids if id in known]
            standing = store.decisions.of(made[0].reader, [each.item_id for each in made]) if made else {}
            new = [each for each in made if each.item_id not in standing]
            store.decisions.write(new, at)
        came, decided = came + len(fresh), decided + len(new)
        for _ in batch:
            progress.step()
    return Added(came, decided)


def decision_of(row: Row, item_id: ItemId) -> Decision:
    """A row as a decision on the item that its id stands for."""
    return Decision(
        item_id=item_id, reader=row["reader"], policy=row["policy"], subject=row["subject"], subjects=row["subjects"],
        probability=row["probability"], lane=Lane(row["lane"]),
        why=tuple(Contribution(feature, weight) for feature, weight in row["why"]),
    )  # fmt: skip
