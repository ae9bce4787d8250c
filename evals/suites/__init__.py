"""Suites: a domain each, cases and verifiers."""
