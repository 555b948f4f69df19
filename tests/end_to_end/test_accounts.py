"""Accounts on the way that a user goes: `podium serve` and `podium rank`, against a GitHub on this machine."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import sqlite3
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Podium
from tests.support.community import Community, build, gather
from tests.support.githttp import GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.github_script import Script
from tests.support.server import serving, wait_until

TOKEN = "ghp_Secret0fThisTest"
REVOKED = "github_pat_Secret0fThisTestToo"


@pytest.fixture(scope="module")
def community() -> Community:
    return gather(600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, community: Community) -> Path:
    folder = tmp_path_factory.mktemp("accounts") / "r.git"
    build(folder, community)
    return folder


@pytest.fixture
def host(tmp_path: Path, folder: Path) -> Iterator[GitHost]:
    """A GitHub's git side: repositories without `.git` in their names."""
    shutil.copytree(folder, tmp_path / "repositories" / "o" / "r")
    with serve_repositories(tmp_path / "repositories") as running:
        yield running


@pytest.fixture
def podium(tmp_path: Path) -> Podium:
    return Podium(tmp_path / "data")


@pytest.fixture
def impatient(tmp_path: Path) -> Podium:
    return Podium(tmp_path / "data", "tests.support.impatient_podium")


def github(host_url: str, double: GitHubDouble, **more: str) -> dict[str, str]:
    return {
        "GITHUB_SERVER_URL": host_url,
        # As Enterprise Server has them.
        "GITHUB_API_URL": f"{double.api_url}/api/v3",
        "GITHUB_GRAPHQL_URL": f"{double.api_url}/api/graphql",
        "GITHUB_TOKEN": TOKEN,
        "NO_PROXY": "127.0.0.1",
        "PODIUM_DISK_RESERVE_BYTES": "1M",
        **more,
    }


def expected(community: Community) -> dict[str, int]:
    """At another GitHub than github.com its noreply addresses are like any other's: nobody's there."""
    rows = community.rows()
    return {name: count for name, count in rows.items() if count}


def rows(document: dict[str, Any]) -> dict[str, int]:
    return {
        f"@{entry['username']}" if entry["username"] else entry["email"]: entry["commitCount"]
        for entry in document["top_contributors"]
    }


EVERYTHING = {"merges": "include", "bots": "include", "coAuthors": "include"}


class CommandLines(threading.Thread):
    """Looks for a word in the command lines of every process of this machine until it is stopped."""

    def __init__(self, word: str) -> None:
        super().__init__(daemon=True)
        self.word, self.found, self.looked = word.encode(), [], 0  # type: tuple[bytes, list[bytes], int]
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.01):
            self.looked += 1
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    line = (process / "cmdline").read_bytes()
                    if self.word in line:
                        self.found.append(line)


def test_serve_asks_github_waits_for_its_limit_and_keeps_the_token_to_itself(
    podium: Podium, host: GitHost, folder: Path, community: Community, tmp_path: Path
) -> None:
    # The two take turns until the second one is believed to be revoked.
    script = Script(["500", None, None, None, "drop", None, "fewer", "403-secondary"])
    tokens = f"{TOKEN},{REVOKED}"
    with (
        GitHubDouble({"o/r": folder}, community.accounts, tokens=(TOKEN,), script=script, pause=4) as double,
        serving(
            podium,
            github(host.url, double, GITHUB_TOKEN=tokens, PODIUM_LOG_LEVEL="debug", PODIUM_USER_WORKERS="1"),
        ) as server,
    ):
        lines = CommandLines("Secret0fThisTest")
        lines.start()
        url = f"{host.url}/o/r"
        answers = [server.submit(url).body]

        def is_waiting() -> bool:
            answers.append(server.repository(url))
            return bool((answers[-1]["progress"] or {}).get("waitingUntil"))

        # One token is bad, the other has to wait.
        wait_until(is_waiting, "the limit to be seen")
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/r/{host.url.partition('//')[2]}/o/r") as page:
            assert "waiting for GitHub until" in page.read().decode()
        progress = answers[-1]["progress"]
        assert progress["total"] > progress["done"] >= 0
        answers.append(server.wait_for(url, "completed"))
        answers.append(server.board(url, **EVERYTHING))
        assert rows(answers[-1]) == expected(community)
        assert answers[-1]["unresolvedReason"] is None
        lines.ended.set()
        lines.join()
        server.log.seek(0)
        log = server.log.read()
    assert lines.looked > 10 and not lines.found
    assert log.count("does not accept the token: set GITHUB_TOKEN") == 1
    assert "Secret0fThisTest" not in log + json.dumps(answers)
    kept = [path for path in podium.data.rglob("*") if path.is_file()]
    assert any(path.name == "podium.db" for path in kept)
    assert not [path for path in kept if b"Secret0fThisTest" in path.read_bytes()]


def test_a_process_killed_with_many_batches_in_hand_is_one_death_and_asks_again_for_those_only(
    podium: Podium, host: GitHost, folder: Path, community: Community
) -> None:
    with GitHubDouble({"o/r": folder}, community.accounts, tokens=(TOKEN,), latency=0.5) as double:
        settings = github(host.url, double, PODIUM_USER_WORKERS="8", PODIUM_RECONCILE_SECONDS="1")
        url = f"{host.url}/o/r"
        with serving(podium, settings) as server:
            server.submit(url)
            # The first request goes alone, then everybody asks.
            wait_until(lambda: double.asked() >= 5, "batches to be in hand")
            server.kill()
        with contextlib.closing(sqlite3.connect(podium.data / "podium.db")) as db, db:
            held = db.execute("SELECT count(DISTINCT batch) FROM commit_data WHERE claim_until > 0").fetchone()
            assert held[0] > 5
            # As if so much time had gone by that they are void.
            db.execute("UPDATE commit_data SET claim_until = 1 WHERE claim_until > 0")
        with serving(podium, settings) as server:
            server.wait_for(url, "completed")
            assert rows(server.board(url, **EVERYTHING)) == expected(community)
        needed = -(-len(community.emails) // 50)
        assert len(double.lookups()) <= needed + 8


def test_serve_without_a_token_completes_and_says_what_is_missing(
    podium: Podium, host: GitHost, folder: Path, community: Community
) -> None:
    with (
        GitHubDouble({"o/r": folder}, community.accounts, anonymous_limit=5) as double,
        serving(podium, github(host.url, double, GITHUB_TOKEN="")) as server,
    ):
        url = f"{host.url}/o/r"
        server.submit(url)
        server.wait_for(url, "completed")
        board = server.board(url, **EVERYTHING)
        assert double.asked() == 5
        assert sum(rows(board).values()) == sum(expected(community).values())
        found = rows(board).keys() & expected(community).keys()
        assert 100 < len([name for name in found if name.startswith("@")]) < 500
        assert "60 requests an hour" in board["unresolvedReason"]
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/r/{host.url.partition('//')[2]}/o/r") as page:
            assert "60 requests an hour" in page.read().decode()


def test_rank_of_a_clone_asks_where_its_origin_is_and_a_token_is_set(
    podium: Podium, host: GitHost, folder: Path, community: Community, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--bare", f"{host.url}/o/r", str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "remote", "set-url", "origin", f"{host.url}/o/r.git"], check=True)
    with GitHubDouble({"o/r": folder}, community.accounts, tokens=(TOKEN,)) as double:
        everything = ("--merges", "include", "--bots", "include", "--co-authors", "include")
        settings = github(host.url, double)
        without = podium.board(str(clone), **{**settings, "GITHUB_TOKEN": ""})
        by_name = podium.board(str(clone), "--no-identities", **settings)
        assert double.asked() == 0
        assert without["unresolved"] > 500
        assert without["unresolvedReason"] == "Accounts were not looked up: set GITHUB_TOKEN."
        assert by_name["unresolvedReason"] is None
        assert by_name["total"] == without["total"]
        assert rows(podium.board(str(clone), *everything, **settings)) == expected(community)
        asked = double.asked()
        assert asked > 0
        assert rows(podium.board(str(clone), *everything, **settings)) == expected(community)
        assert double.asked() == asked


def test_rank_of_an_address_finds_accounts_and_does_not_wait_long_for_github(
    impatient: Podium, host: GitHost, folder: Path, community: Community
) -> None:
    with GitHubDouble({"o/r": folder}, community.accounts, tokens=(TOKEN,), limit=5) as double:
        document = impatient.board(f"{host.url}/o/r", **github(host.url, double))
        assert document["state"] == "completed"
        assert "rank it again later" in document["unresolvedReason"]
        assert 0 < document["unresolved"] < 600
        table = impatient.run("rank", f"{host.url}/o/r", cwd=None, **github(host.url, double))
        assert "rank it again later" in table.stdout


def test_rank_goes_on_after_a_host_that_stumbled(
    impatient: Podium, host: GitHost, folder: Path, community: Community
) -> None:
    # What one batch takes for too much, while another is told something.
    script = Script([None, *["500"] * 3])
    with GitHubDouble({"o/r": folder}, community.accounts, tokens=(TOKEN,), script=script) as double:
        settings = github(host.url, double, PODIUM_USER_WORKERS="1")
        everything = ("--merges", "include", "--bots", "include", "--co-authors", "include")
        document = impatient.board(f"{host.url}/o/r", *everything, **settings)
    assert document["unresolvedReason"] is None
    assert rows(document) == expected(community)


def test_rank_says_once_that_a_token_is_bad(
    impatient: Podium, host: GitHost, folder: Path, community: Community
) -> None:
    with GitHubDouble({"o/r": folder}, community.accounts, tokens=()) as double:
        done = impatient.run("rank", f"{host.url}/o/r", cwd=None, **github(host.url, double))
    assert done.returncode == 0
    assert "accepts none of the tokens in GITHUB_TOKEN" in done.stdout
    assert [line for line in done.stderr.splitlines() if "GITHUB_TOKEN" in line] == done.stderr.splitlines()[-1:]
    assert TOKEN not in done.stdout + done.stderr


def test_rank_without_a_network_to_github_prints_the_board(
    impatient: Podium, host: GitHost, community: Community
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    settings = {
        "GITHUB_SERVER_URL": host.url,
        "GITHUB_API_URL": nobody,
        "GITHUB_GRAPHQL_URL": f"{nobody}/graphql",
        "GITHUB_TOKEN": TOKEN,
    }
    document = impatient.board(f"{host.url}/o/r", **settings)
    assert "GitHub cannot be reached" in document["unresolvedReason"]
    assert document["state"] == "completed"


@pytest.mark.parametrize("token", ["two\tlines\u00e9", "\u2603"])
def test_a_token_that_cannot_be_sent_is_refused_in_one_line(podium: Podium, folder: Path, token: str) -> None:
    done = podium.run("rank", str(folder), cwd=None, GITHUB_TOKEN=token)
    assert done.returncode == 2
    assert "GITHUB_TOKEN" in done.stderr and token not in done.stderr
    assert len(done.stderr.splitlines()) == 1
