"""All migrations in the order in which they are applied: each schema file adds its own when it is imported."""

from __future__ import annotations

from scout.store import schema_attempts, schema_evals, schema_readings
from scout.store.schema import migrations

SCHEMAS = (schema_readings, schema_attempts, schema_evals)
"""What follows `schema`, in this order; a new file of tables takes its place at the end."""

__all__ = ["migrations"]
