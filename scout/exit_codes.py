"""What a command's exit status tells whoever called it: cron, systemd, a script."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    """Done, or nothing new."""
    BUG = 1
    """A fault of ours, or something asked for that does not exist."""
    LATER = 75
    """Nothing is wrong with the setup: locked, or everything unreachable. Try again later (EX_TEMPFAIL)."""
    CONFIG = 78
    """The configuration must be changed first; the message names the key (EX_CONFIG)."""
    INTERRUPTED = 130
    """Stopped by whoever started it; what was done is kept."""
