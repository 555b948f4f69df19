"""Libraries that read a history from Python, counting what ``git shortlog -se`` counts: commits of each e-mail.

Run by :mod:`benchmarks.history` in an environment that has ``benchmarks/requirements.txt`` and not Podium:

    python benchmarks/peers.py gitpython|dulwich|pydriller REPOSITORY SECONDS

They take many times as long as git, so each runs once, and ends after SECONDS with what it has counted by then. What
is printed is JSON: ``seconds`` (imports not counted), ``commits``, ``emails`` (distinct, lower-cased), ``whole`` (it
came to the end). git-fame is not among them: it counts the lines of files by ``git blame``, which is another job.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any


def _gitpython(library: Any, repository: str) -> Iterator[str]:
    for commit in library.Repo(repository).iter_commits("HEAD"):
        yield commit.author.email or ""


def _dulwich(library: Any, repository: str) -> Iterator[str]:
    with library.Repo(repository) as opened:
        for entry in opened.get_walker():
            yield entry.commit.author.rpartition(b"<")[2].rstrip(b">").decode(errors="replace")


def _pydriller(library: Any, repository: str) -> Iterator[str]:
    for commit in library.Repository(repository).traverse_commits():
        yield commit.author.email or ""


PEERS = {
    "gitpython": ("git", _gitpython),
    "dulwich": ("dulwich.repo", _dulwich),
    "pydriller": ("pydriller", _pydriller),
}


def main() -> None:
    """Count with one of them, and print what came of it."""
    peer, repository, most_seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    module, emails = PEERS[peer]
    library = importlib.import_module(module)
    counted: Counter[str] = Counter()
    begun, whole = time.perf_counter(), True
    for email in emails(library, repository):
        counted[email.lower()] += 1
        if time.perf_counter() - begun > most_seconds:
            whole = False
            break
    took = time.perf_counter() - begun
    print(json.dumps({"seconds": took, "commits": counted.total(), "emails": len(counted), "whole": whole}))


if __name__ == "__main__":
    main()
