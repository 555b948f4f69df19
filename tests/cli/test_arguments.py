"""Help, mistakes and abbreviations of the command line."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium import __version__, cli
from podium.cli.arguments import CHILD_COMMANDS, COMMANDS, parser
from podium.cli.help.epilog import EXAMPLES


def parsers(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield of
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert isinstance(ended.value.code, int)
    return ended.value.code, *capsys.readouterr()


def test_every_command_and_action_has_examples_that_can_be_parsed() -> None:
    root = parser()
    assert {each.prog for each in parsers(root)} == set(EXAMPLES)
    for command, examples in EXAMPLES.items():
        for line, _ in examples:
            assert line.startswith(command)
            if "--help" not in line:
                assert root.parse_args(shlex.split(line.partition(" > ")[0])[1:]).func


def test_help_shows_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command, examples in EXAMPLES.items():
        code, out, error = shown(capsys, *command.split()[1:], "-h")
        assert (code, error) == (0, "")
        assert all(line in out and what in out for line, what in examples)


def test_podium_alone_and_help_show_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, error = shown(capsys)
    assert (code, error) == (0, "")
    assert all(f"  {name} " in out for name in COMMANDS)
    assert shown(capsys, "--help") == shown(capsys, "help") == (0, out, "")
    assert shown(capsys, "help", "queue", "drop") == shown(capsys, "queue", "drop", "--help")
    assert shown(capsys, "-V") == shown(capsys, "--version") == (0, f"podium {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["frobnicate"], "'frobnicate' is not a command."),
        (["rnak", "."], "'rnak' is not a command. Did you mean `podium rank`?"),
        (["QUEUE"], "'QUEUE' is not a command. Did you mean `podium queue`?"),
        (["wokrer"], "'wokrer' is not a command. Did you mean `podium worker`?"),
        (["shortlog", "-sn"], "'shortlog' is not a command. Did you mean `podium rank`?"),
        (["."], "'.' is not a command. To rank a repository, say `podium rank .`."),
        (
            ["owner/name", "--top", "3"],
            "'owner/name' is not a command. To rank a repository, say `podium rank owner/name --top 3`.",
        ),
        (
            ["https://me:secret@example.org/a b"],
            "'https://example.org/a b' is not a command. "
            "To rank a repository, say `podium rank 'https://example.org/a b'`.",
        ),
        (["a folder"], "'a folder' is not a command. To rank a repository, say `podium rank 'a folder'`."),
        (
            ["--json", "rank"],
            "'--json' does not go before the command: `podium rank --help` shows the options of a command.",
        ),
        (["help", "rnak"], "'rnak' is not a command. Did you mean `podium rank`?"),
        ([""], "'' is not a command."),
    ],
)
def test_an_unknown_command_is_the_help_and_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "a folder").mkdir()
    code, out, error = shown(capsys, *words)
    assert (code, out) == (2, "")
    assert error.endswith(f"\n\npodium: {line}\n")
    short = error.removesuffix(f"podium: {line}\n")
    listed = shown(capsys, "--help")[1].partition("\noptions:")[0].rstrip()
    assert short.rstrip() == listed.replace("\n\nWho made this? A ranked leaderboard of a git repository.", "")
    # With a line for the prompt before and after, and one that the terminal breaks.
    assert len(error.splitlines()) <= 24 - 3


def test_nothing_names_the_child_commands(capsys: pytest.CaptureFixture[str]) -> None:
    everything = [*shown(capsys), *shown(capsys, "frobnicate"), *shown(capsys, "_coun"), *shown(capsys, "queue", "x")]
    assert not [name for name in CHILD_COMMANDS if any(name in str(each) for each in everything)]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("rank . --since foo", "argument --since: 'foo' names no day: write a day as"),
        ("rank . --until 2024-13", "argument --until: '2024-13' is not in the calendar"),
        ("rank . -sne", "there is no option '-sne': a board shows counts anyway, and e-mails where there is room (see"),
        ("rank . -e", "there is no option '-e': a board shows counts anyway"),
        ("rank . -nse", "argument -n/--top: 'se' is neither a number above 0 nor 'all': a board shows counts anyway"),
        ("rank . -n", "-n needs a number or all (see `podium rank --help`)"),
        ("rank . --top", "--top needs a number or all (see"),
        ("rank . --rev", "--rev needs a value: REV (see"),
        ("rank . --bots", "--bots needs a value: include, exclude or only (see"),
        ("worker all --threads", "--threads needs a number (see `podium worker --help`)"),
        ("rank . --limit 5", "there is no option '--limit'. Did you mean `--top`? (see"),
        ("rank . --after=2024", "there is no option '--after=2024'. Did you mean `--since`? (see"),
        ("rank . --before 2024", "there is no option '--before'. Did you mean `--until`? (see"),
        ("rank . --author me", "there is no option '--author' (see"),
        (
            "rank . --all",
            "there is no option '--all': `--rev` chooses what to count, and `--top all` shows all rows (see",
        ),
        ("rank . --csv", "there is no option '--csv'. Did you mean `--format csv`? (see"),
        ("rank . -top 5", "there is no option '-top'. Did you mean `--top`? (see"),
        ("list --limit 5", "there is no option '--limit' (see `podium list --help`)"),
        ("rank . v1..v2", "'v1..v2' is one argument too many: to rank a range, say `--rev v1..v2` (see"),
        ("rank . v1...", "'v1...' is one argument too many: to rank a range, say `--rev v1..` (see"),
        ("rank . ../x", "'../x' is one argument too many (see"),
        ("rank . --sort comits", "argument --sort: there is no 'comits'. Did you mean `commits`? (see"),
        (
            "rank . --sort foo",
            "argument --sort: there is no 'foo': choose commits, merges, co-authored, ai, name, account, email, first, "
            "last or 7 others (see",
        ),
        ("worker foo", "argument KIND: there is no 'foo': choose commits, users or all (see"),
        ("worker", "the following arguments are required: KIND (see"),
        ("completion", "the following arguments are required: SHELL (see"),
        ("queue retri", "argument ACTION: there is no 'retri'. Did you mean `retry`? (see"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_type(
    capsys: pytest.CaptureFixture[str], words: str, line: str
) -> None:
    code, out, error = shown(capsys, *words.split())
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert error.startswith(f"podium: {line}")


def test_a_usage_names_what_the_help_names(capsys: pytest.CaptureFixture[str]) -> None:
    for each in parsers(parser()):
        _, out, _ = shown(capsys, *each.prog.split()[1:], "-h")
        usage, _, rest = out.partition("\n")
        named = [action for action in each._actions if not action.option_strings]
        for action in named:
            assert str(action.metavar) in usage and f"\n  {action.metavar}" in rest
        options = [action for action in each._actions if action.option_strings and action.dest != "help"]
        assert usage.endswith(" [OPTIONS]") == bool(options)
        assert usage.startswith(f"usage: {each.prog}") and "-h" not in usage


def test_no_help_names_a_file_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    for each in parsers(parser()):
        assert "docs/" not in shown(capsys, *each.prog.split()[1:], "-h")[1]


def test_short_options() -> None:
    options = parser().parse_args(["rank", ".", "-n", "5", "-q", "--json"])
    assert (options.top, options.quiet, options.format) == (5, True, "json")
