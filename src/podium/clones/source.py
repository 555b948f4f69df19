"""The source of a repository's history: a path, or a mirror."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from podium.clones.local import LocalRepository
from podium.clones.mailmaps.mailmap import Identity, Mailmaps, Pair, identities
from podium.clones.mailmaps.own_mailmap import OwnMailmap, read_own_mailmaps
from podium.clones.pack_indexes import number_of_objects
from podium.git.command import Git
from podium.git.limits import bytes_on_disk
from podium.git.progress import Progress
from podium.history.count import committed_at, count, is_ancestor
from podium.history.count_limits import NO_LIMITS, CountLimits
from podium.history.totals import Tally
from podium.history.walks.rev_list import Walk
from podium.repositories.model import Repository

if TYPE_CHECKING:
    from podium.clones.commit_estimate import CommitEstimate
    from podium.clones.mirrors import Mirror, MirrorOwner, Mirrors
    from podium.history.walks.incoming_pack import IncomingPack


OnTally = Callable[[Tally], None]


def _ignore(_: Tally) -> None:
    pass


class Source(Protocol):
    def open(
        self, repository: Repository, progress: Progress, stop: threading.Event, on_tally: OnTally = ..., /
    ) -> contextlib.AbstractContextManager[History]:
        """Update, lock and open the history of ``repository``.

        ``on_tally`` is called with the totals so far, some hundred times a second.

        Raises:
            HistoryError: the message says why and what to do.
            Interrupted: the work was stopped.
        """

    def discard(self, repository: Repository, /) -> None:
        """Delete what is kept on disk to count ``repository``, and what dead processes left."""


class History:
    def __init__(
        self,
        git: Git,
        opened: LocalRepository | Mirror,
        mailmaps: Mailmaps,
        progress: Progress,
        stop: threading.Event,
        *,
        limits: CountLimits = NO_LIMITS,
        incoming: IncomingPack | None = None,
        walk: Walk | None = None,
        discard: Callable[[], None] | None = None,
        estimate: CommitEstimate | None = None,
        base: str | None = None,
        base_people: bool = False,
        on_tally: OnTally = _ignore,
        head_commit: bytes | None = None,
    ) -> None:
        # Its content, if it is known.
        self._head_commit = head_commit
        # The commit whose history a range leaves out; None: it is not a range.
        self.base = base
        # Whether the people of that history are wanted.
        self.has_base_people = base is not None and base_people
        self._estimate = estimate
        self._incoming = incoming
        self._walk = walk
        self.head: str = opened.head
        self.branch: str | None = opened.branch
        self.mailmaps = mailmaps
        # Why an existing mailmap is not applied.
        self.note: str | None = opened.note
        self._git = git
        self._path = opened.path
        self._progress = progress
        self._stop = stop
        self.limits = limits
        self._discard = discard
        self._on_tally = on_tally

    def contains(self, sha: str) -> bool:
        return is_ancestor(self._git, self._path, sha, self.head, stop=self._stop)

    def count(self, since: str | None, before: int = 0) -> Tally:
        """Count the commits that the head reaches, and neither ``since`` nor the base of a range.

        ``before`` were counted up to ``since``.

        Raises:
            HistoryError: the history cannot be read completely ('corrupt'), or is too large.
            Interrupted: the work was stopped.
        """
        # The estimate is that of all that a commit reaches.
        total = self._total if since is None and self.base is None else lambda _: None

        def on_progress(tally: Tally) -> None:
            self._on_tally(tally)
            self._progress("counting", tally.total_commits, total(tally))

        return count(
            self._git,
            self._path,
            self.head,
            since=since,
            base=self.base,
            incoming=self._incoming,
            walk=self._walk,
            on_progress=on_progress,
            limits=self.limits,
            before=before,
            stop=self._stop,
        )

    def _total(self, tally: Tally) -> int | None:
        return self._estimate.total(tally) if self._estimate else None

    def count_base(self) -> Tally:
        """Count the commits that a range leaves out, for the people who made them.

        Raises:
            HistoryError, Interrupted: as :meth:`count`.
        """
        assert self.base is not None  # noqa: S101 # has_base_people
        return count(
            self._git,
            self._path,
            self.base,
            on_progress=lambda tally: self._progress("counting", tally.total_commits, self._total(tally)),
            limits=self.limits,
            stop=self._stop,
        )

    def identities(self, pairs: Iterable[Pair]) -> Mapping[Pair, Identity]:
        """Apply the mailmaps.

        Raises:
            HistoryError: git cannot read a mailmap.
            Interrupted: the work was stopped.
        """
        return identities(self._git, self._path, self.mailmaps, pairs, stop=self._stop)

    def head_committed_at(self) -> int | None:
        """The time of the head by its committer's clock; None if git cannot read it, or no calendar has it.

        Raises:
            Interrupted: the work was stopped.
        """
        return committed_at(self._git, self._path, self.head, content=self._head_commit, stop=self._stop)

    def size(self) -> int:
        """Bytes on disk."""
        return bytes_on_disk(self._path)

    def discard(self) -> bool:
        """Delete a damaged mirror; return False for a user's own repository."""
        if self._discard is None:
            return False
        self._discard()
        return True


class MirrorSource:
    """Repositories at an address, through their mirrors.

    Args:
        clone_url: returns the URL for git: the canonical one on a server, the given one on the command line.
        own_mailmaps: files that each count reads.

    Attributes:
        on_moved: called with the URL to which the host redirects, before anything is fetched; may raise.
        owner: whose mirror it is; None: that of any repository with the key.
    """

    def __init__(
        self,
        git: Git,
        mirrors: Mirrors,
        clone_url: Callable[[Repository], str],
        *,
        limits: CountLimits = NO_LIMITS,
        own_mailmaps: Sequence[OwnMailmap] = (),
    ) -> None:
        self.on_moved: Callable[[Repository, str], None] = lambda *_: None
        self.owner: Callable[[Repository], MirrorOwner | None] = lambda _: None
        self._own_mailmaps = own_mailmaps
        self._git = git
        self._mirrors = mirrors
        self._clone_url = clone_url
        self._limits = limits

    @contextlib.contextmanager
    def open(
        self, repository: Repository, progress: Progress, stop: threading.Event, on_tally: OnTally = _ignore, /
    ) -> Iterator[History]:
        def on_arrival(tally: Tally, objects: int) -> None:
            self._limits.check(tally)
            on_tally(tally)
            progress("arrived", tally.total_commits, objects)

        own = read_own_mailmaps(self._own_mailmaps)
        with self._mirrors.open(
            host=repository.host,
            owner=repository.owner,
            name=repository.name,
            key=repository.repository_key,
            revision=repository.revision,
            url=self._clone_url(repository),
            progress=progress,
            on_arrival=on_arrival,
            on_moved=lambda url: self.on_moved(repository, url),
            kept_for=self.owner(repository),
            stop=stop,
        ) as mirror:
            if mirror.incoming is None:
                progress("arrived", 0, number_of_objects(mirror.path))
            yield History(
                *(self._git, mirror, Mailmaps(mirror.mailmap, own=own), progress, stop),
                limits=self._limits,
                incoming=mirror.incoming,
                discard=mirror.discard,
                on_tally=on_tally,
                head_commit=mirror.incoming.commit(mirror.head) if mirror.incoming else None,
            )

    def discard(self, repository: Repository, /) -> None:
        self._mirrors.discard(repository.host, repository.owner, repository.name, repository.repository_key)
