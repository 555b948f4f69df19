from __future__ import annotations

import hashlib
import re
from pathlib import Path

from podium.web.cache.cached_response import CachedResponse

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
}
_IMPORT = re.compile(rb"""^(?:import|export)\b[^;]*?["']\./([\w-]+\.js)["']""", re.MULTILINE)
_VERSION = re.compile(r"v[0-9a-f]{12}")
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_REVALIDATE = {"Cache-Control": "no-cache"}
# Browsers ask for an icon at its fixed URL with every new page.
_DAILY = {"Cache-Control": "public, max-age=86400"}


# Whole lines of comments, which are a seventh of the compressed bytes.
_COMMENTS = {
    ".js": re.compile(rb"^[ \t]*//.*\n", re.MULTILINE),
    ".css": re.compile(rb"^[ \t]*/\*[^*]*\*/[ \t]*\n", re.MULTILINE),
}


class Assets:
    """The static files. Browsers keep a file for a year if its URL contains the version."""

    def __init__(self, folder: Path) -> None:
        files = {file.name: _served(file) for file in sorted(folder.iterdir())}
        self.version = "v" + hashlib.sha256(b"".join(files.values())).hexdigest()[:12]
        self._imports = {name: re.findall(_IMPORT, text) for name, text in files.items() if name.endswith(".js")}
        self._bodies = {}
        for name, content in files.items():
            kind = _TYPES[Path(name).suffix]
            self._bodies[name] = CachedResponse.of(content, kind, _DAILY if name == "favicon.ico" else _REVALIDATE)
            self._bodies[f"{self.version}/{name}"] = CachedResponse.of(content, kind, _IMMUTABLE)

    def find(self, path: str) -> CachedResponse | None:
        """A file. Under another version it is the present one, to be asked for again: while servers are updated one
        after another, the page of one may ask another one for its files."""
        version, _, name = path.partition("/")
        return self._bodies.get(path) or (self._bodies.get(name) if _VERSION.fullmatch(version) else None)

    def modules(self, name: str) -> list[str]:
        """The modules that a module needs, itself the first. A browser would find them one after another."""
        found = [name]
        for module in found:
            found += [needed for each in self._imports[module] if (needed := each.decode()) not in found]
        return found


def _served(file: Path) -> bytes:
    comments = _COMMENTS.get(file.suffix)
    return file.read_bytes() if comments is None else comments.sub(b"", file.read_bytes())
