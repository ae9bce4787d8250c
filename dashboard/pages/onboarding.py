"""The welcome, for whoever comes back to it."""

from __future__ import annotations

from dashboard.session import here as who_reads
from dashboard.welcome import form

form(who_reads())
