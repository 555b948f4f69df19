"""The GitHub double follows GitHub's rules, and fails a test that breaks them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graphql
import httpx
import pytest

from podium.accounts.github.requests import Ask, EmailsRequest
from tests.support import github_schema
from tests.support.github_double import GitHubDouble, Pause
from tests.support.github_history import Accounts, KnownAccount
from tests.support.github_repository import build, together
from tests.support.github_script import Script

TOKEN = "token-of-a-test"
QUERY = (
    'query($o:GitObjectID!){repository(owner:"o",name:"r"){object(oid:$o)'
    "{...on Commit{authors(first:10){nodes{email user{login databaseId}}}}}}}"
)
IN_COMMIT = '{repository(owner:"o",name:"r"){object(oid:"OID"){...on Commit{%s}}}}'


@pytest.fixture(scope="module")
def published() -> graphql.GraphQLSchema:
    try:
        return github_schema.published()
    except github_schema.UnavailableError as error:
        pytest.skip(f"NOT CHECKED against GitHub's published schema: {error}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("double") / "r.git"


@pytest.fixture(scope="module")
def commits(folder: Path) -> list[str]:
    crowd = together(*(f"c{number}@x.org" for number in range(12)))
    return build(folder, [("ada@x.org", "One"), ("bot@x.org", together("ADA@x.org", "bo@x.org")), ("cy@x.org", crowd)])


@pytest.fixture
def accounts() -> Accounts:
    known = Accounts()
    known.add(KnownAccount(1, "ada", "Ada"), "ada@x.org")
    known.add(KnownAccount(2, "robot", type="Bot"), "bot@x.org")
    return known


@pytest.fixture
def double(folder: Path, commits: list[str], accounts: Accounts) -> Iterator[GitHubDouble]:
    with GitHubDouble({"o/r": folder}, accounts, limit=100) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10, headers={"Authorization": f"Bearer {TOKEN}"}) as open_client:
        yield open_client


def ask(client: httpx.Client, double: GitHubDouble, query: str, **variables: str) -> Any:
    return client.post(double.graphql_url, json={"query": query, "variables": variables}).json()


def test_the_partial_schema_matches_the_published_one(published: graphql.GraphQLSchema) -> None:
    for name, kind in github_schema.part().type_map.items():
        theirs = published.type_map[name]
        assert type(kind) is type(theirs), name
        if not isinstance(kind, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType) or name.startswith("__"):
            continue
        assert isinstance(theirs, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType)
        assert {i.name for i in kind.interfaces} <= {i.name for i in theirs.interfaces}, name
        for field_name, field in kind.fields.items():
            other = theirs.fields[field_name]
            assert str(field.type) == str(other.type), f"{name}.{field_name}"
            arguments = {key: (str(a.type), a.default_value) for key, a in field.args.items()}
            assert arguments == {key: (str(a.type), a.default_value) for key, a in other.args.items()}, field_name


def test_the_query_that_podium_sends_is_valid_on_the_published_schema(published: graphql.GraphQLSchema) -> None:
    asks = (Ask("a@x.org", "a" * 40), Ask("b@x.org", "b" * 40, "cursor"))
    body = EmailsRequest("o", "r", asks).call().body
    assert body is not None
    query = httpx.Response(200, content=body).json()["query"]
    assert graphql.validate(published, graphql.parse(query)) == []


def test_authors_come_first_then_co_authors_and_a_bot_has_no_user(
    double: GitHubDouble, client: httpx.Client, commits: list[str]
) -> None:
    nodes = ask(client, double, QUERY, o=commits[1])["data"]["repository"]["object"]["authors"]["nodes"]
    assert nodes == [
        {"email": "bot@x.org", "user": None},
        {"email": "ADA@x.org", "user": {"login": "ada", "databaseId": 1}},
        {"email": "bo@x.org", "user": None},
    ]


def test_a_renamed_account_shows_its_new_login_under_its_id(
    double: GitHubDouble, client: httpx.Client, commits: list[str], accounts: Accounts
) -> None:
    accounts.by_email["ada@x.org"].login = "lovelace"
    nodes = ask(client, double, QUERY, o=commits[0])["data"]["repository"]["object"]["authors"]["nodes"]
    assert nodes[0]["user"] == {"login": "lovelace", "databaseId": 1}


WRONG = {
    "no such field": '{repository(owner:"o",name:"r"){stargazers}}',
    "no such argument": '{repository(owner:"o",name:"r",id:1){name}}',
    "a Bot where a User is": IN_COMMIT % "authors(first:1){nodes{user{...on Bot{login}}}}",
    "a wrong type": "query($o:String!){repository(owner:$o,name:1){name}}",
    "no page": IN_COMMIT % "authors{totalCount}",
    "a page too large": IN_COMMIT % "authors(first:101){totalCount}",
    "an abbreviated id": '{repository(owner:"o",name:"r"){object(oid:"abc123"){oid}}}',
    "no GraphQL": "{repository(",
    "a field without an answer": '{repository(owner:"o",name:"r"){databaseId}}',
}


@pytest.mark.parametrize("query", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_query_fails_the_test(folder: Path, commits: list[str], client: httpx.Client, query: str) -> None:
    with pytest.raises(AssertionError, match="violations"), GitHubDouble({"o/r": folder}) as double:
        assert "errors" in ask(client, double, query.replace("OID", commits[0])) or double.violations


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": f"token {TOKEN}"}, 200)],
)
def test_graphql_needs_a_token(double: GitHubDouble, headers: dict[str, str], status: int) -> None:
    body = {"query": "{rateLimit{remaining}}"}
    assert httpx.post(double.graphql_url, json=body, headers=headers, trust_env=False).status_code == status


def test_rest_answers_without_a_token_within_its_own_limit(folder: Path, commits: list[str]) -> None:
    double = GitHubDouble({"o/r": folder}, anonymous_limit=2)
    with pytest.raises(AssertionError, match="beyond the limit"), double, httpx.Client(trust_env=False) as client:
        got = [client.get(f"{double.api_url}/repos/o/r/commits?sha={commits[1]}&per_page=100") for _ in range(3)]
        assert [one.status_code for one in got] == [200, 200, 403]
        assert [entry["sha"] for entry in got[0].json()] == commits[1::-1]
        assert [one.headers["x-ratelimit-remaining"] for one in got] == ["1", "0", "0"]


def test_a_moved_repository_redirects_in_rest_and_is_followed_in_graphql(
    double: GitHubDouble, client: httpx.Client
) -> None:
    double.hosting.rename("o/r", "new/name")
    answer = client.get(f"{double.api_url}/repos/o/r/commits?per_page=1")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"{double.api_url}/repositories/1000/commits?per_page=1"
    assert client.get(answer.headers["location"]).status_code == 200
    assert client.get(f"{double.api_url}/repositories/1000").json()["full_name"] == "new/name"
    told = ask(client, double, '{repository(owner:"o",name:"r"){nameWithOwner}}')
    assert told["data"]["repository"]["nameWithOwner"] == "new/name"
    double.hosting.delete("new/name")
    assert client.get(f"{double.api_url}/repos/new/name").status_code == 404
    gone = ask(client, double, '{repository(owner:"new",name:"name"){nameWithOwner}}')
    assert gone["errors"][0]["type"] == "NOT_FOUND"


def test_exceeding_the_limit_is_answered_as_by_github_and_fails_the_test(
    folder: Path, commits: list[str], client: httpx.Client
) -> None:
    double = GitHubDouble({"o/r": folder}, limit=1)
    with pytest.raises(AssertionError, match="beyond the limit"), double:
        got = [client.post(double.graphql_url, json={"query": "{rateLimit{remaining}}"}) for _ in range(4)]
        assert got[0].json()["data"] == {"rateLimit": {"remaining": 0}}
        assert [one.status_code for one in got[1:]] == [200, 200, 403]
        assert {one.json()["errors"][0]["type"] for one in got[1:3]} == {"RATE_LIMIT", "RATE_LIMITED"}


def test_a_query_over_the_node_limit_is_refused(folder: Path, commits: list[str], client: httpx.Client) -> None:
    with GitHubDouble({"o/r": folder}, max_nodes=9) as double:
        assert ask(client, double, QUERY, o=commits[0])["errors"][0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"


def test_a_pause_allows_as_many_requests_as_were_under_way_and_one_more_fails_the_test(
    folder: Path, commits: list[str], client: httpx.Client
) -> None:
    # The second request states the pause again, which allows no others.
    double = GitHubDouble({"o/r": folder}, script=Script(["429", "429"]), pause=60, workers=3)
    with pytest.raises(AssertionError, match=r"^1 violations: a request .* before the end of a limit"), double:
        for late in range(5):
            assert client.get(f"{double.api_url}/repos/o/r").headers.get("retry-after") == ("60" if late < 2 else None)
            assert bool(double.violations) == (late > 3)


def test_a_pause_is_in_force_if_the_client_can_have_read_it() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            pause = Pause(100.0, under_way=1, connection=ours)
            assert pause.is_in_force(99.0) and not pause.is_in_force(100.0)
        # As a client does that no longer waits for the answer.
        assert not pause.is_in_force(99.0)
    assert not pause.is_in_force(99.0)


def test_a_token_outside_of_the_header_fails_the_test(folder: Path, client: httpx.Client) -> None:
    with pytest.raises(AssertionError, match="token outside"), GitHubDouble({}) as double:
        client.get(f"{double.api_url}/rate_limit?access_token={TOKEN}")


def test_the_double_counts_requests(double: GitHubDouble, client: httpx.Client) -> None:
    client.get(f"{double.api_url}/repos/o/r")
    ask(client, double, "{rateLimit{remaining}}")
    assert (double.asked(), double.asked("graphql"), double.asked("core")) == (2, 1, 1)
