"""A repository on a host: its HEAD, and its commits without their files.

``git fetch origin`` moves no branch in a bare single-branch clone. The host's default branch is therefore fetched by
name. A first clone fetches HEAD at once and reads the branch from git's packet trace.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

from podium.clones.upload_pack import UploadPack
from podium.errors import BadAddress, HistoryError, UnknownHead
from podium.git.command import Git
from podium.git.error_messages import clean, translate
from podium.git.limits import Stop, bytes_on_disk
from podium.git.progress import Progress
from podium.repositories.address import parse_address
from podium.repositories.revision import refs_named, similar

# A branch `a` that is renamed to `a/b` could not be stored beside its old name.
KEPT_AT = "refs/podium/head"
KEPT_REVISIONS = "refs/podium/revisions"
_OWN_HEAD = f"ref: {KEPT_AT}\n"
# The configuration as `git fetch --filter` leaves it.
_CONFIG = """[core]
	repositoryformatversion = 1
	filemode = true
	bare = true
[remote "origin"]
	promisor = true
	partialclonefilter = tree:0
"""
# git-check-ref-format; a host could send anything.
_BRANCH = re.compile(r"refs/heads/(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.))[^\x00-\x20\x7f~^:?*\[\\]+(?<![./])")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Protocol 2, and older ones (``\\0`` is how git writes a NUL).
_TRACED_HEAD = re.compile(
    rb"packet: +(?:fetch|git)< ([0-9a-f]{40}(?:[0-9a-f]{24})?) HEAD"
    rb"(?: symref-target:([^ \n]+)|\\0[^\n]*? symref=HEAD:([^ \n]+))?"
)
_DIGITS = 40
_TRACE = "packets"
# Before anything that a host could make long.
_MOST_TRACED = 1 << 20
_LOCATION = re.compile(r"Recv header: *location: *(\S+)", re.IGNORECASE)
# git requires redirects to end with it, too.
_DISCOVERY = "/info/refs?service=git-upload-pack"
_MOST_REDIRECTS = 3
_UNASKED = ("redirected", "interrupted-transfer", "git-failed", "needs-newer-git")
_FEW_OBJECTS = 16 << 20


@dataclass(frozen=True, slots=True)
class RemoteHead:
    """What is fetched.

    Attributes:
        branch: None if HEAD names no branch.
        sha: of a tag, if it is one.
        ref: of a branch or tag; None for HEAD.
        kept_at: its ref in the mirror.
    """

    branch: str | None
    sha: str
    ref: str | None = None
    kept_at: str = KEPT_AT

    @property
    def source(self) -> str:
        return self.ref or (f"refs/heads/{self.branch}" if self.branch else "HEAD")


def make_empty(repository: Path, *, digits: int) -> None:
    """Make an empty bare repository in a new folder, as `git init` does, and note that objects may stay at the host.

    Args:
        digits: of an oid: 40, or 64 with SHA-256.
    """
    (repository / "objects" / "pack").mkdir(parents=True)
    (repository / "refs" / "heads").mkdir(parents=True)
    extension = "" if digits == _DIGITS else "[extensions]\n\tobjectformat = sha256\n"
    (repository / "config").write_text(_CONFIG + extension, encoding="ascii")
    (repository / "HEAD").write_text(_OWN_HEAD, encoding="ascii")


def kept_oid(repository: Path, ref: str) -> str | None:
    """What a ref that was just fetched names; None unless git keeps it in a file of its own."""
    try:
        text = (repository / ref).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return text if _SHA.fullmatch(text) else None


def is_own_head(repository: Path) -> bool:
    try:
        return (repository / "HEAD").read_text(encoding="ascii") == _OWN_HEAD
    except (OSError, ValueError):
        return False


class Remote:
    """``resolve`` returns a URL's value of ``http.curloptResolve`` (``HOST:PORT:ADDRESS``) or None; it may raise."""

    def __init__(
        self, git: Git, url: str, *, resolve: Callable[[str], str | None] | None = None, stop: Stop | None = None
    ) -> None:
        self.url = url
        self._git = git
        self._stop = stop
        pinned = resolve(url) if resolve else None
        self._pin = (f"http.curloptResolve={pinned}",) if pinned else ()
        # A user's git may need a proxy or credentials, which only git knows.
        self._upload_pack = UploadPack(url, pinned, stop) if resolve else None

    def close(self) -> None:
        if self._upload_pack:
            self._upload_pack.close()

    def head(self) -> RemoteHead:
        """Ask the host for its HEAD; follow up to three redirects on the same origin.

        Raises:
            HistoryError: 'empty', 'no-default-branch', 'missing', 'redirected', 'unreachable', …
            Interrupted: the work was stopped.
        """
        return self._following(self._head)

    def find(self, revision: str) -> RemoteHead:
        """Ask the host for a branch or tag; follow redirects as :meth:`head` does.

        Raises:
            HistoryError: 'no-such-revision', 'missing', 'redirected', 'unreachable', …
            Interrupted: the work was stopped.
        """
        return self._following(lambda: self._revision(revision))

    def _following(self, ask: Callable[[], RemoteHead]) -> RemoteHead:
        for _ in range(_MOST_REDIRECTS):
            try:
                return ask()
            except HistoryError as error:
                if error.code != "redirected":
                    raise
            self.url = self._moved_to()
            if self._upload_pack:
                self._upload_pack.url = self.url
        return ask()

    def fetch(
        self,
        head: RemoteHead,
        repository: Path,
        progress: Progress,
        *,
        meanwhile: Callable[[], bool] | None = None,
    ) -> None:
        """Fetch the commits of ``head`` into ``repository``, whose HEAD names those of the default branch.

        Args:
            meanwhile: see :meth:`Git.transfer`.

        Raises:
            HistoryError: 'shallow', 'interrupted-transfer', 'too-large', 'disk-full', …
            Interrupted: the work was stopped.
        """
        self._transfer(repository, f"+{head.source}:{head.kept_at}", progress, meanwhile=meanwhile)
        if not is_own_head(repository):
            # Faster than `git symbolic-ref`.
            (repository / "HEAD").write_text(_OWN_HEAD, encoding="ascii")

    def fetch_head(
        self, repository: Path, progress: Progress, *, meanwhile: Callable[[], bool] | None = None
    ) -> RemoteHead:
        """Fetch the host's HEAD without asking for it first; return it. ``repository`` is empty and SHA-1.

        Raises:
            UnknownHead: there is no HEAD, it is SHA-256, or it has moved.
            HistoryError: as :meth:`fetch`.
            Interrupted: the work was stopped.
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

    def fetch_small(self, repository: Path, progress: Progress) -> RemoteHead | None:
        """Fetch the host's HEAD into an empty repository; None if git must: it is large, or something is unusual.

        Raises:
            Interrupted: the work was stopped.
        """
        host = self._upload_pack
        head = host.head() if host else None
        pack = host.history(head[0]) if host and head else None
        if head is None or pack is None:
            return None
        progress("receiving", 100)
        words = ("index-pack", "--stdin", "--promisor")
        if self._git.run(*words, repository=repository, stdin=pack, stop=self._stop).code != 0:
            return None
        found = RemoteHead(_branch(head[1]), head[0])
        ref = repository / found.kept_at
        ref.parent.mkdir()
        ref.write_text(f"{found.sha}\n", encoding="ascii")
        return found

    def read_object(self, kind: Literal["tree", "blob"], oid: str) -> bytes | None:
        """Ask the host for one object without git; None if only git can (SHA-1 only)."""
        return self._upload_pack.object(kind, oid) if self._upload_pack else None

    def fetch_object(self, kind: Literal["tree", "blob"], oid: str, repository: Path) -> None:
        """Fetch one object alone.

        Raises:
            HistoryError: the host refuses, or as :meth:`fetch`.
            Interrupted: the work was stopped.
        """
        content = self.read_object(kind, oid)
        words = ("hash-object", "-w", "--literally", "-t", kind, "--stdin")
        if content is not None and not self._git.run(*words, repository=repository, stdin=content).code:
            return
        # Negotiation would cost more than the object.
        self._transfer(
            repository,
            oid,
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
            # Not stored: while commits are counted, git knows no remote to fetch from.
            configuration=(f"remote.origin.url={self.url}", *self._pin, *configuration),
            ceiling=ceiling,
            meanwhile=meanwhile,
            stop=self._stop,
        )
        if b"shallow roots" in errors:
            # git only warns.
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

    def _revision(self, revision: str) -> RemoteHead:
        names = refs_named(revision)
        lines = (line.partition("\t") for line in self._ask(*names).split("\n"))
        # git matches the end of a name, too.
        found = {name: value for value, _, name in lines if _SHA.fullmatch(value)}
        for name in names:
            if name in found:
                return RemoteHead(None, found[name], name, kept_at(revision))
        near = self._similar(revision)
        raise HistoryError(
            "no-such-revision",
            f"{_host(self.url)} has no branch or tag {revision} in this repository"
            f"{f' (there is {clean(near)})' if near else ''}: check the name, or leave it out for the default branch.",
        )

    def _similar(self, revision: str) -> str | None:
        try:
            lines = self._ask("--heads", "--tags", "--refs").split("\n")
        except HistoryError:
            return None
        return similar(revision, (line.partition("\t")[2].removeprefix("refs/").partition("/")[2] for line in lines))

    def _ask(self, *words: str) -> str:
        options, patterns = [w for w in words if w.startswith("-")], [w for w in words if not w.startswith("-")]
        answer = self._git.run(
            "ls-remote",
            *options,
            "--end-of-options",
            self.url,
            *patterns,
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
        try:
            moved = urljoin(self.url + _DISCOVERY, found[-1]) if found else ""
            base = moved.removesuffix(_DISCOVERY)
            is_followed = base != moved and _origin(base) == _origin(self.url) and _is_repository(base)
        except ValueError:
            # The host names no URL.
            base, is_followed = "", False
        if not is_followed:
            raise HistoryError(
                "redirected",
                f"The repository has moved to {clean(base) or 'another address'}, which is not followed: name the new "
                "address.",
            )
        return base


def kept_at(revision: str | None) -> str:
    """The ref of the mirror under which a branch or tag is kept; None: the default branch."""
    if revision is None:
        return KEPT_AT
    return f"{KEPT_REVISIONS}/{hashlib.sha256(revision.encode()).hexdigest()[:32]}"


def _branch(target: str) -> str | None:
    return target.removeprefix("refs/heads/") if _BRANCH.fullmatch(target) else None


def _traced(trace: Path) -> RemoteHead | None:
    try:
        with trace.open("rb") as packets:
            found = _TRACED_HEAD.search(packets.read(_MOST_TRACED))
    except FileNotFoundError:
        return None
    if found is None:
        return None
    sha, *targets = found.groups(b"")
    return RemoteHead(_branch(b"".join(targets).decode("utf-8", "replace")), sha.decode())


def _is_repository(url: str) -> bool:
    try:
        address = parse_address(url)
    except BadAddress:
        return False
    return address.clone_url.removesuffix(".git") == url.removesuffix(".git")


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] if "://" in url else url.partition(":")[0].rpartition("@")[2]


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
