"""The interface between the user job and a host that knows the accounts behind e-mails."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from podium.repositories.model import Repository


@dataclasses.dataclass(frozen=True, slots=True)
class PendingEmail:
    """An e-mail to look up.

    Attributes:
        shas: commits of the repository that name it, the best one to ask by first.
        authored: commits with this e-mail as author, merges included; 0: a co-author only.
    """

    email: str
    shas: tuple[str, ...]
    authored: int


@dataclasses.dataclass(frozen=True, slots=True)
class GitHubAccount:
    """An account of the configured GitHub. ``account_id`` is its key: logins change and are reused.

    ``name_known``: whether a missing ``name`` means that the account has none; False: the host did not state it.
    """

    account_id: int
    login: str | None
    name: str | None = None
    avatar_url: str | None = None
    profile_url: str | None = None
    is_bot: bool = False
    name_known: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class LookupStep:
    """The result of one step of a lookup.

    Attributes:
        accounts: by e-mail, requested or not; None: the host says that the e-mail belongs to no account.
        unanswered: requested e-mails on which the host said nothing, by any commit known here.
        skipped_reason: why some of the e-mails cannot be looked up, for people.
        wait_until: a limit is in force; ask for the rest then (epoch seconds). Last step.
        give_up: why nothing more can be learned about this repository for now, for people. Last step.
    """

    accounts: Mapping[str, GitHubAccount | None] = dataclasses.field(default_factory=dict)
    unanswered: frozenset[str] = frozenset()
    skipped_reason: str | None = None
    wait_until: float | None = None
    give_up: str | None = None


class Lookup(Protocol):
    """Finds the accounts behind e-mails. Thread-safe."""

    def find(
        self, repository: Repository, pending: Sequence[PendingEmail], stop: threading.Event, /
    ) -> Iterator[LookupStep]:
        """Look up ``pending``, authors and co-authors in ``repository``, in order of importance.

        The caller saves each step, because the next one may be interrupted. An e-mail that is in neither ``accounts``
        nor ``unanswered`` of any step could not be looked up.

        Raises:
            LookupFault: the host has a fault; the rest may be looked up later.
            Interrupted: ``stop`` was set.
        """

    def close(self) -> None:
        """Release resources."""


class NoLookup:
    """The lookup when there is no host to ask: every e-mail stays unresolved."""

    def find(
        self, _repository: Repository, _pending: Sequence[PendingEmail], _stop: threading.Event, /
    ) -> Iterator[LookupStep]:
        """Give up at once."""
        yield LookupStep(give_up="Accounts were not looked up.")

    def close(self) -> None:
        """Do nothing."""
