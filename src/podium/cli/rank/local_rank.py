"""Rank one repository in this process: count, look up accounts, make the board."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from podium.app import factories
from podium.bots.tools import Bots
from podium.cli import output
from podium.cli.rank.progress_bar import is_shown, progress_for
from podium.cli.rank.source_path import is_path_like, nothing_at
from podium.clones.cloned_from import slug_at
from podium.clones.mailmaps.own_mailmap import notes_on
from podium.errors import BadAddress, BadCommitLog, HistoryError, Interrupted, LeaseLost, NotFound, PodiumError
from podium.jobs import batches, failures
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import Address, parse_address, path_address
from podium.repositories.model import Repository, State
from podium.repositories.revision import parse_revision
from podium.repositories.store import queries, transitions
from podium.repositories.store.queue import due_work
from podium.repositories.store.queue.unresolved import WhyUnresolved
from podium.settings import Settings
from podium.storage.session import Database, Session
from podium.submissions.submit import start_over, submit
from podium.textutil.plural import plural

if TYPE_CHECKING:
    from podium.accounts.user_job import UserJob
    from podium.clones.path_source import PathSource
    from podium.clones.source import Source
    from podium.counting.commit_job import CommitJob
    from podium.git.progress import Progress
    from podium.leaderboard.board import Document
    from podium.leaderboard.rules import Rules

notes = logging.getLogger("podium.notes")

# Seconds between two checks of another process' count.
LOOK_AGAIN = 0.3
# Errors that no host causes.
_OF_THIS_MACHINE = ("disk-full", "git-missing", "git-settings", "no-folder")
# Errors that a misspelt path may cause, if it is taken for an address.
_NOT_THERE = ("missing", "not-a-repository", "redirected", "refused", "unreachable")
# Seconds to wait for a limit of GitHub.
LONGEST_WAIT = 60.0
_NOT_ASKED = "Accounts were not looked up: set GITHUB_TOKEN."


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    source: an address or a path.
    local: the repository at the path, whose commits git already walks; None for an address.
    top: the number of rows; None for all.
    bots_files: in addition to the setting.
    mailmap_files: the user's own mailmaps.
    quiet: show no progress and no notes.
    """

    source: str
    local: PathSource | None
    rev: str | None
    rules: Rules
    top: int | None
    bots_files: tuple[Path, ...]
    mailmap_files: tuple[str, ...]
    roles: bool
    quiet: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """What to rank.

    repo_slug: the ``(owner, name)`` for the lookup, if there is one.
    why_not_asked: why there is no lookup, if the user can change that.
    own_mailmaps: the names of the files.
    """

    address: Address
    source: Source
    repo_slug: tuple[str, str] | None
    why_not_asked: str | None = None
    own_mailmaps: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        return self.repo_slug is not None


def rank(environment: Mapping[str, str], request: Request) -> Document:
    """Return the board. ``environment`` is the user's; git runs in it.

    Raises:
        PodiumError: the repository cannot be ranked; the message says why and what to do.
        Interrupted: SIGINT or SIGTERM came; the repository was released.
    """
    settings = Settings.for_command_line(environment)
    bots = Bots.from_files([*settings.bots_files(), *request.bots_files])
    _quiet_log(shows_notes=not request.quiet)
    stop = threading.Event()
    _stop_at_signals(stop)
    factories.count_budget(settings).limit_process()
    with contextlib.ExitStack() as stack:
        subject = _find(settings, environment, request)
        db = factories.open_database(settings)
        # SQLite's last close empties the write-ahead log. After a large save that takes as long as to write the board.
        stack.callback(threading.Thread(target=db.close, name="close").start)
        with progress_for(subject.address.name, quiet=request.quiet) as progress:
            job = factories.commit_job(settings, db, subject.source, ask=subject.asks, bots=bots, patient=False)
            with _naming_the_host(subject.address, request.source):
                repository_id = _count(job, db, subject.address, stop, progress, max_revisions=settings.max_revisions)
            with contextlib.closing(_user_job(settings, db, subject)) as users:
                _resolve(users, db, repository_id, stop, progress, workers=settings.user_workers)
        if subject.own_mailmaps and request.rules.mailmap:
            _note_own_mailmaps(db, repository_id, subject.own_mailmaps)
        try:
            return _board(settings, db, repository_id, request, bots, why_not_asked=subject.why_not_asked)
        except BadCommitLog as error:
            _void_count(db, repository_id)
            raise BadCommitLog(f"{error.message} Run the command again: it counts the whole history.") from error


@contextlib.contextmanager
def _naming_the_host(address: Address, source: str) -> Iterator[None]:
    try:
        yield
    except HistoryError as error:
        if not address.host or error.code in _OF_THIS_MACHINE:
            raise
        asked = f"Asked {address.host} for {_name_at(address)}: {error.message}"
        if error.code in _NOT_THERE and source.strip("/") == _name_at(address):
            asked += f" There is no folder {source} here, so it was taken as owner/name."
        raise HistoryError(error.code, asked, transient=error.transient) from error


def _note_own_mailmaps(db: Database, repository_id: int, names: tuple[str, ...]) -> None:
    from podium.counting.count_rows import people_of_own_mailmap

    with db.read() as session:
        people = people_of_own_mailmap(session, repository_id)
    changed = (
        f"{plural(people, 'person', 'people')} changed" if people else "no one changed: no commit has an address in it"
    )
    notes.warning("Own mailmap: %s (%s).", ", ".join(names), changed)


def _void_count(db: Database, repository_id: int) -> None:
    with db.write() as session:
        transitions.void_count(session, repository_id, _get(session, repository_id).count_id)


def _import_what_comes_later(*also: str) -> None:
    for name in ("counting.commit_job", *also, "accounts.user_job", "leaderboard.board", "leaderboard.export.formats"):
        importlib.import_module(f"podium.{name}")


def _user_job(settings: Settings, db: Database, subject: Subject) -> UserJob:
    if not subject.asks:
        from podium.accounts.lookup import NoLookup

        return factories.user_job(settings, db, NoLookup())
    # Give up early: the user waits.
    lookup = factories.github_lookup(settings, db, repo_slug=subject.repo_slug, max_faults=3)
    return factories.user_job(settings, db, lookup, max_rounds=2)


def _quiet_log(*, shows_notes: bool) -> None:
    """Show notes at most; the error that ends the command says the rest."""
    logging.getLogger("podium").addHandler(logging.NullHandler())
    if shows_notes:
        _show_notes()


def _show_notes() -> None:
    notes.addHandler(_Notes())
    notes.propagate = False


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # The progress bar replaces standard error while it is shown, and prints this above itself.
        output.complain(record.getMessage())


def _stop_at_signals(stop: threading.Event) -> None:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            # A second signal ends the program at once.
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _find(settings: Settings, environment: Mapping[str, str], request: Request) -> Subject:
    own_mailmaps = factories.own_mailmaps(settings, request.mailmap_files)
    # Notes appear before anything is cloned.
    for note in notes_on(own_mailmaps):
        notes.warning("%s", note)
    names = tuple(file.name for file in own_mailmaps)
    if (source := request.local) is not None:
        source.own_mailmaps = own_mailmaps
        if source.repository.mailmaps.own:
            names = ("git's mailmap.file", *names)
        source.limits = factories.count_limits(settings)
        source.estimates_total = is_shown(quiet=request.quiet)
        # git walks meanwhile.
        _import_what_comes_later()
        # For a path the network is not used unless a token is set.
        repo_slug = slug_at(settings.github_server_url, source.origin_urls()) if request.rules.identities else None
        return Subject(
            path_address(source.repository.path, request.rev),
            source,
            repo_slug if settings.github_tokens else None,
            _NOT_ASKED if repo_slug and not settings.github_tokens else None,
            own_mailmaps=names,
        )
    address = _address(settings, request.source)
    if request.rev is not None and (revision := parse_revision(request.rev)) is not None:
        address = address.at_revision(revision)
    # git waits for the network while we import. For a path git answers at once, and two importing threads slow each
    # other down.
    threading.Thread(target=_import_what_comes_later, args=["clones.mirrors"], name="imports", daemon=True).start()
    return Subject(
        address,
        factories.person_source(settings, environment, address.clone_url, own_mailmaps),
        _repo_slug(settings, address) if request.rules.identities else None,
        own_mailmaps=names,
    )


def _address(settings: Settings, source: str) -> Address:
    """Parse an address; say so before a word that may be meant as a path is sent to a host."""
    is_path = is_path_like(source)
    try:
        address = parse_address(source, settings.github_server_url)
    except BadAddress as error:
        raise BadAddress(f"{nothing_at(source)} {error.message}") if is_path else error from None
    if is_path:
        output.complain(f"{nothing_at(source).removesuffix('.')}; asking {address.host} for {_name_at(address)}")
    return address


def _name_at(address: Address) -> str:
    return "/".join(part for part in (address.owner, address.name) if part)


def _repo_slug(settings: Settings, address: Address) -> tuple[str, str] | None:
    return (address.owner, address.name) if address.host == factories.github_host(settings) else None


def _count(
    job: CommitJob, db: Database, address: Address, stop: threading.Event, progress: Progress, *, max_revisions: int
) -> int:
    repository = submit(db, NullQueues(), address, refresh_after=0, max_revisions=max_revisions).repository
    start_over(db, repository.id)
    while True:
        error = job.run(repository.id, stop, progress)
        if error is not None and not isinstance(error, LeaseLost):
            _give_up(db, repository.id, error)
            raise error
        if stop.is_set():
            raise Interrupted("interrupted")
        with db.read() as session:
            counted = _get(session, repository.id)
        if counted.state == State.FAILED:
            raise HistoryError(counted.error_code or "failed", counted.error or "It failed: rank it again.")
        if counted.state.stage != "commits":
            return counted.id
        progress("waiting for another podium that counts it", 0)
        time.sleep(LOOK_AGAIN)


def _give_up(db: Database, repository_id: int, error: Exception) -> None:
    """So that a server on the same data folder does not retry."""
    if isinstance(error, Interrupted):
        return
    reason = error.message if isinstance(error, PodiumError) else type(error).__name__
    with db.write() as session:
        repository = queries.lock(session, repository_id)
        if repository is not None and repository.state.stage == "commits" and repository.lease_holder is None:
            failures.fail(session, repository, getattr(error, "code", "internal"), reason)


def _resolve(
    job: UserJob, db: Database, repository_id: int, stop: threading.Event, progress: Progress, *, workers: int
) -> None:
    while not stop.is_set():
        with db.read() as session:
            due = due_work.due(session, repository_id)
            numbers = batches.unclaimed(session, repository_id)
        if due is None or due.repository.state != State.USERS_PROCESSING:
            return
        if due.delay > LONGEST_WAIT:
            reason = "GitHub's limit is used up for now: rank it again later to continue."
            job.give_up(repository_id, reason, WhyUnresolved("limit"))
        elif due.delay > 0:
            progress("waiting for GitHub", 0)
            stop.wait(min(due.delay, LOOK_AGAIN))
        elif numbers:
            _run_batches(job, due.repository, numbers, stop, progress, workers=workers)
        else:
            progress("waiting for another podium that resolves it", 0)
            stop.wait(LOOK_AGAIN)
    raise Interrupted("interrupted")


def _run_batches(
    job: UserJob, repository: Repository, numbers: list[int], stop: threading.Event, progress: Progress, *, workers: int
) -> None:
    progress("resolving accounts", 0)
    if len(numbers) == 1:
        # Usually there is nothing left to look up.
        job.run(repository.id, repository.generation, numbers[0], stop)
        return
    from concurrent.futures import ThreadPoolExecutor, as_completed

    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(job.run, repository.id, repository.generation, number, stop) for number in numbers]
        for done, finished in enumerate(as_completed(jobs), start=1):
            finished.result()
            progress("resolving accounts", 100 * done // len(numbers))


def _get(session: Session, repository_id: int) -> Repository:
    repository = queries.by_id(session, repository_id)
    if repository is None:
        raise NotFound("The repository was deleted meanwhile: rank it again.")
    return repository


def _board(
    settings: Settings, db: Database, repository_id: int, request: Request, bots: Bots, *, why_not_asked: str | None
) -> Document:
    from podium.leaderboard.board import load_board

    with db.read() as session:
        repository = _get(session, repository_id)
        if why_not_asked is not None:
            repository = dataclasses.replace(repository, unresolved_reason=why_not_asked)
        return load_board(
            session,
            repository,
            request.rules,
            limit=request.top,
            offset=0,
            # Shown by default on the user's own machine.
            show_emails=settings.show_emails is not False,
            github_url=settings.github_server_url,
            bots=bots,
            roles=request.roles,
        )
