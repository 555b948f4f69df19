"""A repository of as many commits as one likes, made in seconds by ``git fast-import``."""

from __future__ import annotations

import argparse
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path


def _stream(commits: int, people: int, seed: int) -> Iterator[bytes]:
    dice = random.Random(seed)
    when = 1_100_000_000
    for number in range(1, commits + 1):
        # Few people make most commits, as in life.
        person = min(int(dice.paretovariate(0.7)) - 1, people - 1)
        when += dice.randrange(1, 1_500)
        body = f"Change {number}\n\nBecause of reason {dice.randrange(10**9)}.\n"
        if dice.random() < 0.02:
            body += f"\nCo-authored-by: Person {dice.randrange(people)} <p{dice.randrange(people)}@example.org>\n"
        message = body.encode()
        who = f"Person {person} <p{person}@example.org> {when} +0000".encode()
        yield b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\ndata %d\n%s" % (
            number,
            who,
            who,
            len(message),
            message,
        )
        if number > 1:
            yield b"from :%d\n" % (number - 1)
        if number > 10 and dice.random() < 0.15:
            yield b"merge :%d\n" % (number - dice.randrange(2, 10))
        yield b"\n"


def build(folder: Path, commits: int, people: int, seed: int = 1) -> None:
    """Make a bare repository of ``commits`` commits by ``people`` people in ``folder``, packed as a clone is."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    with subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE) as importer:
        assert importer.stdin
        for part in _stream(commits, people, seed):
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
    options = parser.parse_args()
    build(options.folder, options.commits, options.people)


if __name__ == "__main__":
    main()
