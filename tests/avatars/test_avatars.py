"""Avatars: fetched from hostile hosts, and cached within bounds."""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium import net
from podium.avatars import disk_cache, fetch
from podium.avatars import loader as module
from podium.avatars.avatar_sources import AvatarRefused, AvatarSources
from podium.avatars.disk_cache import DiskCache
from podium.avatars.image_type import AvatarImage, image_of, media_type
from podium.avatars.loader import AvatarLoader
from podium.settings import Settings
from tests.support.avatar_host import AvatarHost, png, raw, whole
from tests.support.server import wait_until

PNG = png()
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
GIF = b"GIF89a" + bytes(100)
WEBP = b"RIFF\x10\0\0\0WEBPVP8 " + bytes(100)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
def host() -> Iterator[AvatarHost]:
    with AvatarHost() as host:
        yield host


class Client:
    """A loader with a cache of its own, and the host that it fetches from."""

    def __init__(self, host: AvatarHost, folder: Path, **settings: Any) -> None:
        self.host = host
        self.settings = Settings(**({"data_dir": str(folder), "avatar_hosts": (host.origin,)} | settings))
        self.avatars = AvatarLoader(self.settings)
        self.cache = DiskCache(folder / "avatars", 10**9)

    def load(self, path: str, seconds: float = 20) -> AvatarImage | None:
        return self.load_all([path], seconds)[0]

    def load_all(self, paths: list[str], seconds: float = 20) -> list[AvatarImage | None]:
        urls = [self.host.origin + path for path in paths]
        found = asyncio.run(self.avatars.load(urls, seconds))
        return [found.get(url) for url in urls]


@pytest.fixture
def client(host: AvatarHost, tmp_path: Path) -> Iterator[Client]:
    client = Client(host, tmp_path)
    yield client
    client.avatars.close()


# What an image is


@pytest.mark.parametrize(
    ("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")]
)
def test_an_image_is_recognised_by_its_signature_not_its_content_type(
    host: AvatarHost, client: Client, data: bytes, kind: str
) -> None:
    host.plays["/a"] = whole(data, "text/html")
    image = client.load("/a")
    assert image is not None
    assert (image.data, image.media_type) == (data, kind)


@pytest.mark.parametrize(
    "data", [SVG, HTML, b"", b"BM" + bytes(60), b"%PDF-1.7", b" \x89PNG\r\n\x1a\n", b"RIFF1234WAVEfmt "]
)
def test_other_content_is_rejected_whatever_its_content_type(host: AvatarHost, client: Client, data: bytes) -> None:
    host.plays["/a"] = whole(data, "image/png")
    assert media_type(data) is None
    assert client.load("/a") is None


# Hostile answers


def test_a_redirect_is_not_followed(host: AvatarHost, client: Client) -> None:
    host.plays["/there"] = whole(PNG)
    for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
        path = f"/{status[:3]}"
        host.plays[path] = whole(PNG, "image/png", status, f"Location: {host.origin}/there")
        assert client.load(path) is None
    assert not any("/there" in request.split("\r\n")[0] for request in host.requests)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n" + PNG[:8] + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 9\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n" + PNG,
        b"\x16\x03\x01 this is no HTTP",
        b"",
    ],
    ids=[
        "truncated",
        "no last chunk",
        "bad chunk",
        "negative length",
        "two lengths",
        "huge head",
        "no HTTP",
        "nothing",
    ],
)
def test_a_malformed_answer_gives_no_avatar(host: AvatarHost, client: Client, data: bytes) -> None:
    host.plays["/a"] = raw(data)
    assert client.load("/a") is None


def test_bytes_after_the_content_length_are_not_read(host: AvatarHost, client: Client) -> None:
    host.plays["/a"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG + HTML)
    image = client.load("/a")
    assert image is not None
    assert image.data == PNG


def test_a_huge_answer_gives_no_avatar(host: AvatarHost, client: Client) -> None:
    host.plays |= {"/length": whole(PNG + bytes(fetch.MAX_BYTES)), "/chunks": host.flood()}
    assert client.load_all(["/length", "/chunks"]) == [None, None]


def test_a_compressed_answer_is_not_decompressed(host: AvatarHost, client: Client) -> None:
    bomb = gzip.compress(PNG + bytes(2_000_000), 9)
    host.plays["/a"] = whole(bomb, "image/png", "200 OK", "Content-Encoding: gzip")
    assert client.load("/a") is None
    assert "accept-encoding: identity" in host.requests[0].lower()


def test_one_deadline_bounds_a_slow_answer(host: AvatarHost, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "DEADLINE", 0.5)
    host.plays |= {
        "/head": host.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 1000),
        "/body": host.drip(b"HTTP/1.1 200 OK\r\n\r\n" + PNG * 1000, every=0.02),
        "/never": host.hold(threading.Event(), raw(b"")),
        "/interim": host.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, every=0.001),
    }
    # Without the deadline each would take minutes.
    assert client.load_all(["/head", "/body", "/never", "/interim"]) == [None] * 4
    assert client.cache.has_failed(f"{host.origin}/body?s=96")


def test_a_request_carries_the_url_and_nothing_else(host: AvatarHost, client: Client) -> None:
    host.plays["/u/1"] = whole(PNG, "image/png", "200 OK", "Set-Cookie: who=you; Path=/")
    host.plays["/u/2"] = whole(PNG)
    client.load("/u/1?v=4&s=460")
    client.load("/u/2")
    first, second = host.requests
    assert first.startswith("GET /u/1?v=4&s=96 HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{host.port}\r\n" in first
    for request in (first, second):
        names = {line.partition(":")[0].lower() for line in request.split("\r\n")[1:] if line}
        assert names == {"host", "user-agent", "accept", "accept-encoding"}


# Allowed origins


def sources_of(**settings: Any) -> AvatarSources:
    return AvatarSources(Settings(**settings))


def test_github_serves_avatars_from_one_host() -> None:
    github = sources_of()
    assert github.source("https://avatars.githubusercontent.com/u/7?v=4").url == (
        "https://avatars.githubusercontent.com/u/7?v=4&s=96"
    )
    github.source("https://avatars.githubusercontent.com:443/u/7")
    for url in (
        "http://avatars.githubusercontent.com/u/7",
        "https://avatars.githubusercontent.com:8443/u/7",
        "https://avatars.githubusercontent.com:0/u/7",
        "https://avatars.githubusercontent.com:/u/7",
        "https://avatars.githubusercontent.com:00443/u/7",
        "https://avatars.githubusercontent.com:80/u/7",
        "https://avatars.githubusercontent.com.evil.example/u/7",
        "https://avatars.githubusercontent.com@evil.example/u/7",
        "https://user:pass@avatars.githubusercontent.com/u/7",
        "https://github.com/ada.png",
        "https://evil.example/u/7",
        "//avatars.githubusercontent.com/u/7",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://avatars.githubusercontent.com:port/u/7",
        "https://[/u/7",
        "https://avatars.githubusercontent.com/u/7\r\nX: y",
        "https://avatars.githubusercontent.com/u/" + "7" * 3000,
        "",
    ):
        with pytest.raises(AvatarRefused):
            github.source(url)


def test_an_enterprise_server_serves_avatars_from_its_own_names() -> None:
    enterprise = sources_of(github_server_url="https://github.example.com", avatar_hosts=("https://cdn.example.com",))
    for url in (
        "https://github.example.com/avatars/u/7?",
        "https://avatars.github.example.com/u/7",
        "https://cdn.example.com/7.png",
    ):
        enterprise.source(url)
    with pytest.raises(AvatarRefused):
        enterprise.source("https://avatars.githubusercontent.com/u/7")


def test_a_name_that_resolves_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    led = {"cdn.example.com": ["203.0.113.5", "10.0.0.1"], "ghe.example.com": ["10.0.0.2"], "127.0.0.1": ["127.0.0.1"]}
    monkeypatch.setattr(net, "look_up", lambda host, _port: led[host])
    named = sources_of(github_server_url="https://ghe.example.com", avatar_hosts=("https://cdn.example.com",))
    with pytest.raises(AvatarRefused, match="private"):
        named.addresses(named.source("https://cdn.example.com/7"))
    # The operator's own server and origins listed as private may be in a private network.
    assert named.addresses(named.source("https://ghe.example.com/7")) == ["10.0.0.2"]
    listed = sources_of(avatar_hosts=("https://cdn.example.com",), private_git_hosts=("https://cdn.example.com",))
    assert listed.addresses(listed.source("https://cdn.example.com/7")) == led["cdn.example.com"]


def test_no_connection_is_made_to_a_private_address(host: AvatarHost, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    by_name = f"http://localhost:{host.port}"
    client = Client(host, tmp_path, avatar_hosts=(by_name,))
    assert asyncio.run(client.avatars.load([f"{by_name}/a"], 20)) == {}
    assert host.requests == []
    client.avatars.close()


def test_the_fetch_connects_to_the_address_that_was_checked(
    host: AvatarHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.plays["/a"] = whole(PNG)
    monkeypatch.setattr(net, "look_up", lambda _host, _port: ["127.0.0.2", "127.0.0.1"])
    by_name = f"http://avatars.invalid:{host.port}"
    client = Client(host, tmp_path, avatar_hosts=(by_name,), private_git_hosts=(by_name,))
    # The name does not resolve, and no server listens at the first address.
    assert f"{by_name}/a" in asyncio.run(client.avatars.load([f"{by_name}/a"], 20))
    assert f"\r\nHost: avatars.invalid:{host.port}\r\n" in host.requests[0]
    client.avatars.close()


# As few requests as possible


def test_an_avatar_is_fetched_once_and_then_read_from_disk(host: AvatarHost, client: Client, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    assert client.load("/a") == client.load("/a")
    another = Client(host, tmp_path)
    assert another.load("/a") == image_of(PNG)
    another.avatars.close()
    assert len(host.requests) == 1


def test_concurrent_requests_share_one_fetch(host: AvatarHost, client: Client) -> None:
    go = threading.Event()
    host.plays["/a"] = host.hold(go, whole(PNG))
    found: list[AvatarImage | None] = []
    threads = [threading.Thread(target=lambda: found.append(client.load("/a"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: host.requests, "the fetch")
    go.set()
    for thread in threads:
        thread.join()
    assert found == [image_of(PNG)] * 20
    assert len(host.requests) == 1


def test_concurrent_fetches_are_bounded(host: AvatarHost, client: Client) -> None:
    host.plays |= {f"/{number}": whole(PNG) for number in range(24)}
    assert client.load_all([f"/{number}" for number in range(24)]) == [image_of(PNG)] * 24
    assert host.most_at_once <= module.MAX_FETCHES


def test_a_fetch_goes_on_after_the_request_has_timed_out(host: AvatarHost, client: Client) -> None:
    go = threading.Event()
    host.plays["/a"] = host.hold(go, whole(PNG))
    assert client.load("/a", seconds=0.05) is None
    go.set()
    assert client.load("/a") == image_of(PNG)
    assert len(host.requests) == 1


def test_a_fetch_that_ends_while_the_cache_is_read_is_not_repeated(
    host: AvatarHost, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    host.plays["/a"] = host.hold(go, whole(PNG))
    assert client.load("/a", seconds=0.05) is None
    read = DiskCache.get

    def read_slowly(cache: DiskCache, url: str) -> tuple[AvatarImage, float] | None:
        found = read(cache, url)
        go.set()
        wait_until(lambda: not client.avatars._in_flight, "the fetch to end")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(DiskCache, "get", read_slowly)
        assert client.load("/a") == image_of(PNG)
    assert len(host.requests) == 1

    go.clear()
    _age(tmp_path, -module._FRESH - 1)
    host.plays["/a"] = host.hold(go, whole(GIF))
    assert client.load("/a") == image_of(PNG)
    with monkeypatch.context() as patch:
        patch.setattr(DiskCache, "get", read_slowly)
        assert client.load("/a") == image_of(PNG)
    assert client.load("/a") == image_of(GIF)
    assert len(host.requests) == 2


def test_a_full_queue_accepts_no_more_fetches(
    host: AvatarHost, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_QUEUED", 2)
    host.plays |= {f"/{number}": host.hold(threading.Event(), whole(PNG)) for number in range(3)}
    assert client.load_all(["/0", "/1"], seconds=0.05) == [None, None]
    assert client.avatars._find(f"{host.origin}/2") is None
    # anyio warns of connections that are given up before they were begun.
    wait_until(lambda: len(host.requests) == 2, "both requests")


def test_a_failure_is_remembered_by_other_processes_too(host: AvatarHost, client: Client, tmp_path: Path) -> None:
    assert client.load("/gone") is None
    assert client.load("/gone") is None
    another = Client(host, tmp_path)
    assert another.load("/gone") is None
    assert len(host.requests) == 1
    _age(tmp_path, -module._MISSING - 1)
    host.plays["/gone"] = whole(PNG)
    assert another.load("/gone") == image_of(PNG)
    another.avatars.close()


def test_a_host_that_keeps_failing_is_not_asked_for_a_while(host: AvatarHost, client: Client) -> None:
    host.plays |= {f"/{number}": whole(b"", "text/plain", "502 Bad Gateway") for number in range(20)}
    for number in range(20):
        assert client.load(f"/{number}") is None
    assert len(host.requests) == module._MAX_FAILURES


def test_retry_after_is_respected(host: AvatarHost, client: Client) -> None:
    host.plays |= {"/a": whole(b"", "text/plain", "429 Too Many Requests", "Retry-After: 60"), "/b": whole(PNG)}
    assert client.load("/a") is None
    assert client.load("/b") is None
    assert len(host.requests) == 1


def test_a_stale_avatar_is_shown_while_a_new_one_is_fetched(host: AvatarHost, client: Client, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    client.load("/a")
    _age(tmp_path, -module._FRESH - 1)
    host.plays["/a"] = whole(GIF)
    assert client.load("/a") == image_of(PNG)
    wait_until(lambda: client.load("/a") == image_of(GIF), "the new one to be shown")
    assert len(host.requests) == 2


def test_a_stale_avatar_is_shown_when_its_host_fails(host: AvatarHost, client: Client, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    client.load("/a")
    _age(tmp_path, -module._FRESH - 1)
    del host.plays["/a"]
    for _ in range(5):
        assert client.load("/a") == image_of(PNG)
    wait_until(lambda: client.cache.has_failed(f"{host.origin}/a?s=96"), "the failure to be noted")
    assert client.load("/a") == image_of(PNG)
    assert len(host.requests) == 2


def test_closing_cancels_the_fetches_under_way(host: AvatarHost, tmp_path: Path) -> None:
    host.plays["/a"] = host.hold(threading.Event(), whole(PNG))
    client = Client(host, tmp_path)
    assert client.load("/a", seconds=0.05) is None
    (fetching,) = client.avatars._in_flight.values()
    wait_until(lambda: host.requests, "the request")
    client.avatars.close()
    assert fetching.cancelled()
    assert client.load("/a") is None


# The disk cache


def _age(folder: Path, seconds: float) -> None:
    for path in (folder / "avatars").iterdir():
        found = path.stat()
        os.utime(path, (found.st_atime, found.st_mtime + seconds))


def _image(size: int, mark: int = 0) -> AvatarImage:
    image = image_of(b"GIF89a" + bytes([mark]) + bytes(size - 7))
    assert image is not None
    return image


def test_an_image_that_replaces_one_that_is_being_read_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskCache(tmp_path / "avatars", 400_000)
    cache.put("u", _image(100, 1))
    _age(tmp_path, -1000)

    def read_while_another_is_written(data: bytes) -> AvatarImage | None:
        cache.put("u", _image(100, 2))
        return image_of(data)

    with monkeypatch.context() as patch:
        patch.setattr(disk_cache, "image_of", read_while_another_is_written)
        old = cache.get("u")
    new = cache.get("u")
    assert old is not None and old[0] == _image(100, 1) and old[1] >= 1000
    assert new is not None and new[0] == _image(100, 2) and new[1] < 1000


def test_the_cache_is_bounded_and_drops_the_least_recently_used(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c", 400_000)
    for number in range(60):
        cache.put(f"u{number}", _image(10_000, number))
        assert cache.get("u0") is not None, "it was just used"
    spent = sum(path.stat().st_blocks * 512 for path in (tmp_path / "c").iterdir())
    assert 200_000 < spent <= 400_000
    assert cache.get("u1") is None
    assert cache.get("u59") is not None


def test_failures_are_bounded_too(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c", 100_000)
    for number in range(200):
        cache.put_failure(f"u{number}", 3600)
    assert len(list((tmp_path / "c").iterdir())) <= 100_000 / 4096


def test_a_cache_of_zero_bytes_stores_nothing(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c", 0)
    cache.put("u", _image(100))
    assert list((tmp_path / "c").iterdir()) == []


def test_partial_files_of_a_dead_process_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    left = tmp_path / "c" / "tmp123.part"
    left.write_bytes(b"GIF")
    os.utime(left, (0, 0))
    DiskCache(tmp_path / "c", 10**6).put("u", _image(100))
    assert not left.exists()


def test_avatars_load_although_the_disk_cannot_be_written(host: AvatarHost, tmp_path: Path) -> None:
    (tmp_path / "avatars").write_text("in the way")
    host.plays["/a"] = whole(PNG)
    client = Client(host, tmp_path)
    assert client.load("/a") == image_of(PNG)
    assert client.load("/a") == image_of(PNG)
    client.avatars.close()


def test_a_cached_file_that_is_not_an_image_is_fetched_again(host: AvatarHost, client: Client, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    client.load("/a")
    (file,) = (tmp_path / "avatars").iterdir()
    file.write_bytes(HTML)
    assert client.load("/a") == image_of(PNG)
    assert len(host.requests) == 2
