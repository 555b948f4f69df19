"""The source of a repository on this machine. It imports little, so that git starts before the rest of Podium loads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from podium.clones.cloned_from import origin_urls
from podium.clones.local import open_local
from podium.clones.path_revision import PathRevision
from podium.git.command import Git
from podium.git.progress import Progress
from podium.history.count_limits import NO_LIMITS
from podium.history.walks.rev_list import Walk

if TYPE_CHECKING:
    from podium.clones.commit_estimate import CommitEstimate
    from podium.clones.mailmaps.own_mailmap import OwnMailmap
    from podium.clones.source import History, OnTally
    from podium.repositories.model import Repository


class PathSource:
    """One repository on this machine.

    Args:
        revision: what to count; None: HEAD.
        begin: start git's walk before :meth:`open`.
        base_people: also read the people of the commits that a range leaves out.

    Attributes:
        limits: what its history may hold.
        own_mailmaps: files that each count reads.
        estimates_total: whether progress includes an estimate of all commits, which costs some CPU time.

    Raises:
        HistoryError: as :func:`podium.clones.local.open_local`.
    """

    def __init__(
        self, git: Git, path: Path, revision: str | None = None, *, begin: bool = False, base_people: bool = False
    ) -> None:
        self.limits = NO_LIMITS
        self.own_mailmaps: Sequence[OwnMailmap] = ()
        self.estimates_total = False
        self._git = git
        self._walk: Walk | None = None
        self._base_people = base_people
        try:
            self.repository = open_local(git, path, revision, on_found=self._begin if begin else lambda *_: None)
        except BaseException:
            self.close()
            raise

    @property
    def is_range(self) -> bool:
        return self.repository.base is not None

    def _begin(self, repository: Path, found: PathRevision) -> None:
        self._walk = Walk(self._git, repository, found.head, *([found.base] if found.base else []))

    @contextlib.contextmanager
    def open(
        self, _repository: Repository, progress: Progress, stop: threading.Event, _on_tally: OnTally | None = None, /
    ) -> Iterator[History]:
        from podium.clones.mailmaps.own_mailmap import read_own_mailmaps
        from podium.clones.source import History

        mailmaps = self.repository.mailmaps.with_own(read_own_mailmaps(self.own_mailmaps))
        walk, self._walk = self._walk, None
        with contextlib.ExitStack() as stack:
            if walk:
                stack.enter_context(contextlib.closing(walk))
            estimate = self._estimate(stack) if self.estimates_total else None
            yield History(
                *(self._git, self.repository, mailmaps, progress, stop),
                limits=self.limits,
                walk=walk,
                estimate=estimate,
                base=self.repository.base,
                base_people=self._base_people,
            )

    def _estimate(self, stack: contextlib.ExitStack) -> CommitEstimate:
        from podium.clones.commit_estimate import CommitEstimate

        return stack.enter_context(contextlib.closing(CommitEstimate(self._git, self.repository.path)))

    def discard(self, _repository: Repository, /) -> None:
        """Do nothing: the repository belongs to the user."""

    def origin_urls(self) -> list[str]:
        """The URL that the repository was cloned from, as written and as git uses it. They may contain a password."""
        return origin_urls(self._git, self.repository.path)

    def close(self) -> None:
        if self._walk:
            self._walk.close()
            self._walk = None
