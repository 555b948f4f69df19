"""What :mod:`benchmarks.history` measures: a group of rows each, against the goals that were set."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import history_job, measure, subjects
from benchmarks.check_counts import shortlog as counted_by_git
from benchmarks.history_job import timed
from benchmarks.measure import Measured
from benchmarks.subjects import ENVIRONMENT, TREELESS, Subject
from podium.app import factories
from podium.storage import migrate
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.textutil.raw_bytes import readable
from tests.support.postgres import Postgres

PODIUM = str(Path(sys.executable).with_name("podium"))
MEGABYTES = 300
# Goals: ratios to `git shortlog` on the same clone, and from an address to the treeless clone alone.
PASS = 1.35
RANK, RANK_OF_FEWER, MANY_COMMITS = 1.65, 1.9, 80_000
ADDRESS = 1.3


class Bench:
    """Where it works, how often it measures, and what it found of totals."""

    def __init__(
        self, work: Path, runs: int, postgres: Postgres | None, peers: str | None, peer_seconds: float
    ) -> None:
        self.runs, self.postgres, self.peers, self.peer_seconds = runs, postgres, peers, peer_seconds
        self.checks: list[str] = []
        self.differs = False
        self._work = work
        self._numbers = itertools.count()

    def fresh(self) -> Path:
        """A path where nothing is."""
        return self._work / f"fresh-{next(self._numbers)}"

    def check(self, what: str, *, equal: bool) -> None:
        """Note whether totals were as git's."""
        self.checks.append(f"{what} {'equal' if equal else 'DIFFER'}")
        self.differs = self.differs or not equal

    def rank(self, source: str, *, data: Path | None = None, watch_memory: bool = False) -> Measured:
        """``podium rank`` as a fresh process; without ``data`` in a new data folder, from nothing."""
        folder = data or self.fresh()
        environment = {**ENVIRONMENT, "PODIUM_DATA_DIR": str(folder)}
        took = measure.run([PODIUM, "rank", "--no-identities", source], environment, watch_memory=watch_memory)
        if data is None:
            shutil.rmtree(folder)
        return took

    def clone(self, url: str, *words: str) -> Measured:
        """A clone by git alone, thrown away."""
        folder = self.fresh()
        try:
            return measure.run(["git", *words, url, str(folder)], ENVIRONMENT)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def in_turn(
        self, ours: Callable[[], Measured], theirs: Callable[[], Measured], *, runs: int | None = None
    ) -> tuple[list[Measured], list[Measured]]:
        """Both, one after the other, again and again, after once for nothing."""
        ours()
        pairs = [(ours(), theirs()) for _ in range(runs or self.runs)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    subject: Subject
    against: str
    ours: Sequence[Measured]
    theirs: Sequence[Measured]
    goal: float | None = None
    peak_mb: float | None = None

    def __str__(self) -> str:
        low, middle, high = measure.ratios(self.ours, self.theirs)
        cells = (
            self.what,
            f"{self.subject.name}, {self.subject.commits:,}",
            self.against,
            _seconds(self.theirs),
            _seconds(self.ours),
            f"{middle:.2f} ({low:.2f}-{high:.2f})",
            # If this process serves too, its git cannot be distinguished.
            f"{measure.processor_ratio(self.ours, self.theirs):.2f}" if self.against == "shortlog" else "",
            "" if self.goal is None else f"{self.goal}",
            "" if self.goal is None else _verdict(middle, self.goal),
            "" if self.peak_mb is None else f"{self.peak_mb:.0f} MB ({_verdict(self.peak_mb, MEGABYTES)})",
        )
        return f"| {' | '.join(cells)} |"


def _verdict(reached: float, goal: float) -> str:
    return "reached" if reached <= goal else f"missed by {100 * (reached / goal - 1):.0f} %"


def _seconds(runs: Sequence[Measured]) -> str:
    middle = statistics.median(run.seconds for run in runs)
    return f"{middle * 1000:.0f} ms" if middle < 1 else f"{middle:.2f} s"


def address(bench: Bench, subject: Subject) -> Iterator[Row]:
    """From an address to a board, against the clone alone."""
    ours, theirs = bench.in_turn(lambda: bench.rank(subject.url), lambda: bench.clone(subject.url, *TREELESS))
    peak = bench.rank(subject.url, watch_memory=True).peak_mb
    yield Row("`podium rank URL`, from nothing", subject, "treeless clone alone", ours, theirs, ADDRESS, peak)


def full(bench: Bench, subject: Subject) -> Iterator[Row]:
    """The same against what a user does today; once, since it takes so long."""
    ours, against = bench.rank(subject.url), "full clone and shortlog, one run"
    try:
        took = bench.clone(subject.url, "clone", "--quiet", "--bare")
    except subprocess.CalledProcessError:
        against = "clone of all but files' contents (it has not all of them) and shortlog, one run"
        took = bench.clone(subject.url, "clone", "--quiet", "--bare", "--filter=blob:none")
    counting = measure.run(subject.shortlog(), ENVIRONMENT)
    theirs = Measured(took.seconds + counting.seconds, 0)
    yield Row("`podium rank URL`, from nothing", subject, against, [ours], [theirs], 0.25)


def one_pass(bench: Bench, subject: Subject) -> Iterator[Row]:
    """Commits to totals in memory, on each kind of clone; and whether they are git's."""
    for kind, clone in subject.clones().items():
        runs = bench.in_turn(functools.partial(_timed_pass, clone), _shortlog(subject, clone))
        yield Row(f"the pass, totals in memory: {kind}", subject, "shortlog", *runs, PASS)
    tally = history_job.one_pass(subject.clone)
    counted: Counter[str] = Counter()
    for person in tally.persons():
        counted[readable(person.email)] += person.commits + person.merges
    bench.check(f"{subject.name}, each e-mail", equal=+counted == counted_by_git(subject.clone))


def _timed_pass(clone: Path) -> Measured:
    return timed(lambda: history_job.one_pass(clone))


def job(bench: Bench, subject: Subject) -> Iterator[Row]:
    """Counted and saved, on both databases."""
    settings = history_job.settings_of(bench.fresh())
    databases: list[tuple[str, Database]] = [("SQLite", factories.open_database(settings))]
    if bench.postgres:
        url = bench.postgres.url(bench.postgres.create())
        migrate.migrate(url)
        databases.append(("PostgreSQL", PostgresDatabase(url, most=5)))
    for name, db in databases:
        ours, theirs = [], []
        for _ in range(bench.runs + 1):
            history_job.forget(db)
            ours.append(timed(lambda db=db: history_job.job_of_path(db, settings, subject.clone)))  # type: ignore[misc]
            theirs.append(_shortlog(subject)())
        yield Row(f"the commit job, saved ({name})", subject, "shortlog", ours[1:], theirs[1:])
        db.close()


def path(bench: Bench, subject: Subject) -> Iterator[Row]:
    """``podium rank PATH`` as a fresh process, saved into a fresh data folder, on each kind of clone."""
    goal = RANK if subject.commits >= MANY_COMMITS else RANK_OF_FEWER
    for kind, clone in subject.clones().items():
        runs = bench.in_turn(functools.partial(bench.rank, str(clone)), _shortlog(subject, clone))
        peak = bench.rank(str(clone), watch_memory=True).peak_mb
        yield Row(f"`podium rank PATH`, from nothing: {kind}", subject, "shortlog", *runs, goal, peak)


def refresh(bench: Bench, subject: Subject) -> Iterator[Row]:
    """A hundred commits more, against the first count from nothing; with and without git's fetch."""
    first, again, local = [], [], []
    for _ in range(bench.runs):
        settings = history_job.settings_of(data := bench.fresh())
        db = factories.open_database(settings)
        subject.move(subjects.NEW_COMMITS)
        first.append(timed(lambda: history_job.job_of_url(db, settings, subject.moving_url)))  # noqa: B023
        history_job.job_of_path(db, settings, subject.moving)
        subject.move(0)
        again.append(timed(lambda: history_job.job_of_url(db, settings, subject.moving_url)))  # noqa: B023
        local.append(timed(lambda: history_job.job_of_path(db, settings, subject.moving)))  # noqa: B023
        db.close()
        shutil.rmtree(data)
    yield Row("refresh with 100 new commits, from the address", subject, "first count", again, first, 0.12)
    yield Row("the same without git's fetch, from a path", subject, "first count", local, first, 0.03)


def start(bench: Bench, ten: Subject) -> Iterator[Row]:
    """How long it takes until anything happens."""
    bare = [sys.executable, "-c", "pass"]
    known = bench.fresh()
    db = factories.open_database(history_job.settings_of(known))

    def ranked(source: str) -> Measured:
        history_job.forget(db)
        shutil.rmtree(known / "mirrors", ignore_errors=True)
        return bench.rank(source, data=known)

    commands: list[tuple[str, float, Callable[[], Measured]]] = [
        ("`podium --version`", 4, lambda: measure.run([PODIUM, "--version"], ENVIRONMENT)),
        ("`podium rank PATH`", 15, lambda: ranked(str(ten.clone))),
        ("`podium rank PATH`, new data folder", 15, lambda: bench.rank(str(ten.clone))),
        ("`podium rank URL`", 20, lambda: ranked(ten.url)),
        ("`podium rank URL`, new data folder", 20, lambda: bench.rank(ten.url)),
    ]
    for what, goal, ours in commands:
        runs = bench.in_turn(ours, lambda: measure.run(bare, ENVIRONMENT), runs=2 * bench.runs + 1)
        yield Row(what, ten, "`python -c pass`", *runs, goal)
    db.close()


def peers(bench: Bench, subject: Subject) -> Iterator[str]:
    """Libraries, once each and no longer than was allowed: times shortlog's time for as many commits."""
    shortlog = _shortlog(subject)().seconds / subject.commits
    emails = len(counted_by_git(subject.clone))
    script = str(Path(__file__).with_name("peers.py"))
    for peer in ("gitpython", "dulwich", "pydriller"):
        command = [bench.peers or sys.executable, script, peer, str(subject.clone), str(bench.peer_seconds)]
        said = json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE).stdout)
        ratio = said["seconds"] / said["commits"] / shortlog
        if said["whole"]:
            equal = said["commits"] == subject.commits and said["emails"] == emails
            note = "whole, totals equal" if equal else f"whole, {said['commits']:,} commits, {said['emails']:,} e-mails"
        else:
            note = f"its first {said['commits']:,} commits"
        yield (
            f"| {peer}, e-mails only | {subject.name}, {subject.commits:,} | shortlog | "
            f"| {said['seconds']:.1f} s | {ratio:.1f} | | | {note} | |"
        )


def _shortlog(subject: Subject, clone: Path | None = None) -> Callable[[], Measured]:
    return lambda: measure.run(subject.shortlog(clone), ENVIRONMENT)


GROUPS: dict[str, Callable[[Bench, Subject], Iterator[Row] | Iterator[str]]] = {
    "address": address,
    "full": full,
    "pass": one_pass,
    "job": job,
    "path": path,
    "refresh": refresh,
    "start": start,
    "peers": peers,
}
