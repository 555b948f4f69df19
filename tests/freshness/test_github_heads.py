"""A hundred repositories for one point: former names, repositories that are hidden, faults and hostile answers."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from podium.accounts.github.budget import token_key
from podium.accounts.github.client import GitHub
from podium.accounts.github.github_session import GitHubSession, LimitInForceError, NoTokenLeftError
from podium.accounts.github.requests import HeadsRequest, Response, TransportFailure
from podium.errors import LookupFault
from podium.freshness.github_heads import GitHubHeads
from podium.freshness.host_answer import HostAnswer
from podium.freshness.stated_addresses import StatedAddresses
from podium.repositories.address import parse_address
from podium.repositories.address_policy import AddressPolicy
from podium.repositories.model import Repository
from podium.settings import Settings
from tests.support.github_double import GitHubDouble
from tests.support.pretended_github import TOKEN, PretendedGitHub, answered, tokens
from tests.support.rows import some_repository

HEAD = "a" * 40


def row(number: int, name: str) -> Repository:
    address = parse_address(name)
    return some_repository(
        id=number, key=address.key, url=address.url, host=address.host, owner=address.owner, name=address.name
    )


def rows(number: int) -> list[Repository]:
    return [row(place, f"o/r{place}") for place in range(number)]


def asking(github: PretendedGitHub) -> GitHubHeads:
    stated = StatedAddresses(AddressPolicy(Settings()), "https://github.com")
    return GitHubHeads(github, tokens(), stated, host="github.com", stop=threading.Event())


def ask(github: PretendedGitHub, repositories: list[Repository]) -> dict[int, HostAnswer]:
    return {number: one for answers in asking(github).ask(repositories) for number, one in answers.items()}


@pytest.fixture
def github() -> PretendedGitHub:
    pretended = PretendedGitHub()
    for place in range(250):
        pretended.add(f"o/r{place}", 1000 + place, HEAD)
    return pretended


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GitHubSession, "_wait", lambda _self, _seconds: None)


def test_a_hundred_repositories_cost_one_request(github: PretendedGitHub) -> None:
    found = ask(github, rows(250))
    assert [len(names) for names in github.asked] == [100, 100, 50]
    assert len(found) == 250
    assert found[7] == HostAnswer("1007", parse_address("o/r7"), HEAD, "main")


def test_a_former_name_is_answered_with_the_present_one(github: PretendedGitHub) -> None:
    github.repositories["o/old"] = github.repositories["o/r7"]
    assert ask(github, [row(1, "o/old")])[1].address == parse_address("o/r7")


@pytest.mark.parametrize(
    "fields",
    [
        {"isPrivate": True},
        {"isPrivate": None},
        {"databaseId": -1},
        {"databaseId": True},
        {"databaseId": "7"},
        {"databaseId": 2**63},
        {"nameWithOwner": "o"},
        {"nameWithOwner": "o/r/x"},
        {"nameWithOwner": "evil.example/o/r"},
        {"nameWithOwner": "../../x"},
        {"nameWithOwner": "o/r?x"},
        {"nameWithOwner": "x" * 5000},
        {"defaultBranchRef": {"name": "main", "target": {"oid": "--upload-pack=x"}}},
        {"defaultBranchRef": []},
    ],
    ids=str,
)
def test_what_github_hides_or_says_badly_is_left_out(github: PretendedGitHub, fields: dict[str, Any]) -> None:
    """The schedule asks git about it."""
    github.add("o/odd", 5, HEAD)
    github.repositories["o/odd"] |= fields
    assert ask(github, [row(1, "o/odd"), row(2, "o/r2"), row(3, "o/nothing")]).keys() == {2}
    assert len(github.asked) == 1


def test_an_empty_repository_has_no_head(github: PretendedGitHub) -> None:
    github.add("o/empty", 5, None)
    assert ask(github, [row(1, "o/empty")])[1] == HostAnswer("5", parse_address("o/empty"), None, None)


def test_a_missing_repository_whose_name_is_a_limit_is_no_limit(github: PretendedGitHub) -> None:
    assert ask(github, [row(1, "o/secondary-rate-limit"), row(2, "o/r2")]).keys() == {2}


@pytest.mark.parametrize(
    "fault",
    [
        answered({}, 502),
        TransportFailure("timeout"),
        TransportFailure("too-large"),
        answered({"data": None, "errors": [{"message": "Something went wrong while executing your query."}]}),
    ],
    ids=["502", "timeout", "too-large", "something"],
)
def test_less_is_asked_for_after_an_answer_that_was_too_much(github: PretendedGitHub, fault: TransportFailure) -> None:
    github.faults = [fault, fault]
    assert len(ask(github, rows(100))) == 100
    assert [len(names) for names in github.asked] == [25, 50, 25]


def test_a_part_that_was_not_answered_is_asked_for_again(github: PretendedGitHub) -> None:
    half = {f"r{place}": github.repositories[f"o/r{place}"] if place < 5 else None for place in range(10)}
    errors = [{"path": [f"r{place}"], "message": "timeout"} for place in range(5, 10)]
    github.faults = [answered({"data": half, "errors": errors})]
    assert len(ask(github, rows(10))) == 10
    assert [len(names) for names in github.asked] == [5]


def test_what_only_the_token_may_not_see_is_left_out(github: PretendedGitHub) -> None:
    document = {"data": {"r0": None}, "errors": [{"type": "FORBIDDEN", "path": ["r0"], "message": "SAML"}]}
    github.faults = [answered(document)]
    assert ask(github, [row(1, "o/r1")]) == {}


def test_limits_refusals_and_faults_end_the_question(github: PretendedGitHub) -> None:
    limited = answered({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}, retry_after="60")
    for faults, error in (
        ([limited], LimitInForceError),
        ([answered({"message": "Bad credentials"}, 401)] * 3, NoTokenLeftError),
        ([answered({"message": "Forbidden"}, 403)] * 3, NoTokenLeftError),
        ([TransportFailure("connect")] * 3, LookupFault),
        ([answered("[" * 100_000)] * 3, LookupFault),
    ):
        github.faults = list(faults)
        with pytest.raises(error):
            ask(github, rows(3))
        assert not github.faults and not github.asked


def test_the_query_is_githubs_and_costs_a_point() -> None:
    """The double validates it against GitHub's schema."""
    with GitHubDouble({}, tokens=[TOKEN]) as double, GitHub(double.api_url, double.graphql_url, [TOKEN]) as github:
        response = github.send(HeadsRequest((("o", "r"),) * 100).call(), token_key(TOKEN))
    assert isinstance(response, Response) and response.status == 200
    assert response.headers["x-ratelimit-used"] == "1"
