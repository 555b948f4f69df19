"""Boards of random histories against a straightforward recount of their commits."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from podium.leaderboard.board import entries, read_board
from podium.leaderboard.board_data import Ranked
from podium.leaderboard.counts.commit_log import EVER
from podium.leaderboard.counts.commit_parts import commit_parts
from podium.leaderboard.counts.row_counts import counted_ever, years
from podium.leaderboard.counts.row_roles import ROLES, add_roles, role_only_people
from podium.leaderboard.figures import read_figures, sparklines
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, iso_time
from tests.support.boards import at
from tests.support.commit_logs import Commit
from tests.support.memory_boards import MemoryBoard

COUNTED_AT = at("2024-05-01 12:00:00")
_ODD = (-(2**63), -1, 0, DAY - 1, COUNTED_AT + DAY + 1, 2**63 - 1)
_ORDINARY = (DAY, COUNTED_AT + DAY)
_KINDS: Any = ("human", "human", "human", "bot", "agent")


class Recount:
    """What a board must show, by going through all commits for each question."""

    def __init__(self, board: MemoryBoard, rules: Rules) -> None:
        self.board = board
        self.rules = rules

    def of_group(self, group: int, since: int | None, until: int | None) -> list[Commit]:
        """The counted commits of a group in a window."""
        return [
            c for c in self._in(since, until) if self._counts(c) and (self._wrote(c, group) or self._named(c, group))
        ]

    def ever(self, group: int) -> list[Commit]:
        """The commits of a group in all of history, merges included."""
        return [c for c in self.board.commits if self._wrote(c, group) or self._named(c, group)]

    def in_window(self, group: int) -> list[Commit]:
        return self.of_group(group, self.rules.since, self.rules.until)

    def commits(self) -> list[Commit]:
        return list(self._in(self.rules.since, self.rules.until))

    def is_ai(self, commit: Commit) -> bool:
        return any(self.board.kinds[self.board.of[p]] == "agent" for p in (commit.author, *commit.named))

    def co_authored(self, group: int) -> int:
        return sum(self._credits(c, group) for c in self.commits())

    def ai(self, group: int) -> int:
        return sum(self._wrote(c, group) and self.is_ai(c) and self._counts(c) for c in self.commits())

    def kind(self, commit: Commit) -> str:
        return self.board.kinds[self.board.of[commit.author]]

    def _in(self, since: int | None, until: int | None) -> Iterator[Commit]:
        for commit in self.board.commits:
            low = commit.when >= since if since is not None else True
            high = commit.when < until if until is not None else True
            if (low and high and ordinary(commit)) or (since is None and until is None):
                yield commit

    def _counts(self, commit: Commit) -> bool:
        return self.rules.merges or not commit.is_merge

    def _wrote(self, commit: Commit, group: int) -> bool:
        return self.board.of[commit.author] == group

    def _named(self, commit: Commit, group: int) -> bool:
        return self.rules.co_authors and self._credits(commit, group)

    def _credits(self, commit: Commit, group: int) -> bool:
        return not self._wrote(commit, group) and any(self.board.of[person] == group for person in commit.named)


def ordinary(commit: Commit) -> bool:
    return DAY <= commit.when <= COUNTED_AT + DAY


def history(dice: random.Random) -> MemoryBoard:
    people = dice.randrange(1, 8)
    kinds = [dice.choice(_KINDS) for _ in range(dice.randrange(1, people + 1))]
    of = [*range(len(kinds)), *(dice.randrange(len(kinds)) for _ in range(people - len(kinds)))]
    segments = [[_commit(dice, people) for _ in range(dice.randrange(12))] for _ in range(dice.randrange(1, 5))]
    return MemoryBoard(of, kinds, segments, COUNTED_AT)


def _commit(dice: random.Random, people: int) -> Commit:
    # A few days, so that windows begin and end at commits.
    when = at("2023-12-30") + dice.randrange(40) * DAY + dice.choice((0, 1, DAY - 1))
    when = dice.choice(_ODD) if dice.random() < 0.1 else dice.choice(_ORDINARY) if dice.random() < 0.1 else when
    named = tuple(dice.sample(range(people), dice.choice((0, 0, 1, min(people, 3)))))
    roles = tuple({(dice.randrange(people), dice.randrange(len(ROLES))) for _ in range(dice.choice((0, 0, 1, 4)))})
    author = dice.randrange(max(1, people - 1))
    return Commit(author, when, dice.random() < 0.2, named, roles)


def rules_of(dice: random.Random) -> Rules:
    days = [at("2023-12-30") + place * DAY for place in range(-1, 42)]
    # Days on both sides of what a date can be, and of what a calendar has.
    days += [at(day) for day in ("0001-01-01", "1970-01-01", "1970-01-02", "2024-05-01", "2024-05-02", "9999-12-31")]
    day = sorted(dice.sample(days, 2))
    since, until = dice.choice(((None, None), (day[0], None), (None, day[1] + DAY), (day[0], day[1] + DAY)))
    return Rules(
        merges=dice.random() < 0.5,
        co_authors=dice.random() < 0.5,
        bots=dice.choice(("include", "exclude", "only")),
        identities=False,
        since=since,
        until=until,
    )


def cases(number: int) -> Iterator[tuple[MemoryBoard, Rules, Ranked]]:
    dice = random.Random(13)
    for _ in range(number):
        board = history(dice)
        for _ in range(3):
            rules = rules_of(dice)
            yield board, rules, board.under(rules)


def test_every_row_equals_a_recount() -> None:
    for board, rules, ranked in cases(40):
        recount = Recount(board, rules)
        rows = entries(ranked, list(range(len(board.kinds))), show_emails=True)
        for group, row in enumerate(rows):
            counted = recount.in_window(group)
            dates = sorted(commit.when for commit in counted if ordinary(commit))
            ever = recount.of_group(group, None, None)
            assert row["commitCount"] == len(counted) <= len(board.commits)
            assert row["mergeCount"] == sum(c.is_merge and board.of[c.author] == group for c in recount.commits())
            assert row["coAuthoredCount"] == recount.co_authored(group) <= len(board.commits)
            assert row["aiCount"] == recount.ai(group)
            assert row["oddDates"] == sum(not ordinary(commit) for commit in ever)
            assert row["firstCommitAt"] == (iso_time(dates[0]) if dates else None)
            assert row["lastCommitAt"] == (iso_time(dates[-1]) if dates else None)
            on_board = bool(counted) and rules.bots in (
                "include",
                "exclude" if board.kinds[group] == "human" else "only",
            )
            assert bool(row["rank"]) is on_board
            assert counted_ever(ranked, group) == len(ever)


def test_people_are_new_or_back_as_a_recount_says() -> None:
    seen = set()
    for board, rules, ranked in cases(40):
        if not rules.windowed:
            continue
        recount = Recount(board, rules)
        for group, row in enumerate(entries(ranked, list(range(len(board.kinds))), show_emails=True)):
            ever = [commit.when for commit in recount.of_group(group, None, None) if ordinary(commit)]
            began = [commit.when for commit in recount.ever(group) if ordinary(commit)]
            inside = recount.in_window(group)
            is_new = bool(inside) and all(rules.since is None or when >= rules.since for when in began)
            assert row["isNew"] is is_new
            is_back = False
            if rules.since is not None and inside:
                end = rules.until or max(COUNTED_AT // DAY * DAY, rules.since) + DAY
                before = 2 * rules.since - end
                is_back = not recount.of_group(group, before, rules.since) and any(when < before for when in ever)
            assert row["isBack"] is is_back
            assert not (is_new and is_back)
            seen |= {(is_new, is_back)}
    assert seen == {(False, False), (True, False), (False, True)}


def test_a_board_of_new_people_has_the_new_rows_of_the_whole_board() -> None:
    fewer = 0
    for board, rules, ranked in cases(40):
        if not rules.windowed:
            continue
        whole = read_board(ranked, limit=None, offset=0, show_emails=True)
        new = board.under(dataclasses.replace(rules, new=True))
        document = read_board(new, limit=None, offset=0, show_emails=True)
        rows = document["top_contributors"]
        kept = [row["email"] for row in whole["top_contributors"] if row["isNew"]]
        assert [row["email"] for row in rows] == kept
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
        assert document["total"] == len(rows) == read_figures(new)["figures"]["newPeople"]
        assert document["rankedCommits"] == sum(row["commitCount"] for row in rows)
        parts, before = document["commits"], whole["commits"]
        assert parts.pop("total") == before.pop("total") == sum(parts.values())
        assert parts["ranked"] + parts["earlier"] == before["ranked"]
        assert {**before, "ranked": 0} == {**parts, "ranked": 0, "earlier": 0}
        fewer += 0 < len(rows) < whole["total"]
    assert fewer > 5


def test_the_parts_of_a_board_add_up_under_all_rules() -> None:
    for board, rules, ranked in cases(40):
        recount = Recount(board, rules)
        commits = recount.commits()
        counted = [commit for commit in commits if rules.merges or not commit.is_merge]
        document = read_board(ranked, limit=None, offset=0, show_emails=True)
        parts = document["commits"]
        total = parts.pop("total")
        assert total == len(commits) == sum(parts.values())
        assert total == document["totalCommits"] or rules.windowed
        assert parts["merges"] == len(commits) - len(counted)
        assert document["botCommits"] == sum(recount.kind(commit) != "human" for commit in counted)
        assert document["aiCommits"] == sum(map(recount.is_ai, counted))
        assert document["oddDates"] == sum(not ordinary(commit) for commit in board.commits)
        if not rules.co_authors:
            assert parts["ranked"] == document["rankedCommits"]
        if rules.bots == "include":
            assert document["aiCommits"] == sum(row["aiCount"] for row in document["top_contributors"])
        agents = {agent["name"]: agent["commitCount"] for agent in document["agents"]}
        for person, group in enumerate(board.of):
            if board.kinds[group] == "agent":
                did = sum(person in (commit.author, *commit.named) for commit in counted)
                assert agents.pop(f"P{person}", 0) == did
        assert not agents


def test_figures_split_weeks_and_curves_agree_with_the_rows() -> None:
    for board, rules, ranked in cases(40):
        recount = Recount(board, rules)
        figures, document = read_figures(ranked), read_board(ranked, limit=None, offset=0, show_emails=True)
        rows = document["top_contributors"]
        assert figures["figures"]["people"] == document["total"] == len(rows)
        assert figures["figures"]["commits"] == document["rankedCommits"] == sum(row["commitCount"] for row in rows)
        assert figures["figures"]["newPeople"] == sum(row["isNew"] for row in rows)
        counted = [commit for commit in recount.commits() if rules.merges or not commit.is_merge]
        assert figures["split"] == {
            "human": sum(not recount.is_ai(commit) and recount.kind(commit) == "human" for commit in counted),
            "bot": sum(not recount.is_ai(commit) and recount.kind(commit) == "bot" for commit in counted),
            "ai": document["aiCommits"],
        }
        assert sum(figures["split"].values()) == len(counted)
        ever = [commit for commit in board.commits if ordinary(commit) and (rules.merges or not commit.is_merge)]
        assert sum(week["human"] + week["bot"] + week["ai"] for week in figures["weeks"]) == len(ever)
        assert figures["agents"] == document["agents"]
        if rules.since is not None and rules.until is not None:
            curves = sparklines(ranked, list(ranked.ranking.order))["curves"]
            assert [sum(curve) for curve in curves] == [row["commitCount"] for row in rows]


def test_years_and_odd_dates_are_all_of_a_row() -> None:
    for board, _, ranked in cases(20):
        for group in range(len(board.kinds)):
            ever = [c for c in board.commits if board.of[c.author] == group and ordinary(c)]
            found = years(ranked, group)
            assert sum(commits for commits, _, _ in found.values()) == sum(not c.is_merge for c in ever)
            assert sum(merges for _, merges, _ in found.values()) == sum(c.is_merge for c in ever)
            for year, (commits, merges, _) in found.items():
                assert commits + merges == sum((iso_time(c.when) or "")[:4] == str(year) for c in ever)


def test_roles_equal_a_recount() -> None:
    for board, rules, ranked in cases(40):
        recount = Recount(board, rules)
        document = read_board(ranked, limit=None, offset=0, show_emails=True)
        add_roles(ranked, document)
        for group, row in zip(ranked.ranking.order, document["top_contributors"], strict=True):
            for number, role in enumerate(ROLES):
                given = sum(
                    any(board.of[person] == group and each == number for person, each in commit.roles)
                    for commit in recount.commits()
                    if rules.merges or not commit.is_merge
                )
                assert row["roles"][role] == given
        did = {board.of[person] for commit in board.commits for person in (commit.author, *commit.named)}
        only = [group for group, kind in enumerate(board.kinds) if kind == "human" and group not in did]
        assert role_only_people(ranked) == document["roleOnlyPeople"] == len(only)


@pytest.mark.parametrize("merges", [False, True])
def test_co_authors_are_exact_under_every_joining(merges: bool) -> None:
    """Sums of a person's addresses, and pairs of author and co-author, both fail here."""
    dice = random.Random(25)
    commits = [_commit(dice, 5) for _ in range(40)]
    joinings = {tuple(list(dict.fromkeys(of)).index(group) for group in of) for of in product(range(5), repeat=5)}
    assert len(joinings) == 52
    for of in sorted(joinings):
        board = MemoryBoard(of, ["human"] * (max(of) + 1), [commits], COUNTED_AT)
        rules = Rules(merges=merges, co_authors=True)
        ranked, recount = board.under(rules), Recount(board, rules)
        assert list(ranked.ranking.counted) == [len(recount.in_window(group)) for group in range(max(of) + 1)]
        assert ranked.window == EVER
        assert commit_parts(ranked).total == len(commits)
