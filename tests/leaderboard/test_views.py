"""Who is active, joined and left, bus factors, and rows in other orders: against recounts, and against git."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.errors import BadRule
from podium.leaderboard.board import read_board
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.counts.bus_factor import bus_factors, half_of
from podium.leaderboard.counts.presence import YEAR, moment_of, presence
from podium.leaderboard.export.sorted_rows import sorted_rows
from podium.leaderboard.figures import read_figures
from podium.leaderboard.rows.row_order import shown
from podium.leaderboard.rules import Rules
from podium.leaderboard.view import FILTERS, ORDERS, View
from podium.repositories.store import queries
from podium.storage.session import Database
from podium.timeutil import DAY, iso_time, year_of
from tests.leaderboard.test_recount import COUNTED_AT, Recount, ordinary
from tests.support import repos
from tests.support.boards import at
from tests.support.commit_logs import Commit
from tests.support.memory_boards import MemoryBoard
from tests.support.rows import some_repository
from tests.support.small_histories import GITHUB, CountedHistory, Writer

_KINDS: Any = ("human", "human", "human", "bot", "agent")
_ODD = (-(2**63), -1, DAY - 1, COUNTED_AT + DAY + 1)


def history(dice: random.Random) -> MemoryBoard:
    """Commits of some years, many of them at the edges of the last two."""
    people = dice.randrange(1, 9)
    kinds = [dice.choice(_KINDS) for _ in range(dice.randrange(1, people + 1))]
    of = [*range(len(kinds)), *(dice.randrange(len(kinds)) for _ in range(people - len(kinds)))]
    committed = dice.choice((None, 0, COUNTED_AT - 3 * YEAR, COUNTED_AT - 5, COUNTED_AT, COUNTED_AT + 5))
    moment = COUNTED_AT if not committed else min(committed, COUNTED_AT)
    segment = [_commit(dice, people, moment) for _ in range(dice.randrange(25))]
    return MemoryBoard(of, kinds, [segment], COUNTED_AT, committed)


def _commit(dice: random.Random, people: int, moment: int) -> Commit:
    edge = moment - dice.choice((0, 90 * DAY, YEAR, 2 * YEAR)) + dice.choice((-1, 0, 1))
    when = dice.choice((edge, moment - dice.randrange(4 * YEAR), dice.choice(_ODD)))
    named = tuple(dice.sample(range(people), dice.choice((0, 0, 1, min(people, 3)))))
    return Commit(dice.randrange(people), when, dice.random() < 0.2, named, ())


def cases(number: int) -> Iterator[tuple[Recount, Ranked]]:
    dice = random.Random(3)
    for _ in range(number):
        board = history(dice)
        since = dice.choice((None, at("2022-11-05")))
        rules = Rules(
            merges=dice.random() < 0.5,
            co_authors=dice.random() < 0.5,
            bots=dice.choice(("include", "exclude", "only")),
            identities=False,
            since=since,
            until=dice.choice((None, at("2024-01-05"))),
        )
        yield Recount(board, rules), board.under(rules)


def test_presence_equals_a_recount() -> None:
    seen: Counter[str] = Counter()
    for recount, ranked in cases(150):
        moment, found = moment_of(ranked.repository), presence(ranked)
        assert found.moment == moment
        order = ranked.ranking.order
        numbers = found.numbers(order)
        for what in FILTERS[1:]:
            wanted = [group for group in order if what in said(recount, group, moment)]
            assert found.are(what, order) == wanted
            assert numbers[what] == len(wanted)
            seen[what] += len(wanted)
        for group in order:
            recent = [c for c in counted(recount, group) if moment - 90 * DAY < c.when <= moment]
            assert found.is_recent(group) is bool(recent)
    assert min(seen[what] for what in FILTERS[1:]) > 10


def counted(recount: Recount, group: int) -> list[Commit]:
    return [commit for commit in recount.of_group(group, None, None) if ordinary(commit)]


def said(recount: Recount, group: int, moment: int) -> set[str]:
    whens = [commit.when for commit in counted(recount, group)]
    began = min((commit.when for commit in recount.ever(group) if ordinary(commit)), default=0)
    if any(moment - YEAR < when <= moment for when in whens):
        return {"active"} | {"joined"} if began > moment - YEAR else {"active"}
    return {"left"} if any(moment - 2 * YEAR < when <= moment - YEAR for when in whens) else set()


def test_the_moment_is_that_of_the_head_but_not_after_the_count() -> None:
    def moment(committed: int | None) -> int:
        return moment_of(some_repository(commits_processed_at=COUNTED_AT + 0.5, head_committed_at=committed))

    assert moment(COUNTED_AT - 10 * YEAR) == COUNTED_AT - 10 * YEAR
    assert moment(COUNTED_AT + 2 * DAY) == moment(None) == moment(-5) == moment(0) == COUNTED_AT


def test_bus_factors_equal_a_recount() -> None:
    for recount, ranked in cases(100):
        counts: dict[int, Counter[int]] = {}
        for group, kind in enumerate(recount.board.kinds):
            if recount.rules.bots == "include" or (recount.rules.bots == "only") is (kind != "human"):
                for commit in counted(recount, group):
                    counts.setdefault(year_of(commit.when), Counter())[group] += 1
        ends = ranked.timeline.ends
        first, last = ends or (0, 0)
        span = range(year_of(first * DAY), year_of(last * DAY) + 1) if ends else range(0)
        wanted = [(year, least(those), len(those)) for year, those in sorted(counts.items()) if year in span]
        assert bus_factors(ranked).years == wanted


def least(counts: Counter[int]) -> int:
    so_far = 0
    for number, (_, count) in enumerate(counts.most_common(), start=1):
        so_far += count
        if 2 * so_far >= counts.total():
            return number
    return 0


def test_the_last_day_is_that_of_the_timeline() -> None:
    dice, earlier = random.Random(5), 0
    for commits in (*(dice.randrange(25) for _ in range(60)), 3000, 3000, 3000):
        # Few are of the years after a gap.
        years = [
            dice.choice((9, 9.5, dice.choice((0, 3, 6)))) if dice.random() < 4 / commits else 9 for _ in range(commits)
        ]
        segment = [
            Commit(dice.randrange(3), COUNTED_AT - int(ago * YEAR) + dice.randrange(9999), dice.random() < 0.2, (), ())
            for ago in years
        ] + [Commit(0, when, False, (), ()) for when in _ODD]
        board = MemoryBoard([0, 1, 2], ["human", "bot", "human"], [segment], COUNTED_AT, None)
        for merges in (False, True):
            ranked = board.under(Rules(merges=merges, identities=False))
            line = ranked.timeline
            last = line.ends[1] if line.ends else None
            assert ranked.data.last_day(merges=merges).day == last
            earlier += last is not None and last < max(line.days)
    assert earlier > 10


def test_half() -> None:
    assert [half_of(counts) for counts in ([], [1], [1, 1], [1, 1, 1], [5, 4, 2], [1, 8])] == [0, 1, 1, 2, 2, 1]


def test_orders_equal_those_of_all_rows_of_a_document() -> None:
    for _, ranked in cases(60):
        whole = read_board(ranked, limit=None, offset=0, show_emails=False)
        for column in ORDERS:
            for reverse in (False, True):
                document = read_board(
                    ranked, limit=None, offset=0, show_emails=False, view=View("all", column, reverse)
                )
                wanted = sorted_rows(whole, column, reverse=reverse)
                if column == "commits" and not reverse:
                    wanted = whole
                assert document == wanted


def test_a_view_has_pages_and_keeps_ranks_and_shares() -> None:
    for _, ranked in cases(40):
        whole = read_board(ranked, limit=None, offset=0, show_emails=True)
        of_rank = {row["rank"]: row for row in whole["top_contributors"]}
        for people in FILTERS[1:]:
            view = View(people, "name")
            groups = shown(ranked, view, show_emails=True).groups
            pages = [read_board(ranked, limit=2, offset=first, show_emails=True, view=view) for first in (0, 2, 4, 6)]
            rows = [row for page in pages for row in page["top_contributors"]]
            assert [row["rank"] for row in rows] == [ranked.ranking.ranks[group] for group in groups]
            assert all(of_rank[row["rank"]] == row for row in rows)
            assert pages[0]["total"] == len(groups) == read_figures(ranked)["presence"][people]
            assert pages[0]["people"] == people


def test_bad_views_are_refused() -> None:
    for given in ({"people": "gone"}, {"sort": "email"}, {"reverse": "yes"}):
        with pytest.raises(BadRule, match="cannot be"):
            View.parse(**given)


# Against git


@pytest.fixture
def past(db: Database, tmp_path: Path) -> CountedHistory:
    """A history whose last commit is ten years old."""

    def write(writer: Writer) -> None:
        dice = random.Random(5)
        end = at("2014-06-30 12:00:00")
        whens = sorted(end - dice.randrange(3 * YEAR) for _ in range(60))
        for when in [*whens, end]:
            person = b"P%d <p%d@x.example>" % ((number := dice.randrange(25)), number)
            writer.commit(person, date=b"%d +0300" % when, merge=dice.random() < 0.2, committed=when)

    return CountedHistory.written(db, tmp_path / "past.git", write)


@pytest.mark.parametrize("merges", [False, True])
def test_the_figures_are_those_of_git_log(db: Database, past: CountedHistory, merges: bool) -> None:
    with db.read() as session:
        row = queries.by_id(session, past.id)
        assert row is not None
        ranked = BoardData(session, row, GITHUB).under(Rules(merges=merges))
        figures = read_figures(ranked)
        answer = repos.git(past.path, "log", "--format=%ct %at %p|%aN", "HEAD").decode().splitlines()
        moment = int(answer[0].split()[0])
        assert figures["presence"]["until"] == iso_time(min(moment, row.counted_at))
        dates: dict[str, list[int]] = {}
        began: dict[str, int] = {}
        for line in answer:
            commit, _, name = line.partition("|")
            _, when, *parents = commit.split()
            began[name] = min(began.get(name, 2**63), int(when))
            if merges or len(parents) < 2:
                dates.setdefault(name, []).append(int(when))
        active = {name for name, whens in dates.items() if any(moment - YEAR < when <= moment for when in whens)}
        before = {n for n, whens in dates.items() if any(moment - 2 * YEAR < when <= moment - YEAR for when in whens)}
        wanted = {"active": active, "left": before - active}
        wanted["joined"] = {name for name in active if began[name] > moment - YEAR}
        for what, names in wanted.items():
            document = read_board(ranked, limit=None, offset=0, show_emails=False, view=View(what))
            assert {entry["name"] for entry in document["top_contributors"]} == names
            assert figures["presence"][what] == len(names)
