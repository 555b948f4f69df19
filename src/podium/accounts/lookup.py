"""What asking a host about e-mails means: the interface between the user job and whoever can answer it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from podium.storage.session import Row


@dataclasses.dataclass(frozen=True, slots=True)
class PendingEmail:
    """An e-mail to look up.

    ``shas`` are commits of the repository that name it, the best to ask by first; ``authored`` is the number of
    commits, merges too, whose author it is: 0 for who only ever co-authored.
    """

    email: str
    shas: tuple[str, ...]
    authored: int


@dataclasses.dataclass(frozen=True, slots=True)
class GitHubAccount:
    """An account of the configured GitHub. ``account_id`` is its key: logins change, and are given to others.

    ``name_told``: whether a missing ``name`` means that there is none, or only that it was not told.
    """

    account_id: int
    login: str | None
    name: str | None = None
    avatar_url: str | None = None
    profile_url: str | None = None
    is_bot: bool = False
    name_told: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class LookupStep:
    """What a step of asking brought.

    people: by e-mail, its account, or None where the host says that nobody owns it; also e-mails that were not
        wanted.
    unanswered: wanted, and the host told nothing of them by any commit that is known here.
    skipped_reason: why some of those wanted cannot be asked for, for people; others of this repository may be.
    wait_until: a limit is in force: ask for the rest then (epoch seconds). The last step.
    give_up: nothing more can be learnt about this repository for now, and why, for people. The last step.
    """

    people: Mapping[str, GitHubAccount | None] = dataclasses.field(default_factory=dict)
    unanswered: frozenset[str] = frozenset()
    skipped_reason: str | None = None
    wait_until: float | None = None
    give_up: str | None = None


class Lookup(Protocol):
    """Finds the accounts behind e-mails. Safe to share between threads."""

    def find(self, repository: Row, wanted: Sequence[PendingEmail], stop: threading.Event, /) -> Iterator[LookupStep]:
        """Ask about ``wanted``, authors and co-authors of commits of ``repository``, those most worth knowing first.

        Each step is worth saving: what follows may be cut off. What is neither told nor untold in the end could not
        be asked for.

        Raises:
            LookupFault: the host stumbles; what was not told may be asked for again later.
            Interrupted: ``stop`` was set.
        """

    def close(self) -> None:
        """Close whatever is open."""


class NoLookup:
    """The look-up of a Podium that has nobody to ask: everything stays unresolved."""

    def find(
        self, _repository: Row, _wanted: Sequence[PendingEmail], _stop: threading.Event, /
    ) -> Iterator[LookupStep]:
        """Give up at once."""
        yield LookupStep(give_up="Accounts were not asked for.")

    def close(self) -> None:
        """Nothing is open."""
