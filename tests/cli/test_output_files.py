"""The files of ``podium rank --output``."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from pathlib import Path

import pytest

from podium.cli.rank.output_files import check_writable, write
from podium.errors import OutputError
from tests.cli.test_cli import commit, git
from tests.support.cli import Podium


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada: 2 commits, Bob: 1, Cleo: 1 and the latest."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet", "--initial-branch=main")
    for day, name in enumerate(("Ada", "bob", "Ada", "Cléo"), start=1):
        commit(folder, name, f"{name[0].lower()}@example.org", f"2024-01-0{day}T12:00:00Z")
    return folder


@pytest.fixture(scope="module")
def podium(tmp_path_factory: pytest.TempPathFactory) -> Podium:
    return Podium(tmp_path_factory.mktemp("data"))


def test_each_file_has_the_format_of_its_extension(podium: Podium, repository: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.csv", "b.JSON", "c.md", "d.svg", "e.csv")]
    options = [word for file in files for word in ("--output", str(file))]
    done = podium.run("rank", str(repository), "--format", "csv", "-n", "2", *options)
    assert (done.returncode, done.stderr) == (0, "")
    written = files[0].read_bytes()
    # A byte-order mark is for files only.
    assert written.startswith(b"\xef\xbb\xbf") and not done.stdout.startswith("\ufeff")
    assert written[3:].decode() == done.stdout.replace("\n", "\r\n").replace("\r\r", "\r")
    assert files[4].read_bytes() == written
    assert [row["name"] for row in csv.DictReader(io.StringIO(written.decode("utf-8-sig")))] == ["Ada", "bob"]
    board = json.loads(files[1].read_text(encoding="utf-8"))
    assert (board["limit"], len(board["top_contributors"]), board["total"]) == (2, 2, 3)
    assert "| Ada |" in files[2].read_text()
    assert files[3].read_text().startswith("<svg ")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file.name for file in files)


def test_quiet_prints_no_board_beside_a_file(podium: Podium, repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "board.json"
    done = podium.run("rank", str(repository), "-q", "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # A file has all rows unless a number is given.
    assert [row["name"] for row in json.loads(file.read_text())["top_contributors"]] == ["Ada", "bob", "Cléo"]
    assert "Ada" in podium.run("rank", str(repository), "-q").stdout


def test_rows_in_another_order_keep_their_ranks(podium: Podium, repository: Path) -> None:
    board = podium.board(str(repository), "--sort", "last", "-n", "2")
    assert [(row["rank"], row["name"]) for row in board["top_contributors"]] == [(3, "Cléo"), (1, "Ada")]
    assert board["sort"] == {"column": "last", "reverse": False}
    table = podium.run("rank", str(repository), "--sort", "name", "--reverse", "-n", "2").stdout
    assert "2 of 3 rows, sorted by name, in reverse; ranks are those of commits." in table
    assert "sort" not in podium.board(str(repository))
    roles = podium.board(str(repository), "--sort", "reviewed")
    assert "roles" in roles["top_contributors"][0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("board.txt", "the extension of 'board.txt' names no format: use one of .csv, .json, .md, .svg"),
        ("board", "names no format"),
        ("-", "choose its format with --format"),
        ("missing/board.csv", "its folder does not exist"),
        ("folder.csv", "it is a folder"),
        ("file.csv/board.csv", "a file stands in place of its folder"),
        ("/proc/board.csv", "its folder takes no new files): choose another file, or fix the cause."),
        ("loop.csv", "Too many levels of symbolic links"),
        ("x" * 300 + ".csv", "File name too long"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_counted(tmp_path: Path, name: str, words: str) -> None:
    podium = Podium(tmp_path / "data")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file.csv").write_text("old")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    done = podium.run("rank", str(tmp_path / "no-repository"), "--output", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr and len(done.stderr.splitlines()) == 1
    assert not podium.data.exists()


def test_an_existing_file_keeps_its_permissions_and_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to("real.csv")
    before = real.stat()
    check_writable(link)
    assert (real.read_text(), real.stat().st_ino) == ("old", before.st_ino)
    write(link, "new")
    assert link.is_symlink() and real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    # Replaced as a whole: a reader that has opened it sees the old one to its end.
    assert real.stat().st_ino != before.st_ino
    dangling = tmp_path / "dangling.csv"
    dangling.symlink_to("made.csv")
    write(dangling, "made")
    assert (tmp_path / "made.csv").read_text() == "made"


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write(tmp_path / "new.csv", "text")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "board.csv"
    file.write_text("old")
    real = os.write

    def full(number: int, content: bytes) -> int:
        if len(content) > 4:
            return real(number, content[:4])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write(file, "new content")
    monkeypatch.undo()
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["board.csv"]


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "board.csv"
    file.write_text("old")
    # An administrator may write every file.
    monkeypatch.setattr(os, "access", lambda *_: False)
    for act in (check_writable, lambda path: write(path, "new")):
        with pytest.raises(OutputError, match="Permission denied"):
            act(file)
    assert file.read_text() == "old"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    check_writable(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(pipe, "text")
        assert os.read(reader, 100) == b"text"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
