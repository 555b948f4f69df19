"""Mirrors: bare clones without files. A cache, which may be deleted at any time.

A mirror is locked while it is counted, fetched or removed. A first clone gets the mirror's name when it is complete.
The branches and tags of a repository that are counted are in its one mirror, each under its own ref.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from podium.clones.locks import if_free, locked
from podium.clones.mailmaps.remote_mailmap import bring_mailmap
from podium.clones.remote import KEPT_AT, KEPT_REVISIONS, Remote, RemoteHead, is_own_head, kept_oid, make_empty
from podium.errors import HistoryError, UnknownHead
from podium.git.command import Git
from podium.git.error_messages import shallow_host
from podium.git.limits import Stop, bytes_on_disk, disk_full
from podium.git.progress import Progress
from podium.history.totals import Tally
from podium.history.walks.incoming_pack import IncomingPack

# A file in a mirror: the id of the row that it was opened for last.
_OWNER = "podium-owner"
# Each fetch adds a pack or two. With more than this a new clone is cheaper.
_MOST_PACKS = 100
# Refs of branches and tags in a mirror. They save traffic only: the least recently used are removed.
_MOST_REVISIONS = 20
# Seconds until the sizes of all mirrors are measured again: other processes add some, too.
_MEASURE_EVERY = 30.0
_DAMAGED = ("corrupt", "not-a-repository")
_LEFT_BEHIND = ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror that is open and up to date.

    Attributes:
        branch: None if the host's HEAD names none.
        url: where the repository is now, on the same origin.
        mailmap: a blob.
        note: why an existing mailmap is not applied.
        incoming: what was counted during a first clone, else None.
    """

    path: Path
    head: str
    branch: str | None
    url: str
    mailmap: str | None
    note: str | None
    incoming: IncomingPack | None

    def discard(self) -> None:
        """Delete it if damaged; the next :meth:`Mirrors.open` clones again."""
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class MirrorOwner:
    """Whose a mirror is: a repository keeps it under another name, and another one with its name has none yet.

    ids: of its rows, also of those that were joined to them.
    former_keys: names that it had.
    """

    ids: Collection[int]
    former_keys: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Transfer:
    remote: Remote
    progress: Progress
    on_arrival: Callable[[Tally, int], None]
    stop: Stop | None
    revision: str | None
    on_moved: Callable[[str], None]

    def ask(self) -> RemoteHead:
        url = self.remote.url
        head = self.remote.head() if self.revision is None else self.remote.find(self.revision)
        if self.remote.url != url:
            self.on_moved(self.remote.url)
        return head


@dataclass(frozen=True, slots=True)
class _Fetched:
    head: RemoteHead
    commit: str
    incoming: IncomingPack | None = None


class Mirrors:
    """The mirrors in one folder, which several processes may share.

    Args:
        git: its ``disk_reserve`` must be free before each clone.
        cache_bytes: the limit of all mirrors; the least recently used are removed first.
        resolve: a URL's value of ``http.curloptResolve``, or None; may raise.
    """

    def __init__(
        self,
        folder: Path,
        git: Git,
        *,
        cache_bytes: int | None = None,
        resolve: Callable[[str], str | None] | None = None,
    ) -> None:
        self._folder = folder
        self._git = git
        self._cache_bytes = cache_bytes
        self._resolve = resolve
        self._sizes: dict[str, int] = {}
        self._measured_at = float("-inf")

    @contextlib.contextmanager
    def open(
        self,
        *,
        host: str,
        owner: str,
        name: str,
        key: str,
        url: str,
        progress: Progress,
        revision: str | None = None,
        on_arrival: Callable[[Tally, int], None] = lambda *_: None,
        on_moved: Callable[[str], None] = lambda _: None,
        kept_for: MirrorOwner | None = None,
        stop: Stop | None = None,
    ) -> Iterator[Mirror]:
        """Bring the mirror of a repository up to date and lock it.

        Args:
            host, owner, name: for the folder's name.
            key: identifies the repository.
            revision: a branch or tag; None: the default branch.
            on_arrival: called with the totals of the commits counted during the transfer, and the number of objects
                that arrive; may raise.
            on_moved: called with the URL to which the host redirects, before anything is fetched; may raise.
            kept_for: None: any repository with the key.

        Raises:
            HistoryError: the mirror cannot be brought up to date.
            Interrupted: ``stop`` was set.
        """
        path = mirror_path(self._folder, host, owner, name, key)
        with contextlib.ExitStack() as stack:
            with _folder_faults():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                stack.enter_context(locked(_lock_of(path), stop))
                stack.callback(_forget_lock_of_nothing, path)
                remote = stack.enter_context(
                    contextlib.closing(Remote(self._git, url, resolve=self._resolve, stop=stop))
                )
                transfer = _Transfer(remote, progress, on_arrival, stop, revision, on_moved)
                if kept_for is not None:
                    self._take_over(path, kept_for)
                mirror = self._opened(path, transfer, self._update(path, transfer, stack))
                if kept_for is not None:
                    (path / _OWNER).write_text(str(min(kept_for.ids)), encoding="ascii")
                os.utime(path)
            yield mirror
        # It says nothing about this repository.
        with contextlib.suppress(OSError):
            self._keep_within_cache(path)

    def discard(self, host: str, owner: str, name: str, key: str) -> None:
        """Delete a mirror, unless another process uses it, and the clones of dead processes."""
        path = mirror_path(self._folder, host, owner, name, key)
        # Otherwise the next clone sweeps.
        with contextlib.suppress(OSError):
            with if_free(_lock_of(path)) as free:
                if free:
                    shutil.rmtree(path, ignore_errors=True)
                    _lock_of(path).unlink(missing_ok=True)
            with locked(self._folder / ".lock"):
                self._sweep()

    def remove_unknown(self, known: Collection[str], *, age: float) -> int:
        """Delete mirrors of other keys than those of the ``known`` folders that were not used for ``age`` seconds.

        Returns:
            How many were deleted.
        """
        before = time.time() - age
        removed = 0
        # A renamed repository's mirror has the new name when it is opened.
        marks = {_mark(name) for name in known}
        for path in self._folder.glob("mirror+*.git"):
            if _mark(path.name) in marks or _used_at(path) > before:
                continue
            with contextlib.suppress(OSError), if_free(_lock_of(path)) as free:
                if free:
                    shutil.rmtree(path, ignore_errors=True)
                    _lock_of(path).unlink(missing_ok=True)
                    removed += 1
        return removed

    def _take_over(self, path: Path, owner: MirrorOwner) -> None:
        """Remove the mirror of another repository that had this name, and give this one's its present name."""
        if path.exists() and not _is_of(path, owner):
            shutil.rmtree(path)
        for key in owner.former_keys:
            if path.exists():
                return
            for former in self._folder.glob(f"mirror+*-{_hash(key)}.git"):
                with if_free(_lock_of(former)) as free:
                    if free and former != path and former.exists() and _is_of(former, owner) and not path.exists():
                        former.rename(path)
                        _lock_of(former).unlink(missing_ok=True)

    def _update(self, path: Path, transfer: _Transfer, stack: contextlib.ExitStack) -> _Fetched:
        if path.exists():
            head = transfer.ask()
            try:
                return _Fetched(head, self._refresh(path, transfer, head))
            except HistoryError as error:
                # Without the others, what is wanted may be small enough.
                is_alone = not _others_than(head, path)
                if error.code in (*_DAMAGED, "too-large"):
                    shutil.rmtree(path)
                if error.code not in _DAMAGED and (error.code != "too-large" or is_alone):
                    raise
        if transfer.revision is not None:
            return self._clone(path, transfer, transfer.ask(), stack)
        small = self._clone_small(path, transfer, stack)
        if small is not None:
            return small
        try:
            return self._clone(path, transfer, None, stack)
        except UnknownHead:
            return self._clone(path, transfer, transfer.ask(), stack)

    def _clone_small(self, path: Path, transfer: _Transfer, stack: contextlib.ExitStack) -> _Fetched | None:
        """None if git must clone it."""
        incoming = IncomingPack(40, transfer.on_arrival)
        stack.callback(incoming.close)
        with self._incoming(transfer.stop) as clone:
            make_empty(clone, digits=40)
            head = transfer.remote.fetch_small(clone, transfer.progress)
            most = self._git.limits.repository_bytes
            if head is None or (most is not None and bytes_on_disk(clone) > most):
                return None
            incoming.step(clone)
            incoming.finish(clone, head.sha)
            if incoming.tally is None:
                return None
            clone.rename(path)
            return _Fetched(head, head.sha, incoming)

    def _clone(self, path: Path, transfer: _Transfer, head: RemoteHead | None, stack: contextlib.ExitStack) -> _Fetched:
        digits = len(head.sha) if head else 40
        incoming = IncomingPack(digits, transfer.on_arrival)
        stack.callback(incoming.close)
        with self._incoming(transfer.stop) as clone:
            make_empty(clone, digits=digits)

            def follow() -> bool:
                return incoming.step(clone)

            if head:
                transfer.remote.fetch(head, clone, transfer.progress, meanwhile=follow)
            else:
                head = transfer.remote.fetch_head(clone, transfer.progress, meanwhile=follow)
            # The incoming pack proves that the head of the default branch is a commit.
            commit = kept_oid(clone, head.kept_at) if transfer.revision is None and incoming.has_begun else None
            commit = commit or self._commit(clone, head, transfer)
            clone.rename(path)
            return _Fetched(head, commit, incoming)

    def _refresh(self, path: Path, transfer: _Transfer, head: RemoteHead) -> str:
        for pattern in _LEFT_BEHIND:
            for file in path.glob(pattern):
                file.unlink()
        if sum(1 for _ in path.glob("objects/pack/*.pack")) > _MOST_PACKS:
            raise HistoryError("corrupt", "The mirror is in too many pieces.")
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", head.kept_at)
        kept = self._git.run(*words, repository=path, stop=transfer.stop)
        if not is_own_head(path) or kept.output.decode().strip() != head.sha:
            transfer.remote.fetch(head, path, transfer.progress)
        _forget_old_revisions(path, head)
        return self._commit(path, head, transfer)

    def _opened(self, path: Path, transfer: _Transfer, fetched: _Fetched) -> Mirror:
        if (path / "shallow").exists():
            shutil.rmtree(path)
            raise shallow_host()
        incoming, commit = fetched.incoming, fetched.commit
        if incoming and incoming.has_begun:
            mailmap, note = self._finished(path, transfer, commit, incoming)
            if incoming.fault:
                commit = self._commit(path, fetched.head, transfer)
        else:
            incoming = None
            mailmap, note = bring_mailmap(self._git, path, transfer.remote, commit, stop=transfer.stop)
        return Mirror(path, commit, fetched.head.branch, transfer.remote.url, mailmap, note, incoming)

    def _finished(
        self, path: Path, transfer: _Transfer, commit: str, incoming: IncomingPack
    ) -> tuple[str | None, str | None]:
        try:
            incoming.begin(path)
            head_commit = incoming.commit(commit)
            with ThreadPoolExecutor(1) as other:
                mailmap = other.submit(
                    bring_mailmap, self._git, path, transfer.remote, commit, commit=head_commit, stop=transfer.stop
                )
                incoming.finish(path, commit)
        except HistoryError:
            # It has too many commits.
            shutil.rmtree(path)
            raise
        return mailmap.result()

    def _commit(self, path: Path, head: RemoteHead, transfer: _Transfer) -> str:
        if transfer.revision is not None:
            found = self._git.run("cat-file", "-t", f"{head.kept_at}^{{}}", repository=path, stop=transfer.stop)
            if found.output.strip() in (b"tree", b"blob"):
                raise HistoryError("bad-rev", f"{transfer.revision} is a tag of files, not of a commit: name another.")
        words = ("rev-parse", "--verify", "--end-of-options", f"{head.kept_at}^{{commit}}")
        return self._git.read(*words, repository=path, stop=transfer.stop).decode().strip()

    @contextlib.contextmanager
    def _incoming(self, stop: Stop | None) -> Iterator[Path]:
        path = self._folder / f"incoming-{secrets.token_hex(8)}"
        lock = _lock_of(path)
        with contextlib.ExitStack() as stack:
            with locked(self._folder / ".lock", stop):
                under_way = self._sweep()
                needed = (self._git.limits.disk_reserve or 0) * (under_way + 1)
                if not self._remove_until(lambda: shutil.disk_usage(self._folder).free >= needed):
                    raise disk_full()
                stack.enter_context(locked(lock))
                stack.callback(lock.unlink, missing_ok=True)
                path.mkdir(mode=0o700)
            stack.callback(shutil.rmtree, path, ignore_errors=True)
            yield path

    def _sweep(self) -> int:
        """Remove clones of dead processes; return the number of others. Another user's stay."""
        alive = 0
        for lock in self._folder.glob("incoming-*.lock"):
            with contextlib.suppress(PermissionError), if_free(lock) as free:
                if free:
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                    lock.unlink(missing_ok=True)
                else:
                    alive += 1
        return alive

    def _keep_within_cache(self, used: Path) -> None:
        """Remove mirrors beyond the limit. Their sizes are known from an earlier look: each takes milliseconds."""
        most = self._cache_bytes
        if most is None:
            return
        if time.monotonic() - self._measured_at < _MEASURE_EVERY:
            self._sizes[used.name] = bytes_on_disk(used)
            if sum(self._sizes.values()) <= most:
                return
        self._remove_until(lambda: self._measure() <= most)

    def _measure(self) -> int:
        self._sizes = {path.name: bytes_on_disk(path) for path in self._folder.glob("*.git")}
        self._measured_at = time.monotonic()
        return sum(self._sizes.values())

    def _remove_until(self, enough: Callable[[], bool]) -> bool:
        """Remove the least recently used first. Another user's, such as those of a command run as root, stay."""
        if enough():
            return True
        for path in sorted(self._folder.glob("*.git"), key=_used_at):
            lock = _lock_of(path)
            with contextlib.suppress(PermissionError), if_free(lock) as free:
                if free:
                    shutil.rmtree(path, ignore_errors=True)
                    lock.unlink(missing_ok=True)
            if enough():
                return True
        return False


@contextlib.contextmanager
def _folder_faults() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full() from error
        raise HistoryError("mirrors", f"The folder of mirrors cannot be used: {error.strerror}.") from error


def mirror_path(folder: Path, host: str, owner: str, name: str, key: str) -> Path:
    """Where a mirror is in the folder of mirrors. Its name is readable, unique, and no path to another folder."""
    words = "+".join(quote(word, safe="")[:60] for word in (host, owner, name))
    return folder / f"mirror+{words}-{_hash(key)}.git"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _mark(name: str) -> str:
    """What a mirror's name has of its repository's key."""
    return name.rpartition("-")[2]


def _is_of(path: Path, owner: MirrorOwner) -> bool:
    """Without a note it was made by an older version, under the name that it has."""
    try:
        return int((path / _OWNER).read_text(encoding="ascii")) in owner.ids
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False


def _others_than(head: RemoteHead, path: Path) -> list[Path]:
    """The refs of the mirror beside that of ``head``."""
    found = [path / KEPT_AT, *(path / KEPT_REVISIONS).glob("*")]
    return [ref for ref in found if ref.exists() and ref != path / head.kept_at]


def _forget_old_revisions(path: Path, head: RemoteHead) -> None:
    if (path / head.kept_at).exists():
        os.utime(path / head.kept_at)
    for ref in sorted((path / KEPT_REVISIONS).glob("*"), key=_used_at)[:-_MOST_REVISIONS]:
        ref.unlink(missing_ok=True)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _forget_lock_of_nothing(path: Path) -> None:
    """Without a mirror, its lock file would stay forever."""
    if not path.exists():
        _lock_of(path).unlink(missing_ok=True)


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
