"""Exit codes: each class of errors, the table in README and in ``--help``."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from podium import cli, errors
from podium.cli.help.exit_codes import EXIT_CODES
from tests.cli.test_cli import commit, git
from tests.support.cli import Podium
from tests.test_errors import drawn

README = (Path(__file__).parents[2] / "README.md").read_text()

# A new class of errors must decide here.
EXPECTED = {
    "PodiumError": 1,
    "BadSetting": 2,
    "BadAddress": 2,
    "BadMailmapFile": 2,
    "BadBackup": 2,
    "BadRule": 2,
    "MissingDependency": 2,
    "NotFound": 2,
    "Conflict": 2,
    "NotAuthenticated": 2,
    "BadSignature": 2,
    "BadDelivery": 2,
    "Forbidden": 2,
    "Blocked": 2,
    "TooManyRequests": 2,
    "QueueFull": 2,
    "BoardTooLarge": 2,
    "ReaderGone": 1,
    "StorageError": 2,
    "NoDatabaseYet": 2,
    "WrongRevision": 2,
    "DatabaseAway": 2,
    "DatabaseFault": 1,
    "BadCommitLog": 1,
    "QueueError": 2,
    "CannotListen": 2,
    "OutputError": 2,
    "HistoryError": 2,
    "UnknownHead": 2,
    "LookupFault": 2,
    "Interrupted": 130,
    "LeaseLost": 1,
}


def make_repository(folder: Path) -> None:
    git(folder, "init", "--quiet")
    commit(folder, "Ada", "ada@example.org", "2024-01-01T12:00:00Z")


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

    monkeypatch.setattr("podium.cli.commands.migrate_command.run", fail)
    assert cli.main(["migrate"]) == code
    assert capsys.readouterr() == ("", shown)


def test_a_worker_process_is_started_again_after_a_fault_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[errors.PodiumError] = []

    def fail(*_: object) -> int:
        raise raised.pop()

    monkeypatch.setattr("podium.cli.commands.worker_command.run_process", fail)
    for error, code in (
        (errors.StorageError("The database cannot be reached."), 1),
        (errors.QueueError("Redis cannot be used."), 1),
        (errors.WrongRevision("Migrate it."), 2),
        (errors.BadSetting("PORT cannot be read."), 2),
    ):
        raised.append(error)
        assert cli.main(["_work", "all"]) == code


def test_sigterm_interrupts_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("podium.cli.commands.migrate_command.run", lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        assert cli.main(["migrate"]) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["rank", "."], ["list"], ["queue"], ["migrate"]], ids=" ".join)
def test_a_refused_database_can_be_fixed(tmp_path: Path, words: list[str]) -> None:
    make_repository(tmp_path)
    done = Podium(tmp_path / "data").run(*words, cwd=tmp_path, DATABASE_URL="postgresql://u:secret@127.0.0.1:9/d")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be reached" in done.stderr and "secret" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_data_folder_that_cannot_be_written_can_be_fixed(tmp_path: Path) -> None:
    make_repository(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "podium.db").write_text("This is no database, and long enough to be read as one." * 20)
    for folder, words in (("file", "cannot be made"), ("file/below", "cannot be made"), ("damaged", "is damaged")):
        done = Podium(tmp_path / folder).run("rank", ".", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_full_disk_can_be_fixed(tmp_path: Path) -> None:
    make_repository(tmp_path)
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$0" -m podium rank .', sys.executable],
        cwd=tmp_path,
        env=Podium(tmp_path / "data").environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "`ulimit -f`" in done.stderr and len(done.stderr.splitlines()) == 1


def test_readme_and_help_have_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    table = re.findall(r"^\| (\d+) \| (.*) \|$", README, flags=re.MULTILINE)
    assert [(int(code), text) for code, text in table] == list(EXIT_CODES.items()) == sorted(EXIT_CODES.items())
    for words in ([], ["--help"], ["help", "rank"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert all(f"{code} {text}" in shown for code, text in EXIT_CODES.items())
