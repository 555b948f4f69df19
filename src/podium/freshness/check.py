"""A check: ask a host which repository it is, where it is and what its head is, and apply the answer.

==========================  ============================================================================================
host                        asked
==========================  ============================================================================================
the configured GitHub       ``GET /repos/OWNER/NAME``, with a token of the pool or within the requests without one
GitLab, Gitea, Forgejo      ``GET /api/v4/projects/PATH``, ``GET /api/v1/repos/OWNER/NAME``, without a token
each of them, and others    ``git ls-remote``: the head, and with its redirect where the repository is
==========================  ============================================================================================

git decides whether a repository can be read: an API may answer otherwise, or not at all. What an API says of a private
repository is not used: nothing that is shown may come from a token that sees more than the public does. A repository
whose name another one has is asked for by its host id.
"""

from __future__ import annotations

import dataclasses
import enum
import logging
import threading
import time

from podium.accounts.github.client import GitHub
from podium.accounts.github.faults import Done, Gone, Moved
from podium.accounts.github.github_session import GitHubSession, LimitInForceError, NoTokenLeftError
from podium.accounts.github.requests import (
    RepositoryFacts,
    RepositoryRequest,
    WindowRequest,
    moved,
    numbered_path,
    repository_path,
)
from podium.accounts.github.token_pool import TokenPool
from podium.clones.remote import Remote
from podium.errors import HistoryError
from podium.freshness.apply_answer import Applied, apply
from podium.freshness.host_answer import HostAnswer, Unseen
from podium.freshness.host_api import HostApis
from podium.freshness.stated_addresses import StatedAddresses
from podium.git.command import Git
from podium.jobs import retry
from podium.repositories.address import Address
from podium.repositories.address_policy import AddressPolicy
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.repositories.store.freshness import names
from podium.storage.session import Database

log = logging.getLogger(__name__)

# Seconds until a host is asked again that gave no answer.
LATER = 600.0
# Requests without a token that are left to the accounts of people.
_LEFT_FOR_ACCOUNTS = 30
# Former names of one repository that are asked about at a time.
_MOST_NAMES = 5
_NO_HEAD = ("empty", "no-default-branch")


@dataclasses.dataclass(frozen=True, slots=True)
class NoAnswer:
    """The host said nothing. code: of :class:`podium.errors.HistoryError`."""

    code: str
    reason: str


class Identify(enum.Enum):
    """How a host is asked for the host id of a new repository.

    ALONE: at once, by its API. TOGETHER: at once by the schedule, a hundred at a time. LATER: when the schedule asks
    for the head.
    """

    ALONE = enum.auto()
    TOGETHER = enum.auto()
    LATER = enum.auto()


class Hosts:
    """Asks hosts. Thread-safe.

    Args:
        git: a server's.
        pools: GitHub's request budgets with a token, if there is one, and without.
        github_host: the host of the configured GitHub.
    """

    def __init__(
        self,
        git: Git,
        policy: AddressPolicy,
        github: GitHub,
        pools: tuple[TokenPool | None, TokenPool],
        *,
        github_host: str,
        github_url: str,
    ) -> None:
        self._git = git
        self._policy = policy
        self._github = github
        self._pools = pools
        self._github_host = github_host
        self._apis = HostApis(policy.resolve)
        self.stated_addresses = StatedAddresses(policy, github_url)

    def close(self) -> None:
        self._github.close()

    def way_to_identify(self, repository: Repository) -> Identify:
        with_token, without = self._pools
        if repository.host != self._github_host:
            return Identify.LATER if self._apis.is_without(repository) else Identify.ALONE
        if with_token is not None:
            return Identify.TOGETHER
        return Identify.LATER if _is_scarce(without) else Identify.ALONE

    def ask(self, repository: Repository, stop: threading.Event, *, asks_head: bool = True) -> HostAnswer | NoAnswer:
        """Ask which repository it is, where it is, and what its head is.

        asks_head: False: the head is known, and git is only asked if the API shows no such repository.

        Raises:
            Interrupted: ``stop`` was set.
        """
        facts = self.identify(repository, stop)
        if not asks_head and facts is not Unseen.MISSING:
            return _without_head(facts)
        if repository.name_taken_at is not None and not isinstance(facts, HostAnswer):
            if facts is Unseen.SILENT:
                return NoAnswer("taken", "Its name is another repository's, and its host did not say where it is.")
            return HostAnswer(gone_code="missing")
        if not isinstance(facts, HostAnswer):
            return self._with_head(repository, None, stop)
        if repository.host_number not in (None, facts.number):
            return facts
        return self._with_head(repository, facts, stop)

    def identify(self, repository: Repository, stop: threading.Event) -> HostAnswer | Unseen:
        """Ask an API for the host id and address of a repository. A private one is missing, as it is to all others.

        Raises:
            Interrupted: ``stop`` was set.
        """
        number = repository.host_number if repository.name_taken_at is not None else None
        if repository.name_taken_at is not None and number is None:
            return Unseen.MISSING
        if repository.host == self._github_host:
            facts = self._ask_github(repository, number, stop)
        else:
            facts = self._apis.ask(repository, number, stop)
        if isinstance(facts, Unseen):
            return facts
        if facts.is_private:
            return Unseen.MISSING
        address = self.stated_addresses.of_name(repository, facts.name)
        return Unseen.SILENT if address is None else HostAnswer(facts.number, address, branch=facts.branch)

    def _ask_github(
        self, repository: Repository, number: str | None, stop: threading.Event
    ) -> RepositoryFacts | Unseen:
        with_token, without = self._pools
        if with_token is None and _is_scarce(without):
            return Unseen.SILENT
        session = GitHubSession(self._github, with_token or without, stop, max_faults=1)
        path = repository_path(repository.owner, repository.name) if number is None else numbered_path(number)
        request: RepositoryRequest | WindowRequest = RepositoryRequest(path)
        while True:
            try:
                verdict = session.ask(request)
            except (LimitInForceError, NoTokenLeftError):
                return Unseen.SILENT
            match verdict.action:
                case Moved(to):
                    request = moved(request, to)
                case Done():
                    return verdict.answer.repository or Unseen.SILENT
                case Gone():
                    return Unseen.MISSING
                case _:
                    return Unseen.SILENT

    def _with_head(
        self, repository: Repository, facts: HostAnswer | None, stop: threading.Event
    ) -> HostAnswer | NoAnswer:
        number = facts.number if facts is not None else None
        address: Address | None = facts.address if facts is not None else None
        url = address.url if address is not None else repository.repository_url
        try:
            remote = Remote(self._git, url, resolve=self._policy.resolve, stop=stop)
            head = remote.head()
        except HistoryError as error:
            if error.code in retry.GONE:
                return HostAnswer(gone_code=error.code)
            if error.code in _NO_HEAD:
                return dataclasses.replace(facts or HostAnswer(), is_readable=True)
            return facts or NoAnswer(error.code, error.message)
        if remote.url != url:
            # git's answer is the newer one of the two.
            address = self.stated_addresses.of_url(repository, remote.url) or address
        return HostAnswer(number, address, head.sha, head.branch, is_readable=True)


def _without_head(facts: HostAnswer | Unseen) -> HostAnswer | NoAnswer:
    if isinstance(facts, HostAnswer):
        return facts
    return HostAnswer() if facts is Unseen.NO_API else NoAnswer("silent", "The API of its host did not answer.")


def _is_scarce(pool: TokenPool) -> bool:
    window = pool.windows(time.time()).get("core")
    return window is not None and window.remaining is not None and window.remaining <= _LEFT_FOR_ACCOUNTS


def check(
    db: Database,
    hosts: Hosts,
    repository_id: int,
    stop: threading.Event,
    *,
    next_check_in: float | None = None,
    is_push: bool = False,
    asks_head: bool = True,
    again_in: float = LATER,
) -> Applied | NoAnswer:
    """Ask for one repository, and apply the answer (:func:`podium.freshness.apply_answer.apply`).

    Of a branch or tag, the host is asked about its repository; what it says of the head concerns another board.

    asks_head: of :meth:`Hosts.ask`. again_in: seconds until a host is asked again automatically that gave no answer.

    Raises:
        Interrupted: ``stop`` was set.
        StorageError: the database did not answer.
    """
    applied = Applied(repository_id)
    # A second time by its number, where another repository has its name.
    for _ in range(2):
        with db.read() as session:
            repository = queries.by_id(session, repository_id)
        if repository is None or not repository.host:
            return applied
        answer = hosts.ask(repository, stop, asks_head=asks_head)
        if isinstance(answer, NoAnswer):
            log.info("repository %d was not checked: %s", repository_id, answer.reason)
            with db.write() as session:
                names.note_unanswered(session, repository_id, again_in=again_in)
            return answer
        with db.write() as session:
            applied = apply(session, repository, answer, next_check_in=next_check_in, is_push=is_push)
        if not applied.is_taken or repository.name_taken_at is not None:
            break
    _confirm_names(db, hosts, applied.repository_id, stop)
    return applied


def _confirm_names(db: Database, hosts: Hosts, repository_id: int, stop: threading.Event) -> None:
    """Free former names that another repository has by now. Without an answer they lead on."""
    with db.read() as session:
        repository = queries.by_id(session, repository_id)
        keys = names.unconfirmed_keys(session, repository_id, limit=_MOST_NAMES)
    if repository is None or not keys:
        return
    for key in keys if repository.host_number is not None else ():
        owner, _, name = key.partition("/")[2].rpartition("/")
        former = dataclasses.replace(repository, owner=owner, name=name, name_taken_at=None)
        answer = hosts.identify(former, stop)
        if isinstance(answer, HostAnswer) and answer.number not in (None, repository.host_number):
            log.info("repository %d does not have the name %s any more", repository_id, key)
            with db.write() as session:
                names.free_name(session, key)
    with db.write() as session:
        names.confirm(session, repository_id, keys)
