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
# Values of an option that a message names.
_MOST_CHOICES = 9
_NUMBERS = {"N|all": "a number or all", "N": "a number", "PORT": "a number"}
# What other programs call a command.
_COMMANDS_ELSEWHERE = {
    **dict.fromkeys(("shortlog", "log", "who", "fame", "board", "leaderboard", "count", "contributors"), "rank"),
    **dict.fromkeys(("ls", "status"), "list"),
    **dict.fromkeys(("server", "start", "web"), "serve"),
    **dict.fromkeys(("upgrade", "migration"), "migrate"),
    "version": "--version",
}
_SHOWN_ANYWAY = ": a board shows counts anyway, and e-mails where there is room"
_RANGE = ": `--rev` chooses a revision, or a range A..B of a path"
# Options of git shortlog, git-fame and git-who, and what to say of them. '': Podium has none like it.
_INSTEAD = {
    **dict.fromkeys(("--summary", "--numbered", "--email", "--emails", "--show-email"), _SHOWN_ANYWAY),
    **dict.fromkeys(("--limit", "--max-count", "--count", "--number", "--head"), ". Did you mean `--top`?"),
    **dict.fromkeys(("--after", "--from"), ". Did you mean `--since`?"),
    **dict.fromkeys(("--before", "--to"), ". Did you mean `--until`?"),
    **dict.fromkeys(("--branch", "--branches", "--tag", "--tags", "--ref", "--revision"), _RANGE),
    "--all": ": `--rev` chooses what to count, and `--top all` shows all rows",
    "--no-merges": ": merges do not count, unless with `--merges include`",
    **{f"--{name}": f". Did you mean `--format {name}`?" for name in ("csv", "markdown", "table")},
    **dict.fromkeys(("--author", "--authors", "--committer", "--group", "--path", "--exclude", "--include"), ""),
}


def unknown_command(words: Sequence[str], commands: Sequence[str]) -> str:
    """``words[0]`` is none of ``commands``."""
    word = words[0]
    if word.startswith("-"):
        return f"{_shown(word)} does not go before the command: `podium rank --help` shows the options of a command."
    if _is_source(word):
        line = without_user_info(clean(shlex.join(["podium", "rank", *words])))
        line = line if len(line) <= _LONGEST else "podium rank SOURCE"
        return f"{_shown(word)} is not a command. To rank a repository, say `{line}`."
    if (meant := _COMMANDS_ELSEWHERE.get(word.lower())) is not None:
        return f"{_shown(word)} is not a command. Did you mean `podium {meant}`?"
    return f"{_shown(word)} is not a command." + _did_you_mean(word.lower(), commands, "podium ")


def unknown_argument(unknown: Sequence[str], parser: argparse.ArgumentParser) -> str:
    """``unknown`` is left of a command line of ``parser``."""
    option = next((word for word in unknown if word.startswith("-")), None)
    is_rank = parser.prog == "podium rank"
    if option is None:
        return f"{_shown(unknown[0])} is one argument too many{_as_range(unknown[0]) if is_rank else ''}"
    name = option.partition("=")[0]
    if is_rank and (instead := _instead(name)) is not None:
        return f"there is no option {_shown(option)}{instead}"
    # All options have the dashes, so these do not make two alike.
    known = [each.removeprefix("--") for each in parser._option_string_actions if each.startswith("--")]
    near = _did_you_mean(name.lstrip("-"), [each for each in known if each != "child"], "--")
    return f"there is no option {_shown(option)}" + (f".{near}" if near else "")


def missing_value(action: argparse.Action, words: Sequence[str]) -> str:
    """An option of ``words`` has no value."""
    typed = next((word for word in words if word in action.option_strings), action.option_strings[-1])
    if action.choices is not None:
        return f"{typed} needs a value: {_either([str(choice) for choice in action.choices])}"
    value = str(action.metavar or action.dest.upper())
    return f"{typed} needs {_NUMBERS.get(value, f'a value: {value}')}"


def unknown_choice(word: str, choices: Sequence[str]) -> str:
    """``word`` is none of ``choices``."""
    near = _did_you_mean(word.lower(), choices, "")
    return f"there is no {_shown(word)}" + (f".{near}" if near else f": choose {_either(choices)}")


def of_shortlog(letters: str) -> str:
    """What to say of options of ``git shortlog`` behind ``-``; '' if they are others."""
    return _SHOWN_ANYWAY if letters and set(letters) <= set("sne") else ""


def _instead(name: str) -> str | None:
    if not name.startswith("--"):
        return of_shortlog(name.removeprefix("-")) or None
    return _INSTEAD.get(name)


def _as_range(word: str) -> str:
    first, dots, last = word.partition("..")
    if not dots or not (first or last) or word.startswith("../") or os.path.exists(word):  # noqa: PTH110
        return ""
    shown = clean(without_user_info(f"{first}..{last.removeprefix('.')}"))
    return f": to rank a range, say `--rev {shown if len(shown) <= _LONGEST else 'A..B'}`"


def _either(words: Sequence[str]) -> str:
    """The first of ``words``, as many as can be read at once."""
    # A single further one takes no more room than its number.
    if len(words) > _MOST_CHOICES + 1:
        return f"{', '.join(words[:_MOST_CHOICES])} or {len(words) - _MOST_CHOICES} others"
    return f"{', '.join(words[:-1])} or {words[-1]}"


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
