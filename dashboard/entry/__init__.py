"""Holds `start.py` alone."""
