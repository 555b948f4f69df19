"""`/avatars/{id}`: known accounts only, and never anything but an image."""

from __future__ import annotations

import asyncio
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from podium.avatars.loader import MAX_FETCHES
from podium.telemetry import metrics
from podium.web.serving.server import beside
from podium.web.share import avatar_routes
from tests.support.avatar_host import AvatarHost, png, whole
from tests.support.web import Client, Site, is_problem, open_site

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def host() -> Iterator[AvatarHost]:
    with AvatarHost() as host:
        yield host


@pytest.fixture
def site(tmp_path: Path, host: AvatarHost) -> Iterator[Site]:
    with open_site(tmp_path, avatar_hosts=(host.origin,)) as site:
        yield site


def test_a_known_account_has_its_picture(site: Site, client: Client, host: AvatarHost) -> None:
    host.plays["/u/583231"] = whole(png(), "application/octet-stream")
    site.account("ada@example.com", "ada", account_id=583231, avatar_url=f"{host.origin}/u/583231?v=4")
    answer = client.get("/avatars/583231")
    assert answer.status_code == 200
    assert answer.content == png()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=86400, stale-while-revalidate=604800"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    again = client.get("/avatars/583231", headers={"If-None-Match": f'"x", W/{answer.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert client.get("/avatars/583231", headers={"If-None-Match": '"x"'}).status_code == 200
    assert client.request("HEAD", "/avatars/583231").status_code == 200
    assert len(host.requests) == 1


def test_an_account_that_no_history_names_is_not_asked_for(site: Site, client: Client, host: AvatarHost) -> None:
    host.plays["/u/7"] = whole(png())
    site.account("ada@example.com", "ada", host="ghe.example.com", account_id=7, avatar_url=f"{host.origin}/u/7")
    assert is_problem(client.get("/avatars/7"), 404, "7")
    assert is_problem(client.get("/avatars/8"), 404)
    for odd in ("0", "-1", "x", "9" * 30, "7.png"):
        assert is_problem(client.get(f"/avatars/{odd}"), 400)
    assert host.requests == []


@pytest.mark.parametrize(
    "picture", ["https://evil.example/x.png", "http://127.0.0.1:9/x.png", "file:///etc/passwd", "::"]
)
def test_a_picture_elsewhere_is_not_fetched_and_initials_are_drawn(site: Site, client: Client, picture: str) -> None:
    site.account("ada@example.com", "ada", account_id=7, name="Ada Lovelace", avatar_url=picture)
    answer = client.get("/avatars/7")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert ET.fromstring(answer.text).findtext(f"{SVG}text") == "AL"
    assert client.get("/avatars/7", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "]]>\"'&amp;<!--",
        "\x00\x1b[31m\x9b",
        "\ud800\udfff",
        "\ufffe\uffff",
        "\u202eevil",
        "'\"><svg onload=x>",
        "\U000e0041",
        "",
        "ﷺ ﷺ",
        "ß ŉ",
    ],
)
def test_initials_of_any_name_are_well_formed(site: Site, client: Client, name: str) -> None:
    storable = name.encode("utf-8", "replace").decode()
    site.account("ada@example.com", storable, account_id=7, name=storable, avatar_url="x:")
    root = ET.fromstring(client.get("/avatars/7").content)
    assert [element.tag for element in root.iter()] == [f"{SVG}svg", f"{SVG}rect", f"{SVG}text"]
    assert len(root.findtext(f"{SVG}text") or "") <= 4


def test_a_picture_that_is_late_is_there_the_next_time(
    site: Site, client: Client, host: AvatarHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    host.plays["/u/7"] = host.hold(go, whole(png()))
    site.account("ada@example.com", "ada", account_id=7, avatar_url=f"{host.origin}/u/7")
    monkeypatch.setattr(avatar_routes, "TIMEOUT", 0.05)
    assert client.get("/avatars/7").headers["content-type"] == "image/svg+xml"
    go.set()
    monkeypatch.setattr(avatar_routes, "TIMEOUT", 20)
    assert client.get("/avatars/7").headers["content-type"] == "image/png"
    assert len(host.requests) == 1


def test_svg_and_html_never_come_through(site: Site, client: Client, host: AvatarHost) -> None:
    for number, body in enumerate((b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html><p>hi"), 1):
        host.plays[f"/u/{number}"] = whole(body)
        site.account(f"{number}@example.com", f"u{number}", account_id=number, avatar_url=f"{host.origin}/u/{number}")
        answer = client.get(f"/avatars/{number}")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert body not in answer.content


def test_the_token_never_travels_there(tmp_path: Path, host: AvatarHost) -> None:
    with open_site(tmp_path, avatar_hosts=(host.origin,), admin_token="secret-token") as site:
        host.plays["/u/7"] = whole(png())
        site.account("ada@example.com", "ada", account_id=7, avatar_url=f"{host.origin}/u/7")
        headers = {"Authorization": "Bearer secret-token", "Cookie": "a=b", "Referer": "http://localhost:3000/r/o/n"}
        assert site.client().get("/avatars/7", headers=headers).content == png()
    (request,) = host.requests
    assert "secret" not in request
    assert "authorization" not in request.lower()
    assert "cookie" not in request.lower()
    assert "referer" not in request.lower()


def test_a_host_that_never_answers_delays_no_other_request(
    site: Site, host: AvatarHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avatar_routes, "TIMEOUT", 60)
    never = threading.Event()
    # More than the web has threads.
    for number in range(1, 61):
        host.plays[f"/u/{number}"] = host.hold(never, whole(png()))
        site.account(f"{number}@example.com", f"u{number}", account_id=number, avatar_url=f"{host.origin}/u/{number}")
    with beside(site.app, "127.0.0.1", 0, site.services.settings) as at:

        async def all_at_once() -> None:
            async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200), timeout=60) as browser:
                waiting = [asyncio.create_task(browser.get(f"{at}/avatars/{number}")) for number in range(1, 61)]
                while len(host.requests) < MAX_FETCHES:
                    await asyncio.sleep(0.01)
                # A thread of the web's for each that waits would have left none for these.
                for _ in range(5):
                    assert (await browser.get(f"{at}/repositories")).status_code == 200
                assert not any(task.done() for task in waiting)
                never.set()
                await asyncio.gather(*waiting)

        asyncio.run(all_at_once())
    assert host.most_at_once <= MAX_FETCHES


def test_what_came_of_pictures_is_counted(site: Site, client: Client, host: AvatarHost) -> None:
    counted: list[tuple[str, str]] = []

    class Sink:
        def add(self, metric: metrics.Metric, value: float, labels: Mapping[str, str]) -> None:
            counted.append((metric.name, labels.get("outcome", "")))

    host.plays |= {"/u/1": whole(png()), "/u/3": whole(b"", "text/plain", "503 Busy")}
    for number in (1, 2, 3):
        site.account(f"{number}@example.com", f"u{number}", account_id=number, avatar_url=f"{host.origin}/u/{number}")
    metrics.install(Sink())
    try:
        for number in (1, 2, 3, 1, 2, 3):
            client.get(f"/avatars/{number}")
    finally:
        metrics.install(None)
    of_pictures = [outcome for name, outcome in counted if name == metrics.AVATARS.name]
    assert of_pictures == ["fetched", "none", "fault"]
