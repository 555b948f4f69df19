"""The reference of the API: it has all that the OpenAPI document has, and its examples work."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.web.reference.api_reference import text_with_code
from podium.web.webhooks import webhook_routes
from tests.support.web import Client, Site, open_site

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    secrets = ("the-secret-of-the-hooks",)
    with (
        pytest.MonkeyPatch.context() as patch,
        open_site(tmp_path_factory.mktemp("docs"), webhook_secrets=secrets) as site,
    ):
        patch.setattr(webhook_routes, "_REFUSAL_DELAY", 0.0)
        yield site


@pytest.fixture(scope="module")
def page(site: Site) -> str:
    return site.client().get("/docs").text


def curls(page: str) -> list[list[str]]:
    return [shlex.split(html.unescape(text)) for text in re.findall(r"<pre><code>(curl.*?)</code>", page)]


def test_every_operation_parameter_status_and_object_is_there(site: Site, page: str) -> None:
    document = site.client().get("/openapi.json").json()
    assert document == site.app.openapi()
    for methods in document["paths"].values():
        for operation in methods.values():
            _, _, rest = page.partition(f'id="{operation["operationId"]}"')
            article = rest.partition("</article>")[0]
            names = [parameter["name"] for parameter in operation.get("parameters", ())]
            for text in [*names, *(status for status in operation["responses"] if status not in ("413", "421"))]:
                assert f"<dt><code>{text}</code>" in article, (operation["operationId"], text)
    for name, schema in document["components"]["schemas"].items():
        article = page.partition(f'id="object-{name}"')[2].partition("</article>")[0]
        assert all(f"<code>{field}</code>" in article for field in schema.get("properties", {})), name


def test_the_readme_has_every_optional_parameter_of_what_takes_some(site: Site) -> None:
    paths = site.app.openapi()["paths"]
    rows = re.findall(r"^\| `GET ([^`?]+)(?:\?\S*)?`.*; takes (.*) \|$", README, re.MULTILINE)
    assert {path for path, _ in rows} == {"/leaderboard", "/repositories"}
    for path, taken in rows:
        optional = [each["name"] for each in paths[path]["get"]["parameters"] if not each["required"]]
        assert re.findall(r"`(\w+)`", taken) == optional


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def after(words: list[str], option: str) -> list[str]:
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def test_every_example_is_a_request_that_the_api_knows(site: Site, page: str) -> None:
    examples = curls(page)
    assert len(examples) == sum(len(methods) for methods in site.app.openapi()["paths"].values())
    for words in examples:
        headers = dict(line.split(": ", 1) for line in after(words, "-H"))
        is_administrator = headers.pop("Authorization", "") == "Bearer $PODIUM_ADMIN_TOKEN"
        client = site.administrator() if is_administrator else site.client()
        answer = client.request(
            "".join(after(words, "-X")) or "GET",
            words[-1].removeprefix("http://localhost:3000"),
            headers=headers,
            content="".join(after(words, "-d")),
        )
        # A host signs its deliveries.
        refused = {400, 405, 422} if "/webhooks/" in words[-1] else {400, 401, 403, 405, 422}
        assert answer.status_code not in refused, (words, answer.text)
        assert "nothing at this URL" not in answer.text, words


def test_what_only_the_administrator_may_do_says_so(site: Site, page: str) -> None:
    document = site.client().get("/openapi.json").json()
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "/webhooks/" not in path
    ]
    for method, path, operation in operations:
        refused = site.client().request(
            method, path.replace("{id}", "1"), headers={"content-type": "application/json"}, content="{}"
        )
        needs_token = refused.status_code == 401
        assert ("security" in operation) is needs_token, operation["operationId"]
        article = page.partition(f'id="{operation["operationId"]}"')[2].partition("</article>")[0]
        assert ('<span class="tag">administrator</span>' in article) is needs_token, operation["operationId"]
    assert document["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}


def test_every_body_is_described(site: Site, page: str) -> None:
    for path, methods in site.client().get("/openapi.json").json()["paths"].items():
        for operation in methods.values():
            article = page.partition(f'id="{operation["operationId"]}"')[2].partition("</article>")[0]
            content = operation.get("requestBody", {}).get("content", {})
            assert ("<h4>Body</h4>" in article) is bool(content)
            for media_type, found in content.items():
                assert f"<dt><code>{media_type}</code></dt>" in article
                assert (
                    "$ref" not in found["schema"] or f'#object-{found["schema"]["$ref"].split("/")[-1]}"' in article
                ), path


def test_page_and_document_are_compressed_and_revalidated(site: Site) -> None:
    client = site.client()
    for path in ("/docs", "/openapi.json"):
        answer = client.get(path)
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < 30_000
        again = client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_examples_name_the_server_as_the_reader_does(site: Site) -> None:
    assert curls(Client(site.app, host="127.0.0.1").get("/docs").text)[0][-1].startswith("http://127.0.0.1/")


def test_a_description_is_text_except_for_code_and_emphasis() -> None:
    assert text_with_code("`<b>` and *who* & <i>") == "<code>&lt;b&gt;</code> and <em>who</em> &amp; &lt;i&gt;"
