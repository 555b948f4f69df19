"""What asking a host about e-mails means: the interface between the user job and whoever can answer it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

from podium.storage.session import Row


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """An e-mail to look up, with a commit of the repository that names it."""

    email: str
    sample_sha: str


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """An account of the configured GitHub. ``account_id`` is its key: logins change, and are given to others."""

    account_id: int
    login: str | None
    name: str | None = None
    avatar_url: str | None = None
    profile_url: str | None = None
    is_bot: bool = False


class Lookup(Protocol):
    """Finds the accounts behind e-mails."""

    def accounts(self, repository: Row, wanted: Sequence[Wanted], /) -> Mapping[str, Account | None]:
        """Ask about ``wanted``, authors and co-authors of commits of ``repository``.

        Returns:
            By e-mail: its account, or None where the host says that nobody owns it. An e-mail that is missing could
            not be asked about and stays unresolved.
        """


class AskNobody:
    """The look-up of a Podium that has nobody to ask: everything stays unresolved."""

    def accounts(self, _repository: Row, _wanted: Sequence[Wanted], /) -> Mapping[str, Account | None]:
        """Answer nothing."""
        return {}
