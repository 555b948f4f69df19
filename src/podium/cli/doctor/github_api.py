"""Check GitHub: whether it answers, accepts the tokens, and how many points are left."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from podium.accounts.github.client import GitHub
from podium.accounts.github.requests import Call, Response, TransportFailure
from podium.cli.doctor.findings import Finding, ok, problem, warning
from podium.settings import Settings
from podium.textutil.age import age

# Costs no point (https://docs.github.com/en/rest/rate-limit/rate-limit).
_RATE_LIMIT = Call("core", "/rate_limit")


def github(settings: Settings, number: int, seconds: float) -> Iterator[Finding]:
    """Ask once with token ``number`` (from 0), or without one where there are none."""
    tokens = settings.github_tokens
    with GitHub(
        settings.github_api_url, settings.github_graphql_url, tokens, timeout=seconds, deadline=seconds
    ) as client:
        key = client.keys[number] if tokens else None
        name = "GitHub" if key is None else f"token {number + 1} of {len(client.keys)}"
        yield from _judge(settings, name, key, client.send(_RATE_LIMIT, key))


def _judge(settings: Settings, name: str, key: str | None, outcome: Response | TransportFailure) -> Iterator[Finding]:
    if isinstance(outcome, TransportFailure):
        # Without a token, accounts are not expected to be complete.
        report = warning if key is None else problem
        yield report(
            "github",
            f"{settings.github_api_url} cannot be reached ({': '.join(filter(None, (outcome.kind, outcome.detail)))}).",
            "Check GITHUB_API_URL, the network and its proxy. Commits are still counted; accounts stay unresolved.",
        )
    elif outcome.status == 401:
        yield problem(
            "github", f"GitHub does not accept {name}.", "Create a new one, without any permission, for GITHUB_TOKEN."
        )
    elif outcome.status == 404 and b"not enabled" in outcome.body:
        # Enterprise Server with its limits off.
        yield ok("github", f"{name}: no limit")
    elif outcome.status != 200:
        yield problem(
            "github",
            f"{settings.github_api_url} answers {outcome.status} to {name}.",
            "Check GITHUB_API_URL: for Enterprise Server it ends in /api/v3.",
        )
    else:
        yield from _budget(name, key, outcome)


def _budget(name: str, key: str | None, outcome: Response) -> Iterator[Finding]:
    api = "core" if key is None else "graphql"
    try:
        window = json.loads(outcome.body)["resources"][api]
        limit, remaining, reset = int(window["limit"]), int(window["remaining"]), float(window["reset"])
    except (ValueError, TypeError, KeyError):
        yield problem("github", "The answer is not GitHub's.", "Check GITHUB_API_URL: something else answers there.")
        return
    summary = f"{name}: {remaining:,} of {limit:,} {api} points left, resets in {age(reset - time.time())}"
    if remaining < max(1, limit // 50):
        yield warning("github", summary, "Work waits until then. If this is usual, add a token to GITHUB_TOKEN.")
    elif key is None:
        yield warning(
            "github",
            f"{summary}. There is no token, so most people of large repositories stay unresolved.",
            "Set GITHUB_TOKEN to a token without any permission: 5,000 points an hour instead of 60 requests.",
        )
    else:
        yield ok("github", summary)
    scopes = outcome.headers.get("x-oauth-scopes", "").strip()
    if key is not None and scopes:
        yield warning(
            "github",
            f"{name} may do more than it needs ({scopes[:100]}).",
            "Podium reads public data only: a token without any permission is enough, and does less harm if it leaks.",
        )
