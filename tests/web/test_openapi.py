"""The OpenAPI document tells the truth: generated requests, and checks of their responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from podium.web.webhooks import webhook_routes
from podium.web.wrong_tokens import WrongTokens
from tests.support.web import Site, open_site

TOKEN = "the-administrators-token"
WEBHOOK_SECRET = "the-secret-of-the-hooks"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
# The checks of what OpenAPI cannot express, with the reason.
EXCLUDED = {
    "positive_data_acceptance": "An address must name a listed host, a window must not end before it begins, and some "
    "parameters exclude each other.",
}
OPERATIONS = (
    "addBlock changeRepository compare downloadBoard dropFromQueue explainContributor findContributor forgetPerson "
    "forgetRepository getActivity getAvatar "
    "getBadge getCard getLeaderboard getPerson getPreview getQueues getRepository health limitHost "
    "listBlocks listRepositories metrics moveInQueue pause ready "
    "receiveForgejo receiveGitHub receiveGitLab receiveGitea "
    "refresh removeBlock resume retryQueues retryRepository submitRepository version"
).split()
# One process imports schemathesis, which takes a second.
pytestmark = pytest.mark.together
# Valid and invalid ones together: at most 25 per operation.
few_or_many = pytest.mark.parametrize("examples", [3, pytest.param(12, marks=pytest.mark.long)])


def example_settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("openapi")
    # schemathesis sends some requests on its own, to the name `testserver`.
    chosen: dict[str, Any] = {"admin_token": TOKEN, "allowed_hosts": ("testserver",)}
    chosen |= {"submissions_per_minute": 0, "read_budget": 0}
    chosen |= {"webhook_secrets": (WEBHOOK_SECRET,)}
    with pytest.MonkeyPatch.context() as patch, open_site(folder, **chosen) as site:
        # A check sends many wrong tokens, and most deliveries have no signature.
        patch.setattr(WrongTokens, "wait", lambda *_: 0)
        patch.setattr(webhook_routes, "_REFUSAL_DELAY", 0.0)
        repository = site.repository("octo/hello")
        site.person(repository, "Ada", "ada@example.org", 5)
        site.account("ada@example.org", "ada")
        site.repository("octo/failed", "failed", error="It failed.", error_code="missing")
        site.repository("octo/waits", "pending")
        yield site


@pytest.fixture(scope="module")
def operations(site: Site) -> dict[str, Any]:
    import schemathesis
    from schemathesis.checks import load_all_checks
    from schemathesis.core.result import Ok

    load_all_checks()
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app)
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {operation.definition.raw["operationId"]: operation for operation in found}


def test_every_operation_is_tried(operations: dict[str, Any]) -> None:
    assert sorted(operations) == OPERATIONS


def sent(case: Any) -> None:
    """Send a generated request, and check the response."""
    from schemathesis.checks import CHECKS

    excluded = [CHECKS.get_one(name) for name in EXCLUDED]
    case.call_and_validate(headers=HEADERS, excluded_checks=excluded)


@few_or_many
@pytest.mark.parametrize("name", OPERATIONS)
def test_valid_requests_are_answered_as_documented(operations: dict[str, Any], name: str, examples: int) -> None:
    from schemathesis import GenerationMode

    @example_settings(examples)
    @given(
        case=operations[name].as_strategy(generation_mode=GenerationMode.POSITIVE),
        known=st.sampled_from(["", "octo/hello", "octo/failed", "octo/waits"]),
    )
    def check(case: Any, known: str) -> None:
        # Generated addresses name no repository, and schemathesis generates no path with a slash.
        if known and "repoUrl" in (case.query or {}):
            case.query["repoUrl"] = known
            if "person" in case.query:
                case.query["person"] = "ada"
        if known and "repo" in (case.query or {}):
            case.query["repo"] = [known, "octo/hello"]
        if known and "path" in (case.path_parameters or {}):
            case.path_parameters["path"] = known
        sent(case)

    check()


@few_or_many
@pytest.mark.parametrize(
    "name", [name for name in OPERATIONS if name not in ("health", "listBlocks", "ready", "version")]
)
def test_invalid_requests_are_refused_as_documented(operations: dict[str, Any], name: str, examples: int) -> None:
    from schemathesis import GenerationMode

    @example_settings(examples)
    @given(case=operations[name].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def check(case: Any) -> None:
        sent(case)

    check()
