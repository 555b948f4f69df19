"""The routes of webhooks: who may send, what is refused, and that nothing of it shows what is here."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from podium.settings import Settings
from podium.telemetry import metrics
from podium.telemetry.prometheus import Prometheus
from podium.web.webhooks import delivery_body, webhook_routes
from podium.web.webhooks.webhook_secrets import WebhookSecrets
from tests.support.delivery import as_form, as_json, signature
from tests.support.web import Client, Open, Site, is_problem, open_site

OLD, NEW = "the-old-secret-of-hooks", "the-new-secret-of-hooks"
KEY = base64.b64encode(b"k" * 32).decode()
HOSTS = ("https://gitlab.example", "https://git.example.org")
ROUTES = ("github", "gitlab", "gitea", "forgejo")


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_routes, "_REFUSAL_DELAY", 0.0)


@pytest.fixture(autouse=True)
def as_before(request: pytest.FixtureRequest) -> None:
    if "site" in request.fixturenames:
        site = request.getfixturevalue("site")
        site.queues.enqueued.clear()
        for number in (1, 2, 3):
            site.change(number, state="completed", pushed_at=None, hook_due_at=None, hidden_at=None, forgotten_at=None)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all: what a test counts is forgotten before the next one."""
    with open_site(
        tmp_path_factory.mktemp("webhooks"), webhook_secrets=(OLD, NEW, f"whsec_{KEY}"), git_hosts=HOSTS
    ) as opened:
        opened.repository("octo/hello", branch="main", host_number="7")
        opened.repository("https://gitlab.example/group/app.git", branch="main")
        opened.repository("https://git.example.org/team/app.git", branch="main")
        yield opened


PLACES = {"github": "github.com/octo/hello", "gitlab": "gitlab.example/group/app", "gitea": "git.example.org/team/app"}


def payload(route: str, place: str = "", **more: Any) -> dict[str, Any]:
    place = place or PLACES.get(route, PLACES["gitea"])
    url = f"https://{place}"
    repository = {"html_url": url, "clone_url": f"{url}.git", "default_branch": "main"}
    if route == "gitlab":
        return {"object_kind": "push", "ref": "refs/heads/main", "project": repository | {"web_url": url}, **more}
    return {"ref": "refs/heads/main", "repository": repository, **more}


def signed(route: str, body: bytes, secret: str = NEW, event: str = "push") -> dict[str, str]:
    digest = signature(secret, body)
    headers = {"Content-Type": "application/json"}
    match route:
        case "github":
            return headers | {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={digest}"}
        case "gitlab":
            return headers | {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": secret}
    name = route.capitalize()
    return headers | {f"X-{name}-Event": event, f"X-{name}-Signature": digest}


def send(client: Client, route: str, body: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return client.post(f"/webhooks/{route}", content=body, headers=signed(route, body) if headers is None else headers)


@pytest.mark.parametrize(
    ("route", "secret"), [("github", OLD), ("github", NEW), *((route, OLD) for route in ROUTES[1:])]
)
def test_a_delivery_with_either_secret_is_accepted_and_counted(site: Site, route: str, secret: str) -> None:
    body = as_json(payload(route))
    answer = send(site.client(), route, body, signed(route, body, secret))
    assert answer.status_code == 202 and answer.json()["message"].startswith("Accepted")
    assert len(site.queues.enqueued) == 1


@pytest.mark.parametrize("route", ROUTES)
def test_a_wrong_signature_is_refused_and_tells_nothing(site: Site, route: str) -> None:
    client = site.client()
    right = as_json(payload(route))
    answers = set()
    for place in (PLACES.get(route, PLACES["gitea"]), "github.com/octo/none"):
        body = as_json(payload(route, place))
        good = signed(route, body)
        name = next(name for name in good if name.endswith(("Signature", "Signature-256", "Token")))
        wrong = [
            {name: value}
            for value in (
                "",
                "x",
                "sha256=",
                "é" * 64,
                good[name][:-1],
                f"{good[name]}0",
                signed(route, body, "?")[name],
            )
        ]
        wrong += [{name: signed(route, right + b" ")[name]}] if route != "gitlab" else []
        for headers in [*wrong, {}]:
            rest = {key: value for key, value in good.items() if key != name}
            sent = {key: value.encode("latin-1") for key, value in (rest | headers).items()}
            answer = client.post(f"/webhooks/{route}", content=body, headers=sent)
            assert is_problem(answer, 401, "PODIUM_WEBHOOK_SECRETS")
            answers.add(answer.text)
    assert len(answers) == 1 and site.queues.enqueued == []


def test_the_signature_of_one_route_is_none_for_another(site: Site) -> None:
    body = as_json(payload("gitea"))
    everything = signed("github", body) | signed("gitea", body)
    assert send(site.client(), "gitlab", body, everything).status_code == 401
    # Forgejo may use the route of Gitea.
    assert send(site.client(), "gitea", body, signed("forgejo", body)).status_code == 202


def test_what_is_not_here_is_answered_alike_for_every_host(site: Site) -> None:
    site.change(1, forgotten_at=1.0)
    for route, place in (
        ("github", PLACES["github"]),
        ("github", "github.com/octo/none"),
        ("gitlab", "gitlab.example/a/b"),
    ):
        answer = send(site.client(), route, as_json(payload(route, place)))
        assert (answer.status_code, answer.content) == (204, b"")
    body = b'{"zen": "Keep it logically awesome.", "hook_id": 1}'
    assert send(site.client(), "github", body, signed("github", body, event="ping")).status_code == 204


@pytest.mark.parametrize(
    ("route", "place"),
    [
        ("github", PLACES["gitlab"]),
        ("gitea", PLACES["github"]),
        ("gitlab", PLACES["github"]),
        ("gitlab", "evil.example/a/b"),
    ],
)
def test_a_host_speaks_for_no_other(site: Site, route: str, place: str) -> None:
    assert send(site.client(), route, as_json(payload(route, place))).status_code == 204
    assert site.queues.enqueued == []


def test_a_bound_secret_speaks_for_its_host_alone(open_with: Open) -> None:
    site = open_with(webhook_secrets=(f"gitlab.example={OLD}", f"github.com={NEW}"), git_hosts=HOSTS)
    site.repository("octo/hello")
    site.repository("https://gitlab.example/group/app.git")
    site.repository("https://git.example.org/team/app.git")
    for route, place, secret, status in (
        ("github", PLACES["github"], NEW, 202),
        ("github", PLACES["github"], OLD, 204),
        ("gitlab", PLACES["gitlab"], OLD, 202),
        ("gitlab", PLACES["gitea"], OLD, 204),
        ("gitlab", PLACES["gitlab"], NEW, 204),
        ("gitlab", PLACES["gitlab"], f"gitlab.example={OLD}", 401),
    ):
        body = as_json(payload(route, place))
        answer = send(site.client(), route, body, signed(route, body, secret))
        assert answer.status_code == status, (route, place)
    assert len(site.queues.enqueued) == 2


def test_secrets_that_look_bound_to_another_host_are_noticed() -> None:
    secrets = ("gitlab.example=one", "gitlab.exmaple=two", "c2VjcmV0Lg==", "a.b=", "plain", "host=three")
    found = WebhookSecrets(Settings(webhook_secrets=secrets, git_hosts=HOSTS))
    assert found.bound_to_others() == ["gitlab.exmaple"]
    assert [secret.host for secret in found.all] == ["gitlab.example", *[None] * 5]
    assert "three" not in repr(found.all)


def test_without_a_secret_the_routes_are_unknown(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        site.repository("octo/hello")
        body = as_json(payload("github"))
        for method in ("POST", "GET", "DELETE"):
            unknown = site.client().request(method, "/webhooks/none", content=body, headers=signed("github", body))
            for route in ROUTES:
                answer = site.client().request(method, f"/webhooks/{route}", content=body, headers=signed(route, body))
                assert (answer.status_code, answer.text) == (404, unknown.text)
        assert site.client().post("/webhooks/github", content=b"x" * 70_000).status_code == 413


def test_only_posts_are_taken(site: Site) -> None:
    assert is_problem(site.client().get("/webhooks/github"), 405, "use POST")


UNREADABLE = [
    b"",
    b"{",
    b"\xff\xfe{}",
    b"[]",
    b"7",
    b'"x"',
    b"null",
    b"{}",
    b"[" * 60_000 + b"]" * 60_000,
    b'{"a":' * 60_000,
    b'{"ref": NaN}',
    b"1" * 10_000,
    b'{"repository": {"id": 1e999}, "ref": 1}',
    b'{"object_kind": ' + b"9" * 5000 + b"}",
    b"[" + b"1," * 2_100_000 + b"1]",
    as_json({"ref": "refs/heads/main", "object_kind": "push", "project": [], "repository": 7}),
]


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_cannot_be_read_is_a_bad_request(site: Site, route: str) -> None:
    client = site.client()
    for body in UNREADABLE:
        answer = send(client, route, body)
        assert is_problem(answer, 400)
        assert len(answer.json()["detail"]) < 400
    assert site.queues.enqueued == []


def test_other_content_types_and_compressed_bodies_are_refused(site: Site) -> None:
    body = as_json(payload("github"))
    plain = signed("github", body) | {"Content-Type": "text/plain"}
    assert is_problem(send(site.client(), "github", body, plain), 400, "application/json")
    packed = gzip.compress(body)
    headers = signed("github", packed) | {"Content-Encoding": "gzip"}
    assert is_problem(send(site.client(), "github", packed, headers), 400, "compressed")
    with_charset = signed("github", body) | {"Content-Type": "application/json; charset=utf-8"}
    assert send(site.client(), "github", body, with_charset).status_code == 202


@pytest.mark.parametrize(
    ("route", "signs_field"), [("github", False), ("gitea", True), ("gitea", False), ("forgejo", True)]
)
def test_forms_are_read(site: Site, route: str, *, signs_field: bool) -> None:
    body = as_form(payload(route))
    headers = signed(route, as_json(payload(route)) if signs_field else body)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    assert send(site.client(), route, body, headers).status_code == 202


def test_a_form_without_a_payload_is_a_bad_request(site: Site) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"", b"payload=", b"payload=%FF", b"payload={}&payload={}", b"a=1", b"&" * 50):
        assert is_problem(send(site.client(), "github", body, signed("github", body) | form), 400)
        # Unsigned, it is not read.
        assert send(site.client(), "gitea", body, signed("gitea", b"?") | form).status_code == 401


def gitlab_signature(
    body: bytes, more: Mapping[str, str] | None = None, *, key: bytes = b"k" * 32, at: float = 0.0
) -> dict[str, str]:
    moment = str(int(time.time() + at))
    text = b"msg-1." + moment.encode() + b"." + body
    given = "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
    headers = {"webhook-id": "msg-1", "webhook-timestamp": moment, "webhook-signature": f"v1,eA== {given}"}
    return headers | {"X-Gitlab-Event": "Push Hook", "Content-Type": "application/json"} | dict(more or {})


def test_a_signing_token_of_gitlab(site: Site) -> None:
    body = as_json(payload("gitlab"))
    client = site.client()
    assert send(client, "gitlab", body, gitlab_signature(body)).status_code == 202
    refused = [
        gitlab_signature(body, key=b"x" * 32),
        gitlab_signature(body + b" "),
        gitlab_signature(body, at=-400),
        gitlab_signature(body, at=400),
        gitlab_signature(body, {"webhook-id": "msg-2"}),
        gitlab_signature(body, {"webhook-timestamp": "9" * 30}),
        gitlab_signature(body, {"webhook-timestamp": "-1"}),
    ]
    for headers in refused:
        assert send(client, "gitlab", body, headers).status_code == 401


def test_large_deliveries_are_taken_and_larger_ones_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    body = as_json(payload("github", commits=["x" * 1000] * 1000))
    assert send(site.client(), "github", body).status_code == 202
    headers = signed("github", body) | {"Content-Length": str(delivery_body.MAX_DELIVERY + 1)}
    assert is_problem(send(site.client(), "github", b"", headers), 413)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000_000

    without_length = site.client().post("/webhooks/github", content=endless(), headers=signed("github", body))
    assert is_problem(without_length, 413)
    # Each large one that is refused has given its turn back.
    for _ in range(delivery_body.MOST_LARGE + 1):
        assert send(site.client(), "github", body).status_code == 202
    monkeypatch.setattr(delivery_body, "_PATIENCE", 0.01)
    monkeypatch.setattr(site.app.state.context.delivery_bodies, "_large", asyncio.Semaphore(0))
    assert is_problem(send(site.client(), "github", body), 429)
    # Small ones do not wait.
    assert send(site.client(), "github", as_json(payload("github"))).status_code == 202


def test_slow_senders_of_one_network_have_one_turn_among_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    body = as_json(payload("github", commits=["x" * 1000] * 1000))
    monkeypatch.setattr(delivery_body, "_PATIENCE", 0.01)

    async def check() -> None:
        release = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield body[:-1]
            await release.wait()
            yield body[-1:]

        def sending(address: str, content: Any = body) -> Coroutine[Any, Any, httpx.Response]:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(site.app, client=(address, 1)), base_url="http://localhost:3000"
            )
            return client.post("/webhooks/github", content=content, headers=signed("github", body))

        bodies = site.app.state.context.delivery_bodies
        held = asyncio.create_task(sending("2001:db8:1::1", slow()))
        while not bodies._networks:
            await asyncio.sleep(0)
        refused = [(await sending(address)).status_code for address in ("2001:db8:1::1", "2001:db8:1:2::9")]
        taken = [(await sending(address)).status_code for address in ("192.0.2.7", "192.0.2.8")]
        small = await sending("2001:db8:1::1", as_json(payload("github")))
        release.set()
        assert (refused, taken, (await held).status_code) == ([429, 429], [202, 202], 202)
        assert small.status_code == 401, "its signature is that of the large one"
        assert (await sending("2001:db8:1::1")).status_code == 202

    asyncio.run(check())


def test_a_large_delivery_that_does_not_arrive_gives_its_turn_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    body = as_json(payload("github", commits=["x" * 1000] * 1000))
    monkeypatch.setattr(delivery_body, "_MOST_SECONDS", 0.01)

    async def never() -> AsyncIterator[bytes]:
        yield body[:-1]
        await asyncio.Event().wait()

    for _ in range(delivery_body.MOST_LARGE + 1):
        answer = site.client().post("/webhooks/github", content=never(), headers=signed("github", body))
        assert is_problem(answer, 400, "to arrive")
    assert send(site.client(), "github", as_json(payload("github"))).status_code == 202


def test_a_delivery_needs_no_budget_of_its_sender(tmp_path: Path) -> None:
    with open_site(tmp_path, webhook_secrets=(NEW,), read_budget=1, submissions_per_minute=1) as site:
        site.repository("octo/hello")
        client = site.client(address="192.0.2.7")
        assert {send(client, "github", as_json(payload("github"))).status_code for _ in range(20)} == {202}
        assert len(site.queues.enqueued) == 1


def test_deliveries_are_counted_by_outcome(site: Site) -> None:
    sink = Prometheus(lambda: [], counts=True)
    metrics.install(sink)
    try:
        body = as_json(payload("github"))
        for headers in (None, None, signed("github", body, "wrong")):
            send(site.client(), "github", body, headers)
        send(site.client(), "github", as_json(payload("github", "github.com/octo/none")))
        send(site.client(), "github", b"[]")
        page = sink.page().decode()
    finally:
        metrics.install(None)
    for outcome, number in (("accepted", 1), ("ignored", 1), ("refused", 1), ("unknown", 1), ("invalid", 1)):
        assert f'podium_webhooks_total{{kind="github",outcome="{outcome}"}} {number}.0' in page
