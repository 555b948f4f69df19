"""What boards are made of: the data of one repository, and its ranking under one set of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from podium.bots.tools import BUILT_IN, Bots
from podium.errors import BadCommitLog
from podium.leaderboard.board_size import board_size, check_board_size
from podium.leaderboard.counts.commit_log import CommitLog, DatedSets, Window, read_log, read_roles
from podium.leaderboard.counts.credits import Credits, credit
from podium.leaderboard.counts.timeline import CommitsByDay, LastDay, Timeline, commits_by_day, last_day, timeline
from podium.leaderboard.counts.year_runs import YearRuns, year_runs
from podium.leaderboard.joining.grouping import Groups, Unresolved, group_people, unresolved
from podium.leaderboard.joining.known_accounts import Accounts, load_accounts
from podium.leaderboard.ranking import (
    FirstCommits,
    IdentityOrder,
    Ranking,
    TieBreak,
    first_commits,
    identity_order,
    rank,
    tie_break,
)
from podium.leaderboard.rows.people import People, load_people
from podium.leaderboard.rules import Rules
from podium.leaderboard.windows import before
from podium.repositories.address import host_of
from podium.repositories.model import Repository, State
from podium.storage.commit_log import segments
from podium.storage.commit_log.segment import Segment
from podium.storage.session import Session


class Sized(Protocol):
    @property
    def size(self) -> int:
        """Bytes, roughly."""


Part = TypeVar("Part", bound=Sized)


class Keep(Protocol):
    def __call__(self, key: tuple[object, ...], make: Callable[[], Part], *, usual: bool) -> Part:
        """``usual`` is False for the many parts that depend on a window or on an unusual joining of people."""


def keep_on() -> None:
    """Continue, for readers who wait until the end."""


def keep_nothing(key: tuple[object, ...], make: Callable[[], Part], *, usual: bool) -> Part:  # noqa: ARG001 - Keep
    return make()


class BoardData:
    """The counts and accounts of one repository. Each part is loaded on first use.

    Args:
        session: a transaction that stays open as long as this object is used.
        keep: a cache of parts. Keys change with the count or with :func:`cache_key`.
        check: called between the steps of long work; raises an error to end it.
        bots: the same for all boards of a cache.
    """

    def __init__(
        self,
        session: Session,
        repository: Repository,
        github_url: str,
        keep: Keep = keep_nothing,
        check: Callable[[], None] = keep_on,
        *,
        bots: Bots = BUILT_IN,
    ) -> None:
        self.bots = bots
        self.check = check
        self.session = session
        self.repository = repository
        self.github_url = github_url
        self.github_host = host_of(github_url)
        self._keep = keep
        self._id = repository.id
        self._count = (self._id, repository.generation, repository.commits_processed_at)
        self._cache_key = cache_key(repository)
        self._parts: dict[tuple[object, ...], object] = {}
        # Weak, because each holds this object: a cycle would keep the memory of a board until Python looks for garbage.
        self._ranked: WeakValueDictionary[Rules, Ranked] = WeakValueDictionary()

    def under(self, rules: Rules) -> Ranked:
        ranked = self._ranked.get(rules)
        if ranked is None:
            ranked = self._ranked[rules] = Ranked(self, rules)
        return ranked

    @property
    def usual_people(self) -> int | None:
        """People under the default rules, if they were ranked here."""
        usual = self._parts.get((*_ranking_key(Rules()), self._cache_key))
        return len(usual.order) if isinstance(usual, Ranking) else None

    def part(self, key: tuple[object, ...], make: Callable[[], Part], *, usual: bool = True) -> Part:
        """A value derived from this repository; ``key`` names it and the rules that it depends on."""
        return self._part((*key, self._cache_key), make, usual=usual)

    def _part(self, key: tuple[object, ...], make: Callable[[], Part], *, usual: bool = True) -> Part:
        # The cache may drop a part at any time, but one board must use one version of each.
        if key not in self._parts:
            self.check()
            self._parts[key] = self._keep(key, make, usual=usual)
        return self._parts[key]  # type: ignore[return-value]

    def check_size(self, max_bytes: int) -> None:
        """Refuse the board before any of it is loaded.

        Raises:
            BoardTooLarge: it would take more than ``max_bytes`` of memory.
        """
        key = ("size", self._count)
        check_board_size(self._part(key, lambda: board_size(self.session, self.repository, max_bytes)), max_bytes)

    @cached_property
    def people(self) -> People:
        return self._part(("people", self._count), lambda: load_people(self.session, self._id, self.check, self.bots))

    @cached_property
    def log(self) -> CommitLog:
        """Raises BadCommitLog: it is damaged, or does not fit the rest of the count."""
        return self._part(("log", self._count), self._read_log)

    @cached_property
    def commits_by_day(self) -> CommitsByDay:
        return self._part(("commits_by_day", self._count), lambda: commits_by_day(self.log))

    def last_day(self, *, merges: bool) -> LastDay:
        return self._part(("last_day", merges, self._count), lambda: last_day(self.log, merges=merges))

    @cached_property
    def year_runs(self) -> YearRuns:
        return self._part(("year_runs", self._count), lambda: year_runs(self.log))

    @cached_property
    def roles(self) -> DatedSets:
        """The commits that give people roles. Raises BadCommitLog like :attr:`log`."""
        return self._part(
            ("roles", self._count),
            lambda: read_roles(self._segments("roles", "role_sets"), self.people, self.check),
            usual=False,
        )

    def _read_log(self) -> CommitLog:
        chain = segments.links(self.session, self._id, self.repository.count_id)
        return read_log(
            self._segments("named", "named_sets"),
            self.people,
            self.repository,
            self.check,
            is_coarse=any(link.is_coarse for link in chain),
        )

    def _segments(self, *columns: str) -> Iterator[Segment]:
        for _, segment in segments.load(self.session, self._id, self.repository.count_id, columns):
            yield segment

    @cached_property
    def accounts(self) -> Accounts:
        key = accounts_key(self.repository)
        return self._part(key, lambda: load_accounts(self.session, self._id, self.github_host, self.bots))

    @cached_property
    def unresolved(self) -> Unresolved:
        return self.part(("unresolved",), lambda: unresolved(self.people, self.accounts))


class Ranked:
    """The people of a repository ranked under ``rules``."""

    def __init__(self, data: BoardData, rules: Rules) -> None:
        self.data = data
        self.rules = rules
        self.repository = data.repository
        # Parts that depend on no window are few, if they have the usual joining.
        self.usual_joining = rules.joining == Rules().joining

    @property
    def people(self) -> People:
        return self.data.people

    @property
    def log(self) -> CommitLog:
        return self.data.log

    @cached_property
    def window(self) -> Window:
        return self.log.window(self.rules)

    @cached_property
    def accounts(self) -> Accounts:
        return self.data.accounts if self.rules.identities else Accounts({}, {})

    @cached_property
    def groups(self) -> Groups:
        rules = self.rules
        key = ("groups", *rules.joining)
        return self.data.part(
            key,
            lambda: group_people(self.people, self.accounts, mailmap=rules.mailmap, names=rules.names == "join"),
            usual=self.usual_joining,
        )

    @cached_property
    def credits(self) -> Credits:
        key = ("credits", *self.rules.joining)
        return self.data.part(key, lambda: credit(self.log, self.groups), usual=self.usual_joining)

    @cached_property
    def _identity_order(self) -> IdentityOrder:
        key = ("identity_order", *self.rules.joining)
        return self.data.part(key, lambda: identity_order(self.accounts, self.groups), usual=self.usual_joining)

    @cached_property
    def tie_break(self) -> TieBreak:
        rules = self.rules
        key = ("tie_break", *rules.joining, rules.merges, rules.co_authors)
        return self.data.part(
            key,
            lambda: tie_break(self._first_commits(merges=rules.merges), self._identity_order),
            usual=self.usual_joining,
        )

    @cached_property
    def began(self) -> FirstCommits:
        """When each group began, merges included."""
        return self._first_commits(merges=True)

    def _first_commits(self, *, merges: bool) -> FirstCommits:
        co_authors = self.rules.co_authors
        key = ("first_commits", *self.rules.joining, merges, co_authors)
        return self.data.part(
            key,
            lambda: first_commits(self.log, self.groups, self.credits, merges=merges, co_authors=co_authors),
            usual=self.usual_joining,
        )

    @cached_property
    def new(self) -> set[int]:
        """The groups who are new, whether they are on the board or not: see
        :mod:`podium.leaderboard.counts.newcomers`.

        Raises:
            BadCommitLog: the people of the commits that a range leaves out are not known.
        """
        if not self.knows_new:
            raise BadCommitLog("Another podium has counted this range meanwhile, without the people before it.")
        people, of, (low, high) = self.people, self.groups.of, self.window
        before = people.were_authors | people.were_named if self.rules.co_authors else people.were_authors
        found = set(range(len(self.groups.members))) - {of[person] for person in before}
        if self.rules.windowed:
            found = {group for group in found if low <= self.began.times[group] < high}
        return found

    @property
    def knows_new(self) -> bool:
        """Whether it is known who is new: of a range only if the people of the commits before it were read."""
        return self.repository.base is None or bool(self.people.were_authors)

    @property
    def _among(self) -> set[int] | None:
        return self.new if self.rules.new else None

    @cached_property
    def ranking(self) -> Ranking:
        return self.data.part(
            _ranking_key(self.rules),
            lambda: rank(self.log, self.groups, self.credits, self.tie_break, self.rules, among=self._among),
            usual=self.rules == Rules(),
        )

    @cached_property
    def timeline(self) -> Timeline:
        rules = self.rules
        key = ("timeline", *rules.joining, rules.merges)
        return self.data.part(
            key,
            lambda: timeline(self.log, self.data.commits_by_day, self.groups, self.credits, rules),
            usual=self.usual_joining,
        )

    @cached_property
    def previous(self) -> Ranked | None:
        """The ranking in the previous window of the same length, if the window has a beginning."""
        rules = before(self.rules, self.repository)
        return None if rules is None else self.data.under(rules)


def _ranking_key(rules: Rules) -> tuple[object, ...]:
    return "ranking", rules


def cache_key(repository: Repository) -> tuple[object, ...]:
    """A value that changes whenever a board of this repository may change; the repository's id comes first."""
    state = repository.state
    return (
        repository.id,
        repository.generation,
        repository.head,
        repository.commits_processed_at,
        repository.users_processed_at,
        state,
        repository.error if state == State.FAILED else None,
        repository.refresh_error_at,
        # Names stand in pages, images and files.
        repository.url,
        repository.name_taken_at,
        # Each finished batch of accounts updates it.
        repository.updated_at if state == State.USERS_PROCESSING else None,
    )


def count_key(repository: Repository) -> tuple[object, ...]:
    """A value that changes with the figures of a board, and not while a refresh of it waits, runs or fails."""
    return (
        repository.id,
        repository.generation,
        repository.head,
        repository.commits_processed_at,
        repository.users_processed_at,
        repository.updated_at if repository.state == State.USERS_PROCESSING else None,
    )


def accounts_key(repository: Repository) -> tuple[object, ...]:
    return ("accounts", cache_key(repository))
