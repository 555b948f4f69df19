"""A real browser, driven from the command line: what a page becomes once its scripts ran, and what it looks like."""

from __future__ import annotations

import contextlib
import shutil
import struct
import subprocess
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from tests.support.server import PATIENCE, wait_until

FOUND = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(FOUND is None, reason="NO BROWSER: apt-get install chromium, or this is not tested")


class Chromium:
    """One browser profile in ``folder``; each call is a run of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def dom(self, url: str, *, dark: bool = False) -> str:
        """The page's HTML after its scripts have run."""
        return self._run(url, "--dump-dom", dark=dark)

    def shot(self, url: str, width: int, height: int, *, dark: bool = False) -> Pixels:
        """What is seen of the page in a window of that size."""
        file = self._folder / "shot.png"
        self._run(url, f"--screenshot={file}", f"--window-size={width},{height}", dark=dark)
        return Pixels(file.read_bytes())

    def _run(self, url: str, *options: str, dark: bool) -> str:
        assert FOUND is not None
        done = subprocess.run(
            [
                FOUND,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--hide-scrollbars",
                "--no-first-run",
                f"--user-data-dir={self._folder / 'profile'}",
                # Time runs as fast as the page is idle, and the page is looked at when so much of it has passed.
                "--virtual-time-budget=10000",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                *options,
                url,
            ],
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class Pixels:
    """A screenshot: a PNG of eight bits a channel, not interlaced (https://www.w3.org/TR/png-3/)."""

    def __init__(self, png: bytes) -> None:
        chunks: dict[bytes, bytes] = {}
        at = 8
        while at < len(png):
            (length,) = struct.unpack(">I", png[at : at + 4])
            kind = png[at + 4 : at + 8]
            chunks[kind] = chunks.get(kind, b"") + png[at + 8 : at + 8 + length]
            at += 12 + length
        self.width, self.height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
        assert (depth, interlaced) == (8, 0)
        self._step = {2: 3, 6: 4}[colour]
        self._rows = self._unfiltered(zlib.decompress(chunks[b"IDAT"]))

    def at(self, x: int, y: int) -> str:
        """The colour of a pixel, as ``#rrggbb``."""
        pixel = self._rows[y][x * self._step : x * self._step + 3]
        return f"#{pixel.hex()}"

    def colours(self) -> set[str]:
        """Every colour in it."""
        return {self.at(x, y) for y in range(self.height) for x in range(self.width)}

    def _unfiltered(self, data: bytes) -> list[bytes]:
        length, rows = self.width * self._step, []
        before = bytes(length)
        for top in range(0, len(data), length + 1):
            kind, row = data[top], bytearray(data[top + 1 : top + 1 + length])
            for place in range(length):
                left = row[place - self._step] if place >= self._step else 0
                corner = before[place - self._step] if place >= self._step else 0
                row[place] = (row[place] + _predicted(kind, left, before[place], corner)) % 256
            before = bytes(row)
            rows.append(before)
        return rows


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    if kind < 4:
        return (0, left, above, (left + above) // 2)[kind]
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


@contextlib.contextmanager
def listening(app: FastAPI) -> Iterator[int]:
    """``app`` on a real port of this machine, for the length of a ``with`` block."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to listen")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
