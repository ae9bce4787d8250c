"""Keeping what was read for years: backups and the way back, and old items moved to Parquet files."""
