"""The command ``podium``. :mod:`podium.cli.help.exit_codes` lists the exit codes.

A command's module is imported only when it runs: the imports of ``podium serve`` take longer than a small ``podium
rank``.
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from podium.cli import output
from podium.cli.arguments import CHILD_COMMANDS, parse
from podium.errors import Interrupted, MissingDependency, OutputError, PodiumError
from podium.settings import unknown_variables

# By the monotonic clock: what a command imports takes a part of the time that it has.
STARTED_AT = time.monotonic()

# Servers log unknown variables, doctor has them among its findings, and these two read no settings.
_REPORT_VARIABLES_THEMSELVES = ("serve", "worker", "doctor", *CHILD_COMMANDS, "schema", "completion")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    if sys.stderr is None:
        # It is closed: print would write to standard output, into a board's JSON.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end
    # A terminal that cannot show an author's name must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words[0] if words else ""
    is_child = command in CHILD_COMMANDS
    try:
        if not is_child:
            signal.signal(signal.SIGTERM, _interrupt)
        return _run(words)
    except (KeyboardInterrupt, Interrupted):
        output.complain("interrupted; what was saved stays: run it again to continue")
        return Interrupted.exit_code
    except BrokenPipeError:
        # The reader has ended (`podium rank … | head`).
        output.discard()
        return 0
    except PodiumError as error:
        output.complain(error.message)
        # The supervisor of a child process starts it again unless a person must act.
        return 1 if is_child and error.transient else error.exit_code
    except ModuleNotFoundError as error:
        missing = MissingDependency.from_import(error, f"podium {CHILD_COMMANDS.get(command, command)}")
        output.complain(missing.message)
        return missing.exit_code
    except OSError as error:
        # A file that no one expected to fail: the disk is full, or it may not be read or written.
        where = f"{error.filename}: " if error.filename else ""
        output.complain(f"{where}{error.strerror or error}.")
        return OutputError.exit_code


def _run(words: list[str]) -> int:
    options = parse(words)
    options.words = words
    if words[0] not in _REPORT_VARIABLES_THEMSELVES:
        for line in unknown_variables(os.environ):
            output.complain(f"warning: {line}")
    module, _, function = options.func.partition(":")
    command = getattr(importlib.import_module(f"podium.cli.{module}"), function)
    code: int = command(options, os.environ)
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
