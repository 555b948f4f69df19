"""`podium serve`, the whole of it, against a git server on this machine: states, boards, failures, kills."""

from __future__ import annotations

import contextlib
import functools
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks import synthetic
from podium.web.serving.server import listening
from tests.support.cli import Podium, clean_environment
from tests.support.githttp import Fault, GitHost, serve_repositories
from tests.support.processes import children
from tests.support.rows import add_repository, repository
from tests.support.server import PATIENCE, Server, free_port, serving, wait_until
from tests.support.sqlite_database import open_or_create

ORDER = ["pending", "commits_processing", "users_processing", "completed"]


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository that takes a moment to count."""
    folder = tmp_path_factory.mktemp("subject") / "subject.git"
    synthetic.build(folder, 20_000, 1_000)
    return folder


@pytest.fixture
def host(tmp_path: Path, subject: Path) -> Iterator[GitHost]:
    """A git server with that repository as `o/r.git`."""
    repositories = tmp_path / "repositories"
    (repositories / "o").mkdir(parents=True)
    shutil.copytree(subject, repositories / "o" / "r.git")
    with serve_repositories(repositories) as host:
        yield host


@pytest.fixture
def podium(tmp_path: Path) -> Podium:
    return Podium(tmp_path / "data")


def allowed(host: GitHost) -> dict[str, str]:
    return small_disk(PODIUM_GIT_HOSTS=host.url)


def small_disk(**variables: str) -> dict[str, str]:
    """Settings under which a test does not need a large disk."""
    return {"PODIUM_DISK_RESERVE_BYTES": "1M"} | variables


def rows(document: dict[str, Any]) -> list[Any]:
    """A board's rows, and what must be the same however it came about."""
    return [document["totalCommits"], document["mergeCommits"], document["head"], document["top_contributors"]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, subject: Path) -> list[Any]:
    """The board as the command ranks it from the path."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return rows(Podium(folder).board(str(subject), "--top", "1000"))


def test_submitted_counted_resolved_and_served(podium: Podium, host: GitHost, undisturbed: list[Any]) -> None:
    url = f"{host.url}/o/r.git"
    with serving(podium, allowed(host)) as server:
        assert server.ask("/leaderboard", repoUrl=url).status == 404
        answer = server.submit(url)
        assert answer.status == 202
        assert (answer.body["state"], answer.body["stage"]) == ("pending", "commits")
        seen = ["pending"]

        def completed() -> bool:
            row = server.repository(url)
            if row["state"] != seen[-1]:
                seen.append(row["state"])
            return bool(row["state"] == "completed")

        wait_until(completed, "the repository to be completed")
        assert seen == [state for state in ORDER if state in seen]
        assert seen[-1] == "completed"
        assert rows(server.board(url)) == undisturbed
        again = server.submit(url)
        assert again.status == 200
        assert again.body["lastProcessedAt"]
        assert server.ask("/repositories/retry", "POST", repoUrl=url).status == 409


def test_states_are_passed_in_order(podium: Podium, host: GitHost) -> None:
    url = f"{host.url}/o/r.git"
    with serving(podium, allowed(host)) as server:
        with sqlite3.connect(podium.data / "podium.db") as connection:
            connection.execute("CREATE TABLE seen (state TEXT)")
            connection.execute(
                """CREATE TRIGGER watch AFTER UPDATE OF state ON repository WHEN NEW.state <> OLD.state
                BEGIN INSERT INTO seen VALUES (NEW.state); END"""
            )
        connection.close()
        server.submit(url)
        server.wait_for(url, "completed", "failed")
        connection = sqlite3.connect(podium.data / "podium.db")
        assert [row[0] for row in connection.execute("SELECT state FROM seen")] == ORDER[1:]
        connection.close()


def test_a_refresh_keeps_the_old_board_readable_and_counts_what_is_new(podium: Podium, host: GitHost) -> None:
    url = f"{host.url}/o/r.git"
    with serving(podium, allowed(host) | {"PODIUM_REFRESH_AFTER": "0"}) as server:
        server.submit(url)
        server.wait_for(url, "completed")
        before = server.board(url)
        new = _commit(host.folder / "o" / "r.git", "Zoe <zoe@example.org> 1700000000 +0000")
        answer = server.submit(url)
        assert answer.status == 200
        assert server.ask("/leaderboard", repoUrl=url).status == 200
        wait_until(lambda: server.board(url)["head"] == new, "the new head")
        server.wait_for(url, "completed")
        after = server.board(url)
        assert after["totalCommits"] == before["totalCommits"] + 1
        assert [row["commitCount"] for row in after["top_contributors"] if row["email"] == "zoe@example.org"] == [1]
        # A rewritten history is counted afresh.
        subprocess.run(
            ["git", "-C", str(host.folder / "o" / "r.git"), "update-ref", "refs/heads/main", "refs/heads/main~1000"],
            env=clean_environment(),
            check=True,
        )

        def is_shorter() -> bool:
            # Lists are half a second old: the refresh before this one may still run, and takes no other commits.
            server.submit(url)
            return bool(server.board(url)["totalCommits"] < before["totalCommits"])

        wait_until(is_shorter, "the shorter history")


def _commit(repository: Path, who: str) -> str:
    """Add an empty commit to main; give its name."""
    text = f"commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata 4\nMore\nfrom refs/heads/main^0\n\n"
    subprocess.run(
        ["git", "-C", str(repository), "fast-import", "--quiet", "--force"],
        input=text.encode(),
        env=clean_environment(),
        check=True,
    )
    done = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "main"], env=clean_environment(), capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def percent_of(server: Server, url: str) -> float:
    """Of all work; the highest one if it is done."""
    progress = server.repository(url)["progress"]
    return 100.0 if progress is None else float(progress["overallPercent"])


def phase_of(server: Server, url: str) -> str | None:
    row = server.repository(url)
    progress = row["progress"] or {}
    return str(progress.get("phase") or row["state"])


@pytest.mark.parametrize("phase", ["pending", "commits_processing", "receiving", "counting", "users_processing"])
def test_killed_in_any_stage_and_started_again_the_board_is_the_same(
    podium: Podium, host: GitHost, undisturbed: list[Any], phase: str
) -> None:
    url = f"{host.url}/o/r.git"
    port = free_port()
    # A short lease, so that the test need not wait for a real one to run out.
    settings = {**allowed(host), "PODIUM_LEASE_SECONDS": "2", "PODIUM_RECONCILE_SECONDS": "0.5"}
    with serving(podium, settings, port=port) as server:
        server.submit(url)

        def reached() -> bool:
            now = phase_of(server, url)
            return now == phase or server.repository(url)["state"] in ("users_processing", "completed")

        wait_until(reached, phase)
        percent = percent_of(server, url)
        server.kill()
    if phase == "users_processing":
        _take_back_to_users(podium)
    with serving(podium, settings, port=port) as server:
        percents = [percent]

        def ended() -> bool:
            percents.append(percent_of(server, url))
            return percents[-1] == 100

        wait_until(ended, "the end")
        # The bar goes on from where the killed server left it.
        assert phase == "users_processing" or percents == sorted(percents)
        server.wait_for(url, "completed", "failed")
        assert rows(server.board(url)) == undisturbed
    connection = sqlite3.connect(podium.data / "podium.db")
    assert connection.execute("SELECT count(*) FROM repository").fetchone() == (1,)
    connection.close()


def _take_back_to_users(podium: Podium) -> None:
    """As a worker leaves it that dies with half of its batches done and one claimed: too quick to hit by chance."""
    connection = sqlite3.connect(podium.data / "podium.db")
    with connection:
        connection.execute("UPDATE repository SET state = 'users_processing', last_processed_at = NULL")
        connection.execute(
            """UPDATE commit_data SET processed = FALSE, batch = id / 50, claim_token = 'dead',
                claim_until = CASE WHEN id % 100 < 50 THEN unixepoch() + 1 END WHERE id % 3 = 0"""
        )
    connection.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux to look at processes")
def test_a_counting_process_that_is_killed_leaves_no_git_behind(
    podium: Podium, host: GitHost, undisturbed: list[Any]
) -> None:
    url = f"{host.url}/o/r.git"
    # Only git asks for this. Podium's own requests are given up after seconds, then git would run for a moment.
    first_of_git = "/o/r.git/info/refs"
    host.faults.append(Fault("stall", first_of_git, times=1))
    with serving(podium, allowed(host) | {"PODIUM_LEASE_SECONDS": "2", "PODIUM_RECONCILE_SECONDS": "0.5"}) as server:
        server.submit(url)
        host.wait_for_request(first_of_git)
        (counting,) = children(server.process.pid)
        left_behind = children(counting)
        assert left_behind
        os.kill(counting, signal.SIGKILL)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left_behind), "git to end too")
        server.wait_for(url, "completed", "failed")
        assert rows(server.board(url)) == undisturbed


def test_a_stopped_server_ends_within_ten_seconds_and_continues_when_started_again(
    podium: Podium, host: GitHost, undisturbed: list[Any]
) -> None:
    url = f"{host.url}/o/r.git"
    with serving(podium, allowed(host)) as server:
        server.submit(url)
        wait_until(lambda: phase_of(server, url) != "pending", "the work to begin")
        server.process.terminate()
        assert server.process.wait(10) == 0
    with serving(podium, allowed(host)) as server:
        server.wait_for(url, "completed", "failed")
        assert rows(server.board(url)) == undisturbed


def test_what_cannot_be_counted_fails_with_its_reason_and_can_be_retried(
    podium: Podium, host: GitHost, undisturbed: list[Any]
) -> None:
    folder = host.folder / "o"
    for name in ("empty.git", "headless.git"):
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder / name)],
            env=clean_environment(),
            check=True,
        )
    shutil.rmtree(folder / "headless.git")
    shutil.copytree(folder / "r.git", folder / "headless.git")
    (folder / "headless.git" / "HEAD").write_text("ref: refs/heads/nowhere\n")
    (folder / "plain.git").mkdir()
    (folder / "plain.git" / "index.html").write_text("hello")
    cases = {
        "empty.git": "no commits",
        "headless.git": "branch",
        "plain.git": "exist",
        "missing.git": "exist",
    }
    with serving(podium, allowed(host) | {"PODIUM_MAX_ATTEMPTS": "1"}) as server:
        for name in cases:
            assert server.submit(f"{host.url}/o/{name}").status == 202
        reasons = {}
        for name, word in cases.items():
            url = f"{host.url}/o/{name}"
            row = server.wait_for(url, "failed", "completed")
            assert row["state"] == "failed", name
            assert word in row["error"], (name, row["error"])
            reasons[name] = row["error"]
            board = server.ask("/leaderboard", repoUrl=url)
            assert board.status == 409
            assert board.body["error"].startswith(row["error"])
            answer = server.submit(url)
            assert (answer.status, answer.body["state"], answer.body["error"]) == (200, "failed", row["error"])
        assert len(set(reasons.values())) >= 3
        shutil.copytree(folder / "r.git", folder / "missing.git")
        url = f"{host.url}/o/missing.git"
        assert server.ask("/repositories/retry", "POST", repoUrl=url).status == 202
        server.wait_for(url, "completed")
        assert rows(server.board(url)) == undisturbed


def test_a_host_that_is_away_is_tried_again_by_itself(podium: Podium, tmp_path: Path, subject: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/o/r.git"
    repositories = tmp_path / "late"
    (repositories / "o").mkdir(parents=True)
    shutil.copytree(subject, repositories / "o" / "r.git")
    with serving(podium, small_disk(PODIUM_GIT_HOSTS=f"http://127.0.0.1:{port}")) as server:
        server.submit(url)
        wait_until(lambda: _faults_of_hosts(podium) > 0, "the first try to fail")
        with serve_repositories(repositories, port=port):
            assert server.wait_for(url, "completed", "failed")["state"] == "completed"


def _faults_of_hosts(podium: Podium) -> int:
    connection = sqlite3.connect(podium.data / "podium.db")
    number: int = connection.execute("SELECT max(transient_attempts) FROM repository").fetchone()[0]
    connection.close()
    return number


def test_too_large_fails_clearly_and_leaves_nothing_behind(podium: Podium, host: GitHost) -> None:
    url = f"{host.url}/o/r.git"
    with serving(podium, allowed(host) | {"PODIUM_MAX_REPOSITORY_BYTES": "100k"}) as server:
        server.submit(url)
        row = server.wait_for(url, "failed", "completed")
        assert "PODIUM_MAX_REPOSITORY_BYTES" in row["error"]
    assert list((podium.data / "mirrors").rglob("*.pack")) == []
    with serving(podium, allowed(host) | {"PODIUM_MAX_COMMITS": "100"}) as server:
        server.ask("/repositories/retry", "POST", repoUrl=url)
        row = server.wait_for(url, "failed", "completed")
        assert "PODIUM_MAX_COMMITS" in row["error"]


def test_a_damaged_or_deleted_mirror_is_cloned_again(podium: Podium, host: GitHost, undisturbed: list[Any]) -> None:
    url = f"{host.url}/o/r.git"
    with serving(podium, allowed(host) | {"PODIUM_REFRESH_AFTER": "0"}) as server:
        server.submit(url)
        server.wait_for(url, "completed")
        for damage in (_truncate, shutil.rmtree):
            damage(next((podium.data / "mirrors").rglob("*.pack")).parents[2])
            _forget_the_count(podium)
            # Lists show what another process writes within half a second.
            wait_until(lambda: server.repository(url)["lastProcessedAt"].startswith("1970"), "the change")
            done = server.repository(url)["lastProcessedAt"]
            server.submit(url)
            wait_until(functools.partial(_processed_since, server, url, done), "the next count")
            # The reconciler counts what an older version counted, so this submission may be a second count.
            assert server.wait_for(url, "completed", "failed")["state"] == "completed"
            assert rows(server.board(url)) == undisturbed


def _processed_since(server: Server, url: str, before: str) -> bool:
    return bool(server.repository(url)["lastProcessedAt"] != before)


def _truncate(mirror: Path) -> None:
    pack = next(mirror.rglob("*.pack"))
    pack.chmod(0o600)
    with pack.open("r+b") as file:
        file.truncate(pack.stat().st_size // 2)


def _forget_the_count(podium: Podium) -> None:
    """So that the whole of history is read again."""
    connection = sqlite3.connect(podium.data / "podium.db", timeout=PATIENCE)
    with connection:
        connection.execute("UPDATE repository SET counting_version = 0, last_processed_at = 1")
    connection.close()


def test_an_address_that_this_server_does_not_take_is_refused(podium: Podium) -> None:
    with serving(podium) as server:
        for address in ("http://127.0.0.1:1/o/r", "file:///etc", "https://user:secret@github.com/o/r", "-x", ""):
            answer = server.submit(address)
            assert answer.status == 400
            assert "secret" not in str(answer.body)
        assert server.ask("/repositories").body == []


def test_a_name_that_leads_to_this_machine_is_refused_unless_listed_as_private(podium: Podium, host: GitHost) -> None:
    port = host.url.rpartition(":")[2]
    url = f"http://localhost:{port}/o/r.git"
    with serving(podium, small_disk(PODIUM_GIT_HOSTS=f"http://localhost:{port}")) as server:
        server.submit(url)
        assert "private" in server.wait_for(url, "failed", "completed")["error"]
    with serving(podium, small_disk(PODIUM_PRIVATE_GIT_HOSTS=f"http://localhost:{port}")) as server:
        server.ask("/repositories/retry", "POST", repoUrl=url)
        assert server.wait_for(url, "failed", "completed")["state"] == "completed"


def test_servers_on_a_port_that_is_taken_say_so_and_touch_nothing(podium: Podium) -> None:
    podium.data.mkdir()
    database = open_or_create(podium.data / "podium.db")
    with closing(database), listening("127.0.0.1", 0) as [taken]:
        number = add_repository(database, "127.0.0.1/o/r")
        for _ in range(7):
            done = podium.run("serve", "--port", str(taken.getsockname()[1]), cwd=None)
            assert done.returncode == 2
            [line] = done.stderr.splitlines()
            assert "--port" in line
        found = repository(database, number)
    assert (found.state, found.lease_token, found.crashes) == ("pending", 0, 0)


def shown_on_terminal(controller: int, shown: bytearray) -> str | None:
    """The link that a terminal shows by now; ``shown`` keeps what was read of it."""
    with contextlib.suppress(BlockingIOError):
        shown += os.read(controller, 10_000)
    link = re.search(rb"http://127\.0\.0\.1:\d+/admin\?code=[\w-]+", shown)
    return link[0].decode() if link and b"\n" in shown[link.end() :] else None


def test_a_link_on_the_terminal_makes_a_browser_the_administrators(podium: Podium) -> None:
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    with os.fdopen(terminal, "w") as screen:
        process = podium.start("serve", "--port", str(free_port()), stderr=screen, **small_disk())
    shown = bytearray()
    try:
        link = wait_until(lambda: shown_on_terminal(controller, shown), "the link")
        before = len(shown)
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            page = browser.get(link)
            assert page.status_code == 200
            assert page.url.path == "/" and not page.url.query
            assert browser.get(page.url.join("/queues")).status_code == 200
        with httpx.Client(trust_env=False) as another:
            assert another.get(link).status_code == 403
            assert another.get(page.url.join("/queues")).status_code == 401
            # The file has the token for programs.
            headers = {"Authorization": f"Bearer {(podium.data / 'admin-token').read_text().strip()}"}
            assert another.get(page.url.join("/queues"), headers=headers).status_code == 200
        wait_until(lambda: shown_on_terminal(controller, shown) and shown.count(b"/queues") == 3, "the access log")
        logged = bytes(shown[before:])
        assert link.partition("code=")[2].encode() not in logged
        assert b"GET /admin " in logged
    finally:
        process.terminate()
        process.wait(20)
        os.close(controller)


def test_no_link_goes_to_a_log(podium: Podium) -> None:
    with serving(podium, small_disk(PODIUM_ADMIN_TOKEN="")) as server:
        assert server.ask("/queues").status == 401
        server.log.seek(0)
        assert "/admin?" not in server.log.read()
