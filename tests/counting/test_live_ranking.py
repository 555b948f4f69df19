"""The first ten people while a count goes on, however its commits are read."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from podium.accounts.repository_emails import classify_emails
from podium.clones.mirrors import Mirrors
from podium.clones.source import MirrorSource
from podium.counting import live_ranking, progress_notes
from podium.counting.commit_job import CommitJob
from podium.counting.live_ranking import LiveRanking, shown_name
from podium.errors import StorageError
from podium.git.command import Git
from podium.git.limits import Limits
from podium.history.commit import Facts
from podium.history.totals import Tally
from podium.history.trailers.mentions import NO_MENTIONS
from podium.jobs import lease
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.model import Repository, State
from podium.storage.session import Database
from podium.submissions.submit import start_over, submit
from tests.support import repos
from tests.support.githttp import serve_repositories
from tests.support.rows import repository

LIMITS = Limits(timeout=60, idle_timeout=30, memory=4 << 30, repository_bytes=1 << 30, disk_reserve=1)
WHEN = b"1700000000 +0000"
ADA = b"Ada Lovelace <ada@example.org> " + WHEN
AGAIN = b"ada lovelace <ada@home.example> " + WHEN
BOT = b"dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com> " + WHEN
SECRET = b"carol@example.com <carol@example.com> " + WHEN


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Each progress that is saved: every step of the count makes one."""
    seen: list[dict[str, Any]] = []
    save = lease.save_progress

    def noted(db: Database, row: Repository, progress: str) -> None:
        save(db, row, progress)
        seen.append(json.loads(repository(db, row.id).progress or "{}"))

    monkeypatch.setattr(lease, "save_progress", noted)
    monkeypatch.setattr(progress_notes, "SAVE_EVERY", 0.0)
    monkeypatch.setattr(progress_notes, "_GIT_IS_SILENT", 0.0)
    monkeypatch.setattr(live_ranking, "_EVERY", 0.0)
    monkeypatch.setattr(live_ranking, "_SHARE", 0)
    return seen


def test_people_are_ranked_while_their_commits_arrive_and_while_git_reads_them(
    db: Database, tmp_path: Path, saved: list[dict[str, Any]]
) -> None:
    git = Git.for_server(LIMITS, search_path=os.environ["PATH"], protocols=("http",))
    source = MirrorSource(git, Mirrors(tmp_path / "mirrors", git), lambda row: row.repository_url)
    classify = functools.partial(classify_emails, github_host="github.com", ages=None)
    job = CommitJob(db, source, classify, lease_seconds=30, max_crashes=5, max_attempts=1)
    with serve_repositories(tmp_path / "repositories") as host:
        made = repos.make_bare(host.folder / "o" / "r.git")
        authors = [ADA, repos.BOB, SECRET, BOT, repos.BOB, AGAIN, repos.BOB, ADA, BOT, BOT, BOT, ADA]
        first = repos.chain(made, authors)
        repos.git(made, "update-ref", "refs/tags/v1", first)
        address = parse_address(f"{host.url}/o/r.git")

        def count(rev: str | None) -> tuple[Repository, list[dict[str, Any]]]:
            del saved[:]
            at = address if rev is None else address.at_revision(rev)
            number = submit(db, NullQueues(), at, refresh_after=0).repository.id
            assert job.run(number, threading.Event()) is None
            return repository(db, number), list(saved)

        ranking = [
            {"name": "Ada Lovelace", "commits": 4},
            {"name": "Bob", "commits": 3},
            {"name": "…@…", "commits": 1},
        ]
        # Of the tag, the mirror already has every commit.
        for rev in (None, "v1"):
            row, steps = count(rev)
            assert row.state == State.USERS_PROCESSING
            assert [step for step in steps if "leaders" in step][-1]["leaders"] == ranking
            percents = [step["overallPercent"] for step in steps]
            assert percents == sorted(percents)
            assert {step["phase"] for step in steps} >= {"counting" if rev else "receiving", "saving"}
            assert not [step for step in steps if "@example" in json.dumps(step)]
            # It is gone with the count.
            assert "leaders" not in json.loads(row.progress or "")
        # A refresh has a board to show.
        repos.chain(made, [repos.BOB] * 3, [first])
        with db.write() as session:
            session.run("UPDATE repository SET state = 'completed', last_processed_at = 0")
        start_over(db, row.id)
        _, steps = count("v1")
        assert not [step for step in steps if "leaders" in step]


def test_the_leaders_are_those_of_all_totals() -> None:
    tally = Tally()
    sums: dict[tuple[str, str], int] = {}
    for step in range(60):
        people = [(f"P{number}", f"p{number}@x") for number in range(0, 300, 1 + step % 7)]
        facts: list[Facts] = [(person, 0, number % 5 == 0, *NO_FACTS) for number, person in enumerate(people)]
        tally.add([b"0" * 40] * len(facts), facts)
        for number, person in enumerate(people):
            sums[person] = sums.get(person, 0) + (number % 5 != 0)
        if step % 3 == 0:
            leaders = tally.leaders()
            assert [commits for _, commits in leaders] == sorted(sums.values(), reverse=True)[:100]
            assert dict(leaders).items() <= sums.items()


NO_FACTS = (NO_MENTIONS.named, NO_MENTIONS.roles, b"parent\n", False)


def test_ten_short_names_are_kept_at_most_once_a_second() -> None:
    now, tally = [0.0], Tally()
    ranking = LiveRanking(lambda emails: emails, lambda: now[0])
    names = ["\U0001f469‍" * 300, "a" * 400, "\x1b[31mred", *(f"Person {number}" for number in range(40))]
    people = [(name, f"{number}@example.com") for number, name in enumerate(names)]
    tally.add([b"0" * 40] * len(people), [(person, 0, False, *NO_FACTS) for person in people])
    ranking.note(tally)
    assert ranking.people == []
    now[0] = 1.0
    ranking.note(tally)
    assert len(ranking.people) == 10
    assert all(len(person["name"]) <= 60 for person in ranking.people)
    assert len(json.dumps(ranking.people)) < 8_000
    before = ranking.people
    now[0] = 1.9
    ranking.note(tally)
    assert ranking.people is before


def test_names_are_shown_as_everywhere() -> None:
    assert shown_name("Ada <ada@example.com>") == "Ada <…@…>"
    assert shown_name("") == "(no name)"
    assert "\x1b" not in shown_name("\x1b[31mred")
    # A byte that is no UTF-8.
    assert shown_name("Jos\uf7e9") == "Jos\ufffd"


def test_a_database_that_is_away_ends_no_count_for_the_sake_of_its_ranking() -> None:
    now, faults = [10.0], [StorageError("It is away.")]

    def forgotten(_: Collection[str]) -> Collection[str]:
        if faults:
            raise faults.pop()
        return ()

    live = LiveRanking(lambda emails: emails, lambda: now[0], forgotten=forgotten)
    tally = Tally()
    tally.add([b"%040x" % 1], [(("Bob Stone", "bob@example.org"), 1, False, (), (), b"", False)])
    for shown in ([], [{"name": "Bob Stone", "commits": 1}]):
        now[0] += 100.0
        live.note(tally)
        assert live.people == shown
