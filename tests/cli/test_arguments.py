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
    assert {each.prog for each in parsers(parser())} == set(EXAMPLES)
    for command, examples in EXAMPLES.items():
        for line, _ in examples:
            assert line.startswith(command)
            if "--help" not in line:
                assert parser().parse_args(shlex.split(line.partition(" > ")[0])[1:]).func


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
def test_an_unknown_command_is_one_line_and_the_help(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a folder").mkdir()
    code, out, error = shown(capsys, *words)
    assert (code, out) == (2, "")
    first, _, rest = error.partition("\n")
    assert first == f"podium: {line}"
    assert rest == shown(capsys, "--help")[1]


def test_nothing_names_the_child_commands(capsys: pytest.CaptureFixture[str]) -> None:
    everything = [*shown(capsys), *shown(capsys, "frobnicate"), *shown(capsys, "_coun"), *shown(capsys, "queue", "x")]
    assert not [name for name in CHILD_COMMANDS if any(name in str(each) for each in everything)]


def test_short_options() -> None:
    options = parser().parse_args(["rank", ".", "-n", "5", "-q", "--json"])
    assert (options.top, options.quiet, options.format) == (5, True, "json")
