"""argparse with Podium's help and messages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from podium.cli import output


class Parser(argparse.ArgumentParser):
    """A parser of ``podium``, a command or an action.

    Attributes:
        has_epilog: whether the help has examples and exit codes.
    """

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        self._positionals.title = "arguments"
        self.has_epilog = True
        self._words: Sequence[str] = ()

    def format_help(self) -> str:
        if self.has_epilog:
            from podium.cli.help.epilog import epilog

            self.epilog = epilog(self.prog)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"podium: {message.removesuffix('.')} (see `{self.prog} --help`)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        self._words = args or ()
        return super().parse_known_args(args, namespace)

    def _match_argument(self, action: argparse.Action, arg_strings_pattern: str) -> int:
        try:
            return super()._match_argument(action, arg_strings_pattern)
        except argparse.ArgumentError:
            if not action.option_strings:
                raise
            from podium.cli.help.mistakes import missing_value

            self.error(missing_value(action, self._words))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            from podium.cli.help.mistakes import unknown_choice

            raise argparse.ArgumentError(action, unknown_choice(str(value), list(action.choices)))

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:
            # argparse ignores that it cannot be written.
            output.write(message)
        else:
            super()._print_message(message, file)


class Once(argparse.Action):
    """Refuses an option that is given twice: argparse would use the last value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest, None) is not None:
            parser.error(f"{option_string} is given twice: give one revision, or a range A..B")
        setattr(namespace, self.dest, values)
