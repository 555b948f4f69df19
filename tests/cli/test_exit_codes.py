"""Exit codes: each class of errors, the table in README and in ``--help``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from podium import cli, errors
from podium.cli.help.exit_codes import EXIT_CODES
from tests.test_errors import drawn

README = (Path(__file__).parents[2] / "README.md").read_text()

# A new class of errors must decide here.
EXPECTED = {
    "PodiumError": 1,
    "BadSetting": 2,
    "BadAddress": 2,
    "BadMailmapFile": 2,
    "BadRule": 2,
    "MissingDependency": 2,
    "NotFound": 2,
    "Conflict": 2,
    "NotAuthenticated": 2,
    "Forbidden": 2,
    "TooManyRequests": 2,
    "QueueFull": 2,
    "BoardTooLarge": 2,
    "ReaderGone": 1,
    "StorageError": 2,
    "NoDatabaseYet": 2,
    "WrongRevision": 2,
    "DatabaseFault": 1,
    "BadCommitLog": 1,
    "QueueError": 2,
    "NotReady": 1,
    "CannotListen": 2,
    "OutputError": 2,
    "HistoryError": 2,
    "UnknownHead": 2,
    "LookupFault": 2,
    "Interrupted": 130,
    "LeaseLost": 1,
}


def instance(name: str) -> errors.PodiumError:
    found = getattr(errors, name)
    if name == "ReaderGone":
        return errors.ReaderGone()
    if issubclass(found, errors.TooManyRequests):
        made: errors.PodiumError = found("Words.", 1)
    elif name == "UnknownHead":
        made = errors.UnknownHead(errors.HistoryError("missing", "Words."))
    elif name == "HistoryError":
        made = errors.HistoryError("missing", "Words.")
    else:
        made = found("Words.")
    return made


def test_every_class_of_errors_has_an_exit_code() -> None:
    assert {name: instance(name).exit_code for _, name in drawn()} == EXPECTED
    assert set(EXPECTED.values()) <= set(EXIT_CODES)


def test_a_failure_that_git_or_podium_does_not_explain_is_not_the_users() -> None:
    for code in ("git-failed", "internal", "worker-crashed"):
        assert errors.HistoryError(code, "Words.").exit_code == 1
    for code in ("missing", "unreachable", "disk-full", "corrupt", "too-large"):
        assert errors.HistoryError(code, "Words.").exit_code == 2


@pytest.mark.parametrize(
    ("raised", "code", "shown"),
    [
        (errors.StorageError("The disk is full."), 2, "podium: The disk is full.\n"),
        (KeyboardInterrupt(), 130, "podium: interrupted; what was saved stays: run it again to continue\n"),
        (PermissionError(13, "Permission denied", "/x/y"), 2, "podium: /x/y: Permission denied.\n"),
        (OSError(28, "No space left on device"), 2, "podium: No space left on device.\n"),
    ],
)
def test_an_error_of_a_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: BaseException, code: int, shown: str
) -> None:
    def fail(*_: object) -> int:
        raise raised

    monkeypatch.setattr("podium.cli.migrate_command.run", fail)
    assert cli.main(["migrate"]) == code
    assert capsys.readouterr() == ("", shown)


def test_a_worker_process_is_started_again_after_a_fault_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[errors.PodiumError] = []

    def fail(*_: object) -> int:
        raise raised.pop()

    monkeypatch.setattr("podium.cli.worker.run_process", fail)
    for error, code in (
        (errors.StorageError("The database cannot be reached."), 1),
        (errors.QueueError("Redis cannot be used."), 1),
        (errors.WrongRevision("Migrate it."), 2),
        (errors.BadSetting("PORT cannot be read."), 2),
    ):
        raised.append(error)
        assert cli.main(["_work", "all"]) == code


def test_readme_and_help_have_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    table = re.findall(r"^\| (\d+) \| (.*) \|$", README, flags=re.MULTILINE)
    assert {int(code): text for code, text in table} == EXIT_CODES
    for words in ([], ["--help"], ["help", "rank"], ["queue", "drop", "-h"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert all(f"{code} {text}" in shown for code, text in EXIT_CODES.items())
