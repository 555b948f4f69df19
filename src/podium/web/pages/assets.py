from __future__ import annotations

import hashlib
from pathlib import Path

from podium.web.cache.cached_response import CachedResponse

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_REVALIDATE = {"Cache-Control": "no-cache"}


class Assets:
    """The static files. Browsers keep a file for a year if its URL contains the version."""

    def __init__(self, folder: Path) -> None:
        files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
        self.version = "v" + hashlib.sha256(b"".join(files.values())).hexdigest()[:12]
        self._bodies = {}
        for name, content in files.items():
            kind = _TYPES[Path(name).suffix]
            self._bodies[name] = CachedResponse.of(content, kind, _REVALIDATE)
            self._bodies[f"{self.version}/{name}"] = CachedResponse.of(content, kind, _IMMUTABLE)

    def find(self, path: str) -> CachedResponse | None:
        return self._bodies.get(path)
