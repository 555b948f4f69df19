"""Check the lookup of accounts on real repositories, at a double of GitHub with random accounts.

    python -m benchmarks.check_accounts /path/to/one.git /path/to/another

Seven in ten e-mails have an account, some of them share it; ``ID+login@users.noreply…`` belongs to account ID. The
benchmark checks that

- every row of the board has the commits that one of its account's e-mails authored, or that name one and are another's;
- the sum of all authored commits stays the same;
- there is at most one request for fifty e-mails that need one, plus five;
- the same people in another repository, and again within the day, need no request.

The exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.recount import Commit, read_commits
from podium.accounts.email_rules import classify_email
from podium.app import factories
from podium.leaderboard.rules import Rules
from podium.settings import Settings
from tests.support.github_double import GitHubDouble
from tests.support.github_history import Accounts, KnownAccount
from tests.support.resolving import Desk, desk

# Without the mailmap and names, which join rows without an account to others.
RULES = Rules.parse(merges="include", bots="include", co_authors="include", mailmap="ignore", names="apart")
AUTHORED = dataclasses.replace(RULES, co_authors=False)


def emails_of(commits: list[Commit]) -> set[str]:
    """The e-mails of authors, co-authors and agents."""
    return {text(pair[1]) for commit in commits for pair in (commit.author, *commit.named)}


def commits_of(commits: list[Commit], accounts: Accounts) -> Counter[int]:
    """The commits that credit each account: each once, as its author's or another's."""
    counted: Counter[int] = Counter()
    for commit in commits:
        people = (commit.author, *commit.named)
        counted.update({owner.id for pair in people if (owner := accounts.owner(text(pair[1])))})
    return counted


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def made_up(emails: list[str], seed: int = 1) -> tuple[Accounts, int]:
    """Random accounts, and the number of e-mails that need a request."""
    dice = random.Random(seed)
    accounts, groups = Accounts(), dict[int, list[str]]()
    plain = []
    for email in emails:
        classified = classify_email(email)
        if classified.account is not None and classified.account.account_id is not None:
            groups.setdefault(classified.account.account_id, []).append(email)
        elif classified.kind == "human" and "@" in email[1:-1]:
            plain.append(email)
    dice.shuffle(plain)
    # A host attributes nothing to "ann <ann@example.org", which some trailers have.
    left = [email for email in plain if not set(" <>") & set(email)]
    while left:
        share = [left.pop() for _ in range(min(len(left), dice.choice((1, 1, 1, 1, 2, 3))))]
        if dice.random() < 0.7:
            groups[10**9 + len(left)] = share
    for number, of_account in groups.items():
        accounts.add(KnownAccount(number, f"account-{number}", "John Smith"), *of_account)
    return accounts, len(plain)


def rows_of(podium: Desk, number: int) -> tuple[Counter[int], int]:
    """The commits of each account on the board, and the sum of all authored commits."""
    entries = podium.board(number, RULES)["top_contributors"]
    rows = Counter({entry["githubId"]: entry["commitCount"] for entry in entries if entry["githubId"]})
    return rows, podium.board(number, AUTHORED)["rankedCommits"]


def check(repository: Path, data: Path) -> list[str]:
    """Print one line about a repository; return the differences."""
    commits = read_commits(repository, int(time.time()))
    emails = emails_of(commits)
    accounts, needing = made_up(sorted(emails))
    expected = commits_of(commits, accounts)
    db = factories.open_database(Settings(data_dir=str(data)))
    with GitHubDouble({"o/r": repository}, accounts) as double, desk(db, double) as podium:
        number = podium.count(repository)
        _, before = rows_of(podium, number)
        podium.resolve(number)
        rows, after = rows_of(podium, number)
        asked = double.asked()
        podium.resolve(podium.count(repository, "o/another"))
        podium.resolve(podium.count(repository))
        again = double.asked() - asked
    db.close()
    differing = {account for account in expected | rows if expected[account] != rows[account]}
    cells = [
        Path(*repository.parts[-2:]),
        f"{len(emails):,}",
        f"{needing:,}",
        f"{asked} ({1000 * asked / needing:.1f})",
    ]
    cells += [again, f"{len(expected):,}", len(differing), f"{before:,}", f"{after:,}"]
    print("|", " | ".join(map(str, cells)), "|", flush=True)
    wrong = [f"account {account}: {rows[account]} instead of {expected[account]}" for account in sorted(differing)[:5]]
    wrong += ["the sum has changed"] * (before != after or after != len(commits))
    wrong += ["too many requests"] * (asked > math.ceil(needing / 50) + 5 or again > 0)
    return wrong


def main() -> None:
    """Check every repository and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    wrong = []
    print("| repository | e-mails | need a request | requests (per 1,000) | elsewhere and again ", end="")
    print("| accounts | rows that differ | commits before | after |")
    print("|---|---|---|---|---|---|---|---|---|")
    for repository in parser.parse_args().repositories:
        with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder:
            wrong += check(repository, Path(folder))
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
