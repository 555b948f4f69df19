"""All that boards of one repository are made of, each part read or worked out once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from podium.leaderboard.grouping import Accounts, Groups, Unresolved, group, load_accounts, unresolved
from podium.leaderboard.people import Activity, People, load_activity, load_people
from podium.leaderboard.ranking import Seniority, Standings, rank, seniority
from podium.leaderboard.rules import Rules
from podium.leaderboard.timeline import Timeline, timeline
from podium.repositories.address import host_of
from podium.storage.session import Row, Session


class Sized(Protocol):
    """Something that knows about how many bytes it takes."""

    @property
    def size(self) -> int:
        """About how many bytes it takes."""


Part = TypeVar("Part", bound=Sized)


class Keep(Protocol):
    """Keeps the parts of a ledger between two readings of a board: gives what it has, or what ``make`` makes."""

    def __call__(self, key: tuple[object, ...], make: Callable[[], Part], /) -> Part:
        """The part of that key."""


def keep_nothing(_key: tuple[object, ...], make: Callable[[], Part], /) -> Part:
    """Make it anew each time."""
    return make()


class Ledger:
    """The parts of one repository's boards.

    Args:
        session: a transaction that is open as long as the ledger is used.
        repository: its whole row, whose commits have been counted.
        github_url: the configured GitHub's web address, of whose accounts all boards speak.
        keep: where parts are kept. Their keys change with what they are made of: the counts with each count of the
            repository, the accounts with the edition of the row as well (see :func:`edition`).
    """

    def __init__(self, session: Session, repository: Row, github_url: str, keep: Keep = keep_nothing) -> None:
        self.session = session
        self.repository = repository
        self.github_url = github_url
        self.github_host = host_of(github_url)
        self._keep = keep
        self._have: dict[tuple[object, ...], object] = {}
        self._count = (repository["id"], repository["generation"], repository["commits_processed_at"])
        self._edition = edition(repository)

    def _part(self, key: tuple[object, ...], make: Callable[[], Part]) -> Part:
        # A ledger is of one moment: what it has once, it has until the end.
        if key not in self._have:
            self._have[key] = self._keep(key, make)
        return self._have[key]  # type: ignore[return-value]

    def people(self) -> People:
        """What was counted, person by person."""
        number = self.repository["id"]
        return self._part(("people", self._count), lambda: load_people(self.session, number))

    def activity(self) -> Activity:
        """What was counted, week by week."""
        number = self.repository["id"]
        return self._part(("activity", self._count), lambda: load_activity(self.session, number, self.people()))

    def accounts(self, rules: Rules) -> Accounts:
        """Whose e-mail is whose."""
        if not rules.identities:
            return Accounts({}, {})
        number = self.repository["id"]
        return self._part(("accounts", self._edition), lambda: load_accounts(self.session, number, self.github_host))

    def groups(self, rules: Rules) -> Groups:
        """Which people belong together."""
        key = ("groups", self._edition, rules.identities, rules.mailmap)
        return self._part(key, lambda: group(self.people(), self.accounts(rules), mailmap=rules.mailmap))

    def seniority(self, rules: Rules) -> Seniority:
        """Who comes first of those who count the same."""
        key = ("seniority", self._edition, rules.identities, rules.mailmap, rules.merges, rules.co_authors)
        return self._part(key, lambda: seniority(self.people(), self.accounts(rules), self.groups(rules), rules))

    def standings(self, rules: Rules) -> Standings:
        """The ranking under ``rules``."""
        return self._part(
            ("standings", self._edition, rules),
            lambda: rank(self.people(), self.groups(rules), self.seniority(rules), rules, self.activity),
        )

    def timeline(self, rules: Rules) -> Timeline:
        """What people, bots and agents did, week by week, over all of history."""
        key = ("timeline", self._edition, rules.identities, rules.mailmap, rules.merges)
        return self._part(key, lambda: timeline(self.people(), self.activity(), self.groups(rules), rules))

    def unresolved(self) -> Unresolved:
        """The e-mails of people without an account."""
        return self._part(("unresolved", self._edition), lambda: unresolved(self.people(), self.accounts(Rules())))

    def part(self, key: tuple[object, ...], make: Callable[[], Part]) -> Part:
        """Anything else that is made of these parts alone; ``key`` says what, and under which rules."""
        return self._part((*key, self._edition), make)


def edition(repository: Row) -> tuple[object, ...]:
    """What changes when a repository's boards may: its counts, its state, or the accounts that are being found."""
    state = repository["state"]
    return (
        repository["id"],
        repository["generation"],
        repository["head"],
        repository["commits_processed_at"],
        repository["users_processed_at"],
        state,
        repository["error"] if state == "failed" else None,
        # Each batch of accounts that is done is noted as progress.
        repository["updated_at"] if state == "users_processing" else None,
    )
