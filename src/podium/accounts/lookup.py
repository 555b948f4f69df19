"""The interface of hosts that know the accounts behind e-mails."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from podium.repositories.model import Repository
from podium.repositories.store.queue.unresolved import FINAL, WhyUnresolved


@dataclasses.dataclass(frozen=True, slots=True)
class PendingEmail:
    """``shas`` are commits that name the e-mail, the best one first. ``authored`` is 0 for co-authors only."""

    email: str
    shas: tuple[str, ...]
    authored: int


@dataclasses.dataclass(frozen=True, slots=True)
class GitHubAccount:
    """``account_id`` is the key: logins change and are reused.

    ``name_known`` is False if the host did not state the name; else a missing ``name`` means that there is none.
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
    """One step of a lookup.

    Attributes:
        accounts: by e-mail, requested or not; None: the e-mail belongs to no account.
        unanswered: requested e-mails that no known commit could answer.
        skipped_reason: why some e-mails cannot be looked up.
        wait_until: the end of a limit (epoch seconds). Last step.
        give_up: why nothing more can be learned for now. Last step.
        unresolved: when what was skipped or given up can be looked up after all.
    """

    accounts: Mapping[str, GitHubAccount | None] = dataclasses.field(default_factory=dict)
    unanswered: frozenset[str] = frozenset()
    skipped_reason: str | None = None
    wait_until: float | None = None
    give_up: str | None = None
    unresolved: WhyUnresolved = FINAL


class Lookup(Protocol):
    """Finds the accounts behind e-mails. Thread-safe."""

    def find(
        self, repository: Repository, pending: Sequence[PendingEmail], stop: threading.Event, /
    ) -> Iterator[LookupStep]:
        """Look up ``pending``, in order of importance.

        The caller saves each step, because the next one may be interrupted. An e-mail in no step's ``accounts`` or
        ``unanswered`` could not be looked up.

        Raises:
            LookupFault: the host has a fault; the rest may be looked up later.
            Interrupted: ``stop`` was set.
        """

    def close(self) -> None: ...


class NoLookup:
    """The lookup without a host: every e-mail stays unresolved."""

    def find(
        self, _repository: Repository, _pending: Sequence[PendingEmail], _stop: threading.Event, /
    ) -> Iterator[LookupStep]:
        yield LookupStep(give_up="Accounts were not looked up.")

    def close(self) -> None: ...
