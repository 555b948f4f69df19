"""GitHub's answers about names and heads without HTTP, for tests of what is asked and of what follows."""

from __future__ import annotations

import json
from typing import Any

from podium.accounts.github.budget import token_key
from podium.accounts.github.client import GitHub
from podium.accounts.github.requests import Call, Response, TransportFailure
from podium.accounts.github.token_pool import MemoryBudgetStore, TokenPool

TOKEN = "token-of-a-test"


class PretendedGitHub(GitHub):
    """Repositories by former or present name, in lower case.

    faults: what the next requests get instead of an answer. asked: the names of each request that was answered.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, Any]] = {}
        self.faults: list[Response | TransportFailure] = []
        self.asked: list[list[str]] = []

    def add(self, name: str, number: int, head: str | None, **fields: Any) -> None:
        branch = {"name": "main", "target": {"oid": head}} if head else None
        node = {"databaseId": number, "nameWithOwner": name, "isPrivate": False, "defaultBranchRef": branch}
        self.repositories[name.lower()] = node | fields

    def send(self, call: Call, key: str | None = None) -> Response | TransportFailure:
        assert call.api == "graphql" and call.body is not None and key == token_key(TOKEN)
        variables = json.loads(call.body)["variables"]
        if self.faults:
            return self.faults.pop(0)
        names = [f"{variables[f'o{place}']}/{variables[f'n{place}']}" for place in range(len(variables) // 2)]
        self.asked.append(names)
        found = {f"r{place}": self.repositories.get(name.lower()) for place, name in enumerate(names)}
        errors = [
            {"type": "NOT_FOUND", "path": [alias], "message": "Could not resolve: secondary rate limit exceeded"}
            for alias, node in found.items()
            if node is None
        ]
        return answered({"data": found, **({"errors": errors} if errors else {})})


def answered(document: object, status: int = 200, **headers: str) -> Response:
    return Response(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(document).encode()
    )


def tokens() -> TokenPool:
    return TokenPool([token_key(TOKEN)], MemoryBudgetStore())
