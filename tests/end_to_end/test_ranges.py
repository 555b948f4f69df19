"""Ranges of revisions: the counts of ``git shortlog A..B``, and who is new in them."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.app import factories
from podium.clones.path_source import PathSource
from podium.errors import BadCommitLog
from podium.git.command import Git
from podium.jobs.messages.queues import NullQueues
from podium.leaderboard.board import Document, load_board
from podium.leaderboard.export.formats import render
from podium.leaderboard.rules import Rules
from podium.repositories.address import path_address
from podium.repositories.store import queries
from podium.repositories.store.log_check import check_log
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.submit import start_over, submit
from tests.support import repos
from tests.support.small_histories import Writer
from tests.support.sqlite_database import open_or_create

EVERYONE = {"merges": "include", "bots": "include", "names": "apart"}

PEOPLE = [
    *(b"Ann <ann@x.example>", b"Ann <ann@home.example>", b"Ann Lee <ann@x.example>", b"Bob <bob@x.example>"),
    *(b"bob <BOB@x.example>", b"Cid <cid@x.example>", b"Dan <dan@x.example>", b"Dan <dan@old.example>"),
    *(b"Eve Roe <eve@x.example>", b"robot[bot] <1+robot[bot]@users.noreply.github.com>", b"Zo\xe9 <zoe@x.example>"),
]
MAILMAP = b"Ann Lee <ann@x.example> <ann@home.example>\nDan <dan@x.example> <dan@old.example>\nCid C <cid@x.example>\n"


class Ranges:
    """Boards of one database, counted as ``podium rank PATH --rev A..B`` does."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._git = Git.for_person({"PATH": os.environ["PATH"], "HOME": os.devnull})

    def count(self, path: Path, revision: str, *, new: bool = False) -> int:
        source = PathSource(self._git, path, revision, begin=True, base_people=new)
        address = path_address(source.repository.path, revision)
        row = submit(self.db, NullQueues(), address, refresh_after=0).repository
        start_over(self.db, row.id)
        error = factories.commit_job(Settings(), self.db, source, ask=False).run(row.id, threading.Event())
        assert error is None, error
        with self.db.read() as session:
            now = queries.by_id(session, row.id)
            assert now is not None
            check_log(session, now)
        return row.id

    def board(self, path: Path, revision: str, **rules: Any) -> Document:
        new = rules.get("new") == "only"
        number = self.count(path, revision, new=new)
        return self.read(number, **rules)

    def read(self, number: int, **rules: Any) -> Document:
        with self.db.read() as session:
            row = queries.by_id(session, number)
            assert row is not None
            rules_ = Rules.parse(**rules, is_bounded=True)
            url = "https://github.com"
            return load_board(session, row, rules_, limit=None, offset=0, show_emails=True, github_url=url)


@pytest.fixture(scope="module")
def ranges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranges]:
    db = open_or_create(tmp_path_factory.mktemp("ranges") / "podium.db")
    yield Ranges(db)
    db.close()


def shortlog(path: Path, *revisions: str, mailmap: str) -> dict[str, int]:
    """git's commits of each e-mail."""
    words = ("-c", f"mailmap.blob={mailmap}:.mailmap", "shortlog", "-sne", *revisions)
    found: dict[str, int] = {}
    for line in repos.git(path, *words).decode("utf-8", "replace").splitlines():
        number, _, person = line.partition("\t")
        email = person.rpartition(" <")[2].removesuffix(">").lower()
        found[email] = found.get(email, 0) + int(number)
    return found


def counts(board: Document) -> dict[str, int]:
    return {row["email"]: row["commitCount"] for row in board["top_contributors"]}


def tangled(path: Path, dice: random.Random) -> tuple[Path, list[str]]:
    """A history of merges and roots without order, whose mailmap changes at its end."""
    repository = repos.make_bare(path)
    plain, oids = repos.write_tree(repository), list[str]()
    mapped = repos.write_tree(repository, {".mailmap": MAILMAP})
    for number in range(30):
        parents = dice.sample(oids[-6:], min(len(oids), dice.choice((0, 1, 1, 1, 1, 2, 2, 3))))
        author = dice.choice(PEOPLE[: 3 + number // 3]) + b" %d +0000" % (1_700_000_000 + dice.randrange(10**6))
        tree = mapped if number > 20 else plain
        oids.append(repos.commit(repository, parents, author=author, tree=tree))
    # One commit that reaches all, so that nothing is pruned from any range.
    repos.set_branch(repository, oids[-1])
    return repository, oids


@pytest.mark.parametrize("seed", range(4))
def test_a_range_has_the_commits_of_gits(ranges: Ranges, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    path, oids = tangled(tmp_path / "r.git", dice)
    seen_new = 0
    for _ in range(3):
        base, head = dice.choice(oids[:25]), dice.choice(oids[22:])
        name = f"{base}..{head}"
        board = ranges.board(path, name, **EVERYONE)
        expected = shortlog(path, name, mailmap=head)
        assert counts(board) == expected
        assert board["totalCommits"] == sum(expected.values())
        assert (board["base"], board["head"], board["repository"]["revision"]) == (base, head, name)
        new = ranges.board(path, name, **EVERYONE, new="only")
        before = shortlog(path, base, mailmap=head)
        assert counts(new) == {email: count for email, count in expected.items() if email not in before}
        parts = dict(new["commits"])
        assert parts.pop("total") == board["totalCommits"] == sum(parts.values())
        assert parts["ranked"] == new["rankedCommits"] == sum(counts(new).values())
        assert (new["total"], new["uniqueContributors"]) == (len(counts(new)), board["uniqueContributors"])
        assert all(row["isNew"] for row in new["top_contributors"])
        assert all(row["isNew"] is None for row in board["top_contributors"])
        seen_new += len(counts(new))
    assert seen_new


def people_over_time(write: Writer) -> dict[str, str]:
    """Tags of a history in which people come back under other addresses and names."""
    write.commit("Ann Lee <ann@x.example>")
    write.commit("Mia <mia@x.example>", merge=True)
    write.commit("Bob <7+bob@users.noreply.github.com>", "t\n\nCo-authored-by: Pia <pia@x.example>\n")
    write.commit("Zed Long <z@old.example>")
    write.commit("Zed Long <z@old.example>")
    write.commit("A Z <z@old.example>")
    base = write.head
    assert base
    for person in (
        *("Ann Lee <ann@home.example>", "Mia <mia@x.example>", "Robert <7+robert@users.noreply.github.com>"),
        *("Pia <pia@x.example>", "Zed Long <zed@x.example>", "Dan <dan@work.example>", "Dan <dan@work.example>"),
    ):
        write.commit(person)
    write.commit("Tom <tom@x.example>", mailmap=b"Tom <tom@x.example> <tom@x.example>\n", merge=True)
    write.commit("Dan <dan@home.example>", mailmap=b"Dan <dan@work.example> <dan@home.example>\n")
    assert write.head
    return {"base": base, "head": write.head}


def test_who_is_new_after_names_accounts_and_the_mailmap_joined_rows(ranges: Ranges, tmp_path: Path) -> None:
    write = Writer(tmp_path / "r.git")
    name = "{base}..{head}".format(**people_over_time(write))

    def new(**rules: str) -> set[str]:
        board = ranges.board(write.path, name, **rules, new="only")
        assert sum(counts(board).values()) == board["rankedCommits"]
        return {row["name"] for row in board["top_contributors"]}

    assert new() == {"Pia", "Dan"}
    assert new(co_authors="include") == {"Dan"}
    assert new(names="apart") == {"Pia", "Dan", "Ann Lee", "Zed Long"}
    assert new(merges="include") == {"Pia", "Dan", "Tom"}
    board = ranges.board(write.path, name, new="only")
    text = render(board, "table", width=None)
    assert f"Ranked: only new people, without a commit that {board['base'][:10]} reaches." in text
    assert "by contributors who are not new" in text
    assert text.splitlines()[0] == f"r at {name}"
    window = {"since": "1999-01-01", "until": "1999-12-31"}
    assert ranges.board(write.path, name, new="only", **window)["total"] == 0


def test_a_board_follows_its_branches(ranges: Ranges, tmp_path: Path) -> None:
    path = repos.make_bare(tmp_path / "r.git")
    commits = [repos.commit(path, author=repos.ALICE)]
    for number in range(8):
        author = b"P%d <p%d@x.example> 1700000000 +0000" % (number, number)
        commits.append(repos.commit(path, commits[-1:], author=author))

    def place(base: int, head: int) -> None:
        repos.set_branch(path, commits[base], "stable")
        repos.set_branch(path, commits[head], "topic/next")

    def expected(base: int, head: int) -> dict[str, int]:
        return {f"p{number}@x.example": 1 for number in range(base, head)}

    # A moves on and back, B too, both, and neither; with and without those before, each of the two first in turn.
    new = {"new": "only"}
    orders = itertools.cycle(([{}, new, new, {}], [new, {}]))
    for base, head in ((1, 4), (1, 6), (3, 6), (2, 6), (2, 3), (4, 8), (4, 8), (8, 4), (5, 5), (5, 6)):
        place(base, head)
        for rules in next(orders):
            board = ranges.board(path, "stable..topic/next", **rules)
            assert counts(board) == expected(base, head), (base, head)
            assert (board["base"], board["head"]) == (commits[base], commits[head])
    # Another way to write it is another board.
    repos.git(path, "symbolic-ref", "HEAD", "refs/heads/topic/next")
    assert counts(ranges.board(path, "stable..")) == expected(5, 6)
    assert ranges.board(path, "topic/next")["totalCommits"] == 7


def test_an_unchanged_range_is_not_counted_again(
    ranges: Ranges, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Writer(tmp_path / "r.git")
    name = "{base}..{head}".format(**people_over_time(write))
    first = ranges.board(write.path, name, new="only")
    monkeypatch.setattr("podium.clones.source.History.count_base", lambda _: pytest.fail("counted again"))
    again = ranges.board(write.path, name, new="only", merges="include")
    assert (again["totalCommits"], again["asOf"] >= first["asOf"]) == (first["totalCommits"], True)


def test_an_empty_range_is_a_board_without_commits(ranges: Ranges, tmp_path: Path) -> None:
    write = Writer(tmp_path / "r.git")
    tags = people_over_time(write)
    for name in ("{head}..{base}", "{base}..{base}"):
        for rules in ({}, {"new": "only"}):
            board = ranges.board(write.path, name.format(**tags), **rules)
            assert (board["totalCommits"], board["total"], board["uniqueContributors"]) == (0, 0, 0)
            assert set(board["commits"].values()) == {0}
            for form in ("table", "markdown", "csv", "json"):
                text = render(board, form, width=None)
                assert form not in ("table", "markdown") or " has no commits: " in text


def test_a_count_without_those_before_cannot_say_who_is_new(ranges: Ranges, tmp_path: Path) -> None:
    write = Writer(tmp_path / "r.git")
    number = ranges.count(write.path, "{base}..{head}".format(**people_over_time(write)))
    with pytest.raises(BadCommitLog, match="without the people before it"):
        ranges.read(number, new="only")
