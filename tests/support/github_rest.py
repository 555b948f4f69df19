"""The REST API of the GitHub double: repositories, their commits, and 301 for what was renamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.support.github_graphql import node_id
from tests.support.github_history import Accounts, KnownAccount
from tests.support.github_script import Answer
from tests.support.hosted import Hosted, Hosting

_PATH = re.compile(r"(?:/repos/(?P<name>[^/]+/[^/]+)|/repositories/(?P<number>\d+))(?P<rest>/.*)?")
_SHA = "application/vnd.github.sha"


@dataclass(frozen=True)
class Request:
    """A GET of ``path`` by the holder of ``token``."""

    api_url: str
    path: str
    query: str
    token: str
    accept: str


def answer(request: Request, hosting: Hosting, accounts: Accounts) -> Answer | str:
    """Answer as GitHub does; a text says what the double cannot answer."""
    match = _PATH.fullmatch(request.path)
    if match is None:
        return f"the double has no answer for {request.path}"
    name, rest = unquote(match["name"] or ""), match["rest"] or ""
    if not name:
        found = hosting.numbered(int(match["number"]), request.token)
    else:
        found = hosting.find(name, request.token)
        if found is not None and found is not hosting.at(name):
            place = f"{request.api_url}/repositories/{found.number}{rest}" + f"?{request.query}" * bool(request.query)
            return Answer(301, {"message": "Moved Permanently", "url": place}, {"location": place})
    if found is None:
        return _not_found()
    for pattern, resource in _RESOURCES.items():
        if wanted := re.fullmatch(pattern, rest):
            parameters = {key: values[-1] for key, values in parse_qs(request.query).items()}
            return resource(found, request, parameters | wanted.groupdict(), accounts)
    return f"the double has no answer for {request.path}"


def described(repository: Hosted) -> dict[str, Any]:
    """A repository in REST answers and in payloads of hooks: the fields that identify it or change."""
    name, owner = repository.full_name, repository.owner
    return {
        "id": repository.number,
        "node_id": node_id(repository),
        "name": repository.name,
        "full_name": name,
        "private": repository.is_private,
        "owner": {"login": owner, "id": _number_of(owner), "type": "User", "html_url": f"{repository.web}/{owner}"},
        "html_url": repository.page,
        "description": None,
        "fork": False,
        "url": f"https://api.github.com/repos/{name}",
        "git_url": f"git://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "clone_url": f"{repository.page}.git",
        "mirror_url": None,
        "archived": repository.is_archived,
        "disabled": False,
        "visibility": "private" if repository.is_private else "public",
        "default_branch": repository.branch,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-11-01T00:00:00Z",
        "pushed_at": "2026-11-01T00:00:00Z",
        "size": 1,
    }


def _number_of(owner: str) -> int:
    return 1 + sum(owner.lower().encode())


def _repository(repository: Hosted, _request: Request, _query: Mapping[str, str], _accounts: Accounts) -> Answer:
    return Answer(200, described(repository))


def _commits(repository: Hosted, _request: Request, query: Mapping[str, str], accounts: Accounts) -> Answer | str:
    count, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
    if not 1 <= count <= 100:
        return f"a page of {count} commits"
    oids = repository.real.window(query.get("sha", "HEAD"), count, (page - 1) * count)
    if oids is None:
        return _not_found()
    return Answer(200, [_commit(repository, oid, accounts) for oid in oids])


def _one_commit(repository: Hosted, request: Request, query: Mapping[str, str], accounts: Accounts) -> Answer:
    ref = unquote(query["ref"])
    oid = repository.head if ref == "HEAD" else repository.real.tip(ref.removeprefix("heads/"))
    if oid is None and re.fullmatch(r"[0-9a-f]{40}", ref) and repository.real.kind_of(ref) == "commit":
        oid = ref
    if oid is None:
        if repository.head is None:
            return Answer(409, {"message": "Git Repository is empty.", "status": "409"})
        return Answer(422, {"message": f"No commit found for SHA: {ref}", "status": "422"})
    if _SHA in request.accept:
        return Answer(200, oid.encode(), {"content-type": f"{_SHA}; charset=utf-8"})
    return Answer(200, _commit(repository, oid, accounts))


def _branch(repository: Hosted, _request: Request, query: Mapping[str, str], accounts: Accounts) -> Answer:
    name = unquote(query["branch"])
    oid = repository.real.tip(name)
    if oid is None:
        return Answer(404, {"message": "Branch not found", "status": "404"})
    return Answer(200, {"name": name, "commit": _commit(repository, oid, accounts), "protected": False})


def _ref(repository: Hosted, _request: Request, query: Mapping[str, str], _accounts: Accounts) -> Answer:
    name = unquote(query["branch"])
    oid = repository.real.tip(name)
    if oid is None:
        return _not_found()
    return Answer(200, {"ref": f"refs/heads/{name}", "object": {"sha": oid, "type": "commit"}})


def _commit(repository: Hosted, oid: str, accounts: Accounts) -> dict[str, Any]:
    author = (repository.real.actors(oid) or [])[0]
    account = accounts.owner(author.email)
    return {
        "sha": oid,
        "commit": {"author": {"name": author.name, "email": author.email}},
        "author": _account(account) if account else None,
    }


def _account(account: KnownAccount) -> dict[str, Any]:
    return {
        "login": account.login,
        "id": account.id,
        "avatar_url": f"https://avatars.example/u/{account.id}",
        "html_url": f"https://github.com/{account.login}",
        "type": account.type,
    }


def _not_found() -> Answer:
    return Answer(404, {"message": "Not Found", "status": "404"})


_RESOURCES: dict[str, Callable[[Hosted, Request, Mapping[str, str], Accounts], Answer | str]] = {
    "": _repository,
    "/commits": _commits,
    "/commits/(?P<ref>.+)": _one_commit,
    "/branches/(?P<branch>.+)": _branch,
    "/git/ref/heads/(?P<branch>.+)": _ref,
}
