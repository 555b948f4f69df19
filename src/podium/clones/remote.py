"""A repository on a host: what its HEAD is, and its commits without their files.

A fetch of a clone's own (``git fetch origin``) moves no branch in a bare single-branch clone, and says nothing. So the
host is asked for its default branch first, and that branch is fetched by name. The first time there is nothing that
could stay as it was: whatever the host's HEAD is, is fetched at once, and what it was is seen in the packets that git
traces.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from podium.errors import HistoryError, UnknownHead
from podium.git.command import Git
from podium.git.error_messages import clean, translate
from podium.git.limits import Stop, bytes_on_disk
from podium.git.progress import Progress

# Where the commit of the host's HEAD is kept, whatever its branch is called: a branch `a` that is renamed to `a/b`
# could not be kept beside its old name.
KEPT_AT = "refs/podium/head"
_OWN_HEAD = f"ref: {KEPT_AT}\n"
# What git allows in the name of a branch (git-check-ref-format); a host could send anything.
_BRANCH = re.compile(r"refs/heads/(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.))[^\x00-\x20\x7f~^:?*\[\\]+(?<![./])")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# The host's HEAD as git traces it: of protocol 2, and of those before (``\\0`` is how git writes a NUL).
_TRACED_HEAD = re.compile(
    rb"packet: +(?:fetch|git)< ([0-9a-f]{40}(?:[0-9a-f]{24})?) HEAD"
    rb"(?: symref-target:([^ \n]+)|\\0[^\n]*? symref=HEAD:([^ \n]+))?"
)
# Of a name in a repository that does not say otherwise.
_DIGITS = 40
_TRACE = "packets"
# It stands at the beginning, before anything that a host could make long.
_MOST_TRACED = 1 << 20
_LOCATION = re.compile(r"Recv header: *location: *(\S+)", re.IGNORECASE)
_DISCOVERY = "/info/refs"
_MOST_REDIRECTS = 3
# What a fetch of HEAD fails with where asking for it tells more; other faults would only be waited for twice.
_UNASKED = ("redirected", "interrupted-transfer", "git-failed")
# Room on disk for one tree and one mailmap, packed.
_FEW_OBJECTS = 16 << 20


@dataclass(frozen=True, slots=True)
class RemoteHead:
    """What the host's HEAD is: ``branch`` (None where it names no branch) and the commit ``sha``."""

    branch: str | None
    sha: str

    @property
    def source(self) -> str:
        """What to ask the host for."""
        return f"refs/heads/{self.branch}" if self.branch else "HEAD"


def is_own_head(repository: Path) -> bool:
    """Whether the HEAD of ``repository`` names what :meth:`Remote.fetch` brings."""
    try:
        return (repository / "HEAD").read_text(encoding="ascii") == _OWN_HEAD
    except (OSError, ValueError):
        return False


class Remote:
    """One repository on a host, reached with ``git``.

    ``resolve`` gives, for a URL, git's ``http.curloptResolve`` value (``HOST:PORT:ADDRESS``) or None; it may raise.
    """

    def __init__(
        self, git: Git, url: str, *, resolve: Callable[[str], str | None] | None = None, stop: Stop | None = None
    ) -> None:
        self.url = url
        self._git = git
        self._stop = stop
        pinned = resolve(url) if resolve else None
        self._pin = (f"http.curloptResolve={pinned}",) if pinned else ()

    def head(self) -> RemoteHead:
        """Ask the host for its HEAD, following it (up to three times) where it has moved on the same origin.

        Raises:
            HistoryError: 'empty', 'no-default-branch', 'missing', 'redirected', 'unreachable', …
            Interrupted: told to stop.
        """
        for _ in range(_MOST_REDIRECTS):
            try:
                return self._head()
            except HistoryError as error:
                if error.code != "redirected":
                    raise
            self.url = self._moved_to()
        return self._head()

    def fetch(
        self,
        head: RemoteHead,
        repository: Path,
        progress: Progress,
        *,
        meanwhile: Callable[[], bool] | None = None,
    ) -> None:
        """Bring the commits of ``head`` into ``repository``, which afterwards has a HEAD of its own naming them.

        ``meanwhile`` is done while they arrive, see :meth:`Git.transfer`.

        Raises:
            HistoryError: 'shallow', 'interrupted-transfer', 'too-large', 'disk-full', …
            Interrupted: told to stop.
        """
        self._transfer(repository, f"+{head.source}:{KEPT_AT}", progress, meanwhile=meanwhile)
        if not is_own_head(repository):
            # As `git symbolic-ref` does, without starting it.
            (repository / "HEAD").write_text(_OWN_HEAD, encoding="ascii")

    def fetch_whatever(
        self, repository: Path, progress: Progress, *, meanwhile: Callable[[], bool] | None = None
    ) -> RemoteHead:
        """The same of whatever the host's HEAD is; give that. ``repository`` is empty, of 40 digits a name.

        Raises:
            UnknownHead: there is no HEAD, its names are longer, or it has moved.
            HistoryError: as :meth:`fetch`.
            Interrupted: told to stop.
        """
        trace = repository / _TRACE
        head = RemoteHead(None, "")
        try:
            self._transfer(
                repository,
                f"+{head.source}:{KEPT_AT}",
                progress,
                variables={"GIT_TRACE_PACKET": str(trace)},
                meanwhile=meanwhile,
            )
        except HistoryError as error:
            seen = _traced(trace)
            if error.code in _UNASKED and (seen is None or len(seen.sha) != _DIGITS):
                raise UnknownHead(error) from error
            raise
        found = _traced(trace) or self.head()
        trace.unlink(missing_ok=True)
        (repository / "HEAD").write_text(_OWN_HEAD, encoding="ascii")
        return found

    def fetch_object(self, sha: str, repository: Path) -> None:
        """Bring one object, and nothing that it leads to.

        Raises:
            HistoryError: the host refuses, or as :meth:`fetch`.
            Interrupted: told to stop.
        """
        # Saying what is here already would cost more than the object, and would not make it smaller.
        self._transfer(
            repository,
            sha,
            lambda *_: None,
            configuration=("fetch.negotiationAlgorithm=noop",),
            ceiling=bytes_on_disk(repository) + _FEW_OBJECTS,
        )

    def _transfer(
        self,
        repository: Path,
        wanted: str,
        progress: Progress,
        *,
        variables: Mapping[str, str] | None = None,
        configuration: tuple[str, ...] = (),
        ceiling: int | None = None,
        meanwhile: Callable[[], bool] | None = None,
    ) -> None:
        errors = self._git.transfer(
            "fetch",
            "--progress",
            "--no-tags",
            "--no-prune",
            "--no-write-fetch-head",
            "--filter=tree:0",
            "--end-of-options",
            "origin",
            wanted,
            repository=repository,
            progress=progress,
            variables=variables,
            # Not kept in the repository: while its commits are counted, it knows no place to fetch more from.
            configuration=(f"remote.origin.url={self.url}", *self._pin, *configuration),
            ceiling=ceiling,
            meanwhile=meanwhile,
            stop=self._stop,
        )
        if b"shallow roots" in errors:
            # git only warns of it, and moves no branch.
            raise translate(errors, "fetch")

    def _head(self) -> RemoteHead:
        branch = sha = None
        for line in self._ask("--symref", "HEAD").split("\n"):
            value, _, name = line.partition("\t")
            if name != "HEAD":
                continue
            if value.startswith("ref: "):
                target = value.removeprefix("ref: ")
                branch = _branch(target)
            elif _SHA.fullmatch(value):
                sha = value
        if sha is not None:
            return RemoteHead(branch, sha)
        if self._ask().strip():
            raise HistoryError(
                "no-default-branch", "The repository's default branch does not exist: its owner can choose another."
            )
        raise HistoryError("empty", "The repository has no commits yet: there is nothing to count.")

    def _ask(self, *words: str) -> str:
        options, patterns = [w for w in words if w.startswith("-")], [w for w in words if not w.startswith("-")]
        answer = self._git.run(
            "ls-remote",
            *options,
            "--end-of-options",
            self.url,
            *patterns,
            # No repository at all, whatever the folder is in.
            repository=Path(os.devnull),
            folder=Path("/"),
            transfers=True,
            configuration=self._pin,
            stop=self._stop,
        )
        if answer.code != 0:
            raise translate(answer.errors, "ls-remote")
        return answer.output.decode("utf-8", "replace")

    def _moved_to(self) -> str:
        """Where the host says that the repository is now, as git's own trace of the answer has it."""
        answer = self._git.run(
            "ls-remote",
            "--end-of-options",
            self.url,
            "HEAD",
            repository=Path(os.devnull),
            folder=Path("/"),
            variables={"GIT_TRACE_CURL": "1", "GIT_TRACE_CURL_NO_DATA": "1"},
            transfers=True,
            configuration=self._pin,
            stop=self._stop,
        )
        found = _LOCATION.findall(answer.errors.decode("utf-8", "replace"))
        moved = urljoin(self.url + _DISCOVERY, found[-1]) if found else ""
        base, discovery, _ = moved.partition(_DISCOVERY)
        if not discovery or _origin(base) != _origin(self.url):
            raise HistoryError(
                "redirected",
                f"The repository has moved to {clean(base) or 'another address'}, which is not followed: name the new "
                "address.",
            )
        return base


def _branch(target: str) -> str | None:
    """The branch that a HEAD names; None where it is no name of one."""
    return target.removeprefix("refs/heads/") if _BRANCH.fullmatch(target) else None


def _traced(trace: Path) -> RemoteHead | None:
    """What the host said of its HEAD; None where it said nothing of it."""
    try:
        with trace.open("rb") as packets:
            found = _TRACED_HEAD.search(packets.read(_MOST_TRACED))
    except FileNotFoundError:
        return None
    if found is None:
        return None
    sha, *targets = found.groups(b"")
    return RemoteHead(_branch(b"".join(targets).decode("utf-8", "replace")), sha.decode())


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
