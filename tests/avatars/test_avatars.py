"""Faces: fetched from hosts that lie, dawdle and flood, and kept within bounds."""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.avatars import allowed_origins, fetch
from podium.avatars import loader as module
from podium.avatars.allowed_origins import Refused, Sources
from podium.avatars.disk_cache import Cache
from podium.avatars.image_type import Face, face_of, media_type
from podium.avatars.loader import Faces
from podium.settings import Settings
from tests.support.face_host import FaceHost, png, raw, whole

PNG = png()
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
GIF = b"GIF89a" + bytes(100)
WEBP = b"RIFF\x10\0\0\0WEBPVP8 " + bytes(100)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
def host() -> Iterator[FaceHost]:
    with FaceHost() as host:
        yield host


class Asker:
    """Faces with a cache of its own; ``ask`` gives the picture at a path of the host, or None."""

    def __init__(self, host: FaceHost, folder: Path, **settings: Any) -> None:
        self.host = host
        self.settings = Settings(**({"data_dir": str(folder), "avatar_hosts": (host.origin,)} | settings))
        self.faces = Faces(self.settings)
        self.cache = Cache(folder / "avatars", 10**9)

    def ask(self, path: str, patience: float = 20) -> Face | None:
        return self.all([path], patience)[0]

    def all(self, paths: list[str], patience: float = 20) -> list[Face | None]:
        urls = [self.host.origin + path for path in paths]
        found = asyncio.run(self.faces.faces(urls, patience))
        return [found.get(url) for url in urls]


@pytest.fixture
def asker(host: FaceHost, tmp_path: Path) -> Iterator[Asker]:
    asker = Asker(host, tmp_path)
    yield asker
    asker.faces.close()


# What an image is


@pytest.mark.parametrize(
    ("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")]
)
def test_an_image_is_known_by_its_signature_whatever_the_host_says(
    host: FaceHost, asker: Asker, data: bytes, kind: str
) -> None:
    host.plays["/a"] = whole(data, "text/html")
    face = asker.ask("/a")
    assert face is not None
    assert (face.data, face.media_type) == (data, kind)


@pytest.mark.parametrize(
    "data", [SVG, HTML, b"", b"BM" + bytes(60), b"%PDF-1.7", b" \x89PNG\r\n\x1a\n", b"RIFF1234WAVEfmt "]
)
def test_what_is_no_image_is_none_whatever_the_host_says(host: FaceHost, asker: Asker, data: bytes) -> None:
    host.plays["/a"] = whole(data, "image/png")
    assert media_type(data) is None
    assert asker.ask("/a") is None


# What hosts do


def test_a_redirect_is_not_followed(host: FaceHost, asker: Asker) -> None:
    host.plays["/there"] = whole(PNG)
    for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
        path = f"/{status[:3]}"
        host.plays[path] = whole(PNG, "image/png", status, f"Location: {host.origin}/there")
        assert asker.ask(path) is None
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
def test_an_answer_that_is_not_whole_is_none(host: FaceHost, asker: Asker, data: bytes) -> None:
    host.plays["/a"] = raw(data)
    assert asker.ask("/a") is None


def test_what_comes_after_the_length_is_not_read(host: FaceHost, asker: Asker) -> None:
    host.plays["/a"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG + HTML)
    face = asker.ask("/a")
    assert face is not None
    assert face.data == PNG


def test_a_huge_answer_is_cut_off(host: FaceHost, asker: Asker) -> None:
    host.plays |= {"/told": whole(PNG + bytes(fetch.MAX_BYTES)), "/untold": host.flood()}
    assert asker.all(["/told", "/untold"]) == [None, None]


def test_a_compressed_answer_is_not_unpacked(host: FaceHost, asker: Asker) -> None:
    bomb = gzip.compress(PNG + bytes(50_000_000), 9)
    host.plays["/a"] = whole(bomb, "image/png", "200 OK", "Content-Encoding: gzip")
    assert asker.ask("/a") is None
    assert "accept-encoding: identity" in host.requests[0].lower()


def test_a_host_that_drips_has_one_deadline(host: FaceHost, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "DEADLINE", 0.5)
    host.plays |= {
        "/head": host.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 1000),
        "/body": host.drip(b"HTTP/1.1 200 OK\r\n\r\n" + PNG * 1000, every=0.02),
        "/never": host.hold(threading.Event(), raw(b"")),
        "/interim": host.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, every=0.001),
    }
    # Without the deadline each would take minutes, and this test with it.
    assert asker.all(["/head", "/body", "/never", "/interim"]) == [None] * 4
    assert asker.cache.has_failed(f"{host.origin}/body?s=96")


def test_a_request_carries_the_address_and_nothing_else(host: FaceHost, asker: Asker) -> None:
    host.plays["/u/1"] = whole(PNG, "image/png", "200 OK", "Set-Cookie: who=you; Path=/")
    host.plays["/u/2"] = whole(PNG)
    asker.ask("/u/1?v=4&s=460")
    asker.ask("/u/2")
    first, second = host.requests
    assert first.startswith("GET /u/1?v=4&s=96 HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{host.port}\r\n" in first
    for request in (first, second):
        names = {line.partition(":")[0].lower() for line in request.split("\r\n")[1:] if line}
        assert names == {"host", "user-agent", "accept", "accept-encoding"}


# Where pictures may come from


def sources_of(**settings: Any) -> Sources:
    return Sources(Settings(**settings))


def test_github_has_its_pictures_at_one_host() -> None:
    github = sources_of()
    assert github.source("https://avatars.githubusercontent.com/u/7?v=4").url == (
        "https://avatars.githubusercontent.com/u/7?v=4&s=96"
    )
    for url in (
        "http://avatars.githubusercontent.com/u/7",
        "https://avatars.githubusercontent.com:8443/u/7",
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
        with pytest.raises(Refused):
            github.source(url)


def test_an_enterprise_server_has_them_at_its_own_names() -> None:
    enterprise = sources_of(github_server_url="https://github.example.com", avatar_hosts=("https://cdn.example.com",))
    for url in (
        "https://github.example.com/avatars/u/7?",
        "https://avatars.github.example.com/u/7",
        "https://cdn.example.com/7.png",
    ):
        enterprise.source(url)
    with pytest.raises(Refused):
        enterprise.source("https://avatars.githubusercontent.com/u/7")


def test_a_name_that_leads_into_a_private_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    led = {"cdn.example.com": ["203.0.113.5", "10.0.0.1"], "ghe.example.com": ["10.0.0.2"], "127.0.0.1": ["127.0.0.1"]}
    monkeypatch.setattr(allowed_origins, "look_up", lambda host, _port: led[host])
    named = sources_of(github_server_url="https://ghe.example.com", avatar_hosts=("https://cdn.example.com",))
    with pytest.raises(Refused, match="private"):
        named.addresses(named.source("https://cdn.example.com/7"))
    # The operator's own server, and what is listed as private, may stand in a private network.
    assert named.addresses(named.source("https://ghe.example.com/7")) == ["10.0.0.2"]
    listed = sources_of(avatar_hosts=("https://cdn.example.com",), private_git_hosts=("https://cdn.example.com",))
    assert listed.addresses(listed.source("https://cdn.example.com/7")) == led["cdn.example.com"]


def test_a_private_name_is_not_connected_to(host: FaceHost, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    by_name = f"http://localhost:{host.port}"
    asker = Asker(host, tmp_path, avatar_hosts=(by_name,))
    assert asyncio.run(asker.faces.faces([f"{by_name}/a"], 20)) == {}
    assert host.requests == []
    asker.faces.close()


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    host: FaceHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.plays["/a"] = whole(PNG)
    monkeypatch.setattr(allowed_origins, "look_up", lambda _host, _port: ["127.0.0.2", "127.0.0.1"])
    by_name = f"http://pictures.invalid:{host.port}"
    asker = Asker(host, tmp_path, avatar_hosts=(by_name,), private_git_hosts=(by_name,))
    # The name resolves nowhere, and nobody listens at the first address.
    assert f"{by_name}/a" in asyncio.run(asker.faces.faces([f"{by_name}/a"], 20))
    assert f"\r\nHost: pictures.invalid:{host.port}\r\n" in host.requests[0]
    asker.faces.close()


# Asked as little as can be


def test_a_picture_is_fetched_once_and_then_read_from_disk(host: FaceHost, asker: Asker, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    assert asker.ask("/a") == asker.ask("/a")
    another = Asker(host, tmp_path)
    assert another.ask("/a") == face_of(PNG)
    another.faces.close()
    assert len(host.requests) == 1


def test_many_who_ask_at_once_are_one_fetch(host: FaceHost, asker: Asker) -> None:
    go = threading.Event()
    host.plays["/a"] = host.hold(go, whole(PNG))
    found: list[Face | None] = []
    threads = [threading.Thread(target=lambda: found.append(asker.ask("/a"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    while not host.requests:
        time.sleep(0.005)
    go.set()
    for thread in threads:
        thread.join()
    assert found == [face_of(PNG)] * 20
    assert len(host.requests) == 1


def test_fetches_at_once_are_bounded(host: FaceHost, asker: Asker) -> None:
    host.plays |= {f"/{number}": whole(PNG) for number in range(60)}
    assert asker.all([f"/{number}" for number in range(60)]) == [face_of(PNG)] * 60
    assert host.most_at_once <= module.AT_ONCE


def test_who_is_not_patient_gets_nothing_now_and_the_picture_later(host: FaceHost, asker: Asker) -> None:
    go = threading.Event()
    host.plays["/a"] = host.hold(go, whole(PNG))
    assert asker.ask("/a", patience=0.05) is None
    go.set()
    assert asker.ask("/a") == face_of(PNG)
    assert len(host.requests) == 1


def test_a_queue_that_is_full_takes_no_more(host: FaceHost, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUEUE", 2)
    host.plays |= {f"/{number}": host.hold(threading.Event(), whole(PNG)) for number in range(3)}
    assert asker.all(["/0", "/1"], patience=0.05) == [None, None]
    began = time.monotonic()
    assert asker.ask("/2", patience=30) is None
    assert time.monotonic() - began < 20


def test_a_failure_is_remembered_for_a_while_also_by_others(host: FaceHost, asker: Asker, tmp_path: Path) -> None:
    assert asker.ask("/gone") is None
    assert asker.ask("/gone") is None
    another = Asker(host, tmp_path)
    assert another.ask("/gone") is None
    assert len(host.requests) == 1
    _age(tmp_path, -module._NONE - 1)
    host.plays["/gone"] = whole(PNG)
    assert another.ask("/gone") == face_of(PNG)
    another.faces.close()


def test_a_host_that_stumbles_is_left_alone(host: FaceHost, asker: Asker) -> None:
    host.plays |= {f"/{number}": whole(b"", "text/plain", "502 Bad Gateway") for number in range(20)}
    for number in range(20):
        assert asker.ask(f"/{number}") is None
    assert len(host.requests) == module._STUMBLES


def test_a_host_that_asks_for_patience_gets_it(host: FaceHost, asker: Asker) -> None:
    host.plays |= {"/a": whole(b"", "text/plain", "429 Too Many Requests", "Retry-After: 60"), "/b": whole(PNG)}
    assert asker.ask("/a") is None
    assert asker.ask("/b") is None
    assert len(host.requests) == 1


def test_an_old_picture_is_shown_while_a_newer_one_comes(host: FaceHost, asker: Asker, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    asker.ask("/a")
    _age(tmp_path, -module._FRESH - 1)
    host.plays["/a"] = whole(GIF)
    assert asker.ask("/a") == face_of(PNG)
    deadline = time.monotonic() + 20
    while asker.ask("/a") != face_of(GIF):
        assert time.monotonic() < deadline
    assert len(host.requests) == 2


def test_an_old_picture_outlives_its_host(host: FaceHost, asker: Asker, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    asker.ask("/a")
    _age(tmp_path, -module._FRESH - 1)
    del host.plays["/a"]
    for _ in range(5):
        assert asker.ask("/a") == face_of(PNG)
    while not asker.cache.has_failed(f"{host.origin}/a?s=96"):
        time.sleep(0.005)
    assert asker.ask("/a") == face_of(PNG)
    assert len(host.requests) == 2


def test_closing_gives_up_what_is_being_fetched(host: FaceHost, tmp_path: Path) -> None:
    host.plays["/a"] = host.hold(threading.Event(), whole(PNG))
    asker = Asker(host, tmp_path)
    assert asker.ask("/a", patience=0.05) is None
    began = time.monotonic()
    asker.faces.close()
    assert time.monotonic() - began < fetch.DEADLINE / 2
    assert asker.ask("/a") is None


# The disk


def _age(folder: Path, seconds: float) -> None:
    for path in (folder / "avatars").iterdir():
        found = path.stat()
        os.utime(path, (found.st_atime, found.st_mtime + seconds))


def _face(size: int, mark: int = 0) -> Face:
    face = face_of(b"GIF89a" + bytes([mark]) + bytes(size - 7))
    assert face is not None
    return face


def test_the_cache_is_bounded_and_drops_the_least_recently_used(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c", 400_000)
    for number in range(60):
        cache.put(f"u{number}", _face(10_000, number))
        assert cache.get("u0") is not None, "it was used a moment ago"
    spent = sum(path.stat().st_blocks * 512 for path in (tmp_path / "c").iterdir())
    assert 200_000 < spent <= 400_000
    assert cache.get("u1") is None
    assert cache.get("u59") is not None


def test_failures_are_bounded_too(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c", 100_000)
    for number in range(200):
        cache.failed(f"u{number}", 3600)
    assert len(list((tmp_path / "c").iterdir())) <= 100_000 / 4096


def test_a_cache_of_no_bytes_keeps_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c", 0)
    cache.put("u", _face(100))
    assert list((tmp_path / "c").iterdir()) == []


def test_what_a_process_left_half_written_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    left = tmp_path / "c" / "tmp123.part"
    left.write_bytes(b"GIF")
    os.utime(left, (0, 0))
    Cache(tmp_path / "c", 10**6).put("u", _face(100))
    assert not left.exists()


def test_a_disk_that_cannot_be_used_costs_nothing_but_the_memory(host: FaceHost, tmp_path: Path) -> None:
    (tmp_path / "avatars").write_text("in the way")
    host.plays["/a"] = whole(PNG)
    asker = Asker(host, tmp_path)
    assert asker.ask("/a") == face_of(PNG)
    assert asker.ask("/a") == face_of(PNG)
    asker.faces.close()


def test_a_file_that_became_something_else_is_no_picture(host: FaceHost, asker: Asker, tmp_path: Path) -> None:
    host.plays["/a"] = whole(PNG)
    asker.ask("/a")
    (file,) = (tmp_path / "avatars").iterdir()
    file.write_bytes(HTML)
    assert asker.ask("/a") == face_of(PNG)
    assert len(host.requests) == 2
