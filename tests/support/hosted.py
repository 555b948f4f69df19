"""The repositories of a host on loopback: their numbers, names and readers, and where old names lead.

The doubles of GitHub, GitLab and Gitea and the git server share one :class:`Hosting`, so that they agree.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.github_history import RealRepository


@dataclasses.dataclass
class Hosted:
    """A repository at its host. Its number stays; everything else may change.

    web: the origin of its page, as payloads of hooks name it.
    readers: the tokens that may read it while it is private.
    """

    number: int
    full_name: str
    real: RealRepository
    web: str
    is_private: bool = False
    is_archived: bool = False
    readers: set[str] = dataclasses.field(default_factory=set)

    @property
    def owner(self) -> str:
        return self.full_name.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.rpartition("/")[2]

    @property
    def page(self) -> str:
        return f"{self.web}/{self.full_name}"

    @property
    def branch(self) -> str:
        """The default branch; it exists only where there is a ``head``."""
        return self.real.branch()

    @property
    def head(self) -> str | None:
        """The id of the default branch's latest commit; None: the repository is empty."""
        return self.real.tip(self.branch)

    def may_be_read_by(self, token: str) -> bool:
        return not self.is_private or token in self.readers


class Hosting:
    """Repositories by name, without regard to case, as every host compares names.

    web: the origin of the pages of repositories that are added from now on.
    """

    def __init__(
        self, folders: Mapping[str, Path] | None = None, first_number: int = 1000, web: str = "https://github.com"
    ) -> None:
        self.web = web
        self._next = first_number
        self._by_name: dict[str, Hosted] = {}
        # The repository that once had a name; a deleted one leads nowhere.
        self._former: dict[str, Hosted] = {}
        self._lock = threading.RLock()
        for name, folder in (folders or {}).items():
            self.add(name, folder)

    def add(self, name: str, folder: Path) -> Hosted:
        """Make a repository with a number of its own; a redirect from its name ends, as the name has a new owner."""
        with self._lock:
            assert name.lower() not in self._by_name, f"{name} is taken"
            hosted = Hosted(self._next, name, RealRepository(folder, self._next), self.web)
            self._next += 1
            self._by_name[name.lower()] = hosted
            self._former.pop(name.lower(), None)
            return hosted

    def rename(self, old: str, new: str) -> Hosted:
        """Rename a repository, or transfer it to another owner; the old name leads to it until another takes it."""
        with self._lock:
            hosted = self._by_name.pop(old.lower())
            assert new.lower() not in self._by_name, f"{new} is taken"
            hosted.full_name = new
            self._by_name[new.lower()] = hosted
            self._former[old.lower()] = hosted
            self._former.pop(new.lower(), None)
            return hosted

    def delete(self, name: str) -> Hosted:
        """Delete a repository; none of its names leads anywhere any more."""
        with self._lock:
            hosted = self._by_name.pop(name.lower())
            self._former = {old: other for old, other in self._former.items() if other is not hosted}
            hosted.real.close()
            return hosted

    def at(self, name: str) -> Hosted | None:
        """The repository that has this name now."""
        with self._lock:
            return self._by_name.get(name.lower())

    def find(self, name: str, token: str = "", *, follow: bool = True) -> Hosted | None:
        """The repository that has this name, or had it last, as far as ``token`` may know of it."""
        with self._lock:
            hosted = self._by_name.get(name.lower()) or (self._former.get(name.lower()) if follow else None)
            return hosted if hosted is not None and hosted.may_be_read_by(token) else None

    def numbered(self, number: int, token: str = "") -> Hosted | None:
        with self._lock:
            found = (hosted for hosted in self._by_name.values() if hosted.number == number)
            return next((hosted for hosted in found if hosted.may_be_read_by(token)), None)

    def __getitem__(self, name: str) -> Hosted:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[Hosted]:
        with self._lock:
            return iter(list(self._by_name.values()))

    def close(self) -> None:
        for hosted in self:
            hosted.real.close()
