from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from podium.accounts.github.parse import (
    FINAL,
    AuthorsPage,
    WindowCommit,
    errors_by_alias,
    errors_by_field,
    mapping,
    read_page,
    text_of,
    window_commits,
)
from podium.accounts.lookup import GitHubAccount

MAX_ASKS = 50
# A point pays for a hundred connections: https://docs.github.com/graphql/overview/rate-limits-and-query-limits.
MAX_COMMITS = 100
MAX_HEADS = 100
# GitHub's limit of `first` in any connection.
MAX_FIRST = 100

Api = Literal["graphql", "core"]

# GitHub has no SHA-256 repositories.
_OID = re.compile(r"[0-9a-f]{40}")
_ANY_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

_PEOPLE = (
    "fragment People on GitActorConnection{pageInfo{hasNextPage endCursor}"
    " nodes{email user{databaseId login name avatarUrl url}}}"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """``path`` is relative to the REST API and empty for GraphQL."""

    api: Api
    path: str = ""
    body: bytes | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """``url`` is the requested one; names in ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class TransportFailure:
    kind: Literal["connect", "timeout", "dropped", "too-large"]
    detail: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """``email`` is in lower case; ``after`` is a cursor in the commit's authors."""

    email: str
    oid: str
    after: str | None = None

    def __post_init__(self) -> None:
        if not _OID.fullmatch(self.oid):
            raise ValueError("the whole id of a commit is 40 lower-case hexadecimal digits")

    @property
    def page(self) -> tuple[str, str | None]:
        """Equal for all e-mails of one commit."""
        return self.oid, self.after


@dataclasses.dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """What an API says about a repository.

    Attributes:
        name: the whole one, with its owner.
        is_private: not all may read it, which includes GitHub's and GitLab's "internal".
    """

    number: str
    name: str
    branch: str | None
    is_private: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class RepositoryHead:
    """What GraphQL says about a repository. ``head``: of its default branch; None: it has no commits."""

    facts: RepositoryFacts
    head: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """Includes the valid parts of an answer with errors.

    Attributes:
        accounts: by e-mail, requested or not; None: the e-mail belongs to no account.
        retry: not answered; the same ask may be repeated.
        other_commit: the commit does not exist or does not name the e-mail; another may.
        missing: those of ``other_commit`` where GitHub says that the commit or an author does not exist.
        next_page: the ask for more authors of the commit.
        commits: of a REST window, newest first.
        repository: of a request for one.
        heads: of a request for many, by place; None: there is no such repository. What is left out was not answered,
            or not as GitHub answers.
        complete: False: a part is missing or malformed.
    """

    accounts: Mapping[str, GitHubAccount | None] = dataclasses.field(default_factory=dict)
    retry: tuple[Ask, ...] = ()
    other_commit: tuple[Ask, ...] = ()
    missing: tuple[Ask, ...] = ()
    next_page: tuple[Ask, ...] = ()
    commits: tuple[WindowCommit, ...] = ()
    repository: RepositoryFacts | None = None
    heads: Mapping[int, RepositoryHead | None] = dataclasses.field(default_factory=dict)
    complete: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class EmailsRequest:
    """GraphQL, one point: the accounts of 1 to 50 e-mails.

    ``others`` are further commits of the same e-mails: to ask for them, too, saves a second request.
    """

    api: ClassVar[Api] = "graphql"
    kind: ClassVar[str] = "emails"

    owner: str
    name: str
    asks: tuple[Ask, ...]
    others: tuple[Ask, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.asks) <= MAX_ASKS:
            raise ValueError(f"one request takes 1 to {MAX_ASKS} e-mails")
        if len(self.asks) + len(self.others) > MAX_COMMITS:
            raise ValueError(f"one request takes at most {MAX_COMMITS} commits")

    def call(self) -> Call:
        """Outside values are variables, never part of the query's text."""
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

    def parse(self, document: object) -> ParsedAnswer:
        """People are matched by e-mail: GitHub lists the author first, then the co-authors."""
        repository = mapping(mapping(mapping(document).get("data")).get("repository"))
        errors = errors_by_alias(document)
        pages = {page: read_page(f"a{number}", repository, errors) for number, page in enumerate(self._pages())}
        by_ask = {ask: pages[ask.page] for ask in (*self.asks, *self.others)}
        accounts = _match_emails(by_ask, pages.values())
        unanswered = {ask: page for ask, page in by_ask.items() if ask.email not in accounts}
        return _sort_unanswered(accounts, unanswered, has_repository=bool(repository))

    def _pages(self) -> tuple[tuple[str, str | None], ...]:
        return tuple(dict.fromkeys(ask.page for ask in (*self.asks, *self.others)))


def _match_emails(
    by_ask: Mapping[Ask, AuthorsPage], pages: Iterable[AuthorsPage]
) -> Mapping[str, GitHubAccount | None]:
    accounts: dict[str, GitHubAccount | None] = {}
    for page in pages:
        for email, account in page.authors:
            if accounts.get(email) is None:
                accounts[email] = account
    for ask, page in by_ask.items():
        # GitHub may drop the spaces around an e-mail.
        if ask.email not in accounts and (stripped := ask.email.strip()) in dict(page.authors):
            accounts[ask.email] = accounts[stripped]
    return accounts


def _sort_unanswered(
    accounts: Mapping[str, GitHubAccount | None], unanswered: Mapping[Ask, AuthorsPage], *, has_repository: bool
) -> ParsedAnswer:
    retry = tuple(ask for ask, page in unanswered.items() if page.others == "retry")
    return ParsedAnswer(
        accounts=accounts,
        retry=retry,
        other_commit=tuple(ask for ask, page in unanswered.items() if page.others in ("missing", "other-commit")),
        missing=tuple(ask for ask, page in unanswered.items() if page.others == "missing"),
        next_page=tuple(
            dataclasses.replace(ask, after=page.cursor)
            for ask, page in unanswered.items()
            if page.others == "next-page"
        ),
        complete=has_repository and not retry,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class WindowRequest:
    """``repository`` is a path from :func:`repository_path` or from a redirect."""

    api: ClassVar[Api] = "core"
    kind: ClassVar[str] = "window"

    repository: str
    sha: str
    per_page: int = 100
    moves: int = 0

    def __post_init__(self) -> None:
        if not _OID.fullmatch(self.sha) or not 1 <= self.per_page <= MAX_FIRST:
            raise ValueError("a window has 1 to 100 commits and starts at the whole id of one")

    def call(self) -> Call:
        return Call(self.api, f"{self.repository}/commits?sha={self.sha}&per_page={self.per_page}")

    def parse(self, document: object) -> ParsedAnswer:
        commits = tuple(window_commits(document)) if isinstance(document, list) else ()
        accounts: dict[str, GitHubAccount | None] = {}
        for commit in commits:
            if commit.email and accounts.get(commit.email) is None:
                accounts[commit.email] = commit.account
        return ParsedAnswer(accounts=accounts, commits=commits, complete=isinstance(document, list))


@dataclasses.dataclass(frozen=True, slots=True)
class RepositoryRequest:
    api: ClassVar[Api] = "core"
    kind: ClassVar[str] = "repository"

    repository: str
    moves: int = 0

    def call(self) -> Call:
        return Call(self.api, self.repository)

    def parse(self, document: object) -> ParsedAnswer:
        fields = mapping(document)
        return ParsedAnswer(
            repository=repository_facts(fields, "full_name"), complete=text_of(fields.get("full_name")) is not None
        )


@dataclasses.dataclass(frozen=True, slots=True)
class HeadsRequest:
    """GraphQL, one point: what 1 to 100 repositories are called now, and their heads. ``names``: owner and name.

    GitHub answers former names, too: with the present ones.
    """

    api: ClassVar[Api] = "graphql"
    kind: ClassVar[str] = "heads"

    names: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.names) <= MAX_HEADS:
            raise ValueError(f"one request takes 1 to {MAX_HEADS} repositories")

    def call(self) -> Call:
        variables: dict[str, str] = {}
        declared, fields = [], []
        for place, (owner, name) in enumerate(self.names):
            variables |= {f"o{place}": owner, f"n{place}": name}
            declared.append(f"$o{place}:String!$n{place}:String!")
            fields.append(f"r{place}:repository(owner:$o{place} name:$n{place}){{...Head}}")
        query = (
            f"query({' '.join(declared)}){{rateLimit{{limit remaining resetAt}} {' '.join(fields)}}}"
            " fragment Head on Repository{databaseId nameWithOwner isPrivate defaultBranchRef{name target{oid}}}"
        )
        return Call(self.api, body=json.dumps({"query": query, "variables": variables}).encode())

    def parse(self, document: object) -> ParsedAnswer:
        data = mapping(mapping(document).get("data"))
        errors = errors_by_field(document)
        heads: dict[int, RepositoryHead | None] = {}
        is_complete = True
        for place in range(len(self.names)):
            types = errors(f"r{place}")
            if types:
                is_complete &= f"r{place}" in data and types <= FINAL
                if types == {"NOT_FOUND"} and data.get(f"r{place}", "") is None:
                    heads[place] = None
            elif not isinstance(data.get(f"r{place}"), dict):
                is_complete = False
            elif (found := _head(data[f"r{place}"])) is not None:
                heads[place] = found
        return ParsedAnswer(heads=heads, complete=is_complete)


def _head(node: Mapping[str, Any]) -> RepositoryHead | None:
    """None: a part is missing or malformed."""
    number, name, is_private = node.get("databaseId"), text_of(node.get("nameWithOwner")), node.get("isPrivate")
    branch = node.get("defaultBranchRef", "")
    oid = text_of(mapping(mapping(branch).get("target")).get("oid"))
    if type(number) is not int or not 0 < number < 2**63 or name is None or not isinstance(is_private, bool):
        return None
    if branch is not None and (oid is None or not _ANY_OID.fullmatch(oid)):
        return None
    return RepositoryHead(RepositoryFacts(str(number), name, text_of(mapping(branch).get("name")), is_private), oid)


@dataclasses.dataclass(frozen=True, slots=True)
class TokenRequest:
    """Whether GitHub accepts the token. Costs no point (https://docs.github.com/en/rest/rate-limit/rate-limit)."""

    api: ClassVar[Api] = "core"
    kind: ClassVar[str] = "token"

    def call(self) -> Call:
        return Call(self.api, "/rate_limit")

    def parse(self, document: object) -> ParsedAnswer:
        return ParsedAnswer(complete=isinstance(document, dict))


GitHubRequest = EmailsRequest | WindowRequest | RepositoryRequest | HeadsRequest | TokenRequest


def repository_facts(fields: Mapping[str, object], name_field: str) -> RepositoryFacts | None:
    """None unless a document has the number and the name of a repository."""
    number, name, branch = fields.get("id"), text_of(fields.get(name_field)), text_of(fields.get("default_branch"))
    if type(number) is not int or not 0 < number < 2**63 or name is None:
        return None
    # GitHub and Gitea, Gitea, GitHub and GitLab. What is absent or malformed is not taken for private: git decides.
    is_private = True in (fields.get("private"), fields.get("internal")) or fields.get("visibility") not in (
        None,
        "public",
    )
    return RepositoryFacts(str(number), name, branch, is_private)


def numbered_path(number: str) -> str:
    """The path in the REST API of the repository with this number."""
    return f"/repositories/{int(number)}"


def repository_path(owner: str, name: str) -> str:
    """The path in the REST API, escaped so that it cannot name anything else."""
    for part in (owner, name):
        if not part or part in (".", ".."):
            raise ValueError("a repository has an owner and a name")
    return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"


def moved(request: WindowRequest | RepositoryRequest, to: str) -> WindowRequest | RepositoryRequest:
    return dataclasses.replace(request, repository=to, moves=request.moves + 1)
