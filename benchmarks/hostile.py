"""Small repositories that take much work: what it costs to count them.

python -m benchmarks.hostile [CASE…]      # all cases, unless some are named; --list names them
    --paths        also `podium rank PATH`

Each repository is made by script, packed, and served by git's own http-backend on loopback. ``podium rank URL`` runs as
a fresh process with a new data folder and the settings of the environment (``PODIUM_MAX_…``). The reference is git
reading the commits of the same repository: ``git rev-list HEAD | git cat-file --batch``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import Measured
from benchmarks.subjects import ENVIRONMENT
from tests.support import packs, repos
from tests.support.githttp import serve_repositories
from tests.support.hostile import CO_AUTHOR, HOSTILE, co_authors, hostile_repository, raw_commit, repeated
from tests.support.packs import Entry

PODIUM = str(Path(sys.executable).with_name("podium"))
_READ = "git rev-list HEAD | git cat-file --batch --buffer"
_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # empty
_HEAD = """| repository | commits | pack | git reads the commits | command | seconds | CPU | memory | exit |
|---|---|---|---|---|---|---|---|---|"""


def _packed(path: Path, raws: Sequence[Callable[[list[str]], bytes]]) -> None:
    """A chain of commits, each made from the oids of its parents."""
    repository = repos.make_bare(path)
    repos.write_tree(repository)
    parents: list[str] = []
    for make in raws:
        parents = [repos.write(repository, "commit", make(parents))]
    repos.set_branch(repository, parents[0])
    repos.git(repository, "repack", "-adq", "--window=10")


def _chain(number: int, message: Callable[[int], bytes]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        def raw(each: int) -> Callable[[list[str]], bytes]:
            return lambda parents: raw_commit(parents=parents, message=message(each), tree=_TREE)

        _packed(path, [raw(each) for each in range(number)])

    return make


def _every_kind(path: Path) -> None:
    hostile_repository(path, 1_000_000)
    repos.git(path, "repack", "-adq", "--window=10")


def _many_parents(path: Path) -> None:
    def wide(parents: list[str]) -> bytes:
        return raw_commit(parents=parents * 100_000, tree=_TREE)

    _packed(path, [lambda parents: raw_commit(parents=parents, tree=_TREE), *[wide] * 5])


def _inserts(path: Path) -> None:
    """Deltas that insert one byte at a time."""
    repository = repos.make_bare(path)
    repos.write_tree(repository)
    first = raw_commit(tree=_TREE)
    entries, parent = [Entry(first)], repos.write(repository, "commit", first)
    for number in range(40):
        raw = raw_commit(parents=[parent], tree=_TREE, message=b"%d\n" % number + b"x" * 1_000_000)
        inserts = b"".join(bytes([1, byte]) for byte in raw)
        entries.append(Entry(packs.size(len(first)) + packs.size(len(raw)) + inserts, base=0))
        parent = repos.write(repository, "commit", raw)
    repos.set_branch(repository, parent)
    _only_pack(repository, entries)


def _only_pack(repository: Path, entries: Sequence[Entry]) -> None:
    repos.git(repository, "prune-packed")
    loose = [each for each in (repository / "objects").glob("??/*") if each.parent.name + each.name != _TREE]
    for each in loose:
        each.unlink()
    packs.write(repository, packs.pack(entries))


def _mailmap(lines: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        repository = repos.make_bare(path)
        content = b"".join(b"<p@x> <%06d@y>\n" % each for each in range(lines, 0, -1))
        repos.set_branch(repository, repos.commit(repository, tree=repos.write_tree(repository, {".mailmap": content})))
        repos.git(repository, "repack", "-adq")

    return make


# Name, and what makes the repository. Cases of other limits belong here, too.
CASES: dict[str, Callable[[Path], None]] = {
    "30 commits of 340,000 continuation lines": _chain(
        30, lambda _: b"t\n\n" + CO_AUTHOR + repeated(b" x\n", 1_020_000)
    ),
    f"{len(HOSTILE)} kinds of commits of 1 MB": _every_kind,
    "300 commits of 24,000 co-authors": _chain(300, lambda number: b"%d\n\n" % number + co_authors(24_000)),
    "2,000 commits of 100 other co-authors": _chain(
        2_000,
        lambda number: b"t\n\n" + co_authors(100).replace(b"P", b"P%d-" % number).replace(b"<p", b"<p%d-" % number),
    ),
    "5 commits of 100,000 parents": _many_parents,
    "a message of 100 MB": _chain(2, lambda number: b"t\n\n" + CO_AUTHOR + b"text\n" * 20_000_000 * number),
    "40 deltas of a million one-byte inserts": _inserts,
    "a .mailmap of 20,000 lines": _mailmap(20_000),
    "a .mailmap of 260,000 lines": _mailmap(260_000),
}


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a word of the names of cases")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--paths", action="store_true")
    options = parser.parse_args()
    chosen = [name for name in CASES if not options.cases or any(word in name for word in options.cases)]
    if options.list:
        print("\n".join(chosen))
        return 0
    print(_HEAD)
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as folder:
        served = Path(folder) / "served"
        served.mkdir()
        with serve_repositories(served) as host:
            for number, name in enumerate(chosen):
                repository = served / "o" / f"{number}.git"
                CASES[name](repository)
                sources = {"rank URL": f"{host.url}/o/{number}.git"}
                sources |= {"rank PATH": str(repository)} if options.paths else {}
                for row in _rows(name, repository, sources):
                    print(row, flush=True)
    return 0


def _rows(name: str, repository: Path, sources: dict[str, str]) -> list[str]:
    pack = sum(path.stat().st_size for path in repository.glob("objects/pack/*.pack"))
    commits = int(repos.git(repository, "rev-list", "--count", "HEAD"))
    git = measure.run(["sh", "-c", f"cd {repository} && {_READ}"], ENVIRONMENT, watch_memory=True)
    about = f"{name} | {commits:,} | {pack / 1000:,.0f} kB | {git.processor:.1f} s, {git.peak_mb:.0f} MB"
    return [f"| {about} | {command} | {_shown(_rank(source))} |" for command, source in sources.items()]


def _rank(source: str) -> Measured:
    with tempfile.TemporaryDirectory(prefix="podium-benchmark-") as data:
        environment = {**ENVIRONMENT, "PODIUM_DATA_DIR": data}
        command = [PODIUM, "rank", "--no-identities", source]
        return measure.run(command, environment, watch_memory=True, check=False)


def _shown(run: Measured) -> str:
    return f"{run.seconds:.1f} | {run.processor:.1f} | {run.peak_mb:.0f} MB | {run.status}"


if __name__ == "__main__":
    sys.exit(main())
