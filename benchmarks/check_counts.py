"""Compare Podium's boards of real repositories with a straightforward recount, and its totals with git's.

    python -m benchmarks.check_counts /path/to/one.git /path/to/another

Each repository is counted into a new SQLite database. With git it compares the sum (``git rev-list --count HEAD``), the
commits of each e-mail (``git -c mailmap.blob= shortlog -se HEAD``), the same without merges and with the mailmap, and
everyone's identity (``git check-mailmap``). Compared with :mod:`benchmarks.recount` are the boards of every combination
of mailmap, names, accounts, merges, co-authors and several windows: which people form a row, the commits, merges,
co-authored commits, AI-declared commits and the seven roles of each row, and the parts of the total.

Use bare clones: in a work tree git applies the ``.mailmap`` that stands there. The exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.recount import ROLES, Pair, Recount, Rows
from podium.leaderboard.board import read_board
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.counts.row_roles import add_roles
from podium.leaderboard.rows.people import COMMITS, MERGES, People
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, iso_day
from tests.support.small_histories import GITHUB, CountedHistory
from tests.support.sqlite_database import open_or_create

# A name and an e-mail as they are shown.
Shown = tuple[str, str]
# What a board says of one row.
Row = dict[str, int]

_ROLES = dict(zip(ROLES, ("reviewed", "tested", "acked", "signedOff", "reported", "suggested", "helped"), strict=True))


def git_says(repository: Path, *words: str) -> bytes:
    argv = ["git", f"--git-dir={repository}", "--no-replace-objects", *words]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}).stdout


def shortlog(repository: Path, *words: str, mailmap: bool = False) -> Counter[str]:
    """The commits of each e-mail, by git."""
    counted: Counter[str] = Counter()
    # Said aloud, since git reads it by itself only where the repository's configuration says that it is bare.
    blob = "HEAD:.mailmap" if mailmap else ""
    for line in git_says(repository, "-c", f"mailmap.blob={blob}", "shortlog", "-se", *words, "HEAD").split(b"\n")[:-1]:
        number, _, person = line.partition(b"\t")
        email = person.rpartition(b"<")[2].partition(b">")[0]
        # Where it finds no author, shortlog prints its own format.
        counted["" if person == b"%aN <%aE>" else email.lower().decode("utf-8", "replace")] += int(number)
    return counted


def by_email(people: People, emails: list[str], *kinds: int) -> Counter[str]:
    counted: Counter[str] = Counter()
    for person, email in enumerate(emails):
        counted[email] += sum(people.counts[kind][person] for kind in kinds)
    return +counted


@dataclasses.dataclass
class Comparison:
    """How many boards and rows were compared, and what differs."""

    boards: int = 0
    rows: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)

    def board(self, rules: Rules, differences: list[str], rows: int) -> None:
        self.boards += 1
        self.rows += rows
        if differences:
            words = ", ".join(f"{key} {value}" for key, value in rules.as_dict().items() if value is not None)
            self.wrong.append(f"{words}: " + "; ".join(differences[:5]))


def windows(recount: Recount) -> list[tuple[int | None, int | None]]:
    """Seconds: all of history, its first half, its last year, its busiest day, a week around New Year, and no day."""
    days = Counter(commit.at // DAY for commit in recount.commits if commit.at is not None)
    first, last = min(days), max(days)
    middle, busiest = (first + last) // 2, max(days, key=days.__getitem__)
    new_year = middle // 365 * 365
    spans = [(None, middle), (last - 364, None), (busiest, busiest), (new_year - 3, new_year + 3), (last + 1, last + 1)]
    return [(None, None)] + [
        (None if low is None else low * DAY, None if high is None else (high + 1) * DAY) for low, high in spans
    ]


def rules_of(window: tuple[int | None, int | None], *, mailmap: bool, names: bool, accounts: bool) -> Iterator[Rules]:
    since, until = window
    for merges, co_authors in itertools.product(("exclude", "include"), repeat=2):
        yield Rules.parse(
            merges=merges,
            co_authors=co_authors,
            bots="include",
            mailmap="use" if mailmap else "ignore",
            names="join" if names else "apart",
            identities=accounts,
            since=None if since is None else iso_day(since),
            until=None if until is None else iso_day(until - DAY),
        )


def compare(data: BoardData, recount: Recount) -> Comparison:
    comparison = Comparison()
    for mailmap, names, accounts in itertools.product((True, False), repeat=3):
        rows = recount.rows(mailmap=mailmap, names=names, accounts=accounts)
        for window in windows(recount):
            counts = recount.counts(rows, *window)
            agents = [recount.agent_counts(rows, *window, merges=merges) for merges in (False, True)]
            for rules in rules_of(window, mailmap=mailmap, names=names, accounts=accounts):
                ranked = data.under(rules)
                document = read_board(ranked, limit=None, offset=0, show_emails=True)
                add_roles(ranked, document)
                expected = expected_rows(rows, counts, rules)
                differences = unequal(board_rows(ranked, document), expected)
                differences += wrong_totals(document, counts, rules)
                if agents[rules.merges] != {agent["name"]: agent["commitCount"] for agent in document["agents"]}:
                    differences.append(f"agents: {document['agents']} instead of {agents[rules.merges]}")
                comparison.board(rules, differences, len(expected))
    return comparison


def expected_rows(rows: Rows, counts: list[Counter[str]], rules: Rules) -> dict[frozenset[Shown], Row]:
    found = {}
    for members, count in zip(rows.members, counts, strict=True):
        counted = ["commits"] + ["co-authored"] * rules.co_authors
        row = {
            "commitCount": total(count, rules, *counted),
            "mergeCount": count["merge commits"],
            "coAuthoredCount": count["co-authored"] + count["merge co-authored"],
            "aiCount": total(count, rules, "ai"),
            **{_ROLES[role]: total(count, rules, role) for role in ROLES},
        }
        if row["commitCount"]:
            found[frozenset(map(shown, members))] = row
    return found


def total(count: Counter[str], rules: Rules, *keys: str) -> int:
    return sum(count[key] + (count[f"merge {key}"] if rules.merges else 0) for key in keys)


def shown(pair: Pair) -> Shown:
    return pair[0].decode("utf-8", "replace"), pair[1].decode("utf-8", "replace")


def board_rows(ranked: Ranked, document: dict[str, Any]) -> dict[frozenset[Shown], Row]:
    people = ranked.people
    return {
        frozenset((people.names[person], people.emails[person]) for person in ranked.groups.members[group]): {
            **{field: row[field] for field in ("commitCount", "mergeCount", "coAuthoredCount", "aiCount")},
            **row["roles"],
        }
        for group, row in zip(ranked.ranking.order, document["top_contributors"], strict=True)
    }


def unequal(found: dict[frozenset[Shown], Row], expected: dict[frozenset[Shown], Row]) -> list[str]:
    differences = []
    for members in found.keys() | expected.keys():
        one, other = found.get(members), expected.get(members)
        if one is None or other is None:
            those = ", ".join(f"{name} <{email}>" for name, email in sorted(members)[:4])
            differences.append(f"{'only the board' if other is None else 'only the recount'} has the row of {those}")
        elif one != other:
            fields = {field: (one[field], other[field]) for field in one if one[field] != other[field]}
            differences.append(f"{sorted(members)[0]}: {fields}")
    return differences


def wrong_totals(document: dict[str, Any], counts: list[Counter[str]], rules: Rules) -> list[str]:
    commits = sum(count["commits"] + count["merge commits"] for count in counts)
    parts = document["commits"]
    found = {
        "commits": (parts["total"], commits),
        "parts": (sum(number for part, number in parts.items() if part != "total"), commits),
        "aiCommits": (document["aiCommits"], sum(total(count, rules, "ai") for count in counts)),
    }
    if not rules.windowed:
        found["totalCommits"] = document["totalCommits"], commits
    return [f"{field}: {one} instead of {other}" for field, (one, other) in found.items() if one != other]


def check(path: Path, folder: Path) -> tuple[dict[str, bool | str], list[str]]:
    """Return the cells of a row, and what differs."""
    db = open_or_create(folder / "podium.db")
    begun = time.perf_counter()
    history = CountedHistory(db, path)
    took = time.perf_counter() - begun
    begun = time.perf_counter()
    everything = shortlog(path)
    git_took = time.perf_counter() - begun
    with db.read() as session:
        data = BoardData(session, history.repository(session), GITHUB)
        people = data.people
        recount = Recount(path, data.repository.counted_at + DAY)
        cells: dict[str, bool | str] = {
            "repository": path.name if path.name != "repo" else path.parent.name,
            "commits": f"{data.repository.total_commits:,}",
            "sum": data.repository.total_commits == int(git_says(path, "rev-list", "--count", "HEAD")),
            "e-mails": by_email(people, people.emails, COMMITS, MERGES) == everything,
            "no merges": by_email(people, people.emails, COMMITS) == shortlog(path, "--no-merges"),
            "mailmap": by_email(people, people.mailmap_emails, COMMITS, MERGES) == shortlog(path, mailmap=True),
            "check-mailmap": not recount.unlike_git,
        }
        comparison = compare(data, recount)
    db.close()
    cells |= {
        "boards": f"{comparison.boards:,}",
        "rows": f"{comparison.rows:,}",
        "wrong": f"{len(comparison.wrong):,}",
        "seconds": f"{took:.2f}",
        "shortlog": f"{git_took:.2f}",
    }
    return cells, comparison.wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, help="bare clones")
    good = True
    for number, path in enumerate(parser.parse_args().repositories):
        with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder:
            row, wrong = check(path, Path(folder))
        if number == 0:
            print("  ".join(f"{title:>15}" for title in row))
        words = {True: "equal", False: "DIFFERS"}
        print("  ".join(f"{words[cell] if isinstance(cell, bool) else cell:>15}" for cell in row.values()), flush=True)
        print("\n".join(wrong[:5]), end="\n" if wrong else "")
        good = good and False not in row.values() and not wrong
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
