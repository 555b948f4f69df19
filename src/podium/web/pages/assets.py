"""Static files, in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from podium.web.cache.cached_response import CachedResponse

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_ASK_AGAIN = {"Cache-Control": "no-cache"}


class Assets:
    """The static files, in memory: kept by browsers for a year where the address carries their version."""

    def __init__(self, folder: Path) -> None:
        files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
        self.version = "v" + hashlib.sha256(b"".join(files.values())).hexdigest()[:12]
        self._bodies = {}
        for name, content in files.items():
            kind = _TYPES[Path(name).suffix]
            self._bodies[name] = CachedResponse.of(content, kind, _ASK_AGAIN)
            self._bodies[f"{self.version}/{name}"] = CachedResponse.of(content, kind, _FOR_EVER)

    def find(self, path: str) -> CachedResponse | None:
        """The file of that name, with or without its version; None where there is none."""
        return self._bodies.get(path)
