from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket
from starlette.responses import HTMLResponse

from podium import __version__
from podium.textutil.plural import plural
from podium.web.cache.cached_response import CachedResponse
from podium.web.middleware.security_headers import PAGE_POLICY
from podium.web.pages.assets import Assets
from podium.web.pages.board import filters

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
HTML = "text/html; charset=utf-8"
# Of Python's own bytecode, too.
_BYTECODE = HERE / "__pycache__"


class _BytecodeCache(jinja2.FileSystemBytecodeCache):
    def dump_bytecode(self, bucket: Bucket) -> None:
        # The disk may be full: the next process compiles it again.
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def bytecode_cache(folder: Path = _BYTECODE) -> jinja2.BytecodeCache | None:
    """Keep compiled templates from one start to the next; None where Python may not keep bytecode there either."""
    if sys.dont_write_bytecode or not os.access(folder, os.W_OK):
        return None
    return _BytecodeCache(str(folder))


class Renderer:
    """The Jinja templates, and the static files that they link to."""

    def __init__(self) -> None:
        self.assets = Assets(STATIC)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=bytecode_cache(),
        )
        self._environment.filters.update(filters.FILTERS)
        self._environment.globals.update(
            asset=self.asset, modules=self.assets.modules, version=__version__, plural=plural
        )

    def asset(self, name: str) -> str:
        """The URL of a static file. All files share one version, because JavaScript modules import each other."""
        return f"/static/{self.assets.version}/{name}"

    def text(self, template: str, **values: Any) -> str:
        """Render a template; values are escaped for HTML and XML."""
        return self._environment.get_template(template).render(values)

    def page(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        html = self.text(template, **values)
        return HTMLResponse(html, status, {"Content-Security-Policy": PAGE_POLICY, **(headers or {})})

    def body(self, template: str, **values: Any) -> CachedResponse:
        html = self.text(template, **values)
        return CachedResponse.of(html.encode("utf-8", "replace"), HTML, {"Content-Security-Policy": PAGE_POLICY})


@functools.cache
def shared_renderer() -> Renderer:
    """The one of all applications of this process: Jinja compiles each template once."""
    return Renderer()
