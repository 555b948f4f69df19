"""How often two addresses of one full name are one person, according to the mailmaps of repositories.

    python -m benchmarks.names /path/to/one.git /path/to/another

Each address shows the name of most of its commits. A pair of addresses with one full name is decided if the
``.mailmap`` of HEAD lists both; it is right if the mailmap gives both one name or one e-mail. ``--complete`` decides
all pairs, for a mailmap that lists every author. "Found" is the share of the pairs with one e-mail in the mailmap that
names alone would join.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from benchmarks.check_counts import git_says
from podium.history.person import split_person
from podium.textutil.full_names import full_name

Person = tuple[str, str]


def shown_names(repository: Path) -> dict[str, str]:
    """The name of each address that has most commits."""
    names: dict[str, Counter[str]] = {}
    for line in git_says(repository, "-c", "mailmap.blob=", "shortlog", "-se", "HEAD").split(b"\n")[:-1]:
        number, _, person = line.partition(b"\t")
        split = split_person(person)
        if split is not None and split[1].strip():
            names.setdefault(split[1], Counter())[split[0]] += int(number)
    return {email: counted.most_common(1)[0][0] for email, counted in names.items()}


def mapped(repository: Path, people: Iterable[Person]) -> list[Person]:
    lines = "".join(f"{name} <{email}>\n" for name, email in people).encode()
    argv = ["git", f"--git-dir={repository}", "-c", "mailmap.blob=HEAD:.mailmap", "check-mailmap", "--stdin"]
    answer = subprocess.run(argv, check=True, input=lines, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})
    return [split_person(line) or ("", "") for line in answer.stdout.split(b"\n")[:-1]]


def pairs(keys: dict[str, str]) -> Iterable[tuple[str, str]]:
    """The pairs of e-mails with one key."""
    having: dict[str, list[str]] = {}
    for email, key in keys.items():
        having.setdefault(key, []).append(email)
    return [pair for emails in having.values() for pair in combinations(emails, 2)]


def measure(repository: Path, *, complete: bool, show_wrong: bool) -> None:
    names = shown_names(repository)
    text = git_says(repository, "cat-file", "blob", "HEAD:.mailmap").decode("utf-8", "replace")
    listed = {email.lower() for email in re.findall(r"<([^>\n]*)>", text)}
    asked = [(name, email) for email, name in names.items() if complete or email in listed]
    to = {email: found for (_, email), found in zip(asked, mapped(repository, asked), strict=True)}
    keys = {email: key for email in to if (key := full_name(names[email])) is not None}
    named = list(pairs(keys))
    wrong = [
        (one, other)
        for one, other in named
        if to[one][1] != to[other][1] and to[one][0].casefold() != to[other][0].casefold()
    ]
    joined = list(pairs({email: person[1] for email, person in to.items()}))
    found = sum(one in keys and keys[one] == keys.get(other) for one, other in joined)
    precision = f"{1 - len(wrong) / len(named):.3f}" if named else "-"
    print(
        f"{str(repository)[-36:]:36} {len(named) - len(wrong):7,} {len(wrong):6,} {precision:>10}"
        f" {found:7,} of {len(joined):6,}"
    )
    for one, other in wrong if show_wrong else ():
        print(f"    {names[one]}: {to[one]}, {to[other]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--complete", action="store_true", help="the mailmap lists every author: decide all pairs")
    parser.add_argument("--show-wrong", action="store_true", help="print the pairs that the mailmap keeps apart")
    arguments = parser.parse_args()
    print(f"{'repository':36} {'right':>7} {'wrong':>6} {'precision':>10} {'found':>17}")
    for repository in arguments.repositories:
        measure(repository, complete=arguments.complete, show_wrong=arguments.show_wrong)
    return 0


if __name__ == "__main__":
    sys.exit(main())
