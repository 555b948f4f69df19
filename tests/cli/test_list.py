"""``podium list``: what was ranked, and where the data is stored."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from podium.clones.mirrors import mirror_path
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.store import queries, transitions
from podium.storage.sqlite import SqliteDatabase
from podium.submissions.submit import submit
from podium.textutil.size import size
from tests.cli.test_cli import commit, git
from tests.support.cli import Podium


@pytest.fixture
def podium(tmp_path: Path) -> Podium:
    return Podium(tmp_path / "data")


def listed(podium: Podium, *words: str) -> dict[str, Any]:
    done = podium.run("list", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_on_a_new_machine_it_says_what_to_type_and_makes_nothing(podium: Podium) -> None:
    done = podium.run("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "`podium rank .`, or `podium rank owner/name`" in done.stdout
    assert f"Data folder: {podium.data} (not made yet)" in done.stdout
    document = listed(podium)
    assert (document["total"], document["repositories"], document["databaseBytes"]) == (0, [], 0)
    assert document["dataFolder"] == str(podium.data)
    assert not podium.data.exists()


def test_paths_revisions_and_addresses(podium: Podium, tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Ada", "ada@example.org", "2024-01-01T12:00:00Z")
    commit(folder, "Bob", "bob@example.org", "2024-01-02T12:00:00Z")
    podium.board(str(folder))
    podium.board(str(folder), "--rev", "main~1")
    address = parse_address("owner/name")
    with contextlib.closing(SqliteDatabase(podium.data / "podium.db")) as db:
        submit(db, NullQueues(), address, refresh_after=0)
        with db.write() as session:
            waiting = queries.by_key(session, address.key)
            assert waiting is not None
            transitions.fail(session, waiting, code="missing", reason="It does not exist.")
    mirror = mirror_path(podium.data / "mirrors", address.host, address.owner, address.name, address.key)
    mirror.mkdir(parents=True)
    (mirror / "pack").write_bytes(bytes(5000))

    document = listed(podium)
    assert document["total"] == 3 and document["database"] == str(podium.data / "podium.db")
    assert document["databaseBytes"] > 0 and document["clonesBytes"] >= 5000
    found = [
        (each["path"], each["url"], each["revision"], each["state"], each["totalCommits"], each["uniqueContributors"])
        for each in document["repositories"]
    ]
    assert sorted(found, key=str) == sorted(
        [
            (None, "https://github.com/owner/name", None, "failed", None, None),
            (str(folder), None, "main~1", "completed", 1, 1),
            (str(folder), None, None, "completed", 2, 2),
        ],
        key=str,
    )
    failed = next(each for each in document["repositories"] if each["url"])
    assert failed["cloneBytes"] >= 5000 and failed["error"] == "It does not exist."
    assert all(each["rankedAt"] and each["head"] for each in document["repositories"] if each["path"])

    table = podium.run("list").stdout
    assert "https://github.com/owner/name failed: It does not exist." in table
    assert f"Data folder: {podium.data}" in table
    assert "main~1    done" in table
    with contextlib.closing(SqliteDatabase(podium.data / "podium.db")) as db, db.write() as session:
        session.run("UPDATE repository SET state = 'commits_processing' WHERE revision = 'main~1'")
        session.run("UPDATE repository SET state = 'users_processing', lease_until = {now} + 60 WHERE revision IS NULL")
    table = podium.run("list").stdout
    assert "main~1    interrupted" in table and "looking up accounts" in table
    assert len(listed(podium, "-n", "1")["repositories"]) == 1
    assert "The latest 1 of 3: `podium list -n all` shows all." in podium.run("list", "-n", "1").stdout


def test_a_folder_whose_name_is_no_utf_8(podium: Podium, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    commit(Path(os.fsdecode(folder)), "Ada", "ada@example.org", "2024-01-01T12:00:00Z")
    assert podium.run("rank", os.fsdecode(folder)).returncode == 0
    assert [each["path"] for each in listed(podium)["repositories"]] == [f"{tmp_path}/caf\ufffd"]


def test_sizes() -> None:
    found = [size(number) for number in (0, 512, 999, 1000, 9_949, 9_951, 999_499, 999_501, 1_260_000_000, 10**15)]
    assert found == ["0 B", "512 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.3 GB", "1000 TB"]
