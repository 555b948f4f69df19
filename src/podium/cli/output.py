"""Standard output and standard error."""

from __future__ import annotations

import contextlib
import os
import sys

from podium.errors import OutputError


def write(text: str) -> None:
    """Write to standard output.

    Raises:
        BrokenPipeError: its reader has ended.
        OutputError: it cannot be written.
    """
    if sys.stdout is None:
        raise OutputError("Standard output is closed: the result cannot be printed.")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard()
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def discard() -> None:
    """Discard buffered output: Python would flush it at exit, and fail again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Write a line to standard error. Where that cannot be written, the line is lost, and the command goes on."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)


def complain(message: str) -> None:
    # A message may name a file, and a file any control sequence of a terminal. Most commands have none.
    from podium.textutil.sanitize import blank_controls

    say("podium: " + " ".join(blank_controls(message).split()))
