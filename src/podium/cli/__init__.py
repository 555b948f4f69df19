"""The command ``podium``. Exit codes: 0; 2: the user can fix it; 1: other errors; 130: interrupted.

A command's module is imported only when it runs: the imports of ``podium serve`` take longer than a small ``podium
rank``.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

from podium.cli import output
from podium.cli.arguments import parser
from podium.errors import Interrupted, MissingDependency, PodiumError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    # A terminal that cannot show an author's name must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(words)
    options.words = words
    module, _, function = options.func.partition(":")
    try:
        command = getattr(importlib.import_module(f"podium.cli.{module}"), function)
        code: int = command(options, os.environ)
    except (KeyboardInterrupt, Interrupted):
        output.complain("interrupted; what was saved stays: run it again to continue")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has ended (`podium rank … | head`).
        output.discard()
        return 0
    except PodiumError as error:
        output.complain(error.message)
        return error.exit_code
    except ModuleNotFoundError as error:
        missing = MissingDependency.from_import(error, f"podium {options.command}")
        output.complain(missing.message)
        return missing.exit_code
    return code
