"""Templates and static files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from podium import __version__
from podium.web import wording
from podium.web.headers import PAGE_POLICY

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Renderer:
    """The templates, compiled when first used, and the addresses of the static files that they link to."""

    def __init__(self) -> None:
        self._versions = {file.name: _digest(file) for file in STATIC.iterdir()}
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(wording.FILTERS)
        self._environment.globals.update(asset=self.asset, version=__version__)

    def asset(self, name: str) -> str:
        """The address of a static file, which changes with its content."""
        return f"/static/{name}?v={self._versions[name]}"

    def text(self, template: str, **values: Any) -> str:
        """Render a template to text; what it is given is escaped for HTML and XML alike."""
        return self._environment.get_template(template).render(values)

    def page(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """Render a whole page."""
        return HTMLResponse(
            self.text(template, **values), status, {"Content-Security-Policy": PAGE_POLICY, **(headers or {})}
        )


class Assets(StaticFiles):
    """Static files: kept for a year where the address carries the version, asked about again where not."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if versioned and response.status_code == 200 else "no-cache"
        )
        return response


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
