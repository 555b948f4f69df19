"""Static files: the modules that a page loads, and the icon."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from podium.web.pages.assets import Assets
from podium.web.pages.rendering import HERE, STATIC
from tests.support.web import open_site


def test_the_modules_of_a_module_are_those_that_it_imports_and_their_own(tmp_path: Path) -> None:
    files = {
        "a.js": 'import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\n',
        "b.js": '// import "./d.js"\nexport { c } from "./c.js";\n',
        "c.js": "import './a.js';\nexport const c = 'from ./d.js';\n",
        "d.js": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert Assets(tmp_path).modules("a.js") == ["a.js", "b.js", "c.js"]
    assert Assets(tmp_path).modules("d.js") == ["d.js"]


@pytest.mark.parametrize("name", sorted(file.name for file in STATIC.glob("*.js")))
def test_no_import_is_missed(name: str) -> None:
    modules = Assets(STATIC).modules(name)
    assert len(set(modules)) == len(modules)
    for module in modules:
        assert set(re.findall(r'"\./([\w-]+\.js)"', (STATIC / module).read_text())) <= set(modules)


@pytest.mark.parametrize("template", sorted((HERE / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_templates_load_modules_with_those_that_they_import(template: Path) -> None:
    loaded = template.read_text().count('type="module"')
    assert loaded == (1 if template.name == "_macros.html" else 0)


def test_a_page_names_its_modules_and_the_icon_is_where_programs_look(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        site.person(site.repository(), "Ada", "ada@example.com")
        page = site.client().get("/r/octo/hello", headers={"accept": "text/html"}).text
        preloaded = re.findall(r'<link rel="modulepreload" href="/static/v\w+/([^"]+)">', page)
        assert preloaded == Assets(STATIC).modules("board.js")[1:]
        for module in preloaded:
            assert site.client().get(f"/static/{Assets(STATIC).version}/{module}").status_code == 200
        icon = site.client().get("/favicon.ico")
        assert icon.headers["content-type"] == "image/x-icon"
        assert icon.headers["cache-control"] == "public, max-age=86400"
        image = Image.open(io.BytesIO(icon.content))
        assert image.info["sizes"] == {(16, 16), (32, 32), (48, 48)}


def test_a_page_of_another_version_gets_the_present_files(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        other = site.client().get("/static/v0123456789ab/board.js")
        assert (other.status_code, other.headers["cache-control"]) == (200, "no-cache")
        assert other.content == site.client().get("/static/board.js").content
        for path in ("v0123456789ab/nothing.js", "v1/board.js", "v0123456789ab/", "nothing.js"):
            assert site.client().get(f"/static/{path}").status_code == 404
