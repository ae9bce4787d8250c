"""What becomes of an exception that leaves a command: an exit code, and a line that says what to do.

0 done or nothing new, 75 try later, 78 configuration, 1 a bug or a thing asked for that is not there, 2 usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from scout.cli.output import clean, complain
from scout.exit_codes import Exit


class Missing(click.ClickException):
    """Something asked for by name that is not there."""

    exit_code = 1

    def format_message(self) -> str:
        return clean(self.message)


class Later(click.ClickException):
    """Nothing is wrong that time does not mend."""

    exit_code = Exit.LATER

    def format_message(self) -> str:
        return clean(self.message)


@contextmanager
def ended(ctx: click.Context) -> Iterator[None]:
    """Turn what leaves the block into an exit code."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except KeyboardInterrupt:
        complain("stopped; what was done is kept, and the same command goes on from there")
        ctx.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has read enough. Nothing may be written to that pipe when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ctx.exit(Exit.DONE)
    except Exception as err:
        ctx.exit(_explained(err))


def _explained(err: Exception) -> Exit:
    from scout.config import ConfigError
    from scout.locks import Locked
    from scout.store import StoreError

    if isinstance(err, ConfigError):
        complain(f"configuration: {err}")
        return Exit.CONFIG
    if isinstance(err, StoreError | Locked):
        complain(str(err))
        return Exit.LATER
    return _bug(err)


def _bug(err: Exception) -> Exit:
    """The traceback goes into the log; where there is none yet, to stderr."""
    import logging
    import traceback

    from scout.logs import current_file

    file = current_file()
    if file is None:
        traceback.print_exception(err, file=sys.stderr)
        complain(f"this is a bug: {type(err).__name__}: {err}")
    else:
        logging.getLogger("scout").error("bug", exc_info=err)
        complain(f"this is a bug: {type(err).__name__}: {err}; the traceback is in {file}")
    return Exit.BUG
