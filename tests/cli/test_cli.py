"""The command line as a person types it: what it prints, what it refuses, what it exits with."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from podium import __version__
from tests.support.cli import Podium, clean_environment


@pytest.fixture
def podium(tmp_path: Path) -> Podium:
    return Podium(tmp_path / "data")


def git(folder: Path, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=clean_environment(**variables),
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return done.stdout.strip()


def commit(folder: Path, name: str, email: str, when: str, message: str = "Change") -> None:
    person = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": when}
    committer = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email, "GIT_COMMITTER_DATE": when}
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message, **person, **committer)


@pytest.fixture
def repository(tmp_path: Path, engine: Path) -> Path:
    """A work tree that the test may change: Ada 3 commits and a merge, Bob 2, a bot 1."""
    return Path(shutil.copytree(engine, tmp_path / "engine"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Ada", "ada@example.org", "2024-01-01T12:00:00Z")
    commit(folder, "Bob", "1+bob@users.noreply.github.com", "2024-01-10T12:00:00Z")
    git(folder, "branch", "side")
    commit(folder, "Ada", "Ada@Example.org", "2024-02-01T12:00:00Z")
    trailers = "Co-authored-by: Eve <eve@example.org>\nReviewed-by: Bob <1+bob@users.noreply.github.com>"
    commit(folder, "Ada", "ada@example.org", "2024-03-01T12:00:00Z", f"Pair\n\n{trailers}")
    git(folder, "checkout", "--quiet", "side")
    commit(folder, "Bob", "1+bob@users.noreply.github.com", "2024-02-20T12:00:00Z")
    commit(folder, "dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", "2024-02-21T12:00:00Z")
    git(folder, "checkout", "--quiet", "main")
    merger = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada"}
    git(folder, "merge", "--quiet", "--no-ff", "-m", "Merge", "side", GIT_COMMITTER_EMAIL="ada@example.org", **merger)
    return folder


def test_version(podium: Podium) -> None:
    assert podium.run("--version").stdout == f"podium {__version__}\n"


def test_a_path_is_ranked_as_a_table(podium: Podium, repository: Path) -> None:
    done = podium.run("rank", str(repository))
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert any(line[:2] == ["1", "Ada"] for line in lines)
    assert any(line[:3] == ["2", "Bob", "bob"] for line in lines)
    assert "dependabot" not in done.stdout
    assert "7 commits: 5 ranked, 1 merge, 1 by bots.\n" in done.stdout


def test_the_json_document(podium: Podium, repository: Path) -> None:
    board = podium.board(str(repository))
    assert board["head"] == git(repository, "rev-parse", "HEAD")
    assert (board["state"], board["isPartial"]) == ("completed", False)
    assert (board["totalCommits"], board["mergeCommits"], board["uniqueContributors"]) == (7, 1, 3)
    assert board["total"] == 2
    ada, bob = board["top_contributors"]
    assert (ada["rank"], ada["name"], ada["email"]) == (1, "Ada", "ada@example.org")
    assert (ada["commitCount"], ada["mergeCount"], ada["coAuthoredCount"]) == (3, 1, 0)
    assert (ada["firstCommitAt"], ada["lastCommitAt"]) == ("2024-01-01T12:00:00Z", "2024-03-01T12:00:00Z")
    assert (bob["username"], bob["githubId"], bob["isEnriched"]) == ("bob", 1, False)
    assert bob["profileUrl"] == "https://github.com/bob"
    # Ada has no account that is known, and Eve only ever was a co-author.
    assert board["unresolved"] == 1


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        (["--merges", "include"], {"ada@example.org": 4, "1+bob@users.noreply.github.com": 2}),
        (
            ["--co-authors", "include"],
            {"ada@example.org": 3, "1+bob@users.noreply.github.com": 2, "eve@example.org": 1},
        ),
        (["--bots", "only"], {"49699333+dependabot[bot]@users.noreply.github.com": 1}),
        (["--since", "2024.03", "--until", "yesterday"], {"ada@example.org": 1}),
        (["--since", "2023-Q4", "--until", "2024-01-05"], {"ada@example.org": 1}),
        (["--names", "apart", "--top", "1"], {"ada@example.org": 3}),
    ],
)
def test_switches(podium: Podium, repository: Path, switches: list[str], expected: dict[str, int]) -> None:
    board = podium.board(str(repository), *switches)
    assert {row["email"]: row["commitCount"] for row in board["top_contributors"]} == expected


def test_a_path_has_no_limit_unless_one_is_set(podium: Podium, repository: Path) -> None:
    done = podium.run("rank", str(repository), PODIUM_MAX_PEOPLE="2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "more than the 2 people" in done.stderr and "PODIUM_MAX_PEOPLE" in done.stderr
    limits = {"PODIUM_MAX_PEOPLE": "5", "PODIUM_COUNT_MEMORY": "500M", "PODIUM_COUNT_CPU_SECONDS": "60"}
    assert podium.run("rank", str(repository), cwd=None, **limits).returncode == 0


def test_without_identities_no_row_has_an_account(podium: Podium, repository: Path) -> None:
    board = podium.board(str(repository), "--no-identities", "--bots", "include")
    assert [row["username"] for row in board["top_contributors"]] == [None, None, None]
    assert (board["state"], board["isPartial"]) == ("completed", False)


def test_csv_and_markdown(podium: Podium, repository: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(podium.run("rank", str(repository), "--format", "csv", "--roles").stdout)))
    assert [(row["name"], row["reviewed"], row["tested"]) for row in rows] == [("Ada", "0", "0"), ("Bob", "1", "0")]
    assert "| Ada |" in podium.run("rank", str(repository), "--format", "markdown").stdout


def test_any_place_in_a_repository_names_it(podium: Podium, repository: Path, tmp_path: Path) -> None:
    inside = repository / "a" / "b"
    inside.mkdir(parents=True)
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), str(bare))
    git(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"), "HEAD~1")
    assert podium.board(str(inside))["totalCommits"] == 7
    assert podium.board(str(bare))["totalCommits"] == 7
    assert podium.board(repository.as_uri())["totalCommits"] == 7
    assert podium.board(str(tmp_path / "tree"))["totalCommits"] == 4
    here = podium.run("rank", ".", "--format", "json", cwd=inside)
    assert json.loads(here.stdout)["totalCommits"] == 7


def test_another_revision_is_a_board_of_its_own(podium: Podium, repository: Path) -> None:
    assert podium.board(str(repository), "--rev", "HEAD~1")["totalCommits"] == 4
    assert podium.board(str(repository))["totalCommits"] == 7
    assert podium.board(str(repository), "--rev", "side")["totalCommits"] == 4


def test_a_range_and_who_is_new_in_it(podium: Podium, repository: Path) -> None:
    git(repository, "tag", "v1", "HEAD~2")
    board = podium.board(str(repository), "--rev", "v1..")
    assert {row["name"]: row["commitCount"] for row in board["top_contributors"]} == {"Ada": 1, "Bob": 1}
    assert (board["totalCommits"], board["repository"]["revision"]) == (4, "v1..")
    assert (board["base"], board["head"]) == (
        git(repository, "rev-parse", "v1^{commit}"),
        git(repository, "rev-parse", "HEAD"),
    )
    new = podium.run("rank", str(repository), "--rev", "v1..HEAD", "--new", "--bots", "include", "--merges", "include")
    assert new.stdout.splitlines()[:2] == [
        "engine at v1..HEAD",
        "4 commits: 1 ranked, 3 by contributors who are not new.",
    ]
    assert "dependabot" in new.stdout and "Bob" not in new.stdout
    empty = podium.run("rank", str(repository), "--rev", "HEAD..v1")
    assert (empty.returncode, empty.stderr) == (0, "")
    assert "The range HEAD..v1 has no commits: HEAD reaches all of v1. --rev v1..HEAD counts" in empty.stdout


def test_ranked_again_new_commits_are_added_and_rewritten_ones_counted_afresh(podium: Podium, repository: Path) -> None:
    first = podium.board(str(repository), "--bots", "include")
    commit(repository, "Zoe", "zoe@example.org", "2024-04-01T12:00:00Z")
    commit(repository, "Ada", "ada@example.org", "2024-04-02T12:00:00Z")
    more = podium.board(str(repository), "--bots", "include")
    assert more["totalCommits"] == first["totalCommits"] + 2
    assert {row["email"]: row["commitCount"] for row in more["top_contributors"]} == {
        "ada@example.org": 4,
        "1+bob@users.noreply.github.com": 2,
        "49699333+dependabot[bot]@users.noreply.github.com": 1,
        "zoe@example.org": 1,
    }
    git(repository, "reset", "--quiet", "--hard", "HEAD~2")
    assert podium.board(str(repository), "--bots", "include")["top_contributors"] == first["top_contributors"]
    fresh = Podium(podium.data.with_name("fresh")).board(str(repository), "--bots", "include")
    assert fresh["top_contributors"] == first["top_contributors"]


def test_the_callers_git_variables_do_not_lead_elsewhere(podium: Podium, repository: Path, tmp_path: Path) -> None:
    # As in a hook, which git starts with GIT_DIR set.
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    assert podium.board(str(repository), GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other))["totalCommits"] == 7


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["rank"], "SOURCE"),
        (["rank", ""], "No address"),
        (["rank", "./nowhere"], "Nothing is at ./nowhere"),
        (["rank", "/nowhere/at/all"], "Nothing is at /nowhere"),
        (["rank", "~no-such-user/x"], "Nothing is at ~no-such-user"),
        (["rank", "--", "-x"], "cannot begin with"),
        (["rank", "ext::sh"], "ext::"),
        (["rank", "https://me:secret@github.com/o/r"], "credential helper"),
        (["rank", "o/r", "--rev", "v1..v2"], "--rev A..B"),
        (["rank", ".", "--top", "0"], "--top"),
        (["rank", ".", "--since", "sometime"], "YYYY-MM-DD"),
        (["rank", ".", "--since", "2024-02-01", "--until", "2024-01-01"], "before it starts"),
        (["rank", ".", "--format", "xml"], "xml"),
        (["rank", "https://no-such-host.invalid/o/r"], "cannot be reached"),
        (["rank", "http://127.0.0.1:9/o/r"], "cannot be reached"),
        (["rank", ".", "--json", "--format", "csv"], "not allowed with"),
        (["rank", ".", "extra"], "one argument too many"),
        (["rank", ".", "--fromat", "csv"], "Did you mean `--format`? (see `podium rank --help`)"),
        (["queue", "frob"], "choose retry, drop"),
        (["queue", "retry", "x"], "(see `podium queue retry --help`)"),
        (["serve", "--port", "99999"], "port"),
    ],
)
def test_what_the_user_can_fix_is_one_line_and_exit_code_2(podium: Podium, arguments: list[str], word: str) -> None:
    done = podium.run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert word in done.stderr
    assert "secret" not in done.stderr


def test_what_is_no_repository_that_can_be_ranked(podium: Podium, repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), str(shallow))
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    cases = [
        ([str(folder)], "not inside a git repository"),
        ([str(folder / "file")], "is a file"),
        ([str(shallow)], "git fetch --unshallow"),
        ([str(empty)], "no commit"),
        ([str(repository), "--rev", "nonsense"], "--rev"),
        ([str(repository), "--rev", "--all"], "--rev"),
        ([str(repository), "--rev", "^HEAD"], "--rev"),
        ([str(repository), "--rev", "v1...HEAD"], "--rev v1..HEAD"),
        ([str(repository), "--rev", "main", "--rev", "side"], "a range A..B"),
        ([str(repository), "--rev", "main", "--new"], "--new needs --since, --until or a range --rev A..B."),
    ]
    for arguments, word in cases:
        done = podium.run("rank", *arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert len(done.stderr.splitlines()) == 1
        assert word.lower() in done.stderr.lower(), (arguments, done.stderr)
    # What could not be ranked can be, once it is mended.
    git(shallow, "fetch", "--quiet", "--unshallow")
    assert podium.board(str(shallow))["totalCommits"] == 7


def test_a_mailmap_of_ones_own(podium: Podium, repository: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    for line, counts, changed in (
        ("Ada King <ada@home.example> <ada@example.org>", {"Ada King": 3, "Bob": 2}, "1 person changed"),
        ("Bob <ada@example.org> <1+bob@users.noreply.github.com>\nbob = ada", {"Ada": 5}, "1 person changed"),
        ("None <none@x.example>", {"Ada": 3, "Bob": 2}, "no one changed: no commit has an address in it"),
    ):
        own.write_text(line)
        for given in (["--mailmap-file", str(own)], []):
            ranking = ["rank", str(repository), "--json", *given]
            done = podium.run(*ranking, PODIUM_MAILMAP_FILE="" if given else str(own))
            board = json.loads(done.stdout)
            assert {row["name"]: row["commitCount"] for row in board["top_contributors"]} == counts
            assert f"podium: Own mailmap: own ({changed}).\n" in done.stderr
            assert ("podium: own, line 2: not a mailmap line; it is ignored.\n" in done.stderr) == ("=" in line)
    assert podium.run("rank", str(repository), "--mailmap-file", str(own), "--quiet").stderr == ""
    own.unlink()
    for arguments, setting in (
        (["rank", str(repository), "--mailmap-file", str(own)], ""),
        (["rank", str(repository)], str(own)),
        (["rank", "owner/name"], str(own)),
        (["serve", "--port", "0"], str(own)),
    ):
        done = podium.run(*arguments, PODIUM_MAILMAP_FILE=setting)
        assert (done.returncode, "cannot be read (No such file or directory)" in done.stderr) == (2, True), done.stderr
        assert (str(own) in done.stderr) == (setting == "")


def test_a_setting_that_cannot_be_read(podium: Podium, repository: Path) -> None:
    done = podium.run("rank", str(repository), PODIUM_LEASE_SECONDS="soon")
    assert done.returncode == 2
    assert "PODIUM_LEASE_SECONDS" in done.stderr


def test_a_file_of_bots_applies_to_a_board_that_was_counted_before(
    podium: Podium, repository: Path, tmp_path: Path
) -> None:
    board = podium.board(str(repository))
    ours = tmp_path / "bots"
    ours.write_text("".join(f"{entry['email']}\n" for entry in board["top_contributors"]))
    assert podium.board(str(repository), "--bots-file", str(ours))["top_contributors"] == []
    ours.write_text("two words\n")
    done = podium.run("rank", str(repository), "--bots-file", str(ours))
    assert (done.returncode, "bots, line 1" in done.stderr) == (2, True)
    done = podium.run("rank", str(repository), PODIUM_BOTS_FILE=str(ours))
    assert (done.returncode, "bots, line 1" in done.stderr) == (2, True)


def test_output_that_is_not_read_to_its_end_is_no_error(podium: Podium, repository: Path) -> None:
    podium.board(str(repository))
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "podium", "rank", str(repository)],
            env=podium.environment(),
            stdout=closed,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("redirection", "word"),
    [
        ("> /dev/full", "cannot be written"),
        (">&-", "closed"),
    ],
)
def test_output_that_cannot_be_written_is_one_line(
    podium: Podium, repository: Path, redirection: str, word: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m podium rank "$1" {redirection}', sys.executable, str(repository)],
        env=podium.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full"])
def test_what_standard_error_does_not_take_is_neither_in_the_output_nor_a_failure(
    podium: Podium, repository: Path, redirection: str
) -> None:
    def run(source: str | Path) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" -m podium rank "$1" --json {redirection}', sys.executable, str(source)],
            # A warning comes first.
            env=podium.environment() | {"PODIUM_UNKNOWN": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode()

    code, board = run(repository)
    assert (code, json.loads(board or "{}").get("totalCommits")) == (0, 7)
    assert run("nothing") == (2, "")


def test_a_message_sends_no_control_sequence_to_the_terminal(podium: Podium, repository: Path) -> None:
    done = podium.run("rank", str(repository), "-o", "missing\x1b[2J\u202e\x9b31m/board.csv")
    assert done.returncode == 2 and "its folder does not exist" in done.stderr
    assert not set("\x1b\u202e\x9b") & set(done.stderr)


@pytest.mark.parametrize("name", ["a?b", "a%41b", "a#b", "a b"])
def test_a_data_folder_may_have_any_name(podium: Podium, repository: Path, name: str) -> None:
    odd = Podium(podium.data / name)
    assert odd.board(str(repository))["totalCommits"] == 7
    assert [path.name for path in podium.data.iterdir()] == [name]


def test_names_that_the_terminal_cannot_show_do_not_end_the_program(podium: Podium, repository: Path) -> None:
    commit(repository, "Łukasz \U0001f600", "l@example.org", "2024-05-01T12:00:00Z")
    done = podium.run("rank", str(repository), PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert "ukasz" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_hands_the_repository_back(podium: Podium, repository: Path, number: signal.Signals) -> None:
    podium.board(str(repository))
    # A holder that never ends: the command waits for it, and is interrupted while it does.
    connection = sqlite3.connect(podium.data / "podium.db")
    connection.execute("UPDATE repository SET lease_holder = 'x', lease_until = 4e9")
    connection.commit()
    waiting = podium.start("rank", str(repository))
    for _ in range(200):
        state = connection.execute("SELECT state FROM repository").fetchone()[0]
        if state == "pending":
            break
        try:
            waiting.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
    waiting.send_signal(number)
    _, complaint = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert "interrupted" in complaint
    connection.execute("UPDATE repository SET lease_holder = NULL, lease_until = NULL")
    connection.commit()
    connection.close()
    assert podium.board(str(repository))["totalCommits"] == 7


def test_a_clone_of_github_without_a_token_says_why_accounts_are_missing(podium: Podium, repository: Path) -> None:
    reason = "Accounts were not looked up: set GITHUB_TOKEN."
    assert podium.board(str(repository))["unresolvedReason"] is None
    git(repository, "remote", "add", "origin", "https://user:secret@github.com/acme/engine.git")
    for format in ("table", "markdown", "json"):
        done = podium.run("rank", str(repository), "--format", format)
        # Markdown escapes the underscore.
        assert reason in done.stdout.replace("\\", "")
        assert "secret" not in done.stdout + done.stderr
    assert podium.board(str(repository), "--no-identities")["unresolvedReason"] is None
    assert podium.board(str(repository), GITHUB_SERVER_URL="https://github.example.com")["unresolvedReason"] is None
    git(repository, "remote", "set-url", "origin", "https://gitlab.com/acme/engine.git")
    git(repository, "remote", "add", "upstream", "https://github.com/acme/engine.git")
    assert podium.board(str(repository))["unresolvedReason"] is None
