"""Holds `start.py` and `server.py` alone: Streamlit takes a folder of pages beside its script for pages of its own."""
