"""The GraphQL of the GitHub double: executed by graphql-core, with GitHub's rules for pages, nodes and cost."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import graphql
from graphql.language import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from tests.support import github_schema
from tests.support.github_history import Accounts, Actor, KnownAccount, RealRepository
from tests.support.hosted import Hosted, Hosting


class NoAnswerError(Exception):
    """The double does not support a requested field: a mistake of the test or of the query."""


class TypedError(Exception):
    """An error with one of GitHub's types."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class World:
    """The data for one query. ``wrong`` collects what GitHub would refuse; each entry fails the test."""

    hosting: Hosting
    token: str
    accounts: Accounts
    rate: dict[str, Any]
    avatar: str = "https://avatars.example"
    max_nodes: int = 500_000
    wrong: list[str] = field(default_factory=list)
    no_answers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Ref:
    branch: str
    head: str
    repository: Hosted

    @property
    def kind(self) -> str:
        return "Ref"


@dataclass(frozen=True)
class _Owner:
    """Of a repository; the table of accounts does not know them."""

    login: str

    @property
    def kind(self) -> str:
        return "User"


@dataclass(frozen=True)
class _Object:
    kind: str
    oid: str
    real: RealRepository


@dataclass(frozen=True)
class _Page:
    actors: list[Actor]
    start: int
    count: int


@dataclass(frozen=True)
class Size:
    """What GitHub computes from a query before it runs it."""

    nodes: int
    requests: int

    @property
    def cost(self) -> int:
        return max(1, round(self.requests / 100))


def execute(world: World, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Answer a query as GitHub does, errors and all."""
    try:
        document, wrong = _parsed(query)
    except graphql.GraphQLError as error:
        world.wrong.append(f"the query cannot be parsed: {error.message}")
        return {"errors": [_formatted(error)]}
    if wrong:
        world.wrong += [f"GitHub would refuse the query: {error.message}" for error in wrong]
        return {"errors": [{**_formatted(error), "extensions": {"code": "invalid"}} for error in wrong]}
    size = measure(document, variables)
    if size.nodes > world.max_nodes:
        message = "By the time this query traverses to the authors connection, it is requesting up to"
        message += f" {size.nodes} possible nodes which exceeds the maximum limit of {world.max_nodes}."
        return {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]}
    result = graphql.execute_sync(
        github_schema.part(),
        document,
        context_value=world,
        variable_values=variables,
        field_resolver=_resolve,
        type_resolver=lambda value, *_: "Repository" if isinstance(value, Hosted) else value.kind.capitalize(),
    )
    if world.no_answers:
        raise NoAnswerError("; ".join(world.no_answers))
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_formatted(error) for error in result.errors]
    return answer


@functools.lru_cache(maxsize=100)
def _parsed(query: str) -> tuple[graphql.DocumentNode, list[graphql.GraphQLError]]:
    """The query and what is wrong with it; the text is the same for the same number of e-mails."""
    document = graphql.parse(query)
    return document, graphql.validate(github_schema.part(), document)


def measure(document: graphql.DocumentNode, variables: dict[str, Any]) -> Size:
    """Nodes and requests by GitHub's published rule: a connection multiplies what stands in it."""
    fragments = {
        node.name.value: node.selection_set
        for node in document.definitions
        if isinstance(node, graphql.FragmentDefinitionNode)
    }
    nodes = requests = 0

    def walk(selection: SelectionSetNode | None, times: int) -> None:
        nonlocal nodes, requests
        for node in selection.selections if selection else ():
            if isinstance(node, FragmentSpreadNode):
                walk(fragments[node.name.value], times)
            elif isinstance(node, InlineFragmentNode):
                walk(node.selection_set, times)
            elif isinstance(node, FieldNode):
                page = _page_size(node, variables)
                requests += times if page else 0
                nodes += times * page
                walk(node.selection_set, times * (page or 1))

    for definition in document.definitions:
        if isinstance(definition, graphql.OperationDefinitionNode):
            walk(definition.selection_set, 1)
    return Size(nodes, requests)


def _page_size(node: FieldNode, variables: dict[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            return int(graphql.value_from_ast_untyped(argument.value, variables))
    return 0


def _formatted(error: graphql.GraphQLError) -> dict[str, Any]:
    formatted: dict[str, Any] = dict(error.formatted)
    if isinstance(error.original_error, TypedError):
        formatted["type"] = error.original_error.kind
    return formatted


def _resolve(source: Any, info: graphql.GraphQLResolveInfo[World], **arguments: Any) -> Any:
    name = f"{info.parent_type.name}.{info.field_name}"
    resolver = _RESOLVERS.get(name)
    if resolver is None:
        info.context.no_answers.append(f"the double has no answer for {name}")
        raise NoAnswerError(name)
    return resolver(source, info.context, arguments)


def _repository(_source: None, world: World, arguments: dict[str, Any]) -> Hosted:
    wanted = f"{arguments['owner']}/{arguments['name']}"
    found = world.hosting.find(wanted, world.token, follow=arguments["followRenames"])
    if found is None:
        raise TypedError("NOT_FOUND", f"Could not resolve to a Repository with the name '{wanted}'.")
    return found


def node_id(repository: Hosted) -> str:
    """The global id of a repository, as opaque as GitHub's."""
    return "R_" + base64.urlsafe_b64encode(repository.number.to_bytes(8)).decode().rstrip("=")


def _node(_source: None, world: World, arguments: dict[str, Any]) -> Hosted:
    found = _by_node_id(world, arguments["id"])
    if isinstance(found, TypedError):
        raise found
    return found


def _nodes(_source: None, world: World, arguments: dict[str, Any]) -> list[Hosted | TypedError]:
    if len(arguments["ids"]) > 100:
        world.wrong.append(f"{len(arguments['ids'])} ids in one request for nodes")
        raise TypedError("ARGUMENT_LIMIT", "You may not provide more than 100 node ids.")
    return [_by_node_id(world, each) for each in arguments["ids"]]


def _by_node_id(world: World, wanted: str) -> Hosted | TypedError:
    found = next((each for each in world.hosting if node_id(each) == wanted), None)
    if found is None or not found.may_be_read_by(world.token):
        return TypedError("NOT_FOUND", f"Could not resolve to a node with the global id of '{wanted}'.")
    return found


def _default_branch(repository: Hosted, _world: World, _arguments: dict[str, Any]) -> _Ref | None:
    branch, head = repository.branch, repository.head
    return _Ref(branch, head, repository) if head else None


def _object(repo: Hosted, world: World, arguments: dict[str, Any]) -> _Object | None:
    oid = arguments.get("oid")
    if oid is None:
        raise NoAnswerError("the double answers objects by oid only")
    if not re.fullmatch(r"[0-9a-f]{40}", oid):
        world.wrong.append(f"{oid!r} is not a whole object id")
        raise TypedError("INVALID_OID", f"'{oid}' is not a whole object id.")
    kind = repo.real.kind_of(oid)
    return _Object(kind, oid, repo.real) if kind else None


def _authors(commit: _Object, world: World, arguments: dict[str, Any]) -> _Page:
    first = arguments.get("first")
    if first is None or not 1 <= first <= 100:
        world.wrong.append(f"a page of {first} authors")
    if first is None:
        raise TypedError("MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value.")
    if not 1 <= first <= 100:
        raise TypedError(
            "EXCESSIVE_PAGINATION", f"Requesting {first} records exceeds the `first` limit of 100 records."
        )
    return _Page(commit.real.actors(commit.oid) or [], int(arguments.get("after") or 0), first)


def _page_info(page: _Page, _world: World, _arguments: dict[str, Any]) -> dict[str, Any]:
    end = page.start + page.count
    return {"end": str(min(end, len(page.actors))), "more": end < len(page.actors)}


def _user(actor: Actor, world: World, _arguments: dict[str, Any]) -> KnownAccount | None:
    account = world.accounts.owner(actor.email)
    return account if account and account.type == "User" else None


_RESOLVERS: dict[str, Callable[[Any, World, dict[str, Any]], Any]] = {
    "Query.node": _node,
    "Query.nodes": _nodes,
    "Query.rateLimit": lambda _, world, __: world.rate or None,
    "Query.repository": _repository,
    "RateLimit.cost": lambda rate, *_: rate["cost"],
    "RateLimit.limit": lambda rate, *_: rate["limit"],
    "RateLimit.remaining": lambda rate, *_: rate["remaining"],
    "RateLimit.resetAt": lambda rate, *_: rate["resetAt"],
    "Repository.databaseId": lambda repo, *_: repo.number,
    "Repository.defaultBranchRef": _default_branch,
    "Repository.id": lambda repo, *_: node_id(repo),
    "Repository.isArchived": lambda repo, *_: repo.is_archived,
    "Repository.isDisabled": lambda *_: False,
    "Repository.isEmpty": lambda repo, *_: repo.head is None,
    "Repository.isPrivate": lambda repo, *_: repo.is_private,
    "Repository.name": lambda repo, *_: repo.name,
    "Repository.nameWithOwner": lambda repo, *_: repo.full_name,
    "Repository.object": _object,
    "Repository.owner": lambda repo, *_: _Owner(repo.owner),
    "Repository.url": lambda repo, *_: repo.page,
    "Repository.visibility": lambda repo, *_: "PRIVATE" if repo.is_private else "PUBLIC",
    "Ref.name": lambda ref, *_: ref.branch,
    "Ref.target": lambda ref, *_: _Object("commit", ref.head, ref.repository.real),
    "Commit.authors": _authors,
    "Commit.oid": lambda commit, *_: commit.oid,
    "GitActorConnection.nodes": lambda page, *_: page.actors[page.start : page.start + page.count],
    "GitActorConnection.pageInfo": _page_info,
    "GitActorConnection.totalCount": lambda page, *_: len(page.actors),
    "PageInfo.endCursor": lambda info, *_: info["end"],
    "PageInfo.hasNextPage": lambda info, *_: info["more"],
    "GitActor.email": lambda actor, *_: actor.email,
    "GitActor.name": lambda actor, *_: actor.name,
    "GitActor.user": _user,
    "User.databaseId": lambda user, *_: user.id,
    "User.login": lambda user, *_: user.login,
    "User.name": lambda user, *_: user.name,
    "User.url": lambda user, *_: f"https://github.com/{user.login}",
    "User.avatarUrl": lambda user, world, _: f"{world.avatar}/u/{user.id}",
}
