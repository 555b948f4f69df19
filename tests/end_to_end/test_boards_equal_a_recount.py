"""Boards of random histories equal those of a straightforward recount, under every combination of rules."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.check_counts import compare
from benchmarks.recount import Recount
from podium.leaderboard.board_data import BoardData
from podium.timeutil import DAY
from tests.support.small_histories import GITHUB, CountedHistory, Writer
from tests.support.sqlite_database import open_or_create

# People who are easily confused: names and addresses go together at random.
NAMES = (
    *("Ann Lee", "ann lee", "Ánn  Lee", "Ann", "Bob Ray", "Bob Ray", "bob", "Max van Moritz", "MAX VAN MORITZ", "José"),
    *("Your Name", "Claude", "Claude Monet", "dependabot[bot]"),
)
EMAILS = (
    *("a@x", "A@X", "b@x", "c@x", "d@x", "e@x", "f@x", "kim@x", "\u212aim@x", "BÜRO@x", "büro@x", "", " "),
    *("7+ann@users.noreply.github.com", "8+bob@users.noreply.github.com", "noreply@anthropic.com"),
    *("49699333+dependabot[bot]@users.noreply.github.com", "dependabot[bot]@users.noreply.github.com"),
)
KEYS = (
    *("Co-authored-by", "co-Authored-By", "Co-authored-by", "Assisted-by", "Generated-by", "Cc"),
    *("Signed-off-by", "Reviewed-by", "Tested-by", "Acked-by", "Reported-by", "Suggested-by", "Helped-by"),
)
VALUES = ("Claude Opus 4.6", "Codex:gpt-5", "protoc", "Jane Doe", "Cursor <cursoragent@cursor.com>")
ODD_DATES = (0, 86_399, 99_999_999_999)


def write_random(write: Writer, dice: random.Random, commits: int) -> None:
    def person() -> str:
        return f"{dice.choice(NAMES)} <{dice.choice(EMAILS)}>"

    def mapping() -> str:
        name = dice.choice((f"{dice.choice(NAMES)} ", ""))
        return f"{name}<{dice.choice(EMAILS[:9])}> {dice.choice((person(), f'<{dice.choice(EMAILS)}>'))}\n"

    def trailer() -> str:
        return f"{dice.choice(KEYS)}: {dice.choice(VALUES) if dice.random() < 0.25 else person()}\n"

    mailmap = "".join(mapping() for _ in range(6))
    for number in range(commits):
        message = f"change {number}\n\n" + "".join(trailer() for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 3, 5))))
        at = 1_600_000_000 + dice.randrange(1000 * DAY) if dice.random() < 0.95 else dice.choice(ODD_DATES)
        write.commit(
            person(),
            message,
            date=b"%d +0%d00" % (at, dice.randrange(10)),
            mailmap=None if number else mailmap.encode(),
            merge=dice.random() < 0.1,
        )


@pytest.mark.parametrize("pieces", [(100,), (60, 1, 39)])
def test_boards_of_a_random_history_equal_a_recount(tmp_path: Path, pieces: tuple[int, ...]) -> None:
    db, writer, dice = open_or_create(tmp_path / "podium.db"), Writer(tmp_path / "r.git"), random.Random(len(pieces))
    first, *later = pieces
    write_random(writer, dice, first)
    history = CountedHistory(db, writer.path)
    for commits in later:
        # Each brings another mailmap.
        write_random(writer, dice, commits)
        history.count()
    with db.read() as session:
        data = BoardData(session, history.repository(session), GITHUB)
        recount = Recount(history.path, data.repository.counted_at + DAY)
        comparison = compare(data, recount)
    db.close()
    assert recount.unlike_git == []
    assert comparison.boards == 192
    assert comparison.wrong == []
