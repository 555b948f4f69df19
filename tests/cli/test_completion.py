"""``podium completion``: scripts that complete commands and options, tried in the shells that are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from podium.cli.arguments import CHILD_COMMANDS, COMMANDS, parser
from podium.cli.commands.completion_command import script
from tests.cli.test_arguments import parsers

_BASH = """
source ./script
try() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _shtab_podium podium "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[@]}"
}
"""
# Words on the command line, and what the last one becomes.
_CASES = [
    (["podium", "ra"], "rank"),
    (["podium", "rank", ".", "--sor"], "--sort"),
    (["podium", "rank", ".", "--sort", "na"], "name"),
    (["podium", "rank", ".", "--output", "peo"], "people.csv"),
    (["podium", "rank", "eng"], "engine"),
    (["podium", "queue", "ret"], "retry"),
    (["podium", "completion", "z"], "zsh"),
    (["podium", "_"], ""),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "engine").mkdir()
    (tmp_path / "people.csv").write_text("")
    return tmp_path


def run(folder: Path, *words: str) -> list[str]:
    done = subprocess.run(words, cwd=folder, capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert done.stderr == ""
    return [line.rstrip(" /") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_has_all_commands_and_options(shell: str) -> None:
    text = script(shell)
    assert not re.findall(rf"\b({'|'.join(CHILD_COMMANDS)}|child)\b", text)
    assert all(name in text for name in COMMANDS)
    options = {name for each in parsers(parser()) for name in each._option_string_actions if name.startswith("--")}
    assert not [name for name in options - {"--child"} if name.removeprefix("--") not in text]


def test_bash_completes(folder: Path) -> None:
    (folder / "script").write_text(script("bash"))
    lines = "\n".join(f"try {' '.join(words)}" for words, _ in _CASES)
    assert run(folder, "bash", "--norc", "-c", f"{_BASH}\n{lines}") == [shown for _, shown in _CASES]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(folder: Path) -> None:
    (folder / "script").write_text(script("fish"))
    lines = "; ".join(f"echo (complete -C '{' '.join(words)}' | string split -f1 \\t)[1]" for words, _ in _CASES[:-1])
    found = run(folder, "fish", "--no-config", "-c", f"source ./script; {lines}")
    assert found == [shown for _, shown in _CASES[:-1]]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_reads_the_script(folder: Path) -> None:
    (folder / "script").write_text(script("zsh"))
    assert run(folder, "zsh", "-f", "-n", "script") == []
