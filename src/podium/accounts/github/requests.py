"""GitHub's protocol as values: what is asked, and what an answer tells. Nothing here does I/O.

A request is one of :class:`EmailsRequest` (GraphQL: up to 50 e-mails by a sample commit of each),
:class:`WindowRequest` (REST: the 100 commits from one on, for those who have no token) and
:class:`RepositoryRequest` (REST: is the repository still there, and under which name). Each makes the
:class:`Call` that the transport sends, and reads the body that came back into :class:`Told`.
What a fault means stands in :mod:`podium.accounts.github.faults`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import ClassVar, Literal
from urllib.parse import quote

from podium.accounts.github.parse import WindowCommit, mapping, read_page, text_of, troubles_of, window_commits
from podium.accounts.lookup import GitHubAccount

MAX_ASKS = 50
# GitHub's bound of `first` on any connection.
MAX_FIRST = 100

Api = Literal["graphql", "core"]

# GitHub has no repositories of SHA-256 objects.
_OID = re.compile(r"[0-9a-f]{40}")

_PEOPLE = (
    "fragment People on GitActorConnection{pageInfo{hasNextPage endCursor}"
    " nodes{email user{databaseId login name avatarUrl url}}}"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. ``path`` is relative to the REST API; a call to GraphQL has none."""

    api: Api
    path: str = ""
    body: bytes | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """What came back whole: ``url`` is what was asked, names of ``headers`` are lower-cased."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """No whole response came: no connection, none in time, one that broke off, one too large to be read."""

    kind: Literal["connect", "timeout", "dropped", "too-large"]
    detail: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """One e-mail (lower-cased) and a commit that names it; ``after`` pages through its authors."""

    email: str
    oid: str
    after: str | None = None

    def __post_init__(self) -> None:
        if not _OID.fullmatch(self.oid):
            raise ValueError("a commit is asked for by its whole id: 40 lower-case hexadecimal digits")

    @property
    def page(self) -> tuple[str, str | None]:
        """What is read to answer it: the same for all e-mails that one commit names."""
        return self.oid, self.after


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What one answer tells. All that GitHub did answer is here, whatever went wrong beside it.

    people: every e-mail that the answer speaks of, asked for or not; None: GitHub knows nobody by it.
    again: asked and not answered; the same may be asked again.
    elsewhere: the commit is not there, or does not name the e-mail: another commit may.
    missing: those of ``elsewhere`` whose commit, or an author of it, is not there, as GitHub says.
    further: the commit names more people than the page held: the ask for the next page.
    commits: the commits of a REST window, newest first.
    """

    people: Mapping[str, GitHubAccount | None] = dataclasses.field(default_factory=dict)
    again: tuple[Ask, ...] = ()
    elsewhere: tuple[Ask, ...] = ()
    missing: tuple[Ask, ...] = ()
    further: tuple[Ask, ...] = ()
    commits: tuple[WindowCommit, ...] = ()
    # False: the body was not what the request asks for, or a part of it is missing.
    whole: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class EmailsRequest:
    """GraphQL: whose accounts stand behind these e-mails of ``owner/name``? One to 50 asks; one point."""

    api: ClassVar[Api] = "graphql"
    kind: ClassVar[str] = "emails"

    owner: str
    name: str
    asks: tuple[Ask, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.asks) <= MAX_ASKS:
            raise ValueError(f"one request asks for 1 to {MAX_ASKS} e-mails")

    def call(self) -> Call:
        """The request; what comes from outside travels as a variable, never in the query's text."""
        variables: dict[str, str] = {"owner": self.owner, "name": self.name}
        declared = ["$owner:String!", "$name:String!"]
        fields = []
        for number, (oid, after) in enumerate(self._pages()):
            variables[f"o{number}"] = oid
            declared.append(f"$o{number}:GitObjectID!")
            page = f"first:{MAX_FIRST}"
            if after is not None:
                variables[f"c{number}"] = after
                declared.append(f"$c{number}:String!")
                page += f" after:$c{number}"
            fields.append(f"a{number}:object(oid:$o{number}){{...on Commit{{authors({page}){{...People}}}}}}")
        query = (
            f"query({' '.join(declared)}){{rateLimit{{limit remaining resetAt}}"
            f" repository(owner:$owner name:$name){{{' '.join(fields)}}}}} {_PEOPLE}"
        )
        return Call(self.api, body=json.dumps({"query": query, "variables": variables}).encode())

    def _pages(self) -> tuple[tuple[str, str | None], ...]:
        return tuple(dict.fromkeys(ask.page for ask in self.asks))

    def halves(self) -> tuple[EmailsRequest, ...]:
        """The same in two requests, or in one where there is a single ask."""
        middle = (len(self.asks) + 1) // 2
        parts = (self.asks[:middle], self.asks[middle:])
        return tuple(dataclasses.replace(self, asks=part) for part in parts if part)

    def told(self, document: object) -> Told:
        """Read an answer. Matched by e-mail: the authors of a commit are its author, then the co-authors."""
        repository = mapping(mapping(mapping(document).get("data")).get("repository"))
        troubles = troubles_of(document)
        people: dict[str, GitHubAccount | None] = {}
        read = {page: read_page(f"a{number}", repository, troubles) for number, page in enumerate(self._pages())}
        for page in read.values():
            for email, account in page.people:
                if people.get(email) is None:
                    people[email] = account
        pages = {ask: read[ask.page] for ask in self.asks}
        for ask in self.asks:
            # GitHub may not tell the spaces around an e-mail that a commit has.
            if ask.email not in people and (bare := ask.email.strip()) in dict(pages[ask].people):
                people[ask.email] = people[bare]
        open_asks = [ask for ask in self.asks if ask.email not in people]
        again = tuple(ask for ask in open_asks if pages[ask].state == "again")
        return Told(
            people=people,
            again=again,
            elsewhere=tuple(ask for ask in open_asks if pages[ask].state in ("missing", "elsewhere")),
            missing=tuple(ask for ask in open_asks if pages[ask].state == "missing"),
            further=tuple(
                dataclasses.replace(ask, after=pages[ask].cursor) for ask in open_asks if pages[ask].state == "further"
            ),
            whole=bool(repository) and not again,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class WindowRequest:
    """REST: the ``per_page`` commits from ``sha`` back, each with its author's account. Needs no token.

    ``repository`` is the path that :func:`repository_path` gives, or the one that GitHub moved it to.
    """

    api: ClassVar[Api] = "core"
    kind: ClassVar[str] = "window"

    repository: str
    sha: str
    per_page: int = 100
    moves: int = 0

    def __post_init__(self) -> None:
        if not _OID.fullmatch(self.sha) or not 1 <= self.per_page <= MAX_FIRST:
            raise ValueError("a window is 1 to 100 commits from a commit named by its whole id")

    def call(self) -> Call:
        return Call(self.api, f"{self.repository}/commits?sha={self.sha}&per_page={self.per_page}")

    def told(self, document: object) -> Told:
        commits = tuple(window_commits(document)) if isinstance(document, list) else ()
        people: dict[str, GitHubAccount | None] = {}
        for commit in commits:
            if commit.email and people.get(commit.email) is None:
                people[commit.email] = commit.account
        return Told(people=people, commits=commits, whole=isinstance(document, list))


@dataclasses.dataclass(frozen=True, slots=True)
class RepositoryRequest:
    """REST: is the repository there for us, and what is it called now? Needs no token."""

    api: ClassVar[Api] = "core"
    kind: ClassVar[str] = "repository"

    repository: str
    moves: int = 0

    def call(self) -> Call:
        return Call(self.api, self.repository)

    def told(self, document: object) -> Told:
        return Told(whole=text_of(mapping(document).get("full_name")) is not None)


Request = EmailsRequest | WindowRequest | RepositoryRequest


def repository_path(owner: str, name: str) -> str:
    """The path of a repository in the REST API; what could lead out of it is escaped."""
    for part in (owner, name):
        if not part or part in (".", ".."):
            raise ValueError("a repository has an owner and a name")
    return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"


def moved(request: WindowRequest | RepositoryRequest, to: str) -> WindowRequest | RepositoryRequest:
    """The same request of a repository that moved ``to`` another path."""
    return dataclasses.replace(request, repository=to, moves=request.moves + 1)
