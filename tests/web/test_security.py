"""What a request must satisfy before a route sees it, who may administer, and what every answer carries."""

from __future__ import annotations

import datetime
import re
from typing import Any

import httpx
import pytest

from podium.web.admin_sessions import COOKIE, OneTimeCode, Sessions
from podium.web.wrong_tokens import MOST_WRONG
from tests.support.cli import ADMIN, ADMIN_TOKEN
from tests.support.limit_clock import LimitClock
from tests.support.web import Open, Site, is_problem

SUBMIT = "/leaderboard?repoUrl=octo/hello"
RETRY = "/repositories/retry?repoUrl=octo/hello"


# Host


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:3000", "LOCALHOST:80", "127.0.0.1:3000", "127.9.9.9", "[::1]:3000"]
)
def test_loopback_is_known_by_its_names(open_with: Open, host: str) -> None:
    assert open_with().client(host).get("/health").status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:3000", "localhost.evil.example", "192.0.2.1:3000", "0.0.0.0", "[2001:db8::1]"],
)
def test_loopback_refuses_every_other_name(open_with: Open, host: str) -> None:
    site = open_with()
    assert is_problem(site.client(host).get("/repositories"), 421, "PODIUM_ALLOWED_HOSTS")
    assert is_problem(site.client(host).get("/"), 421)
    assert is_problem(site.client(host).get("/static/podium.css"), 421)
    assert is_problem(site.client(host).post(SUBMIT), 421)
    assert site.queues.enqueued == []


@pytest.mark.parametrize("host", ["192.0.2.1:3000", "[2001:db8::1]:3000", "127.0.0.1", "localhost"])
def test_public_server_is_reached_by_address(open_with: Open, host: str) -> None:
    assert open_with(loopback=False).client(host).get("/health").status_code == 200


def test_public_server_is_reached_by_the_names_that_are_listed(open_with: Open) -> None:
    site = open_with(loopback=False, allowed_hosts=("Podium.example", "other.example:8443"))
    assert site.client("podium.example").get("/health").status_code == 200
    assert site.client("PODIUM.example:8080").get("/health").status_code == 200
    assert site.client("other.example:8443").get("/health").status_code == 200
    assert is_problem(site.client("other.example").get("/health"), 421)
    assert is_problem(site.client("evil.example").get("/health"), 421)


@pytest.mark.parametrize("host", ["", "a b", "localhost@evil", "localhost/", "local\thost", "<script>", "localhost:x"])
def test_host_that_is_none_is_refused_and_not_repeated(open_with: Open, host: str) -> None:
    answer = open_with().client().get("/health", headers={"host": host})
    assert is_problem(answer, 400, "Host")
    assert "script" not in answer.text


def test_two_hosts_are_refused(open_with: Open) -> None:
    answer = open_with().client().get("/health", headers=[("host", "localhost"), ("host", "evil.example")])
    assert is_problem(answer, 400, "Host")


# Origin


FOREIGN: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:3001"},
    {"origin": "http://localhost"},
    {"origin": "http://[localhost:3000"},
    {"origin": "chrome-extension://localhost:3000"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://localhost:3000"},
    {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
]


@pytest.mark.parametrize("path", [SUBMIT, RETRY, "/refresh", "/submit", "/retry"])
def test_page_of_another_site_changes_nothing(open_with: Open, path: str) -> None:
    site = open_with()
    site.repository(state="failed", error="No.")
    for headers in FOREIGN:
        assert is_problem(site.client().post(path, headers=headers), 403, "other sites"), headers
    assert site.queues.enqueued == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:3000"},
        {"origin": "https://localhost:3000", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_own_page_and_programs_may_submit(open_with: Open, headers: dict[str, str]) -> None:
    assert open_with().client().post(SUBMIT, headers=headers).status_code == 202


def test_page_of_another_site_may_link_here(open_with: Open) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert open_with().client().get("/", headers=headers).status_code == 200


def test_no_other_site_may_read_unless_listed(open_with: Open) -> None:
    site = open_with()
    answer = site.client().get("/repositories", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    assert is_problem(site.client().request("OPTIONS", "/leaderboard", headers=preflight), 405)


def test_listed_site_may_read_and_submit(open_with: Open) -> None:
    client = open_with(cors_origins=("https://friend.example",)).client()
    friend = {"origin": "https://friend.example", "sec-fetch-site": "cross-site"}
    answer = client.get("/repositories", headers=friend)
    assert answer.headers["access-control-allow-origin"] == "https://friend.example"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"X-Total-Count", "Retry-After", "ETag", "Podium-Stale", "Age"} <= set(exposed)
    for method in {
        method.upper() for methods in client.get("/openapi.json").json()["paths"].values() for method in methods
    }:
        asked = {"access-control-request-method": method, "access-control-request-headers": "authorization"}
        assert client.request("OPTIONS", "/repositories/1", headers=friend | asked).status_code == 200, method
    assert client.post(SUBMIT, headers=friend).status_code == 202
    foe = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert is_problem(client.post(SUBMIT, headers=foe), 403)
    assert "access-control-allow-origin" not in client.get("/repositories", headers=foe).headers


# Administration

ADMINISTRATION = [
    *(("GET", "/queues"), ("POST", "/queues/retry"), ("DELETE", "/queues/1"), ("POST", "/refresh")),
    ("POST", "/queues/pause?kind=schedule"),
    ("POST", "/queues/resume?kind=schedule"),
    ("POST", "/queues/limit?host=github.com"),
    ("POST", "/queues/move?id=1&to=first"),
]
# As proxies on the same machine send them, with and without naming the client.
FROM_HERE: list[dict[str, str]] = [{}, {"x-forwarded-for": "192.0.2.7"}, {"forwarded": "for=192.0.2.7"}]


@pytest.mark.parametrize(("method", "path"), ADMINISTRATION)
def test_nobody_is_administrator_by_coming_from_this_machine(open_with: Open, method: str, path: str) -> None:
    site = open_with(admin_token="")
    site.repository(state="failed", error="No.")
    for headers in FROM_HERE:
        answer = site.client().request(method, path, headers=headers)
        assert is_problem(answer, 403, "PODIUM_ADMIN_TOKEN", "16 characters"), headers
    assert site.queues.enqueued == []


@pytest.mark.parametrize("loopback", [True, False])
@pytest.mark.parametrize(("method", "path"), ADMINISTRATION)
def test_token_is_required_wherever_the_request_comes_from(
    open_with: Open, loopback: bool, method: str, path: str
) -> None:
    site = open_with(loopback=loopback, admin_token="s3cret-of-the-ü-team")
    site.repository(state="pending")
    for authorization in (None, "Bearer", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer s3cret-of-the"):
        headers = {"authorization": authorization} if authorization else {}
        answer = site.client().request(method, path, headers=headers)
        assert is_problem(answer, 401, "Authorization: Bearer")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "s3cret" not in answer.text
    right = {"authorization": "bearer s3cret-of-the-ü-team".encode()}
    answer = site.client().request(method, path, headers=right)
    assert answer.status_code < 300
    assert answer.headers["cache-control"] == "private, no-store"


def test_everyone_may_retry_within_the_limit_of_submissions(open_with: Open) -> None:
    site = open_with(submissions_per_minute=2, admin_token="")
    number = site.repository(state="failed", error="No.")
    assert site.client().post(RETRY).status_code == 202
    assert site.queues.enqueued == [(number,)]
    assert is_problem(site.client().post(RETRY), 409)
    assert is_problem(site.client().post(RETRY), 429)
    assert is_problem(site.client(address="192.0.2.5").post("/repositories/retry?repoUrl=https://no.example/o/r"), 400)


def test_wrong_tokens_of_one_client_are_slowed_down_and_logged(
    open_with: Open, caplog: pytest.LogCaptureFixture
) -> None:
    site = open_with(loopback=False)
    guesser, other = (site.client("192.0.2.1", address) for address in ("192.0.2.50", "192.0.2.51"))
    statuses = [
        guesser.get("/queues", headers={"authorization": f"Bearer guess-{place}"}).status_code for place in range(30)
    ]
    assert statuses == [401] * (MOST_WRONG - 1) + [429] * (31 - MOST_WRONG)
    # Neither the right token nor a route that is open to everyone tells this client whether a guess is right.
    answer = guesser.get("/queues", headers=ADMIN)
    assert is_problem(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    site.person(site.repository(), "Ada", "ada@example.com")
    answer = guesser.get(SUBMIT, headers=ADMIN)
    assert (answer.status_code, "ada@example.com" in answer.text) == (200, False)
    # Without a token, and from elsewhere, all is as before.
    assert guesser.get("/queues").status_code == 401
    assert other.get("/queues", headers=ADMIN).status_code == 200
    logged = [record.getMessage() for record in caplog.records if record.name == "podium.web.authentication"]
    assert len(logged) == MOST_WRONG
    assert "192.0.2.50" in logged[0]
    assert not any("guess" in line for line in logged)


def test_wrong_tokens_count_on_routes_that_are_open_too(open_with: Open) -> None:
    site = open_with()
    for _ in range(MOST_WRONG):
        assert site.client().get("/version", headers={"authorization": "Bearer guess"}).status_code == 200
    assert site.client().get("/queues", headers=ADMIN).status_code == 429


def test_passwords_of_another_program_are_no_wrong_tokens(open_with: Open) -> None:
    site = open_with()
    for _ in range(2 * MOST_WRONG):
        site.client().get("/version", headers={"authorization": "Basic b3RoZXI6d29yZA=="})
    assert site.client().get("/queues", headers=ADMIN).status_code == 200


# The link for a browser


def enter(site: Site, code: str, **options: Any) -> httpx.Response:
    return site.client(**options).get("/admin", params={"code": code})


def test_link_makes_a_browser_the_administrators_once(open_with: Open) -> None:
    code = OneTimeCode()
    site = open_with(code=code)
    assert site.client().request("HEAD", "/admin", params={"code": code.text}).status_code == 200
    answer = enter(site, code.text)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "private, no-store"
    words = [word.strip().lower() for word in answer.headers["set-cookie"].split(";")]
    assert {"httponly", "samesite=strict", "path=/", "max-age=604800"} <= set(words)
    assert "secure" not in words
    assert code.text not in answer.headers["set-cookie"] and ADMIN_TOKEN not in answer.headers["set-cookie"]
    assert is_problem(enter(site, code.text), 403, "restart `podium serve`")
    cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
    answer = site.client().get("/queues", headers=cookie)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"


def test_cookie_is_secure_where_the_page_is(open_with: Open) -> None:
    code = OneTimeCode()
    site = open_with(code=code)
    answer = site.client().get(f"https://localhost:3000/admin?code={code.text}")
    assert "; Secure" in answer.headers["set-cookie"]


def test_link_ends_after_ten_minutes(open_with: Open) -> None:
    now = [0.0]
    code = OneTimeCode(clock=lambda: now[0])
    now[0] = 600.0
    assert is_problem(enter(open_with(code=code), code.text), 403)


@pytest.mark.parametrize("code", ["", "x", "é" * 50])
def test_wrong_codes_are_slowed_down(open_with: Open, code: str) -> None:
    right = OneTimeCode()
    site = open_with(code=right)
    for _ in range(MOST_WRONG):
        assert is_problem(enter(site, code), 403)
    assert is_problem(enter(site, right.text), 429)
    assert enter(site, right.text, address="192.0.2.5").status_code == 303


def test_cookie_of_the_browser_counts_only_for_this_servers_pages(open_with: Open) -> None:
    site = open_with(cors_origins=("https://friend.example",))
    cookie = {"cookie": f"other=1; {COOKIE}={Sessions(ADMIN_TOKEN).new()}"}
    client = site.client()
    assert client.post("/refresh", headers=cookie | {"origin": "http://localhost:3000"}).status_code == 202
    assert client.post("/refresh", headers=cookie).status_code == 401
    assert client.post("/refresh", headers=cookie | {"origin": "https://friend.example"}).status_code == 401
    assert client.post("/refresh", headers=cookie | {"origin": "http://localhost:3001"}).status_code == 403


def test_cookie_is_signed_ends_and_belongs_to_one_token(open_with: Open) -> None:
    site = open_with()
    now = [1e9]
    sessions = Sessions(ADMIN_TOKEN, clock=lambda: now[0])
    value = sessions.new()
    assert sessions.is_valid(value)
    ends, _, signature = value.partition(".")
    forged = [f"{int(ends) + 1}.{signature}", f"{ends}.{'0' * 64}", ends, "", ".", f"{ends}.", "٣.x", f"{'9' * 5000}.x"]
    assert not any(sessions.is_valid(text) for text in forged)
    assert not Sessions("another-token-of-16", clock=lambda: now[0]).is_valid(value)
    now[0] = float(ends)
    assert not sessions.is_valid(value)
    for text in (value, *forged[:-2]):
        assert site.client().get("/queues", headers={"cookie": f"{COOKIE}={text}"}).status_code == 401
    assert not open_with(admin_token="").client().get("/queues", headers={"cookie": f"{COOKIE}={value}"}).is_success


# E-mail addresses


@pytest.mark.parametrize(
    ("administrator", "chosen", "shown"),
    [
        (True, None, True),
        (False, None, False),
        (True, False, False),
        (False, True, True),
    ],
)
@pytest.mark.parametrize("headers", FROM_HERE)
def test_emails_are_shown_to_the_administrator_or_where_the_operator_chose(
    open_with: Open, administrator: bool, chosen: bool | None, shown: bool, headers: dict[str, str]
) -> None:
    site = open_with(show_emails=chosen)
    site.person(site.repository(), "Ada", "ada@example.com")
    client = site.administrator() if administrator else site.client()
    answer = client.get(SUBMIT, headers=headers)
    assert answer.status_code == 200
    assert ("ada@example.com" in answer.text) is shown


# Submissions per client


def test_the_rate_limit_says_when_to_try_again(open_with: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    LimitClock(monkeypatch)
    site = open_with(submissions_per_minute=2, loopback=False)
    one, other = site.client("192.0.2.1", "192.0.2.50"), site.client("192.0.2.1", "192.0.2.51")
    assert [one.post(SUBMIT).status_code for _ in range(2)] == [202, 202]
    answer = one.post(SUBMIT)
    assert is_problem(answer, 429, "2 per minute")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert one.post("/submit", data={"repoUrl": "octo/hello"}).status_code == 429
    assert one.get(SUBMIT).status_code == 202
    assert other.post(SUBMIT).status_code == 202


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_ipv6_clients_are_one_by_their_network(
    open_with: Open, monkeypatch: pytest.MonkeyPatch, first: str, second: str, same: bool
) -> None:
    LimitClock(monkeypatch)
    site = open_with(submissions_per_minute=1)
    assert site.client(address=first).post(SUBMIT).status_code == 202
    assert site.client(address=second).post(SUBMIT).status_code == (429 if same else 202)


# Bodies


def test_large_body_is_refused(open_with: Open) -> None:
    client = open_with().client()
    assert is_problem(client.post("/submit", content=b"x" * 65_537), 413)
    assert is_problem(client.post(SUBMIT, content=b"x" * 65_537), 413)
    assert is_problem(client.post("/submit", headers={"content-length": "-1"}), 413)


def test_large_body_that_does_not_say_its_length_is_refused(open_with: Open) -> None:
    async def parts() -> Any:
        for _ in range(80):
            yield b"x" * 1024

    answer = open_with().client().post("/submit", content=parts())
    assert is_problem(answer, 413)


# Headers


@pytest.mark.parametrize("path", ["/", "/health", "/nothing", "/r/octo/hello", "/static/podium.svg", "/docs"])
def test_every_answer_carries_the_headers_of_safety(open_with: Open, path: str) -> None:
    answer = open_with().client().get(path, headers={"accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "cache-control" in answer.headers
    if "html" in answer.headers["content-type"]:
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)


@pytest.mark.parametrize("path", ["/static/podium.css", "/static/board.js"])
def test_parts_of_pages_carry_the_headers_that_are_for_them(open_with: Open, path: str) -> None:
    headers = open_with().client().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "cache-control" in headers
    assert "permissions-policy" not in headers


def test_refusals_carry_them_too(open_with: Open) -> None:
    answer = open_with().client("evil.example").get("/")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"


# --- browsers, crawlers, and reports ---


def test_pages_may_copy_and_share_and_nothing_else(open_with: Open) -> None:
    site = open_with()
    site.repository()
    for path in ("/", "/r/octo/hello", "/r/octo/hello/badge.svg", "/health", "/nothing"):
        policy = site.client().get(path).headers["permissions-policy"].split(", ")
        assert {"clipboard-write=(self)", "web-share=(self)", "camera=()", "geolocation=()"} <= set(policy)
        assert all(part.endswith("=()") for part in policy if "(self)" not in part)


def allowed_by(robots: str, path: str) -> bool:
    rules = [line.removeprefix("Disallow: ") for line in robots.splitlines() if line.startswith("Disallow: ")]
    return not any(re.match(re.escape(rule).replace(r"\*", ".*").replace(r"\$", "$"), path) for rule in rules)


def test_crawlers_may_read_pages_images_and_static_files_and_not_the_api(open_with: Open) -> None:
    answer = open_with().client().get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    for path in (
        "/",
        "/r/octo/hello",
        "/r/octo/hello?bots=include",
        "/r/octo/hello/badge.svg",
        "/r/octo/hello/card.svg",
    ):
        assert allowed_by(answer.text, path), path
    for path in (
        "/docs",
        "/people/forgetful",
        "/static/x/podium.css",
        "/avatars/1",
        "/r/board.json/board.json.x",
        "/robots.txt",
    ):
        assert allowed_by(answer.text, path), path
    for path in ("/leaderboard?repoUrl=a/b", "/leaderboard/find", "/repositories/1", "/queues", "/metrics", "/refresh"):
        assert not allowed_by(answer.text, path), path
    for path in (
        "/health",
        "/openapi.json",
        "/events/1",
        "/row/1/2",
        "/follow/1",
        "/chart/1",
        "/people/forget",
        "/find/1",
        "/status/1",
        "/r/octo/hello/board.csv",
    ):
        assert not allowed_by(answer.text, path), path


def test_an_operator_can_forbid_crawlers_everything(open_with: Open) -> None:
    assert open_with(robots=False).client().get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


def test_a_page_with_a_query_is_not_indexed_and_names_the_page_without(open_with: Open) -> None:
    site = open_with()
    site.person(site.repository(), "Ada", "ada@example.org")
    for path in ("/", "/r/octo/hello"):
        plain, asked = (site.client().get(path + query) for query in ("", "?offset=0&source=x"))
        assert "x-robots-tag" not in plain.headers
        assert asked.headers["x-robots-tag"] == "noindex"
        assert re.search(f'<link rel="canonical" href="(http://localhost:3000)?{path}">', asked.text)
    assert "x-robots-tag" not in site.client().get("/repositories?limit=1").headers


def test_security_txt_names_the_operators_contact_and_expires(open_with: Open) -> None:
    assert open_with().client().get("/.well-known/security.txt").status_code == 404
    contacts = ("mailto:security@example.org", "https://example.org/report")
    answer = open_with(security_contact=contacts).client().get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert [value for name, value in fields if name == "Contact"] == list(contacts)
    [expires] = [value for name, value in fields if name == "Expires"]
    left = datetime.datetime.fromisoformat(expires) - datetime.datetime.now(tz=datetime.UTC)
    assert datetime.timedelta(days=30) < left < datetime.timedelta(days=365)
