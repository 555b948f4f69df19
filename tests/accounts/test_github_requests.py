"""Requests to GitHub, its answers, and the action for each fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podium.accounts.github.faults import (
    Action,
    BadToken,
    DelayUntil,
    Done,
    GiveUp,
    Gone,
    Halve,
    Moved,
    RetryAfter,
    Verdict,
    judge,
)
from podium.accounts.github.parse import MAX_WAIT, Rate
from podium.accounts.github.requests import (
    Ask,
    EmailsRequest,
    GitHubRequest,
    RepositoryRequest,
    Response,
    TransportFailure,
    WindowRequest,
    moved,
    repository_path,
)
from podium.accounts.lookup import GitHubAccount

NOW = 1_800_000_000.0
OID = "a" * 40
ADA = {"databaseId": 1, "login": "ada", "name": "Ada", "avatarUrl": "https://a/1", "url": "https://github.com/ada"}
ACCOUNT = GitHubAccount(1, "ada", "Ada", "https://a/1", "https://github.com/ada")

ASK_A, ASK_B = Ask("a@x.org", "a" * 40), Ask("b@x.org", "b" * 40)
EMAILS = EmailsRequest("o", "r", (ASK_A, ASK_B))
SINGLE = EmailsRequest("o", "r", (ASK_A,))
WINDOW = WindowRequest(repository_path("o", "r"), OID)


def commit(*people: tuple[str | None, Any], more: str | None = None) -> dict[str, Any]:
    nodes = [{"email": email, "user": user} for email, user in people]
    return {"authors": {"pageInfo": {"hasNextPage": bool(more), "endCursor": more}, "nodes": nodes}}


def answer(*errors: dict[str, Any], **aliases: Any) -> dict[str, Any]:
    document: dict[str, Any] = {"data": {"rateLimit": None, "repository": aliases}}
    return document | ({"errors": list(errors)} if errors else {})


WHOLE = answer(a0=commit(("a@x.org", ADA)), a1=commit(("b@x.org", None)))


def ok(document: object, status: int = 200, **headers: str) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, body, "https://api.github.com/repos/o/r/commits?sha=x")


def judged(document: object, request: GitHubRequest = EMAILS) -> Verdict:
    return judge(request, ok(document), NOW)


def test_a_query_carries_everything_from_outside_as_variables() -> None:
    hostile = EmailsRequest('o"){x}', "r\n", (Ask("a@x.org", OID), Ask("b@x.org", OID, 'c"}')))
    body = json.loads(hostile.call().body or b"")
    assert body["variables"] == {"owner": 'o"){x}', "name": "r\n", "o0": OID, "o1": OID, "c1": 'c"}'}
    assert 'o"' not in body["query"] and OID not in body["query"] and 'c"}' not in body["query"]
    assert "... on Bot" not in body["query"]


@pytest.mark.parametrize("oid", ["", "HEAD", "a" * 39, "A" * 40, "a" * 41, "a" * 40 + "\n", "a" * 64, '"){x}'])
def test_commit_ids_must_be_complete(oid: str) -> None:
    with pytest.raises(ValueError, match="whole id"):
        Ask("a@x.org", oid)
    with pytest.raises(ValueError, match="whole id"):
        WindowRequest("/repos/o/r", oid)


def test_a_request_has_one_to_fifty_emails() -> None:
    for asks in ((), (ASK_A,) * 51):
        with pytest.raises(ValueError, match="50"):
            EmailsRequest("o", "r", asks)


def test_rest_paths_are_escaped() -> None:
    assert repository_path("o/../..", "r?x#y") == "/repos/o%2F..%2F../r%3Fx%23y"
    with pytest.raises(ValueError, match="owner"):
        repository_path("o", "..")


def test_answers_are_matched_by_email_in_any_case_and_not_by_position() -> None:
    reply = judged(answer(a0=commit(("first@x.org", None), ("A@X.org", ADA)), a1=commit(("b@x.org", None)))).answer
    assert reply.accounts == {"first@x.org": None, "a@x.org": ACCOUNT, "b@x.org": None}
    assert reply.complete and not reply.retry and not reply.other_commit


def test_an_email_named_by_one_commit_needs_no_other_commit() -> None:
    reply = judged(answer(a0=commit(("a@x.org", None), ("b@x.org", ADA)), a1=None)).answer
    assert reply.accounts["b@x.org"] == ACCOUNT
    assert reply.other_commit == ()


@pytest.mark.parametrize("nothing", [None, {}, commit(), commit(("other@x.org", ADA)), commit((None, None))])
def test_a_commit_that_is_missing_or_names_others_leads_to_another_commit(nothing: object) -> None:
    verdict = judged(answer(a0=nothing, a1=commit(("b@x.org", None))))
    assert verdict.action == Done()
    assert verdict.answer.other_commit == (ASK_A,)
    assert "a@x.org" not in verdict.answer.accounts


@pytest.mark.parametrize(
    "node", [None, {}, {"email": None, "user": None}, {"email": "a@x.org", "user": {"login": "x"}}]
)
def test_a_null_author_is_treated_like_a_missing_commit(node: Any) -> None:
    page = commit(("c@x.org", ADA))
    page["authors"]["nodes"].append(node)
    reply = judged(answer(a0=page, a1=commit(("b@x.org", None)))).answer
    assert reply.other_commit == reply.missing == (ASK_A,)
    assert reply.accounts == {"c@x.org": ACCOUNT, "b@x.org": None}


def test_emails_of_one_commit_share_one_alias() -> None:
    request = EmailsRequest("o", "r", (ASK_A, Ask("c@x.org", ASK_A.oid), ASK_B))
    body = json.loads(request.call().body or b"")
    assert body["variables"] == {"owner": "o", "name": "r", "o0": ASK_A.oid, "o1": ASK_B.oid}
    reply = judged(answer(a0=commit(("a@x.org", ADA), ("c@x.org", None)), a1=commit(("b@x.org", None))), request).answer
    assert reply.accounts == {"a@x.org": ACCOUNT, "c@x.org": None, "b@x.org": None}


def test_a_commit_with_more_authors_than_a_page_leads_to_the_next_page() -> None:
    verdict = judged(answer(a0=commit(("c@x.org", None), more="10"), a1=commit(("b@x.org", ADA), more="10")))
    assert verdict.action == Done()
    assert verdict.answer.next_page == (Ask("a@x.org", OID, "10"),)


def test_a_missing_alias_is_retried_and_the_rest_is_kept() -> None:
    verdict = judged(answer(a1=commit(("b@x.org", ADA))))
    assert isinstance(verdict.action, RetryAfter)
    assert verdict.answer.retry == (ASK_A,)
    assert verdict.answer.accounts == {"b@x.org": ACCOUNT}


def test_a_null_beside_an_error_is_not_an_answer() -> None:
    lost = {"path": ["repository", "a0", "authors", "nodes", 0, "user"], "message": "Timeout on resolving"}
    verdict = judged(answer(lost, a0=commit(("a@x.org", None), ("c@x.org", ADA)), a1=commit(("b@x.org", None))))
    assert verdict.answer.retry == (ASK_A,)
    assert verdict.answer.accounts == {"c@x.org": ACCOUNT, "b@x.org": None}
    assert isinstance(verdict.action, Halve)


@pytest.mark.parametrize("path", [None, [], ["repository"], "repository.a0", ["a0"], [0], {}])
def test_an_error_without_an_alias_applies_to_all_aliases(path: object) -> None:
    document = answer({"path": path, "message": "Timeout"}, a0=commit(("a@x.org", None)), a1=commit(("b@x.org", ADA)))
    reply = judged(document).answer
    assert reply.retry == (ASK_A,) and reply.accounts == {"b@x.org": ACCOUNT}


def test_an_error_of_the_budget_says_nothing_about_people() -> None:
    verdict = judged(
        answer({"path": ["rateLimit"], "message": "no"}, a0=commit(("a@x.org", None)), a1=commit(("b@x.org", None)))
    )
    assert verdict.action == Done() and len(verdict.answer.accounts) == 2


def test_a_permanent_error_leads_to_another_commit() -> None:
    error = {"type": "NOT_FOUND", "path": ["repository", "a0"], "message": "no such object"}
    verdict = judged(answer(error, a0=None, a1=commit(("b@x.org", None))))
    assert verdict.action == Done()
    assert verdict.answer.other_commit == (ASK_A,)


@pytest.mark.parametrize(
    "user",
    [
        *({}, {"login": "x"}, {"databaseId": None, "login": "x"}, {"databaseId": True, "login": "x"}),
        *({"databaseId": 2**63, "login": "x"}, {"databaseId": 5, "login": 5}, "x", 7, []),
    ],
)
def test_a_user_without_a_valid_id_and_login_is_no_answer(user: object) -> None:
    reply = judged(answer(a0=commit(("a@x.org", user)), a1=commit(("b@x.org", None)))).answer
    assert "a@x.org" not in reply.accounts


def test_text_from_outside_is_sanitised() -> None:
    user = {"databaseId": 9, "login": "x\0y", "name": "\ud800" * 900, "avatarUrl": "javascript:1", "url": 3}
    account = judged(answer(a0=commit(("a@x.org", user)), a1=None)).answer.accounts["a@x.org"]
    assert account == GitHubAccount(9, "xy", "?" * 500, None, None)


def test_a_window_has_the_author_of_each_commit() -> None:
    author = {"login": "ada", "id": 1, "avatar_url": "https://a/1", "html_url": "https://github.com/ada"}
    entries = [
        {"sha": "1", "commit": {"author": {"email": "A@x.org"}}, "author": author | {"type": "User"}},
        {"sha": "2", "commit": {"author": {"email": "b@x.org"}}, "author": None},
        {"sha": "3", "commit": {"author": {"email": "c@x.org"}}, "author": {}},
        {"sha": "4", "commit": {"author": {"email": "d@x.org"}}, "author": author | {"id": 2, "type": "Bot"}},
        {"sha": "5", "commit": {"author": None}, "author": None},
        {"sha": "6", "commit": {"author": {"email": "e@x.org"}}},
    ]
    reply = judged(entries, WINDOW).answer
    assert [found.sha for found in reply.commits] == ["1", "2", "3", "4", "5"]
    assert {email: account and account.account_id for email, account in reply.accounts.items()} == {
        "a@x.org": 1,
        "b@x.org": None,
        "c@x.org": None,
        "d@x.org": 2,
    }
    bot = reply.accounts["d@x.org"]
    assert bot and bot.is_bot
    assert WINDOW.call().path == f"/repos/o/r/commits?sha={OID}&per_page=100"


SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
STUMBLE = "Something went wrong while executing your query. This may be the result of a timeout"


def error(kind: str | None, message: str = "no", *, about: bool = False, **extensions: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"message": message, "extensions": extensions}
    return found | ({"type": kind} if kind else {}) | ({"path": ["repository"]} if about else {})


def failed(*errors: dict[str, Any]) -> Response:
    return ok({"data": {"repository": None}, "errors": list(errors)})


FAULTS: list[tuple[str, GitHubRequest, Response | TransportFailure, type[Action] | Action]] = [
    (
        "no connection",
        EMAILS,
        TransportFailure("connect", "refused"),
        RetryAfter(1.0, "GitHub cannot be reached (refused)"),
    ),
    ("no answer in time", EMAILS, TransportFailure("timeout"), Halve),
    ("no answer in time to one", SINGLE, TransportFailure("timeout"), RetryAfter),
    ("no answer in time to a window", WINDOW, TransportFailure("timeout"), RetryAfter),
    ("connection dropped", EMAILS, TransportFailure("dropped"), RetryAfter),
    ("answer too large", EMAILS, TransportFailure("too-large"), Halve),
    ("bad token", EMAILS, ok({"message": "Bad credentials"}, 401), BadToken),
    ("forbidden", EMAILS, ok({"message": "Resource not accessible"}, 403), GiveUp),
    ("SSO by header", EMAILS, ok({"message": "no"}, 403, x_github_sso="required"), GiveUp),
    ("SSO by words", WINDOW, ok({"message": "Resource protected by organization SAML enforcement"}, 403), GiveUp),
    ("blocked", WINDOW, ok({"message": "Repository access blocked"}, 403), Gone),
    ("taken down", WINDOW, ok({"message": "Repository unavailable due to DMCA takedown."}, 451), Gone),
    ("gone", WINDOW, ok({"message": "Not LookupStep"}, 404), Gone),
    ("no GraphQL there", EMAILS, ok({"message": "Not LookupStep"}, 404), GiveUp),
    ("GraphQL moved", EMAILS, ok({}, 301, location="https://api.github.com/x"), GiveUp),
    ("empty repository", WINDOW, ok({"message": "Git Repository is empty."}, 409), Done),
    ("no such commit", WINDOW, ok({"message": "No commit found for SHA"}, 422), Done),
    ("query too long", EMAILS, ok({}, 413), Halve),
    ("bad request", EMAILS, ok({}, 400), GiveUp),
    *((f"server fault {code}", EMAILS, ok(b"<html>", code), RetryAfter) for code in (408, 500, 503, 520)),
    *((f"server fault {code}", EMAILS, ok(b"<html>", code), Halve) for code in (502, 504)),
    *((f"server fault {code}", WINDOW, ok(b"<html>", code), RetryAfter) for code in (502, 504)),
    ("maintenance", EMAILS, ok(b"", 503, retry_after="30"), DelayUntil),
    ("not JSON", EMAILS, ok(b"<html>"), RetryAfter),
    ("cut short", EMAILS, ok(b'{"data":{"repo'), RetryAfter),
    ("empty body", EMAILS, ok(b""), RetryAfter),
    ("nested without end", EMAILS, ok(b"[" * 200_000), RetryAfter),
    ("another JSON", EMAILS, ok([1]), RetryAfter),
    ("another JSON for a window", WINDOW, ok({"x": 1}), RetryAfter),
    ("null", EMAILS, ok({"data": None}), RetryAfter),
    ("too much for one query", EMAILS, failed(error("RESOURCE_LIMITS_EXCEEDED")), Halve),
    ("too much, said as a code", EMAILS, failed(error(None, code="RESOURCE_LIMITS_EXCEEDED")), Halve),
    ("too many nodes", EMAILS, failed(error("MAX_NODE_LIMIT_EXCEEDED")), Halve),
    ("something went wrong", EMAILS, ok({"errors": [error(None, STUMBLE)]}), Halve),
    ("something went wrong with one", SINGLE, ok({"errors": [error(None, STUMBLE)]}), RetryAfter),
    ("repository not found", EMAILS, failed(error("NOT_FOUND", about=True)), Gone),
    ("repository forbidden", EMAILS, failed(error("FORBIDDEN", about=True)), GiveUp),
    ("repository behind SSO", EMAILS, failed(error("FORBIDDEN", about=True, saml_failure=True)), GiveUp),
    ("query refused", EMAILS, ok({"errors": [error(None, "Field 'x' doesn't exist on type 'User'")]}), GiveUp),
    ("whole", EMAILS, ok(WHOLE), Done),
    ("whole with an error beside", EMAILS, ok(WHOLE | {"errors": [{"path": ["rateLimit"], "message": "no"}]}), Done),
    ("repository there", RepositoryRequest("/repos/o/r"), ok({"full_name": "o/new"}), Done),
    ("repository unreadable", RepositoryRequest("/repos/o/r"), ok({}), RetryAfter),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "outcome", "expected"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_each_fault_has_one_action(
    request_: GitHubRequest, outcome: Response | TransportFailure, expected: type[Action] | Action
) -> None:
    action = judge(request_, outcome, NOW).action
    if isinstance(expected, type):
        assert isinstance(action, expected)
    else:
        assert action == expected


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        *(("SSO by header", "sso"), ("SSO by words", "sso"), ("repository behind SSO", "sso")),
        *(("forbidden", "forbidden"), ("repository forbidden", "forbidden")),
        *(("GraphQL moved", "address"), ("query refused", "refused")),
    ],
)
def test_giving_up_has_a_code_for_each_case(fault: str, code: str) -> None:
    _, request, outcome, _ = next(row for row in FAULTS if row[0] == fault)
    action = judge(request, outcome, NOW).action
    assert isinstance(action, GiveUp) and action.code == code


RESET = str(int(NOW) + 600)
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}
LEFT = {"x-ratelimit-remaining": "9", "x-ratelimit-reset": RESET}
LONG_AGO = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"}
AHEAD = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800004200", "date": "Fri, 15 Jan 2027 09:00:00 GMT"}
DATED = {"retry-after": "Fri, 15 Jan 2027 08:01:00 GMT", "date": "Fri, 15 Jan 2027 08:00:00 GMT"}
BY_WORDS = {"message": "API rate limit already exceeded for user ID 1."}
BY_ADDRESS = {"message": "API rate limit exceeded for 192.0.2.1."}
LIMITS: list[tuple[str, GitHubRequest, int, object, dict[str, str], str, float]] = [
    ("200 RATE_LIMITED", EMAILS, 200, {"errors": [error("RATE_LIMITED")]}, SPENT, "primary", 600),
    ("200 RATE_LIMIT", EMAILS, 200, {"errors": [error("RATE_LIMIT")]}, SPENT, "primary", 600),
    ("200 by words", EMAILS, 200, BY_WORDS, {}, "primary", 60),
    ("403 spent", WINDOW, 403, {"message": "no"}, SPENT, "primary", 600),
    ("429 spent", WINDOW, 429, {}, SPENT, "primary", 600),
    ("403 by words", WINDOW, 403, BY_ADDRESS, {}, "primary", 60),
    ("retry-after goes first", WINDOW, 403, {}, SPENT | {"retry-after": "7"}, "primary", 7),
    ("200 secondary", EMAILS, 200, SECONDARY, {}, "secondary", 60),
    ("403 secondary", EMAILS, 403, SECONDARY, {"retry-after": "12"}, "secondary", 12),
    ("429", EMAILS, 429, {}, {}, "secondary", 60),
    ("429 stated", EMAILS, 429, {}, {"retry-after": "90"}, "secondary", 90),
    ("429 with a date", EMAILS, 429, {}, DATED, "secondary", 60),
    ("503 stated", EMAILS, 503, {}, {"retry-after": "30"}, "secondary", 30),
    ("secondary while points are left", EMAILS, 403, SECONDARY, LEFT, "secondary", 60),
    ("a reset that passed", WINDOW, 403, {}, LONG_AGO, "primary", 1),
    ("a wait beyond reason", WINDOW, 429, {}, {"retry-after": "999999999"}, "secondary", 86_400),
    ("a wait that is none", WINDOW, 429, {}, {"retry-after": "-5"}, "secondary", 60),
    ("their clock is an hour ahead", WINDOW, 429, {}, AHEAD, "primary", 600),
]


@pytest.mark.parametrize(
    ("request_", "status", "body", "headers", "scope", "wait"),
    [row[1:] for row in LIMITS],
    ids=[row[0] for row in LIMITS],
)
def test_the_wait_for_a_limit_is_the_one_github_states(
    request_: GitHubRequest, status: int, body: object, headers: dict[str, str], scope: str, wait: float
) -> None:
    action = judge(request_, Response(status, headers, json.dumps(body).encode()), NOW).action
    assert isinstance(action, DelayUntil)
    assert (action.scope, action.until - NOW) == (scope, wait)


def test_an_unstated_wait_doubles_with_each_strike_and_a_backoff_with_each_attempt() -> None:
    waits = [judge(EMAILS, ok({}, 429), NOW, strikes=strikes).action for strikes in range(4)]
    assert [wait.until - NOW for wait in waits if isinstance(wait, DelayUntil)] == [60, 120, 240, 480]
    longest = judge(EMAILS, ok({}, 429), NOW, strikes=2000).action
    assert isinstance(longest, DelayUntil) and longest.until - NOW == MAX_WAIT
    backoffs = [judge(EMAILS, ok({}, 500), NOW, attempt=attempt).action for attempt in (0, 1, 2, 9)]
    assert [backoff.seconds for backoff in backoffs if isinstance(backoff, RetryAfter)] == [1, 2, 4, 60]


def test_answers_beside_a_limit_are_kept() -> None:
    verdict = judged(answer(error("RATE_LIMITED"), a0=commit(("a@x.org", ADA)), a1=None))
    assert isinstance(verdict.action, DelayUntil)
    assert verdict.answer.accounts == {"a@x.org": ACCOUNT}
    assert verdict.answer.retry == (ASK_B,)


def test_a_limits_words_in_a_name_are_not_a_limit() -> None:
    user = ADA | {"name": "API rate limit exceeded, secondary rate limit, something went wrong, saml"}
    assert judged(answer(a0=commit(("a@x.org", user)), a1=commit(("b@x.org", None)))).action == Done()


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://api.github.com/repositories/7/commits?sha=x", "/repositories/7"),
        ("/repositories/7/commits", "/repositories/7"),
        ("https://api.github.com/repos/new/name/commits", "/repos/new/name"),
        ("https://evil.example/repositories/7/commits", None),
        ("http://api.github.com/repositories/7/commits", None),
        ("https://api.github.com:8443/repositories/7", None),
        ("https://api.github.com/user/keys", None),
        ("//evil.example/repositories/7", None),
        ("https://[bad", None),
    ],
)
def test_redirects_are_followed_inside_the_same_api_only(location: str, expected: str | None) -> None:
    action = judge(WINDOW, ok({}, 301, location=location), NOW).action
    if expected is None:
        assert isinstance(action, GiveUp) and action.code == "address"
    else:
        assert action == Moved(expected)
        there = moved(WINDOW, expected)
        assert there.call().path == f"{expected}/commits?sha={OID}&per_page=100"


def test_a_redirect_loop_ends() -> None:
    request: Any = WINDOW
    for _ in range(3):
        request = moved(request, "/repos/o/r")
    outcome = ok({}, 301, location="/repositories/7/commits")
    assert isinstance(judge(request, outcome, NOW).action, GiveUp)


def test_a_redirect_keeps_the_base_path_of_an_enterprise_server() -> None:
    outcome = Response(
        301,
        {"location": "https://ghe.example/api/v3/repositories/7/commits"},
        b"",
        f"https://ghe.example/api/v3{WINDOW.call().path}",
    )
    assert judge(WINDOW, outcome, NOW).action == Moved("/repositories/7")


def test_the_rate_comes_from_the_headers_or_else_from_the_body() -> None:
    response = ok(WHOLE, x_ratelimit_limit="5000", x_ratelimit_remaining="4999", x_ratelimit_reset=RESET)
    assert judge(EMAILS, response, NOW).rate == Rate(5000, 4999, NOW + 600)
    stated = {"limit": 5000, "remaining": 7, "resetAt": "2027-01-15T08:10:00Z"}
    body = {"data": {**WHOLE["data"], "rateLimit": stated}}
    assert judge(EMAILS, ok(body), NOW).rate == Rate(5000, 7, NOW + 600)
    assert judge(EMAILS, ok(WHOLE), NOW).rate is None
    # The server's clock is an hour ahead of ours, and its Date header says so.
    ahead = {**stated, "resetAt": "2027-01-15T09:10:00Z"}
    response = ok({"data": {**WHOLE["data"], "rateLimit": ahead}}, date="Fri, 15 Jan 2027 09:00:00 GMT")
    assert judge(EMAILS, response, NOW).rate == Rate(5000, 7, NOW + 600)


def test_a_401_says_nothing_about_the_tokens_budget() -> None:
    response = ok({}, 401, x_ratelimit_limit="60", x_ratelimit_remaining="0", x_ratelimit_reset=RESET)
    assert judge(EMAILS, response, NOW) == judge(EMAILS, ok({}, 401), NOW)
