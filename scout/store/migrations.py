"""All migrations, by number. Each file of tables adds its own when it is imported here; a new one takes its place in the list."""

from __future__ import annotations

from scout.store import (
    schema_addresses,
    schema_archive,
    schema_attempts,
    schema_evals,
    schema_gate,
    schema_harvests,
    schema_keys,
    schema_kinds,
    schema_notify,
    schema_readings,
    schema_threads,
    schema_training,
    schema_vectors,
)
from scout.store.schema import migrations

SCHEMAS = (
    schema_archive,
    schema_notify,
    schema_readings,
    schema_gate,
    schema_evals,
    schema_attempts,
    schema_threads,
    schema_training,
    schema_vectors,
    schema_addresses,
    schema_harvests,
    schema_keys,
    schema_kinds,
)

migrations._migrations.sort(key=lambda migration: migration.name)  # files are imported in the order of their names

__all__ = ["migrations"]
