"""From an address to a board: Podium against git and the libraries that read histories, in turn on one machine.

python -m benchmarks.history [REPOSITORY…]       # bare repositories; without any, a synthetic one of 100,000 commits
    --commits N    also a synthetic one of N commits
    --runs N       medians of so many (5)
    --peers        also GitPython, dulwich and PyDriller, once each, at most --peer-seconds (30): in an environment of
                   its own made from benchmarks/requirements.txt, or the one whose Python --peers-python names
    --only WORDS   only these groups: address, full, pass, job, path, refresh, start, peers

Repositories are served by git's own http-backend on loopback and cloned from there without trees. ``podium`` runs as
a fresh process, with a data folder that is new where it says "from nothing". Totals are compared with git's; exit code
1 where they differ.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import podium
from benchmarks.history_rows import GROUPS, Bench
from benchmarks.subjects import Subject, git, make_synthetic, serve
from tests.support.githttp import serve_repositories
from tests.support.postgres import running_postgres

_HEAD = """| measured | repository | against | theirs | Podium's | ratio (min-max) | CPU ratio | goal | | memory |
|---|---|---|---|---|---|---|---|---|---|"""


def main() -> int:
    """Measure, and print a table."""
    options = _options()
    # As an installed Podium is; with PYTHONDONTWRITEBYTECODE each start would compile what has changed.
    compileall.compile_dir(str(Path(podium.__file__).parent), quiet=1)
    print(_machine(options.runs))
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="podium-benchmark-")))
        served = work / "served"
        served.mkdir()
        host = stack.enter_context(serve_repositories(served))
        groups = options.only or [group for group in GROUPS if group != "peers" or options.peers]
        postgres = stack.enter_context(running_postgres()) if "job" in groups else None
        peers = _peers_python(options.peers_python, work) if "peers" in groups else None
        bench = Bench(work, options.runs, postgres, peers, options.peer_seconds)
        paths = [(path, path.stem if path.stem != "repo" else path.parent.name) for path in options.repositories]
        sizes = [options.commits] if options.commits else [] if paths or groups == ["start"] else [100_000]
        paths += [(made, made.stem) for made in (make_synthetic(work, size) for size in sizes)]
        print(_HEAD)
        for path, name in paths:
            subject = serve(path, name.partition("+")[0], served, host.url, work)
            for group in groups:
                if group != "start":
                    _print(bench, group, subject)
        if "start" in groups:
            _print(bench, "start", serve(make_synthetic(work / "start", 10), "ten", served, host.url, work))
        print(
            f"\nTotals: {'; '.join(bench.checks) or 'not compared'}. Load average at the end: {os.getloadavg()[0]:.1f}."
        )
    return 1 if bench.differs else 0


def _print(bench: Bench, group: str, subject: Subject) -> None:
    for row in GROUPS[group](bench, subject):
        print(row, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="*", type=Path)
    parser.add_argument("--commits", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--peers-python", default="")
    parser.add_argument("--peer-seconds", type=float, default=30)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS))
    return parser.parse_args()


def _machine(runs: int) -> str:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    version = git(Path.cwd(), "--version").split()[2]
    return (
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {memory:.0f} GB, Python "
        f"{platform.python_version()}, git {version}, medians of {runs} taken in turn, load average before "
        f"{os.getloadavg()[0]:.1f}\n"
    )


def _peers_python(given: str, work: Path) -> str:
    if given:
        return given
    folder = work / "peers"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    wanted = str(Path(__file__).with_name("requirements.txt"))
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", wanted], check=True)
    return python


if __name__ == "__main__":
    sys.exit(main())
