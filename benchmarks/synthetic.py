"""Make a repository of any number of commits in seconds, with ``git fast-import``."""

from __future__ import annotations

import argparse
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path


def _author(dice: random.Random, number: int, commits: int, people: int, *, everybody: bool) -> int:
    """Choose a commit's author: few people make most commits, as in real projects."""
    rank = min(int(dice.paretovariate(0.7)) - 1, people - 1)
    if not everybody:
        return rank
    # People join one after the other. The newest ones make half of the commits, then leave.
    joined = number * people // commits
    if joined > (number - 1) * people // commits:
        return joined - 1
    return (rank if dice.random() < 0.5 else joined - 1 - rank) % max(joined, 1)


def person(number: int) -> str:
    return f"Person {number} <p{number}@example.org>"


def _stream(
    commits: int, people: int, seed: int, *, everybody: bool, who: Callable[[int], str], pace: int
) -> Iterator[bytes]:
    dice = random.Random(seed)
    when = 1_100_000_000
    for number in range(1, commits + 1):
        author = _author(dice, number, commits, people, everybody=everybody)
        when += dice.randrange(1, pace)
        body = f"Change {number}\n\nBecause of reason {dice.randrange(10**9)}.\n"
        if dice.random() < 0.02:
            body += f"\nCo-authored-by: {who(dice.randrange(people))}\n"
        message = body.encode()
        line = f"{who(author)} {when} +0000".encode()
        yield b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\ndata %d\n%s" % (
            number,
            line,
            line,
            len(message),
            message,
        )
        if number > 1:
            yield b"from :%d\n" % (number - 1)
        if number > 10 and dice.random() < 0.15:
            yield b"merge :%d\n" % (number - dice.randrange(2, 10))
        yield b"\n"


def build(
    folder: Path,
    commits: int,
    people: int,
    seed: int = 1,
    *,
    everybody: bool = False,
    who: Callable[[int], str] = person,
    pace: int = 1_500,
) -> None:
    """Make a bare repository of ``commits`` commits by ``people`` people in ``folder``, packed as a clone is.

    Args:
        everybody: each of them commits at least once; without it, many of a large number never do.
        who: gives each person's name and e-mail.
        pace: seconds that lie between two commits at most.
    """
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    with subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE) as importer:
        assert importer.stdin
        for part in _stream(commits, people, seed, everybody=everybody, who=who, pace=pace):
            importer.stdin.write(part)
        importer.stdin.close()
    if importer.returncode:
        raise subprocess.CalledProcessError(importer.returncode, "git fast-import")
    subprocess.run(["git", "-C", str(folder), "repack", "-adq"], check=True)


def main() -> None:
    """Make one from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--everybody", action="store_true", help="each person commits at least once")
    options = parser.parse_args()
    build(options.folder, options.commits, options.people, everybody=options.everybody)


if __name__ == "__main__":
    main()
