"""``podium completion``: a script for a shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import shtab

from podium.cli import output
from podium.cli.arguments import parser

# By the name of a value in the help.
_VALUES = {"SOURCE": shtab.DIRECTORY, "FILE": shtab.FILE}


def run(options: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    output.write(script(options.shell))
    return 0


def script(shell: str) -> str:
    """The script for ``bash``, ``zsh`` or ``fish``."""
    podium = parser()
    for action in _actions(podium):
        if action.metavar in _VALUES:
            action.complete = _VALUES[action.metavar]  # type: ignore[attr-defined]
    return shtab.complete(podium, shell).rstrip("\n") + "\n"


def _actions(of: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in of._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _actions(each)
