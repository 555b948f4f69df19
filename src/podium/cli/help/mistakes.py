"""One line about a command or an option that does not exist, with a suggestion."""

from __future__ import annotations

import argparse
import difflib
import os
import shlex
from collections.abc import Sequence

from podium.textutil.mask import without_user_info
from podium.textutil.sanitize import clean

# Characters of a suggested command line.
_LONGEST = 100


def unknown_command(words: Sequence[str], commands: Sequence[str]) -> str:
    """``words[0]`` is none of ``commands``."""
    word = words[0]
    if word.startswith("-"):
        return f"{_shown(word)} does not go before the command: `podium rank --help` shows the options of a command."
    if _is_source(word):
        line = without_user_info(clean(shlex.join(["podium", "rank", *words])))
        line = line if len(line) <= _LONGEST else "podium rank SOURCE"
        return f"{_shown(word)} is not a command. To rank a repository, say `{line}`."
    return f"{_shown(word)} is not a command." + _did_you_mean(word.lower(), commands, "podium ")


def unknown_argument(unknown: Sequence[str], parser: argparse.ArgumentParser) -> str:
    """``unknown`` is left of a command line of ``parser``."""
    option = next((word for word in unknown if word.startswith("-")), None)
    if option is None:
        return f"{_shown(unknown[0])} is one argument too many."
    known = [name for name in parser._option_string_actions if name.startswith("--") and name != "--child"]
    return f"there is no option {_shown(option)}." + _did_you_mean(option.partition("=")[0], known, "")


def _is_source(word: str) -> bool:
    return (
        "/" in word
        or ":" in word
        or word in (".", "..")
        or word.startswith("~")
        or word.endswith(".git")
        or os.path.exists(word)  # noqa: PTH110 - false for what cannot be a path
    )


def _did_you_mean(word: str, known: Sequence[str], before: str) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean `{before}{close[0]}`?" if close else ""


def _shown(word: str) -> str:
    return f"'{clean(without_user_info(word))[:40]}'"
