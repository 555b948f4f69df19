"""Compare Podium's count of real repositories with git's own, and the time that both take.

    python -m benchmarks.check_counts /path/to/one.git /path/to/another

Compared are: the sum with ``git rev-list --count HEAD``; the commits of each lower-cased e-mail with ``git -c
mailmap.blob= shortlog -se HEAD``; the same without merges; with the mailmap; the weeks with ``git log --format='%at
%ae'``; co-author trailers with ``git log --format='%(trailers:…)'``. Use bare clones: in a work tree git applies the
``.mailmap`` that stands there. The exit code is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from podium.clones.local import LocalRepository, open_local
from podium.clones.mailmap import identities
from podium.git.command import Git
from podium.history.commit import EARLIEST, LATEST
from podium.history.count import count
from podium.history.person import split_person
from podium.history.totals import Tally
from podium.timeutil import week_of


def git_says(repository: Path, *words: str) -> bytes:
    argv = ["git", f"--git-dir={repository}", "--no-replace-objects", *words]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}).stdout


def shortlog(repository: Path, *words: str, mailmap: bool = False) -> Counter[str]:
    counted: Counter[str] = Counter()
    # Said aloud, since git reads it by itself only where the repository's configuration says that it is bare.
    blob = "HEAD:.mailmap" if mailmap else ""
    for line in git_says(repository, "-c", f"mailmap.blob={blob}", "shortlog", "-se", *words, "HEAD").split(b"\n")[:-1]:
        number, _, person = line.partition(b"\t")
        split = split_person(person)
        # Where it finds no author, shortlog prints its own format.
        counted[split[1] if split and person != b"%aN <%aE>" else ""] += int(number)
    return counted


def weeks(repository: Path) -> Counter[tuple[str, int]]:
    counted: Counter[tuple[str, int]] = Counter()
    for line in git_says(repository, "log", "--no-mailmap", "--format=%at %ae", "HEAD").split(b"\n")[:-1]:
        when, _, email = line.partition(b" ")
        clamped = min(max(int(when[:30] or 0), EARLIEST), LATEST)
        counted[email.decode("utf-8", "replace").lower(), week_of(clamped)] += 1
    return counted


def co_authors(repository: Path) -> Counter[str]:
    counted: Counter[str] = Counter()
    form = "--format=%x00%ae%n%(trailers:key=Co-authored-by,valueonly,unfold)"
    for entry in git_says(repository, "log", "--no-mailmap", form, "HEAD").split(b"\0")[1:]:
        author, _, values = entry.partition(b"\n")
        people = (split_person(value) for value in values.split(b"\n"))
        emails = {person[1] for person in people if person and person[1].strip()}
        counted.update(emails - {author.decode("utf-8", "replace").lower()})
    return counted


def folded(tally: Tally, what: Callable[..., int]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for person in tally.persons():
        counted[person.email] += what(person)
    return +counted


def by_mailmap(git: Git, found: LocalRepository, tally: Tally) -> Counter[str]:
    pairs = [(person.name, person.email) for person in tally.persons()]
    mapped = identities(git, found.path, found.mailmaps, pairs)
    counted: Counter[str] = Counter()
    for person in tally.persons():
        counted[mapped[person.name, person.email].email] += person.commits + person.merges
    return +counted


def check(git: Git, path: Path) -> dict[str, bool | str]:
    found = open_local(git, path)
    begun = time.perf_counter()
    tally = count(git, found.path, found.head)
    took = time.perf_counter() - begun
    begun = time.perf_counter()
    everything = shortlog(found.path)
    git_took = time.perf_counter() - begun
    counted_weeks: Counter[tuple[str, int]] = Counter()
    for (_, email), worked in tally.weeks():
        for week, commits, merges, *_ in worked:
            counted_weeks[email, week] += commits + merges
    return {
        "repository": path.name,
        "commits": str(tally.total_commits),
        "sum": tally.total_commits == int(git_says(found.path, "rev-list", "--count", "HEAD")),
        "e-mails": folded(tally, lambda p: p.commits + p.merges) == everything,
        "no merges": folded(tally, lambda p: p.commits) == shortlog(found.path, "--no-merges"),
        "mailmap": by_mailmap(git, found, tally) == shortlog(found.path, mailmap=True),
        "weeks": +counted_weeks == weeks(found.path),
        "co-authors": folded(tally, lambda p: p.co_authored + p.co_authored_merges) == co_authors(found.path),
        "seconds": f"{took:.2f}",
        "shortlog": f"{git_took:.2f}",
        "ratio": f"{took / git_took:.2f}",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, help="bare clones")
    git = Git.for_person(os.environ)
    good = True
    for number, path in enumerate(parser.parse_args().repositories):
        row = check(git, path)
        if number == 0:
            print("  ".join(f"{title:>12}" for title in row))
        words = {True: "equal", False: "DIFFERS"}
        print("  ".join(f"{words[cell] if isinstance(cell, bool) else cell:>12}" for cell in row.values()), flush=True)
        good = good and False not in row.values()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
